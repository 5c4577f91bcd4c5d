//! The floor of the pattern engine's iteration: the same tokens drawn, the same memory touched, and of the arithmetic only
//! what no algorithm on these tables can leave out. `cargo bench --bench floor`
//!
//! Of each part the table says what it does and what it takes; the last lines are JSON, one for each workload. What the
//! floor leaves out is selection (which tokens are the l best, beyond one comparison a key) and training (activation
//! ranges, deaths of neurons, checks for divergence, losses).

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod common;

use common::{ALL, Kind, Workload};
use moe_theory::patterns::{Batch, Pattern, Sampler};
use moe_theory::sgd::Objective;
use moe_theory::simd::exp::exp_f64s;
use moe_theory::simd::{Kernel, Lanes, Level};
use std::hint::black_box;
use std::time::Instant;

/// Rounds of which the fastest counts.
const ROUNDS: usize = 15;

/// Numbers on cache lines of their own.
type Numbers = aligned_vec::AVec<f64, aligned_vec::ConstAlign<64>>;

/// How far the floor goes: each part with all before it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Part {
    /// The tokens are drawn.
    Draw,
    /// Every key of every token is read and compared once.
    Compare,
    /// exp and exp · σ of every token are read and added up; one division an expert.
    Gate,
    /// In the active samples the gradients of every token are read, added to and written, and σ read.
    Scatter,
    /// Of every touched pattern the state is read and written, with an exponential; gradients are cleared.
    Renew,
}

const PARTS: [(Part, &str); 5] = [
    (Part::Draw, "tokens drawn"),
    (Part::Compare, "keys read, compared once"),
    (Part::Gate, "gates added up, divided"),
    (Part::Scatter, "gradients scattered"),
    (Part::Renew, "touched state renewed"),
];

/// Memory of the shape that the engine's has.
struct Memory {
    groups: usize,
    keys: aligned_vec::AVec<f32, aligned_vec::ConstAlign<64>>,
    gates: Numbers,
    values: Numbers,
    gradients: Numbers,
    neurons: Numbers,
    touched: Vec<bool>,
}

impl Memory {
    fn new(workload: &Workload, level: Level) -> Self {
        let group = (2 * level.lanes()).max(8);
        let places = workload.experts.next_multiple_of(group);
        let cells = workload.patterns * places;
        let numbers = |fields| Numbers::from_iter(64, (0..cells * fields).map(|at| 1.0 + (at % 97) as f64 * 1e-4));
        Self {
            groups: places / (2 * level.lanes()),
            keys: aligned_vec::AVec::from_iter(64, (0..cells).map(|at| (at * 31 % 101) as f32)),
            gates: numbers(2),
            values: numbers(2),
            gradients: numbers(2),
            neurons: numbers(4),
            touched: vec![false; workload.patterns],
        }
    }
}

/// One iteration without its draws; returns something that depends on all of it.
struct Iteration<'a> {
    memory: &'a mut Memory,
    batch: &'a Batch,
    part: Part,
    /// Share of the samples that are active.
    active: f64,
}

impl Kernel for Iteration<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> f64 {
        let Self { memory, batch, part, active } = self;
        let zero = simd.splat_f64s(0.0);
        let mut result = zero;
        let mut due = 0.0;
        for sample in 0..batch.samples() {
            let tokens = batch.sample(sample);
            due += active;
            let is_active = due >= 1.0;
            due -= if is_active { 1.0 } else { 0.0 };
            for group in 0..memory.groups {
                let scale = forward(simd, memory, (tokens, group), part);
                result = simd.add_f64s(result, scale);
                if part >= Part::Scatter && is_active {
                    scatter(simd, memory, (tokens, group), scale);
                }
            }
            if part >= Part::Scatter && is_active {
                tokens.iter().for_each(|&token| memory.touched[token as usize] = true);
            }
        }
        if part >= Part::Renew {
            for pattern in 0..memory.touched.len() {
                if std::mem::take(&mut memory.touched[pattern]) {
                    (0..2 * memory.groups).for_each(|block| renew(simd, memory, pattern * 2 * memory.groups + block));
                }
            }
        }
        simd.reduce_sum_f64s(result)
    }
}

#[inline(always)]
fn forward<S: Lanes>(simd: S, memory: &Memory, (tokens, group): (&[Pattern], usize), part: Part) -> S::f64s {
    let keys = S::as_keys(&memory.keys);
    let mut largest = simd.splat_keys(0.0);
    for &token in tokens {
        largest = simd.max_keys(largest, keys[token as usize * memory.groups + group]);
    }
    let above = simd.halves(simd.above(largest, simd.splat_keys(-1.0)));
    if part < Part::Gate {
        return simd.select_f64s(above[0], simd.splat_f64s(1.0), simd.splat_f64s(0.5));
    }
    let gates: &[[[S::f64s; 2]; 2]] = S::as_simd_f64s(&memory.gates).0.as_chunks().0.as_chunks().0;
    let mut sums = [[simd.splat_f64s(0.0); 2]; 2];
    for &token in tokens {
        let cell = &gates[token as usize * memory.groups + group];
        for half in 0..2 {
            for field in 0..2 {
                sums[half][field] = simd.add_f64s(sums[half][field], cell[half][field]);
            }
        }
    }
    let [first, second] = sums.map(|[total, sum]| simd.mul_f64s(sum, simd.div_f64s(simd.splat_f64s(1.0), total)));
    simd.select_f64s(above[1], simd.add_f64s(first, second), first)
}

#[inline(always)]
fn scatter<S: Lanes>(simd: S, memory: &mut Memory, (tokens, group): (&[Pattern], usize), scale: S::f64s) {
    let groups = memory.groups;
    let gates: &[[[S::f64s; 2]; 2]] = S::as_simd_f64s(&memory.gates).0.as_chunks().0.as_chunks().0;
    let values: &[[[S::f64s; 2]; 2]] = S::as_simd_f64s(&memory.values).0.as_chunks().0.as_chunks().0;
    let sums: &mut [[[S::f64s; 2]; 2]] =
        S::as_mut_simd_f64s(&mut memory.gradients).0.as_chunks_mut().0.as_chunks_mut().0;
    for &token in tokens {
        let at = token as usize * groups + group;
        for half in 0..2 {
            let mass = simd.mul_f64s(gates[at][half][0], scale);
            let pull = simd.mul_f64s(mass, values[at][half][1]);
            let sums = &mut sums[at][half];
            sums[0] = simd.add_f64s(sums[0], mass);
            sums[1] = simd.add_f64s(sums[1], pull);
        }
    }
}

#[inline(always)]
fn renew<S: Lanes>(simd: S, memory: &mut Memory, cell: usize) {
    let zero = simd.splat_f64s(0.0);
    let small = simd.splat_f64s(1e-9);
    let gradients: &mut [[S::f64s; 2]] = S::as_mut_simd_f64s(&mut memory.gradients).0.as_chunks_mut().0;
    let [mass, pull] = std::mem::replace(&mut gradients[cell], [zero; 2]);
    let neurons: &mut [[S::f64s; 4]] = S::as_mut_simd_f64s(&mut memory.neurons).0.as_chunks_mut().0;
    let [offset, sum, live, _] = &mut neurons[cell];
    *offset = simd.add_f64s(*offset, simd.mul_f64s(small, mass));
    let activation = simd.add_f64s(*sum, simd.mul_f64s(*live, *offset));
    let values: &mut [[S::f64s; 2]] = S::as_mut_simd_f64s(&mut memory.values).0.as_chunks_mut().0;
    let score = simd.add_f64s(values[cell][0], simd.mul_f64s(small, pull));
    values[cell] = [score, activation];
    let exponential = exp_f64s(simd, score);
    let gates: &mut [[S::f64s; 2]] = S::as_mut_simd_f64s(&mut memory.gates).0.as_chunks_mut().0;
    gates[cell] = [exponential, simd.mul_f64s(exponential, activation)];
    let scores = pulp::bytemuck::cast_slice::<S::f64s, f64>(std::slice::from_ref(&values[cell][0]));
    let keys = &mut memory.keys[cell * S::F64_LANES..][..S::F64_LANES];
    keys.iter_mut().zip(scores).for_each(|(key, &score)| *key = score as f32);
}

/// Seconds an iteration: of the floor up to each part, and of the engine.
struct Times {
    parts: [f64; PARTS.len()],
    engine: f64,
    active: f64,
}

fn measure(workload: &Workload) -> Times {
    let data = workload.data();
    let mut times = Times { parts: [f64::INFINITY; PARTS.len()], engine: f64::INFINITY, active: 0.0 };
    let iterations = workload.iterations;
    for round in 0..ROUNDS {
        let mut batch = Batch::default();
        let mut engine = Kind::Pattern.build(&workload.model(1), workload.rates);
        let mut sampler = Sampler::training(&data, 1);
        let start = Instant::now();
        let mut active = 0;
        for _ in 0..iterations {
            sampler.fill(&mut batch, workload.batch);
            active += engine.step(&batch, &Objective::default()).expect("finite").active;
        }
        times.engine = times.engine.min(start.elapsed().as_secs_f64() / iterations as f64);
        times.active = active as f64 / (iterations * workload.batch) as f64;
        if round == 0 {
            continue;
        }
        let mut memory = Memory::new(workload, Level::best());
        for (place, (part, _)) in PARTS.into_iter().enumerate() {
            let mut sampler = Sampler::training(&data, 1);
            let start = Instant::now();
            for _ in 0..iterations {
                sampler.fill(&mut batch, workload.batch);
                if part > Part::Draw {
                    let iteration = Iteration { memory: &mut memory, batch: &batch, part, active: times.active };
                    black_box(Level::best().run(iteration));
                }
            }
            times.parts[place] = times.parts[place].min(start.elapsed().as_secs_f64() / iterations as f64);
        }
    }
    times
}

fn main() {
    let measured: Vec<(&Workload, Times)> = ALL.iter().map(|workload| (workload, measure(workload))).collect();
    println!("Floor of an iteration of the pattern engine, {}, one thread, µs:\n", Level::best().name());
    println!("| workload | {} | floor | iteration | iteration ÷ floor |", PARTS.map(|(_, name)| name).join(" | "));
    println!("| --- |{}", " ---: |".repeat(PARTS.len() + 3));
    for (workload, Times { parts, engine, .. }) in &measured {
        let mut before = 0.0;
        let added = parts.map(|part| format!("{:.2}", (part - std::mem::replace(&mut before, part)) * 1e6));
        let [floor, engine] = [parts[PARTS.len() - 1], *engine].map(|seconds| seconds * 1e6);
        println!("| `{}` | {} | {floor:.2} | {engine:.2} | {:.2} |", workload.name, added.join(" | "), engine / floor);
    }
    println!();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for (workload, Times { parts, active, .. }) in &measured {
        let rate = threads as f64 / parts[PARTS.len() - 1];
        println!(r#"{{"preset": "{}", "seed_iters_per_s": {rate:.0}, "active": {active:.3}}}"#, workload.name);
    }
}

//! Measured exponents of the time of an iteration in B, k, n, l, m and d around the workload `reference`, of a run in T,
//! and of building an engine in k, m and d; prints Markdown tables. `cargo bench --bench growth`, about a minute.
//!
//! One size changes at a time. The sizes of a grid are timed in turn, over and over, so that a drift of the machine hits
//! all alike, and the least time of each counts. The exponent is the slope of a straight line through log time over log
//! size. An iteration is drawing a batch and a step.
//!
//! The work depends on the share of active samples, which changes with every size while a model trains. So the first
//! exponent is at learning rates of 10⁻⁹: nothing moves, and all samples are active at every size, which is the most
//! work that an iteration can be. The second is that of whole trainings at the rates of `reference`, with the shares
//! that they had; there neurons die too, which is what is left of m.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod common;

use common::{Kind, REFERENCE, Workload};
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::sgd::{Objective, Rates, TheoryEngine};
use std::hint::black_box;
use std::time::Instant;

/// Least time of a measurement, seconds.
const BLOCK: f64 = 2e-3;

/// What changes, and where.
struct Size {
    name: &'static str,
    grid: &'static [usize],
    set: fn(&mut Workload, usize),
    /// The pattern engine's exponent by its algorithm.
    pattern: &'static str,
}

/// Numbers of experts are whole vectors: 8 experts cost what 5 do.
const SIZES: [Size; 7] = [
    Size { name: "B", grid: &[16, 32, 64, 128, 256, 512], set: |w, size| w.batch = size, pattern: "≤ 1" },
    Size { name: "k", grid: &[8, 16, 32, 64], set: |w, size| w.experts = size, pattern: "≤ 1" },
    Size { name: "n", grid: &[8, 16, 32, 64], set: |w, size| w.tokens = size, pattern: "≤ 1" },
    Size { name: "l", grid: &[2, 4, 8, 16], set: |w, size| w.tokens_per_expert = size, pattern: "≤ 1" },
    Size { name: "m", grid: &[8, 16, 32, 64, 128], set: |w, size| w.neurons = size, pattern: "0" },
    Size { name: "d", grid: &[64, 128, 256, 512], set: |w, size| w.patterns = size, pattern: "0" },
    // A batch moves the coordinates of at most min(d, B n) patterns: with many samples to a pattern this is little of it.
    Size {
        name: "d, B = 512",
        grid: &[64, 128, 256, 512],
        set: |w, size| (w.patterns, w.batch) = (size, 512),
        pattern: "0",
    },
];

fn main() {
    println!("| engine | size | grid | µs an iteration | exponent | while training | active | the algorithm says |");
    println!("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |");
    for kind in Kind::BOTH {
        for size in SIZES.iter().filter(|size| kind == Kind::Pattern || !size.name.contains("B =")) {
            iteration(kind, size);
        }
        run(kind);
    }
    println!("\n| building an engine | size | grid | µs | exponent | the algorithm says |");
    println!("| --- | --- | --- | ---: | ---: | ---: |");
    for kind in Kind::BOTH {
        for size in SIZES.iter().filter(|size| ["k", "m", "d"].contains(&size.name)) {
            construction(kind, size);
        }
    }
}

/// `reference`, with noise where the dense engine trains.
fn workload(kind: Kind) -> Workload {
    Workload { noise: if kind == Kind::Dense { 0.1 } else { 0.0 }, ..REFERENCE }
}

/// The workloads of a grid.
fn workloads(kind: Kind, size: &Size) -> Vec<Workload> {
    let at = |&value: &usize| {
        let mut workload = workload(kind);
        (size.set)(&mut workload, value);
        workload
    };
    size.grid.iter().map(at).collect()
}

/// A model in training.
struct Training {
    engine: Box<dyn TheoryEngine>,
    sampler: Sampler,
    batch: Batch,
    samples: usize,
    active: usize,
}

impl Training {
    fn new(workload: &Workload, kind: Kind) -> Self {
        let (engine, sampler) = (workload.engine(kind, 1), workload.sampler(1));
        Self { engine, sampler, batch: Batch::default(), samples: workload.batch, active: 0 }
    }

    /// Seconds of so many iterations.
    fn seconds(&mut self, iterations: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..iterations {
            self.sampler.fill(&mut self.batch, self.samples);
            self.active += self.engine.step(&self.batch, &Objective::default()).expect("finite").active;
        }
        start.elapsed().as_secs_f64()
    }
}

/// Learning rates at which nothing moves.
const STILL: Rates = Rates { router: 1e-9, expert: 1e-9 };

fn iteration(kind: Kind, size: &Size) {
    let workloads = workloads(kind, size);
    let mut still: Vec<Training> =
        workloads.iter().map(|workload| Training::new(&Workload { rates: STILL, ..*workload }, kind)).collect();
    // The first iterations allocate.
    let iterations: Vec<usize> =
        still.iter_mut().map(|training| (BLOCK / (training.seconds(4) / 4.0)).ceil() as usize).collect();
    let times = least(15, size.grid.len(), |place| still[place].seconds(iterations[place]) / iterations[place] as f64);
    let (length, rounds) = if kind == Kind::Pattern { (REFERENCE.iterations, 5) } else { (100, 2) };
    let mut shares = vec![0.0; size.grid.len()];
    let training = least(rounds, size.grid.len(), |place| {
        let mut training = Training::new(&workloads[place], kind);
        let seconds = training.seconds(length);
        shares[place] = training.active as f64 / (length * training.samples) as f64;
        seconds / length as f64
    });
    let operations: Vec<f64> = workloads.iter().map(dense_operations).collect();
    let says = match kind {
        Kind::Pattern => size.pattern.to_owned(),
        Kind::Dense => format!("{:.2}", slope(size.grid, &operations)),
    };
    println!(
        "| {} | {} | {} | {} | **{:.3}** | {:.3} | {} | {says} |",
        kind.name(),
        size.name,
        ends(size.grid),
        microseconds(&times),
        slope(size.grid, &times),
        slope(size.grid, &training),
        span(&shares),
    );
}

/// A whole run, building the engine and all: T.
fn run(kind: Kind) {
    let grid: &[usize] = if kind == Kind::Pattern { &[125, 250, 500, 1000, 2000] } else { &[8, 16, 32, 64] };
    let workload = Workload { rates: STILL, ..workload(kind) };
    let times = least(5, grid.len(), |place| {
        let start = Instant::now();
        Training::new(&workload, kind).seconds(grid[place]);
        start.elapsed().as_secs_f64()
    });
    let each: Vec<f64> = times.iter().zip(grid).map(|(time, &iterations)| time / iterations as f64).collect();
    println!(
        "| {} | T, with building | {} | {} | **{:.3}** | | | ≤ 1 |",
        kind.name(),
        ends(grid),
        microseconds(&each),
        slope(grid, &times)
    );
}

fn construction(kind: Kind, size: &Size) {
    let workloads = workloads(kind, size);
    let models: Vec<_> = workloads.iter().map(|workload| workload.model(1)).collect();
    let times = least(15, size.grid.len(), |place| {
        let start = Instant::now();
        black_box(kind.build(&models[place], REFERENCE.rates));
        start.elapsed().as_secs_f64()
    });
    // The dense engine turns the weights onto a basis, a matrix [d, d].
    let says = if kind == Kind::Dense && size.name == "d" { "≤ 2" } else { "≤ 1" };
    println!(
        "| {} | {} | {} | {} | {:.3} | {says} |",
        kind.name(),
        size.name,
        ends(size.grid),
        microseconds(&times),
        slope(size.grid, &times)
    );
}

/// Multiplications and additions of an iteration by matrix products with all samples active. A Gaussian number counts
/// as 100: that is what it takes beside a fused multiply-add on a processor with vector instructions (`limits.c`).
fn dense_operations(workload: &Workload) -> f64 {
    let Workload { patterns, tokens, tokens_per_expert, experts, neurons, batch, .. } = *workload;
    let [d, n, l, k, m, samples] =
        [patterns, tokens, tokens_per_expert, experts, neurons, batch].map(|size| size as f64);
    let hidden = 2.0 * samples * k * l * d * m;
    2.0 * samples * n * d * k
        + 2.0 * hidden
        + 2.0 * samples * k * l * d
        + 4.0 * samples * k * l * m
        + 100.0 * samples * n * d
}

/// The least of `rounds` measurements of each of `count` things, measured in turn.
fn least(rounds: usize, count: usize, mut measure: impl FnMut(usize) -> f64) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; count];
    for _ in 0..rounds {
        for (place, least) in least.iter_mut().enumerate() {
            *least = least.min(measure(place));
        }
    }
    least
}

/// Slope of the least-squares line of log `times` over log `sizes`.
fn slope(sizes: &[usize], times: &[f64]) -> f64 {
    let x: Vec<f64> = sizes.iter().map(|&size| (size as f64).ln()).collect();
    let y: Vec<f64> = times.iter().map(|time| time.ln()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let products: f64 = x.iter().zip(&y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    products / x.iter().map(|x| (x - mean_x).powi(2)).sum::<f64>()
}

fn ends(grid: &[usize]) -> String {
    format!("{} – {}", grid[0], grid[grid.len() - 1])
}

fn microseconds(times: &[f64]) -> String {
    let shown = |seconds: f64| format!("{:.*}", if seconds < 1e-4 { 1 } else { 0 }, seconds * 1e6);
    format!("{} – {}", shown(times[0]), shown(times[times.len() - 1]))
}

fn span(shares: &[f64]) -> String {
    let fold = |start: f64, pick: fn(f64, f64) -> f64| shares.iter().copied().fold(start, pick);
    format!("{:.2} – {:.2}", fold(1.0, f64::min), fold(0.0, f64::max))
}

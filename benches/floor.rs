//! Time of an iteration of the pattern engine beside that of its draws.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::sgd::{Engine, PatternEngine, Rates};
use moe_theory::sim::parameters::DataParameters;
use rand::SeedableRng;
use rand_distr::{Distribution, Normal};
use std::time::Instant;

fn model(d: usize, k: usize, m: usize, l: usize, seed: u64) -> Model {
    let mut generator = chacha20::ChaCha8Rng::seed_from_u64(seed);
    let normal = Normal::new(0.0, 0.05).expect("legal");
    let mut draw = |count: usize| (0..count).map(|_| normal.sample(&mut generator)).collect::<Vec<f64>>();
    Model {
        patterns: d,
        neurons_per_expert: m,
        tokens_per_expert: l,
        signs: (0..k).map(|s| if s % 2 == 0 { 1.0 } else { -1.0 }).collect(),
        routers: draw(k * d),
        neurons: draw(k * m * d),
    }
}

fn main() {
    let arg = |i: usize, default: usize| std::env::args().nth(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let large = arg(1, 0) == 1;
    let (d, n, l, k, m, b, t, rates) = if large {
        (512, 32, 8, 32, 64, 256, 200, Rates { router: 1.0, expert: 8.0 })
    } else {
        (128, 16, 4, 16, 32, 64, 500, Rates { router: 0.3, expert: 1.0 })
    };
    let data = DataParameters { patterns: d, tokens: n, replacement: arg(2, 1) == 1, ..data() };
    let mut best = [f64::INFINITY; 3];
    let mut active = 0;
    for round in 0..arg(3, 12) as u64 {
        let start = Instant::now();
        let mut engine = PatternEngine::new(&model(d, k, m, l, round), rates);
        let build = start.elapsed().as_secs_f64();
        let mut sampler = Sampler::training(&data, round);
        let mut batch = Batch::default();
        let start = Instant::now();
        for _ in 0..t {
            sampler.fill(&mut batch, b);
        }
        let draw = start.elapsed().as_secs_f64() / t as f64;
        let start = Instant::now();
        active = 0;
        for _ in 0..t {
            sampler.fill(&mut batch, b);
            active += engine.step(&batch).expect("finite").active;
        }
        let all = start.elapsed().as_secs_f64() / t as f64;
        for (best, value) in best.iter_mut().zip([build, draw, all]) {
            *best = best.min(value);
        }
    }
    println!(
        "build {:.1} us, draw {:.2} us, draw and step {:.2} us = {:.0} iterations/s; active {:.3}",
        best[0] * 1e6,
        best[1] * 1e6,
        best[2] * 1e6,
        1.0 / best[2],
        active as f64 / (t * b) as f64
    );
}

fn data() -> DataParameters {
    let shipped = moe_theory::sim::shipped("default").expect("shipped");
    let simulation =
        moe_theory::sim::Simulation::parse(shipped.file, shipped.text, &Default::default()).expect("legal");
    simulation.points().expect("legal").remove(0).parameters.data
}

//! This program's engines on the peers' workload; prints the peers' line of JSON.
//!
//! `workload [engine=pattern|dense] [preset=reference|large] [name=value ...]`, where a name is d n l k m B T R procs
//! n_test xi eta_e eta_r init_e init_r or seed; `check=FILE` trains on the batches of a file (`batches.py`) instead.
//! R runs, one after another on each of `procs` threads: weights are drawn, T iterations with the routers' norms after
//! each, then n_test samples. The time is that of all this, from the start of the program.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod check;
#[path = "../common/mod.rs"]
mod common;

use common::{Kind, LARGE, REFERENCE, Workload};
use moe_theory::patterns::Batch;
use moe_theory::sgd::{Diverged, Objective};
use moe_theory::simd::Level;
use rayon::prelude::*;
use std::time::Instant;

/// What is asked for.
struct Options {
    kind: Kind,
    workload: Workload,
    runs: usize,
    threads: usize,
    test_samples: usize,
    seed: u64,
    check: Option<String>,
}

/// What a run shows.
struct Outcome {
    accuracy: f64,
    /// Mean norm of a router at the end.
    norm: f64,
    /// Share of samples with a gradient.
    active: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let options = Options::parse(std::env::args().skip(1))?;
    if let Some(path) = &options.check {
        return Ok(check::check(path, options.kind)?);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    let run = |number: usize| run(&options, options.seed * 1_000_003 + number as u64);
    let outcomes: Vec<Outcome> =
        pool.install(|| (0..options.runs).into_par_iter().with_max_len(1).map(run).collect::<Result<_, _>>())?;
    println!("{}", line(&options, &outcomes, start.elapsed().as_secs_f64()));
    Ok(())
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for argument in arguments {
            let (name, value) = argument.split_once('=').ok_or_else(|| format!("{argument}: not name=value"))?;
            pairs.push((name.to_owned(), value.to_owned()));
        }
        let large = pairs.iter().any(|(name, value)| name == "preset" && value == "large");
        let mut options = Options {
            kind: Kind::Pattern,
            workload: if large { LARGE } else { REFERENCE },
            runs: if large { 4 } else { 32 },
            threads: 2,
            test_samples: 2048,
            seed: 1,
            check: None,
        };
        for (name, value) in &pairs {
            options.set(name, value).ok_or_else(|| format!("{name}={value}: unknown name or illegal value"))?;
        }
        if options.kind == Kind::Pattern && options.workload.noise > 0.0 {
            return Err("the pattern engine takes no noise: engine=dense".to_owned());
        }
        Ok(options)
    }

    /// `None` if the name or the value is not legal.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let whole = || value.parse::<usize>().ok();
        let real = || value.parse::<f64>().ok();
        let workload = &mut self.workload;
        match name {
            "preset" => return (value == "reference" || value == "large").then_some(()),
            "engine" => self.kind = Kind::BOTH.into_iter().find(|kind| kind.name() == value)?,
            "check" => self.check = Some(value.to_owned()),
            "d" => workload.patterns = whole()?,
            "n" => workload.tokens = whole()?,
            "l" => workload.tokens_per_expert = whole()?,
            "k" => workload.experts = whole()?,
            "m" => workload.neurons = whole()?,
            "B" => workload.batch = whole()?,
            "T" => workload.iterations = whole()?,
            "R" => self.runs = whole()?,
            "procs" => self.threads = whole()?,
            "n_test" => self.test_samples = whole()?,
            "seed" => self.seed = whole()? as u64,
            "xi" => workload.noise = real()?,
            "eta_e" => workload.rates.expert = real()?,
            "eta_r" => workload.rates.router = real()?,
            "init_e" => workload.neuron_deviation = real()?,
            "init_r" => workload.router_deviation = real()?,
            _ => return None,
        }
        Some(())
    }
}

fn run(options: &Options, seed: u64) -> Result<Outcome, Diverged> {
    let Options { kind, workload, test_samples, .. } = options;
    let mut engine = workload.engine(*kind, seed);
    let mut sampler = workload.sampler(seed);
    let mut batch = Batch::default();
    let mut active = 0;
    let mut norms = Vec::new();
    let mut trace = Vec::with_capacity(workload.iterations * workload.experts);
    for _ in 0..workload.iterations {
        sampler.fill(&mut batch, workload.batch);
        active += engine.step(&batch, &Objective::default())?.active;
        engine.router_norms(&mut norms);
        trace.extend_from_slice(&norms);
    }
    let mut right = 0;
    let mut outputs = Vec::new();
    let mut remaining = *test_samples;
    while remaining > 0 {
        let block = remaining.min(workload.batch);
        remaining -= block;
        sampler.fill(&mut batch, block);
        engine.outputs(&batch, &mut outputs);
        let samples = outputs.chunks_exact(workload.experts).zip(&batch.labels);
        right += samples.filter(|(outputs, label)| *label * outputs.iter().sum::<f64>() > 0.0).count();
    }
    let last = &trace[trace.len().saturating_sub(workload.experts)..];
    Ok(Outcome {
        accuracy: right as f64 / *test_samples as f64,
        norm: last.iter().sum::<f64>() / workload.experts as f64,
        active: active as f64 / (workload.iterations * workload.batch) as f64,
    })
}

fn line(options: &Options, outcomes: &[Outcome], seconds: f64) -> String {
    let mean = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / outcomes.len() as f64;
    let workload = &options.workload;
    serde_json::json!({
        "peer": format!("ours_{}", options.kind.name()),
        "preset": workload.name,
        "dtype": "float64",
        "xi": workload.noise,
        "T": workload.iterations,
        "R": options.runs,
        "train_s": seconds,
        "total_s": seconds,
        "seed_iters_per_s": (workload.iterations * options.runs) as f64 / seconds,
        "acc": mean(|outcome| outcome.accuracy),
        "acc_min": outcomes.iter().map(|outcome| outcome.accuracy).fold(1.0, f64::min),
        "active": mean(|outcome| outcome.active),
        "rnorm_end": mean(|outcome| outcome.norm),
        "note": Level::best().name(),
    })
    .to_string()
}

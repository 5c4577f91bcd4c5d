//! Training on the batches of a file that `batches.py` wrote, so that all programs can be compared number by number.

use crate::common::{Kind, signs};
use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Pattern};
use moe_theory::sgd::{Objective, Rates};
use std::io::{self, Error};

/// Numbers of a file, one after another, little-endian.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const BYTES: usize>(&mut self) -> io::Result<[u8; BYTES]> {
        let (first, rest) = self.0.split_first_chunk().ok_or_else(|| Error::other("the file is too short"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn integer(&mut self) -> io::Result<usize> {
        self.take().map(|bytes| i32::from_le_bytes(bytes) as usize)
    }

    fn reals(&mut self, count: usize) -> io::Result<Vec<f64>> {
        (0..count).map(|_| self.take().map(f64::from_le_bytes)).collect()
    }
}

/// Reads sizes, rates, weights and batches from `path`, trains, and writes the losses, the routers' norms and the
/// weights to `path.ours_<engine>_float64`.
pub fn check(path: &str, kind: Kind) -> io::Result<()> {
    let bytes = std::fs::read(path)?;
    let mut input = Input(&bytes);
    let [d, n, l, k, m, samples, iterations] =
        [(); 7].map(|()| input.integer()).into_iter().collect::<io::Result<Vec<_>>>()?.try_into().unwrap_or([0; 7]);
    let rates = input.reals(2)?;
    let rates = Rates { expert: rates[0], router: rates[1] };
    let neurons = input.reals(k * m * d)?;
    let routers = input.reals(k * d)?;
    let tokens = input.reals(iterations * samples * n * d)?;
    let labels = input.reals(iterations * samples)?;
    let model = Model { patterns: d, neurons_per_expert: m, tokens_per_expert: l, signs: signs(k), routers, neurons };
    let mut engine = kind.build(&model, rates);
    let (mut losses, mut trace, mut norms) = (Vec::new(), Vec::new(), Vec::new());
    for (tokens, labels) in tokens.chunks_exact(samples * n * d).zip(labels.chunks_exact(samples)) {
        let batch = batch(tokens, labels, n, d);
        if kind == Kind::Pattern && !batch.noise.is_empty() {
            return Err(Error::other("the pattern engine takes no noise"));
        }
        losses.push(engine.step(&batch, &Objective::default()).map_err(Error::other)?.loss);
        engine.router_norms(&mut norms);
        trace.extend_from_slice(&norms);
    }
    let trained = engine.model();
    let numbers = [losses, trace, trained.neurons, trained.routers].concat();
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f64::to_le_bytes).collect();
    std::fs::write(format!("{path}.ours_{}_float64", kind.name()), bytes)
}

/// The batch of these tokens, `[samples, n, d]`: a token's pattern is its largest coordinate, the rest is noise.
fn batch(tokens: &[f64], labels: &[f64], n: usize, d: usize) -> Batch {
    let mut noise = tokens.to_vec();
    let mut patterns: Vec<Pattern> = Vec::new();
    for token in noise.chunks_exact_mut(d) {
        let largest = (0..d).fold(0, |best, place| if token[place] > token[best] { place } else { best });
        token[largest] -= 1.0;
        patterns.push(largest as Pattern);
    }
    if noise.iter().all(|&number| number == 0.0) {
        noise.clear();
    }
    let class_positions = patterns
        .chunks_exact(n)
        .map(|sample| sample.iter().position(|&pattern| pattern < 2).unwrap_or_default() as u32);
    Batch {
        tokens_per_sample: n,
        class_positions: class_positions.collect(),
        labels: labels.to_vec(),
        tokens: patterns,
        noise,
    }
}

//! Lemma L13: what the lemmas of every step become where patterns are a dictionary of unit vectors.

mod common;

use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Dictionary, Sampler, Vocabulary};
use moe_theory::sgd::{DenseEngine, Engine, Objective, Rates, TheoryEngine};
use moe_theory::sim::Parameters;
use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;

const STEPS: usize = 6;
/// Rounding of numbers of the size of a few units.
const TOLERANCE: f64 = 1e-9;

/// Settings of any dictionary, loud and fast enough that every bound is met closely somewhere.
fn dictionaries() -> impl Strategy<Value = (String, u64)> {
    let coherence = prop_oneof![Just(0.0), 0.001..0.12];
    let likeness = prop_oneof![Just(0.0), 0.05..0.9];
    let signs = prop_oneof![Just("common"), Just("random")];
    (coherence, likeness, signs, 1usize..=3, 2usize..=5, prop_oneof![Just("canonical"), Just("haar")], any::<u64>())
        .prop_filter("a dictionary", |(coherence, likeness, ..)| *coherence + *likeness > 0.0)
        .prop_map(|(coherence, likeness, signs, relatives, l, basis, seed)| {
            let settings = format!(
                "data.patterns=12 data.tokens=5 data.coherence={coherence} data.gram={signs} data.likeness={likeness} \
                 data.relatives={relatives} data.basis={basis} model.experts=4 model.neurons=5 \
                 model.tokens_per_expert={l} pretrained.relevant_per_class=1 pretrained.neuron_scale=1.5 \
                 pretrained.router_noise=0.5 training.batch=3 training.router_rate=2 training.expert_rate=4"
            );
            (settings, seed)
        })
}

/// A run's patterns: row v is o_v.
struct World {
    parameters: Parameters,
    patterns: DMatrix<f64>,
    /// The largest size of an inner product of two.
    coherence: f64,
}

impl World {
    fn new(settings: &str, seed: u64) -> Self {
        let parameters = common::point(settings).parameters;
        let gram = Dictionary::new(&parameters.data, seed).expect("a dictionary").gram();
        let off_diagonal = |(place, value): (usize, &f64)| {
            if place % (gram.nrows() + 1) == 0 { 0.0 } else { value.abs() }
        };
        let coherence = gram.iter().enumerate().map(off_diagonal).fold(0.0, f64::max);
        let patterns = gram.clone().cholesky().expect("positive definite").unpack();
        Self { parameters, patterns, coherence }
    }

    /// ⟨w, o_v⟩ of every row w of weights, by row.
    fn scores(&self, weights: &[f64]) -> Vec<Vec<f64>> {
        let d = self.patterns.nrows();
        let of_row = |row: &[f64]| (&self.patterns * DVector::from_row_slice(row)).as_slice().to_vec();
        weights.chunks_exact(d).map(of_row).collect()
    }

    /// σ_{s,v} for every pattern of the dictionary.
    fn activations(&self, model: &Model, expert: usize) -> Vec<f64> {
        let neurons = self.scores(model.expert_neurons(expert));
        let of_pattern = |v: usize| neurons.iter().map(|h| h[v].max(0.0)).sum::<f64>() / neurons.len() as f64;
        (0..self.patterns.nrows()).map(of_pattern).collect()
    }

    /// The vector whose inner product with every pattern is 1.
    fn dual(&self) -> DVector<f64> {
        self.patterns.solve_lower_triangular(&DVector::from_element(self.patterns.nrows(), 1.0)).expect("a basis")
    }

    /// The patterns that an expert takes from any sample of a batch.
    fn taken(&self, router: &[f64], batch: &Batch) -> Vec<bool> {
        let scores = &self.scores(router)[0];
        let mut taken = vec![false; scores.len()];
        for sample in 0..batch.samples() {
            let mut tokens = batch.sample(sample).to_vec();
            tokens.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
            tokens[..self.parameters.model.tokens_per_expert].iter().for_each(|&v| taken[v as usize] = true);
        }
        taken
    }
}

fn range(activations: &[f64]) -> f64 {
    activations.iter().copied().fold(0.0, f64::max) - activations.iter().copied().fold(f64::INFINITY, f64::min)
}

fn norm(row: impl Iterator<Item = f64>) -> f64 {
    row.map(|value| value * value).sum::<f64>().sqrt()
}

/// Fails if a step from `before` to `after` on this batch breaks a bound of the lemma.
fn check_step(world: &World, before: &Model, after: &Model, batch: &Batch) -> Result<(), TestCaseError> {
    let training = &world.parameters.training;
    let m = before.neurons_per_expert as f64;
    let of_neuron = training.expert_rate * world.coherence / m + TOLERANCE;
    let dual = world.dual();
    for expert in 0..before.experts() {
        let range = range(&world.activations(before, expert));
        let step: Vec<f64> = after.router(expert).iter().zip(before.router(expert)).map(|(b, a)| b - a).collect();
        // L1, in the coefficients of the patterns.
        let kept: f64 = step.iter().zip(dual.iter()).map(|(step, dual)| step * dual).sum();
        prop_assert!(kept.abs() < TOLERANCE * (1.0 + dual.norm()), "L1: {kept}");
        // L2.
        let bound = training.router_rate * range * ((1.0 + world.coherence) / 8.0).sqrt();
        let length = norm(step.iter().copied());
        prop_assert!(length <= bound + TOLERANCE, "L2: {length} {bound}");
        // L7, of routers.
        let taken = world.taken(before.router(expert), batch);
        let [u, u_next] = [before, after].map(|model| world.scores(model.router(expert)).remove(0));
        let of_router = training.router_rate * world.coherence * range / 2.0 + TOLERANCE;
        for v in (0..u.len()).filter(|&v| !taken[v]) {
            prop_assert!((u_next[v] - u[v]).abs() <= of_router, "L7: {} {of_router}", u_next[v] - u[v]);
        }
        // L3, L4 and L7, of neurons.
        let [h, h_next] = [before, after].map(|model| world.scores(model.expert_neurons(expert)));
        for (h, h_next) in h.iter().zip(&h_next) {
            for (v, (old, new)) in h.iter().zip(h_next).enumerate() {
                let is_still = *old < -TOLERANCE || !taken[v];
                prop_assert!(!is_still || (new - old).abs() <= of_neuron, "L4, L7: {}", new - old);
                let of_class = before.signs[expert] * [1.0, -1.0].get(v).copied().unwrap_or(0.0);
                prop_assert!((new - old) * of_class >= -of_neuron, "L3: {}", new - old);
            }
        }
    }
    Ok(())
}

/// L9, which L10 is made of: what an expert says lies between its smallest and its largest activation.
fn check_outputs(world: &World, model: &Model, outputs: &[f64]) -> Result<(), TestCaseError> {
    for (place, output) in outputs.iter().enumerate() {
        let expert = place % model.experts();
        let activations = world.activations(model, expert);
        let largest = activations.iter().copied().fold(0.0, f64::max);
        let said = output * model.signs[expert];
        prop_assert!(said <= largest + TOLERANCE && said >= largest - range(&activations) - TOLERANCE, "L9: {said}");
    }
    Ok(())
}

fn engine(world: &World, model: &Model, seed: u64) -> DenseEngine {
    let data = &world.parameters.data;
    let vocabulary = Vocabulary::new(data.patterns, data.basis, seed);
    DenseEngine::new(model, vocabulary, Rates::from(&world.parameters.training))
}

proptest! {
    #[test]
    fn every_step_obeys_the_lemmas_with_their_error_terms((settings, seed) in dictionaries()) {
        let world = World::new(&settings, seed);
        let model = Pretrained::constructed(&world.parameters, seed).model;
        let mut engine = engine(&world, &model, seed);
        let mut sampler = Sampler::of_training(&world.parameters, seed);
        let (mut batch, mut outputs) = (Batch::default(), Vec::new());
        for _ in 0..STEPS {
            sampler.fill(&mut batch, world.parameters.training.batch);
            let before = engine.model();
            engine.outputs(&batch, &mut outputs);
            check_outputs(&world, &before, &outputs)?;
            engine.step(&batch, &Objective::default()).expect("finite");
            check_step(&world, &before, &engine.model(), &batch)?;
        }
    }

    #[test]
    fn the_gauge_along_the_dual_of_all_patterns_changes_norms_alone((settings, seed) in dictionaries(), b in -3.0f64..3.0) {
        let world = World::new(&settings, seed);
        let model = Pretrained::constructed(&world.parameters, seed).model;
        let dual = world.dual();
        let shifted = |(place, weight): (usize, &f64)| weight + b * dual[place % model.patterns];
        let gauged = Model { routers: model.routers.iter().enumerate().map(shifted).collect(), ..model.clone() };
        let mut engines = [engine(&world, &model, seed), engine(&world, &gauged, seed)];
        let mut sampler = Sampler::of_training(&world.parameters, seed);
        let (mut batch, mut outputs) = (Batch::default(), [Vec::new(), Vec::new()]);
        for _ in 0..STEPS {
            sampler.fill(&mut batch, world.parameters.training.batch);
            for (engine, outputs) in engines.iter_mut().zip(&mut outputs) {
                engine.outputs(&batch, outputs);
                engine.step(&batch, &Objective::default()).expect("finite");
            }
            for (plain, gauged) in outputs[0].iter().zip(&outputs[1]) {
                prop_assert!((plain - gauged).abs() < 1e-8 * (1.0 + b.abs() * dual.norm()), "{plain} {gauged}");
            }
        }
    }

    #[test]
    fn pretrained_scores_are_those_of_orthonormal_patterns((settings, seed) in dictionaries()) {
        let world = World::new(&settings, seed);
        let model = Pretrained::constructed(&world.parameters, seed).model;
        let mut orthonormal = world.parameters.clone();
        (orthonormal.data.coherence, orthonormal.data.likeness) = (0.0, 0.0);
        let plain = Pretrained::constructed(&orthonormal, seed).model;
        for (scores, expected) in world.scores(&model.routers).concat().iter().zip(&plain.routers) {
            prop_assert!((scores - expected).abs() < TOLERANCE, "{scores} {expected}");
        }
    }
}

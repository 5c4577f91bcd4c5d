//! The dense teacher, and who is dealt which of its neurons.

use crate::moe::routing::choose_tokens;
use crate::patterns::streams::{Purpose, Stream, stream};
use crate::patterns::{Batch, Pattern, Sampler, StandardNormal};
use crate::sgd::Loss;
use crate::sim::parameters::{Deal, Parameters};
use rand::distr::Distribution;
use rand::seq::SliceRandom;

/// The dense model whose neurons experts are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Teacher {
    /// θ, `[2 K, d]`: those of sign +1 first.
    pub neurons: Vec<f64>,
    /// d.
    pub patterns: usize,
}

impl Teacher {
    /// At t = 0: θ ~ N(0, s₀² I).
    pub fn new(parameters: &Parameters, seed: u64) -> Self {
        let (d, scale) = (parameters.data.patterns, parameters.pretrained.neuron_scale);
        let mut generator = stream(seed, Purpose::Teacher);
        let neurons = (0..2 * parameters.model.teacher_neurons * d)
            .map(|_| StandardNormal.sample(&mut generator))
            .map(|gaussian: f64| scale * gaussian);
        Self { neurons: neurons.collect(), patterns: d }
    }

    /// K.
    fn of_a_sign(&self) -> usize {
        self.neurons.len() / self.patterns / 2
    }

    /// w²_r = a_r/K.
    fn second(&self, neuron: usize) -> f64 {
        let sign = if neuron < self.of_a_sign() { 1.0 } else { -1.0 };
        sign / self.of_a_sign() as f64
    }

    /// T(v).
    pub fn says(&self, pattern: usize) -> f64 {
        let neurons = self.neurons.chunks_exact(self.patterns).enumerate();
        neurons.map(|(number, neuron)| self.second(number) * neuron[pattern].max(0.0)).sum()
    }

    /// F(x).
    fn output(&self, tokens: &[Pattern]) -> f64 {
        tokens.iter().map(|&token| self.says(token as usize)).sum()
    }

    /// ⟨w¹_r, ∂ℓ/∂w¹_r⟩ and ⟨w²_r, ∂ℓ/∂w²_r⟩ at a sample, `pull` being −∂ℓ/∂F.
    pub fn products(&self, neuron: usize, tokens: &[Pattern], pull: f64) -> [f64; 2] {
        let first = &self.neurons[neuron * self.patterns..][..self.patterns];
        let mut gradient = vec![0.0; self.patterns];
        for &token in tokens.iter().filter(|&&token| first[token as usize] > 0.0) {
            gradient[token as usize] -= pull * self.second(neuron);
        }
        let of_first = first.iter().zip(&gradient).map(|(weight, by)| weight * by).sum();
        let active: f64 = tokens.iter().map(|&token| first[token as usize].max(0.0)).sum();
        [of_first, self.second(neuron) * -pull * active]
    }

    /// Trains it for some iterations; returns the number that was made if a weight is no finite number then.
    pub(super) fn train(&mut self, parameters: &Parameters, sampler: &mut Sampler) -> Option<usize> {
        let training = &parameters.training;
        let (loss, mut batch) = (Loss::from(training.loss), Batch::default());
        for iteration in 0..parameters.pretrained.teacher_iterations {
            sampler.fill(&mut batch, training.batch);
            let before = self.clone();
            let rate = training.expert_rate / training.batch as f64;
            for (sample, &label) in batch.labels.iter().enumerate() {
                let tokens = batch.sample(sample);
                let (_, pull) = loss.at(label, before.output(tokens));
                let rows = self.neurons.chunks_exact_mut(self.patterns).zip(before.neurons.chunks_exact(self.patterns));
                for (number, (neuron, before_it)) in rows.enumerate().filter(|_| pull != 0.0) {
                    let by = rate * pull * before.second(number);
                    let active = tokens.iter().filter(|&&token| before_it[token as usize] > 0.0);
                    active.for_each(|&token| neuron[token as usize] += by);
                }
            }
            if !self.neurons.iter().all(|weight| weight.is_finite()) {
                return Some(iteration);
            }
        }
        None
    }

    /// I_r of every neuron over these samples.
    pub fn importance(&self, batch: &Batch, loss: Loss) -> Vec<f64> {
        let mut importance = vec![0.0; 2 * self.of_a_sign()];
        for (sample, &label) in batch.labels.iter().enumerate() {
            let tokens = batch.sample(sample);
            let (_, pull) = loss.at(label, self.output(tokens));
            for (neuron, sum) in importance.iter_mut().enumerate() {
                *sum += self.products(neuron, tokens, pull).iter().sum::<f64>().abs();
            }
        }
        importance
    }

    /// The neurons of every expert, `[k][e]`, those of sign +1 at even numbers: `order` says how those of each sign go.
    pub(super) fn dealt(&self, importance: &[f64], parameters: &Parameters, generator: &mut Stream) -> Vec<Vec<usize>> {
        let model = &parameters.model;
        let (of_a_sign, shared, experts) = (self.of_a_sign(), model.shared_neurons, model.experts / 2);
        let mut hands = vec![Vec::new(); model.experts];
        for sign in [0, 1] {
            let own = &importance[sign * of_a_sign..][..of_a_sign];
            let mut order = Vec::new();
            choose_tokens(own, of_a_sign, &mut order);
            match parameters.pretrained.deal {
                Deal::Importance => {}
                Deal::Random => order.shuffle(generator),
                Deal::Inverse => order.reverse(),
            }
            let (common, rest) = order.split_at(shared);
            for expert in 0..experts {
                let ranks = rest.iter().skip(expert).step_by(experts).take(model.neurons - shared);
                let hand = common.iter().chain(ranks).map(|rank| sign * of_a_sign + rank);
                hands[2 * expert + sign].extend(hand);
            }
        }
        hands
    }
}

//! The attentive gate and the ordinary one in training.

use super::super::gate_losses::{distances, importance, similarity};
use super::super::tokenwise::product;
use super::{AttentiveGate, Seen};
use crate::patterns::{Batch, Pattern};
use crate::sgd::{Diverged, Engine, Objective, Rates, StepReport};
use crate::sim::parameters::Gate;

/// The same in training. Behind an ordinary gate experts do not move.
#[derive(Clone, Debug)]
pub struct AttentiveEngine {
    model: AttentiveGate,
    rates: Rates,
}

impl AttentiveEngine {
    /// An engine that starts from `model`.
    pub fn new(model: AttentiveGate, rates: Rates) -> Self {
        Self { model, rates }
    }

    /// What it has come to.
    pub(super) fn into_model(self) -> AttentiveGate {
        self.model
    }

    /// Moves along the gradients at one sample, `pull` being −∂ℓ/∂f and `lost` the gradient of the losses of its gates, both
    /// over B; the gradients are those of `before`.
    fn ascend(&mut self, before: &AttentiveGate, tokens: &[Pattern], seen: &Seen, (pull, lost): (f64, &[f64])) {
        let (d, m, h) = (before.patterns, before.neurons, before.key_length);
        let delta: Vec<f64> = seen.values.iter().zip(lost).map(|(value, lost)| pull * value - lost).collect();
        let mean = product(&seen.gates, &delta);
        let pulls: Vec<f64> = seen.gates.iter().zip(&delta).map(|(gate, delta)| gate * (delta - mean)).collect();
        let rate = self.rates.router / tokens.len() as f64;
        if before.gate != Gate::Attentive {
            for (router, pull) in self.model.rows.routers.chunks_exact_mut(d).zip(pulls) {
                tokens.iter().for_each(|&token| router[token as usize] += rate * pull);
            }
            return;
        }
        let length = (h as f64).sqrt();
        let (key_map, split) = (before.maps().1, h * d);
        for a in 0..h {
            let against: f64 = pulls.iter().zip(seen.keys.iter().skip(a).step_by(h)).map(|(p, key)| p * key).sum();
            let row = &mut self.model.maps[a * d..][..d];
            tokens.iter().for_each(|&token| row[token as usize] += rate * against / length);
            let row = &mut self.model.maps[split + a * m..][..m];
            for (hidden, pull) in seen.hidden.chunks_exact(m).zip(&pulls) {
                let by = self.rates.router * pull * seen.query[a] / length;
                row.iter_mut().zip(hidden).for_each(|(entry, hidden)| *entry += by * hidden);
            }
        }
        let heard: Vec<f64> =
            (0..m).map(|r| (0..h).map(|a| seen.query[a] * key_map[a * m + r]).sum::<f64>() / length).collect();
        for slot in (0..pulls.len()).filter(|&slot| seen.carries[slot]) {
            let said = pull * seen.gates[slot] * before.rows.signs()[slot] / m as f64;
            let own = slot * m * d..(slot + 1) * m * d;
            let moved = self.model.rows.experts[own.clone()].chunks_exact_mut(d);
            for ((moved, neuron), heard) in moved.zip(before.rows.experts[own].chunks_exact(d)).zip(&heard) {
                let by = self.rates.expert * (pulls[slot] * heard + said);
                let active = tokens.iter().filter(|&&token| neuron[token as usize] > 0.0);
                active.for_each(|&token| moved[token as usize] += by);
            }
        }
    }
}

impl Engine for AttentiveEngine {
    fn experts(&self) -> usize {
        self.model.rows.slots()
    }

    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged> {
        let before = self.model.clone();
        let samples = batch.samples();
        let mut seen = vec![Seen::default(); samples];
        let (mut report, mut pulls) = (StepReport::default(), Vec::with_capacity(samples));
        for (sample, seen) in seen.iter_mut().enumerate() {
            before.see(batch.sample(sample), seen);
            pulls.push(report.add(objective.loss, batch.labels[sample], product(&seen.gates, &seen.values))?);
        }
        let mut report = report.over(samples);
        let gates: Vec<Vec<f64>> = seen.iter().map(|seen| seen.gates.clone()).collect();
        let mut lost = vec![vec![0.0; self.experts()]; samples];
        let importance_loss = objective.regularisers.importance;
        let parts = [
            (importance_loss != 0.0).then(|| (importance_loss, importance(&gates))),
            (before.similarity != 0.0)
                .then(|| (before.similarity, similarity(&gates, &distances(before.distance, batch)))),
        ];
        // An ordinary gate that is trained anew learns from labels alone.
        for (coefficient, part) in parts.into_iter().flatten().filter(|_| before.gate == Gate::Attentive) {
            report.loss += coefficient * part.value;
            for (lost, by) in lost.iter_mut().flatten().zip(part.gradient.iter().flatten()) {
                *lost += coefficient * by;
            }
        }
        for ((sample, seen), (pull, lost)) in seen.iter().enumerate().zip(pulls.iter().zip(&lost)) {
            if *pull != 0.0 || lost.iter().any(|by| *by != 0.0) {
                self.ascend(&before, batch.sample(sample), seen, (pull / samples as f64, lost));
            }
        }
        let is_finite = self.model.rows.are_finite() && self.model.maps.iter().all(|entry| entry.is_finite());
        if is_finite { Ok(report) } else { Err(Diverged) }
    }

    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>) {
        outputs.clear();
        let mut seen = Seen::default();
        for sample in 0..batch.samples() {
            self.model.see(batch.sample(sample), &mut seen);
            outputs.extend(seen.gates.iter().zip(&seen.values).map(|(gate, value)| gate * value));
        }
    }

    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>) {
        gates.clear();
        let mut seen = Seen::default();
        for sample in 0..batch.samples() {
            self.model.see(batch.sample(sample), &mut seen);
            let carried = seen.gates.iter().zip(&seen.carries);
            gates.extend(carried.map(|(&gate, &carries)| if carries { gate } else { 0.0 }));
        }
    }

    fn routers(&self) -> Vec<f64> {
        self.model.rows.routers.clone()
    }

    fn expert_weights(&self) -> Vec<f64> {
        self.model.rows.experts.clone()
    }

    fn shared_weights(&self) -> Vec<f64> {
        self.model.maps.clone()
    }
}

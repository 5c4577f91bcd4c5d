//! What the criteria share: checkpoints, and sums over one pass of a calibration set.

use super::checkpoint::Checkpoint;
use super::routed::{RoutedSample, for_each_routed};
use crate::measure::RouterChange;
use crate::moe::routing::softmax;
use crate::moe::{Model, RoutingRule};
use crate::patterns::Batch;

/// Everything that a criterion may read.
#[derive(Clone, Debug)]
pub struct Statistics<'a> {
    /// The model before training.
    pub before: &'a dyn Checkpoint,
    /// The model that is pruned.
    pub after: &'a dyn Checkpoint,
    /// Changes of the routers from `before` to `after`, `[k]`; empty where no expert has a router of its own.
    pub changes: Vec<RouterChange>,
    /// Changes of the routers from `before` to an early checkpoint, `[k]`; empty if there is none.
    pub early: Vec<RouterChange>,
    /// The scores of `random`: a permutation of 0 … k − 1.
    pub chance: Vec<f64>,
    /// Sums over the calibration set; `None` if no criterion asked for data.
    pub calibration: Option<Calibration>,
}

/// The changes of all routers between two checkpoints, `[k, d]` each.
pub fn router_changes(before: &[f64], after: &[f64], patterns: usize) -> Vec<RouterChange> {
    let pairs = before.chunks_exact(patterns).zip(after.chunks_exact(patterns));
    pairs.map(|(before, after)| RouterChange::between(before, after)).collect()
}

/// The changes of all routers between two checkpoints of as many experts; none where no expert has a router of its own.
pub(crate) fn changes_between(before: &dyn Checkpoint, after: &dyn Checkpoint) -> Vec<RouterChange> {
    let with_routers = (0..after.experts()).filter(|&expert| !after.router(expert).is_empty());
    with_routers.map(|expert| RouterChange::between(before.router(expert), after.router(expert))).collect()
}

/// What a calibration set says of one expert. R_s are its routed (sample, token) pairs, N_s their number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpertSums {
    /// N_s.
    pub pairs: f64,
    /// Σ_{R_s} Γ.
    pub gates: f64,
    /// Σ_{R_s} A.
    pub activations: f64,
    /// Σ_{R_s} A².
    pub squared: f64,
    /// Σ_{R_s} (A − Ā)²: kept by Welford's update, since Σ A² − N Ā² loses all digits where A hardly
    /// varies.
    pub spread: f64,
    /// Ā: the mean activation over R_s.
    pub mean: f64,
    /// Σ_{R_s} Γ A.
    pub gated: f64,
    /// Σ_{R_s} Γ² A².
    pub gated_squared: f64,
    /// Σ over all tokens of p_{s|j}, the softmax of the scores over experts.
    pub soft: f64,
    /// Tokens whose largest p_{s|j} is this expert's (ties: the smallest number).
    pub top1: f64,
    /// Σ of p_{s|j} over those tokens.
    pub confidence: f64,
    /// Σ over samples of |f_s|, for y = +1 and y = −1.
    pub output: [f64; 2],
    /// Σ over samples of f_s².
    pub output_squared: f64,
    /// Σ over samples of `|ℓ′ f_s|`, `ℓ′ = −y·1[y f < 1]`.
    pub taylor: f64,
}

/// One pass over a calibration set.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    /// `[k]`.
    pub experts: Vec<ExpertSums>,
    /// f_s(x), `[samples, k]`.
    pub outputs: Vec<f64>,
    /// y, `[samples]`.
    pub labels: Vec<f64>,
    /// A number of chance for each expert, of which a random partition is made; empty if there is none.
    pub chance: Vec<f64>,
}

impl Calibration {
    /// An empty calibration set of a model of k experts.
    pub fn new(experts: usize) -> Self {
        Self { experts: vec![ExpertSums::default(); experts], ..Self::default() }
    }

    /// Adds the samples of a batch.
    pub fn add(&mut self, model: &Model, rule: &RoutingRule, batch: &Batch) {
        for_each_routed(model, rule, batch, |sample| self.add_sample(&sample, rule.groups()));
    }

    /// Adds one sample of a model whose experts stand in these groups.
    pub(crate) fn add_sample(&mut self, sample: &RoutedSample, groups: &[Vec<usize>]) {
        for pair in sample.pairs {
            let sums = &mut self.experts[pair.expert];
            let (gate, activation) = (pair.gate, pair.activation);
            sums.pairs += 1.0;
            sums.gates += gate;
            sums.activations += activation;
            sums.squared += activation * activation;
            let off = activation - sums.mean;
            sums.mean += off / sums.pairs;
            sums.spread += off * (activation - sums.mean);
            sums.gated += gate * activation;
            sums.gated_squared += (gate * activation) * (gate * activation);
        }
        let mut shares = Vec::with_capacity(self.experts.len());
        for scores in sample.scores.chunks_exact(self.experts.len()) {
            for group in groups {
                shares.clear();
                shares.extend(group.iter().map(|&expert| scores[expert]));
                softmax(&mut shares);
                self.add_shares(group, &shares);
            }
        }
        let f: f64 = sample.outputs.iter().sum();
        let class = usize::from(sample.label < 0.0);
        for (sums, &output) in self.experts.iter_mut().zip(sample.outputs) {
            sums.output[class] += output.abs();
            sums.output_squared += output * output;
            if sample.label * f < 1.0 {
                sums.taylor += output.abs();
            }
        }
        self.outputs.extend_from_slice(sample.outputs);
        self.labels.push(sample.label);
    }

    /// One token's soft gates over the experts of a group.
    fn add_shares(&mut self, group: &[usize], shares: &[f64]) {
        let mut best = 0;
        for (place, &share) in shares.iter().enumerate() {
            self.experts[group[place]].soft += share;
            if share > shares[best] {
                best = place;
            }
        }
        if let Some((&expert, &share)) = group.get(best).zip(shares.get(best)) {
            self.experts[expert].top1 += 1.0;
            self.experts[expert].confidence += share;
        }
    }

    /// What it says of these experts, by themselves.
    pub(crate) fn of(&self, experts: &[usize]) -> Self {
        let outputs = self.outputs.chunks_exact(self.experts.len());
        Self {
            experts: experts.iter().map(|&expert| self.experts[expert]).collect(),
            outputs: outputs.flat_map(|own| experts.iter().map(|&expert| own[expert])).collect(),
            labels: self.labels.clone(),
            chance: experts.iter().filter_map(|&expert| self.chance.get(expert).copied()).collect(),
        }
    }

    /// Samples.
    pub(crate) fn samples(&self) -> usize {
        self.labels.len()
    }

    /// M_{ss′} = Σ_i f_s(x_i) f_{s′}(x_i), `[k, k]`, or with absolute values.
    pub fn gram(&self, absolute: bool) -> Vec<f64> {
        let k = self.experts.len();
        let mut gram = vec![0.0; k * k];
        let mut own = vec![0.0; k];
        for outputs in self.outputs.chunks_exact(k) {
            own.copy_from_slice(outputs);
            if absolute {
                own.iter_mut().for_each(|output| *output = output.abs());
            }
            for (row, &output) in gram.chunks_exact_mut(k).zip(&own) {
                row.iter_mut().zip(&own).for_each(|(cell, other)| *cell += output * other);
            }
        }
        gram
    }

    /// Squared correlation of f_s and f_s′ over the samples for one s, `[k]`: the linear CKA of two scalar outputs. 0 where
    /// one of them is constant up to rounding.
    pub fn similarity_of(&self, expert: usize) -> Vec<f64> {
        let k = self.experts.len();
        let samples = self.samples() as f64;
        let mut means = vec![0.0; k];
        for outputs in self.outputs.chunks_exact(k) {
            means.iter_mut().zip(outputs).for_each(|(mean, output)| *mean += output / samples);
        }
        let (mut variances, mut covariances) = (vec![0.0; k], vec![0.0; k]);
        for outputs in self.outputs.chunks_exact(k) {
            let own = outputs[expert] - means[expert];
            for other in 0..k {
                let centred = outputs[other] - means[other];
                variances[other] += centred * centred;
                covariances[other] += own * centred;
            }
        }
        let varies = |other: usize| variances[other] > CONSTANT * self.experts[other].output_squared;
        let correlate = |other: usize| match varies(expert) && varies(other) {
            true => covariances[other] * covariances[other] / (variances[expert] * variances[other]),
            false => 0.0,
        };
        (0..k).map(correlate).collect()
    }
}

/// An output whose variance is below this share of its mean square is constant.
const CONSTANT: f64 = 1e-24;

//! What the rows of the table of criteria say: the definitions, and the scores.

use super::checkpoint::Checkpoint;
use super::importance::{Importance, Need, Rule, Source};
use super::sets::{Signs, least_error, least_reconstruction};
use super::statistics::{ExpertSums, Statistics};
use crate::catalogue::criteria::criteria;
use crate::measure::RouterChange;
use crate::sim::parameters::Criterion;
use Need::{CheckpointAfter, CheckpointBefore, CheckpointEarly, Data, Labels};

macro_rules! definitions {
    ($($variant:ident = $name:literal, $formula:literal, $needs:expr, $source:expr, $rule:ident ($score:expr)
       $(at most $most:ident)? $(or $infinite:ident)? $(moved by $gauge:ident)? $(column $place:ident)?;)*) => {
        /// What every criterion computes, in the order of [`Criterion::ALL`].
        static DEFINITIONS: [Importance; Criterion::ALL.len()] = [$(Importance {
            needs: $needs,
            source: $source,
            rule: rule!($rule, $score),
        },)*];
    };
}

macro_rules! rule {
    (ascending, $score:expr) => {
        Rule::Score { score: $score, descending: false }
    };
    (descending, $score:expr) => {
        Rule::Score { score: $score, descending: true }
    };
    (set, $choose:expr) => {
        Rule::Set($choose)
    };
}

criteria!(definitions);

impl Criterion {
    /// What the criterion computes.
    pub fn importance(self) -> &'static Importance {
        &DEFINITIONS[self as usize]
    }

    /// Whether it needs a calibration set.
    pub(crate) fn needs_data(self) -> bool {
        self.importance().needs().contains(&Need::Data)
    }
}

const fn source(tag: char, text: &'static str) -> Source {
    Source { tag, text }
}

const PAPER: Source = source('P', "Chowdhury et al. 2024 (arXiv 2405.16646)");
const OURS: Source = source('R', "ours");
const NEURONS: Source = source('R', "ours: the weights of the experts in place of the routers'");
const QUANTIZING: Source = source('P', "router-norm quantization (arXiv 2604.06515)");
const UNIFIED: Source = source('P', "unified scoring (arXiv 2606.15716)");
const SEER: Source = source('S', "SEER-MoE (arXiv 2404.05089)");

const NOTHING: &[Need] = &[];
const TWO: &[Need] = &[CheckpointBefore, CheckpointAfter];
const EARLY: &[Need] = &[CheckpointBefore, CheckpointEarly];
const ONE: &[Need] = &[CheckpointAfter];
const DATA: &[Need] = &[CheckpointAfter, Data];
const LABELLED: &[Need] = &[CheckpointAfter, Data, Labels];

fn change(expert: usize, given: &Statistics, measure: fn(&RouterChange) -> f64) -> Option<f64> {
    given.changes.get(expert).map(measure)
}

/// Δᶜ; `None` where a router's coordinates are not those of patterns.
fn centred(expert: usize, given: &Statistics) -> Option<f64> {
    change(expert, given, |change| change.delta_centred).filter(|_| given.after.is_in_pattern_coordinates())
}

/// The change of the distance to the mean router of the expert's group, which in token choice is what a model does
/// (lemma L12).
fn between(expert: usize, given: &Statistics) -> Option<f64> {
    let distance = |checkpoint: &dyn Checkpoint| {
        let peers = checkpoint.peers(expert);
        let mut off = checkpoint.router(expert).to_vec();
        for &peer in &peers {
            off.iter_mut().zip(checkpoint.router(peer)).for_each(|(off, weight)| *off -= weight / peers.len() as f64);
        }
        norm(&off)
    };
    (!given.changes.is_empty()).then(|| distance(given.after) - distance(given.before))
}

fn sums(expert: usize, given: &Statistics, measure: fn(&ExpertSums) -> f64) -> Option<f64> {
    given.calibration.as_ref().map(|calibration| measure(&calibration.experts[expert]))
}

/// `sum` per routed pair; 0 for an expert without any.
fn per(sum: f64, pairs: f64) -> f64 {
    if pairs > 0.0 { sum / pairs } else { 0.0 }
}

fn norm(weights: &[f64]) -> f64 {
    weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt()
}

fn variance(weights: &[f64]) -> f64 {
    let count = weights.len() as f64;
    let mean = weights.iter().sum::<f64>() / count;
    weights.iter().map(|weight| (weight - mean) * (weight - mean)).sum::<f64>() / count
}

fn over_neurons(expert: usize, given: &Statistics, measure: fn(&[f64]) -> f64) -> Option<f64> {
    given.after.expert_weights(expert).chunks_exact(given.after.row_length()).map(measure).reduce(f64::max)
}

fn neuron_change(expert: usize, given: &Statistics) -> Option<f64> {
    let moved = |(after, before): (&[f64], &[f64])| {
        norm(&after.iter().zip(before).map(|(after, before)| after - before).collect::<Vec<_>>())
    };
    let rows = |weights| <[f64]>::chunks_exact(weights, given.after.row_length());
    let neurons = rows(given.after.expert_weights(expert)).zip(rows(given.before.expert_weights(expert)));
    let count = neurons.len() as f64;
    Some(neurons.map(moved).sum::<f64>() / count)
}

fn aimer(expert: usize, given: &Statistics) -> Option<f64> {
    let weights = given.after.expert_weights(expert);
    let count = weights.len() as f64;
    let mean = weights.iter().map(|weight| weight.abs()).sum::<f64>() / count;
    // Without weights there is nothing to lose: it goes first.
    Some(if mean > 0.0 { mean / (norm(weights) / count.sqrt()) } else { f64::INFINITY })
}

/// top-1 share × exp(mean gate there): a share of 0 makes it 0, whatever the mean over no token would be.
fn nllb(expert: usize, given: &Statistics) -> Option<f64> {
    let calibration = given.calibration.as_ref()?;
    let tokens: f64 = calibration.experts.iter().map(|sums| sums.top1).sum();
    let sums = &calibration.experts[expert];
    Some(per(sums.top1, tokens) * libm::exp(per(sums.confidence, sums.top1)))
}

/// std(A)·mean Γ over the routed pairs.
fn fluctuation(sums: &ExpertSums) -> f64 {
    per(sums.spread, sums.pairs).sqrt() * per(sums.gates, sums.pairs)
}

fn specialisation(expert: usize, given: &Statistics) -> Option<f64> {
    let calibration = given.calibration.as_ref()?;
    let samples = calibration.samples() as f64;
    let one = calibration.labels.iter().filter(|&&label| label > 0.0).count() as f64;
    let output = calibration.experts[expert].output;
    let total = output[0] + output[1];
    let divergence =
        |(own, class): (f64, f64)| if own > 0.0 && class > 0.0 { own * libm::log(own / class) } else { 0.0 };
    let shares = [(output[0] / total, one / samples), (output[1] / total, 1.0 - one / samples)];
    Some(if total > 0.0 { shares.into_iter().map(divergence).sum() } else { 0.0 })
}

fn redundancy(expert: usize, given: &Statistics) -> Option<f64> {
    let calibration = given.calibration.as_ref()?;
    let sign = |expert| given.after.sign(expert);
    let similarity = calibration.similarity_of(expert);
    let others = (0..similarity.len()).filter(|&other| other != expert && sign(other) == sign(expert));
    Some(others.map(|other| similarity[other]).fold(0.0, f64::max))
}

/// Σ_i loss(y, f − f_s) − loss(y, f).
fn without(expert: usize, given: &Statistics, loss: fn(f64, f64) -> f64) -> Option<f64> {
    let calibration = given.calibration.as_ref()?;
    let samples = calibration.outputs.chunks_exact(calibration.experts.len()).zip(&calibration.labels);
    let increase = |(outputs, &y): (&[f64], &f64)| {
        let f: f64 = outputs.iter().sum();
        let rest: f64 =
            outputs.iter().enumerate().filter(|(other, _)| *other != expert).map(|(_, output)| output).sum();
        loss(y, rest) - loss(y, f)
    };
    Some(samples.map(increase).sum())
}

//! The criteria that score expert by expert, as a table.

use super::importance::{Importance, Need, Source};
use super::statistics::{ExpertSums, Statistics};
use crate::measure::RouterChange;
use crate::sim::parameters::Criterion;
use Need::{CheckpointAfter, CheckpointBefore, CheckpointEarly, Data, Labels};

/// A criterion that is a function of one expert.
#[derive(Clone, Copy, Debug)]
pub struct Scored {
    /// Which one it is.
    pub criterion: Criterion,
    formula: &'static str,
    needs: &'static [Need],
    descending: bool,
    source: Source,
    score: fn(usize, &Statistics) -> Option<f64>,
}

impl Importance for Scored {
    fn criterion(&self) -> Criterion {
        self.criterion
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn needs(&self) -> &'static [Need] {
        self.needs
    }

    fn source(&self) -> Source {
        self.source
    }

    fn is_descending(&self) -> bool {
        self.descending
    }

    fn score(&self, expert: usize, statistics: &Statistics) -> Option<f64> {
        (self.score)(expert, statistics)
    }
}

type Score = fn(usize, &Statistics) -> Option<f64>;
type Text = &'static str;

const fn scored(criterion: Criterion, formula: Text, needs: &'static [Need], source: Source, score: Score) -> Scored {
    Scored { criterion, formula, needs, descending: false, source, score }
}

impl Scored {
    const fn descending(self) -> Self {
        Scored { descending: true, ..self }
    }
}

const fn source(tag: char, text: Text) -> Source {
    Source { tag, text }
}

const PAPER: Source = source('P', "Chowdhury et al. 2024 (arXiv 2405.16646)");
const OURS: Source = source('R', "ours");
const NEURONS: Source = source('R', "ours: the weights of the experts in place of the routers'");
const QUANTIZING: Source = source('P', "router-norm quantization (arXiv 2604.06515)");
const UNIFIED: Source = source('P', "unified scoring (arXiv 2606.15716)");
const SEER: Source = source('S', "SEER-MoE (arXiv 2404.05089)");

const TWO: &[Need] = &[CheckpointBefore, CheckpointAfter];
const ONE: &[Need] = &[CheckpointAfter];
const DATA: &[Need] = &[CheckpointAfter, Data];
const LABELLED: &[Need] = &[CheckpointAfter, Data, Labels];

/// Every criterion that scores expert by expert.
#[rustfmt::skip] // One criterion a line: a table.
pub static SCORED: &[Scored] = &[
    scored(Criterion::RouterNormChange, "Δ_s = ‖w_s^T‖ − ‖w_s⁰‖", TWO, PAPER, |s, given| change(s, given, |change| change.delta)),
    scored(Criterion::RouterNormChangeAbs, "|Δ_s|", TWO, OURS, |s, given| change(s, given, |change| change.delta.abs())),
    scored(Criterion::RouterNormChangeCentred, "Δᶜ_s: Δ_s of the routers less their mean over patterns", TWO, OURS, centred),
    scored(Criterion::RouterNormChangeReversed, "Δ_s = ‖w_s^T‖ − ‖w_s⁰‖", TWO, QUANTIZING, |s, given| change(s, given, |change| change.delta)).descending(),
    scored(Criterion::RouterNormChangeEarly, "‖w_s^t‖ − ‖w_s⁰‖ at t = pruning.early · T", &[CheckpointBefore, CheckpointEarly], OURS, |s, given| given.early.get(s).map(|change| change.delta)),
    scored(Criterion::RouterDisplacement, "D_s = ‖w_s^T − w_s⁰‖", TWO, OURS, |s, given| change(s, given, |change| change.displacement)),
    scored(Criterion::RouterNorm, "‖w_s^T‖", ONE, OURS, |s, given| change(s, given, |change| change.norm)),
    scored(Criterion::NeuronChange, "mean_r ‖w_{s,r}^T − w_{s,r}⁰‖", TWO, NEURONS, neuron_change),
    scored(Criterion::NeuronMagnitude, "‖W_s^T‖_F", ONE, NEURONS, |s, given| Some(norm(given.after.expert_weights(s)))),
    scored(Criterion::MaxNeuronNorm, "max_r ‖w_{s,r}^T‖", ONE, NEURONS, |s, given| over_neurons(s, given, norm)),
    scored(Criterion::MaxVar, "max_r var_v h_{s,r,v}", ONE, QUANTIZING, |s, given| over_neurons(s, given, variance)),
    scored(Criterion::Aimer, "mean |h_s| / RMS h_s", ONE, source('R', "AIMER: mean |weight| over root mean square"), aimer).descending(),
    scored(Criterion::Frequency, "S(0,0,0) = N_s", DATA, UNIFIED, |s, given| sums(s, given, |sums| sums.pairs)),
    scored(Criterion::Mass, "S(0,1,0) = Σ Γ", DATA, UNIFIED, |s, given| sums(s, given, |sums| sums.gates)),
    scored(Criterion::Ean, "S(0,0,1) = Σ A", DATA, UNIFIED, |s, given| sums(s, given, |sums| sums.activations)),
    scored(Criterion::GatedEan, "S(0,1,1) = Σ Γ A", DATA, UNIFIED, |s, given| sums(s, given, |sums| sums.gated)),
    scored(Criterion::Reap, "S(1,1,1) = Σ Γ A / N_s", DATA, source('P', "REAP (arXiv 2510.13999)"), |s, given| sums(s, given, |sums| per(sums.gated, sums.pairs))),
    scored(Criterion::Man, "S(1,0,1) = Σ A / N_s", DATA, UNIFIED, |s, given| sums(s, given, |sums| per(sums.activations, sums.pairs))),
    scored(Criterion::Msan, "S(1,0,2) = Σ A² / N_s", DATA, UNIFIED, |s, given| sums(s, given, |sums| per(sums.squared, sums.pairs))),
    scored(Criterion::GatedSquared, "S(0,2,2) = Σ Γ² A²", DATA, UNIFIED, |s, given| sums(s, given, |sums| sums.gated_squared)),
    scored(Criterion::SoftCount, "Σ p_{s|j} over all tokens", DATA, SEER, |s, given| sums(s, given, |sums| sums.soft)),
    scored(Criterion::Top1Count, "#{j : s = argmax p_{·|j}}", DATA, SEER, |s, given| sums(s, given, |sums| sums.top1)),
    scored(Criterion::Nllb, "top-1 frequency × mean confidence there", DATA, source('S', "Koishekenov et al. 2023, on NLLB"), nllb),
    scored(Criterion::Mone, "std_{R_s}(A) · mean Γ", DATA, source('S', "MoNE (arXiv 2507.00390)"), |s, given| sums(s, given, fluctuation)),
    scored(Criterion::Taylor, "Σ |ℓ′ f_s|", LABELLED, source('P', "MoEBERT's I_r, an expert for a neuron (arXiv 2204.07675)"), |s, given| sums(s, given, |sums| sums.taylor)),
    scored(Criterion::Specialisation, "KL(p(y|s) ‖ p(y)), p(y|s) ∝ Σ_{x of class y} |f_s(x)|", LABELLED, OURS, specialisation),
    scored(Criterion::Redundancy, "max CKA(f_s, f_s′) over s′ ≠ s of the same sign", DATA, source('S', "Diversifying the Expert Knowledge (arXiv 2407.09590)"), redundancy).descending(),
    scored(Criterion::LooLoss, "Σ ℓ(f − f_s) − ℓ(f)", LABELLED, OURS, |s, given| without(s, given, |y, f| (1.0 - y * f).max(0.0))),
    scored(Criterion::LooAccuracy, "errors of f − f_s less errors of f", LABELLED, OURS, |s, given| without(s, given, |y, f| 1.0 - f64::from(u8::from(y * f > 0.0)))),
    scored(Criterion::Random, "a seeded random permutation", &[], OURS, |s, given| given.chance.get(s).copied()),
];

fn change(expert: usize, given: &Statistics, measure: fn(&RouterChange) -> f64) -> Option<f64> {
    given.changes.get(expert).map(measure)
}

/// Δᶜ; `None` where a router's coordinates are not those of patterns.
fn centred(expert: usize, given: &Statistics) -> Option<f64> {
    change(expert, given, |change| change.delta_centred).filter(|_| given.after.is_in_pattern_coordinates())
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

fn nllb(expert: usize, given: &Statistics) -> Option<f64> {
    let calibration = given.calibration.as_ref()?;
    let tokens: f64 = calibration.experts.iter().map(|sums| sums.top1).sum();
    let sums = &calibration.experts[expert];
    Some(per(sums.top1, tokens) * per(sums.confidence, sums.top1))
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

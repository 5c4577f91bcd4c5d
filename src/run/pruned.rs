//! The pruned models of a run and what is measured of them.

use super::certificates::{self, Irrelevant};
use super::ends::{End, Start};
use super::single::EngineChoice;
use crate::certify::Verdict;
use crate::measure::accuracy::{self, ErrorTally, Errors, FeatureErrors};
use crate::measure::{Dominance, DominanceTally};
use crate::moe::Model;
use crate::patterns::Sampler;
use crate::prune;
use crate::record::rows::{PruningRow, RunHead};
use crate::sgd::train::Schedule;
use crate::sgd::{Engine, train};
use crate::sim::parameters::{Criterion, Parameters, Removal, Routing};

/// What pruning shows.
pub(super) struct Pruned {
    /// Rows of `pruning.csv`.
    pub(super) rows: Vec<PruningRow>,
    pub(super) dominance: Option<Dominance>,
    /// The smallest y f(x) at ρ ≤ γ.
    pub(super) path_margin: Option<f64>,
    /// The smallest margin of an input of the unpruned model that was met, if certificates are computed.
    pub(super) margin_met: Option<f64>,
    /// The certificate for every subset of the irrelevant experts, if certificates are computed.
    pub(super) subsets: Option<Verdict>,
}

/// The errors of every pruned model, and of the fine-tuned ones where the simulation asks for them.
pub(super) fn prune_and_test(
    head: &RunHead,
    start: &Start,
    end: &End,
    engine: &mut dyn Engine,
    parameters: &Parameters,
    choice: EngineChoice,
) -> Pruned {
    let Parameters { data, pruning, evaluation, .. } = parameters;
    let scores = match pruning.criterion {
        Criterion::RouterNormChange => &end.norm_changes,
        Criterion::RouterDisplacement => &end.displacements,
        Criterion::Random => &end.random,
    };
    let keep_first = prune::keep_first(scores, pruning.order);
    let experts = keep_first.len();
    let row = |kept: usize, finetuned: bool, found: Option<FeatureErrors>| {
        let errors = found.map(|found| found.all);
        let [accuracy_common, accuracy_rare] = found.map(FeatureErrors::accuracies).unwrap_or_default();
        PruningRow {
            point: head.point,
            run: head.run,
            criterion: pruning.criterion.name().to_owned(),
            kept,
            ratio: (experts - kept) as f64 / experts as f64,
            finetuned,
            accuracy: errors.map(Errors::accuracy),
            errors: errors.map(|errors| errors.errors),
            samples: errors.map(|errors| errors.samples),
            certificate: String::new(),
            margin_lower: None,
            sum_bound: None,
            accuracy_common,
            accuracy_rare,
        }
    };
    let mut sampler = Sampler::evaluation(data, head.seed);
    let mut errors = ErrorTally::new(&keep_first);
    let mut dominance = DominanceTally::new(&start.pretrained.model.signs, &start.roles, &keep_first);
    accuracy::for_each_featured_sample(engine, &mut sampler, evaluation.samples, |outputs, label, feature| {
        errors.add_featured(outputs, label, feature);
        dominance.add(outputs, label);
    });
    let trained = engine.model();
    // Where tokens choose among the experts that are left, outputs of kept experts depend on those that went.
    let interact = parameters.model.routing == Routing::TokenChoice && pruning.removal == Removal::Drop;
    let by_kept = match interact {
        false => errors.by_kept_and_feature(),
        true => errors_one_by_one(&trained, &keep_first, parameters, head.seed, choice),
    };
    let mut rows: Vec<PruningRow> = (1..=experts).rev().map(|kept| row(kept, false, Some(by_kept[kept - 1]))).collect();
    let irrelevant = Irrelevant { measured: &start.roles, built: &start.pretrained.roles };
    let proofs = certificates::prove(&trained, &keep_first, irrelevant, parameters);
    rows.iter_mut().zip(&proofs.path).for_each(|(row, certificate)| {
        row.certificate = certificate.verdict.word().to_owned();
        row.margin_lower = finite(certificate.margin_lower);
        row.sum_bound = finite(certificate.sum_bound);
    });
    for kept in pruning.finetune_kept.numbers(experts) {
        rows.push(row(kept, true, finetune(&trained, &keep_first[..kept], parameters, head.seed, choice)));
    }
    let subsets = proofs.subsets.map(|certificate| certificate.verdict);
    let of_path = (!interact).then(|| (dominance.dominance(), dominance.path_margin()));
    let (dominance, path_margin) = of_path.unwrap_or_default();
    Pruned { rows, dominance, path_margin, margin_met: proofs.met, subsets }
}

/// A bound that says something.
fn finite(bound: f64) -> Option<f64> {
    bound.is_finite().then_some(bound)
}

/// The errors of the model that keeps the experts `kept` after T′ iterations of fine-tuning; `None` if it diverged or underflowed.
/// Every pruned model of a run sees the same fine-tuning batches.
fn finetune(
    trained: &Model,
    kept: &[usize],
    parameters: &Parameters,
    seed: u64,
    choice: EngineChoice,
) -> Option<FeatureErrors> {
    let mut kept = kept.to_vec();
    kept.sort_unstable();
    let mut engine = choice.build_pruned(trained, &kept, parameters, seed);
    let mut sampler = Sampler::of_finetuning(parameters, seed);
    let (stop, _) = train(engine.as_mut(), &mut sampler, Schedule::finetuning(parameters), &mut []);
    let mut sampler = Sampler::evaluation(&parameters.data, seed);
    let samples = parameters.evaluation.samples;
    let stop = stop.unless_underflow(engine.as_ref());
    stop.leaves_a_model().then(|| accuracy::feature_errors(engine.as_mut(), &mut sampler, samples))
}

/// The errors of the models that keep the first r experts of `keep_first`, for r = 1 … k (entry r − 1), each from its own
/// forward passes.
fn errors_one_by_one(
    trained: &Model,
    keep_first: &[usize],
    parameters: &Parameters,
    seed: u64,
    choice: EngineChoice,
) -> Vec<FeatureErrors> {
    let of_model = |kept: usize| {
        let mut kept = keep_first[..kept].to_vec();
        kept.sort_unstable();
        let mut engine = choice.build_pruned(trained, &kept, parameters, seed);
        let mut sampler = Sampler::evaluation(&parameters.data, seed);
        accuracy::feature_errors(engine.as_mut(), &mut sampler, parameters.evaluation.samples)
    };
    (1..=keep_first.len()).map(of_model).collect()
}

//! The pruned models of a run and what is measured of them.

use super::calibration::criteria;
use super::certificates::{self, Irrelevant};
use super::ends::Start;
use super::pruning_schedule::{Outcome, PruningContext};
use crate::certify::Verdict;
use crate::measure::accuracy::{self, Errors, FeatureErrors};
use crate::measure::{Dominance, DominanceTally};
use crate::patterns::{Batch, Sampler};
use crate::prune::{Curve, Statistics};
use crate::record::rows::{PruningRow, RunHead};
use crate::sgd::train::Schedule;
use crate::sgd::{Engine, Loss, Objective, StopReason, train};
use crate::sim::Property;
use crate::sim::parameters::{Afterwards, Criterion, Parameters};
use crate::stats::decimal::product;
use crate::systems::{Setting, System};
use std::collections::BTreeMap;

/// What pruning shows.
pub(super) struct Pruned {
    /// Rows of `pruning.csv`: those of the criterion that claims are judged by come first.
    pub(super) rows: Vec<PruningRow>,
    pub(super) dominance: Option<Dominance>,
    /// The smallest y f(x) at ρ ≤ γ.
    pub(super) path_margin: Option<f64>,
    /// The smallest margin of an input of the unpruned model that was met, if certificates are computed.
    pub(super) margin_met: Option<f64>,
    /// The certificate for every subset of the irrelevant experts, if certificates are computed.
    pub(super) subsets: Option<Verdict>,
    /// For each criterion that chooses sets in how many of them an expert is, `[k]`.
    pub(super) memberships: Vec<(Criterion, Vec<f64>)>,
}

/// The errors of every pruned model, and of the fine-tuned ones where the simulation asks for them.
pub(super) fn prune_and_test(
    head: &RunHead,
    start: &Start,
    (trained, statistics): (&dyn System, &Statistics),
    engine: &mut dyn Engine,
    setting: Setting,
) -> Pruned {
    let Setting { parameters, .. } = setting;
    let context = PruningContext { statistics, pretrained: start.point.system.as_ref(), trained, setting };
    let outcomes: Vec<(Criterion, Outcome)> = criteria(parameters)
        .into_iter()
        .filter_map(|criterion| context.prune(criterion).map(|outcome| (criterion, outcome)))
        .collect();
    // Diagnostics and certificates follow the order of the criterion that claims are judged by, if it is one.
    let order = match outcomes.first() {
        Some((criterion, Outcome::Plan(plan))) if *criterion == parameters.pruning.criterion => plan.order(),
        _ => None,
    };
    let seen = pass(engine, start, &outcomes, order, context);
    let mut models = PrunedModels { context, teacher: engine, known: BTreeMap::new() };
    let mut rows = Vec::new();
    for ((criterion, outcome), by_kept) in outcomes.iter().zip(seen.curves) {
        let row = |kept: usize, finetuned: bool, errors: Option<FeatureErrors>, tied: usize| {
            pruning_row(head, *criterion, trained.experts(), (kept, finetuned), errors, tied)
        };
        match outcome {
            Outcome::Plan(plan) => {
                for kept in (1..=plan.experts()).rev() {
                    let errors = match &by_kept {
                        Some(by_kept) => Some(by_kept[kept - 1]),
                        None => models.of_set(plan.kept(kept), 0),
                    };
                    rows.push(row(kept, false, errors, plan.tied(kept)));
                }
                rows.extend(models.finetuned_numbers().into_iter().map(|kept| {
                    let iterations = parameters.pruning.finetune_iterations;
                    row(kept, true, models.of_set(plan.kept(kept), iterations), plan.tied(kept))
                }));
            }
            Outcome::Trained(trained) => {
                let numbers = models.finetuned_numbers();
                let further = [(0, false), (parameters.pruning.finetune_iterations, true)];
                for (iterations, is_last) in further {
                    for model in trained.iter().filter(|model| !is_last || numbers.contains(&model.kept)) {
                        let errors =
                            model.model.as_ref().and_then(|model| models.of_system(model.as_ref(), iterations));
                        rows.push(row(model.kept, is_last, errors, model.tied));
                    }
                }
            }
        }
    }
    let irrelevant = Irrelevant { measured: &start.roles, built: &start.point.roles };
    let certified = order.zip(trained.model().filter(|_| parameters.has(Property::Certificates)));
    let proofs = certified.map(|(order, model)| certificates::prove(model, order, irrelevant, parameters));
    let proofs = proofs.unwrap_or_default();
    rows.iter_mut().zip(&proofs.path).for_each(|(row, certificate)| {
        row.certificate = Some(certificate.verdict);
        row.margin_lower = finite(certificate.margin_lower);
        row.sum_bound = finite(certificate.sum_bound);
    });
    let subsets = proofs.subsets.map(|certificate| certificate.verdict);
    let (dominance, path_margin) = (seen.dominance, seen.path_margin);
    Pruned { rows, dominance, path_margin, margin_met: proofs.met, subsets, memberships: memberships(&outcomes) }
}

/// In how many sets an expert is, for each criterion that chooses a set for every number kept.
fn memberships(outcomes: &[(Criterion, Outcome)]) -> Vec<(Criterion, Vec<f64>)> {
    let count = |(criterion, outcome): &(Criterion, Outcome)| match outcome {
        Outcome::Plan(plan) if criterion.is_set() => {
            let mut counts = vec![0.0; plan.experts()];
            (1..=plan.experts()).for_each(|kept| plan.kept(kept).iter().for_each(|&expert| counts[expert] += 1.0));
            Some((*criterion, counts))
        }
        _ => None,
    };
    outcomes.iter().filter_map(count).collect()
}

fn pruning_row(
    head: &RunHead,
    criterion: Criterion,
    experts: usize,
    (kept, finetuned): (usize, bool),
    errors: Option<FeatureErrors>,
    tied: usize,
) -> PruningRow {
    let [accuracy_common, accuracy_rare] = errors.map(FeatureErrors::accuracies).unwrap_or_default();
    let errors = errors.map(|errors| errors.all);
    PruningRow {
        point: head.point,
        run: head.run,
        criterion,
        kept,
        ratio: (experts - kept) as f64 / experts as f64,
        finetuned,
        accuracy: errors.map(Errors::accuracy),
        errors: errors.map(|errors| errors.errors),
        samples: errors.map(|errors| errors.samples),
        tied,
        accuracy_common,
        accuracy_rare,
        ..PruningRow::default()
    }
}

/// A bound that says something.
fn finite(bound: f64) -> Option<f64> {
    bound.is_finite().then_some(bound)
}

/// What one pass over the evaluation samples shows.
struct Pass {
    /// Errors by r − 1 of every outcome; `None` where the outputs of the unpruned model do not tell.
    curves: Vec<Option<Vec<FeatureErrors>>>,
    dominance: Option<Dominance>,
    path_margin: Option<f64>,
}

fn pass(
    engine: &mut dyn Engine,
    start: &Start,
    outcomes: &[(Criterion, Outcome)],
    order: Option<&[usize]>,
    context: PruningContext,
) -> Pass {
    let PruningContext { statistics, trained, setting: Setting { parameters, seed, .. }, .. } = context;
    let removal = parameters.pruning.removal;
    let constant = |expert| {
        let activation = statistics.calibration.as_ref().map_or(0.0, |given| removal.activation(given, expert));
        trained.sign(expert).unwrap_or_default() * activation
    };
    let constants: Vec<f64> = (0..trained.experts()).map(constant).collect();
    // Otherwise outputs of kept experts depend on those that went, or the constant on the sample.
    let adds_up = parameters.has(Property::AdditiveExperts)
        && removal.traits().adds_up.holds(parameters.has(Property::IndependentExperts));
    let mut curves: Vec<Option<Curve>> = outcomes
        .iter()
        .map(|(_, outcome)| match outcome {
            Outcome::Plan(plan) if adds_up => Some(Curve::new(plan, &constants)),
            _ => None,
        })
        .collect();
    let signs = trained.model().map(|model| model.signs.as_slice());
    let mut dominance = order.zip(signs).map(|(order, signs)| DominanceTally::new(signs, &start.roles, order));
    let (mut sampler, samples) = (Sampler::evaluation(&parameters.data, seed), parameters.evaluation.samples);
    accuracy::for_each_featured_sample(engine, &mut sampler, samples, |outputs, label, feature| {
        curves.iter_mut().flatten().for_each(|curve| curve.add(outputs, label, feature));
        dominance.iter_mut().for_each(|dominance| dominance.add(outputs, label));
    });
    let dominance = dominance.filter(|_| adds_up && removal.traits().only_removes);
    Pass {
        curves: curves.into_iter().map(|curve| curve.map(Curve::by_kept)).collect(),
        dominance: dominance.as_ref().and_then(DominanceTally::dominance),
        path_margin: dominance.and_then(|dominance| dominance.path_margin()),
    }
}

/// Tests pruned models, after further training if asked.
struct PrunedModels<'a> {
    context: PruningContext<'a>,
    /// The unpruned model, whose outputs distillation learns.
    teacher: &'a mut dyn Engine,
    /// Errors by kept experts and iterations: criteria often agree.
    known: BTreeMap<(Vec<usize>, usize), Option<FeatureErrors>>,
}

impl PrunedModels<'_> {
    /// The numbers kept at which something follows pruning.
    fn finetuned_numbers(&self) -> Vec<usize> {
        let pruning = &self.context.setting.parameters.pruning;
        match pruning.afterwards {
            Afterwards::Nothing => Vec::new(),
            _ => pruning.finetune_kept.numbers(self.context.trained.experts()),
        }
    }

    /// The errors of the model that keeps these experts, after further iterations; `None` if it diverged or underflowed.
    fn of_set(&mut self, kept: &[usize], iterations: usize) -> Option<FeatureErrors> {
        let PruningContext { statistics, trained, setting, .. } = self.context;
        let mut key = (kept.to_vec(), iterations);
        key.0.sort_unstable();
        if let Some(errors) = self.known.get(&key) {
            return *errors;
        }
        let pruned = trained.keep(&key.0, statistics.calibration.as_ref(), setting.parameters);
        let errors = self.of_system(pruned.as_ref(), iterations);
        self.known.insert(key, errors);
        errors
    }

    /// The errors of a pruned system after further iterations; `None` if it diverged or underflowed. Every pruned system of
    /// a run sees the same batches.
    fn of_system(&mut self, system: &dyn System, iterations: usize) -> Option<FeatureErrors> {
        let setting = self.context.setting;
        let Setting { parameters, seed, .. } = setting;
        let mut sampler = Sampler::of_finetuning(parameters, seed);
        let mut schedule = Schedule { iterations, ..Schedule::finetuning(parameters) };
        let annealed;
        let system = match iterations > 0 && parameters.pruning.final_experts_per_token > 0 {
            true => {
                annealed = anneal(system, &mut schedule, &setting, &mut sampler)?;
                annealed.as_ref()
            }
            false => system,
        };
        let mut engine = system.engine(&setting);
        let stop = match parameters.pruning.afterwards {
            Afterwards::Distil => distil(self.teacher, engine.as_mut(), &mut sampler, schedule),
            _ => train(engine.as_mut(), &mut sampler, schedule, &mut []).0,
        };
        let mut sampler = Sampler::evaluation(&parameters.data, seed);
        let samples = parameters.evaluation.samples;
        let stop = stop.unless_unsound(engine.as_ref());
        stop.leaves_a_model().then(|| accuracy::feature_errors(engine.as_mut(), &mut sampler, samples))
    }
}

/// Trains a system while the choices of its tokens fall one by one, each number for as many iterations as the others, to
/// that of the end; takes these iterations from the schedule. `None` if it diverged, or knows one number alone.
fn anneal(
    system: &dyn System,
    schedule: &mut Schedule,
    setting: &Setting,
    sampler: &mut Sampler,
) -> Option<Box<dyn System>> {
    let Parameters { model, pruning, .. } = setting.parameters;
    let (first, last) = (model.experts_per_token, pruning.final_experts_per_token);
    let over = product(pruning.anneal, schedule.iterations as f64) as usize;
    let falls = first - last;
    let mut system = system.boxed();
    for fall in 0..falls {
        let iterations = over * (fall + 1) / falls - over * fall / falls;
        system = system.choosing(first - fall)?;
        let mut engine = system.engine(setting);
        let (stop, _) = train(engine.as_mut(), sampler, Schedule { iterations, ..*schedule }, &mut []);
        if !stop.unless_unsound(engine.as_ref()).leaves_a_model() {
            return None;
        }
        system = system.with_weights_of(engine.as_ref());
        schedule.iterations -= iterations;
    }
    system.choosing(last)
}

/// Trains `student` to give the teacher's outputs: the squared loss with f of the teacher in the place of labels.
fn distil(teacher: &mut dyn Engine, student: &mut dyn Engine, sampler: &mut Sampler, schedule: Schedule) -> StopReason {
    let objective = Objective { loss: Loss::Squared, ..schedule.objective };
    let mut batch = Batch::default();
    let mut outputs = Vec::new();
    for _ in 0..schedule.iterations {
        sampler.fill(&mut batch, schedule.batch);
        teacher.outputs(&batch, &mut outputs);
        let of_teacher = outputs.chunks_exact(teacher.experts()).map(|outputs| outputs.iter().sum::<f64>());
        batch.labels.iter_mut().zip(of_teacher).for_each(|(label, f)| *label = f);
        if student.step(&batch, &objective).is_err() {
            return StopReason::Diverged;
        }
    }
    StopReason::Finished
}

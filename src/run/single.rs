//! One run: pre-trained model → SGD → measurement → pruning → rows.

use super::bits::FewestBits;
use super::calibration::{EarlyRouters, chance, criteria, gather};
use super::ends::{End, Start};
use super::pruned::prune_and_test;
use super::trajectory::TrajectoryObserver;
use crate::measure::{Errors, Extremes, LambdaTable, Role, RouterChange};
use crate::moe::Model;
use crate::patterns::Sampler;
use crate::prune::Statistics;
use crate::record::RunRecord;
use crate::record::rows::{ExpertRow, PruningRow, RunBody, RunHead, RunRow};
use crate::sgd::train::Schedule;
use crate::sgd::{EngineChoice, Observer, StopReason, train};
use crate::sim::parameters::Criterion;
use crate::sim::parameters::Parameters;
use crate::sim::{Point, Property, run_seed};
use crate::stats::interval::clopper_pearson;
use crate::systems::{self, Setting};

/// Run number `run` of a point: a function of the master seed, the point's parameters and `run` alone.
pub fn run(point: &Point, run: u64, master_seed: u64, choice: EngineChoice) -> RunRecord {
    let parameters = &point.parameters;
    let seed = run_seed(master_seed, parameters, run);
    let head = RunHead { point: point.index, run, seed };
    let setting = Setting { parameters, seed, choice };
    // Of a run whose pre-training failed the row is that of the model before it.
    let (starting_point, failed) = systems::start(&setting);
    let mut engine = starting_point.system.engine(&setting);
    let mut lambda_table = LambdaTable::new(&parameters.data, parameters.model.tokens_per_expert);
    let start = Start::measure(starting_point, engine.as_mut(), &mut lambda_table, parameters, seed);
    if let Some(theory) = engine.theory().filter(|_| parameters.record.half_batches) {
        theory.track_contrast();
    }

    let has_table = parameters.has(Property::ExactLambda) && parameters.data.features == 1;
    let mut extremes = Extremes::new(engine.experts(), has_table.then_some(lambda_table));
    let mut trajectory = TrajectoryObserver::new(parameters, seed, head.point, run);
    let mut sampler = Sampler::of_training(parameters, seed);
    let mut early = EarlyRouters::new(parameters);
    let mut observers: Vec<&mut dyn Observer> = vec![&mut extremes, &mut early];
    if run < parameters.record.trajectory_runs as u64 {
        observers.push(&mut trajectory);
    }
    let (stop, iterations) = match &failed {
        Some(_) => (StopReason::Diverged, 0),
        None => train(engine.as_mut(), &mut sampler, Schedule::training(parameters), &mut observers),
    };
    let stop = stop.unless_unsound(engine.as_ref());

    let mut body = RunBody { stop_reason: stop, iterations, ..RunBody::default() };
    body.set_audit(&start.audit);
    let is_sound = failed.is_none() && !start.point.system.model().is_some_and(Model::has_subnormal);
    body.accuracy_pretrained = is_sound.then(|| start.accuracy.accuracy());
    let end = stop.leaves_a_model().then(|| End::measure(&start, engine.as_mut(), parameters, seed));
    let mut experts = expert_rows(&head, &start, end.as_ref(), &extremes, parameters);
    let pruning = match &end {
        Some(_) => {
            let pretrained = start.point.system.as_ref();
            let trained = pretrained.with_weights_of(engine.as_ref());
            let chance = chance(trained.experts(), seed);
            let statistics = gather(pretrained, trained.as_ref(), &early.routers, chance, parameters, seed);
            fill_scores(&mut experts, &statistics, parameters);
            let pruned = prune_and_test(&head, &start, (trained.as_ref(), &statistics), engine.as_mut(), setting);
            for (criterion, counts) in &pruned.memberships {
                experts.iter_mut().zip(counts).for_each(|(row, &count)| row.scores[*criterion] = Some(count));
            }
            body.set_dominance(pruned.dominance, pruned.path_margin);
            if let Some(model) = trained.model().filter(|_| parameters.pruning.fewest_bits) {
                let bits = FewestBits::measure(&start, model, parameters, choice, seed);
                (body.bits_common, body.bits_rare, body.bits_irrelevant) = (bits.common, bits.rare, bits.irrelevant);
            }
            body.margin_met = pruned.margin_met;
            body.certificate_subsets = pruned.subsets;
            pruned.rows
        }
        None => {
            body.error = match (failed, stop) {
                (Some(failed), _) => failed.to_string(),
                (None, StopReason::Underflow) => format!("a weight underflowed within {iterations} iterations"),
                (None, _) => format!("diverged at iteration {iterations}"),
            };
            Vec::new()
        }
    };
    summarise(&mut body, &experts, &pruning);
    let swept = point.swept.iter().map(|(_, value)| value.clone()).collect();
    RunRecord { run: RunRow { head, swept, body }, experts, trajectory: trajectory.rows, pruning }
}

fn expert_rows(
    head: &RunHead,
    start: &Start,
    end: Option<&End>,
    extremes: &Extremes,
    parameters: &Parameters,
) -> Vec<ExpertRow> {
    let system = start.point.system.as_ref();
    let has_features = parameters.data.features > 1;
    let has_table = parameters.has(Property::ExactLambda) && !has_features;
    let by_pattern = system.is_in_pattern_coordinates();
    let has_routers = parameters.has(Property::Routers);
    let has_range =
        [Property::ReluExperts, Property::PatternCoordinates].map(|property| parameters.has(property)) == [true; 2];
    (0..system.experts())
        .map(|expert| {
            let sign = system.sign(expert);
            let change = end.and_then(|end| end.changes.get(expert).copied());
            let split = end.and_then(|end| end.splits.as_ref()).map(|splits| splits[expert]);
            let after = end.map(|end| end.proficiencies[expert].proficiency);
            let before = start.proficiencies[expert].proficiency;
            ExpertRow {
                point: head.point,
                run: head.run,
                expert,
                sign: sign.map(|sign| sign as i8),
                built_role: start.point.roles.get(expert).map_or(Role::Undefined, |&role| role.into()),
                role: start.roles[expert],
                learned: end.and_then(|end| end.learned[expert]),
                norm_0: has_routers.then(|| RouterChange::between(system.router(expert), system.router(expert)).norm_0),
                norm_t: change.map(|change| change.norm),
                delta: change.map(|change| change.delta),
                delta_centred: change.filter(|_| by_pattern).map(|change| change.delta_centred),
                displacement: change.map(|change| change.displacement),
                noise_squared: split.map(|split| split.noise_squared),
                drift_squared: split.map(|split| split.drift_squared),
                leakage_squared: split.map(|split| split.leakage_squared),
                displacement_class: change.filter(|_| by_pattern).map(|change| change.displacement_class),
                max_range: has_range.then(|| extremes.range[expert]),
                lambda1_0: start.lambdas[expert][0],
                lambda2_0: start.lambdas[expert][1],
                lambda_max: has_table.then(|| extremes.lambda[expert]),
                p1_0: before[0],
                p1_t: after.map(|p| p[0]),
                p2_0: before[1],
                p2_t: after.map(|p| p[1]),
                built_feature: start.point.features[expert].filter(|_| has_features),
                feature: start.features[expert].filter(|_| has_features),
                ..ExpertRow::default()
            }
        })
        .collect()
}

/// The score of every expert under each criterion of the run, and under those that cost nothing.
fn fill_scores(experts: &mut [ExpertRow], statistics: &Statistics, parameters: &Parameters) {
    let always = Criterion::ALL.iter().copied().filter(|criterion| criterion.is_always_scored());
    for criterion in criteria(parameters).into_iter().chain(always) {
        let importance = criterion.importance();
        for (expert, row) in experts.iter_mut().enumerate() {
            row.scores[criterion] = importance.score(expert, statistics);
        }
    }
}

/// The figures of a run that follow from its experts (by measured roles) and its pruned models.
fn summarise(body: &mut RunBody, experts: &[ExpertRow], pruning: &[PruningRow]) {
    let of = |role: Role| experts.iter().filter(move |row| row.role == role);
    let has_roles = experts.iter().any(|row| row.role != Role::Undefined);
    body.gamma = has_roles.then(|| of(Role::Irrelevant).count() as f64 / experts.len() as f64);
    body.min_delta_relevant = of(Role::Relevant).filter_map(|row| row.delta).reduce(f64::min);
    body.max_abs_delta_irrelevant = of(Role::Irrelevant).filter_map(|row| row.delta).map(f64::abs).reduce(f64::max);
    body.max_displacement_irrelevant = of(Role::Irrelevant).filter_map(|row| row.displacement).reduce(f64::max);
    let unpruned = pruning.iter().find(|row| row.kept == experts.len() && !row.finetuned);
    if let Some(unpruned) = unpruned {
        body.certificate = unpruned.certificate;
        body.margin_lower = unpruned.margin_lower;
        body.sum_bound = unpruned.sum_bound;
    }
    if let Some((errors, samples)) = unpruned.and_then(|row| row.errors.zip(row.samples)) {
        let interval = clopper_pearson(samples - errors, samples, 0.05);
        body.accuracy_finetuned = Some(Errors { errors, samples }.accuracy());
        body.accuracy_ci_low = Some(interval.low);
        body.accuracy_ci_high = Some(interval.high);
    }
}

//! One run: pre-trained model → SGD → measurement → pruning → rows.

use super::trajectory::TrajectoryObserver;
use crate::claims::assumptions::{Audit, ExpertAtStart};
use crate::measure::accuracy::{self, Errors};
use crate::measure::learned::has_learned;
use crate::measure::{Extremes, LambdaTable, Proficiency, Role, RouterChange, proficiency};
use crate::moe::{Model, Pretrained};
use crate::patterns::{Class, Sampler, Vocabulary};
use crate::prune;
use crate::record::rows::{ExpertRow, PruningRow, RunBody, RunHead, RunRow, TrajectoryRow};
use crate::sgd::train::Schedule;
use crate::sgd::{DenseEngine, Engine, Observer, PatternEngine, Rates, StopReason, train};
use crate::sim::parameters::{Criterion, Parameters, PretrainedKind};
use crate::sim::{Point, run_seed};
use crate::stats::interval::clopper_pearson;

/// Which engine trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// The pattern engine where it applies (no token noise), else the dense engine.
    #[default]
    Auto,
    /// The pattern engine; noise-free data only.
    Pattern,
    /// The dense reference engine.
    Dense,
}

impl EngineChoice {
    /// Whether this choice can train on data with the given token noise.
    pub fn applies(self, parameters: &Parameters) -> bool {
        self != EngineChoice::Pattern || parameters.data.noise == 0.0
    }

    /// An engine for `model` on the run's vocabulary. The pattern engine is only built for noise-free data.
    pub fn build(self, model: &Model, parameters: &Parameters, run_seed: u64) -> Box<dyn Engine> {
        let Parameters { data, training, .. } = parameters;
        let rates = Rates::from(training);
        if self == EngineChoice::Dense || data.noise > 0.0 {
            let vocabulary = Vocabulary::new(data.patterns, data.basis, run_seed);
            Box::new(DenseEngine::new(model, vocabulary, rates))
        } else {
            Box::new(PatternEngine::new(model, data.tokens, rates))
        }
    }
}

/// All rows of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// Its row of `runs.csv`.
    pub run: RunRow,
    /// Its rows of `experts.csv`, one an expert.
    pub experts: Vec<ExpertRow>,
    /// Its rows of `trajectory.csv`; empty if it was not recorded.
    pub trajectory: Vec<TrajectoryRow>,
    /// Its rows of `pruning.csv`; empty if training diverged.
    pub pruning: Vec<PruningRow>,
}

/// What is known of the experts before training.
struct Start {
    pretrained: Pretrained,
    proficiencies: Vec<Proficiency>,
    /// λ₁, λ₂ at t = 0, `[k]`.
    lambdas: Vec<[f64; 2]>,
    /// Measured roles, `[k]`.
    roles: Vec<Role>,
    audit: Audit,
    accuracy: Errors,
}

/// What is known of the experts after training that did not diverge.
struct End {
    changes: Vec<RouterChange>,
    learned: Vec<Option<bool>>,
    proficiencies: Vec<Proficiency>,
    /// Scores by criterion, `[k]` each.
    norm_changes: Vec<f64>,
    displacements: Vec<f64>,
    random: Vec<f64>,
}

/// Run number `run` of a point: a function of the master seed, the point's parameters and `run` alone.
pub fn run(point: &Point, run: u64, master_seed: u64, choice: EngineChoice) -> RunRecord {
    let parameters = &point.parameters;
    let seed = run_seed(master_seed, parameters, run);
    let head = RunHead { point: point.index, run, seed };
    let pretrained = match parameters.pretrained.kind {
        PretrainedKind::Constructed => Pretrained::constructed(parameters, seed),
    };
    let mut engine = choice.build(&pretrained.model, parameters, seed);
    let mut lambda_table = LambdaTable::new(&parameters.data, parameters.model.tokens_per_expert);
    let start = measure_start(pretrained, engine.as_mut(), &mut lambda_table, parameters, seed);

    let mut extremes = Extremes::new(engine.experts(), lambda_table);
    let mut trajectory = TrajectoryObserver::new(parameters, seed, head.point, run);
    let mut sampler = Sampler::training(&parameters.data, seed);
    let mut observers: Vec<&mut dyn Observer> = vec![&mut extremes];
    if run < parameters.record.trajectory_runs as u64 {
        observers.push(&mut trajectory);
    }
    let (stop, iterations) = train(engine.as_mut(), &mut sampler, Schedule::training(parameters), &mut observers);

    let mut body = RunBody { stop_reason: stop.word().to_owned(), iterations, ..RunBody::default() };
    body.set_audit(&start.audit);
    body.accuracy_pretrained = Some(start.accuracy.accuracy());
    let end = (stop != StopReason::Diverged).then(|| measure_end(&start, engine.as_mut(), parameters, seed));
    let experts = expert_rows(&head, &start, end.as_ref(), &extremes, parameters);
    let pruning = match &end {
        Some(end) => prune_and_test(&head, end, engine.as_mut(), parameters, seed, choice),
        None => {
            body.error = format!("diverged at iteration {iterations}");
            Vec::new()
        }
    };
    summarise(&mut body, &experts, &pruning);
    let swept = point.swept.iter().map(|(_, value)| value.clone()).collect();
    RunRecord { run: RunRow { head, swept, body }, experts, trajectory: trajectory.rows, pruning }
}

impl Schedule {
    /// The schedule of the training itself.
    pub fn training(parameters: &Parameters) -> Self {
        let training = &parameters.training;
        Self { batch: training.batch, iterations: training.iterations, zero_loss_window: training.zero_loss_window }
    }

    /// The schedule of the fine-tuning after pruning: T′ iterations at the same batch size.
    pub fn finetuning(parameters: &Parameters) -> Self {
        Self { iterations: parameters.pruning.finetune_iterations, ..Self::training(parameters) }
    }
}

/// Proficiencies of every expert, from the run's own stream: the same samples at every call.
fn proficiencies(engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> Vec<Proficiency> {
    let mut sampler = Sampler::proficiency(&parameters.data, seed);
    let samples = parameters.roles.proficiency_samples;
    proficiency::estimate(engine, &mut sampler, samples, parameters.model.tokens_per_expert)
}

fn measure_start(
    pretrained: Pretrained,
    engine: &mut dyn Engine,
    table: &mut LambdaTable,
    parameters: &Parameters,
    seed: u64,
) -> Start {
    let model = &pretrained.model;
    let proficiencies = proficiencies(engine, parameters, seed);
    let lambdas: Vec<[f64; 2]> = (0..model.experts())
        .map(|expert| match parameters.data.noise == 0.0 {
            true => Class::BOTH.map(|class| table.lambda(engine.competitors(expert, class))),
            false => proficiencies[expert].routed,
        })
        .collect();
    let roles: Vec<Role> = (0..model.experts())
        .map(|expert| {
            let proficiency = proficiencies[expert].proficiency;
            Role::measured(model.signs[expert], proficiency, lambdas[expert], &parameters.roles)
        })
        .collect();
    let experts: Vec<ExpertAtStart> = (0..model.experts())
        .map(|expert| ExpertAtStart {
            sign: model.signs[expert],
            role: roles[expert],
            norm: RouterChange::between(model.router(expert), model.router(expert)).norm_0,
            mean_activation: model.activations(expert).iter().sum::<f64>() / model.patterns as f64,
        })
        .collect();
    let audit = Audit::new(parameters, &experts);
    let mut sampler = Sampler::evaluation(&parameters.data, seed);
    let accuracy = accuracy::errors(engine, &mut sampler, parameters.evaluation.samples);
    Start { pretrained, proficiencies, lambdas, roles, audit, accuracy }
}

fn measure_end(start: &Start, engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> End {
    let data = &parameters.data;
    let model = &start.pretrained.model;
    let routers = engine.routers();
    let after = |expert: usize| &routers[expert * data.patterns..][..data.patterns];
    let changes: Vec<RouterChange> =
        (0..model.experts()).map(|expert| RouterChange::between(model.router(expert), after(expert))).collect();
    let learned = (0..model.experts())
        .map(|expert| {
            let class = if model.signs[expert] > 0.0 { Class::One } else { Class::Two };
            let relevant = start.roles[expert] == Role::Relevant;
            let learned = || relevant && has_learned(after(expert), class, data, model.tokens_per_expert);
            (data.noise == 0.0).then(learned)
        })
        .collect();
    let scores = |criterion| prune::scores(criterion, &changes, seed);
    End {
        learned,
        proficiencies: proficiencies(engine, parameters, seed),
        norm_changes: scores(Criterion::RouterNormChange),
        displacements: scores(Criterion::RouterDisplacement),
        random: scores(Criterion::Random),
        changes,
    }
}

fn expert_rows(
    head: &RunHead,
    start: &Start,
    end: Option<&End>,
    extremes: &Extremes,
    parameters: &Parameters,
) -> Vec<ExpertRow> {
    let model = &start.pretrained.model;
    (0..model.experts())
        .map(|expert| {
            let change = end.map(|end| end.changes[expert]);
            let after = end.map(|end| end.proficiencies[expert].proficiency);
            let before = start.proficiencies[expert].proficiency;
            ExpertRow {
                point: head.point,
                run: head.run,
                expert,
                sign: model.signs[expert] as i8,
                built_role: start.pretrained.roles[expert].into(),
                role: start.roles[expert],
                learned: end.and_then(|end| end.learned[expert]),
                norm_0: RouterChange::between(model.router(expert), model.router(expert)).norm_0,
                norm_t: change.map(|change| change.norm),
                delta: change.map(|change| change.delta),
                delta_centred: change.map(|change| change.delta_centred),
                displacement: change.map(|change| change.displacement),
                max_range: extremes.range[expert],
                lambda1_0: start.lambdas[expert][0],
                lambda2_0: start.lambdas[expert][1],
                lambda_max: (parameters.data.noise == 0.0).then(|| extremes.lambda[expert]),
                p1_0: before[0],
                p1_t: after.map(|p| p[0]),
                p2_0: before[1],
                p2_t: after.map(|p| p[1]),
                router_norm_change: end.map(|end| end.norm_changes[expert]),
                router_displacement: end.map(|end| end.displacements[expert]),
                random: end.map(|end| end.random[expert]),
            }
        })
        .collect()
}

/// The errors of every pruned model, and of the fine-tuned ones where the simulation asks for them.
fn prune_and_test(
    head: &RunHead,
    end: &End,
    engine: &mut dyn Engine,
    parameters: &Parameters,
    seed: u64,
    choice: EngineChoice,
) -> Vec<PruningRow> {
    let Parameters { data, pruning, evaluation, .. } = parameters;
    let scores = match pruning.criterion {
        Criterion::RouterNormChange => &end.norm_changes,
        Criterion::RouterDisplacement => &end.displacements,
        Criterion::Random => &end.random,
    };
    let keep_first = prune::keep_first(scores, pruning.order);
    let experts = keep_first.len();
    let row = |kept: usize, finetuned: bool, errors: Option<Errors>| PruningRow {
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
    };
    let mut sampler = Sampler::evaluation(data, seed);
    let by_kept = accuracy::errors_by_kept(engine, &mut sampler, evaluation.samples, &keep_first);
    let mut rows: Vec<PruningRow> = (1..=experts).rev().map(|kept| row(kept, false, Some(by_kept[kept - 1]))).collect();
    let trained = engine.model();
    for kept in pruning.finetune_kept.numbers(experts) {
        rows.push(row(kept, true, finetune(&trained, &keep_first[..kept], parameters, seed, choice)));
    }
    rows
}

/// The errors of the model that keeps the experts `kept` after T′ iterations of fine-tuning; `None` if it diverged.
/// Every pruned model of a run sees the same fine-tuning batches.
fn finetune(
    trained: &Model,
    kept: &[usize],
    parameters: &Parameters,
    seed: u64,
    choice: EngineChoice,
) -> Option<Errors> {
    let mut kept = kept.to_vec();
    kept.sort_unstable();
    let mut engine = choice.build(&trained.subset(&kept), parameters, seed);
    let mut sampler = Sampler::finetuning(&parameters.data, seed);
    let (stop, _) = train(engine.as_mut(), &mut sampler, Schedule::finetuning(parameters), &mut []);
    let mut sampler = Sampler::evaluation(&parameters.data, seed);
    let samples = parameters.evaluation.samples;
    (stop != StopReason::Diverged).then(|| accuracy::errors(engine.as_mut(), &mut sampler, samples))
}

/// The figures of a run that follow from its experts (by measured roles) and its pruned models.
fn summarise(body: &mut RunBody, experts: &[ExpertRow], pruning: &[PruningRow]) {
    let of = |role: Role| experts.iter().filter(move |row| row.role == role);
    body.gamma = Some(of(Role::Irrelevant).count() as f64 / experts.len() as f64);
    body.min_delta_relevant = of(Role::Relevant).filter_map(|row| row.delta).reduce(f64::min);
    body.max_abs_delta_irrelevant = of(Role::Irrelevant).filter_map(|row| row.delta).map(f64::abs).reduce(f64::max);
    body.max_displacement_irrelevant = of(Role::Irrelevant).filter_map(|row| row.displacement).reduce(f64::max);
    let unpruned = pruning.iter().find(|row| row.kept == experts.len() && !row.finetuned);
    if let Some((errors, samples)) = unpruned.and_then(|row| row.errors.zip(row.samples)) {
        let interval = clopper_pearson(samples - errors, samples, 0.05);
        body.accuracy_finetuned = Some(Errors { errors, samples }.accuracy());
        body.accuracy_ci_low = Some(interval.low);
        body.accuracy_ci_high = Some(interval.high);
    }
}

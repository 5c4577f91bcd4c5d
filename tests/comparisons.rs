//! Criteria in whole runs, and the claims that compare them.

mod common;

use common::point;
use moe_theory::claims::Evidence;
use moe_theory::claims::judge::{Design, Jury, conclusions};
use moe_theory::measure::Role;
use moe_theory::moe::{Model, Pretrained, RoutingRule};
use moe_theory::patterns::streams::{Purpose, stream};
use moe_theory::patterns::{Batch, Sampler, Vocabulary};
use moe_theory::prune::{Calibration, Criterion, Statistics};
use moe_theory::record::rows::RunBody;
use moe_theory::record::{ExpertRow, PruningRow};
use moe_theory::run::{EngineChoice, RunRecord, run};
use moe_theory::sgd::{DenseEngine, Engine, Loss, PatternEngine, PlainEngine, Rates};
use moe_theory::sim::parameters::{PruningOrder, Removal};
use moe_theory::sim::{Overrides, Parameters, Point, Simulation};
use rand::RngExt;

const SMALL: &str = "data.patterns=24 data.tokens=8 model.experts=8 model.neurons=4 model.tokens_per_expert=3 \
                     pretrained.relevant_per_class=1 pretrained.neuron_scale=0.4 training.batch=24 \
                     training.iterations=40 training.expert_rate=0.4 evaluation.samples=300 \
                     pruning.calibration_samples=100 roles.proficiency_samples=50";

/// A run of the small setting with these settings in place of, or beside, its own.
fn small(settings: &str, seed: u64) -> RunRecord {
    run(&small_point(settings), seed, 5, EngineChoice::Auto)
}

fn small_point(settings: &str) -> Point {
    let key = |setting: &str| setting.split('=').next().unwrap_or_default().to_owned();
    let given: Vec<String> = settings.split_whitespace().map(key).collect();
    let own = SMALL.split_whitespace().filter(|setting| !given.contains(&key(setting)));
    let all: Vec<&str> = own.chain(settings.split_whitespace()).collect();
    point(&all.join(" "))
}

fn rows(record: &RunRecord, criterion: Criterion, finetuned: bool) -> Vec<&PruningRow> {
    let own = record.pruning.iter().filter(|row| row.criterion == criterion.name());
    own.filter(|row| row.finetuned == finetuned).collect()
}

/// The verdict on a claim against `random` over made-up runs, in which the other is better or worse at one ratio.
fn verdict(id: &str, runs: impl Iterator<Item = (bool, bool)>) -> String {
    let text = format!(
        "name = \"x\"\n[pruning]\ncriteria = [\"random\"]\n[[claim]]\nid = \"{id}\"\nagainst = \"random\"\non = \"all\""
    );
    let simulation = Simulation::parse("x.toml", &text, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    let mut jury = Jury::new(&simulation, &points, Design::Fixed);
    let expert = |role| ExpertRow { role, ..ExpertRow::default() };
    let experts: Vec<ExpertRow> = [Role::Irrelevant; 3].into_iter().map(expert).collect();
    for (number, (worse, better)) in runs.enumerate() {
        let row = |criterion: &str, kept: usize, accuracy: f64| PruningRow {
            criterion: criterion.into(),
            kept,
            accuracy: Some(accuracy),
            ..PruningRow::default()
        };
        let [first, second] = [worse, better].map(|gap| if gap { 0.5 } else { 0.0 });
        // Within the margin they differ in every run.
        let pruning = [
            row("router-norm-change", 3, 1.0),
            row("router-norm-change", 2, 0.995 - first),
            row("router-norm-change", 1, 0.95),
            row("random", 3, 1.0),
            row("random", 2, 1.0),
            row("random", 1, 0.945 - second),
        ];
        let body = RunBody::default();
        let parameters = &points[0].parameters;
        jury.add(0, number as u64, &Evidence { parameters, run: &body, experts: &experts, pruning: &pruning });
    }
    let rows = jury.rows();
    conclusions(&rows)[0].verdict.clone()
}

#[test]
fn a_comparison_is_decided_by_the_runs_that_differ() {
    let of = |id: &str, worse: u64, better: u64, both: u64| {
        verdict(
            id,
            (0..200u64).map(|run| {
                let both = run < both;
                let (w, b) = (run >= 200 - worse, (100..100 + better).contains(&run) && run < 200 - worse);
                (w || both, b || both)
            }),
        )
    };
    // Never different: as accurate, not more accurate.
    assert_eq!((of("C1", 0, 0, 0), of("C2", 0, 0, 0)), ("SUPPORTED".into(), "REFUTED".into()));
    assert_eq!((of("C1", 0, 20, 0), of("C2", 0, 20, 0)), ("SUPPORTED".into(), "SUPPORTED".into()));
    assert_eq!((of("C1", 20, 0, 0), of("C2", 20, 0, 0)), ("REFUTED".into(), "REFUTED".into()));
    // As often the one as the other, and runs in which both are better somewhere, decide nothing.
    assert_eq!((of("C1", 40, 40, 0), of("C2", 40, 40, 0)), ("INCONCLUSIVE".into(), "INCONCLUSIVE".into()));
    assert_eq!((of("C1", 0, 0, 60), of("C2", 0, 0, 60)), ("INCONCLUSIVE".into(), "INCONCLUSIVE".into()));
    assert_eq!((of("C1", 20, 0, 100), of("C2", 20, 0, 100)), ("REFUTED".into(), "REFUTED".into()));
    assert_eq!((of("C1", 0, 20, 60), of("C2", 0, 20, 60)), ("SUPPORTED".into(), "SUPPORTED".into()));
}

/// What one run says of C1 (margin ¼), with two of three experts irrelevant and these differences at 3, 2 and 1 kept.
fn comparison(differences: [f64; 3], ratio: &str) -> (bool, bool, Option<f64>) {
    let text = format!(
        "name = \"x\"\n[pruning]\ncriteria = [\"random\"]\n[[claim]]\nid = \"C1\"\nagainst = \"random\"\nmargin = 0.25\n{ratio}"
    );
    let simulation = Simulation::parse("x.toml", &text, &Overrides::default()).expect("legal");
    let points = simulation.points().expect("legal");
    let roles = [Role::Relevant, Role::Relevant, Role::Irrelevant, Role::Irrelevant];
    let experts: Vec<ExpertRow> = roles.map(|role| ExpertRow { role, ..ExpertRow::default() }).into();
    let rows = |criterion: &'static str, of: [f64; 3]| {
        (1..=3).rev().zip(of).map(move |(kept, accuracy)| PruningRow {
            criterion: criterion.into(),
            kept,
            ratio: (4 - kept) as f64 / 4.0,
            accuracy: Some(accuracy),
            ..PruningRow::default()
        })
    };
    let pruning: Vec<PruningRow> =
        rows("router-norm-change", differences.map(|d| 0.5 + d)).chain(rows("random", [0.5; 3])).collect();
    let body = RunBody::default();
    let evidence = Evidence { parameters: &points[0].parameters, run: &body, experts: &experts, pruning: &pruning };
    let seen = evidence.comparison(&simulation.claims[0]);
    (seen.worse, seen.better, seen.difference)
}

/// ρ = γ counts, what lies beyond does not; a difference of the margin itself is none.
#[test]
fn a_comparison_ends_at_gamma_and_begins_above_the_margin() {
    assert_eq!(comparison([0.0, -0.5, 0.0], ""), (true, false, Some(-0.5)));
    assert_eq!(comparison([0.0, 0.5, 0.0], ""), (false, true, Some(0.0)));
    assert_eq!(comparison([0.0, 0.0, -0.5], ""), (false, false, Some(0.0)));
    assert_eq!(comparison([0.0, 0.0, -0.5], "ratio = 0.75"), (true, false, Some(-0.5)));
    assert_eq!(comparison([0.0, -0.5, 0.0], "ratio = 0.25"), (false, false, Some(0.0)));
    assert_eq!(comparison([0.25, -0.25, 0.0], ""), (false, false, Some(-0.25)));
    assert_eq!(comparison([0.375, -0.375, 0.0], ""), (true, true, Some(-0.375)));
}

#[test]
fn too_few_runs_are_said_and_missing_rows_count_against() {
    assert_eq!(verdict("C1", (0..4).map(|_| (true, false))), "INCONCLUSIVE (too few)");
    assert_eq!(verdict("C1", (0..20).map(|_| (true, false))), "REFUTED");
}

/// At the edge of each hypothesis a false verdict comes in at most one simulation of twenty. 400 simulations: 20 expected
/// at most, 40 or more of them with probability below 1e-4.
#[test]
fn false_verdicts_of_comparisons_are_rare() {
    let mut generator = stream(11, Purpose::Evaluation);
    let mut wrong = |id: &str, worse: f64, better: f64, verdict_wrong: &str| {
        let mut count = 0;
        for _ in 0..400 {
            let runs: Vec<(bool, bool)> = (0..120)
                .map(|_| {
                    let draw: f64 = generator.random();
                    (draw < worse, draw >= worse && draw < worse + better)
                })
                .collect();
            count += usize::from(verdict(id, runs.into_iter()) == verdict_wrong);
        }
        count
    };
    assert!(wrong("C1", 0.2, 0.2, "REFUTED") < 40);
    assert!(wrong("C1", 0.05, 0.0, "SUPPORTED") < 40);
    assert!(wrong("C1", 0.45, 0.4, "SUPPORTED") < 40);
    assert!(wrong("C2", 0.2, 0.2, "SUPPORTED") < 40);
    assert!(wrong("C2", 0.0, 0.05, "REFUTED") < 40);
}

#[test]
fn further_criteria_change_nothing_of_the_first() {
    for seed in 0..3 {
        let alone = small("pruning.finetune_kept=[4,2] pruning.finetune_iterations=5", seed);
        let among = small("pruning.finetune_kept=[4,2] pruning.finetune_iterations=5 pruning.criteria=all", seed);
        assert_eq!(alone.run, among.run);
        let own: Vec<PruningRow> = among.pruning[..alone.pruning.len()].to_vec();
        assert_eq!(alone.pruning, own);
        assert_eq!(among.pruning.len(), alone.pruning.len() * Criterion::ALL.len());
    }
}

#[test]
fn ties_are_told_in_expert_choice_and_scores_have_columns() {
    let record = small("pruning.criteria=all", 0);
    for criterion in [Criterion::Frequency, Criterion::Mass] {
        let rows = rows(&record, criterion, false);
        assert!(rows.iter().all(|row| row.tied == if row.kept < 8 { 8 } else { 0 }), "{rows:?}");
    }
    for criterion in [Criterion::RouterNormChange, Criterion::Reap, Criterion::Random, Criterion::NeuronMagnitude] {
        assert!(rows(&record, criterion, false).iter().all(|row| row.tied == 0), "{criterion:?}");
    }
    for &criterion in Criterion::ALL {
        assert!(record.experts.iter().all(|row| row.score(criterion).is_some()), "{criterion:?}");
        assert_eq!(rows(&record, criterion, false).len(), 8, "{criterion:?}");
    }
    let plain = small("", 0);
    assert!(plain.experts.iter().all(|row| row.score(Criterion::Reap).is_none() && row.random.is_some()));
}

/// On the samples that it was chosen by, no set of its size has fewer errors than the oracle's.
#[test]
fn no_set_beats_the_oracle_on_its_own_samples() {
    let mut generator = stream(3, Purpose::Pretrained);
    for _ in 0..20 {
        let (k, samples) = (6, 30);
        let outputs: Vec<f64> = (0..k * samples).map(|_| generator.random_range(-1.0..1.0)).collect();
        let labels: Vec<f64> = (0..samples).map(|_| if generator.random::<bool>() { 1.0 } else { -1.0 }).collect();
        let mut calibration = Calibration::new(k);
        (calibration.outputs, calibration.labels) = (outputs.clone(), labels.clone());
        let model = Model {
            patterns: 1,
            neurons_per_expert: 1,
            tokens_per_expert: 2,
            signs: vec![1.0; k],
            routers: vec![0.0; k],
            neurons: vec![0.0; k],
        };
        let chance: Vec<f64> = (0..k).map(|expert| expert as f64).collect();
        let given = Statistics {
            before: &model,
            after: &model,
            changes: Vec::new(),
            early: Vec::new(),
            chance,
            calibration: Some(calibration),
        };
        let plan = Criterion::Oracle.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
        let cost = |set: &dyn Fn(usize) -> bool| {
            let f = outputs
                .chunks_exact(k)
                .map(|own| own.iter().enumerate().filter(|(s, _)| set(*s)).map(|(_, f)| f).sum());
            let margins: Vec<f64> = labels.iter().zip(f).map(|(y, f): (&f64, f64)| y * f).collect();
            let errors = margins.iter().filter(|margin| **margin <= 0.0).count();
            (errors, margins.iter().map(|margin| (1.0 - margin).max(0.0)).sum::<f64>())
        };
        for set in 1usize..1 << k {
            let kept = set.count_ones() as usize;
            let (best, other) = (cost(&|s| plan.kept(kept).contains(&s)), cost(&|s| set >> s & 1 == 1));
            assert!(best.0 < other.0 || (best.0 == other.0 && best.1 <= other.1 + 1e-9), "{best:?} {other:?}");
        }
    }
}

#[test]
fn schedules_agree_where_they_must() {
    let settings =
        "pruning.criteria=[\"router-displacement\",\"reap\"] pruning.finetune_kept=[6,4,2] pruning.afterwards=nothing";
    let of = |more: &str| small(&format!("{settings} {more}"), 1).pruning;
    // Checkpoints say the same of experts whatever others went.
    assert_eq!(of(""), of("pruning.schedule=iterative"));
    assert_eq!(of("pruning.schedule=half-way"), of("pruning.schedule=windowed pruning.windows=2"));
    let windowed = of("pruning.schedule=windowed pruning.windows=3");
    let kept: Vec<usize> = windowed.iter().take(4).map(|row| row.kept).collect();
    assert_eq!((kept, windowed.len()), (vec![8, 6, 4, 2], 12));
    assert_ne!(of("pruning.schedule=half-way"), windowed);
    // Loud experts make errors on the way, which training in between takes back.
    let loud = |more: &str| of(&format!("pretrained.neuron_scale=1 {more}"));
    let stepped = loud("pruning.schedule=iterative pruning.step_iterations=40");
    assert!(stepped.len() == 24 && stepped != loud(""));
}

/// All criteria prune the same model and are tested on the same samples: a row depends on the kept experts alone.
#[test]
fn what_is_compared_is_paired() {
    let poor = "training.iterations=5 pretrained.neuron_scale=1 pruning.criteria=all";
    let record = small(poor, 6);
    let unpruned: Vec<_> = record.pruning.iter().filter(|row| row.kept == 8).map(|row| row.errors).collect();
    assert_eq!(unpruned.len(), Criterion::ALL.len());
    assert!(unpruned.iter().all(|errors| *errors == unpruned[0] && *errors > Some(0)), "{unpruned:?}");
    // Two names of one order: REAP is gated EAN in expert choice.
    let of = |criterion| rows(&record, criterion, false).iter().map(|row| row.errors).collect::<Vec<_>>();
    assert_eq!(of(Criterion::Reap), of(Criterion::GatedEan));
    assert_ne!(of(Criterion::Reap), of(Criterion::Random));
}

/// Errors of a model on the evaluation samples of a run.
fn errors(engine: &mut dyn Engine, parameters: &Parameters, seed: u64) -> u64 {
    let mut batch = Batch::default();
    Sampler::evaluation(&parameters.data, seed).fill(&mut batch, parameters.evaluation.samples);
    let mut outputs = Vec::new();
    engine.outputs(&batch, &mut outputs);
    let f = outputs.chunks_exact(engine.experts()).map(|own| own.iter().sum::<f64>());
    f.zip(&batch.labels).filter(|(f, y)| f * **y <= 0.0).count() as u64
}

/// Trains `model` on the next batches of `sampler`.
fn trained(model: &Model, sampler: &mut Sampler, parameters: &Parameters, iterations: usize) -> Model {
    let mut engine = PatternEngine::new(model, Rates::from(&parameters.training));
    let mut batch = Batch::default();
    for _ in 0..iterations {
        sampler.fill(&mut batch, parameters.training.batch);
        engine.step(&batch).expect("finite");
    }
    engine.model()
}

/// Three windows of 13, 14 and 14 iterations: at the end of the first half of those that go are gone, at the end of the
/// second all, each time by the displacement within the window.
#[test]
fn windows_are_what_they_are_said_to_be() {
    let settings = "pruning.criterion=router-displacement pruning.schedule=windowed pruning.windows=3 \
                    pruning.finetune_kept=[5,4,2] pruning.afterwards=nothing training.iterations=41 \
                    pretrained.neuron_scale=1";
    let record = small(settings, 1);
    let (parameters, seed) = (small_point(settings).parameters, record.run.head.seed);
    for row in record.pruning.iter().filter(|row| row.kept < 8) {
        let mut model = Pretrained::constructed(&parameters, seed).model;
        let mut sampler = Sampler::of_training(&parameters, seed);
        for (iterations, left) in [(13, 8 - (8 - row.kept) / 2), (14, row.kept)] {
            let end = trained(&model, &mut sampler, &parameters, iterations);
            let displacement = |expert: usize| -> f64 {
                end.router(expert).iter().zip(model.router(expert)).map(|(a, b)| (a - b).powi(2)).sum()
            };
            let mut keep: Vec<usize> = (0..end.experts()).collect();
            keep.sort_by(|&a, &b| displacement(b).total_cmp(&displacement(a)));
            keep.truncate(left);
            keep.sort_unstable();
            model = end.subset(&keep);
        }
        let end = trained(&model, &mut sampler, &parameters, 14);
        let mut engine = PatternEngine::new(&end, Rates::from(&parameters.training));
        assert_eq!(row.errors, Some(errors(&mut engine, &parameters, seed)), "{} kept", row.kept);
        assert!(row.errors > Some(0), "a model without an error tells little");
    }
}

/// The early change is that after the share `early` of the iterations.
#[test]
fn an_early_change_is_early() {
    let settings = "pruning.criteria=[\"router-norm-change-early\"] pruning.early=0.13";
    let record = small(settings, 1);
    let (parameters, seed) = (small_point(settings).parameters, record.run.head.seed);
    let start = Pretrained::constructed(&parameters, seed).model;
    // 0.13 · 40 = 5.2, rounded up.
    let early = trained(&start, &mut Sampler::of_training(&parameters, seed), &parameters, 6);
    let norm = |model: &Model, s: usize| model.router(s).iter().map(|weight| weight * weight).sum::<f64>().sqrt();
    for (expert, row) in record.experts.iter().enumerate() {
        let change = norm(&early, expert) - norm(&start, expert);
        assert!(row.router_norm_change_early.is_some_and(|score| (score - change).abs() < 1e-12), "{row:?}");
    }
}

#[test]
fn what_follows_pruning_is_what_was_asked_for() {
    let settings = "pruning.finetune_kept=[4,2] pruning.finetune_iterations=10";
    let of = |more: &str| small(&format!("{settings} {more}"), 2);
    let finetuned = of("");
    assert_eq!(rows(&finetuned, Criterion::RouterNormChange, true).len(), 2);
    assert!(rows(&of("pruning.afterwards=nothing"), Criterion::RouterNormChange, true).is_empty());
    // No label is read: a teacher whose labels were noise is learnt all the same.
    let noisy = "data.label_noise=1 pretrained.neuron_scale=0.2";
    let [tuned, distilled] =
        ["fine-tune", "distil"].map(|way| of(&format!("{noisy} pruning.afterwards={way}")).pruning);
    assert_ne!(tuned, distilled);
}

/// Distillation is the squared loss with the unpruned model's f for labels, under either routing.
#[test]
fn distillation_brings_a_pruned_model_near_the_whole_one() {
    for routing in ["", "model.routing=token-choice model.experts_per_token=2", "data.noise=0.1"] {
        let settings = format!(
            "pruning.finetune_kept=[4] pruning.finetune_iterations=40 pruning.afterwards=distil {routing} \
             pretrained.neuron_scale=1 training.iterations=20"
        );
        let record = small(&settings, 2);
        let (parameters, seed) = (small_point(&settings).parameters, record.run.head.seed);
        let start = Pretrained::constructed(&parameters, seed).model;
        let mut teacher = EngineChoice::Auto.build(&start, &parameters, seed);
        let (mut sampler, mut batch) = (Sampler::of_training(&parameters, seed), Batch::default());
        for _ in 0..20 {
            sampler.fill(&mut batch, parameters.training.batch);
            teacher.step(&batch).expect("finite");
        }
        let mut order: Vec<usize> = (0..8).collect();
        let delta = |s: usize| record.experts[s].delta.expect("trained");
        order.sort_by(|&a, &b| delta(b).total_cmp(&delta(a)));
        let mut kept = order[..4].to_vec();
        kept.sort_unstable();
        let mut student = EngineChoice::Auto.build_pruned(&teacher.model(), &kept, None, &parameters, seed);
        let mut sampler = Sampler::of_finetuning(&parameters, seed);
        student.set_loss(Loss::Squared);
        let mut losses = Vec::new();
        for _ in 0..40 {
            sampler.fill(&mut batch, parameters.training.batch);
            let mut outputs = Vec::new();
            teacher.outputs(&batch, &mut outputs);
            batch.labels = outputs.chunks_exact(8).map(|own| own.iter().sum()).collect();
            losses.push(student.step(&batch).expect("finite").loss);
        }
        let [first, last] = [&losses[..10], &losses[30..]].map(|some| some.iter().sum::<f64>());
        assert!(last < 0.8 * first, "{routing}: {first} {last}");
        let row = rows(&record, Criterion::RouterNormChange, true)[0].errors;
        assert_eq!(row, Some(errors(student.as_mut(), &parameters, seed)), "{routing}");
    }
}

/// The three engines take the same steps by the squared loss.
#[test]
fn engines_agree_on_the_squared_loss() {
    let parameters = small_point("pretrained.neuron_scale=1").parameters;
    let model = Pretrained::constructed(&parameters, 5).model;
    let rates = Rates::from(&parameters.training);
    let vocabulary = Vocabulary::new(model.patterns, parameters.data.basis, 5);
    let mut engines: [Box<dyn Engine>; 3] = [
        Box::new(PatternEngine::new(&model, rates)),
        Box::new(DenseEngine::new(&model, vocabulary, rates)),
        Box::new(PlainEngine::new(&model, &parameters)),
    ];
    let (mut sampler, mut batch) = (Sampler::of_training(&parameters, 5), Batch::default());
    engines.iter_mut().for_each(|engine| engine.set_loss(Loss::Squared));
    for step in 0..10 {
        sampler.fill(&mut batch, 24);
        // Targets of either side and size.
        batch.labels.iter_mut().enumerate().for_each(|(place, label)| *label *= 0.1 * ((place + step) % 30) as f64);
        let reports = engines.each_mut().map(|engine| engine.step(&batch).expect("finite"));
        assert!(reports.iter().all(|report| report.active == 24 && (report.loss - reports[0].loss).abs() < 1e-10));
        let models = engines.each_ref().map(|engine| engine.model());
        for other in &models[1..] {
            let pairs =
                models[0].routers.iter().zip(&other.routers).chain(models[0].neurons.iter().zip(&other.neurons));
            assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-10));
        }
    }
    assert_ne!(engines[0].model().routers, model.routers);
}

/// Schedules under token choice: the same model pruned one by one as at once where scores do not depend on who else is
/// there, and models that train on by their own rule.
#[test]
fn schedules_work_in_token_choice() {
    let routing = "model.routing=token-choice model.experts_per_token=2 pruning.criterion=router-displacement \
                   pruning.finetune_kept=[6,4,2] pruning.afterwards=nothing";
    for removal in ["zero-slot", "drop"] {
        let of = |more: &str| small(&format!("{routing} pruning.removal={removal} {more}"), 1);
        assert_eq!(of("").pruning, of("pruning.schedule=iterative").pruning);
        let halves = of("pruning.schedule=half-way pretrained.neuron_scale=1 training.iterations=8");
        assert_eq!(halves.pruning.len(), 4);
        let settings = format!(
            "{routing} pruning.removal={removal} pruning.schedule=half-way pretrained.neuron_scale=1 training.iterations=8"
        );
        let (parameters, seed) = (small_point(&settings).parameters, halves.run.head.seed);
        for row in &halves.pruning[1..] {
            let start = Pretrained::constructed(&parameters, seed).model;
            let mut whole = PlainEngine::new(&start, &parameters);
            let (mut sampler, mut batch) = (Sampler::of_training(&parameters, seed), Batch::default());
            let mut step = |engine: &mut PlainEngine| {
                for _ in 0..4 {
                    sampler.fill(&mut batch, parameters.training.batch);
                    engine.step(&batch).expect("finite");
                }
            };
            step(&mut whole);
            let half = whole.model();
            let moved =
                |s: usize| -> f64 { half.router(s).iter().zip(start.router(s)).map(|(a, b)| (a - b).powi(2)).sum() };
            let mut kept: Vec<usize> = (0..8).collect();
            kept.sort_by(|&a, &b| moved(b).total_cmp(&moved(a)));
            kept.truncate(row.kept);
            kept.sort_unstable();
            let rule = RoutingRule::new(&parameters.model, parameters.data.tokens);
            let mut rest = match removal {
                "drop" => PlainEngine::with_rule(&half.subset(&kept), rule.pruned(&kept, Removal::Drop), &parameters),
                _ => PlainEngine::with_rule(&half, rule.pruned(&kept, Removal::ZeroSlot), &parameters),
            };
            step(&mut rest);
            assert_eq!(row.errors, Some(errors(&mut rest, &parameters, seed)), "{removal}, {} kept", row.kept);
        }
        assert!(halves.pruning.iter().any(|row| row.errors > Some(0)), "a model without an error tells little");
    }
}

/// One after the other, scored by what is left: a dropped expert's tokens go elsewhere, those of a kept router do not.
#[test]
fn one_by_one_in_token_choice_scores_what_is_left() {
    let settings = "model.routing=token-choice model.experts_per_token=2 pruning.criterion=reap \
                    pretrained.neuron_scale=1 training.iterations=4 pruning.calibration_samples=100";
    let of = |more: &str| small(&format!("{settings} {more}"), 1);
    let by_errors = |record: &RunRecord| record.pruning.iter().map(|row| row.errors).collect::<Vec<_>>();
    let kept_routers = of("pruning.removal=zero-slot pruning.schedule=iterative");
    assert_eq!(by_errors(&kept_routers), by_errors(&of("pruning.removal=zero-slot")));
    let dropped = of("pruning.removal=drop pruning.schedule=iterative");
    assert_ne!(by_errors(&dropped), by_errors(&of("pruning.removal=drop")));
    let (parameters, seed) = (small_point(settings).parameters, dropped.run.head.seed);
    let mut engine = PlainEngine::new(&Pretrained::constructed(&parameters, seed).model, &parameters);
    let (mut sampler, mut batch) = (Sampler::of_training(&parameters, seed), Batch::default());
    for _ in 0..4 {
        sampler.fill(&mut batch, parameters.training.batch);
        engine.step(&batch).expect("finite");
    }
    let (mut model, mut rule) = (engine.model(), RoutingRule::new(&parameters.model, parameters.data.tokens));
    let mut samples = Sampler::new(&parameters.data, seed, Purpose::Calibration, Purpose::CalibrationNoise);
    samples.fill(&mut batch, 100);
    for row in &dropped.pruning {
        assert_eq!(model.experts(), row.kept);
        let mut pruned = PlainEngine::with_rule(&model, rule.clone(), &parameters);
        assert_eq!(row.errors, Some(errors(&mut pruned, &parameters, seed)), "{} kept", row.kept);
        let mut calibration = Calibration::new(row.kept);
        calibration.add(&model, &rule, &batch);
        let worth = |s: &usize| calibration.experts[*s].gated / calibration.experts[*s].pairs.max(1.0);
        let Some(least) = (0..row.kept).min_by(|a, b| worth(a).total_cmp(&worth(b))) else { break };
        let keep: Vec<usize> = (0..row.kept).filter(|s| *s != least).collect();
        (model, rule) = (model.subset(&keep), rule.pruned(&keep, Removal::Drop));
    }
}

#[test]
fn removal_changes_the_pruned_models_and_not_the_whole_one() {
    let of = |removal: &str| small(&format!("pruning.removal={removal} pruning.criteria=[\"reap\"]"), 3).pruning;
    assert_eq!(of("drop"), of("zero-slot"));
    for removal in ["novice", "merge-nearest", "merge-group"] {
        let (other, drop) = (of(removal), of("drop"));
        assert_eq!(other[0], drop[0], "{removal}");
        assert_ne!(other, drop, "{removal}");
    }
}

/// Errors of a model with novices or merged experts are those of the model that a calibration set makes.
#[test]
fn removals_that_need_a_calibration_set_are_evaluated_as_models() {
    for (removal, routing) in [
        ("novice", ""),
        ("merge-nearest", ""),
        ("merge-group", ""),
        ("novice", "model.routing=token-choice model.experts_per_token=2"),
        ("merge-nearest", "model.routing=token-choice model.experts_per_token=2"),
        ("merge-group", "model.routing=token-choice model.experts_per_token=2"),
    ] {
        // Not trained: what the run prunes is the constructed model.
        let settings = format!(
            "pruning.criterion=random pruning.removal={removal} {routing} training.router_rate=0 \
             training.expert_rate=0 pretrained.neuron_scale=1"
        );
        let record = small(&settings, 3);
        let (parameters, seed) = (small_point(&settings).parameters, record.run.head.seed);
        let model = Pretrained::constructed(&parameters, seed).model;
        let mut samples = Sampler::new(&parameters.data, seed, Purpose::Calibration, Purpose::CalibrationNoise);
        let mut batch = Batch::default();
        samples.fill(&mut batch, parameters.pruning.calibration_samples);
        let mut calibration = Calibration::new(model.experts());
        calibration.add(&model, &RoutingRule::new(&parameters.model, parameters.data.tokens), &batch);
        let mut order: Vec<usize> = (0..8).collect();
        let chance = |s: usize| record.experts[s].random.expect("a score");
        order.sort_by(|&a, &b| chance(b).total_cmp(&chance(a)));
        let mut some = 0;
        for row in &record.pruning {
            let mut kept = order[..row.kept].to_vec();
            kept.sort_unstable();
            let mut pruned = EngineChoice::Auto.build_pruned(&model, &kept, Some(&calibration), &parameters, seed);
            let expected = errors(pruned.as_mut(), &parameters, seed);
            assert_eq!(row.errors, Some(expected), "{settings}, {} kept", row.kept);
            some += usize::from(expected > 0);
        }
        assert!(some > 3, "a model without an error tells little");
    }
}

/// Without class patterns in the calibration set experts of class patterns look idle.
#[test]
fn shifted_calibration_hides_what_the_task_needs() {
    let relevant = |calibration: &str| {
        let record = small(&format!("pruning.criteria=[\"reap\"] pruning.calibration={calibration}"), 4);
        record.experts.iter().filter(|row| row.expert < 2).filter_map(|row| row.reap).sum::<f64>()
    };
    let [task, mixture, shifted] = ["task", "mixture", "shifted"].map(relevant);
    assert!(task > mixture && mixture > shifted, "{task} {mixture} {shifted}");
}

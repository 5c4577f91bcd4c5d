//! Criteria in whole runs, and the claims that compare them.

mod common;

use common::point;
use moe_theory::claims::Evidence;
use moe_theory::claims::judge::{Design, Jury, conclusions};
use moe_theory::patterns::streams::{Purpose, stream};
use moe_theory::prune::{Calibration, Criterion, Statistics};
use moe_theory::record::rows::RunBody;
use moe_theory::record::{ExpertRow, PruningRow};
use moe_theory::run::{EngineChoice, RunRecord, run};
use moe_theory::sim::parameters::PruningOrder;
use moe_theory::sim::{Overrides, Simulation};
use rand::RngExt;

const SMALL: &str = "data.patterns=24 data.tokens=8 model.experts=8 model.neurons=4 model.tokens_per_expert=3 \
                     pretrained.relevant_per_class=1 pretrained.neuron_scale=0.4 training.batch=24 \
                     training.iterations=40 training.expert_rate=0.4 evaluation.samples=300 \
                     pruning.calibration_samples=100 roles.proficiency_samples=50";

/// A run of the small setting with these settings in place of, or beside, its own.
fn small(settings: &str, seed: u64) -> RunRecord {
    let key = |setting: &str| setting.split('=').next().unwrap_or_default().to_owned();
    let given: Vec<String> = settings.split_whitespace().map(key).collect();
    let own = SMALL.split_whitespace().filter(|setting| !given.contains(&key(setting)));
    let all: Vec<&str> = own.chain(settings.split_whitespace()).collect();
    run(&point(&all.join(" ")), seed, 5, EngineChoice::Auto)
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
    let experts: Vec<ExpertRow> = [moe_theory::measure::Role::Irrelevant; 3].into_iter().map(expert).collect();
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
        let model = moe_theory::moe::Model {
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

#[test]
fn what_follows_pruning_is_what_was_asked_for() {
    let settings = "pruning.finetune_kept=[4,2] pruning.finetune_iterations=10";
    let of = |more: &str| small(&format!("{settings} {more}"), 2);
    let finetuned = of("");
    assert_eq!(rows(&finetuned, Criterion::RouterNormChange, true).len(), 2);
    assert!(rows(&of("pruning.afterwards=nothing"), Criterion::RouterNormChange, true).is_empty());
    // A teacher that makes no error teaches the labels; one that does teaches something else.
    let sure = "training.iterations=300 training.expert_rate=1.6 pretrained.neuron_scale=0.2";
    let [tuned, distilled] = ["fine-tune", "distil"].map(|way| of(&format!("{sure} pruning.afterwards={way}")));
    assert_eq!((tuned.run.body.accuracy_finetuned, tuned.pruning), (Some(1.0), distilled.pruning));
    let poor = "training.iterations=3 pruning.finetune_kept=[4,2] pruning.finetune_iterations=60";
    let [tuned, distilled] =
        ["fine-tune", "distil"].map(|way| small(&format!("{poor} pruning.afterwards={way}"), 2).pruning);
    assert_ne!(tuned, distilled);
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

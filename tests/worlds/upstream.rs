//! Models that were trained upstream.

use crate::setting::{SMALL, outputs, parameters, whole_run};
use moe_theory::claims::Analysis;
use moe_theory::claims::catalogue::definition;
use moe_theory::measure::{Role, proficiency};
use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::record::RunRecord;
use moe_theory::record::design::Design;
use moe_theory::run::run;
use moe_theory::run::upstream::upstream_parameters;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::{Overrides, Simulation};
use moe_theory::systems::upstream::pretrained;

/// Roles after upstream pre-training are those of the model that fine-tuning starts from, not of the trained one.
#[test]
fn roles_of_upstream_models_are_measured_before_fine_tuning() {
    let settings = format!(
        "{SMALL} pretrained.kind=upstream pretrained.upstream_tasks=3 pretrained.upstream_iterations=200 \
                            pretrained.upstream_expert_rate=0.8"
    );
    let (parameters, record) = whole_run(&settings);
    let seed = record.run.head.seed;
    let start = pretrained(&parameters, seed, EngineChoice::Auto).expect("finite").model;
    let mut engine = EngineChoice::Auto.build(&start, &parameters, seed);
    let mut sampler = Sampler::proficiency(&parameters.data, seed);
    let found = proficiency::estimate(engine.as_mut(), &mut sampler, 100, parameters.model.gate_places());
    let mut moved = 0;
    for (row, found) in record.experts.iter().zip(&found) {
        assert_eq!([row.p1_0, row.p2_0], found.proficiency, "{row:?}");
        assert_eq!(row.built_role, Role::Ambiguous);
        let own = found.proficiency[usize::from(row.sign.is_some_and(|sign| sign < 0))];
        assert_eq!(row.role == Role::Relevant, own >= 0.5, "{row:?}");
        moved += usize::from(row.p1_t != Some(row.p1_0) || row.p2_t != Some(row.p2_0));
    }
    assert!(moved > 0, "training moves some proficiency");
}

#[test]
fn an_upstream_model_is_trained_on_its_tasks_by_the_run_s_seed() {
    let settings = format!(
        "{SMALL} pretrained.kind=upstream pretrained.upstream_tasks=3 pretrained.upstream_iterations=200 \
                            pretrained.upstream_expert_rate=0.8"
    );
    let parameters = parameters(&settings);
    let [first, again, other] =
        [4, 4, 5].map(|seed| pretrained(&parameters, seed, EngineChoice::Auto).expect("finite"));
    assert_eq!(first.model, again.model);
    assert_ne!(first.model, other.model);
    // It solves its upstream tasks, all three pairs, much better than before.
    let upstream = upstream_parameters(&parameters);
    let mut test = Batch::default();
    Sampler::evaluation(&upstream.data, 4).fill(&mut test, 600);
    let accuracy = |model: &Model| {
        let found = outputs(EngineChoice::Auto.build(model, &upstream, 4).as_mut(), &test);
        let right = |(outputs, label): &(&[f64], &f64)| *label * outputs.iter().sum::<f64>() > 0.0;
        found.chunks_exact(16).zip(&test.labels).filter(right).count() as f64 / 600.0
    };
    let before = accuracy(&Pretrained::untrained(&parameters, 4).model);
    let after = accuracy(&first.model);
    assert!(before < 0.75 && after > 0.9, "{before} {after}");
    let seen: std::collections::BTreeSet<usize> = (0..600).map(|sample| test.feature(sample)).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn assumptions_of_upstream_models_are_counted_as_the_runs_meet_them() {
    let set: Vec<String> = SMALL.split_whitespace().map(str::to_owned).collect();
    let text = "name = \"x\"\n[pretrained]\nupstream_iterations = 30\nupstream_tasks = 3\n\
                [[case]]\nname = \"built\"\n[[case]]\nname = \"upstream\"\nset = { \"pretrained.kind\" = \"upstream\" }";
    let simulation = Simulation::parse("x.toml", text, &Overrides { set: &set, seeds: Some(12) }).expect("legal");
    let points = simulation.points().expect("legal");
    let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
    let mut met = std::collections::BTreeMap::from([("A-roles", 0), ("A-gauge", 0), ("A-aligned", 0), ("A-batch", 0)]);
    for point in &points {
        for index in 0..12 {
            let RunRecord { run, experts, pruning, .. } = run(point, index, 5, EngineChoice::Auto);
            analysis.add(point.index, index, &run.body, &experts, &pruning, &[]);
            if point.index == 1 {
                let body = run.body;
                for (name, is_met) in [
                    ("A-roles", body.meets_roles),
                    ("A-gauge", body.meets_gauge),
                    ("A-aligned", body.meets_aligned),
                    ("A-batch", body.meets_batch),
                ] {
                    *met.entry(name).or_insert(0) += u64::from(is_met);
                }
            }
        }
    }
    let rows = analysis.findings().audits;
    assert!(rows.iter().all(|row| row.case == "upstream" && row.point == 1 && row.runs == 12));
    for (name, count) in met {
        let row = rows.iter().find(|row| row.assumption == name).expect("a row");
        assert_eq!((row.met, row.share), (count, count as f64 / 12.0), "{name}");
    }
    let all = rows.iter().find(|row| row.assumption == "all of T1c").expect("a row");
    for assumption in definition("T1c").expect("a claim").assumptions {
        let row = rows.iter().find(|row| row.assumption == assumption.name()).expect("a row");
        assert!(row.met >= all.met, "{}", row.assumption);
    }
}

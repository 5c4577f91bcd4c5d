//! Rare-relevant, common-relevant and irrelevant experts: few bits for each, and the claims about them.

mod common;

use common::point;
use moe_theory::claims::Observation;
use moe_theory::measure::Role;
use moe_theory::measure::accuracy::{Errors, FeatureErrors, feature_errors};
use moe_theory::moe::Model;
use moe_theory::patterns::Sampler;
use moe_theory::prune::quantise::{fewest_bits, quantised};
use moe_theory::record::rows::RunBody;
use moe_theory::record::{ExpertRow, PruningRow};
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::{Parameters, QuantiserRange};
use moe_theory::sim::{ClaimSpec, Feature, Overrides, Simulation};
use proptest::prelude::*;

const RARE: &str = "data.features=2 data.rare_share=0.25 pruning.fewest_bits=true";

/// The claim that these lines make, in a file where claims about rare features can be judged.
fn claim(lines: &str) -> ClaimSpec {
    let set: Vec<String> = RARE.split_whitespace().map(str::to_owned).collect();
    let text =
        format!("name = \"x\"\n[pruning]\ncriteria = [\"random\"]\n[[claim]]\non = \"all\"\nlevel = 0.9\n{lines}");
    let simulation = Simulation::parse("x.toml", &text, &Overrides { set: &set, seeds: None });
    simulation.unwrap_or_else(|error| panic!("{lines}: {error}")).claims.remove(0)
}

/// Whether a claim holds in a run with these fewest bits (common, rare, irrelevant), and its figure.
fn of_bits(lines: &str, bits: [Option<f64>; 3]) -> (bool, Option<f64>) {
    let [bits_common, bits_rare, bits_irrelevant] = bits;
    let body = RunBody { bits_common, bits_rare, bits_irrelevant, ..RunBody::default() };
    let parameters = point(RARE).parameters;
    let finding = Observation { parameters: &parameters, run: &body, experts: &[], pruning: &[], trajectory: &[] }
        .decision(&claim(lines));
    (finding.holds, finding.figure)
}

#[test]
fn claims_about_bits_hold_on_the_right_side_of_their_thresholds() {
    let bits = |common, rare, irrelevant| [Some(common), Some(rare), Some(irrelevant)];
    assert_eq!(of_bits("id = \"Q2\"", bits(2.0, 2.25, 9.0)), (true, Some(0.25)));
    assert_eq!(of_bits("id = \"Q2\"", bits(2.0, 2.0, 9.0)), (false, Some(0.0)));
    assert_eq!(of_bits("id = \"Q2\"", bits(3.0, 2.0, 9.0)), (false, Some(-1.0)));
    // At α = 1/4 the rule says log₂ 3 = 1.585 bits more.
    let q3 = "id = \"Q3\"\nthreshold = 0.5";
    for (rare, holds) in [(3.0, false), (3.1, true), (4.0, true), (4.2, false), (1.0, false)] {
        let (found, figure) = of_bits(q3, bits(2.0, rare, 9.0));
        assert_eq!(found, holds, "{rare}");
        assert!(figure.is_some_and(|off| (off - (rare - 2.0 - 3f64.log2())).abs() < 1e-12));
    }
    assert_eq!(of_bits("id = \"Q4\"", bits(2.0, 9.0, 2.0)), (true, Some(0.0)));
    assert_eq!(of_bits("id = \"Q4\"", bits(2.0, 1.0, 2.25)), (false, Some(0.25)));
    for id in ["Q2", "Q4", "Q3\"\nthreshold = \"16"] {
        let lines = format!("id = \"{id}\"").replace("\"16\"", "16");
        assert_eq!(of_bits(&lines, [None, Some(1.0), Some(1.0)]), (false, None), "{id}");
        assert_eq!(of_bits(&lines, [Some(1.0), None, None]), (false, None), "{id}");
    }
}

fn pruned(criterion: Criterion, kept: usize, [all, common, rare]: [f64; 3]) -> PruningRow {
    PruningRow {
        criterion,
        kept,
        ratio: (4 - kept) as f64 / 4.0,
        accuracy: Some(all),
        accuracy_common: Some(common),
        accuracy_rare: Some(rare),
        errors: Some((1000.0 * (1.0 - all)).round() as u64),
        samples: Some(1000),
        ..PruningRow::default()
    }
}

#[test]
fn the_fall_is_taken_where_as_many_experts_are_left_as_serve_the_common_features() {
    let expert = |role, feature, built_feature| ExpertRow {
        role,
        built_role: role,
        feature,
        built_feature,
        ..ExpertRow::default()
    };
    // Two common ones by measured roles, one by built roles.
    let experts = [
        expert(Role::Relevant, Some(0), Some(0)),
        expert(Role::Relevant, Some(0), Some(1)),
        expert(Role::Relevant, Some(1), Some(1)),
        expert(Role::Irrelevant, None, None),
    ];
    let falls = [(4, 0.9), (3, 0.85), (2, 0.8), (1, 0.4)];
    let pruning = falls.map(|(kept, all)| pruned(Criterion::RouterNormChange, kept, [all, 1.0, 1.0]));
    let parameters = point(RARE).parameters;
    let body = RunBody::default();
    let finding = |lines: &str| {
        let found =
            Observation { parameters: &parameters, run: &body, experts: &experts, pruning: &pruning, trajectory: &[] }
                .decision(&claim(&format!("id = \"Q1\"\n{lines}")));
        (found.holds, found.figure.map(|figure| (figure * 1e9).round() / 1e9))
    };
    assert_eq!(finding("threshold = 0.39"), (true, Some(0.4)));
    assert_eq!(finding("threshold = 0.41"), (false, Some(0.4)));
    assert_eq!(finding("threshold = 1\nroles = \"built\""), (true, Some(2.0)));
}

/// `threshold`·α is the product of two decimals: so many errors more are a fall by at least it, one fewer are not.
#[test]
fn a_fall_by_exactly_the_threshold_is_one_at_any_number_of_errors() {
    let expert = |role, feature| ExpertRow { role, feature, ..ExpertRow::default() };
    let experts = [expert(Role::Relevant, Some(0)), expert(Role::Irrelevant, None)];
    for (share, threshold, more, samples) in
        [("0.1", "0.9", 180, 2000), ("0.1", "0.5", 100, 2000), ("0.3", "0.7", 21, 100), ("0.2", "0.1", 6, 300)]
    {
        let rare = format!("data.features=2 data.rare_share={share}");
        let (parameters, body) = (point(&rare).parameters, RunBody::default());
        for before in [0, 1, 2, 3, 17] {
            for (fall, holds) in [(more, true), (more - 1, false)] {
                let row = |kept: usize, errors: u64| PruningRow {
                    criterion: Criterion::RouterNormChange,
                    kept,
                    accuracy: Some(Errors { errors, samples }.accuracy()),
                    errors: Some(errors),
                    samples: Some(samples),
                    ..PruningRow::default()
                };
                let pruning = [row(2, before), row(1, before + fall)];
                let found = Observation {
                    parameters: &parameters,
                    run: &body,
                    experts: &experts,
                    pruning: &pruning,
                    trajectory: &[],
                }
                .decision(&claim(&format!("id = \"Q1\"\nthreshold = {threshold}")));
                assert_eq!(found.holds, holds, "{before} + {fall} of {samples} at {threshold}·{share}");
            }
        }
    }
}

#[test]
fn a_comparison_looks_at_the_samples_that_it_names() {
    let rows = [
        pruned(Criterion::RouterNormChange, 4, [1.0, 1.0, 1.0]),
        pruned(Criterion::RouterNormChange, 3, [0.9, 0.8, 0.95]),
        pruned(Criterion::Random, 4, [1.0, 1.0, 1.0]),
        pruned(Criterion::Random, 3, [0.9, 1.0, 0.75]),
    ];
    let experts: [ExpertRow; 4] = std::array::from_fn(|_| ExpertRow::default());
    let (parameters, body) = (point(RARE).parameters, RunBody::default());
    let evidence =
        Observation { parameters: &parameters, run: &body, experts: &experts, pruning: &rows, trajectory: &[] };
    let seen = |feature: Option<Feature>| {
        let line = feature.map(|feature| format!("feature = \"{feature}\"")).unwrap_or_default();
        let claim = claim(&format!("id = \"C1\"\nagainst = \"random\"\nratio = 0.25\n{line}"));
        let seen = evidence.comparison(&claim);
        (seen.worse, seen.better)
    };
    assert_eq!(seen(None), (false, false));
    assert_eq!(seen(Some(Feature::Common)), (true, false));
    assert_eq!(seen(Some(Feature::Rare)), (false, true));
}

proptest! {
    /// The rule's premise: with one range for all, weights that are 2^j times smaller need j bits more before they stop
    /// being 0; with a range of their own none.
    #[test]
    fn a_weight_that_is_smaller_by_j_powers_of_two_needs_j_bits_more(level in 0.005f64..0.04, j in 0u32..5) {
        let small = level / f64::from(j).exp2();
        let mut neurons = vec![level; 8];
        neurons.extend([small; 8]);
        neurons.extend([1.0; 8]);
        let model = Model {
            patterns: 8,
            neurons_per_expert: 1,
            tokens_per_expert: 2,
            signs: vec![1.0, -1.0, 1.0],
            routers: vec![0.0; 24],
            neurons,
        };
        let bits = |expert: usize, range| {
            let is_heard = |levels| quantised(&model, &[expert], levels, range).expert_neurons(expert)[0] > 0.0;
            fewest_bits(16, is_heard).unwrap_or(f64::INFINITY)
        };
        let layer = bits(1, QuantiserRange::Layer) - bits(0, QuantiserRange::Layer);
        prop_assert!((layer - f64::from(j)).abs() <= 0.4, "{layer} for {j}");
        prop_assert_eq!(bits(1, QuantiserRange::Expert), bits(0, QuantiserRange::Expert));
    }
}

/// In whole runs: the bits written are those from which on the experts of that role keep both accuracies.
#[test]
fn the_bits_of_a_run_are_the_least_that_keep_both_accuracies() {
    let settings = "data.features=2 data.rare_share=0.3 data.patterns=32 data.tokens=8 model.experts=10 \
                    model.neurons=4 model.tokens_per_expert=3 pretrained.relevant_per_class=1 \
                    pretrained.rare_per_class=1 pretrained.twins=1 pretrained.neuron_scale=0.01 training.batch=32 \
                    training.iterations=12 training.expert_rate=0.4 evaluation.samples=400 pruning.range=layer \
                    pruning.fewest_bits=true roles.proficiency_samples=50";
    let mut compared = 0;
    for seed in 0..6 {
        let point = point(settings);
        let record = run(&point, seed, 5, EngineChoice::Auto);
        let trained = trained(&point.parameters, record.run.head.seed);
        let errors = |model: &Model| errors(model, &point.parameters, record.run.head.seed);
        let before = errors(&trained);
        let of = |wanted: &dyn Fn(&ExpertRow) -> bool| -> Vec<usize> {
            record.experts.iter().filter(|row| wanted(row)).map(|row| row.expert).collect()
        };
        let body = &record.run.body;
        let groups = [
            (body.bits_common, of(&|row| row.role == Role::Relevant && row.feature == Some(0))),
            (body.bits_rare, of(&|row| row.role == Role::Relevant && row.feature == Some(1))),
            (body.bits_irrelevant, of(&|row| row.role == Role::Irrelevant)),
        ];
        for (bits, experts) in groups {
            let keeps = |levels: usize| {
                let after = errors(&quantised(&trained, &experts, levels, QuantiserRange::Layer));
                let lost = |a: f64, b: f64| a - b <= 0.01 + 1e-12;
                lost(before.common().accuracy(), after.common().accuracy())
                    && lost(before.rare.accuracy(), after.rare.accuracy())
            };
            let Some(bits) = bits else { continue };
            let levels = bits.exp2().round() as usize;
            assert!(keeps(levels), "seed {seed}: {bits} bits");
            let fewer = (0..48).map(|quarters| (f64::from(quarters) / 4.0).exp2().round() as usize);
            if let Some(fewer) = fewer.filter(|&fewer| fewer < levels && fewer >= 2).max() {
                // A whole bit below is not looked at by quarters.
                let whole = 1 << ((bits - 1e-9).floor() as u32);
                assert!(
                    !keeps(fewer) || (whole >= 2 && !keeps(whole)),
                    "seed {seed}: {bits} bits, and {fewer} levels keep"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 8, "{compared}");
}

fn trained(parameters: &Parameters, seed: u64) -> Model {
    let pretrained = moe_theory::systems::starts::pretrained(parameters, seed, EngineChoice::Auto).expect("finite");
    let mut engine = EngineChoice::Auto.build(&pretrained.model, parameters, seed);
    let mut sampler = Sampler::of_training(parameters, seed);
    let schedule = moe_theory::sgd::train::Schedule::training(parameters);
    moe_theory::sgd::train(engine.as_mut(), &mut sampler, schedule, &mut []);
    engine.model()
}

fn errors(model: &Model, parameters: &Parameters, seed: u64) -> FeatureErrors {
    let mut engine = EngineChoice::Auto.build(model, parameters, seed);
    feature_errors(engine.as_mut(), &mut Sampler::evaluation(&parameters.data, seed), parameters.evaluation.samples)
}

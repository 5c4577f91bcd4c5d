//! The keys: legal values, expressions, and keys that contradict each other.

use crate::{NAME, accepted, read, refused};
use moe_theory::sim::{KEYS, Kind, Overrides, Parameters, Simulation, resolved_keys};
use proptest::prelude::*;

#[test]
fn every_field_of_the_parameters_is_a_key_and_every_key_a_field() {
    let (_, points) = accepted("", &[]);
    let fields: Vec<String> = resolved_keys(&points[0].parameters).into_iter().map(|(path, _)| path).collect();
    assert_eq!(fields, KEYS.iter().map(|key| key.path.to_string()).collect::<Vec<_>>());
}

/// What some words need beside them.
const NEEDS: [(&str, &[&str]); 13] = [
    ("model.system=moebert", &["model.teacher_neurons=128"]),
    ("model.gate=attentive", &["model.system=attentive-gate", "pruning.criterion=mass"]),
    ("model.gate=hash", &["model.system=moebert", "model.teacher_neurons=128", "pruning.criterion=mass"]),
    ("training.distance=bag", &["model.system=attentive-gate"]),
    ("training.distance=shuffled", &["model.system=attentive-gate"]),
    ("pretrained.deal=random", &["model.system=moebert", "model.teacher_neurons=128"]),
    ("pretrained.deal=inverse", &["model.system=moebert", "model.teacher_neurons=128"]),
    ("model.system=peer", &["model.experts_per_token=2"]),
    ("model.merging=causal", &["model.system=smear", "data.segments=2"]),
    ("model.merging=prefix", &["model.system=smear", "data.segments=2"]),
    (
        "pretrained.placement=one-row",
        &["model.system=peer", "model.experts_per_token=2", "model.experts=16", "model.grid_columns=4"],
    ),
    ("training.member_loss=own", &["model.groups=2"]),
    ("model.capacity_rounding=up-to-fours", &["model.routing=token-choice", "model.capacity=1"]),
];

#[test]
fn every_word_of_every_choice_is_a_variant_of_the_parameters() {
    for key in KEYS {
        let Kind::Choice(words) = key.kind else { continue };
        for word in words {
            let own = format!("{}={word}", key.path);
            let needs = NEEDS.iter().find(|(setting, _)| *setting == own).map_or(&[][..], |(_, needs)| needs);
            let (_, points) = accepted("", &[&[&own, "pruning.finetune_kept=[3]"], needs].concat());
            let resolved = resolved_keys(&points[0].parameters);
            assert!(resolved.contains(&(key.path.to_string(), word.to_string())), "{} = {word}", key.path);
        }
    }
}

#[test]
fn scales_follow_the_general_scale_unless_they_are_set() {
    let (_, points) = accepted("[pretrained]\nneuron_scale = 0.3\nrouter_scale = 2\nneuron_scale_relevant = 0.7", &[]);
    let pretrained = &points[0].parameters.pretrained;
    assert_eq!((pretrained.neuron_scale_misaligned, pretrained.router_scale_relevant), (0.3, 2.0));
    assert_eq!(pretrained.neuron_scale_relevant, 0.7);
}

#[test]
fn an_expression_follows_each_point_and_an_integer_takes_the_nearest() {
    let text = "[training]\nbatch = \"patterns^2/1000\"\niterations = \"60/router_rate\"\n\
                [grid]\n\"data.patterns\" = [64, 128, 256]";
    let (_, points) = accepted(text, &[]);
    let batches: Vec<usize> = points.iter().map(|point| point.parameters.training.batch).collect();
    assert_eq!(batches, [4, 16, 66]);
    assert!(points.iter().all(|point| point.parameters.training.iterations == 300));
}

#[test]
fn expressions_may_use_expressions() {
    let (_, points) = accepted("[training]\nbatch = \"2*tokens\"\niterations = \"batch+1\"\n[data]\ntokens = 5", &[]);
    assert_eq!(points[0].parameters.training.iterations, 11);
}

#[test]
fn fails_on_a_value_outside_its_range_or_of_the_wrong_type() {
    for (text, problem) in [
        ("[data]\npatterns = 3", "data.patterns = 3: must be an integer from 4 to 65536"),
        ("[data]\npatterns = 12.5", "data.patterns = 12.5: must be an integer from 4 to 65536"),
        ("[data]\npatterns = -1", "data.patterns = -1: must be an integer from 4 to 65536"),
        ("[data]\npatterns = true", "data.patterns = true: must be an integer from 4 to 65536"),
        ("[data.patterns]\nx = 1", "data.patterns = {…}: must be an integer from 4 to 65536"),
        ("[training]\nrouter_rate = -0.1", "training.router_rate = -0.1: must be a number from 0 to 1000000"),
        ("[training]\nrouter_rate = nan", "training.router_rate = nan: must be a number from 0 to 1000000"),
        ("[data]\nreplacement = 1", "data.replacement = 1: must be true or false"),
        ("[data]\nbasis = \"har\"", "data.basis = \"har\": must be one of \"canonical\", \"haar\""),
        ("[model]\nrouting = \"hash\"", "model.routing = \"hash\": must be one of \"expert-choice\", \"token-choice\""),
        (
            "[pruning]\nfinetune_kept = [0]",
            "pruning.finetune_kept = [0]: must be \"all\" or a list of numbers of experts, each from 1 to model.experts",
        ),
        (
            "[model]\ntokens_per_expert = 1",
            "model.tokens_per_expert = 1: must be an integer from 2 to 4096 (with l = 1 the gate is constant and the \
             router never moves)",
        ),
        ("seeds = 0", "seeds = 0: must be an integer from 1 to 1000000000"),
        ("aims = 3", "aims = 3: must be a string"),
        ("data = 3", "data = 3: must be a table"),
        ("grid = 3", "grid = 3: must be a table"),
        ("claim = 3", "claim = 3: must be tables [[claim]]"),
        ("phase = 3", "phase = 3: must be tables [[phase]]"),
        ("case = [3]", "case 1 = 3: must be a table"),
    ] {
        assert_eq!(refused(text, &[]), format!("sims/x.toml: {problem}"));
    }
}

#[test]
fn fails_on_an_expression_that_cannot_be_read() {
    assert_eq!(
        refused("[training]\nbatch = \"patern^2\"", &[]),
        "sims/x.toml: training.batch = \"patern^2\": unknown variable patern; the nearest is patterns"
    );
    assert_eq!(
        refused("[training]\nbatch = \"basis\"", &[]),
        "sims/x.toml: training.batch = \"basis\": a number is needed here; this is a word"
    );
    assert_eq!(
        refused("", &["training.batch=2*"]),
        "--set training.batch = \"2*\": the expression ends where a number, a name or a parenthesis was expected"
    );
}

#[test]
fn fails_on_expressions_that_form_a_cycle_and_names_it() {
    assert_eq!(
        refused("[data]\npatterns = \"4*tokens\"\ntokens = \"batch/8\"\n[training]\nbatch = \"patterns\"", &[]),
        "sims/x.toml: data.patterns = \"4*tokens\": the expressions form a cycle: patterns -> tokens -> batch -> patterns"
    );
    assert_eq!(
        refused("", &["training.batch=batch+1"]),
        "--set training.batch = \"batch+1\": the expressions form a cycle: batch -> batch"
    );
    assert_eq!(
        refused("[pretrained]\nneuron_scale = \"neuron_scale_relevant\"", &[]),
        "sims/x.toml: pretrained.neuron_scale = \"neuron_scale_relevant\": the expressions form a cycle: neuron_scale \
         -> neuron_scale_relevant -> neuron_scale"
    );
}

#[test]
fn fails_on_an_expression_whose_value_is_illegal_and_names_the_point() {
    assert_eq!(
        refused("[training]\nbatch = \"patterns^2/0\"", &[]),
        "sims/x.toml: training.batch = \"patterns^2/0\" = inf: must be an integer from 1 to 1000000"
    );
    assert_eq!(
        refused("[training]\nbatch = \"patterns^2\"\n[grid]\n\"data.patterns\" = [64, 1024]", &[]),
        "sims/x.toml: training.batch = \"patterns^2\" = 1048576: must be an integer from 1 to 1000000; at patterns = 1024"
    );
}

/// Values beyond either end of every numeric key, and the largest that can be written: refused with the key and its range,
/// whether they stand in a file or in an override.
#[test]
fn fails_on_a_value_beyond_the_end_of_any_range() {
    for key in KEYS {
        let (range, beyond) = match key.kind {
            Kind::Integer { low, high } => {
                let below = low.checked_sub(1).map_or("-1".to_owned(), |below| below.to_string());
                (
                    format!("an integer from {low} to {high}"),
                    [below, (high + 1).to_string(), "1000000000000".to_owned()],
                )
            }
            Kind::Real { low, high, .. } => {
                let step = |end: f64| 1e-9 * end.abs().max(1.0);
                let beyond = [low - step(low), high + step(high), f64::MAX].map(|value| format!("{value:e}"));
                ("a number ".to_owned(), beyond)
            }
            _ => continue,
        };
        let (section, name) = key.path.split_once('.').expect("a section");
        for value in beyond {
            let in_file = refused(&format!("[{section}]\n{name} = {value}"), &[]);
            let in_override = refused("", &[&format!("{}={value}", key.path)]);
            for refusal in [&in_file, &in_override] {
                assert!(refusal.contains(&format!("{} = ", key.path)), "{refusal}");
                assert!(refusal.contains(&format!(": must be {range}")), "{value}: {refusal}");
            }
        }
    }
}

#[test]
fn fails_on_keys_that_contradict_each_other() {
    for (set, problem) in [
        ("model.experts=7", "model.experts = 7: must be even, half of each sign"),
        ("model.tokens_per_expert=17", "model.tokens_per_expert = 17: must be from 2 to 16, because data.tokens = 16"),
        (
            "data.patterns=16",
            "data.patterns = 16: must be at least 17, because data.tokens = 16 and data.replacement = false",
        ),
        (
            "pretrained.relevant_per_class=9",
            "pretrained.relevant_per_class = 9: must be from 0 to 8, because model.experts = 16",
        ),
        (
            "pretrained.misaligned=13",
            "pretrained.misaligned = 13: must be from 0 to 12, because pretrained.relevant_per_class = 2 and \
             model.experts = 16",
        ),
        (
            "pretrained.special_patterns=127",
            "pretrained.special_patterns = 127: must be from 0 to 126, because data.patterns = 128",
        ),
        ("data.label_noise=1.5", "data.label_noise = 1.5: must be a number from 0 to 1"),
        ("record.half_batches=1", "record.half_batches = 1: must be true or false"),
        (
            "pruning.finetune_kept=[4, 17]",
            "pruning.finetune_kept = [4, 17]: must hold numbers from 1 to 16, because model.experts = 16",
        ),
    ] {
        assert_eq!(refused("", &[set]), format!("--set {problem}"));
    }
    assert!(read(&format!("{NAME}[data]\nreplacement = true\npatterns = 16"), &[]).is_ok());
}

#[test]
fn fails_on_a_run_that_needs_too_much_memory() {
    assert_eq!(
        refused("[data]\npatterns = 65536\n[model]\nneurons = 1024", &[]),
        "sims/x.toml: model.neurons = 1024: must leave the state of one run within 8 GiB (it would take 24.1 GiB), \
         because model.experts = 16 and data.patterns = 65536"
    );
    assert_eq!(
        refused("[training]\nbatch = 1000000\n[data]\nnoise = 0.5", &[]),
        "sims/x.toml: training.batch = 1000000: must leave the noise of one batch within 8 GiB (it would take 15.3 GiB), \
         because data.tokens = 16, data.patterns = 128 and data.noise = 0.5"
    );
    assert_eq!(
        refused("[data]\npatterns = 65536\nbasis = \"haar\"", &[]),
        "sims/x.toml: data.patterns = 65536: must leave the basis within 8 GiB (it would take 32.0 GiB), because \
         data.basis = haar"
    );
}

#[test]
fn half_batches_need_an_even_batch_at_every_point() {
    accepted("[record]\nhalf_batches = true\n[training]\nbatch = 2", &[]);
    accepted("[training]\nbatch = 3", &[]);
    assert_eq!(
        refused("[record]\nhalf_batches = true\n[grid]\n\"training.batch\" = [4, 3]", &[]),
        "sims/x.toml: grid: training.batch = 3: must be even, because record.half_batches = true; at batch = 3"
    );
}

/// Parameters of a point whose keys have legal values that do not contradict each other.
fn legal_settings() -> impl Strategy<Value = Vec<String>> {
    let rates = (0.0..1e6f64, 1e-9..1.0f64, -1e3..1e3f64, 0.0..=1.0f64);
    let sizes = (2..40usize, 1..20usize, 1..100usize, 0..100_000_000usize);
    (rates, sizes, any::<bool>(), prop::sample::select(vec!["canonical", "haar"])).prop_map(
        |((router, expert, scale, share), (tokens, half, neurons, iterations), replacement, basis)| {
            vec![
                format!("training.router_rate={router}"),
                format!("training.expert_rate={expert}"),
                format!("pretrained.router_scale={scale}"),
                format!("data.class_share={share}"),
                format!("data.tokens={tokens}"),
                "model.tokens_per_expert=2".into(),
                format!("model.experts={}", 2 * half),
                format!("pretrained.relevant_per_class={}", half / 2),
                format!("model.neurons={neurons}"),
                format!("training.iterations={iterations}"),
                format!("data.replacement={replacement}"),
                format!("data.basis={basis}"),
            ]
        },
    )
}

fn parameters(set: &[String]) -> Result<Parameters, String> {
    let simulation = Simulation::parse("x.toml", NAME, &Overrides { set, seeds: None });
    let points = simulation.and_then(|simulation| simulation.points()).map_err(|error| error.to_string())?;
    Ok(points[0].parameters.clone())
}

proptest! {
    #[test]
    fn legal_values_are_read_and_their_resolved_keys_give_them_again(set in legal_settings()) {
        let first = parameters(&set);
        prop_assert!(first.is_ok(), "{first:?}");
        let resolved: Vec<String> = first.iter().flat_map(resolved_keys).map(|(key, value)| format!("{key}={value}")).collect();
        prop_assert_eq!(parameters(&resolved), first);
    }

    #[test]
    fn a_number_outside_its_range_is_refused(key in prop::sample::select(KEYS), excess in 1.0..1e6f64) {
        let (low, high) = match key.kind {
            Kind::Integer { low, high } => (low as f64, high as f64),
            Kind::Real { low, high, .. } => (low, high),
            _ => return Ok(()),
        };
        for number in [low - excess, high + excess] {
            let set = [format!("{}={number:?}", key.path)];
            let found = parameters(&set);
            prop_assert!(found.as_ref().is_err_and(|message| message.contains(&key.legal())), "{:?} {:?}", set, found);
        }
    }
}

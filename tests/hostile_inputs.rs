//! Files that are damaged, cut or hostile: one clear refusal or an answer, never a panic, whatever the bytes.

mod cli_common;

use cli_common::Bench;
use moe_theory::sim::{Overrides, SHIPPED, Simulation, resolved_keys, run_seed};
use proptest::prelude::*;
use std::fs;

/// Values that no key takes, or only a few.
const HOSTILE: [&str; 14] = [
    "1000000000000",
    "-1",
    "0",
    "1e308",
    "-0.0",
    "nan",
    "inf",
    "9223372036854775807",
    "\"\"",
    "[]",
    "{}",
    "true",
    "\"patterns^patterns^9\"",
    "{ from = 1, to = 1e9, steps = 1000000000 }",
];

/// One way to damage a text of lines.
#[derive(Clone, Debug)]
enum Damage {
    /// The value of a line becomes a hostile one.
    Value(prop::sample::Index, usize),
    /// A line goes, or comes twice.
    Line(prop::sample::Index, bool),
    /// The text ends early.
    Cut(prop::sample::Index),
    /// A character becomes another.
    Character(prop::sample::Index, char),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), 0..HOSTILE.len()).prop_map(|(line, value)| Damage::Value(line, value)),
        2 => (index(), any::<bool>()).prop_map(|(line, twice)| Damage::Line(line, twice)),
        1 => index().prop_map(Damage::Cut),
        2 => (index(), any::<char>()).prop_map(|(place, character)| Damage::Character(place, character)),
    ]
}

fn damaged(text: &str, damages: &[Damage]) -> String {
    let mut text = text.to_owned();
    for damage in damages {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.is_empty() {
            break;
        }
        text = match damage {
            Damage::Value(line, value) => {
                let line = line.index(lines.len());
                if let Some((key, _)) = lines[line].split_once('=') {
                    lines[line] = format!("{key}= {}", HOSTILE[*value]);
                }
                lines.join("\n")
            }
            Damage::Line(line, twice) => {
                let line = line.index(lines.len());
                if *twice {
                    lines.insert(line, lines[line].clone())
                } else {
                    _ = lines.remove(line)
                }
                lines.join("\n")
            }
            Damage::Cut(place) => text.chars().take(place.index(text.chars().count())).collect(),
            Damage::Character(place, character) => {
                let place = place.index(text.chars().count());
                text.chars().enumerate().map(|(at, old)| if at == place { *character } else { old }).collect()
            }
        };
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_damaged_simulation_is_refused_in_one_line_or_has_legal_points(
        shipped in 0..SHIPPED.len(), damages in prop::collection::vec(damage(), 1..4),
    ) {
        let text = damaged(SHIPPED[shipped].text, &damages);
        match Simulation::parse("damaged.toml", &text, &Overrides::default()) {
            Err(refusal) => {
                let refusal = refusal.to_string();
                // Of an expression its text and a mark below the place follow.
                let lines: Vec<&str> = refusal.lines().collect();
                let is_marked = lines.len() == 3 && lines[2].trim_start().chars().all(|mark| mark == '^');
                prop_assert!(!refusal.is_empty() && (lines.len() == 1 || is_marked), "{:?}", refusal);
            }
            Ok(simulation) => {
                let points = simulation.points().expect("what was parsed has its points");
                for point in points.iter().take(3) {
                    prop_assert!(!resolved_keys(&point.parameters).is_empty());
                    run_seed(0, &point.parameters, 0);
                }
            }
        }
    }
}

/// Bytes with a few of them changed, or cut off.
fn changed(original: &[u8], changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for (place, byte) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(original.len()));
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
}

/// The program ended by itself, with an answer or with one line that says why not.
fn answers(bench: &Bench, arguments: &str) -> Result<(), TestCaseError> {
    let done = bench.simulate(arguments);
    prop_assert!(matches!(done.status, Some(0 | 2)), "{}: {:?}, {}", arguments, done.status, done.stderr);
    if done.status == Some(2) {
        prop_assert!(done.stderr.starts_with("simulate: ") && done.stderr.lines().count() == 1, "{}", done.stderr);
    }
    Ok(())
}

#[test]
fn a_damaged_model_is_refused_or_judged() {
    let bench = Bench::new();
    bench.succeeds("trace tiny.toml --out model.safetensors");
    let original = fs::read(bench.path("model.safetensors")).expect("a trace");
    // The head, with names, shapes and keys, is a small part of the file: half of the changes go there.
    let head = 8 + u64::from_le_bytes(original[..8].try_into().expect("8 bytes")) as usize;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(80)
    });
    let inputs = (changes(), prop::option::weighted(0.2, any::<prop::sample::Index>()), any::<bool>());
    let outcome = runner.run(&inputs, |(changes, cut, in_head)| {
        let mut bytes =
            if in_head { changed(&original[..head], &changes, None) } else { changed(&original, &changes, cut) };
        if in_head {
            bytes.extend(&original[head..]);
        }
        bench.write("damaged.safetensors", &bytes);
        answers(&bench, "certify damaged.safetensors --nodes 3")
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_damaged_result_is_refused_or_shown() {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    let names = ["runs.csv", "experts.csv", "pruning.csv", "trajectory.csv", "claims.csv", "manifest.json"];
    let original = names.map(|name| fs::read(bench.path(&format!("made/{name}"))).expect("a table"));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(60)
    });
    let inputs = (0..names.len(), changes(), prop::option::weighted(0.3, any::<prop::sample::Index>()));
    let outcome = runner.run(&inputs, |(file, changes, cut)| {
        bench.write(&format!("made/{}", names[file]), changed(&original[file], &changes, cut));
        let answered = ["judge made", "report made", "criteria made", "merge made --out merged"];
        let outcome = answered.into_iter().try_for_each(|arguments| answers(&bench, arguments));
        bench.write(&format!("made/{}", names[file]), &original[file]);
        outcome
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

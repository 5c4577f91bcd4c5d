//! Expressions beside what `evaluate.py` makes of them, which shares nothing with the program.

use crate::simulation;
use moe_theory::claims::Observation;
use moe_theory::record::rows::{ExpertRow, PruningRow, RunBody};
use moe_theory::record::tables;
use serde_json::Value;

/// Expressions that stand in one file.
const AT_ONCE: usize = 50;

/// The cases of the repository, or of the file that `LANGUAGE_CASES` names.
fn cases() -> Value {
    let path = std::env::var("LANGUAGE_CASES").unwrap_or_else(|_| "tests/language/cases.json".to_owned());
    serde_json::from_str(&std::fs::read_to_string(path).expect("the cases")).expect("JSON")
}

fn rows<T: serde::de::DeserializeOwned>(run: &Value, table: &str) -> Vec<T> {
    tables::read(run[table].as_str().expect("a table").as_bytes()).expect("rows")
}

/// A claim whose condition or figure is the expression.
fn claim(place: usize, case: &Value) -> String {
    let (kind, text) = (case[0].as_str().expect("a kind"), case[2].as_str().expect("a text"));
    let text = serde_json::to_string(text).expect("a string");
    let body =
        if kind == "condition" { format!("holds = {text}") } else { format!("holds = \"true\"\nfigure = {text}") };
    format!("[[claim]]\nid = \"c{place}\"\n{body}\n")
}

fn is_as_expected(expected: &Value, found: Option<f64>) -> bool {
    let Some(expected) = expected.as_str() else { return found.is_none() };
    let expected: f64 = expected.parse().expect("a float");
    // Logarithms and exponentials are another library's there.
    found.is_some_and(|found| found == expected || (found - expected).abs() <= 1e-9 * expected.abs())
}

#[test]
fn expressions_have_the_values_that_an_independent_evaluation_gives() {
    let cases = cases();
    let mut compared = 0;
    for run in cases["runs"].as_array().expect("runs") {
        let (experts, pruning): (Vec<ExpertRow>, Vec<PruningRow>) = (rows(run, "experts"), rows(run, "pruning"));
        let body = RunBody::default();
        for cases in run["cases"].as_array().expect("cases").chunks(AT_ONCE) {
            let claims: String = cases.iter().enumerate().map(|(place, case)| claim(place, case)).collect();
            let settings = "[data]\nrare_share = 0.1\nfeatures = 2\n[pruning]\ncriteria = [\"reap\"]\n";
            let (simulation, points) = simulation(&format!("{settings}{claims}")).expect("legal");
            let mut parameters = points[0].parameters.clone();
            parameters.model.experts = experts.len();
            let observation = Observation {
                parameters: &parameters,
                run: &body,
                experts: &experts,
                pruning: &pruning,
                trajectory: &[],
            };
            for (case, claim) in cases.iter().zip(&simulation.claims) {
                let found = observation.decision(claim);
                let agrees = match case[0].as_str() {
                    Some("condition") => case[1].as_bool() == (!found.missing).then_some(found.holds),
                    _ => is_as_expected(&case[1], found.figure),
                };
                assert!(agrees, "{case}: {found:?}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 1000, "{compared}");
}

//! What is undefined at some points of a result, in words.

use super::labels::Labels;
use super::results::Results;
use crate::record::manifest::ManifestPoint;
use crate::sim::parameters::Gate;
use std::collections::BTreeMap;

/// A sentence for each reason why Δ is undefined at some points, with these.
pub(crate) fn sentences(results: &Results) -> Vec<String> {
    of_points(&results.manifest.points, &results.labels())
}

fn of_points(points: &[ManifestPoint], labels: &Labels) -> Vec<String> {
    let is_one = points.len() == 1;
    let mut at: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for point in points {
        if let Some(gate) = point.parameters.get("model.gate") {
            at.entry(gate).or_default().push(labels.words(point.point));
        }
    }
    let sentence = |(gate, points): (&str, Vec<String>)| {
        let why = Gate::ALL.iter().find(|known| known.name() == gate)?.without_router()?;
        let place = if is_one { String::new() } else { format!(" (at {})", points.join("; ")) };
        Some(format!("Δ is undefined here{place}, because model.gate = {gate}: {why}."))
    };
    at.into_iter().filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(point: usize, gate: &str) -> ManifestPoint {
        let parameters = BTreeMap::from([("model.gate".to_owned(), gate.to_owned())]);
        ManifestPoint { point, case: String::new(), seeds: 1, parameters }
    }

    #[test]
    fn a_gate_without_routers_is_named_with_its_points_and_another_is_not() {
        let points = [point(0, "hash"), point(1, "ordinary"), point(2, "hash")];
        let found = of_points(&points, &Labels::default());
        let why = "because model.gate = hash: hash routing has a table, and no router of an expert.";
        assert_eq!(found, [format!("Δ is undefined here (at point 0; point 2), {why}")]);
        assert_eq!(of_points(&points[..1], &Labels::default()), [format!("Δ is undefined here, {why}")]);
        assert!(of_points(&points[1..2], &Labels::default()).is_empty());
    }
}

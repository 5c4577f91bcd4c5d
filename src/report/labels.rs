//! What tells grid points, and the parts of a claim, from one another, in the words of the sweep.

use super::numbers::{minus, six_digits};
use crate::record::ClaimRow;
use crate::sim::keys::KEYS;
use crate::sim::{Part, Point};
use std::collections::{BTreeMap, BTreeSet};

/// What tells a grid point from the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PointLabel {
    /// The case; empty if there is none.
    pub case: String,
    /// The swept keys that differ between the points of its case, by their last part, with their values there.
    pub varying: Vec<(String, String)>,
}

impl PointLabel {
    /// The label in words: `linear, d = 512`; empty for the only point.
    pub(crate) fn words(&self) -> String {
        let case = (!self.case.is_empty()).then(|| self.case.clone());
        let varying = self.varying.iter().map(|(name, value)| equation(name, value));
        case.into_iter().chain(varying).collect::<Vec<_>>().join(", ")
    }
}

/// What stands above the claims of a case; those without one are judged at the points of all.
pub(crate) fn heading(case: &str) -> String {
    if case.is_empty() { "all cases".to_owned() } else { format!("case {case}") }
}

/// `d = 512`.
fn equation(name: &str, value: &str) -> String {
    format!("{} = {}", symbol(name), minus(&six_digits(value)))
}

/// The symbol of a key's last part, or the part itself.
fn symbol(name: &str) -> &str {
    let key = KEYS.iter().find(|key| key.path.rsplit('.').next() == Some(name));
    key.map(|key| key.symbol).filter(|symbol| !symbol.is_empty()).unwrap_or(name)
}

/// The labels of all points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<usize, PointLabel>);

impl Labels {
    /// Of a simulation's points.
    pub fn of(points: &[Point]) -> Self {
        let swept = |point: &Point| point.swept.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Self::new(points.iter().map(|point| (point.index, swept(point))).collect())
    }

    /// Of points with their swept columns, `case` among them. Within a case only the keys count that differ there.
    pub(crate) fn new(points: Vec<(usize, Vec<(String, String)>)>) -> Self {
        let case = |swept: &[(String, String)]| {
            swept.iter().find(|(name, _)| name == "case").map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let mut values: BTreeMap<(String, &str), BTreeSet<&str>> = BTreeMap::new();
        for (_, swept) in &points {
            for (name, value) in swept {
                values.entry((case(swept), name)).or_default().insert(value);
            }
        }
        let differs =
            |case: &str, name: &str| values.get(&(case.to_owned(), name)).is_some_and(|found| found.len() > 1);
        let label = |swept: &[(String, String)]| {
            let case = case(swept);
            let varying = swept.iter().filter(|(name, _)| name != "case" && differs(&case, name)).cloned().collect();
            PointLabel { case, varying }
        };
        Self(points.iter().map(|(point, swept)| (*point, label(swept))).collect())
    }

    /// A point in words: `linear, d = 512`; its number where that says nothing.
    pub fn words(&self, point: usize) -> String {
        let words = self.get(point).map(PointLabel::words).unwrap_or_default();
        if words.is_empty() { format!("point {point}") } else { words }
    }

    /// A point's; nothing of one that is not there.
    pub(crate) fn get(&self, point: usize) -> Option<&PointLabel> {
        self.0.get(&point)
    }

    /// The same in a sentence, with room for what a slope is of.
    pub(crate) fn part_in_words(&self, part: &ClaimRow, parts: &[&ClaimRow]) -> String {
        if part.point.is_some() {
            return self.part(part, parts);
        }
        let words = [part.part.slope_of(), &part.line];
        words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// What tells a part of a claim from the claim's other parts, briefly: `d = 64`, or the slope that it is.
    pub(crate) fn part(&self, part: &ClaimRow, parts: &[&ClaimRow]) -> String {
        let Some(point) = part.point else {
            let name = part.part.short().to_owned();
            return if part.line.is_empty() { name } else { format!("{name}, {}", part.line) };
        };
        let Some(own) = self.get(point) else { return format!("point {point}") };
        let others: Vec<&PointLabel> = parts.iter().filter_map(|part| self.get(part.point?)).collect();
        let mut words: Vec<String> = Vec::new();
        if part.part == Part::Constant {
            words.push("C".to_owned());
        }
        if others.iter().any(|other| other.case != own.case) {
            words.push(own.case.clone());
        }
        let names = telling(&others);
        let values = own.varying.iter().filter(|(name, _)| names.contains(&name.as_str()));
        words.extend(values.map(|(name, value)| equation(name, value)));
        words.join(", ")
    }
}

/// The keys that tell points apart: one alone if it does, d or k before others; else all that differ.
fn telling<'a>(points: &[&'a PointLabel]) -> Vec<&'a str> {
    let value = |point: &PointLabel, name: &str| {
        point.varying.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let values = |name: &str| points.iter().map(|point| value(point, name)).collect::<BTreeSet<String>>().len();
    let points_apart = points.iter().map(|point| format!("{point:?}")).collect::<BTreeSet<_>>().len();
    let Some(first) = points.first() else { return Vec::new() };
    let mut names: Vec<&str> =
        first.varying.iter().map(|(name, _)| name.as_str()).filter(|name| values(name) > 1).collect();
    names.sort_by_key(|name| !matches!(*name, "patterns" | "experts"));
    match names.iter().find(|name| values(name) == points_apart) {
        Some(name) => vec![name],
        None => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        let point = |case: &str, d: &str, scale: &str| {
            [("case", case), ("patterns", d), ("neuron_scale", scale)]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .to_vec()
        };
        let points = [("a", "64", "0.1"), ("a", "128", "0.1"), ("b", "64", "0.1"), ("b", "64", "-0.2")];
        Labels::new(points.iter().enumerate().map(|(place, (case, d, scale))| (place, point(case, d, scale))).collect())
    }

    #[test]
    fn a_point_is_told_by_what_differs_in_its_case() {
        let words = |point: usize| labels().get(point).map(PointLabel::words);
        assert_eq!(words(0).as_deref(), Some("a, d = 64"));
        assert_eq!(words(3).as_deref(), Some("b, s₀ = −0.2"));
        assert_eq!(words(9), None);
    }

    #[test]
    fn a_part_is_told_from_the_other_parts_of_its_claim() {
        let at = |point: usize| ClaimRow { point: Some(point), part: Part::Probability, ..ClaimRow::default() };
        let (first, second, third) = (at(0), at(1), at(2));
        assert_eq!(labels().part(&first, &[&first, &second]), "d = 64");
        assert_eq!(labels().part(&third, &[&first, &third]), "b");
        let slope = ClaimRow { part: Part::SlopeTail, ..ClaimRow::default() };
        assert_eq!(labels().part(&slope, &[&slope]), "tail");
        assert_eq!(labels().part_in_words(&slope, &[&slope]), "last two octaves");
        let of_one_line = ClaimRow { part: Part::Slope, line: "k = 8".into(), ..ClaimRow::default() };
        assert_eq!(labels().part_in_words(&of_one_line, &[&of_one_line]), "k = 8");
    }
}

//! Views of pruned models: accuracy against the pruning ratio, certificates, proven margins.

use super::names::{quantity, ratio};
use super::points::Point;
use crate::measure::Role;
use crate::report::criteria::KEPT;
use crate::report::drawing::palette::{GAMMA, GREY, LIMIT, Look};
use crate::report::drawing::scale::Scale;
use crate::report::drawing::view::{At, Axis, Course, Group, Line, Marker, View};
use crate::report::drawn::{DrawnExpert, DrawnModel};
use crate::report::numbers::sorted_finite;
use crate::stats::{median, quantile};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// More criteria than this are not told apart: the first has a colour, the others are grey.
const FEW: usize = 4;

/// Criteria that keep a colour among many: bounds on what any criterion can do.
const NAMED: [&str; 2] = ["oracle", "random"];

const RATIO: &str = "pruning ratio ρ = 1 − kept/k";

/// Verdicts of certificates.
const CERTIFICATES: [&str; 3] = ["CERTIFIED", "COUNTEREXAMPLE", "UNDECIDED"];

/// Accuracy at one pruning ratio.
pub(in crate::report) struct Level {
    /// ρ.
    pub ratio: f64,
    /// Mean over runs.
    pub mean: f64,
    /// 2.5 % of runs.
    pub low: f64,
    /// 97.5 % of runs.
    pub high: f64,
}

/// The criteria in the order in which they first stand in the file.
pub(in crate::report) fn criteria<'a>(rows: &[&'a DrawnModel]) -> Vec<&'a str> {
    let mut criteria: Vec<&str> = Vec::new();
    for row in rows {
        if !criteria.contains(&&*row.criterion) {
            criteria.push(&row.criterion);
        }
    }
    criteria
}

/// The accuracies of a criterion's models, the unpruned one first.
pub(in crate::report) fn levels(rows: &[&DrawnModel], criterion: &str, finetuned: bool) -> Vec<Level> {
    let mut by_kept: BTreeMap<Reverse<usize>, (f64, Vec<f64>)> = BTreeMap::new();
    for row in rows.iter().filter(|row| *row.criterion == *criterion && row.finetuned == finetuned) {
        let (_, accuracies) = by_kept.entry(Reverse(row.kept)).or_insert((row.ratio, Vec::new()));
        accuracies.extend(row.accuracy);
    }
    let level = |(ratio, accuracies): (f64, Vec<f64>)| {
        let sorted = sorted_finite(accuracies);
        let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
        Some(Level { ratio, mean, low: quantile(&sorted, 0.025)?, high: quantile(&sorted, 0.975)? })
    };
    by_kept.into_values().filter_map(level).collect()
}

/// The largest ratio up to which the mean accuracy stays within 0.01 of the unpruned model's.
fn knee(levels: &[Level]) -> Option<f64> {
    let unpruned = levels.first()?.mean;
    levels.iter().take_while(|level| level.mean >= unpruned - KEPT - 1e-12).last().map(|level| level.ratio)
}

/// The median over runs of γ, the share of experts that are irrelevant by measured role; `None` where experts have no roles.
pub(in crate::report) fn irrelevant_share(experts: &[&DrawnExpert]) -> Option<f64> {
    let mut counts: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for row in experts.iter().filter(|row| row.role != Role::Undefined) {
        let (irrelevant, all) = counts.entry(row.run).or_default();
        *irrelevant += f64::from(u8::from(row.role == Role::Irrelevant));
        *all += 1.0;
    }
    median(&counts.values().map(|(irrelevant, all)| irrelevant / all).collect::<Vec<_>>())
}

/// Lemma L8: with fewer than two experts, no model votes for both classes. It does not bind experts without a fixed sign.
pub(in crate::report) fn limit(experts: &[&DrawnExpert]) -> Option<f64> {
    let k = experts.iter().filter(|row| row.sign.is_some()).map(|row| row.expert + 1).max()?;
    (k >= 2).then(|| 1.0 - 2.0 / k as f64)
}

/// γ and 1 − 2/k.
fn limits(experts: &[&DrawnExpert]) -> Vec<Line> {
    let upright = |name: String, look: Look, at: f64| Line { name, look, course: Course::Upright(at) };
    let share = irrelevant_share(experts).map(|at| upright(format!("γ = {} (median)", ratio(at)), GAMMA, at));
    let limit = limit(experts).map(|at| upright(format!("1 − 2/k = {} (L8)", ratio(at)), LIMIT, at));
    share.into_iter().chain(limit).collect()
}

/// Accuracy against the pruning ratio, by criterion.
pub(super) fn accuracy(point: &Point) -> Option<View> {
    let criteria = criteria(&point.pruning);
    let is_many = criteria.len() > FEW;
    let mut groups = Vec::new();
    for (place, criterion) in criteria.iter().enumerate() {
        let grey = is_many && place > 0 && !NAMED.contains(criterion);
        let others = criteria.len() - 1 - criteria.iter().filter(|name| NAMED.contains(name)).count();
        let look = match NAMED.iter().position(|name| name == criterion).filter(|_| is_many) {
            _ if grey => GREY,
            Some(named) => Look::of_series(1 + named),
            None => Look::of_series(place),
        };
        for finetuned in [false, true] {
            let levels = levels(&point.pruning, criterion, finetuned);
            let banded = !is_many || place == 0;
            let at = |level: &Level| At {
                x: level.ratio,
                y: level.mean,
                interval: Some([level.low, level.high]),
                text: None,
            };
            let group = Group {
                name: if finetuned { format!("{criterion}, fine-tuned") } else { (*criterion).to_owned() },
                legend: grey.then(|| {
                    if groups.iter().any(|group: &Group| group.look == GREY) {
                        String::new()
                    } else {
                        format!("{others} other criteria")
                    }
                }),
                look,
                marker: if finetuned {
                    Marker::Open
                } else if grey {
                    Marker::Dot
                } else {
                    Marker::Filled
                },
                line: !finetuned,
                band: !finetuned,
                points: levels.iter().map(at).collect(),
                ..Group::default()
            };
            if !group.points.is_empty() {
                groups.push(if banded { group } else { without_intervals(group) });
            }
        }
    }
    // The grey ones lie below the others, the first criterion on top.
    groups.sort_by_key(|group| (group.look != GREY, group.name.starts_with(criteria[0])));
    let lowest = groups.iter().flat_map(|group| &group.points).map(|at| at.interval.map_or(at.y, |ends| ends[0]));
    let lows = sorted_finite(lowest);
    let floor = (libm::floor(lows.first()? * 10.0 - 0.25) / 10.0).clamp(0.0, 0.9);
    let spread = if is_many { format!("of {}", criteria[0]) } else { String::new() };
    let tuned = if groups.iter().any(|group| group.marker == Marker::Open) { " Open: after fine-tuning." } else { "" };
    Some(View {
        name: point.file("pruning"),
        of: point.of.clone(),
        title: accuracy_title(point, &criteria),
        x: Axis::new(RATIO, Scale::linear(0.0, 1.0)),
        y: Axis::new("accuracy", Scale::linear(floor, 1.02)),
        columns: ["criterion", "ρ", "mean accuracy", "2.5 %", "97.5 %"].map(str::to_owned).to_vec(),
        groups,
        lines: limits(&point.experts),
        notes: vec![
            format!("Mean over runs; band {spread}: 2.5 % to 97.5 % of runs.{tuned}").replace("band :", "band:"),
        ],
        ..View::default()
    })
}

fn without_intervals(mut group: Group) -> Group {
    group.points.iter_mut().for_each(|at| at.interval = None);
    group.band = false;
    group
}

fn accuracy_title(point: &Point, criteria: &[&str]) -> String {
    let first = criteria.first().map(|criterion| levels(&point.pruning, criterion, false)).unwrap_or_default();
    let gamma = irrelevant_share(&point.experts).map(|share| format!("; γ = {}", ratio(share))).unwrap_or_default();
    match knee(&first) {
        Some(knee) if knee > 0.0 => format!("Accuracy stays within {KEPT} up to ρ = {}{gamma}", ratio(knee)),
        Some(_) => format!("Accuracy falls from the first pruned expert on{gamma}"),
        None => format!("Accuracy against ρ{gamma}"),
    }
}

/// The rows with a certificate, by criterion and number kept, the largest first.
fn certified<'a>(pruning: &[&'a DrawnModel]) -> BTreeMap<(&'a str, Reverse<usize>), Vec<&'a DrawnModel>> {
    let mut rows: BTreeMap<(&str, Reverse<usize>), Vec<&DrawnModel>> = BTreeMap::new();
    for row in pruning.iter().filter(|row| !row.certificate.is_empty()) {
        rows.entry((&*row.criterion, Reverse(row.kept))).or_default().push(row);
    }
    rows
}

/// How many pruned models are certified, by ratio.
pub(super) fn certificates(point: &Point) -> Option<View> {
    let rows = certified(&point.pruning);
    let criteria = criteria(&point.pruning);
    let mut groups = Vec::new();
    for criterion in &criteria {
        for (place, verdict) in CERTIFICATES.iter().enumerate() {
            let at = |rows: &Vec<&DrawnModel>| {
                let count = rows.iter().filter(|row| *row.certificate == **verdict).count();
                let text = Some(format!("{count} of {} models", rows.len()));
                At { x: rows[0].ratio, y: count as f64 / rows.len() as f64, interval: None, text }
            };
            groups.push(Group {
                name: if criteria.len() > 1 { format!("{criterion}: {verdict}") } else { (*verdict).to_owned() },
                look: [Look::of_series(0), LIMIT, GREY][place],
                line: true,
                points: rows.iter().filter(|((own, _), _)| own == criterion).map(|(_, rows)| at(rows)).collect(),
                ..Group::default()
            });
        }
    }
    groups.retain(|group| !group.points.is_empty());
    let all = groups.first()?.points.iter().take_while(|at| at.y == 1.0).last();
    let title = match all {
        Some(at) => format!("Every model is proved to make no error up to ρ = {}", ratio(at.x)),
        None => "Not every model is proved to make no error, even unpruned".to_owned(),
    };
    Some(View {
        name: point.file("certificates"),
        of: point.of.clone(),
        title,
        x: Axis::new(RATIO, Scale::linear(0.0, 1.0)),
        y: Axis::new("share of models", Scale::linear(-0.02, 1.02)),
        columns: ["certificate", "ρ", "share", "which"].map(str::to_owned).to_vec(),
        groups,
        lines: limits(&point.experts),
        ..View::default()
    })
}

/// The proven margins, by ratio.
pub(super) fn margins(point: &Point) -> Option<View> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for ((criterion, _), rows) in certified(&point.pruning) {
        let margins = sorted_finite(rows.iter().filter_map(|row| row.margin_lower));
        let [Some(low), Some(middle), Some(high)] = [0.025, 0.5, 0.975].map(|level| quantile(&margins, level)) else {
            continue;
        };
        let group = groups.entry(criterion).or_default();
        group.points.push(At { x: rows[0].ratio, y: middle, interval: Some([low, high]), text: None });
    }
    let look = |(place, (criterion, group)): (usize, (&str, Group))| Group {
        name: criterion.to_owned(),
        look: Look::of_series(place),
        line: true,
        band: true,
        ..group
    };
    let groups: Vec<Group> = groups.into_iter().enumerate().map(look).collect();
    let all = sorted_finite(groups.iter().flat_map(|group| &group.points).flat_map(|at| at.interval).flatten());
    let (low, high) = (all.first()?.min(0.0), all.last()?.max(0.0));
    let pad = 0.05 * (high - low).max(1e-9);
    let mut lines = limits(&point.experts);
    lines.push(Line { name: "0: an input may be an error".to_owned(), look: GREY, course: Course::Level(0.0) });
    let unpruned = groups.first().and_then(|group| group.points.first()).map(|at| quantity(at.y)).unwrap_or_default();
    Some(View {
        name: point.file("margins"),
        of: point.of.clone(),
        title: format!("Proven for every input: y·f(x) ≥ {unpruned} in the median unpruned model"),
        x: Axis::new(RATIO, Scale::linear(0.0, 1.0)),
        y: Axis::new("proven: y·f(x) ≥", Scale::linear(low - pad, high + pad)),
        columns: ["criterion", "ρ", "median margin", "2.5 %", "97.5 %"].map(str::to_owned).to_vec(),
        groups,
        lines,
        notes: vec!["Median over runs; band: 2.5 % to 97.5 % of runs.".to_owned()],
        ..View::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experts_without_roles_and_signs_have_no_gamma_and_no_limit() {
        let of_theory = DrawnExpert { role: Role::Irrelevant, sign: Some(1), ..DrawnExpert::default() };
        let others = [DrawnExpert { expert: 1, role: Role::Relevant, ..of_theory.clone() }, of_theory];
        let of_theory: Vec<&DrawnExpert> = others.iter().collect();
        assert_eq!((irrelevant_share(&of_theory), limit(&of_theory)), (Some(0.5), Some(0.0)));
        let foreign = others.clone().map(|row| DrawnExpert { role: Role::Undefined, sign: None, ..row });
        let foreign: Vec<&DrawnExpert> = foreign.iter().collect();
        assert_eq!((irrelevant_share(&foreign), limit(&foreign)), (None, None));
    }
}

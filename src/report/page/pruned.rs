//! Charts of pruned models: accuracy against the pruning ratio, and certificates.

use super::chart::{Axis, Chart, Group, Straight, View, short, shorts};
use super::views::Views;
use crate::report::drawn::{DrawnExpert, DrawnModel};
use crate::report::figures::pruning::{Level, irrelevant_share, levels, limit};
use crate::report::numbers::sorted_finite;
use crate::stats::quantile;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Looks of γ and of lemma L8's limit.
const GAMMA: usize = 7;
const LIMIT: usize = 8;

/// Verdicts of certificates, in the order of their looks.
const CERTIFICATES: [&str; 3] = ["CERTIFIED", "COUNTEREXAMPLE", "UNDECIDED"];

/// Accuracy against the pruning ratio, by criterion.
pub(crate) fn accuracy(views: &Views) -> Chart {
    chart(views, "pruning", "Accuracy against the pruning ratio, by criterion", accuracy_view)
}

/// How many pruned models are certified, by ratio.
pub(crate) fn certificates(views: &Views) -> Chart {
    chart(views, "certificates", "Certificates against the pruning ratio", certificate_view)
}

/// The proven margins, by ratio.
pub(crate) fn margins(views: &Views) -> Chart {
    chart(views, "margins", "Proven margins against the pruning ratio", margin_view)
}

fn chart(views: &Views, id: &str, title: &str, view: impl Fn(&[DrawnExpert], &[DrawnModel]) -> Option<View>) -> Chart {
    let drawn: Vec<(usize, View)> = views
        .points
        .iter()
        .filter_map(|&point| Some((point, view(views.experts(point), views.pruning(point))?)))
        .collect();
    let points: Vec<usize> = drawn.iter().map(|(point, _)| *point).collect();
    Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        selects: vec![views.select(&points)],
        views: drawn.into_iter().map(|(_, view)| view).collect(),
    }
}

/// The criteria in the order in which they first stand in the file.
fn criteria<'a>(rows: &[&'a DrawnModel]) -> Vec<&'a str> {
    let mut criteria: Vec<&str> = Vec::new();
    for row in rows {
        if !criteria.contains(&&*row.criterion) {
            criteria.push(&row.criterion);
        }
    }
    criteria
}

fn accuracy_view(experts: &[DrawnExpert], pruning: &[DrawnModel]) -> Option<View> {
    let pruning: Vec<&DrawnModel> = pruning.iter().collect();
    let mut groups = Vec::new();
    for (look, criterion) in criteria(&pruning).into_iter().enumerate() {
        for finetuned in [false, true] {
            let levels = levels(&pruning, criterion, finetuned);
            if !levels.is_empty() {
                groups.push(accuracy_group(criterion, look, finetuned, &levels));
            }
        }
    }
    let lows = sorted_finite(groups.iter().flat_map(|group| group.low.iter().copied()));
    let floor = (libm::floor(lows.first()? * 10.0 - 0.25) / 10.0).clamp(0.0, 0.9);
    Some(View {
        x: Axis::linear("pruning ratio ρ = 1 − kept/k", 0.0, 1.0),
        y: Axis::linear("accuracy", floor, 1.02),
        columns: ["criterion", "ρ", "mean accuracy", "2.5 %", "97.5 %"].map(str::to_owned).to_vec(),
        groups,
        lines: limits(experts),
        ..View::default()
    })
}

fn accuracy_group(criterion: &str, look: usize, finetuned: bool, levels: &[Level]) -> Group {
    Group {
        name: if finetuned { format!("{criterion}, fine-tuned") } else { criterion.to_owned() },
        look,
        parts: if finetuned { "wo" } else { "blp" },
        x: shorts(levels.iter().map(|level| level.ratio)),
        y: shorts(levels.iter().map(|level| level.mean)),
        low: shorts(levels.iter().map(|level| level.low)),
        high: shorts(levels.iter().map(|level| level.high)),
        ..Group::default()
    }
}

/// γ and 1 − 2/k.
fn limits(experts: &[DrawnExpert]) -> Vec<Straight> {
    let experts: Vec<&DrawnExpert> = experts.iter().collect();
    let upright = |name: String, look: usize, at: f64| Straight { name, look, x: vec![short(at)], y: Vec::new() };
    let share = irrelevant_share(&experts)
        .map(|at| upright(format!("γ = {at:.3}, median share of irrelevant experts"), GAMMA, at));
    let limit = limit(&experts).map(|at| upright(format!("1 − 2/k = {at:.3}, no model survives more (L8)"), LIMIT, at));
    share.into_iter().chain(limit).collect()
}

/// The rows with a certificate, by criterion and number kept, the largest first.
fn certified(pruning: &[DrawnModel]) -> BTreeMap<(&str, Reverse<usize>), Vec<&DrawnModel>> {
    let mut rows: BTreeMap<(&str, Reverse<usize>), Vec<&DrawnModel>> = BTreeMap::new();
    for row in pruning.iter().filter(|row| !row.certificate.is_empty()) {
        rows.entry((&*row.criterion, Reverse(row.kept))).or_default().push(row);
    }
    rows
}

fn certificate_view(experts: &[DrawnExpert], pruning: &[DrawnModel]) -> Option<View> {
    let rows = certified(pruning);
    let pruning: Vec<&DrawnModel> = pruning.iter().collect();
    let criteria = criteria(&pruning);
    let mut groups = Vec::new();
    for criterion in &criteria {
        for (look, verdict) in CERTIFICATES.iter().enumerate() {
            let name = if criteria.len() > 1 { format!("{criterion}: {verdict}") } else { (*verdict).to_owned() };
            let mut group = Group { name, look, parts: "lp", texts: vec![Vec::new()], ..Group::default() };
            for ((_, _), rows) in rows.iter().filter(|((own, _), _)| own == criterion) {
                let count = rows.iter().filter(|row| *row.certificate == **verdict).count();
                group.x.push(short(rows[0].ratio));
                group.y.push(short(count as f64 / rows.len() as f64));
                group.texts[0].push(format!("{count} of {} models", rows.len()));
            }
            groups.push(group);
        }
    }
    groups.retain(|group| !group.x.is_empty());
    (!groups.is_empty()).then(|| View {
        x: Axis::linear("pruning ratio ρ = 1 − kept/k", 0.0, 1.0),
        y: Axis::linear("share of models", -0.02, 1.02),
        columns: ["certificate", "ρ", "share", "which"].map(str::to_owned).to_vec(),
        groups,
        lines: limits(experts),
        ..View::default()
    })
}

fn margin_view(experts: &[DrawnExpert], pruning: &[DrawnModel]) -> Option<View> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for ((criterion, _), rows) in certified(pruning) {
        let margins = sorted_finite(rows.iter().filter_map(|row| row.margin_lower));
        let levels = [0.025, 0.5, 0.975].map(|level| quantile(&margins, level));
        let [Some(low), Some(middle), Some(high)] = levels else { continue };
        let group = groups.entry(criterion).or_default();
        group.x.push(short(rows[0].ratio));
        group.y.push(short(middle));
        group.low.push(short(low));
        group.high.push(short(high));
    }
    let groups: Vec<Group> = groups
        .into_iter()
        .enumerate()
        .map(|(look, (criterion, group))| Group { name: criterion.to_owned(), look, parts: "blp", ..group })
        .collect();
    let all = sorted_finite(groups.iter().flat_map(|group| group.low.iter().chain(&group.high).copied()));
    let (low, high) = (all.first()?.min(0.0), all.last()?.max(0.0));
    let pad = 0.05 * (high - low).max(1e-9);
    let mut lines = limits(experts);
    lines.push(Straight { name: "0: an input may be an error".to_owned(), look: 6, x: Vec::new(), y: vec![0.0] });
    Some(View {
        x: Axis::linear("pruning ratio ρ = 1 − kept/k", 0.0, 1.0),
        y: Axis::linear("proven: y·f(x) ≥", low - pad, high + pad),
        columns: ["criterion", "ρ", "median margin", "2.5 %", "97.5 %"].map(str::to_owned).to_vec(),
        groups,
        lines,
        ..View::default()
    })
}

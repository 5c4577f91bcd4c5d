//! The view of criteria: a cell a criterion and case, with its regret and the verdict against it.

use super::names::file;
use crate::report::criteria::CriterionSummary;
use crate::report::drawing::scale::Scale;
use crate::report::drawing::view::{Axis, Cell, Heat, View};
use crate::report::labels::PointLabel;
use crate::report::numbers::minus;
use crate::report::results::Results;

/// A regret of this much or more has the darkest colour.
const DARKEST: f64 = 0.2;

/// The matrix criterion × point; nothing unless several criteria pruned models.
pub(super) fn matrix(results: &Results) -> Option<View> {
    let columns = results.criteria();
    let mut names: Vec<&str> = Vec::new();
    for one in columns.values().flatten() {
        if !names.contains(&one.criterion.name()) {
            names.push(one.criterion.name());
        }
    }
    (names.len() > 2).then_some(())?;
    let regret_of = |name: &str| {
        let all: Vec<f64> =
            columns.values().flatten().filter(|one| one.criterion.name() == name).filter_map(regret).collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    };
    // The best stands on top; rows count from below.
    let mut ranked: Vec<(f64, &str)> = names.iter().map(|name| (regret_of(name), *name)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(a.1)));
    let ys: Vec<String> = ranked.iter().map(|(_, name)| (*name).to_owned()).collect();
    let labels = results.labels();
    let label = |point: &usize| labels.get(*point).map(PointLabel::words).filter(|words| !words.is_empty());
    let xs: Vec<String> =
        columns.keys().map(|point| label(point).unwrap_or_else(|| format!("point {point}"))).collect();
    let mut cells = Vec::new();
    for (x, criteria) in columns.values().enumerate() {
        for one in criteria {
            let Some(y) = ys.iter().position(|name| name == one.criterion.name()) else { continue };
            cells.push(cell((x, y), &xs[x], one));
        }
    }
    let best = ranked.last().map(|(_, name)| *name).unwrap_or_default();
    let short = xs.iter().map(|text| text.replace(['-', ' '], "\n")).collect::<Vec<_>>();
    Some(View {
        name: file(&["criteria"]),
        title: title(results, &ranked).unwrap_or_else(|| format!("{best} loses least accuracy")),
        x: Axis::new("", Scale::categories(&short, 1.0, 1000.0)),
        y: Axis::new("", Scale::categories(&ys, 1.0, 1000.0)),
        columns: ["case", "criterion", "AUC", "knee", "regret ≤ γ", "regret > γ", "ties", "C1 against it"]
            .map(str::to_owned)
            .to_vec(),
        heat: Some(Heat {
            xs,
            ys,
            cells,
            boundary: Vec::new(),
            ends: [format!("{DARKEST} lost"), "none".to_owned()],
            level: None,
        }),
        notes: vec![
            "Number: regret, the accuracy lost to the oracle on average over runs and ratios ρ ≤ γ.".to_owned(),
            "Verdict of C1, “the paper's criterion is at least as accurate”: ✓ SUPPORTED, ✗ REFUTED, ? open."
                .to_owned(),
        ],
        ..View::default()
    })
}

fn regret(one: &CriterionSummary) -> Option<f64> {
    one.regret[0]
}

/// The place of the paper's criterion, the first one of the files.
fn title(results: &Results, ranked: &[(f64, &str)]) -> Option<String> {
    let paper = results.runs.pruning.first()?.criterion.to_string();
    let own = ranked.iter().find(|(_, name)| *name == paper)?.0;
    let better = ranked.iter().filter(|(regret, _)| *regret < own - 1e-9).count();
    let worse = ranked.iter().filter(|(regret, _)| *regret > own + 1e-9).count();
    Some(format!("{paper} loses less accuracy than {worse} of {} other criteria, more than {better}", ranked.len() - 1))
}

fn cell(place: (usize, usize), case: &str, one: &CriterionSummary) -> Cell {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| minus(&format!("{:.3}", value + 0.0)));
    let sign = match one.verdict.split(' ').next().unwrap_or_default() {
        "SUPPORTED" => " ✓",
        "REFUTED" => " ✗",
        "" => "",
        _ => " ?",
    };
    let lost = regret(one);
    Cell {
        place,
        shade: 1.0 - lost.unwrap_or(0.0).clamp(0.0, DARKEST) / DARKEST,
        text: lost.map_or("–".to_owned(), |lost| format!("{}{sign}", number(Some(lost)))),
        row: vec![
            case.to_owned(),
            one.criterion.name().to_owned(),
            number(one.auc),
            number(Some(one.knee)),
            number(one.regret[0]),
            number(one.regret[1]),
            number(Some(one.tied)),
            one.verdict.clone(),
        ],
    }
}

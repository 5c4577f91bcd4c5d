//! Accuracy against the pruning ratio, by criterion.

use super::canvas::{Canvas, HEIGHT, LINE, Look};
use super::figure::FigureError;
use super::scale::Scale;
use crate::measure::Role;
use crate::report::drawn::{DrawnExpert, DrawnModel};
use crate::report::numbers::sorted_finite;
use crate::stats::{median, quantile};
use std::cmp::Reverse;
use std::collections::BTreeMap;

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

/// Accuracy against ρ, with γ and the limit of lemma L8.
pub(super) fn draw(
    title: &str,
    experts: &[&DrawnExpert],
    pruning: &[&DrawnModel],
) -> Result<Option<String>, FigureError> {
    let mut criteria: Vec<&str> = Vec::new();
    for row in pruning {
        if !criteria.contains(&&*row.criterion) {
            criteria.push(&row.criterion);
        }
    }
    let series: Vec<[Vec<Level>; 2]> =
        criteria.iter().map(|criterion| [false, true].map(|finetuned| levels(pruning, criterion, finetuned))).collect();
    let lows = sorted_finite(series.iter().flatten().flatten().map(|level| level.low));
    let Some(lowest) = lows.first() else {
        return Ok(None);
    };
    let floor = (libm::floor(lowest * 10.0 - 0.25) / 10.0).clamp(0.0, 0.9);
    let (x, y) = (Scale::linear(0.0, 1.0), Scale::linear(floor, 1.02));
    let mut svg = String::new();
    // The legend has up to two lines a criterion, and five below.
    let height = (LINE * (2 * criteria.len() as i32 + 5) - 40).max(HEIGHT);
    let mut canvas = Canvas::sized(&mut svg, (height, 0), title, ("pruning ratio ρ", x), ("accuracy", y))?;
    let (share, limit) = (irrelevant_share(experts), limit(experts));
    if let Some(share) = share {
        canvas.upright(share, Look(3))?;
    }
    if let Some(limit) = limit {
        canvas.upright(limit, Look(2))?;
    }
    for (place, [pruned, finetuned]) in series.iter().enumerate() {
        let look = Look(place);
        let band: Vec<_> = pruned.iter().map(|level| (level.ratio, level.low, level.high)).collect();
        if band.len() > 1 {
            canvas.band(&band, look)?;
        }
        canvas.line(&pruned.iter().map(|level| (level.ratio, level.mean)).collect::<Vec<_>>(), look)?;
        for level in pruned {
            canvas.marker(level.ratio, level.mean, look, 3, false)?;
        }
        for level in finetuned {
            canvas.thin(&[(level.ratio, level.low), (level.ratio, level.high)], look, 2)?;
            canvas.marker(level.ratio, level.mean, look, 7, true)?;
        }
    }
    for (place, (criterion, [pruned, finetuned])) in criteria.iter().zip(&series).enumerate() {
        if !pruned.is_empty() {
            canvas.entry(criterion, Look(place), true, Some(false))?;
        }
        if !finetuned.is_empty() {
            canvas.entry("the same, fine-tuned", Look(place), false, Some(true))?;
        }
    }
    if let Some(share) = share {
        canvas.entry(&format!("γ = {share:.3} (median)"), Look(3), true, None)?;
    }
    if let Some(limit) = limit {
        canvas.entry(&format!("1 − 2/k = {limit:.3} (L8)"), Look(2), true, None)?;
    }
    canvas.note("\nMean over runs; band and\nbars: 2.5 % to 97.5 % of runs.")?;
    canvas.finish()?;
    Ok(Some(svg))
}

pub(in crate::report) fn levels(pruning: &[&DrawnModel], criterion: &str, finetuned: bool) -> Vec<Level> {
    let mut by_kept: BTreeMap<Reverse<usize>, (f64, Vec<f64>)> = BTreeMap::new();
    for row in pruning.iter().filter(|row| *row.criterion == *criterion && row.finetuned == finetuned) {
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

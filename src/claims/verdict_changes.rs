//! What would change a verdict: the numbers of runs, or the threshold, at which it would be another.

use super::catalogue::definition;
use super::hypothesis_pair::fewest_runs;
use super::slope_parts::Side;
use crate::record::ClaimRow;
use crate::record::design::{ALPHA, Design};
use crate::sim::Decision;
use crate::sim::Part;
use crate::sim::Verdict;
use crate::stats::binomial::{p_value_refuted, p_value_supported};

/// At which numbers of runs a probability has which verdict, whatever the other tests of the file say (Bonferroni;
/// Holm's method may decide earlier).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// SUPPORTED if the claim holds in this many runs or more; `None` if no number suffices.
    pub supported_from: Option<u64>,
    /// REFUTED if it holds in this many or fewer; `None` if not even 0 suffices.
    pub refuted_to: Option<u64>,
}

/// The counts for `runs` judged runs at `level`, as one of `pairs` pairs of hypotheses.
pub(crate) fn counts(runs: u64, level: f64, pairs: usize) -> Counts {
    let alpha = ALPHA / (2 * pairs.max(1)) as f64;
    // Both tails are monotone in the count.
    let first = |decided: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (0, runs + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if decided(middle) { high = middle } else { low = middle + 1 }
        }
        low
    };
    let supported = first(&|count| p_value_supported(count, runs, level) <= alpha);
    let open = first(&|count| p_value_refuted(count, runs, level) > alpha);
    Counts {
        supported_from: (supported <= runs && runs > 0).then_some(supported),
        refuted_to: (runs > 0).then(|| open.checked_sub(1)).flatten(),
    }
}

/// How many runs would decide, if the share of runs in which the claim holds stayed as it is; `None` beyond 2³⁰.
pub(crate) fn runs_to_decide(holds: u64, runs: u64, level: f64, pairs: usize) -> Option<u64> {
    let alpha = ALPHA / (2 * pairs.max(1)) as f64;
    if runs == 0 {
        return None;
    }
    let share = holds as f64 / runs as f64;
    let decided = |n: u64| {
        let count = libm::round(share * n as f64) as u64;
        p_value_supported(count, n, level) <= alpha || p_value_refuted(count, n, level) <= alpha
    };
    let high = (0..31).map(|power| 1_u64 << power).find(|n| decided(*n))?;
    let (mut low, mut high) = (high / 2, high);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if decided(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// How far a part is from its boundary, in standard errors; positive on the side of SUPPORTED. `None` without an
/// estimate.
pub(crate) fn distance(row: &ClaimRow) -> Option<f64> {
    let estimate = row.estimate?;
    match (row.level, row.threshold) {
        (Some(level), _) => Some((estimate - level) / libm::sqrt(level * (1.0 - level) / row.runs.max(1) as f64)),
        (None, Some(threshold)) => {
            let side = if is_lower_bound(row) { estimate - threshold } else { threshold - estimate };
            Some(side / row.standard_error.filter(|error| *error > 0.0).unwrap_or(f64::MIN_POSITIVE))
        }
        (None, None) => None,
    }
}

/// Whether an estimate without a level has to lie above its threshold; else below. Of slopes the claim says it.
pub(crate) fn is_lower_bound(row: &ClaimRow) -> bool {
    !row.part.is_slope()
        || row.part == Part::SlopeAtLeast
        || definition(&row.claim).is_some_and(|definition| {
            definition.slopes.iter().any(|part| part.name == row.part && part.side == Side::Above)
        })
}

/// What would change the verdict of one part, in a sentence.
pub(crate) fn sentence(row: &ClaimRow, design: Design, pairs: usize) -> String {
    let (Some(level), Some(holds)) = (row.level, row.holds) else { return slope_sentence(row) };
    if let Design::Sequential { .. } = design {
        return match row.verdict {
            Decision::Supported | Decision::Refuted => {
                "Decided by tests that are valid at every look: further runs do not undo it.".to_owned()
            }
            _ => "More runs: the tests are valid at every look.".to_owned(),
        };
    }
    let Counts { supported_from, refuted_to } = counts(row.runs, level, pairs);
    let runs = row.runs;
    let refuted = refuted_to.map(|count| format!("REFUTED at {count} or fewer")).unwrap_or_default();
    let supported = supported_from.map(|count| format!("SUPPORTED at {count} or more")).unwrap_or_default();
    let limits: Vec<String> = [supported, refuted].into_iter().filter(|text| !text.is_empty()).collect();
    let limits = format!("Of {runs} runs it holds in {holds}: {}, INCONCLUSIVE otherwise.", limits.join(", "));
    if supported_from.is_none() {
        let least = fewest_runs(level, design, pairs);
        if row.verdict == Decision::Refuted {
            return format!("{limits} SUPPORTED needs at least {least} judged runs.");
        }
        return format!("More runs: at least {least} must be judged, and hold, for SUPPORTED; there are {runs}.");
    }
    if row.verdict != Decision::Inconclusive {
        return limits;
    }
    match runs_to_decide(holds, runs, level, pairs) {
        Some(needed) => format!("{limits} If the share stayed as it is, about {needed} runs would decide."),
        None => limits,
    }
}

fn slope_sentence(row: &ClaimRow) -> String {
    let (Some(estimate), Some(low), Some(high), Some(threshold)) =
        (row.estimate, row.ci_low, row.ci_high, row.threshold)
    else {
        return "There is no estimate: every run at every point must have the figure, above 0.".to_owned();
    };
    let what = if row.part.is_slope() { "slope" } else { "difference" };
    let (above, below) = if is_lower_bound(row) { ("REFUTED", "SUPPORTED") } else { ("SUPPORTED", "REFUTED") };
    // A threshold that is a difference, as 0.95 − 1 is, carries its rounding.
    let limits = format!(
        "The {what} is {estimate:.3}; {above} for a threshold above {high:.3}, {below} for one below {low:.3}; it is {}.",
        (threshold * 1e9).round() / 1e9
    )
    .replace('-', "−");
    if row.verdict.verdict() != Verdict::Inconclusive || estimate == threshold {
        return limits;
    }
    let ratio = (high - low) / 2.0 / (estimate - threshold).abs();
    format!("{limits} About {:.0} times as many runs would decide.", libm::ceil(ratio * ratio).max(2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_first_and_the_last_that_decide() {
        for (runs, level, pairs) in [(1000, 0.95, 7), (200, 0.95, 1), (60, 0.9, 3), (5, 0.95, 1)] {
            let alpha = ALPHA / (2 * pairs) as f64;
            let found = counts(runs, level, pairs);
            let supported = (0..=runs).find(|count| p_value_supported(*count, runs, level) <= alpha);
            let refuted = (0..=runs).rev().find(|count| p_value_refuted(*count, runs, level) <= alpha);
            assert_eq!((found.supported_from, found.refuted_to), (supported, refuted), "{runs} runs");
        }
        assert_eq!(counts(0, 0.95, 1), Counts { supported_from: None, refuted_to: None });
    }

    #[test]
    fn the_runs_that_decide_do() {
        let needed = runs_to_decide(98, 100, 0.95, 1).expect("a number");
        let alpha = ALPHA / 2.0;
        let holds = (0.98 * needed as f64).round() as u64;
        assert!(p_value_supported(holds, needed, 0.95) <= alpha, "{needed}");
        assert!(needed > 100);
        assert_eq!(runs_to_decide(0, 0, 0.95, 1), None);
    }
}

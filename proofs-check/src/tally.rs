//! What a check counts.

use crate::concentration::ERROR;
use moe_theory::stats::upper_tail;

/// Comparisons made, violations found, and how close the closest comparison came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Comparisons made.
    pub comparisons: u64,
    /// Comparisons that failed.
    pub violations: u64,
    /// The largest share of a tolerance that an equality used. A violation is above 1.
    pub worst_equality: f64,
    /// The largest share of its bound that an inequality used, infinite after a failure that has no measure.
    pub worst_bound: f64,
    /// The first violation, in words.
    pub first: Option<String>,
    /// Events that may happen, but seldom.
    pub chances: Vec<Chance>,
}

/// Runs of an event whose probability is at most `level` in each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// The probability.
    pub level: f64,
    /// Independent runs.
    pub runs: u64,
    /// Runs in which it happened.
    pub happened: u64,
}

impl Tally {
    /// `difference` must be 0 up to `tolerance`; with the tolerance 0, exactly.
    pub fn zero(&mut self, difference: f64, tolerance: f64, describe: impl FnOnce() -> String) {
        let difference = difference.abs();
        let share = if difference == 0.0 { 0.0 } else { difference / tolerance };
        self.worst_equality = self.worst_equality.max(number(share));
        self.compare(share, || format!("{}: off by {difference:e}, allowed {tolerance:e}", describe()));
    }

    /// `value` must be at most `bound`, of either sign, up to `tolerance`.
    pub fn at_most(&mut self, value: f64, bound: f64, tolerance: f64, describe: impl FnOnce() -> String) {
        let certain = value - tolerance;
        let share = if certain <= bound && certain <= 0.0 {
            0.0
        } else if bound > 0.0 {
            certain / bound
        } else {
            f64::INFINITY
        };
        self.worst_bound = self.worst_bound.max(number(share));
        self.compare(share, || format!("{}: {value:e} is above {bound:e}", describe()));
    }

    /// `holds` must be true; says nothing about slack.
    pub fn holds(&mut self, holds: bool, describe: impl FnOnce() -> String) {
        let share = if holds { 0.0 } else { f64::INFINITY };
        self.worst_bound = self.worst_bound.max(share);
        self.compare(share, describe);
    }

    /// One independent run of an event whose probability is at most `level`; `share`: how close it came, 1 when it
    /// happens. Judged by [`Tally::settle`].
    pub fn chance(&mut self, level: f64, happened: bool, share: f64) {
        self.worst_bound = self.worst_bound.max(share);
        self.add_chance(Chance { level, runs: 1, happened: u64::from(happened) });
    }

    /// Compares the events counted so far with their probabilities: a violation if so many have a probability of at
    /// most [`ERROR`], by the exact binomial tail.
    pub fn settle(&mut self) {
        for Chance { level, runs, happened } in std::mem::take(&mut self.chances) {
            let likely = upper_tail(happened, runs, level) > ERROR;
            self.comparisons += runs - 1;
            self.holds(likely, || format!("happened in {happened} of {runs} runs, allowed probability {level}"));
        }
    }

    fn add_chance(&mut self, other: Chance) {
        match self.chances.iter_mut().find(|chance| chance.level == other.level) {
            Some(chance) => {
                chance.runs += other.runs;
                chance.happened += other.happened;
            }
            None => self.chances.push(other),
        }
    }

    /// Adds the comparisons of another tally.
    pub fn merge(&mut self, other: Tally) {
        other.chances.into_iter().for_each(|chance| self.add_chance(chance));
        self.comparisons += other.comparisons;
        self.violations += other.violations;
        self.worst_equality = self.worst_equality.max(other.worst_equality);
        self.worst_bound = self.worst_bound.max(other.worst_bound);
        self.first = self.first.take().or(other.first);
    }

    /// `share` above 1, or no number, is a violation.
    fn compare(&mut self, share: f64, describe: impl FnOnce() -> String) {
        self.comparisons += 1;
        if number(share) > 1.0 {
            self.violations += 1;
            self.first.get_or_insert_with(describe);
        }
    }
}

/// What is no number counts as infinite.
fn number(share: f64) -> f64 {
    if share.is_nan() { f64::INFINITY } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_a_violation() {
        let mut tally = Tally::default();
        tally.zero(f64::NAN, 1.0, || "equality".into());
        tally.at_most(f64::NAN, 1.0, 0.1, || "bound".into());
        assert_eq!((tally.comparisons, tally.violations), (2, 2));
    }

    #[test]
    fn events_are_judged_by_their_number() {
        let of = |happened: u64| {
            let mut tally = Tally::default();
            (0..100).for_each(|run| tally.chance(0.05, run < happened, 0.5));
            tally.settle();
            (tally.comparisons, tally.violations)
        };
        assert_eq!((of(0), of(12), of(30)), ((100, 0), (100, 0), (100, 1)));
    }

    #[test]
    fn exact_equality_allows_nothing() {
        let mut tally = Tally::default();
        tally.zero(0.0, 0.0, || "equal".into());
        assert_eq!(tally.violations, 0);
        tally.zero(f64::MIN_POSITIVE, 0.0, || "different".into());
        assert_eq!(tally.violations, 1);
    }

    #[test]
    fn a_bound_may_be_negative() {
        let of = |value: f64, bound: f64| {
            let mut tally = Tally::default();
            tally.at_most(value, bound, 0.1, || "bound".into());
            tally.violations
        };
        assert_eq!([of(-3.0, -2.0), of(-2.0, -2.05), of(-1.0, -2.0), of(1.0, -2.0)], [0, 0, 1, 1]);
        assert_eq!([of(-1.0, 2.0), of(f64::NAN, -1.0), of(1.0, f64::NAN)], [0, 1, 1]);
    }

    #[test]
    fn a_bound_of_zero_allows_the_tolerance() {
        let mut tally = Tally::default();
        tally.at_most(1e-16, 0.0, 1e-15, || "rounding".into());
        assert_eq!((tally.violations, tally.worst_bound), (0, 0.0));
        tally.at_most(1e-14, 0.0, 1e-15, || "more".into());
        assert_eq!(tally.violations, 1);
    }
}

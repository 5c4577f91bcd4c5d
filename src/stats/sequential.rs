//! Tests and intervals of a Bernoulli probability that stay valid however often one looks.
//!
//! Write `f(q) = q^x (1-q)^(n-x)` and fix `level = l`. For `q > l` the likelihood ratio
//! `L_n(q) = f(q)/f(l)` is a supermartingale under every `P` in `H-: P <= l`: one more trial
//! multiplies it by `q/l` with probability `P` and by `(1-q)/(1-l)` else, with mean
//! `P q/l + (1-P)(1-q)/(1-l)`. That is 1 at `P = l` and, as `q/l > 1 > (1-q)/(1-l)` (monotone
//! likelihood ratio), it grows with `P`, so it is at most 1 for `P <= l`. The same holds if `P`
//! changes from trial to trial within `H-`. The uniform mixture of `L_n(q)` over `q` in (l, 1\]
//! is again a nonnegative supermartingale that starts at 1 (Tonelli), so Ville's inequality
//! `P[sup over n of e_n >= 1/alpha] <= alpha` allows any number of looks and any rule of
//! stopping. `H+: P >= l` is the mirror image, with `q` in \[0, l). For the confidence sequence,
//! `P = p` alone is tested and every `q` of \[0, 1\] gives a martingale.
//!
//! Sources: Ville (1939), "Étude critique de la notion de collectif"; Robbins (1970), Annals of
//! Mathematical Statistics 41:1397–1409, which has the uniform mixture in the form
//! `P[(n+1) C(n,x) p^x (1-p)^(n-x) <= alpha for some n] <= alpha`; Howard, Ramdas, McAuliffe and
//! Sekhon (2021), Annals of Statistics 49:1055–1080; the view as bets: Waudby-Smith and Ramdas
//! (2024), JRSS B 86:1–27.

use super::interval::{Interval, crossing};
use super::log_binomial::{log_lower_tail, log_pmf, log_upper_tail};

/// The largest count that `f64` holds exactly.
const LARGEST_COUNT: u64 = 1 << 53;

/// Logarithm of the e-value against `H-: P <= level`; large supports `P > level`.
///
/// `e = 1/(1-level) * integral over q from level to 1 of f(q)/f(level)`, by
/// `B(x+1, n-x+1) P[Beta(x+1, n-x+1) > level] = P[Binomial(n+1, level) <= x] / ((n+1) C(n,x))`.
/// Range: `x <= n`, `level` in \[0, 1); `level = 1` (nothing lies above) and illegal input give
/// 0, no evidence. Absolute error about 1e-13 at 1000 trials, 1e-10 at a million. Source: above.
pub fn log_e_supported(x: u64, n: u64, level: f64) -> f64 {
    if x > n || !(0.0..1.0).contains(&level) {
        return 0.0;
    }
    let mass = log_lower_tail(x, n.saturating_add(1), level);
    mass + log_inverse_scaled_mass(x, n, level) - libm::log1p(-level)
}

/// Logarithm of the e-value against `H+: P >= level`; large refutes `P >= level`.
///
/// `e = 1/level * integral over q from 0 to level of f(q)/f(level)`, by
/// `B(x+1, n-x+1) P[Beta(x+1, n-x+1) < level] = P[Binomial(n+1, level) >= x+1] / ((n+1) C(n,x))`.
/// Range: `x <= n`, `level` in (0, 1\]; `level = 0` and illegal input give 0, no evidence. Error
/// and source as [`log_e_supported`].
pub fn log_e_refuted(x: u64, n: u64, level: f64) -> f64 {
    if x > n || !(level > 0.0 && level <= 1.0) {
        return 0.0;
    }
    let mass = log_upper_tail(x.saturating_add(1), n.saturating_add(1), level);
    mass + log_inverse_scaled_mass(x, n, level) - libm::log(level)
}

/// `-ln((n+1) P[Binomial(n, p) = x])`, the log of `B(x+1, n-x+1) / (p^x (1-p)^(n-x))`.
fn log_inverse_scaled_mass(x: u64, n: u64, p: f64) -> f64 {
    -libm::log(n as f64 + 1.0) - log_pmf(x, n, p)
}

/// Confidence sequence: all `p` with `B(x+1, n-x+1) / (p^x (1-p)^(n-x)) < 1/alpha`.
///
/// With probability at least `1 - alpha` the true `P` lies in the intervals of all `n` at once,
/// so also in the intersection over any looks. `low = 0` exactly at `x = 0`, `high = 1` exactly
/// at `x = n`. Range: `x <= n`, `alpha` in (0, 1\]; `n = 0` and illegal input give \[0, 1\].
/// Relative error below 1e-11 up to a million trials. Source: Robbins (1970); bisection on each
/// side of `x/n`, where the likelihood is monotone.
pub fn confidence_sequence(x: u64, n: u64, alpha: f64) -> Interval {
    if n == 0 || x > n || !(alpha > 0.0 && alpha <= 1.0) {
        return Interval::VACUOUS;
    }
    let limit = -libm::log(alpha);
    let outside = |p: f64| log_inverse_scaled_mass(x, n, p) >= limit;
    let rate = x as f64 / n as f64;
    Interval {
        low: if x == 0 { 0.0 } else { crossing(0.0, rate, outside) },
        high: if x == n { 1.0 } else { crossing(rate, 1.0, |p| !outside(p)) },
    }
}

/// Fewest trials, a multiple of `block`, whose all-success outcome has an anytime p-value
/// ([`SequentialTest::p_value_supported`]) of at most `alpha`.
///
/// The e-value of `n` successes in `n` trials, `(1 - level^(n+1)) / ((1 - level) (n+1) level^n)`,
/// is the mean of `(q/level)^n` over `q` in (level, 1\], so it grows with `n`. Range: `level` in
/// \[0, 1), `alpha` in (0, 1); `alpha >= 1` gives 0, and where no such number exists
/// (`level >= 1`, `alpha <= 0`, NaN) the answer is `u64::MAX`; a block of 0 counts as 1. Error:
/// none but that of [`log_e_supported`] at an exact tie. Source: doubling and bisection.
pub(crate) fn smallest_trials_to_support_sequential(level: f64, alpha: f64, block: u64) -> u64 {
    if alpha >= 1.0 {
        return 0;
    }
    if !((0.0..1.0).contains(&level) && alpha > 0.0) {
        return u64::MAX;
    }
    let block = block.max(1);
    let enough = |blocks: u64| {
        let trials = blocks.saturating_mul(block);
        libm::exp(-log_e_supported(trials, trials, level).max(0.0)) <= alpha
    };
    let mut high = 1_u64;
    while !enough(high) {
        if high.saturating_mul(block) >= LARGEST_COUNT {
            return u64::MAX;
        }
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high * block
}

/// A look that contradicts the looks before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// More successes than trials.
    #[error("{successes} successes in {trials} trials")]
    MoreSuccessesThanTrials {
        /// Successes so far.
        successes: u64,
        /// Trials so far.
        trials: u64,
    },
    /// Cumulative successes or failures went down: these are not counts of one growing sequence.
    #[error("counts are cumulative, but {successes} of {trials} follows {before} of {before_trials}")]
    CountsWentDown {
        /// Successes of the refused look.
        successes: u64,
        /// Trials of the refused look.
        trials: u64,
        /// Successes of the look before.
        before: u64,
        /// Trials of the look before.
        before_trials: u64,
    },
}

/// Both sequential tests of one level, fed with cumulative counts at successive looks.
///
/// The running maximum of each e-process gives the p-value `min(1, 1/max e)`, valid at every
/// look and at every stopping time; it never rises again. Each of the two p-values is valid on
/// its own. Source: the file's head.
#[derive(Clone, Debug, PartialEq)]
pub struct SequentialTest {
    level: f64,
    successes: u64,
    trials: u64,
    max_log_e_supported: f64,
    max_log_e_refuted: f64,
}

impl SequentialTest {
    /// A test of `level` in \[0, 1\] before any trial: both e-values are 1. With an illegal level
    /// they stay 1.
    pub fn new(level: f64) -> Self {
        SequentialTest { level, successes: 0, trials: 0, max_log_e_supported: 0.0, max_log_e_refuted: 0.0 }
    }

    /// Takes the counts since the beginning, `successes` among `trials`; a refused look changes
    /// nothing.
    pub fn look(&mut self, successes: u64, trials: u64) -> Result<(), LookError> {
        let Some(failures) = trials.checked_sub(successes) else {
            return Err(LookError::MoreSuccessesThanTrials { successes, trials });
        };
        if successes < self.successes || failures < self.trials - self.successes {
            return Err(LookError::CountsWentDown {
                successes,
                trials,
                before: self.successes,
                before_trials: self.trials,
            });
        }
        (self.successes, self.trials) = (successes, trials);
        let supported = log_e_supported(successes, trials, self.level);
        let refuted = log_e_refuted(successes, trials, self.level);
        self.max_log_e_supported = self.max_log_e_supported.max(supported);
        self.max_log_e_refuted = self.max_log_e_refuted.max(refuted);
        Ok(())
    }

    /// Anytime p-value of `H-: P <= level`, `exp(-max ln e)`, in \[0, 1\].
    pub fn p_value_supported(&self) -> f64 {
        libm::exp(-self.max_log_e_supported)
    }

    /// Anytime p-value of `H+: P >= level`, `exp(-max ln e)`, in \[0, 1\].
    pub(crate) fn p_value_refuted(&self) -> f64 {
        libm::exp(-self.max_log_e_refuted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_trial_by_hand() {
        // One success, level 1/2: 2 * integral of 2q over [1/2, 1] = 3/2, below 1/2 it is 1/2.
        assert!((log_e_supported(1, 1, 0.5).exp() - 1.5).abs() < 1e-14);
        assert!((log_e_refuted(1, 1, 0.5).exp() - 0.5).abs() < 1e-14);
    }

    #[test]
    fn the_fewest_trials_are_the_first_block_that_the_test_accepts() {
        for (level, alpha, block) in
            [(0.95, 0.05, 25), (0.95, 0.025, 1), (0.5, 0.01, 7), (0.99, 1e-4, 25), (0.0, 0.05, 3)]
        {
            let fewest = smallest_trials_to_support_sequential(level, alpha, block);
            let mut test = SequentialTest::new(level);
            let first = (1..)
                .map(|look| look * block)
                .find(|&trials| {
                    test.look(trials, trials).expect("growing counts");
                    test.p_value_supported() <= alpha
                })
                .expect("a first look");
            assert_eq!(fewest, first, "{level} {alpha} {block}");
        }
        assert_eq!(smallest_trials_to_support_sequential(0.9, 1.0, 25), 0);
        assert_eq!(smallest_trials_to_support_sequential(1.0, 0.05, 25), u64::MAX);
        assert_eq!(smallest_trials_to_support_sequential(0.9, 0.0, 25), u64::MAX);
        assert_eq!(smallest_trials_to_support_sequential(f64::NAN, 0.05, 25), u64::MAX);
    }

    #[test]
    fn no_data_and_illegal_input_are_no_evidence() {
        for e in [log_e_supported, log_e_refuted] {
            assert!(e(0, 0, 0.95).abs() < 1e-14);
            assert_eq!(e(3, 2, 0.95), 0.0);
            assert_eq!(e(1, 2, f64::NAN), 0.0);
        }
        assert_eq!(log_e_supported(2, 2, 1.0), 0.0);
        assert_eq!(log_e_supported(1, 5, 0.0), f64::INFINITY);
    }

    #[test]
    fn a_look_that_goes_back_is_refused_and_the_maximum_stays() {
        let mut test = SequentialTest::new(0.5);
        assert_eq!(test.look(30, 30), Ok(()));
        let p = test.p_value_supported();
        assert_eq!(test.look(30, 60), Ok(()));
        assert_eq!(test.p_value_supported(), p);
        assert!(test.look(29, 61).is_err() && test.look(31, 59).is_err());
        assert!(test.look(62, 61).is_err());
        assert_eq!(test.look(30, 60), Ok(()));
    }
}

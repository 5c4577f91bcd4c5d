//! Exact one-sided tests of a probability `P` against a level, from `x` successes in `n` trials.
//!
//! "Supported" rejects `H-: P <= level` when successes are many; "refuted" rejects
//! `H+: P >= level` when they are few. The largest error probability over each hypothesis is at
//! `P = level`, because the binomial tails are monotone in `P`; so both tests are exact.
//! The tails are those of `log_binomial`, which says why `statrs` has no part in them.
//! For a number of trials fixed in advance only; with several looks use
//! `sequential`.

use super::log_binomial::{log_lower_tail, log_upper_tail};

/// How many further sample sizes must keep the power, against the saw-tooth of a discrete test.
const SAW_TOOTH: u64 = 20;

/// `P[X >= x] = sum over k from x to n of C(n,k) p^k (1-p)^(n-k)`, `X ~ Binomial(n, p)`.
///
/// Range: `p` in \[0, 1\], else NaN; `x > n` gives 0. Relative error below 1e-12 up to 1000
/// trials and 1e-9 up to a million, also in tails of 1e-300. Source: the sum itself.
pub fn upper_tail(x: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    libm::exp(log_upper_tail(x, n, p)).min(1.0)
}

/// `P[X <= x] = sum over k from 0 to x of C(n,k) p^k (1-p)^(n-k)`, `X ~ Binomial(n, p)`.
///
/// Range, error and source as [`upper_tail`]; `x >= n` gives 1.
pub fn lower_tail(x: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    libm::exp(log_lower_tail(x, n, p)).min(1.0)
}

/// p-value of `H-: P <= level`, that is `P[X >= x | P = level]`; small supports `P > level`.
///
/// Range: `x <= n`, `level` in \[0, 1\]; illegal input gives 1, which rejects nothing. Error as
/// [`upper_tail`]. Source: the exact binomial test, Clopper and Pearson (1934).
pub fn p_value_supported(x: u64, n: u64, level: f64) -> f64 {
    if x > n || !(0.0..=1.0).contains(&level) {
        return 1.0;
    }
    upper_tail(x, n, level)
}

/// p-value of `H+: P >= level`, that is `P[X <= x | P = level]`; small refutes `P >= level`.
///
/// Range, error and source as [`p_value_supported`].
pub fn p_value_refuted(x: u64, n: u64, level: f64) -> f64 {
    if x > n || !(0.0..=1.0).contains(&level) {
        return 1.0;
    }
    lower_tail(x, n, level)
}

/// Smallest `n` whose all-success outcome rejects `H-`: the smallest `n` with `level^n <= alpha`.
///
/// Range: `level` and `alpha` in (0, 1). `alpha >= 1` gives 0; where no such `n` exists
/// (`level >= 1`, `alpha <= 0`, NaN) the answer is `u64::MAX`. Error: none, the rounded
/// `ln alpha / ln level` is corrected until it agrees with [`p_value_supported`]; at an exact tie
/// `level^n = alpha` the last bit of that p-value decides.
pub fn smallest_trials_to_support(level: f64, alpha: f64) -> u64 {
    if alpha >= 1.0 {
        return 0;
    }
    if level <= 0.0 && alpha >= 0.0 {
        return 1;
    }
    if !(level > 0.0 && level < 1.0 && alpha > 0.0) {
        return u64::MAX;
    }
    let mut trials = libm::ceil(libm::log(alpha) / libm::log(level)) as u64;
    while trials > 0 && p_value_supported(trials - 1, trials - 1, level) <= alpha {
        trials -= 1;
    }
    while p_value_supported(trials, trials, level) > alpha {
        trials += 1;
    }
    trials
}

/// Power of the test of `H-` at size `alpha`: `P[p_value_supported(X, n, level) <= alpha]`
/// for `X ~ Binomial(n, p_true)`.
///
/// Range: `p_true`, `level`, `alpha` in \[0, 1\], else NaN. Error as [`upper_tail`].
/// Source: the definition; the rejection region is `X >= c`, `c` found by bisection.
pub fn power_supported(n: u64, p_true: f64, level: f64, alpha: f64) -> f64 {
    let legal = |v: f64| (0.0..=1.0).contains(&v);
    if !(legal(p_true) && legal(level) && legal(alpha)) {
        return f64::NAN;
    }
    upper_tail(critical_count(n, level, alpha), n, p_true)
}

/// Smallest `n <= max` whose power, and that of the next 20 sample sizes, is at least `power`.
///
/// The power of a discrete test rises and falls as `n` grows, hence the 20 further sizes (they
/// may exceed `max`). One tooth is about `1/(1 - level)` sizes long, at 0.95 sometimes 30: a larger
/// `n` than the answer may dip below `power` again, so ask [`power_supported`] for the `n` in use.
/// Range: `p_true`, `level`, `alpha` in \[0, 1\], else `None`; `None` also if
/// no such `n` exists. Error: none but that of [`power_supported`] at an exact tie. Time: about
/// `n^1.5` of the answer. Source: search over every `n`; from `n` to `n + 1` the critical count
/// stays or grows by one, since `P[X_n >= c] <= P[X_(n+1) >= c]` and
/// `P[X_(n+1) >= c + 1] <= P[X_n >= c]`.
pub fn trials_for_power(p_true: f64, level: f64, alpha: f64, power: f64, max: u64) -> Option<u64> {
    let legal = |v: f64| (0.0..=1.0).contains(&v);
    if !(legal(p_true) && legal(level) && legal(alpha)) {
        return None;
    }
    let mut critical = critical_count(0, level, alpha);
    let mut streak = 0;
    for n in 0..=max.saturating_add(SAW_TOOTH) {
        if p_value_or_zero(critical, n, level) > alpha {
            critical += 1;
        }
        let enough = upper_tail(critical, n, p_true) >= power;
        streak = if enough { streak + 1 } else { 0 };
        if streak > SAW_TOOTH {
            return Some(n - SAW_TOOTH);
        }
        if streak == 0 && n >= max {
            return None;
        }
    }
    None
}

/// Smallest `c` in `0..=n+1` with `P[X >= c | level] <= alpha`; `n + 1` means "never rejects".
fn critical_count(n: u64, level: f64, alpha: f64) -> u64 {
    let (mut low, mut high) = (0, n.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if p_value_or_zero(middle, n, level) <= alpha {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// `P[X >= c | level]`, which is 0 for the count `n + 1` that cannot happen.
fn p_value_or_zero(c: u64, n: u64, level: f64) -> f64 {
    if c > n { 0.0 } else { p_value_supported(c, n, level) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_counts_reject_nothing() {
        assert_eq!(p_value_supported(5, 4, 0.9), 1.0);
        assert_eq!(p_value_refuted(5, 4, 0.9), 1.0);
        assert_eq!(p_value_supported(4, 4, f64::NAN), 1.0);
        assert!(upper_tail(1, 2, 1.5).is_nan());
    }

    #[test]
    fn fifty_nine_successes_support_ninety_five_percent() {
        assert_eq!(smallest_trials_to_support(0.95, 0.05), 59);
        assert_eq!(smallest_trials_to_support(0.5, 0.25), 2);
        assert_eq!(smallest_trials_to_support(0.95, 1.0), 0);
        assert_eq!(smallest_trials_to_support(1.0, 0.05), u64::MAX);
        assert_eq!(smallest_trials_to_support(0.0, 0.05), 1);
    }

    #[test]
    fn the_stepped_critical_count_equals_the_bisected_one() {
        let (level, alpha) = (0.9, 0.01);
        let mut stepped = critical_count(0, level, alpha);
        for n in 0..500 {
            if p_value_or_zero(stepped, n, level) > alpha {
                stepped += 1;
            }
            assert_eq!(stepped, critical_count(n, level, alpha), "n = {n}");
        }
    }
}

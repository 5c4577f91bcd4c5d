//! Draws without replacement: `draws` items from a population of which some are marked.
//!
//! `statrs` is not used: its mass is a quotient of binomial coefficients, which overflow and leave no number, and its
//! logarithms of them are differences of log-gammas (`tests/beside_statrs.rs`).

use super::log_binomial::log_pmf;
use super::stirling::{LN_TWO_PI, stirling_error};

/// `ln C(n, k)`, the logarithm of a binomial coefficient.
///
/// Range: any counts; `k > n` gives minus infinity, `k = 0` and `k = n` give 0. Relative error
/// below 1e-13. Source: Stirling's formula with its error term, Loader (2000).
pub fn log_choose(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    let k = k.min(n - k);
    if k == 0 {
        return 0.0;
    }
    let (all, few, rest) = (n as f64, k as f64, (n - k) as f64);
    let entropy = few * libm::log(all / few) - rest * libm::log1p(-few / all);
    let stirling = stirling_error(all) - stirling_error(few) - stirling_error(rest);
    entropy + stirling - 0.5 * (LN_TWO_PI + libm::log(few) + libm::log1p(-few / all))
}

/// `P[X = x] = C(marked, x) C(population - marked, draws - x) / C(population, draws)`.
///
/// Range: `marked` and `draws` at most `population`, else NaN; an impossible `x` gives 0.
/// Relative error below 1e-12 for populations up to 4096. Source: Loader (2000), as the product
/// `b(x; marked, p) b(draws - x; population - marked, p) / b(draws; population, p)` of binomial
/// masses at `p = draws/population`, whose powers of `p` cancel.
pub fn hypergeometric_pmf(population: u64, marked: u64, draws: u64, x: u64) -> f64 {
    if marked > population || draws > population {
        return f64::NAN;
    }
    let unmarked = population - marked;
    if x > marked || x > draws || draws - x > unmarked {
        return 0.0;
    }
    if draws == 0 || draws == population {
        return 1.0;
    }
    let p = draws as f64 / population as f64;
    let numerator = log_pmf(x, marked, p) + log_pmf(draws - x, unmarked, p);
    libm::exp(numerator - log_pmf(draws, population, p)).min(1.0)
}

/// `P[X <= x]`, the probability of at most `x` marked items among the draws.
///
/// Range and error as [`hypergeometric_pmf`]; `x` below the possible counts gives 0, at or above
/// the largest 1. Source: summed outwards from `x` by the ratio of neighbours; above the mode as
/// one minus the other tail (which is drawn among the unmarked), where nothing cancels.
pub fn hypergeometric_lower_tail(population: u64, marked: u64, draws: u64, x: u64) -> f64 {
    if marked > population || draws > population {
        return f64::NAN;
    }
    if x >= marked.min(draws) {
        return 1.0;
    }
    let unmarked = population - marked;
    if x + unmarked < draws {
        return 0.0;
    }
    let mode = (draws as f64 + 1.0) * (marked as f64 + 1.0) / (population as f64 + 2.0);
    if x as f64 > mode {
        // X > x means at most draws - x - 1 unmarked items.
        return 1.0 - downward(population, unmarked, draws, draws - x - 1);
    }
    downward(population, marked, draws, x)
}

/// `P[X <= x]` for `x` at most about the mode, where the terms fall on the way down:
/// `P[X = k-1] / P[X = k] = k (unmarked - draws + k) / ((marked - k + 1)(draws - k + 1))`.
fn downward(population: u64, marked: u64, draws: u64, x: u64) -> f64 {
    let (marks, rest, drawn) = (marked as f64, (population - marked) as f64, draws as f64);
    let (mut k, mut term, mut sum) = (x as f64, 1.0_f64, 1.0_f64);
    while k > 0.0 && rest - drawn + k > 0.0 {
        term *= k / (marks - k + 1.0) * ((rest - drawn + k) / (drawn - k + 1.0));
        let next = sum + term;
        if next == sum {
            break;
        }
        sum = next;
        k -= 1.0;
    }
    (hypergeometric_pmf(population, marked, draws, x) * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_case_by_hand() {
        // 3 draws from 7 with 4 marked: C(4,x) C(3,3-x) / 35 = 1, 12, 18, 4 over 35.
        let masses = [1.0, 12.0, 18.0, 4.0];
        for x in 0..4_usize {
            let lower = masses[..=x].iter().sum::<f64>() / 35.0;
            assert!((hypergeometric_pmf(7, 4, 3, x as u64) - masses[x] / 35.0).abs() < 1e-14);
            assert!((hypergeometric_lower_tail(7, 4, 3, x as u64) - lower).abs() < 1e-14);
        }
    }

    #[test]
    fn impossible_counts_and_illegal_parameters() {
        assert_eq!(hypergeometric_pmf(5, 2, 2, 3), 0.0);
        assert_eq!(hypergeometric_pmf(5, 4, 3, 1), 0.0);
        assert_eq!(hypergeometric_lower_tail(5, 4, 3, 1), 0.0);
        assert_eq!(hypergeometric_lower_tail(5, 4, 3, 3), 1.0);
        assert_eq!(hypergeometric_lower_tail(0, 0, 0, 0), 1.0);
        assert!(hypergeometric_pmf(5, 6, 1, 1).is_nan());
        assert_eq!(log_choose(3, 4), f64::NEG_INFINITY);
        assert_eq!(log_choose(9, 9), 0.0);
    }
}

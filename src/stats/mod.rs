//! Exact statistics on counts: pure functions, no files, no printing, no random numbers.
//!
//! | file | concept |
//! |---|---|
//! | `stirling` | the two small corrections that keep binomial logarithms accurate (private) |
//! | [`log_binomial`] | logarithms of the binomial mass and of its two tails |
//! | [`binomial`] | exact one-sided tests of a probability against a level, their power and sample size |
//! | [`interval`] | Clopper–Pearson and Wilson intervals of a probability |
//! | [`sequential`] | tests and intervals that stay valid however often one looks |
//! | [`holm`](mod@holm) | Holm's adjustment for many tests at once |
//! | [`quantile`](mod@quantile) | median and quantiles as in NumPy |
//! | [`hypergeometric`] | draws without replacement |
//!
//! Logarithms and exponentials come from `libm`, so that the same counts give the same bits on
//! every platform. Errors stated as "relative" are measured in `tests/statistics.rs` against
//! `data/statistics.csv`. Counts may be up to 2^53, the largest that `f64` holds exactly; the
//! time of one tail grows as the square root of the number of trials.

pub mod binomial;
pub mod holm;
pub mod hypergeometric;
pub mod interval;
pub mod log_binomial;
pub mod quantile;
pub mod sequential;
mod stirling;

pub use binomial::{
    lower_tail, p_value_refuted, p_value_supported, power_supported, smallest_trials_to_support, trials_for_power,
    upper_tail,
};
pub use holm::holm;
pub use hypergeometric::{hypergeometric_lower_tail, hypergeometric_pmf, log_choose};
pub use interval::{Interval, clopper_pearson, wilson};
pub use quantile::{median, quantile};
pub use sequential::{LookError, SequentialTest, confidence_sequence, log_e_refuted, log_e_supported};

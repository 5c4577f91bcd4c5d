//! Statistics on counts and on slopes: pure functions, no files, no printing. Random numbers serve
//! two functions, the bootstrap of [`quantile_slope`] and the permutations of [`p_value_group_larger`], which take a seed.
//!
//! | file | concept |
//! |---|---|
//! | `stirling` | the two small corrections that keep binomial logarithms accurate (private) |
//! | [`log_binomial`] | logarithms of the binomial mass and of its two tails |
//! | [`binomial`] | exact one-sided tests of a probability against a level, their power and sample size |
//! | `bridge` | how far a random order of signs strays from balance |
//! | `decimal` | products and differences of decimals, and of shares of counts, rounded once |
//! | [`interval`] | Clopper–Pearson and Wilson intervals of a probability |
//! | `sequential` | tests and intervals that stay valid however often one looks |
//! | `spending` | alpha spending: any p-value, made valid at every look |
//! | [`holm`](mod@holm) | Holm's adjustment for many tests at once |
//! | [`quantile`](mod@quantile) | median and quantiles as in NumPy |
//! | `hypergeometric` | draws without replacement |
//! | `student` | Student's t and the normal distribution: tails and critical values |
//! | `groups` | values of runs, grouped by `x` |
//! | `ranks` | area under the ROC curve, rank correlations |
//! | `permutation` | whether a group's mean is larger than that of a group drawn by chance |
//! | [`slope`] | a slope with its standard error: interval, tests, equivalence, planning |
//! | [`least_squares`](mod@least_squares) | slopes of means and of logarithms of means |
//! | [`quantile_regression`](mod@quantile_regression) | slopes of quantiles, exact, with a bootstrap |
//! | `flip` | where a monotone probability crosses a level |
//!
//! Logarithms and exponentials come from `libm`, so that the same counts give the same bits on
//! every platform. Errors stated as "relative" are measured in `tests/statistics.rs` against
//! `data/statistics.csv` and in `tests/slopes.rs` against `data/slopes.csv`. Error rates and
//! coverage of the slopes are measured in `tests/error_rates.rs`, which keeps
//! `data/error_rates.csv` true. Counts may be up to 2^53, the largest that `f64` holds exactly; the
//! time of one tail grows as the square root of the number of trials.

pub mod binomial;
pub(crate) mod bridge;
pub(crate) mod decimal;
mod extreme;
pub(crate) mod flip;
pub(crate) mod groups;
pub mod holm;
pub(crate) mod hypergeometric;
pub mod interval;
pub mod least_squares;
pub mod log_binomial;
pub(crate) mod mean;
pub(crate) mod permutation;
pub mod quantile;
pub mod quantile_regression;
pub(crate) mod ranks;
pub(crate) mod sequential;
pub mod slope;
pub(crate) mod spending;
mod stirling;
pub(crate) mod student;

pub use binomial::{
    lower_tail, p_value_refuted, p_value_supported, power_supported, smallest_trials_to_support, trials_for_power,
    upper_tail,
};
pub use bridge::bridge_within;
pub use extreme::extreme;
pub use flip::isotonic;

pub use groups::Group;
pub use holm::holm;
pub use hypergeometric::{hypergeometric_lower_tail, hypergeometric_pmf, log_choose};
pub use interval::{Interval, clopper_pearson, wilson};
pub use least_squares::{LogMeanError, least_squares, log_mean_slope};
pub(crate) use mean::p_value_mean_zero;
pub(crate) use permutation::p_value_group_larger;
pub(crate) use quantile::median_interval;
pub use quantile::{median, quantile};
pub use quantile_regression::{quantile_regression, quantile_slope};
pub(crate) use ranks::{auc, kendall, spearman};
pub use sequential::{SequentialTest, confidence_sequence, log_e_refuted, log_e_supported};
pub use slope::{Bounds, MEDIAN_FACTOR, Slope, runs_for_slope_power, slope_power};
pub(crate) use spending::spending_weight;
pub use spending::{SpendingTest, spent};
pub use student::{normal_critical, normal_upper_tail, student_critical, student_upper_tail};

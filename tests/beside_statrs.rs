//! What `statrs` gets wrong where the statistics have code of their own. The true values are from mpmath 1.3 at 40 digits.

use moe_theory::stats::{
    clopper_pearson, hypergeometric_pmf, log_binomial, log_choose, student_upper_tail, upper_tail,
};
use statrs::distribution::{Binomial, ContinuousCDF, Discrete, DiscreteCDF, Hypergeometric, StudentsT};
use statrs::function::beta::inv_beta_reg;
use statrs::function::factorial::ln_binomial;

/// Ours is right to 12 digits, and theirs off by at least `off`, in units of the truth.
fn compare(name: &str, [ours, theirs, truth]: [f64; 3], off: f64) {
    let error = |found: f64| (found / truth - 1.0).abs();
    assert!(error(ours) < 1e-12, "{name}: {ours} in place of {truth}");
    let is_off = theirs.is_nan() || error(theirs) > off;
    assert!(
        is_off,
        "{name}: statrs gives {theirs} ({:.1e}), {truth} is right: use it in place of our own",
        error(theirs)
    );
}

#[test]
fn tails_of_the_binomial_distribution_at_a_million_trials() {
    let theirs = |x: u64, p| Binomial::new(p, 1_000_000).expect("legal").sf(x - 1);
    let cases =
        [(500_001, 0.5, 0.499601057819334), (950_001, 0.95, 0.49935933456625513), (999_001, 0.999, 0.495788444832997)];
    for (x, p, truth) in cases {
        compare(&format!("{x} at {p}"), [upper_tail(x, 1_000_000, p), theirs(x, p), truth], 1e-10);
    }
}

#[test]
fn an_end_of_an_interval_with_few_successes() {
    let (ours, theirs) = (clopper_pearson(3, 1_000_000, 0.05).low, inv_beta_reg(3.0, 999_998.0, 0.025));
    compare("Clopper-Pearson", [ours, theirs, 6.1867255019064e-7], 1e-4);
}

#[test]
fn tails_of_the_t_distribution_at_many_degrees() {
    let theirs = |t, degrees| StudentsT::new(0.0, 1.0, degrees).expect("legal").sf(t);
    let cases =
        [(3.0, 1e6, 0.0013499312707108985), (6.0, 1e6, 9.869_249_061_772_173e-10), (2.0, 1e8, 0.022750133297953376)];
    for (t, degrees, truth) in cases {
        compare(&format!("t = {t} at {degrees}"), [student_upper_tail(t, degrees), theirs(t, degrees), truth], 1e-10);
    }
}

#[test]
fn draws_without_replacement_from_many() {
    let theirs = Hypergeometric::new(100_000, 50_000, 500).expect("legal").pmf(250);
    compare("hypergeometric", [hypergeometric_pmf(100_000, 50_000, 500, 250), theirs, 0.0357541424733846], 1.0);
}

#[test]
fn logarithms_of_large_factorials() {
    let n = 1_000_000_000_000_000;
    compare("ln C(10^15, 3)", [log_choose(n, 3), ln_binomial(n, 3), 101.824569715504], 1e-6);
    let n = 1_000_000_000_000;
    let theirs = Binomial::new(0.5, n).expect("legal").ln_pmf(n / 2).exp();
    compare("mass", [log_binomial::log_pmf(n / 2, n, 0.5).exp(), theirs, 7.978_845_608_026_659e-7], 1e-6);
}

//! The statistics room against reference values, identities, and one seeded simulation.

use chacha20::ChaCha8Rng;
use moe_theory::stats::{
    Interval, SequentialTest, clopper_pearson, confidence_sequence, holm, hypergeometric_lower_tail,
    hypergeometric_pmf, log_binomial, log_choose, log_e_refuted, log_e_supported, lower_tail, median, p_value_refuted,
    p_value_supported, power_supported, quantile, smallest_trials_to_support, trials_for_power, upper_tail, wilson,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};

/// Relative tolerance of probabilities, ends of intervals and quantiles.
const RELATIVE_TOLERANCE: f64 = 1e-9;
/// Absolute tolerance of logarithms of masses and e-values: the relative one of what they log.
const LOGARITHM_TOLERANCE: f64 = 1e-9;
/// Relative tolerance of draws without replacement, populations up to 4096.
const HYPERGEOMETRIC_TOLERANCE: f64 = 1e-12;
/// Relative tolerance where both sides come from our own code.
const IDENTITY_TOLERANCE: f64 = 1e-11;

/// The functions the table must cover, so that a cut-off table cannot pass.
const COVERED: &str = "
    clopper_pearson_high clopper_pearson_low confidence_sequence_high confidence_sequence_low
    holm hypergeometric_lower_tail hypergeometric_pmf log_choose log_e_refuted log_e_supported
    log_pmf lower_tail median p_value_refuted p_value_supported power_supported quantile
    smallest_trials_to_support trials_for_power upper_tail wilson_high wilson_low
";

fn close(got: f64, expected: f64, relative: f64) -> bool {
    got == expected || (got - expected).abs() <= relative * expected.abs()
}

fn numbers(field: &str) -> Vec<f64> {
    field.split(';').map(|part| part.parse().expect("a number")).collect()
}

/// What our function of that name answers.
fn compute(function: &str, a: &[f64]) -> Vec<f64> {
    let count = |i: usize| a[i] as u64;
    let value = match function {
        "holm" => return holm(a),
        "median" => median(a).expect("values"),
        "quantile" => quantile(&a[1..], a[0]).expect("values"),
        "upper_tail" => upper_tail(count(0), count(1), a[2]),
        "lower_tail" => lower_tail(count(0), count(1), a[2]),
        "p_value_supported" => p_value_supported(count(0), count(1), a[2]),
        "p_value_refuted" => p_value_refuted(count(0), count(1), a[2]),
        "log_pmf" => log_binomial::log_pmf(count(0), count(1), a[2]),
        "smallest_trials_to_support" => smallest_trials_to_support(a[0], a[1]) as f64,
        "power_supported" => power_supported(count(0), a[1], a[2], a[3]),
        "trials_for_power" => trials_for_power(a[0], a[1], a[2], a[3], count(4)).map_or(-1.0, |n| n as f64),
        "clopper_pearson_low" => clopper_pearson(count(0), count(1), a[2]).low,
        "clopper_pearson_high" => clopper_pearson(count(0), count(1), a[2]).high,
        "wilson_low" => wilson(count(0), count(1), a[2]).low,
        "wilson_high" => wilson(count(0), count(1), a[2]).high,
        "log_e_supported" => log_e_supported(count(0), count(1), a[2]),
        "log_e_refuted" => log_e_refuted(count(0), count(1), a[2]),
        "confidence_sequence_low" => confidence_sequence(count(0), count(1), a[2]).low,
        "confidence_sequence_high" => confidence_sequence(count(0), count(1), a[2]).high,
        "log_choose" => log_choose(count(0), count(1)),
        "hypergeometric_pmf" => hypergeometric_pmf(count(0), count(1), count(2), count(3)),
        "hypergeometric_lower_tail" => hypergeometric_lower_tail(count(0), count(1), count(2), count(3)),
        other => panic!("no function {other}"),
    };
    vec![value]
}

fn agrees(function: &str, got: f64, expected: f64) -> bool {
    match function {
        "smallest_trials_to_support" | "trials_for_power" => got == expected,
        "log_pmf" | "log_e_supported" | "log_e_refuted" => (got - expected).abs() <= LOGARITHM_TOLERANCE,
        "log_choose" | "hypergeometric_pmf" | "hypergeometric_lower_tail" => {
            close(got, expected, HYPERGEOMETRIC_TOLERANCE)
        }
        _ => close(got, expected, RELATIVE_TOLERANCE),
    }
}

#[test]
fn every_function_matches_the_reference_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/statistics.csv");
    let mut reader = csv::Reader::from_path(path).expect("the table");
    let mut seen = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for record in reader.records() {
        let record = record.expect("a row");
        let expected = numbers(&record[2]);
        let got = compute(&record[0], &numbers(&record[1]));
        let same = got.len() == expected.len() && got.iter().zip(&expected).all(|(&g, &e)| agrees(&record[0], g, e));
        if !same {
            wrong.push(format!("{:?}: got {got:?}", record.iter().collect::<Vec<_>>()));
        }
        seen.insert(record[0].to_string());
    }
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.iter().map(String::as_str).eq(COVERED.split_whitespace()), "{seen:?}");
}

/// `(x, n)` with `x <= n` and `n >= 1`.
fn counts(most: u64) -> impl Strategy<Value = (u64, u64)> {
    (1..=most).prop_flat_map(|n| (0..=n, Just(n)))
}

/// Whether exchanging successes and failures mirrors the interval. An upper end near 1 cannot be
/// finer than the last bit of 1, so the tests invert only lower ends and compare the upper ones so.
fn mirror(one: Interval, other: Interval) -> bool {
    (one.low + other.high - 1.0).abs() <= 1e-14 && (one.high + other.low - 1.0).abs() <= 1e-14
}

proptest! {
    #[test]
    fn the_two_tails_share_all_mass((x, n) in counts(3000), p in 0.0..=1.0_f64) {
        let total = lower_tail(x, n, p) + upper_tail(x + 1, n, p);
        prop_assert!(close(total, 1.0, IDENTITY_TOLERANCE), "{total}");
    }

    #[test]
    fn the_tails_mirror_each_other((x, n) in counts(3000), eighths in 0..=8_u32) {
        let p = f64::from(eighths) / 8.0;
        let (lower, mirrored) = (lower_tail(x, n, p), upper_tail(n - x, n, 1.0 - p));
        prop_assert!(close(lower, mirrored, IDENTITY_TOLERANCE), "{lower} {mirrored}");
    }

    #[test]
    fn clopper_pearson_ends_invert_the_tails((x, n) in counts(3000), digits in 0.1..6.0_f64) {
        let alpha = 10.0_f64.powf(-digits);
        let (interval, mirrored) = (clopper_pearson(x, n, alpha), clopper_pearson(n - x, n, alpha));
        prop_assert!(mirror(interval, mirrored), "{interval:?} {mirrored:?}");
        prop_assert!(interval.low <= interval.high && interval.contains(x as f64 / n as f64));
        if x > 0 {
            let tail = upper_tail(x, n, interval.low);
            prop_assert!(close(tail, alpha / 2.0, IDENTITY_TOLERANCE), "{tail}");
        }
    }

    #[test]
    fn holm_never_lowers_a_p_value_and_ignores_the_order(
        (values, shuffled) in prop::collection::vec(0.0..=1.0_f64, 1..20)
            .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle()))
    ) {
        let pairs = |raw: &[f64]| {
            let mut list: Vec<_> = raw.iter().copied().zip(holm(raw)).collect();
            list.sort_by(|a, b| a.0.total_cmp(&b.0));
            list
        };
        let sorted = pairs(&values);
        prop_assert!(sorted.iter().all(|(raw, adjusted)| raw <= adjusted && *adjusted <= 1.0));
        prop_assert!(sorted.windows(2).all(|w| w[0].1 <= w[1].1));
        prop_assert_eq!(sorted, pairs(&shuffled));
    }

    #[test]
    fn hypergeometric_masses_sum_to_their_tail_and_to_one(
        (population, marked, draws) in (1..=600_u64).prop_flat_map(|n| (Just(n), 0..=n, 0..=n))
    ) {
        let mut sum = 0.0;
        for x in 0..=draws {
            sum += hypergeometric_pmf(population, marked, draws, x);
            let tail = hypergeometric_lower_tail(population, marked, draws, x);
            prop_assert!(close(tail, sum, IDENTITY_TOLERANCE), "x = {x}: {tail} {sum}");
        }
        prop_assert!(close(sum, 1.0, IDENTITY_TOLERANCE), "{sum}");
    }

    #[test]
    fn the_sides_mix_to_the_confidence_sequence((x, n) in counts(2000), digits in 0.1..6.0_f64) {
        let alpha = 10.0_f64.powf(-digits);
        let interval = confidence_sequence(x, n, alpha);
        let mirrored = confidence_sequence(n - x, n, alpha);
        prop_assert!(mirror(interval, mirrored), "{interval:?} {mirrored:?}");
        if x > 0 {
            // The one-sided mixtures, weighted by their share of [0, 1], make the two-sided one.
            let p = interval.low;
            let mixed = (1.0 - p) * log_e_supported(x, n, p).exp() + p * log_e_refuted(x, n, p).exp();
            prop_assert!(close(mixed * alpha, 1.0, IDENTITY_TOLERANCE), "{mixed} {alpha}");
        }
    }
}

/// Of 2,000 runs at `P = level`, those that reject `H-` by trial 400: sequential test, misused one.
fn false_rejections(level: f64, alpha: f64) -> (u64, u64) {
    let mut generator = ChaCha8Rng::seed_from_u64(20_260_101);
    let (mut sequential, mut misused) = (0, 0);
    for _ in 0..2000 {
        let mut test = SequentialTest::new(level);
        let (mut successes, mut smallest_fixed) = (0, 1.0_f64);
        for trials in 1..=400 {
            successes += u64::from(generator.random_bool(level));
            test.look(successes, trials).expect("growing counts");
            smallest_fixed = smallest_fixed.min(p_value_supported(successes, trials, level));
        }
        sequential += u64::from(test.p_value_supported() <= alpha);
        misused += u64::from(smallest_fixed <= alpha);
    }
    (sequential, misused)
}

#[test]
fn looking_after_every_trial_keeps_the_error_only_for_the_sequential_test() {
    for (level, alpha) in [(0.95, 0.05), (0.5, 0.05)] {
        let (sequential, misused) = false_rejections(level, alpha);
        // By Ville's inequality the count of 2,000 independent runs is at most Binomial(2000,
        // alpha) in distribution. The limit is the count that this exceeds with probability below
        // 1e-9: 100 + 63 here, so a correct test fails for practically no seed.
        let limit = (0..2000).find(|&k| upper_tail(k + 1, 2000, alpha) < 1e-9).expect("a limit");
        assert!(sequential <= limit, "level {level}: {sequential} > {limit}");
        assert!(sequential > 0, "level {level}: a test that never rejects proves nothing");
        assert!(misused > limit, "level {level}: the control, {misused} <= {limit}");
    }
}

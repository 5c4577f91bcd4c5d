//! Slopes and their references: values of other programs, brute force, and equivariance.

use std::collections::BTreeSet;

use moe_theory::stats::{
    Group, LogMeanError, Slope, isotonic, least_squares, log_mean_slope, normal_critical, normal_upper_tail,
    quantile_regression, quantile_slope, student_critical, student_upper_tail,
};
use proptest::prelude::*;

/// Relative tolerance of closed forms, tails and critical values.
const RELATIVE_TOLERANCE: f64 = 1e-10;
/// Absolute tolerance of a slope found by linear programming, whose loss may be off by 1e-11.
const PROGRAM_TOLERANCE: f64 = 1e-9;
/// Relative tolerance where both sides come from our own code.
const IDENTITY_TOLERANCE: f64 = 1e-12;
/// Bootstrap errors of 4000 resamples (reference) and as many of ours: four Monte Carlo errors.
const BOOTSTRAP_TOLERANCE: f64 = 0.064;

/// The functions the table must cover, so that a cut-off table cannot pass.
const COVERED: &str = "
    bootstrap_error equivalent interval isotonic least_squares least_squares_error log_mean_slope normal_critical
    normal_upper_tail quantile_loss quantile_slope student_critical student_upper_tail
";

fn close(got: f64, expected: f64, tolerance: f64) -> bool {
    (got - expected).abs() <= tolerance * expected.abs()
}

fn numbers(field: &str) -> Vec<f64> {
    field.split(';').filter(|part| !part.is_empty()).map(|part| part.parse().expect("a number")).collect()
}

fn groups_of(field: &str) -> Vec<Group> {
    let group = |part: &str| {
        let (x, values) = part.split_once('=').expect("x=values");
        Group { x: x.parse().expect("a number"), values: numbers(values) }
    };
    field.split('|').filter(|part| !part.is_empty()).map(group).collect()
}

fn check_loss(groups: &[Group], tau: f64, intercept: f64, slope: f64) -> f64 {
    let loss = |residual: f64| if residual >= 0.0 { tau * residual } else { (tau - 1.0) * residual };
    groups.iter().flat_map(|g| g.values.iter().map(move |v| loss(v - intercept - slope * g.x))).sum()
}

fn compute(function: &str, groups: &[Group], a: &[f64]) -> Vec<f64> {
    let line = || least_squares(groups).expect("a slope");
    match function {
        "least_squares" => vec![line().slope, line().intercept],
        "least_squares_error" => vec![line().standard_error],
        "equivalent" => vec![line().p_value_equivalent(a[0], a[1])],
        "interval" => vec![line().interval(a[0]).low, line().interval(a[0]).high],
        "quantile_slope" => vec![quantile_regression(groups, a[0]).expect("a line").1],
        "quantile_loss" => {
            let (intercept, slope) = quantile_regression(groups, a[0]).expect("a line");
            vec![check_loss(groups, a[0], intercept, slope)]
        }
        "bootstrap_error" => vec![quantile_slope(groups, a[0], 4000, 1).expect("a slope").standard_error],
        "log_mean_slope" => {
            let fit = log_mean_slope(groups).expect("a slope");
            vec![fit.slope, fit.standard_error]
        }
        "student_upper_tail" => vec![student_upper_tail(a[0], a[1])],
        "student_critical" => vec![student_critical(a[0], a[1])],
        "normal_upper_tail" => vec![normal_upper_tail(a[0])],
        "normal_critical" => vec![normal_critical(a[0])],
        "isotonic" => isotonic(&groups[0].values, &groups[1].values),
        other => panic!("no function {other}"),
    }
}

fn agrees(function: &str, got: f64, expected: f64) -> bool {
    match function {
        "quantile_slope" => (got - expected).abs() <= PROGRAM_TOLERANCE,
        "bootstrap_error" => close(got, expected, BOOTSTRAP_TOLERANCE),
        "isotonic" => (got - expected).abs() <= IDENTITY_TOLERANCE,
        _ => close(got, expected, RELATIVE_TOLERANCE),
    }
}

#[test]
fn every_function_matches_the_reference_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/slopes.csv");
    let mut reader = csv::Reader::from_path(path).expect("the table");
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for record in reader.records() {
        let record = record.expect("a row");
        let expected = numbers(&record[3]);
        let got = compute(&record[0], &groups_of(&record[1]), &numbers(&record[2]));
        let same = got.len() == expected.len() && got.iter().zip(&expected).all(|(&g, &e)| agrees(&record[0], g, e));
        if !same {
            wrong.push(format!("{:?}: got {got:?}", record.iter().collect::<Vec<_>>()));
        }
        seen.insert(record[0].to_string());
    }
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.iter().map(String::as_str).eq(COVERED.split_whitespace()), "{seen:?}");
}

/// Two to four groups; values on a coarse grid, so that ties and several optimal lines are common.
fn small_groups(least: usize) -> impl Strategy<Value = Vec<Group>> {
    let values = prop::collection::vec((-6_i32..=6).prop_map(|v| f64::from(v) / 2.0), least..7);
    let fine = prop::collection::vec(-3.0..3.0_f64, least..7);
    let group = (0..5_i32, prop_oneof![values, fine]);
    prop::collection::vec(group, 2..5)
        .prop_map(|list| list.into_iter().map(|(x, values)| Group { x: f64::from(x), values }).collect::<Vec<_>>())
        .prop_filter("two different x", |groups| groups.iter().any(|g| g.x != groups[0].x))
}

/// The least loss of all lines through two runs of different `x`, and the slopes that have it.
fn brute_force(groups: &[Group], tau: f64) -> (f64, f64, f64) {
    let points: Vec<(f64, f64)> = groups.iter().flat_map(|g| g.values.iter().map(|&v| (g.x, v))).collect();
    let mut lines = Vec::new();
    for (i, a) in points.iter().enumerate() {
        for b in points[i + 1..].iter().filter(|b| b.0 != a.0) {
            let slope = (b.1 - a.1) / (b.0 - a.0);
            lines.push((check_loss(groups, tau, a.1 - slope * a.0, slope), slope));
        }
    }
    let least = lines.iter().map(|line| line.0).fold(f64::INFINITY, f64::min);
    let best = lines.iter().filter(|line| line.0 <= least + 1e-12 * (1.0 + least)).map(|line| line.1);
    let (low, high) = best.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), b| (low.min(b), high.max(b)));
    (least, low, high)
}

fn shifted(groups: &[Group], f: impl Fn(f64, f64) -> (f64, f64)) -> Vec<Group> {
    let map = |g: &Group| Group { x: f(g.x, 0.0).0, values: g.values.iter().map(|&v| f(g.x, v).1).collect() };
    groups.iter().map(map).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn the_quantile_line_has_the_least_loss_of_all_lines(
        groups in small_groups(1), tau in prop_oneof![Just(0.5), Just(0.1), Just(0.25), 0.02..0.98_f64]
    ) {
        let (intercept, slope) = quantile_regression(&groups, tau).expect("a line");
        let (least, low, high) = brute_force(&groups, tau);
        let loss = check_loss(&groups, tau, intercept, slope);
        prop_assert!(loss <= least + 1e-12 * (1.0 + least), "{loss} {least}");
        // And it is the middle of the optimal slopes.
        prop_assert!((slope - (low + high) / 2.0).abs() <= 1e-10 * (1.0 + slope.abs()), "{slope} {low} {high}");
    }

    #[test]
    fn slopes_follow_shift_scale_and_tilt(
        groups in small_groups(3),
        (shift, scale) in (-5.0..5.0_f64, 0.1..5.0_f64),
        (tilt, move_x) in (-3.0..3.0_f64, -3.0..3.0_f64),
    ) {
        let moved = shifted(&groups, |x, v| (x + move_x, shift + scale * v + tilt * (x + move_x)));
        let estimates: [fn(&[Group]) -> Slope; 2] = [
            |g| least_squares(g).expect("a slope"),
            |g| quantile_slope(g, 0.5, 20, 3).expect("a slope"),
        ];
        for estimate in estimates {
            let (one, other) = (estimate(&groups), estimate(&moved));
            prop_assert!(near(scale * one.slope + tilt, other.slope), "{one:?} {other:?}");
            prop_assert!((scale * one.standard_error - other.standard_error).abs() < 1e-7, "{one:?} {other:?}");
            prop_assert_eq!(one.degrees, other.degrees);
            let at = |s: &Slope, x: f64| s.intercept + s.slope * x;
            prop_assert!(near(shift + scale * at(&one, 1.0) + tilt * (1.0 + move_x), at(&other, 1.0 + move_x)));
        }
        // Upside down, the 0.3-quantile is the 0.7-quantile.
        let mirrored = shifted(&groups, |x, v| (x, -v));
        let (low, high) = (quantile_regression(&groups, 0.3).unwrap(), quantile_regression(&mirrored, 0.7).unwrap());
        prop_assert!(near(low.1, -high.1), "{low:?} {high:?}");
    }

    #[test]
    fn the_order_of_runs_and_of_groups_changes_nothing(
        (groups, order) in small_groups(2)
            // Two groups at one x would be drawn in the order given.
            .prop_map(|groups| (0..).zip(groups).map(|(x, g)| Group { x: f64::from(x), ..g }).collect::<Vec<_>>())
            .prop_flat_map(|g| (Just(g.clone()), Just(g).prop_shuffle())),
        seed in 0..9_u64
    ) {
        let turn = |g: &Group| Group { x: g.x, values: g.values.iter().rev().copied().collect() };
        let turned: Vec<Group> = order.iter().map(turn).collect();
        let median = |groups: &[Group]| quantile_slope(groups, 0.5, 20, seed).unwrap();
        let line = |groups: &[Group]| least_squares(groups).unwrap();
        for (one, other) in [(median(&groups), median(&turned)), (line(&groups), line(&turned))] {
            prop_assert!(near(one.slope, other.slope), "{one:?} {other:?}");
            prop_assert!((one.standard_error - other.standard_error).abs() < 1e-7, "{one:?} {other:?}");
        }
    }

    #[test]
    fn the_log_mean_slope_follows_powers_of_x_and_units(
        groups in small_groups(3), unit in 0.01..100.0_f64, power in -2.0..2.0_f64
    ) {
        let positive = shifted(&groups, |x, v| (x, v.exp()));
        let scaled = shifted(&positive, |x, v| (x, unit * v * (power * x).exp()));
        match (log_mean_slope(&positive), log_mean_slope(&scaled)) {
            (Ok(one), Ok(other)) => {
                prop_assert!(near(one.slope + power, other.slope) && near(one.standard_error, other.standard_error));
            }
            (one, other) => prop_assert_eq!(one.err(), other.err()),
        }
    }

    #[test]
    fn p_values_invert_the_interval(
        slope in -2.0..2.0_f64, error in 0.01..2.0_f64, degrees in 1.0..500.0_f64, digits in 0.5..12.0_f64
    ) {
        let alpha = 10.0_f64.powf(-digits);
        let fit = Slope { slope, intercept: 0.0, standard_error: error, degrees };
        let bounds = fit.interval(alpha);
        let (above, below) = (fit.p_value_above(bounds.low), fit.p_value_below(bounds.high));
        prop_assert!(close(above, alpha / 2.0, 1e-6) && close(below, alpha / 2.0, 1e-6), "{above} {below} {alpha}");
        prop_assert!(near(fit.p_value_above(0.3) + fit.p_value_below(0.3), 1.0));
    }
}

#[test]
fn the_bootstrap_is_determined_by_its_seed() {
    let groups: Vec<Group> = (0..6)
        .map(|x| Group { x: f64::from(x), values: (0..40).map(|i| f64::from((i * i * 7 + x * 13) % 41)).collect() })
        .collect();
    let fit = |seed| quantile_slope(&groups, 0.5, 100, seed);
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1), fit(2));
    assert_eq!(fit(1).map(|s| (s.slope, s.intercept)), fit(2).map(|s| (s.slope, s.intercept)));
}

#[test]
fn exact_lines_have_no_error_and_ties_reject_nothing() {
    let groups: Vec<Group> = [3.0, 4.0, 5.5].map(|x| Group { x, values: vec![2.0 - 0.5 * x; 8] }).to_vec();
    let powers = shifted(&groups, |x, v| (x, v.exp()));
    let fits = [
        least_squares(&groups).unwrap(),
        quantile_slope(&groups, 0.5, 50, 1).unwrap(),
        log_mean_slope(&powers).unwrap(),
    ];
    for fit in fits {
        assert!((fit.slope + 0.5).abs() < 1e-14 && (fit.intercept - 2.0).abs() < 1e-13, "{fit:?}");
        assert_eq!(fit.standard_error, 0.0);
        assert_eq!((fit.p_value_above(-0.5), fit.p_value_below(-0.5)), (1.0, 1.0));
        assert_eq!((fit.p_value_above(-0.6), fit.p_value_below(-0.6)), (0.0, 1.0));
        assert_eq!(fit.p_value_equivalent(-0.5, 0.1), 0.0);
    }
}

#[test]
fn what_gives_no_quantile_slope() {
    let group = |x: f64, values: &[f64]| Group { x, values: values.to_vec() };
    let good = [group(0.0, &[1.0, 2.0]), group(1.0, &[2.0, 4.0])];
    assert!(quantile_slope(&good, 0.5, 2, 0).is_some());
    assert_eq!(quantile_slope(&good, 0.5, 1, 0), None);
    for tau in [0.0, 1.0, -0.5, f64::NAN] {
        assert_eq!((quantile_slope(&good, tau, 9, 0), quantile_regression(&good, tau)), (None, None));
    }
    assert_eq!(quantile_regression(&[], 0.5), None);
    assert_eq!(quantile_regression(&[good[0].clone(), group(0.0, &[3.0])], 0.5), None);
    assert_eq!(quantile_regression(&[good[0].clone(), group(1.0, &[])], 0.5), None);
    assert_eq!(quantile_regression(&[good[0].clone(), group(1.0, &[f64::NAN])], 0.5), None);
    assert_eq!(quantile_regression(&[good[0].clone(), group(f64::INFINITY, &[1.0])], 0.5), None);
    // A slope beyond the largest number.
    assert_eq!(quantile_regression(&[group(0.0, &[0.0, 1.0]), group(1e-300, &[1e300, 1e301])], 0.5), None);
    // A single run a group makes a line, but no standard error.
    let single = [group(0.0, &[1.0]), group(1.0, &[3.0])];
    assert_eq!(quantile_regression(&single, 0.5), Some((1.0, 2.0)));
    assert_eq!(quantile_slope(&single, 0.5, 9, 0), None);
    assert_eq!(log_mean_slope(&single), Err(LogMeanError::Unusable));
}

/// Two hundred resamples estimate the same standard error as two thousand, only less exactly.
#[test]
fn fewer_resamples_do_not_bias_the_standard_error() {
    let groups: Vec<Group> = (0..6)
        .map(|x| Group { x: f64::from(x), values: (0..50).map(|i| f64::from((i * i * 31 + x * 17) % 97)).collect() })
        .collect();
    let error = |resamples, seed| quantile_slope(&groups, 0.5, resamples, seed).expect("a slope").standard_error;
    let few = (0..100).map(|seed| error(200, seed).powi(2)).sum::<f64>() / 100.0;
    let many = (0..10).map(|seed| error(2000, seed + 1000).powi(2)).sum::<f64>() / 10.0;
    // Each is a mean of 20,000 squares: 1.4 % of Monte Carlo error in the ratio, a little more for heavy tails.
    assert!((few / many - 1.0).abs() < 0.06, "{few} {many}");
}

//! Error rates, coverage and power of the statistics room on data whose truth is known.
//!
//! Every rate is computed here, asserted against its nominal value, and compared with the tables
//! `data/error_rates.csv` and `data/power.csv`. `UPDATE_RATES=1 cargo test --release --test
//! error_rates` writes the tables again. Seeds are fixed and logarithms come from `libm`, so the
//! same rates come out everywhere; nothing here can fail by chance.

use std::sync::LazyLock;

use chacha20::ChaCha8Rng;
use moe_theory::stats::{
    Group, Interval, Slope, SpendingTest, clopper_pearson, confidence_sequence, least_squares, log_binomial,
    log_mean_slope, power_supported, quantile_slope, runs_for_slope_power, slope_power, wilson,
};
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

const REPETITIONS: u64 = 10_000;
const OCTAVES: u64 = 6;
/// The true slope of every data set; nothing depends on it but rounding.
const TRUTH: f64 = -0.5;
/// Half width of the range of equivalence, wide against every standard error here.
const MARGIN: f64 = 1.0;
const ALPHAS: [f64; 2] = [0.05, 0.01];

struct Draws(ChaCha8Rng);

impl Draws {
    fn new(case: u64, repetition: u64) -> Self {
        Draws(ChaCha8Rng::seed_from_u64(case << 32 | repetition))
    }

    /// Uniform in (0, 1).
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let angle = 2.0 * std::f64::consts::PI * self.uniform();
        (2.0 * self.exponential()).sqrt() * libm::cos(angle)
    }
}

/// The distribution of the noise around the line.
#[derive(Clone, Copy, Debug)]
enum Noise {
    Normal,
    /// Normal, its standard deviation grows from 0.2 to 0.7 along the ladder.
    Heteroscedastic,
    /// Exponential, skewness 2.
    Exponential,
    /// `exp(Z)`, skewness 6.2.
    Lognormal,
}

impl Noise {
    const ALL: [Noise; 4] = [Noise::Normal, Noise::Heteroscedastic, Noise::Exponential, Noise::Lognormal];

    /// One draw with mean 0, or with median 0.
    fn draw(self, draws: &mut Draws, octave: u64, median: bool) -> f64 {
        match self {
            Noise::Normal => 0.5 * draws.normal(),
            Noise::Heteroscedastic => (0.2 + 0.1 * octave as f64) * draws.normal(),
            Noise::Exponential => draws.exponential() - if median { std::f64::consts::LN_2 } else { 1.0 },
            Noise::Lognormal => libm::exp(draws.normal()) - if median { 1.0 } else { libm::exp(0.5) },
        }
    }
}

/// The distribution of an unbiased estimate of a square, divided by the square.
#[derive(Clone, Copy, Debug)]
enum Square {
    /// Chi-square with one degree of freedom: coefficient of variation 1.41.
    ChiSquare1,
    /// Chi-square with four degrees of freedom, divided by 4: coefficient of variation 0.71.
    ChiSquare4,
    /// Difference of two exponentials of means 2 and 1: a third of the draws are negative.
    Difference,
}

impl Square {
    const ALL: [Square; 3] = [Square::ChiSquare1, Square::ChiSquare4, Square::Difference];

    fn draw(self, draws: &mut Draws) -> f64 {
        match self {
            Square::ChiSquare1 => {
                let z = draws.normal();
                z * z
            }
            Square::ChiSquare4 => 0.5 * (draws.exponential() + draws.exponential()),
            Square::Difference => 2.0 * draws.exponential() - draws.exponential(),
        }
    }
}

fn octave_x(octave: u64) -> f64 {
    (octave + 4) as f64 * std::f64::consts::LN_2
}

/// Six octaves of `runs` values, each made by `value` from the octave.
fn ladder(runs: u64, mut value: impl FnMut(u64, f64) -> f64) -> Vec<Group> {
    (0..OCTAVES)
        .map(|octave| {
            let x = octave_x(octave);
            Group { x, values: (0..runs).map(|_| value(octave, x)).collect() }
        })
        .collect()
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    procedure: String,
    truth: String,
    groups: u64,
    per_group: u64,
    alpha: f64,
    /// 0: the rate is an exact sum.
    repetitions: u64,
    rate: f64,
}

impl Row {
    fn monte_carlo_error(&self) -> f64 {
        if self.repetitions == 0 { 0.0 } else { (self.rate * (1.0 - self.rate) / self.repetitions as f64).sqrt() }
    }

    fn fields(&self) -> [String; 8] {
        [
            self.procedure.clone(),
            self.truth.clone(),
            self.groups.to_string(),
            self.per_group.to_string(),
            self.alpha.to_string(),
            self.repetitions.to_string(),
            format!("{:.4}", self.rate),
            format!("{:.4}", self.monte_carlo_error()),
        ]
    }

    fn is_coverage(&self) -> bool {
        self.procedure.ends_with("coverage")
    }
}

/// What one slope at its own truth does: rejections at both sizes of the tests above, below and of
/// equivalence at its upper and lower edge; whether the 95 % interval covers; and 1 for the answer.
const OUTCOMES: usize = 10;

fn outcomes(slope: &Slope) -> [u64; OUTCOMES] {
    let p_values = [
        slope.p_value_above(TRUTH),
        slope.p_value_below(TRUTH),
        slope.p_value_equivalent(TRUTH - MARGIN, MARGIN),
        slope.p_value_equivalent(TRUTH + MARGIN, MARGIN),
    ];
    let mut counts = [0; OUTCOMES];
    for (i, p) in p_values.iter().enumerate() {
        for (j, alpha) in ALPHAS.iter().enumerate() {
            counts[2 * i + j] = u64::from(p <= alpha);
        }
    }
    counts[8] = u64::from(slope.interval(0.05).contains(TRUTH));
    counts[9] = 1;
    counts
}

/// The rows of one estimator: `estimate(draws)` over the repetitions.
fn slope_rows(
    name: &str,
    truth: &str,
    runs: u64,
    repetitions: u64,
    case: u64,
    estimate: impl Fn(&mut Draws, u64) -> Option<Slope> + Sync,
) -> Vec<Row> {
    let add = |mut a: [u64; OUTCOMES], b: [u64; OUTCOMES]| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    let counts = (0..repetitions)
        .into_par_iter()
        // No estimate rejects nothing; coverage is that of the estimates.
        .map(|r| estimate(&mut Draws::new(case, r), r).map_or([0; OUTCOMES], |slope| outcomes(&slope)))
        .reduce(|| [0; OUTCOMES], add);
    let row = |kind: &str, alpha: f64, count: u64, repetitions: u64| Row {
        procedure: format!("{name}; {kind}"),
        truth: truth.to_string(),
        groups: OCTAVES,
        per_group: runs,
        alpha,
        repetitions,
        rate: count as f64 / repetitions as f64,
    };
    let kinds = ["above", "below", "equivalent; upper edge", "equivalent; lower edge"];
    let mut rows: Vec<Row> = (0..8).map(|i| row(kinds[i / 2], ALPHAS[i % 2], counts[i], repetitions)).collect();
    rows.push(row("interval coverage", 0.05, counts[8], counts[9]));
    rows
}

/// Rows of a quantile slope; the noise is parallel, so that every quantile has the same slope, but for
/// [`Noise::Heteroscedastic`], whose median alone has it.
fn quantile_rows(tau: f64, noise: Noise, runs: u64, resamples: u32, repetitions: u64, case: u64) -> Vec<Row> {
    let name = format!("quantile slope at {tau} of {resamples} resamples");
    slope_rows(&name, &format!("{noise:?}"), runs, repetitions, case, |draws, r| {
        let groups = ladder(runs, |octave, x| TRUTH * x + noise.draw(draws, octave, true));
        quantile_slope(&groups, tau, resamples, r)
    })
}

fn all_slope_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (i, noise) in Noise::ALL.into_iter().enumerate() {
        for runs in [20, 50] {
            let case = 100 * i as u64 + runs;
            rows.extend(slope_rows("least squares", &format!("{noise:?}"), runs, REPETITIONS, case, |draws, _| {
                least_squares(&ladder(runs, |octave, x| TRUTH * x + noise.draw(draws, octave, false)))
            }));
            rows.extend(quantile_rows(0.5, noise, runs, 200, REPETITIONS, case));
        }
    }
    // Five times as many resamples: the same rates. And the tails of the distribution, where values are sparse.
    rows.extend(quantile_rows(0.5, Noise::Normal, 20, 1000, 2000, 20));
    rows.extend(quantile_rows(0.1, Noise::Normal, 50, 200, 5000, 50));
    rows.extend(quantile_rows(0.9, Noise::Exponential, 50, 200, 5000, 250));
    for (i, square) in Square::ALL.into_iter().enumerate() {
        for runs in [20, 50, 200] {
            let case = 1000 + 1000 * i as u64 + runs;
            rows.extend(slope_rows("log mean slope", &format!("{square:?}"), runs, REPETITIONS, case, |draws, _| {
                log_mean_slope(&ladder(runs, |_, x| libm::exp(TRUTH * x) * square.draw(draws))).ok()
            }));
        }
    }
    rows
}

/// Least squares at its boundary, looked at after every 25 runs a point up to 20 looks: spent, and with the smallest
/// p-value taken at face value (the control, which must fail).
fn spending_rows() -> Vec<Row> {
    let smallest = |r: u64| {
        let mut draws = Draws::new(5000, r);
        let mut groups = ladder(0, |_, _| 0.0);
        let (mut above, mut below, mut misused) = (SpendingTest::new(), SpendingTest::new(), 1.0_f64);
        for _ in 0..20 {
            for (octave, group) in groups.iter_mut().enumerate() {
                let x = group.x;
                let noise = (0..25).map(|_| TRUTH * x + Noise::Exponential.draw(&mut draws, octave as u64, false));
                group.values.extend(noise);
            }
            let slope = least_squares(&groups).expect("a slope");
            above.look(slope.p_value_above(TRUTH));
            below.look(slope.p_value_below(TRUTH));
            misused = misused.min(slope.p_value_above(TRUTH));
        }
        [above.p_value(), below.p_value(), misused]
    };
    let p_values: Vec<[f64; 3]> = (0..REPETITIONS).into_par_iter().map(smallest).collect();
    let names = ["spent least squares; 20 looks; above", "spent least squares; 20 looks; below", CONTROL];
    let mut rows = Vec::new();
    for (i, name) in names.into_iter().enumerate() {
        for alpha in ALPHAS {
            let count = p_values.iter().filter(|p| p[i] <= alpha).count();
            rows.push(row_of(name, "Exponential", (OCTAVES, 25), alpha, REPETITIONS, count as u64));
        }
    }
    rows
}

const CONTROL: &str = "control: least squares unspent; 20 looks; above";
const WILSON: &str = "wilson; exact sum (approximate method; reported only)";

fn row_of(name: &str, truth: &str, (groups, runs): (u64, u64), alpha: f64, repetitions: u64, count: u64) -> Row {
    Row {
        procedure: name.to_string(),
        truth: truth.to_string(),
        groups,
        per_group: runs,
        alpha,
        repetitions,
        rate: count as f64 / repetitions as f64,
    }
}

/// Share of 10,000 sequences of 500 trials in which the truth lies in the confidence sequence at all of 20 looks.
fn sequence_rows() -> Vec<Row> {
    let covers = |case: u64, p: f64, alpha: f64, r: u64| {
        let mut draws = Draws::new(case, r);
        let (mut successes, mut trials) = (0, 0);
        (0..20).all(|_| {
            successes += (0..25).filter(|_| draws.uniform() < p).count() as u64;
            trials += 25;
            confidence_sequence(successes, trials, alpha).contains(p)
        })
    };
    let mut rows = Vec::new();
    for (case, p) in [(6000, 0.5), (6001, 0.95), (6002, 0.99)] {
        for alpha in ALPHAS {
            let count = (0..REPETITIONS).into_par_iter().filter(|&r| covers(case, p, alpha, r)).count();
            let name = "confidence sequence; 20 looks coverage";
            rows.push(row_of(name, &format!("P = {p}"), (1, 500), alpha, REPETITIONS, count as u64));
        }
    }
    rows
}

/// Successes, trials and alpha to an interval.
type Method = fn(u64, u64, f64) -> Interval;

/// Exact coverage, the sum of the binomial masses whose interval holds `p`.
fn exact_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let methods: [(&str, Method); 2] = [("clopper-pearson; exact coverage", clopper_pearson), (WILSON, wilson)];
    for (name, method) in methods {
        for n in [20, 100, 400] {
            for p in [0.5, 0.9, 0.95, 0.99, 0.999] {
                let mass = |x: u64| libm::exp(log_binomial::log_pmf(x, n, p));
                let rate = (0..=n).filter(|&x| method(x, n, 0.05).contains(p)).map(mass).sum();
                let mut row = row_of(name, &format!("P = {p}"), (1, n), 0.05, 1, 0);
                (row.repetitions, row.rate) = (0, rate);
                rows.push(row);
            }
        }
    }
    rows
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| [all_slope_rows(), spending_rows(), sequence_rows(), exact_rows()].concat());

#[test]
fn no_test_rejects_a_true_hypothesis_too_often() {
    let tests: Vec<&Row> = ROWS.iter().filter(|row| !row.is_coverage() && row.repetitions > 0).collect();
    assert!(tests.len() > 200, "{}", tests.len());
    let excess = |row: &Row| {
        let error = (row.alpha * (1.0 - row.alpha) / row.repetitions as f64).sqrt();
        (row.rate - row.alpha) / error
    };
    let wrong: Vec<_> = tests.iter().filter(|row| row.procedure != CONTROL && excess(row) > 3.0).collect();
    assert!(wrong.is_empty(), "above the level by more than three Monte Carlo errors: {wrong:#?}");
    let control: Vec<_> = tests.iter().filter(|row| row.procedure == CONTROL).collect();
    assert!(control.len() == 2 && control.iter().all(|row| excess(row) > 20.0), "the control passed: {control:?}");
    // A test that never rejects would pass the above.
    let idle = |row: &&&Row| row.alpha == 0.05 && row.rate < 0.01 && !row.procedure.starts_with("spent");
    let idle: Vec<_> = tests.iter().filter(idle).filter(|row| !row.truth.starts_with("Difference")).collect();
    assert!(idle.is_empty(), "nearly never reject: {idle:#?}");
}

#[test]
fn every_interval_covers_as_often_as_it_says() {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| row.is_coverage()).collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        let nominal = 1.0 - row.alpha;
        let covered = (row.rate * row.repetitions as f64).round() as u64;
        let least = match row.repetitions {
            0 => row.rate,
            n => clopper_pearson(covered, n, 0.02).low,
        };
        let slack = if row.procedure.contains("slope") || row.procedure.starts_with("least") { 0.01 } else { 0.0 };
        assert!(least >= nominal - slack, "{row:?}: at least {least}");
    }
}

fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).expect("memory");
    rows.iter().for_each(|row| writer.write_record(row).expect("memory"));
    String::from_utf8(writer.into_inner().expect("memory")).expect("UTF-8")
}

/// Compares with the committed file, or writes it if `UPDATE_RATES` is 1.
fn check(file: &str, text: &str) {
    let path = format!("{}/data/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("UPDATE_RATES").is_ok_and(|value| value == "1") {
        std::fs::write(&path, text).expect("a writable folder");
    }
    let committed = std::fs::read_to_string(&path).expect("the table");
    let wrong: Vec<_> = committed.lines().zip(text.lines()).filter(|(old, new)| old != new).collect();
    assert!(wrong.is_empty() && committed.len() == text.len(), "data/{file} is not true, (table, now): {wrong:#?}");
}

#[test]
fn the_table_of_rates_is_true() {
    let header = ["procedure", "truth", "groups", "per_group", "alpha", "repetitions", "rate", "monte_carlo_error"];
    let rows: Vec<Vec<String>> = ROWS.iter().map(|row| row.fields().to_vec()).collect();
    check("error_rates.csv", &table(&header, &rows));
}

/// Sizes of a test among `2N` hypotheses, by Bonferroni.
const FAMILIES: [u64; 3] = [1, 20, 100];

#[test]
fn the_table_of_power_is_true() {
    let xs: Vec<f64> = (0..OCTAVES).map(octave_x).collect();
    let mut rows = Vec::new();
    for pairs in FAMILIES {
        let alpha = 0.05 / (2.0 * pairs as f64);
        for sd in [0.3, 0.5] {
            for distance in [0.05, 0.1] {
                for runs in [100, 200, 500] {
                    let power = slope_power(&xs, sd, runs, distance, alpha);
                    let truth = format!("slope {distance} beyond the threshold; sd {sd}");
                    rows.push(power_row("slope", truth, OCTAVES, runs, pairs, alpha, power));
                }
            }
        }
        for p in [0.97, 0.98, 0.99, 1.0] {
            for runs in [100, 200, 500, 1000] {
                let power = power_supported(runs, p, 0.95, alpha);
                rows.push(power_row("binomial test of P > 0.95", format!("P = {p}"), 1, runs, pairs, alpha, power));
            }
        }
    }
    let header = ["procedure", "truth", "groups", "per_group", "pairs", "alpha", "power"];
    check("power.csv", &table(&header, &rows));
}

fn power_row(test: &str, truth: String, groups: u64, runs: u64, pairs: u64, alpha: f64, power: f64) -> Vec<String> {
    let numbers = [groups.to_string(), runs.to_string(), pairs.to_string(), alpha.to_string()];
    [vec![test.to_string(), truth], numbers.to_vec(), vec![format!("{power:.4}")]].concat()
}

/// The planned number of runs gives about the planned power: least squares at 0.9, and the median with its factor,
/// which falls short because its standard error is estimated with few degrees of freedom.
#[test]
fn the_planned_number_of_runs_gives_the_planned_power() {
    let xs: Vec<f64> = (0..OCTAVES).map(octave_x).collect();
    let (alpha, planned) = (0.01, 0.9);
    for (median, distance, range) in [(false, 0.1, 0.87..0.92), (true, 0.1, 0.79..0.88), (true, 0.05, 0.84..0.91)] {
        let factor = if median { moe_theory::stats::MEDIAN_FACTOR } else { 1.0 };
        let runs = runs_for_slope_power(&xs, 0.5 * factor, distance, alpha, planned);
        let rejects = |r: u64| {
            let mut draws = Draws::new(7000, r);
            let groups = ladder(runs, |octave, x| TRUTH * x + Noise::Normal.draw(&mut draws, octave, false));
            let slope = if median { quantile_slope(&groups, 0.5, 200, r) } else { least_squares(&groups) };
            slope.expect("a slope").p_value_above(TRUTH - distance) <= alpha
        };
        let rate = (0..1000).into_par_iter().filter(|&r| rejects(r)).count() as f64 / 1000.0;
        // The Monte Carlo error is about 0.01.
        assert!(range.contains(&rate), "median {median}, {runs} runs: {rate}");
    }
}

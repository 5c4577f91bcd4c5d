//! The rows of the CSV files that are computed from many runs beside the verdicts: scaling, terms, phase maps.

use serde::{Deserialize, Serialize};

/// The slope of one figure over one line of points: a row of `scaling.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScalingRow {
    /// The case; empty if there is none.
    pub case: String,
    /// Which line of points, by the settings of the other swept keys, if a case has several.
    pub line: String,
    /// The roles that experts are taken to have: `measured` or `built`.
    pub roles: String,
    /// The figure of a run.
    pub figure: String,
    /// `all` points of the line, or its `last-two-octaves`.
    pub span: String,
    /// `median`, `least-squares` (both on logarithms) or `root-mean-square`.
    pub method: String,
    /// Points.
    pub points: usize,
    /// Runs at all points.
    pub runs: usize,
    /// The exponent of d.
    pub slope: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Lower end of its pointwise 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
    /// The exponent that the theory names; empty if it names none.
    pub theory: Option<f64>,
    /// p of "the exponent differs from the theory's by 0.05 or more" (two one-sided tests): small means equal to it.
    pub p_equivalent: Option<f64>,
    /// Median over the runs at the largest d of figure · d^(−theory).
    pub constant: Option<f64>,
    /// Lower end of its distribution-free 95 % interval.
    pub constant_low: Option<f64>,
    /// Upper end.
    pub constant_high: Option<f64>,
    /// Why there is no slope: `zero` or `too few`; else empty.
    pub reason: String,
}

/// What an irrelevant router's displacement consists of at one point: a row of `terms.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TermRow {
    /// The case; empty if there is none.
    pub case: String,
    /// The point.
    pub point: usize,
    /// The roles that experts are taken to have: `measured` or `built`.
    pub roles: String,
    /// d.
    pub patterns: usize,
    /// B.
    pub batch: usize,
    /// T.
    pub iterations: usize,
    /// Runs with an irrelevant expert.
    pub runs: usize,
    /// Mean over runs and irrelevant experts of the squared noise.
    pub noise_squared: f64,
    /// Its standard error over runs.
    pub noise_error: f64,
    /// The same of the squared drift along irrelevant patterns.
    pub drift_squared: f64,
    /// Its standard error.
    pub drift_error: f64,
    /// The same of the squared drift along the class patterns.
    pub leakage_squared: f64,
    /// Its standard error.
    pub leakage_error: f64,
    /// The term that is larger than both others, each by a test: `noise`, `drift`, `leakage`; else `undecided`.
    pub binding: String,
    /// The larger of the two Holm-adjusted p-values of these tests, over all points of the file.
    pub p_holm: f64,
    /// Median over runs of the bound's drift term η_r·R·T·√(π/8), with the largest R of the run's irrelevant experts.
    pub bound_drift: f64,
    /// Median over runs of its leakage term η_r·R·T·λ·√(p₁² + p₂²)/4, with the run's largest λ.
    pub bound_leakage: f64,
    /// Median over runs of the root mean square of its noise, η_r·R·√(T/(8B)).
    pub bound_noise: f64,
    /// The largest of the three.
    pub bound_binding: String,
}

/// One cell of a phase map: a row of `phase.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhaseRow {
    /// Number of the `[[phase]]` table, from 1.
    pub map: usize,
    /// The case; empty if there is none.
    pub case: String,
    /// The claim.
    pub claim: String,
    /// Its threshold.
    pub threshold: Option<f64>,
    /// Path of the key along x.
    pub x_key: String,
    /// Its value.
    pub x: String,
    /// Path of the key along y, or `ratio`; empty for a map of one parameter.
    pub y_key: String,
    /// Its value.
    pub y: String,
    /// The point.
    pub point: usize,
    /// `met` or `all`.
    pub on: String,
    /// Runs judged.
    pub runs: u64,
    /// Runs set aside.
    pub set_aside: u64,
    /// Judged runs in which the claim holds.
    pub holds: u64,
    /// holds / runs.
    pub estimate: Option<f64>,
    /// Lower end of the pointwise 95 % Clopper–Pearson interval.
    pub ci_low: f64,
    /// Upper end.
    pub ci_high: f64,
    /// The level.
    pub level: f64,
    /// `holds` if the interval lies above the level, `fails` if below, else `open`.
    pub state: String,
}

/// Where a claim flips along x: a row of `boundary.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundaryRow {
    /// Number of the `[[phase]]` table, from 1.
    pub map: usize,
    /// The case; empty if there is none.
    pub case: String,
    /// The claim.
    pub claim: String,
    /// Path of the key along x.
    pub x_key: String,
    /// Path of the key along y, or `ratio`; empty for a map of one parameter.
    pub y_key: String,
    /// Its value.
    pub y: String,
    /// The level whose crossing is sought.
    pub level: f64,
    /// `rising` if the claim holds from the flip on, `falling` if it holds up to it; `none` without a flip.
    pub direction: String,
    /// Where the isotonic fit of the probability crosses the level.
    pub flip: Option<f64>,
    /// Lower end of the bracket: the last x whose interval lies on the near side of the level.
    pub low: Option<f64>,
    /// Upper end: the first x whose interval lies on the far side.
    pub high: Option<f64>,
    /// `holds throughout`, `fails throughout`, or empty.
    pub remark: String,
}

/// How often an assumption holds at a point after upstream pre-training: a row of `assumptions.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The case; empty if there is none.
    pub case: String,
    /// The point.
    pub point: usize,
    /// The assumption, or `all of` a claim.
    pub assumption: String,
    /// Runs.
    pub runs: u64,
    /// Runs that meet it.
    pub met: u64,
    /// met / runs.
    pub share: f64,
    /// Pointwise 95 % Clopper–Pearson interval of the share.
    pub ci_low: f64,
    /// Upper end of it.
    pub ci_high: f64,
}

//! The rows of the CSV files that are computed from many runs beside the verdicts: scaling, terms, phase maps. A field's
//! comment is the meaning of its column.

use super::column::Kind;
use super::row::row;
use crate::sim::{On, RoleSource};

/// The terms of an irrelevant router's displacement, and that none of them is the largest for sure.
const BINDING: &[&str] = &["noise", "drift", "leakage", "undecided"];

row! {
    /// The slope of one figure over one line of points: a row of `scaling.csv`.
    pub struct ScalingRow in "scaling.csv" {
        /// the case
        case: String, empty "no case";
        /// which line of points, by the settings of the other swept keys
        line: String, empty "one line a case";
        /// the roles that experts are taken to have: those of the case's first claim, else `measured`
        roles: RoleSource;
        /// the figure of a run, such as `max D`; `drift`, `leakage`, `noise` are root mean squares
        figure: String;
        /// the points: `all` of the line, or those of the `last-two-octaves` of d
        span: String as Kind::Word(&["all", "last-two-octaves"]);
        /// `median` regression or `least-squares`, both of the logarithm, or `root-mean-square`
        method: String as Kind::Word(&["median", "least-squares", "root-mean-square"]);
        /// how many points the slope is over
        points: usize;
        /// how many runs the slope is over, at all points
        runs: usize;
        /// the exponent of d
        slope: Option<f64>, empty "if there is a `reason`";
        /// standard error of the exponent
        standard_error: Option<f64> as Kind::NonNegative, empty "if there is a `reason`";
        /// lower end of the exponent's pointwise 95 % interval
        ci_low: Option<f64>, empty "if there is a `reason`";
        /// upper end of the exponent's pointwise 95 % interval
        ci_high: Option<f64>, empty "if there is a `reason`";
        /// the exponent that the theory names
        theory: Option<f64>, empty "it names none";
        /// p of "differs from the theory's exponent by 0.05 or more"
        p_equivalent: Option<f64> as Kind::Share, empty "no theory, no slope";
        /// median over the runs at the largest d of figure · d^(−theory)
        constant: Option<f64>, empty "other methods than `median`, no theory";
        /// lower end of the constant's distribution-free 95 % interval
        constant_low: Option<f64>, empty "as `constant`";
        /// upper end of the constant's distribution-free 95 % interval
        constant_high: Option<f64>, empty "as `constant`";
        /// why there is no slope: `zero` (a logarithm of what is not above 0) or `too few`
        reason: String as Kind::Word(&["zero", "too few"]), empty "there is a slope";
    }
}

row! {
    /// The mean inner product of patches of two classes of pictures: a row of `gram.csv`.
    pub struct GramRow in "gram.csv" {
        /// the pictures: `data.images`
        images: String as Kind::Text;
        /// pixels of a patch: `data.patterns`
        patterns: usize;
        /// which pictures: those for `training` or those `held-out`
        part: String as Kind::Word(&["training", "held-out"]);
        /// the class of one patch, as the pictures number it
        class: usize;
        /// the class of the other
        other: usize;
        /// mean over all pairs of patches of their inner product; each patch is centred and of length 1
        inner_product: f64;
    }
}

row! {
    /// What an irrelevant router's displacement consists of at one point: a row of `terms.csv`.
    pub struct TermRow in "terms.csv" {
        /// the case
        case: String, empty "no case";
        /// number of the point
        point: usize;
        /// the roles that experts are taken to have, as in scaling.csv
        roles: RoleSource;
        /// d
        patterns: usize;
        /// B
        batch: usize;
        /// T
        iterations: usize;
        /// runs with an irrelevant expert
        runs: usize;
        /// mean over runs and irrelevant experts of the squared noise
        noise_squared: f64 as Kind::NonNegative;
        /// standard error of `noise_squared`, over runs
        noise_error: f64 as Kind::NonNegative;
        /// mean over runs and irrelevant experts of the squared drift along irrelevant patterns; may be negative
        drift_squared: f64;
        /// standard error of `drift_squared`, over runs
        drift_error: f64 as Kind::NonNegative;
        /// mean over runs and irrelevant experts of the squared drift along the class patterns; may be negative
        leakage_squared: f64;
        /// standard error of `leakage_squared`, over runs
        leakage_error: f64 as Kind::NonNegative;
        /// the term that is larger than both others by tests; else `undecided`
        binding: String as Kind::Word(BINDING);
        /// the larger of the two Holm-adjusted p-values of these tests
        p_holm: f64 as Kind::Share;
        /// median over runs of the drift term of lemma S3's bound, η_r·R·T·√(π/8), at the run's own largest R
        bound_drift: f64 as Kind::NonNegative;
        /// median over runs of the leakage term of lemma S3's bound, η_r·R·T·λ·√(p₁² + p₂²)/4, at the run's own largest R
        /// and λ
        bound_leakage: f64 as Kind::NonNegative;
        /// median over runs of the noise term of lemma S3's bound as a root mean square, η_r·R·√(T/(8B)), at the run's own
        /// largest R
        bound_noise: f64 as Kind::NonNegative;
        /// the largest of these three
        bound_binding: String as Kind::Word(&["noise", "drift", "leakage"]);
    }
}

/// What is said of the axes of a map.
const ONE_PARAMETER: &str = "a map of one parameter";

row! {
    /// One cell of a phase map: a row of `phase.csv`.
    pub struct PhaseRow in "phase.csv" {
        /// number of the `[[phase]]` table, from 1
        map: usize;
        /// the case
        case: String, empty "no case";
        /// the claim
        claim: String as Kind::Claim;
        /// the claim's threshold
        threshold: Option<f64>, empty "if it has none";
        /// the key along x
        x_key: String;
        /// the value of the key along x
        x: String;
        /// the key along y, or `ratio`
        y_key: String, empty ONE_PARAMETER;
        /// the value of what is along y
        y: String, empty ONE_PARAMETER;
        /// number of the point
        point: usize;
        /// the runs that are judged: those that meet the claim's assumptions, or all
        on: On;
        /// runs judged
        runs: u64;
        /// runs set aside
        set_aside: u64;
        /// judged runs in which the claim holds
        holds: u64;
        /// holds / runs
        estimate: Option<f64> as Kind::Share, empty "without runs";
        /// lower end of the pointwise 95 % Clopper–Pearson interval
        ci_low: f64 as Kind::Share;
        /// upper end of the pointwise 95 % Clopper–Pearson interval
        ci_high: f64 as Kind::Share;
        /// the level that the probability is compared with
        level: f64 as Kind::Share;
        /// `holds` if the interval lies above the level, `fails` if below, else `open`
        state: String as Kind::Word(&["holds", "fails", "open"]);
    }
}

row! {
    /// Where a claim flips along x: a row of `boundary.csv`.
    pub struct BoundaryRow in "boundary.csv" {
        /// number of the `[[phase]]` table, from 1
        map: usize;
        /// the case
        case: String, empty "no case";
        /// the claim
        claim: String as Kind::Claim;
        /// the key along x
        x_key: String;
        /// the key along y, or `ratio`
        y_key: String, empty ONE_PARAMETER;
        /// the value of what is along y
        y: String, empty ONE_PARAMETER;
        /// the level whose crossing is sought
        level: f64 as Kind::Share;
        /// `rising`: the claim holds from the flip on; `falling`: up to it; `none`: no flip
        direction: String as Kind::Word(&["rising", "falling", "none"]);
        /// where the isotonic fit crosses the level
        flip: Option<f64>, empty "no flip";
        /// lower end of the bracket: the last x that is decided before the flip
        low: Option<f64>, empty "no cell on that side is decided";
        /// upper end of the bracket: the first x that is decided behind the flip
        high: Option<f64>, empty "no cell on that side is decided";
        /// what else there is to say
        remark: String as Kind::Word(&["holds throughout", "fails throughout", "not monotone"]), empty "nothing to remark";
    }
}

row! {
    /// How often an assumption holds at a point after upstream pre-training: a row of `assumptions.csv`.
    pub struct AuditRow in "assumptions.csv" {
        /// the case
        case: String, empty "no case";
        /// number of the point
        point: usize;
        /// `A-labels` …, and `all of T1a`, `all of T1c`, `all of T2a`: every assumption of that claim
        assumption: String;
        /// runs
        runs: u64;
        /// runs that meet it
        met: u64;
        /// share of the runs that meet it
        share: f64 as Kind::Share;
        /// lower end of the pointwise 95 % Clopper–Pearson interval of the share
        ci_low: f64 as Kind::Share;
        /// upper end of the pointwise 95 % Clopper–Pearson interval of the share
        ci_high: f64 as Kind::Share;
    }
}

//! The rows of the CSV files of runs, and of the verdicts. A field's comment is the meaning of its column.

use super::column::Kind;
use super::row::row;
use super::scores::Scores;
use crate::certify::Verdict as Certified;
use crate::measure::{Audit, Dominance, Role};
use crate::sgd::StopReason;
use crate::sim::parameters::Criterion;
use crate::sim::{Decision, Feature, On, Part, RoleSource, Verdict};

macro_rules! before_it_is_written {
    ($($type:ident::$value:ident,)*) => {
        $(impl Default for $type {
            /// What a row has before anything is written into it.
            fn default() -> Self {
                $type::$value
            }
        })*
    };
}

before_it_is_written! {
    StopReason::Finished,
    Criterion::RouterNormChange,
    Decision::Inconclusive,
    Part::Probability,
    On::All,
    RoleSource::Measured,
}

/// One run: a row of `runs.csv`. The swept parameters stand between [`RunHead`] and [`RunBody`].
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// Which run it is.
    pub head: RunHead,
    /// Values of the swept parameters, in the order of the header.
    pub swept: Vec<String>,
    /// What came out.
    pub body: RunBody,
}

row! {
    /// Which run it is.
    pub struct RunHead in "runs.csv" {
        /// number of the grid point, from 0
        point: usize;
        /// index of the run at its point, from 0
        run: u64;
        /// the run's own 64-bit seed
        seed: u64;
    }
}

row! {
    /// What came out of a run.
    pub struct RunBody in "runs.csv" {
        /// `finished`, `zero-loss`, `diverged` (an output or a weight is no finite number, or a weight is beyond 10¹⁴⁰, so
        /// that a norm could be none) or `underflow` (a trained weight is below 2.2·10⁻³⁰⁸ and not 0: digits are lost)
        stop_reason: StopReason;
        /// iterations completed
        iterations: usize;
        /// `diverged at iteration I`, `upstream pre-training diverged at iteration I` (the columns at t = 0 are then those
        /// of the untrained model), `a weight underflowed within I iterations`
        error: String, empty "unless it diverged or underflowed; what is empty below for a diverged run is so for both";
        /// whether the run meets the assumption A-labels
        meets_labels: bool, known AtStart;
        /// whether the run meets the assumption A-balance
        meets_balance: bool, known AtStart;
        /// whether the run meets the assumption A-roles
        meets_roles: bool, known AtStart;
        /// whether the run meets the assumption A-batch
        meets_batch: bool, known AtStart;
        /// whether the run meets the assumption A-gauge
        meets_gauge: bool, known AtStart;
        /// whether the run meets the assumption A-activation
        meets_activation: bool, known AtStart;
        /// whether the run meets the assumption A-travel
        meets_travel: bool, known AtStart;
        /// whether the run meets the assumption A-rate
        meets_rate: bool, known AtStart;
        /// whether the run meets the assumption A-growth
        meets_growth: bool, known AtStart;
        /// whether the run meets the assumption A-aligned
        meets_aligned: bool, known AtStart;
        /// largest ‖w⁰‖ of a relevant expert (measured role)
        max_norm_0_relevant: Option<f64> as Kind::NonNegative, empty "without relevant experts", known AtStart;
        /// the larger, over both signs, of Σ over irrelevant experts (measured role) of mean_v σ_{s,v} at t = 0
        activation_irrelevant: f64, known AtStart;
        /// accuracy at t = 0
        accuracy_pretrained: Option<f64> as Kind::Share, empty "a weight at t = 0 has underflowed", known AtStart;
        /// accuracy of the trained, unpruned model
        accuracy_finetuned: Option<f64> as Kind::Share, empty "diverged";
        /// lower end of the 95 % Clopper–Pearson interval of `accuracy_finetuned`
        accuracy_ci_low: Option<f64> as Kind::Share, empty "diverged";
        /// upper end of the 95 % Clopper–Pearson interval of `accuracy_finetuned`
        accuracy_ci_high: Option<f64> as Kind::Share, empty "diverged";
        /// of the unpruned model: `CERTIFIED` (y f(x) > 0 is proved for every input), `COUNTEREXAMPLE` (an input refutes
        /// it), `UNDECIDED`
        certificate: Option<Certified>, empty "`certificate.nodes` = 0, token noise, or diverged";
        /// proven: y f(x) is at least this for every input. A certificate stops at the first positive bound, so this is no
        /// estimate of the margin
        margin_lower: Option<f64>, empty "as `certificate`; labels that can be either";
        /// the bound with every expert at its own worst tokens, proven too
        sum_bound: Option<f64>, empty "as `margin_lower`";
        /// the smallest y f(x) of the inputs that a local search met, rounded up: the smallest margin of all inputs lies
        /// between `margin_lower` and this
        margin_met: Option<f64>, empty "as `margin_lower`";
        /// the certificate for all models that prune some of the irrelevant experts (measured role), whichever, at once:
        /// lemma L10, decided
        certificate_subsets: Option<Certified>, empty "as `certificate`; `certificate.pruned` = false";
        /// γ, share of irrelevant experts (measured role)
        gamma: Option<f64> as Kind::Share, known AtStart;
        /// min Δ over relevant experts (measured role)
        min_delta_relevant: Option<f64>, empty "diverged, or no relevant expert";
        /// max |Δ| over irrelevant experts (measured role)
        max_abs_delta_irrelevant: Option<f64> as Kind::NonNegative, empty "diverged, or no irrelevant expert";
        /// max D over irrelevant experts (measured role)
        max_displacement_irrelevant: Option<f64> as Kind::NonNegative, empty "diverged, or no irrelevant expert";
        /// after lemma L10, on the evaluation samples, by measured roles: min_x Σ_{s not irrelevant} y f_s(x) of the class y
        /// where this less `dominance_loss` is smaller
        dominance_gain: Option<f64>, empty "diverged, or a class without samples";
        /// after lemma L10, of the same class y as `dominance_gain`: Σ_{s irrelevant, y a_s = −1} max_x |f_s(x)|
        dominance_loss: Option<f64> as Kind::NonNegative, empty "diverged, or a class without samples";
        /// the largest, over classes y and models on the way of pruning, of the mean over samples of −Σ_{s irrelevant and
        /// kept} y f_s(x)
        activation_imbalance: Option<f64>, empty "as `dominance_gain`";
        /// smallest y f(x) over evaluation samples and pruned models with ρ ≤ γ
        path_margin: Option<f64>, empty "diverged; token choice with `removal = \"drop\"`, where the outputs of kept experts change, as are `dominance_gain`, `dominance_loss` and `activation_imbalance`";
        /// the fewest bits at which all relevant experts of the common feature (measured roles) can be quantised, with the
        /// accuracies on common and on rare features each within 0.01: log₂ of a number of levels, at least 1
        bits_common: Option<f64> as Kind::NonNegative, empty "unless `pruning.fewest_bits`; without such an expert, or if 12 bits are too few";
        /// the same of all relevant experts of rare features
        bits_rare: Option<f64> as Kind::NonNegative, empty "as `bits_common`";
        /// the same of all irrelevant experts
        bits_irrelevant: Option<f64> as Kind::NonNegative, empty "as `bits_common`";
        /// seconds that the run took
        seconds: Option<f64> as Kind::NonNegative, empty "unless `--timings`";
    }
}

impl RunBody {
    /// Copies the audit into its columns.
    pub(crate) fn set_audit(&mut self, audit: &Audit) {
        self.meets_labels = audit.labels;
        self.meets_balance = audit.balance;
        self.meets_roles = audit.roles;
        self.meets_batch = audit.batch;
        self.meets_gauge = audit.gauge;
        self.meets_activation = audit.activation;
        self.meets_travel = audit.travel;
        self.meets_rate = audit.rate;
        self.meets_growth = audit.growth;
        self.meets_aligned = audit.aligned;
        self.max_norm_0_relevant = audit.max_norm_0_relevant;
        self.activation_irrelevant = audit.activation_irrelevant;
    }

    /// Copies what the evaluation samples show of dominance and of the pruning path into its columns.
    pub(crate) fn set_dominance(&mut self, dominance: Option<Dominance>, path_margin: Option<f64>) {
        self.dominance_gain = dominance.map(|dominance| dominance.gain);
        self.dominance_loss = dominance.map(|dominance| dominance.loss);
        self.activation_imbalance = dominance.map(|dominance| dominance.imbalance);
        self.path_margin = path_margin;
    }
}

row! {
    /// One expert of one run: a row of `experts.csv`.
    pub struct ExpertRow in "experts.csv" {
        /// number of the run's grid point
        point: usize;
        /// index of the run at its point
        run: u64;
        /// number of the expert, from 0
        expert: usize, known AtStart;
        /// a_s: `1` or `-1`
        sign: Option<i8>, empty "experts have no fixed sign (`model.system = \"mov\"`)", known AtStart;
        /// the role that it was built for; `ambiguous` in a model that was trained upstream: it was built for nothing
        built_role: Role, empty "as `sign`", known AtStart;
        /// the role measured at t = 0
        role: Role, empty "as `sign`: an expert without a sign votes for no class; every expert meets every token (`model.system = \"smear\"`)", known AtStart;
        /// relevant, and p_v = 1 at T, exactly, for its feature; `false` for experts that are not relevant
        learned: Option<bool>, empty "with noise, token choice or spurious patterns; diverged";
        /// ‖w⁰‖
        norm_0: Option<f64> as Kind::NonNegative, empty "no expert has a router of its own (`model.gate = \"attentive\"`, `\"hash\"`)", known AtStart;
        /// ‖w‖ at the end
        norm_t: Option<f64> as Kind::NonNegative, empty "as `norm_0`; diverged";
        /// Δ = ‖w^T‖ − ‖w⁰‖
        delta: Option<f64>, empty "as `norm_0`; diverged";
        /// Δᶜ: Δ after the mean over patterns is removed from both routers
        delta_centred: Option<f64>, empty "diverged; routers do not read orthonormal patterns (`model.system = \"mov\"`, `\"peer\"`, `coherence`, `likeness`, `images`)";
        /// D = ‖w^T − w⁰‖
        displacement: Option<f64> as Kind::NonNegative, empty "as `norm_0`; diverged";
        /// ‖V‖², unbiased for the expected squared noise in w (docs/theory/roles.md)
        noise_squared: Option<f64> as Kind::NonNegative, empty "without `record.half_batches`; diverged";
        /// Σ (W_v² − V_v²) over irrelevant patterns, W = w − w⁰; may be negative
        drift_squared: Option<f64>, empty "as `noise_squared`";
        /// Σ (W_v² − V_v²) over class patterns; may be negative
        leakage_squared: Option<f64>, empty "as `noise_squared`";
        /// the part of D along o₁ and o₂
        displacement_class: Option<f64> as Kind::NonNegative, empty "as `delta_centred`";
        /// max_t R_s; in a diverged run over the steps that were completed
        max_range: Option<f64> as Kind::NonNegative, empty "experts are not the theory's (another `model.system` than `simplified-moe`), or do not read orthonormal patterns (as `delta_centred`)";
        /// λ₁ at t = 0, the largest over the class's features: exact; with noise, token choice or spurious patterns
        /// estimated
        lambda1_0: f64 as Kind::Share, known AtStart;
        /// λ₂ at t = 0, in the same way
        lambda2_0: f64 as Kind::Share, known AtStart;
        /// max over t of λ₁ and λ₂; in a diverged run over the steps that were completed
        lambda_max: Option<f64> as Kind::Share, empty "with noise, token choice, spurious patterns or several features";
        /// proficiency p₁ at t = 0, the largest over the class's features
        p1_0: f64 as Kind::Share, known AtStart;
        /// proficiency p₁ at the end, the largest over the class's features
        p1_t: Option<f64> as Kind::Share, empty "diverged";
        /// proficiency p₂ at t = 0, the largest over the class's features
        p2_0: f64 as Kind::Share, known AtStart;
        /// proficiency p₂ at the end, the largest over the class's features
        p2_t: Option<f64> as Kind::Share, empty "diverged";
        /// the score under the criterion of that name
        scores: Scores, empty "not among the file's criteria; diverged";
        /// the feature that the expert was built for, 0 the common one
        built_feature: Option<usize>, empty "one feature a class; irrelevant, or trained upstream", known AtStart;
        /// the feature that it is most proficient in at t = 0
        feature: Option<usize>, empty "one feature a class; measured role irrelevant or ambiguous", known AtStart;
    }
}

row! {
    /// One expert at one iteration: a row of `trajectory.csv`.
    pub struct TrajectoryRow in "trajectory.csv" {
        /// number of the run's grid point
        point: usize;
        /// index of the run at its point
        run: u64;
        /// steps made
        iteration: usize;
        /// number of the expert, from 0
        expert: usize;
        /// ‖w‖ after that many steps
        norm: Option<f64> as Kind::NonNegative, empty "as `norm_0`";
        /// Δ after that many steps
        delta: Option<f64>, empty "as `norm_0`";
        /// D after that many steps
        displacement: Option<f64> as Kind::NonNegative, empty "as `norm_0`";
        /// proficiency p₁ after that many steps
        p1: f64 as Kind::Share;
        /// proficiency p₂ after that many steps
        p2: f64 as Kind::Share;
    }
}

row! {
    /// One pruned model of one run: a row of `pruning.csv`.
    pub struct PruningRow in "pruning.csv" {
        /// number of the run's grid point
        point: usize;
        /// index of the run at its point
        run: u64;
        /// the criterion that ordered the experts
        criterion: Criterion as Kind::Criterion;
        /// experts kept
        kept: usize;
        /// ρ = 1 − kept/k
        ratio: f64 as Kind::Share;
        /// whether the pruned model was trained again
        finetuned: bool;
        /// share of the samples that are classified correctly
        accuracy: Option<f64> as Kind::Share, empty "if the fine-tuning diverged";
        /// misclassified samples
        errors: Option<u64>, empty "as `accuracy`";
        /// evaluation samples
        samples: Option<u64>, empty "as `accuracy`";
        /// of the pruned model, as in runs.csv
        certificate: Option<Certified>, empty "as in runs.csv; where ρ is larger than the share of irrelevant experts, by measured and by built roles; after fine-tuning";
        /// of the pruned model, as in runs.csv
        margin_lower: Option<f64>, empty "as `certificate`; labels that can be either";
        /// of the pruned model, as in runs.csv
        sum_bound: Option<f64>, empty "as `margin_lower`";
        /// among how many experts (for a set criterion, sets) of equal score chance chose; 0 if the scores decide. With
        /// training between removals, the most at any of them
        tied: usize;
        /// accuracy on the samples whose class token is feature 0, the common one
        accuracy_common: Option<f64> as Kind::Share, empty "without samples of a rare feature; as `accuracy`";
        /// accuracy on the samples whose class token is a rare feature
        accuracy_rare: Option<f64> as Kind::Share, empty "without samples of a rare feature; as `accuracy`";
    }
}

impl ExpertRow {
    /// The role that a claim takes the expert to have.
    pub(crate) fn role_by(&self, source: RoleSource) -> Role {
        match source {
            RoleSource::Measured => self.role,
            RoleSource::Built => self.built_role,
        }
    }
}

row! {
    /// One claim at one point, or in all: a row of `claims.csv`.
    pub struct ClaimRow in "claims.csv" {
        /// the claim's id
        claim: String as Kind::Claim;
        /// `probability`, `paired` and `constant` (at a point), a slope (over a line of points); `all`: the conjunction of
        /// the claim's rows, present if there are several
        part: Part;
        /// number of the point
        point: Option<usize>, empty "for a slope, and in `all`";
        /// the runs that are judged: those that meet the claim's assumptions, or all
        on: On;
        /// runs judged; in `all`, the sum over points (over the line, if there are slopes only)
        runs: u64;
        /// runs that miss an assumption, none with `on = "all"`; runs without a value under `missing = "set-aside"`
        set_aside: u64;
        /// judged runs for which the claim holds
        holds: Option<u64>, empty "for a slope";
        /// holds / runs, or the slope
        estimate: Option<f64>, empty "in `all`, no run judged, or no slope";
        /// lower end of the simultaneous interval of the probability or slope
        ci_low: Option<f64>, empty "in `all`, or no slope";
        /// upper end of the simultaneous interval of the probability or slope
        ci_high: Option<f64>, empty "in `all`, or no slope";
        /// the claim's threshold, that of a slope, or in `constant` the C found
        threshold: Option<f64>, empty "if it has none";
        /// the probability with which it must hold
        level: Option<f64> as Kind::Share, empty "for a slope";
        /// the smaller of the two Holm-adjusted p-values
        p_holm: Option<f64> as Kind::Share, empty "in `all`";
        /// the outcome, in brackets why there is none
        verdict: Decision;
        /// what the file expects; stands in `all` if there is such a row
        expected: Option<Verdict>, empty "nothing expected, or a row below an `all`";
        /// whose roles the claim's experts have: as measured, or as built
        roles: RoleSource;
        /// the case of the point; in `all`, the case that the claim names
        case: String, empty "no case";
        /// median over the judged runs that have it of the claim's figure
        median: Option<f64> as Kind::Extended, empty "in `all`, or no run has it";
        /// the assumptions that the runs set aside miss, each with the number of runs that miss it: `A-batch 12, A-gauge 3`;
        /// runs without the figure of a slope: `no figure 2`; of S3 the experts that left its premise: `outside (R, Λ) 5 of
        /// 6000 experts`; of T0x and T2ax the runs that fail for want of a proof or a counterexample: `UNDECIDED 2 of 100
        /// runs`; of a claim of the file's own the runs set aside for want of a value: `no value 3 of 100 runs`
        missed: String, empty "nothing of the kind";
        /// Monte Carlo standard error of the estimate
        standard_error: Option<f64> as Kind::NonNegative, empty "as `estimate`";
        /// the settings of the other swept keys, if a case has several lines
        line: String, empty "else";
        /// number of the claim in its file, from 1; the rows of one number make one verdict
        number: usize;
        /// the criterion that the file's is compared with
        against: Option<Criterion> as Kind::Criterion, empty "but for C1 and C2";
        /// the samples that accuracies are compared on
        feature: Option<Feature>, empty "all samples, or nothing is compared";
    }
}

//! The rows of the CSV files. Field names are column names; FORMAT.md says what each column holds.

use crate::measure::{Audit, Dominance, Role};
use serde::{Deserialize, Serialize};

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

/// Which run it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunHead {
    /// Number of the grid point, from 0.
    pub point: usize,
    /// Index of the run at its point, from 0.
    pub run: u64,
    /// The run's own seed.
    pub seed: u64,
}

/// What came out of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunBody {
    /// `finished`, `zero-loss` or `diverged`.
    pub stop_reason: String,
    /// Iterations made.
    pub iterations: usize,
    /// What went wrong, if anything did.
    pub error: String,
    /// A-labels: the label is the class of the sample's class token.
    pub meets_labels: bool,
    /// A-balance: |class_share − ½| is small.
    pub meets_balance: bool,
    /// A-roles: each class has a relevant expert at t = 0, by measured roles.
    pub meets_roles: bool,
    /// A-batch: B is at least proportional to d.
    pub meets_batch: bool,
    /// A-gauge: no relevant ‖w⁰‖ is large.
    pub meets_gauge: bool,
    /// A-activation: irrelevant experts are quiet at t = 0.
    pub meets_activation: bool,
    /// A-travel: η_r·T is large enough.
    pub meets_travel: bool,
    /// A-rate: η_r is small enough.
    pub meets_rate: bool,
    /// A-growth: η_e·T/m is large enough.
    pub meets_growth: bool,
    /// A-aligned: few experts are misaligned at t = 0, by measured roles.
    pub meets_aligned: bool,
    /// Largest ‖w⁰‖ of a relevant expert (measured role).
    pub max_norm_0_relevant: Option<f64>,
    /// The larger, over both signs, of Σ_{irrelevant} mean_v σ_{s,v} at t = 0 (measured role).
    pub activation_irrelevant: f64,
    /// Accuracy of the pre-trained model.
    pub accuracy_pretrained: Option<f64>,
    /// Accuracy of the trained, unpruned model.
    pub accuracy_finetuned: Option<f64>,
    /// Clopper–Pearson 95 % interval of that accuracy.
    pub accuracy_ci_low: Option<f64>,
    /// Upper end of it.
    pub accuracy_ci_high: Option<f64>,
    /// Verdict of the exact certificate; empty while none is computed.
    pub certificate: String,
    /// Proven lower bound of the margin; empty while none is computed.
    pub margin_lower: Option<f64>,
    /// The bound of every expert at its own worst tokens, which is proven too.
    pub sum_bound: Option<f64>,
    /// The smallest y f(x) of the inputs that a local search met: the smallest margin is at most this.
    pub margin_met: Option<f64>,
    /// Certificate for every subset of the irrelevant experts (measured role) pruned at once: lemma L10, decided.
    pub certificate_subsets: String,
    /// γ: share of irrelevant experts (measured role).
    pub gamma: Option<f64>,
    /// min Δ over relevant experts (measured role).
    pub min_delta_relevant: Option<f64>,
    /// max |Δ| over irrelevant experts (measured role).
    pub max_abs_delta_irrelevant: Option<f64>,
    /// max D over irrelevant experts (measured role).
    pub max_displacement_irrelevant: Option<f64>,
    /// L10, left side, on the evaluation samples of the class where the two sides are closest (measured role).
    pub dominance_gain: Option<f64>,
    /// L10, right side, of the same class.
    pub dominance_loss: Option<f64>,
    /// How far the kept irrelevant experts pull against a class at the worst moment of pruning (measured role).
    pub activation_imbalance: Option<f64>,
    /// min y f over evaluation samples and the pruned models with ρ ≤ γ.
    pub path_margin: Option<f64>,
    /// The fewest bits that the relevant experts of the common feature need; empty unless looked for.
    pub bits_common: Option<f64>,
    /// The same of the relevant experts of rare features.
    pub bits_rare: Option<f64>,
    /// The same of the irrelevant experts.
    pub bits_irrelevant: Option<f64>,
    /// Seconds that the run took; empty unless timings were asked for.
    pub seconds: Option<f64>,
}

impl RunBody {
    /// Copies the audit into its columns.
    pub fn set_audit(&mut self, audit: &Audit) {
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
    pub fn set_dominance(&mut self, dominance: Option<Dominance>, path_margin: Option<f64>) {
        self.dominance_gain = dominance.map(|dominance| dominance.gain);
        self.dominance_loss = dominance.map(|dominance| dominance.loss);
        self.activation_imbalance = dominance.map(|dominance| dominance.imbalance);
        self.path_margin = path_margin;
    }
}

/// One expert of one run: a row of `experts.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpertRow {
    /// Grid point.
    pub point: usize,
    /// Run.
    pub run: u64,
    /// Expert, from 0.
    pub expert: usize,
    /// a_s; empty where experts have no fixed sign.
    pub sign: Option<i8>,
    /// The role it was built for.
    pub built_role: Role,
    /// The role measured at t = 0.
    pub role: Role,
    /// Relevant, and p_v = 1 at T decided exactly; empty with token noise or after divergence.
    pub learned: Option<bool>,
    /// ‖w⁰‖.
    pub norm_0: f64,
    /// ‖w^T‖.
    pub norm_t: Option<f64>,
    /// Δ.
    pub delta: Option<f64>,
    /// Δᶜ.
    pub delta_centred: Option<f64>,
    /// D.
    pub displacement: Option<f64>,
    /// ‖V‖²: expected squared length of the noise in w; empty unless half-batches were told apart.
    pub noise_squared: Option<f64>,
    /// Estimate of the squared drift along irrelevant patterns, may be negative; empty as `noise_squared` is.
    pub drift_squared: Option<f64>,
    /// The same along the class patterns.
    pub leakage_squared: Option<f64>,
    /// The part of D along the class patterns.
    pub displacement_class: Option<f64>,
    /// max_t R_s; empty where experts are not the theory's.
    pub max_range: Option<f64>,
    /// λ₁ at t = 0.
    pub lambda1_0: f64,
    /// λ₂ at t = 0.
    pub lambda2_0: f64,
    /// max_t max(λ₁, λ₂); empty with token noise.
    pub lambda_max: Option<f64>,
    /// p₁ at t = 0.
    pub p1_0: f64,
    /// p₁ at T.
    pub p1_t: Option<f64>,
    /// p₂ at t = 0.
    pub p2_0: f64,
    /// p₂ at T.
    pub p2_t: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "router-norm-change")]
    pub router_norm_change: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "router-displacement")]
    pub router_displacement: Option<f64>,
    /// Score under the criterion of that name.
    pub random: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "router-norm-change-abs")]
    pub router_norm_change_abs: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "router-norm-change-centred")]
    pub router_norm_change_centred: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "router-norm-change-early")]
    pub router_norm_change_early: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "router-norm")]
    pub router_norm: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "neuron-change")]
    pub neuron_change: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "neuron-magnitude")]
    pub neuron_magnitude: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "max-neuron-norm")]
    pub max_neuron_norm: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "max-var")]
    pub max_var: Option<f64>,
    /// Score under the criterion of that name.
    pub aimer: Option<f64>,
    /// Score under the criterion of that name.
    pub frequency: Option<f64>,
    /// Score under the criterion of that name.
    pub mass: Option<f64>,
    /// Score under the criterion of that name.
    pub ean: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "gated-ean")]
    pub gated_ean: Option<f64>,
    /// Score under the criterion of that name.
    pub reap: Option<f64>,
    /// Score under the criterion of that name.
    pub man: Option<f64>,
    /// Score under the criterion of that name.
    pub msan: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "gated-squared")]
    pub gated_squared: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "soft-count")]
    pub soft_count: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "top1-count")]
    pub top1_count: Option<f64>,
    /// Score under the criterion of that name.
    pub nllb: Option<f64>,
    /// Score under the criterion of that name.
    pub mone: Option<f64>,
    /// Score under the criterion of that name.
    pub taylor: Option<f64>,
    /// Score under the criterion of that name.
    pub specialisation: Option<f64>,
    /// Score under the criterion of that name.
    pub redundancy: Option<f64>,
    /// In how many of the sets of that criterion, one for each number kept, the expert is.
    pub naee: Option<f64>,
    /// In how many of the sets of that criterion the expert is.
    pub hope: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "loo-loss")]
    pub loo_loss: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "loo-accuracy")]
    pub loo_accuracy: Option<f64>,
    /// In how many of the sets of that criterion the expert is.
    pub oracle: Option<f64>,
    /// Score under the criterion of that name.
    #[serde(rename = "router-norm-change-reversed")]
    pub router_norm_change_reversed: Option<f64>,
    /// The feature that it was built for, 0 the common one; empty with one feature a class.
    pub built_feature: Option<usize>,
    /// The feature that it is most proficient in, if its measured role is relevant or misaligned; empty with one feature a
    /// class.
    pub feature: Option<usize>,
}

impl ExpertRow {
    /// The class that a relevant expert of this sign serves, 0 for o₁, 1 for o₂.
    pub fn own_class(&self) -> usize {
        usize::from(self.sign.is_some_and(|sign| sign < 0))
    }
}

/// One expert at one iteration: a row of `trajectory.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryRow {
    /// Grid point.
    pub point: usize,
    /// Run.
    pub run: u64,
    /// Steps made.
    pub iteration: usize,
    /// Expert.
    pub expert: usize,
    /// ‖w^t‖.
    pub norm: f64,
    /// Δ^t.
    pub delta: f64,
    /// D^t.
    pub displacement: f64,
    /// p₁^t.
    pub p1: f64,
    /// p₂^t.
    pub p2: f64,
}

/// One pruned model of one run: a row of `pruning.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PruningRow {
    /// Grid point.
    pub point: usize,
    /// Run.
    pub run: u64,
    /// The criterion that ordered the experts.
    pub criterion: String,
    /// Experts kept.
    pub kept: usize,
    /// ρ = 1 − kept/k.
    pub ratio: f64,
    /// Whether the pruned model was fine-tuned.
    pub finetuned: bool,
    /// Share of samples classified correctly; empty if fine-tuning diverged.
    pub accuracy: Option<f64>,
    /// Misclassified samples.
    pub errors: Option<u64>,
    /// Samples.
    pub samples: Option<u64>,
    /// Verdict of the exact certificate; empty while none is computed.
    pub certificate: String,
    /// Proven lower bound of the margin; empty while none is computed.
    pub margin_lower: Option<f64>,
    /// The bound of every expert at its own worst tokens, which is proven too.
    pub sum_bound: Option<f64>,
    /// How many experts (for a set criterion, sets) are tied for the last places, so that chance chose; 0 if none are.
    pub tied: usize,
    /// Accuracy on the samples with the common feature; empty where there is no rare one.
    pub accuracy_common: Option<f64>,
    /// Accuracy on the samples with a rare feature; empty where there is none.
    pub accuracy_rare: Option<f64>,
}

/// One claim at one point, or in all: a row of `claims.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// The claim.
    pub claim: String,
    /// `probability`, a slope, or `constant`: one pair of tests; `all`: the conjunction of the claim's rows.
    pub part: String,
    /// Grid point; empty for the conjunction.
    pub point: Option<usize>,
    /// `met`: runs that meet the claim's assumptions; `all`: every run.
    pub on: String,
    /// Runs judged.
    pub runs: u64,
    /// Runs set aside because they miss an assumption.
    pub set_aside: u64,
    /// Judged runs for which the claim holds; empty for a slope.
    pub holds: Option<u64>,
    /// holds / runs, or the slope; empty without runs.
    pub estimate: Option<f64>,
    /// Simultaneous (Bonferroni) interval of the probability that the claim holds, or of the slope.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// The claim's own threshold (c₁ for T1a, c for T2b), the threshold of a slope, or the constant C that T1b found.
    pub threshold: Option<f64>,
    /// The probability with which the claim has to hold; empty for a slope.
    pub level: Option<f64>,
    /// The smaller of the two Holm-adjusted p-values.
    pub p_holm: Option<f64>,
    /// SUPPORTED, REFUTED, INCONCLUSIVE or INCONCLUSIVE (too few).
    pub verdict: String,
    /// What the simulation file expects; empty where it expects nothing.
    pub expected: String,
    /// `measured` or `built`: whose roles the claim's experts have.
    pub roles: String,
    /// The case of the simulation that the row belongs to; empty if there is none.
    pub case: String,
    /// Median over the judged runs of the figure that the claim is about (min relevant Δ for T1a …), if it has one.
    pub median: Option<f64>,
    /// The assumptions that the runs set aside miss, each with the number of runs that miss it, as in
    /// `A-batch 12, A-gauge 3`; for a slope also the runs without its figure, for S3 the experts that left its premise.
    pub missed: String,
    /// Monte Carlo standard error of the estimate: √(p(1 − p)/runs), or that of the slope.
    pub standard_error: Option<f64>,
    /// Which line of points a slope is over, by the settings of the other swept keys, if a case has several.
    pub line: String,
    /// Number of the claim in its simulation file, from 1: rows of one number make one verdict.
    pub number: usize,
    /// The criterion that the file's is compared with; empty if the claim compares none.
    #[serde(default)]
    pub against: String,
    /// Which samples accuracies are compared on: `common` or `rare` features; empty: all, or nothing is compared.
    #[serde(default)]
    pub feature: String,
}

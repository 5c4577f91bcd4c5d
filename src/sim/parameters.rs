//! The checked parameters of one grid point: the only form that can be trained.
//!
//! A value of [`Parameters`] made by [`crate::sim`] has every number inside its legal range and no two keys that
//! contradict each other. Field names are the last parts of the keys of a simulation file; each key's legal range,
//! default, symbol and source stand in [`crate::sim::keys`].

pub use crate::prune::Criterion;
use serde::{Deserialize, Serialize};

/// Everything that one run depends on, but for its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The distribution D of samples.
    pub data: DataParameters,
    /// The mixture of experts.
    pub model: ModelParameters,
    /// The model that fine-tuning starts from.
    pub pretrained: PretrainedParameters,
    /// Stochastic gradient descent.
    pub training: TrainingParameters,
    /// Which experts go, in which order, and what follows.
    pub pruning: PruningParameters,
    /// Thresholds of the measured roles.
    pub roles: RolesParameters,
    /// How many samples the measurements take.
    pub evaluation: EvaluationParameters,
    /// Proofs and counterexamples of "no error".
    pub certificate: CertificateParameters,
    /// What is recorded while training.
    pub record: RecordParameters,
    /// Thresholds of the assumption audit.
    pub assumptions: AssumptionParameters,
}

/// Operations of the pattern engine for a token and an expert, roughly.
const PATTERN_OPERATIONS: f64 = 20.0;

impl Parameters {
    /// Whether λ_v has a closed form: noise-free data, expert choice, and irrelevant tokens that are alike.
    pub fn has_exact_lambda(&self) -> bool {
        self.data.noise == 0.0 && self.model.routing == Routing::ExpertChoice && self.data.spurious == 0.0
    }

    /// The first key, with its value, that leaves the setting of the theory: expert choice in one group, one feature a
    /// class, irrelevant tokens that say nothing of the class, fresh batches, and the hinge loss alone. Lemmas, bounds and
    /// certificates speak of that setting, and the theorems' claims assume it.
    pub fn outside_theory(&self) -> Option<(&'static str, String)> {
        let Self { data, model, training, .. } = self;
        let number = |number: f64| super::value::shortest(number);
        let places = [
            (data.features > 1, "data.features", data.features.to_string()),
            (data.spurious > 0.0, "data.spurious", number(data.spurious)),
            (model.routing != Routing::ExpertChoice, "model.routing", "token-choice".into()),
            (model.groups > 1, "model.groups", model.groups.to_string()),
            (training.training_set > 0, "training.training_set", training.training_set.to_string()),
            (training.load_balance != 0.0, "training.load_balance", number(training.load_balance)),
            (training.entropy != 0.0, "training.entropy", number(training.entropy)),
        ];
        places.into_iter().find(|(leaves, _, _)| *leaves).map(|(_, key, value)| (key, value))
    }

    /// Operations of a run, roughly: enough to tell long runs from short ones. A token and an expert cost a few in the
    /// pattern engine, and with token noise 2 d for the score and, if chosen, 2 m d for the neurons.
    pub fn work(&self) -> f64 {
        let Self { data, model, training, .. } = self;
        let samples = (training.batch * training.iterations + 4 * self.evaluation.samples) as f64;
        let neurons = (model.neurons * model.tokens_per_expert) as f64 / data.tokens as f64;
        let dense = 2.0 * data.patterns as f64 * (1.0 + neurons);
        let operations = if data.noise > 0.0 { dense } else { PATTERN_OPERATIONS };
        samples * (data.tokens * model.experts) as f64 * operations
    }
}

/// The distribution D of (x, y).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataParameters {
    /// d: number of patterns and dimension of a token. Pattern 0 is o₁, pattern 1 is o₂, the others are irrelevant.
    pub patterns: usize,
    /// n: tokens of a sample.
    pub tokens: usize,
    /// Whether a sample's irrelevant patterns are drawn with replacement.
    pub replacement: bool,
    /// ξ: a token is its pattern + ξ·N(0, I_d/d).
    pub noise: f64,
    /// P[y = +1].
    pub class_share: f64,
    /// The orthonormal basis that the patterns are.
    pub basis: Basis,
    /// Whether the label is the class of the sample's class token.
    pub labels: Labels,
    /// Probability that a sample's label is drawn anew, independently of its tokens.
    pub label_noise: f64,
    /// F: features of each class. Feature f of class One is pattern 2f, of class Two pattern 2f + 1; feature 0 is o_v.
    pub features: usize,
    /// α: probability that a sample's class token is a rare feature (f ≥ 1) of its class.
    pub rare_share: f64,
    /// Rare feature f is drawn with a weight that is this to the power f − 1.
    pub rare_decay: f64,
    /// Probability that one irrelevant token of a sample is a spurious pattern.
    pub spurious: f64,
    /// Probability that a spurious pattern is that of the sample's own class.
    pub spurious_agreement: f64,
}

impl Default for DataParameters {
    /// The defaults of the keys.
    fn default() -> Self {
        Self {
            patterns: 128,
            tokens: 16,
            replacement: false,
            noise: 0.0,
            class_share: 0.5,
            basis: Basis::Canonical,
            labels: Labels::Class,
            label_noise: 0.0,
            features: 1,
            rare_share: 0.0,
            rare_decay: 1.0,
            spurious: 0.0,
            spurious_agreement: 1.0,
        }
    }
}

impl DataParameters {
    /// Number of the first irrelevant pattern: those before it are features of a class.
    pub fn first_irrelevant(&self) -> usize {
        2 * self.features
    }

    /// Number of the first irrelevant pattern that is drawn uniformly: the two before it are spurious ones, if there are
    /// any.
    pub fn first_ordinary(&self) -> usize {
        self.first_irrelevant() + if self.spurious > 0.0 { 2 } else { 0 }
    }
}

/// The orthonormal basis that the patterns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Pattern v is the unit vector e_v.
    Canonical,
    /// A random orthogonal matrix, uniform in the sense of Haar.
    Haar,
}

/// Where labels come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// y = +1 iff the sample contains o₁ (the theory's).
    Class,
    /// y is drawn independently of the tokens: a negative control.
    Independent,
}

/// The mixture of experts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelParameters {
    /// k: number of experts, even.
    pub experts: usize,
    /// m: ReLU neurons of an expert.
    pub neurons: usize,
    /// l: tokens that each expert chooses, 2 ≤ l ≤ n.
    pub tokens_per_expert: usize,
    /// How tokens and experts meet.
    pub routing: Routing,
    /// The fixed signs a_s of the experts.
    pub signs: Signs,
    /// c: experts that each token chooses in token-choice routing.
    pub experts_per_token: usize,
    /// What the gates of a token's experts are a softmax of, in token-choice routing.
    pub gates: Gates,
    /// Room of an expert in token-choice routing, as a multiple of its even share of a sample's tokens; 0: no limit.
    pub capacity: f64,
    /// Whose tokens find room first where it is limited.
    pub priority: Priority,
    /// M: groups of experts whose outputs are averaged.
    pub groups: usize,
}

impl ModelParameters {
    /// Tokens that share a gate of 1 with an expert's class token (l), or experts that share that of a token (c): a gate
    /// of at least 1 over this is what a proficiency counts.
    pub fn gate_places(&self) -> usize {
        match self.routing {
            Routing::ExpertChoice => self.tokens_per_expert,
            Routing::TokenChoice => self.experts_per_token,
        }
    }
}

/// How tokens and experts meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Each expert takes the l tokens of largest score.
    ExpertChoice,
    /// Each token goes to the c experts of largest score.
    TokenChoice,
}

/// The gates of token-choice routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gates {
    /// The softmax over all experts of the group, kept for the c chosen ones (V-MoE's).
    Raw,
    /// The softmax over the c chosen experts: the gates of a token sum to 1. It needs c ≥ 2.
    Renormalised,
}

/// Whose tokens find room first, in token-choice routing with a limited capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// In the order of their positions, first choices before second ones (V-MoE's vanilla routing).
    Position,
    /// In descending order of their largest gate (V-MoE's batch prioritized routing, within a sample).
    Gate,
}

/// The fixed signs a_s of the experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signs {
    /// Half of each sign: a_s = +1 for even s, −1 for odd s.
    Alternating,
    /// a_s = +1 for every expert: a negative control (lemma L8).
    AllPositive,
}

/// The model that fine-tuning starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedParameters {
    /// How the model is made.
    pub kind: PretrainedKind,
    /// R_c: experts per class that specialise in that class's pattern with the right sign.
    pub relevant_per_class: usize,
    /// W: experts, in all, that specialise in a class's pattern with the wrong sign; their signs alternate.
    pub misaligned: usize,
    /// φ: probability that an irrelevant expert specialises in a given irrelevant pattern, independently.
    pub specialisation: f64,
    /// A fixed number of irrelevant patterns that each irrelevant expert specialises in; 0: use φ.
    pub special_patterns: usize,
    /// c: mean router coordinate on the special patterns of irrelevant and misaligned experts.
    pub router_scale: f64,
    /// c of the relevant experts.
    pub router_scale_relevant: f64,
    /// s_r: standard deviation of the noise on every router coordinate.
    pub router_noise: f64,
    /// s₀ of irrelevant experts: neurons are |N(0, s₀²)| on special patterns, N(0, (s₀/2)²) elsewhere.
    pub neuron_scale: f64,
    /// s₀ of relevant experts.
    pub neuron_scale_relevant: f64,
    /// s₀ of misaligned experts.
    pub neuron_scale_misaligned: f64,
    /// b: added to every router coordinate of the relevant experts (lemma L11: changes norms and nothing else).
    pub gauge_relevant: f64,
    /// Experts per class and rare feature that specialise in it with the right sign.
    pub rare_per_class: usize,
    /// Relevant experts of a class and feature come in this many identical copies.
    pub copies: usize,
    /// Pairs of irrelevant experts of opposite sign and equal weights, whose outputs cancel.
    pub twins: usize,
    /// s₀ of twins.
    pub neuron_scale_twin: f64,
    /// Router coordinate of relevant experts on the irrelevant patterns that distract them.
    pub distraction: f64,
    /// Probability that an irrelevant pattern distracts a relevant expert.
    pub distraction_share: f64,
    /// U: upstream tasks, each a pair of patterns.
    pub upstream_tasks: usize,
    /// Iterations of upstream pre-training.
    pub upstream_iterations: usize,
    /// Samples of a batch of upstream pre-training.
    pub upstream_batch: usize,
    /// Learning rate of the routers in upstream pre-training.
    pub upstream_router_rate: f64,
    /// Learning rate of the neurons in upstream pre-training.
    pub upstream_expert_rate: f64,
    /// Standard deviation of a router coordinate before upstream pre-training.
    pub upstream_router_init: f64,
    /// Standard deviation of a neuron coordinate before upstream pre-training.
    pub upstream_neuron_init: f64,
}

/// How the pre-trained model is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PretrainedKind {
    /// Roles are built in.
    Constructed,
    /// Trained by SGD on a mixture of upstream tasks; nothing is built in.
    Upstream,
}

/// Stochastic gradient descent on the hinge loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingParameters {
    /// η_r: learning rate of the routers.
    pub router_rate: f64,
    /// η_e: learning rate of the neurons; their gradient carries 1/m.
    pub expert_rate: f64,
    /// B: samples of a batch.
    pub batch: usize,
    /// T: iterations.
    pub iterations: usize,
    /// Stop when the loss was exactly 0 for this many iterations in a row; 0: never.
    pub zero_loss_window: usize,
    /// Samples of a finite training set, shuffled anew for every epoch; 0: every batch is fresh.
    pub training_set: usize,
    /// Coefficient of the load-balance loss k Σ_s F_s P_s (token-choice routing).
    pub load_balance: f64,
    /// Coefficient of the mean entropy of the gates; negative: entropy is rewarded.
    pub entropy: f64,
}

/// Which experts go, in which order, and what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PruningParameters {
    /// The criterion that claims are judged by.
    pub criterion: Criterion,
    /// Further criteria, on the same trained models.
    pub criteria: Criteria,
    /// Which end of the order is pruned first.
    pub order: PruningOrder,
    /// What becomes of a pruned expert.
    pub removal: Removal,
    /// b: bits of a neuron's weight where experts are quantised in place of removed.
    pub bits: u32,
    /// Which weights a quantiser's levels span.
    pub range: QuantiserRange,
    /// Whether the fewest bits that experts of each role need are looked for.
    pub fewest_bits: bool,
    /// When experts are pruned.
    pub schedule: PruningSchedule,
    /// Windows of the schedule `windowed`: experts go at the ends of all but the last.
    pub windows: usize,
    /// Iterations of training between two removals of the schedule `iterative`.
    pub step_iterations: usize,
    /// Which samples criteria are computed from.
    pub calibration: CalibrationData,
    /// How many.
    pub calibration_samples: usize,
    /// The share of T after which `router-norm-change-early` reads the routers.
    pub early: f64,
    /// What follows pruning.
    pub afterwards: Afterwards,
    /// T′: iterations of fine-tuning after pruning.
    pub finetune_iterations: usize,
    /// Numbers of experts kept at which the pruned model is fine-tuned.
    pub finetune_kept: Kept,
}

/// Criteria that are computed beside the one that claims are judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Criteria {
    /// The word `all`: every criterion that the model's size allows.
    All(AllKept),
    /// These criteria.
    Listed(Vec<Criterion>),
}

impl Criteria {
    /// The criteria for a model of `experts` experts, each once, in the order of [`Criterion::ALL`].
    pub fn of(&self, experts: usize) -> Vec<Criterion> {
        let asked = |criterion: &Criterion| match self {
            Criteria::All(_) => experts <= criterion.most_experts(),
            Criteria::Listed(listed) => listed.contains(criterion),
        };
        Criterion::ALL.iter().copied().filter(asked).collect()
    }
}

/// What becomes of a pruned expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// The router stays; a token that it wins contributes 0 (the paper's way). With expert choice the same as `Drop`
    /// (identity I2).
    ZeroSlot,
    /// Expert and router go.
    Drop,
    /// The router stays; a token that it wins contributes a constant, the expert's mean activation.
    Novice,
    /// Router and neurons are averaged into the most similar kept expert of the same sign.
    MergeNearest,
    /// The experts of each sign are clustered by similarity; each cluster becomes one expert.
    MergeGroup,
    /// It stays, with its neurons rounded to few bits.
    Quantise,
}

impl Removal {
    /// Its name in simulation files.
    pub fn name(self) -> &'static str {
        match self {
            Removal::ZeroSlot => "zero-slot",
            Removal::Drop => "drop",
            Removal::Novice => "novice",
            Removal::MergeNearest => "merge-nearest",
            Removal::MergeGroup => "merge-group",
            Removal::Quantise => "quantise",
        }
    }

    /// Whether the kept experts are left as they are.
    pub fn leaves_kept_alone(self) -> bool {
        !matches!(self, Removal::MergeNearest | Removal::MergeGroup)
    }
}

/// Which weights the levels of a quantiser span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuantiserRange {
    /// The expert's own.
    Expert,
    /// Those of all experts.
    Layer,
}

/// When experts are pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PruningSchedule {
    /// All at once, after training.
    OneShot,
    /// After training, one after the other: after each the others are scored again.
    Iterative,
    /// During training, in equal shares at the ends of windows, by the scores of the window.
    Windowed,
    /// During training, all at once after half of it.
    HalfWay,
}

impl PruningSchedule {
    /// Its name in simulation files.
    pub fn name(self) -> &'static str {
        match self {
            PruningSchedule::OneShot => "one-shot",
            PruningSchedule::Iterative => "iterative",
            PruningSchedule::Windowed => "windowed",
            PruningSchedule::HalfWay => "half-way",
        }
    }
}

/// The samples that criteria are computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalibrationData {
    /// The task's.
    Task,
    /// Half of the samples without a class pattern.
    Mixture,
    /// All samples without a class pattern.
    Shifted,
}

/// What follows pruning, at the numbers kept of `finetune_kept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Afterwards {
    /// Nothing.
    Nothing,
    /// Further training on labels.
    FineTune,
    /// Further training on the decisions of the unpruned model, without labels.
    Distil,
}

/// Which end of the criterion's order is pruned first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PruningOrder {
    /// Smallest score first (the theorem's).
    SmallestFirst,
    /// Largest score first: a negative control.
    LargestFirst,
}

/// Numbers of experts kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    /// The word `all`: every number from k to 1.
    All(AllKept),
    /// These numbers.
    Listed(Vec<usize>),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllKept {
    /// Every number from k to 1.
    All,
}

impl Kept {
    /// The numbers kept, largest first, for a model of `experts` experts.
    pub fn numbers(&self, experts: usize) -> Vec<usize> {
        match self {
            Kept::All(_) => (1..=experts).rev().collect(),
            Kept::Listed(listed) => {
                let mut numbers = listed.clone();
                numbers.sort_unstable_by(|a, b| b.cmp(a));
                numbers.dedup();
                numbers
            }
        }
    }
}

/// Thresholds of the measured roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesParameters {
    /// An expert is relevant (or misaligned) for v if its proficiency p_v is at least this.
    pub relevant_min: f64,
    /// An expert is irrelevant if λ₁ and λ₂ are at most this.
    pub irrelevant_max: f64,
    /// Samples per class from which a proficiency is estimated.
    pub proficiency_samples: usize,
}

/// How many samples the measurements take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationParameters {
    /// N: fresh samples on which an accuracy is measured.
    pub samples: usize,
}

/// Proofs and counterexamples of "no error".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateParameters {
    /// Nodes of the search, for each class and pruned model; 0: no certificates.
    pub nodes: usize,
    /// Whether pruned models are certified too, or the unpruned one alone.
    pub pruned: bool,
}

/// What is recorded while training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordParameters {
    /// Trajectories are recorded for this many first runs of each point.
    pub trajectory_runs: usize,
    /// Iterations between two recorded states; 0: spaced evenly in the logarithm.
    pub record_every: usize,
    /// Whether drift and noise of every router are told apart by independent half-batches; needs an even batch.
    pub half_batches: bool,
}

/// Thresholds of the assumption audit: functions of the configuration and of t = 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssumptionParameters {
    /// A-batch: B ≥ this · d.
    pub batch_per_pattern_min: f64,
    /// A-balance: |class_share − ½| ≤ this.
    pub imbalance_max: f64,
    /// A-gauge: the largest ‖w⁰‖ of a relevant expert is at most this.
    pub norm_max: f64,
    /// A-activation: per sign, the sum over irrelevant experts of the mean activation at t = 0 is at most this.
    pub activation_max: f64,
    /// A-travel: η_r·T ≥ this.
    pub travel_min: f64,
    /// A-rate: η_r ≤ this.
    pub router_rate_max: f64,
    /// A-growth: η_e·T/m ≥ this.
    pub growth_min: f64,
    /// A-aligned: the share of misaligned experts at t = 0 is at most this.
    pub misaligned_max: f64,
}

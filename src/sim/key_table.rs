//! The table of keys. The defaults are the in-regime setting (METHODOLOGY, "The default setting").

use super::keys::{Key, Kind};
use super::parameters::{Criterion, System};

const DATA: &str = "paper; METHODOLOGY, The data";
const MODEL: &str = "paper; METHODOLOGY, The model";
const TRAINING: &str = "paper; METHODOLOGY, Training";
const PRUNING: &str = "paper; METHODOLOGY, Pruning";
const CRITERIA: &str = "METHODOLOGY, Criteria";
const OPTION: &str = "ours; METHODOLOGY, The data";
const MEASURED: &str = "ours; METHODOLOGY, Measurements";
const CERTIFIED: &str = "ours; METHODOLOGY, Certificates";
const ROLES: &str = "ours; METHODOLOGY, Roles";
const CONTROL: &str = "ours; METHODOLOGY, Negative controls";
const BUILT: &str = "ours; METHODOLOGY, The pre-trained model";
const WORLD: &str = "ours; METHODOLOGY, Worlds";
const ROUTING: &str = "METHODOLOGY, Token-choice routing";
const SYSTEM: &str = "METHODOLOGY, Systems";
const UPSTREAM: &str = "ours; METHODOLOGY, Upstream pre-training";
const AUDIT: &str = "ours; METHODOLOGY, Assumptions";

/// Largest number of iterations or samples.
const MANY: u64 = 100_000_000;

/// Every key of a simulation file, in the order of the sections.
#[rustfmt::skip] // One key a line: a table.
pub static KEYS: &[Key] = &[
    integer("data.patterns", "d", 4, 65_536, "128", "Number of patterns and dimension of a token; two of them decide the class.", DATA),
    integer("data.tokens", "n", 2, 4096, "16", "Tokens of a sample: one class pattern, the others irrelevant.", DATA),
    flag("data.replacement", "", "false", "Whether a sample's irrelevant patterns are drawn with replacement.", OPTION),
    real("data.noise", "ξ", 0.0, 1e3, "0.0", "A token is its pattern + ξ·N(0, I_d/d).", OPTION),
    real("data.class_share", "", 0.0, 1.0, "0.5", "Probability of the class y = +1.", DATA),
    choice("data.basis", "", &["canonical", "haar"], "canonical", "The orthonormal basis that the patterns are.", OPTION),
    choice("data.labels", "", &["class", "independent"], "class", "Whether the label is the class of the class pattern, or independent of the tokens.", CONTROL),
    real("data.label_noise", "", 0.0, 1.0, "0.0", "Probability that a sample's label is drawn anew, independently of its tokens.", CONTROL),
    integer("data.features", "F", 1, 1024, "1", "Features of each class: the class token is one of them.", WORLD).unseeded(),
    real("data.rare_share", "α", 0.0, 1.0, "0.0", "Probability that the class token is a rare feature of its class, not the first.", WORLD).unseeded(),
    real("data.rare_decay", "", 0.0, 1.0, "1.0", "Weight of a rare feature relative to the one before it; 1: all equal.", WORLD).unseeded(),
    real("data.spurious", "", 0.0, 1.0, "0.0", "Probability that one irrelevant token of a sample is a spurious pattern.", WORLD).unseeded(),
    real("data.spurious_agreement", "", 0.0, 1.0, "1.0", "Probability that a spurious pattern is that of the sample's own class.", WORLD).unseeded(),
    integer("model.experts", "k", 2, 4096, "16", "Number of experts, even: half of each sign.", MODEL),
    integer("model.neurons", "m", 1, 65_536, "16", "ReLU neurons of an expert.", MODEL),
    integer("model.tokens_per_expert", "l", 2, 4096, "4", "Tokens that each expert chooses, 2 ≤ l ≤ n.", MODEL)
        .because("with l = 1 the gate is constant and the router never moves"),
    choice("model.routing", "", &["expert-choice", "token-choice"], "expert-choice", "How tokens and experts meet.", MODEL),
    choice("model.signs", "a_s", &["alternating", "all-positive"], "alternating", "The fixed signs of the experts.", CONTROL),
    integer("model.experts_per_token", "c", 1, 4096, "1", "Experts that each token chooses in token-choice routing.", ROUTING).unseeded(),
    choice("model.gates", "", &["raw", "renormalised"], "raw", "Gates of token-choice routing: softmax over all experts of the group, or over the chosen ones.", ROUTING).unseeded(),
    real("model.capacity", "", 0.0, 1e3, "0.0", "Room of an expert in token-choice routing, in units of its even share of a sample's tokens; 0: no limit.", ROUTING).unseeded(),
    choice("model.priority", "", &["position", "gate"], "position", "Whose tokens find room first where capacity is limited.", ROUTING).unseeded(),
    integer("model.groups", "M", 1, 2048, "1", "Groups of experts whose outputs are averaged.", ROUTING).unseeded(),
    choice("model.system", "", System::NAMES, "simplified-moe", "What kind of mixture it is: the paper's, or another system.", SYSTEM).unseeded(),
    choice("pretrained.kind", "", &["constructed", "upstream"], "constructed", "How the pre-trained model is made.", BUILT),
    integer("pretrained.relevant_per_class", "R_c", 0, 2048, "2", "Experts per class that specialise in that class's pattern with the right sign.", BUILT),
    integer("pretrained.misaligned", "W", 0, 4096, "0", "Experts, in all, that specialise in a class's pattern with the wrong sign.", BUILT),
    real("pretrained.specialisation", "φ", 0.0, 1.0, "0.5", "Probability that an irrelevant expert specialises in a given irrelevant pattern.", BUILT),
    integer("pretrained.special_patterns", "", 0, 65_536, "0", "A fixed number of irrelevant patterns that each irrelevant expert specialises in; 0: use specialisation.", BUILT),
    real("pretrained.router_scale", "c", -1e3, 1e3, "1.0", "Mean router coordinate on the special patterns of irrelevant and misaligned experts.", BUILT),
    real("pretrained.router_scale_relevant", "c", -1e3, 1e3, "router_scale", "Mean router coordinate of relevant experts on their pattern; negative is a negative control.", CONTROL),
    real("pretrained.router_noise", "s_r", 0.0, 1e3, "0.05*sqrt(128/patterns)", "Standard deviation of the noise on every router coordinate.", BUILT),
    real("pretrained.neuron_scale", "s₀", 0.0, 1e3, "0.2", "Scale of the neurons of irrelevant experts.", BUILT),
    real("pretrained.neuron_scale_relevant", "s₀", 0.0, 1e3, "neuron_scale", "Scale of the neurons of relevant experts.", BUILT),
    real("pretrained.neuron_scale_misaligned", "s₀", 0.0, 1e3, "neuron_scale", "Scale of the neurons of misaligned experts.", BUILT),
    real("pretrained.gauge_relevant", "b", -1e6, 1e6, "0.0", "Added to every router coordinate of the relevant experts; changes norms and nothing else.", "ours; lemma L11"),
    integer("pretrained.rare_per_class", "", 0, 2048, "0", "Experts per class and rare feature that specialise in it with the right sign.", WORLD).unseeded(),
    integer("pretrained.copies", "", 1, 2048, "1", "Identical copies in which relevant experts come; it divides relevant_per_class and rare_per_class.", WORLD).unseeded(),
    integer("pretrained.twins", "", 0, 2048, "0", "Pairs of irrelevant experts of opposite sign and equal weights.", WORLD).unseeded(),
    real("pretrained.neuron_scale_twin", "s₀", 0.0, 1e3, "1.0", "Scale of the neurons of twins.", WORLD).unseeded(),
    real("pretrained.distraction", "", -1e3, 1e3, "0.0", "Router coordinate of relevant experts on the irrelevant patterns that distract them.", WORLD).unseeded(),
    real("pretrained.distraction_share", "", 0.0, 1.0, "0.1", "Probability that an irrelevant pattern distracts a relevant expert.", WORLD).unseeded(),
    integer("pretrained.upstream_tasks", "U", 1, 1024, "8", "Upstream tasks, each a pair of patterns.", UPSTREAM).unseeded(),
    integer("pretrained.upstream_iterations", "", 0, MANY, "2000", "Iterations of upstream pre-training.", UPSTREAM).unseeded(),
    integer("pretrained.upstream_batch", "", 1, 1_000_000, "128", "Samples of a batch of upstream pre-training.", UPSTREAM).unseeded(),
    real("pretrained.upstream_router_rate", "", 0.0, 1e6, "0.2", "Learning rate of the routers in upstream pre-training.", UPSTREAM).unseeded(),
    real("pretrained.upstream_expert_rate", "", 0.0, 1e6, "1.6", "Learning rate of the neurons in upstream pre-training; their gradient carries 1/m.", UPSTREAM).unseeded(),
    real("pretrained.upstream_router_init", "", 0.0, 1e3, "0.1", "Standard deviation of a router coordinate before upstream pre-training.", UPSTREAM).unseeded(),
    real("pretrained.upstream_neuron_init", "", 0.0, 1e3, "0.1", "Standard deviation of a neuron coordinate before upstream pre-training.", UPSTREAM).unseeded(),
    real("pretrained.scaling_noise", "", 0.0, 1e3, "0.0", "Standard deviation of the noise on the scaling vectors of MoV at the start.", SYSTEM).unseeded(),
    real("training.router_rate", "η_r", 0.0, 1e6, "0.2", "Learning rate of the routers.", TRAINING),
    real("training.expert_rate", "η_e", 0.0, 1e6, "1.6", "Learning rate of the neurons; their gradient carries 1/m.", TRAINING),
    integer("training.batch", "B", 1, 1_000_000, "128", "Samples of a batch.", TRAINING),
    integer("training.iterations", "T", 0, MANY, "300", "Iterations of fine-tuning.", TRAINING),
    integer("training.zero_loss_window", "", 0, MANY, "0", "Stop when the loss was exactly 0 for this many iterations in a row; 0: never.", TRAINING),
    integer("training.training_set", "", 0, MANY, "0", "Samples of a finite training set, shuffled anew for every epoch; 0: every batch is fresh.", WORLD).unseeded(),
    real("training.load_balance", "", 0.0, 1e6, "0.0", "Coefficient of the load-balance loss of token-choice routing.", ROUTING).unseeded(),
    real("training.entropy", "", -1e6, 1e6, "0.0", "Coefficient of the mean entropy of the gates in the loss; negative: entropy is rewarded.", ROUTING).unseeded(),
    choice("pruning.criterion", "", Criterion::NAMES, "router-norm-change", "The criterion that claims are judged by.", PRUNING),
    words("pruning.criteria", "", Criterion::NAMES, "[]", "Further criteria that prune the same trained models; all: every one that the number of experts allows.", CRITERIA),
    choice("pruning.order", "", &["smallest-first", "largest-first"], "smallest-first", "Which end of the order is pruned first.", CONTROL),
    choice("pruning.removal", "", &["zero-slot", "drop", "novice", "merge-nearest", "merge-group", "quantise"], "zero-slot", "What becomes of a pruned expert.", CRITERIA),
    integer("pruning.bits", "b", 1, 16, "4", "Bits of a neuron's weight of the experts that removal = quantise rounds in place of removing them.", CRITERIA),
    choice("pruning.range", "", &["expert", "layer"], "expert", "Which weights the levels of a quantiser span: the expert's own, or those of all experts.", CRITERIA),
    flag("pruning.fewest_bits", "", "false", "Whether the fewest bits that the experts of each role need are looked for.", CRITERIA),
    choice("pruning.schedule", "", &["one-shot", "iterative", "windowed", "half-way"], "one-shot", "When experts are pruned.", CRITERIA),
    integer("pruning.windows", "", 2, 1000, "4", "Windows of training of the schedule windowed; experts go at the ends of all but the last.", CRITERIA),
    integer("pruning.step_iterations", "", 0, MANY, "0", "Iterations of training between two removals of the schedule iterative.", CRITERIA),
    choice("pruning.calibration", "", &["task", "mixture", "shifted"], "task", "The samples that criteria are computed from: the task's, or half of them or all without a class pattern.", CRITERIA),
    integer("pruning.calibration_samples", "", 1, 10_000, "1000", "How many samples criteria are computed from.", CRITERIA),
    real("pruning.early", "", 0.0, 1.0, "0.1", "The share of T after which router-norm-change-early reads the routers.", CRITERIA),
    choice("pruning.afterwards", "", &["nothing", "fine-tune", "distil"], "fine-tune", "What follows pruning at the numbers of finetune_kept: training on labels, or to the outputs of the unpruned model.", CRITERIA),
    integer("pruning.finetune_iterations", "T′", 0, MANY, "50", "Iterations of further fine-tuning after pruning.", PRUNING),
    kept("pruning.finetune_kept", "", "[]", "Numbers of experts kept at which the pruned model is fine-tuned; all: every number.", PRUNING),
    real("roles.relevant_min", "", 0.0, 1.0, "0.5", "An expert is relevant (or misaligned) for v if its proficiency p_v is at least this.", "paper; METHODOLOGY, Roles"),
    real("roles.irrelevant_max", "", 0.0, 1.0, "0.02", "An expert is irrelevant if λ₁ and λ₂ are at most this.", ROLES),
    integer("roles.proficiency_samples", "", 1, MANY, "500", "Samples per class from which a proficiency is estimated.", ROLES),
    integer("evaluation.samples", "N", 1, MANY, "2000", "Fresh samples on which an accuracy is measured.", MEASURED),
    integer("certificate.nodes", "", 0, 1_000_000, "0", "Nodes of the search for a certificate, for each class and pruned model; 0: no certificates.", CERTIFIED),
    flag("certificate.pruned", "", "true", "Whether pruned models are certified too, or the unpruned one alone.", CERTIFIED),
    integer("record.trajectory_runs", "", 0, 1_000_000_000, "0", "Trajectories are recorded for this many first runs of each point.", MEASURED),
    integer("record.record_every", "", 0, MANY, "0", "Iterations between two recorded states; 0: spaced evenly in the logarithm.", MEASURED),
    flag("record.half_batches", "", "false", "Whether drift and noise of every router are told apart by independent half-batches; needs an even batch.", MEASURED),
    real("assumptions.batch_per_pattern_min", "", 0.0, 1e6, "1.0", "A-batch: B is at least this · d.", AUDIT),
    real("assumptions.imbalance_max", "", 0.0, 0.5, "0.05", "A-balance: |class_share − ½| is at most this.", AUDIT),
    real("assumptions.norm_max", "", 0.0, 1e12, "2.0", "A-gauge: the largest ‖w⁰‖ of a relevant expert is at most this.", AUDIT),
    real("assumptions.activation_max", "", 0.0, 1e12, "0.75", "A-activation: per sign, the summed mean activation of irrelevant experts at t = 0 is at most this.", AUDIT),
    real("assumptions.travel_min", "", 0.0, 1e12, "20.0", "A-travel: η_r·T is at least this.", AUDIT),
    real("assumptions.router_rate_max", "", 0.0, 1e6, "1.0", "A-rate: η_r is at most this.", AUDIT),
    real("assumptions.growth_min", "", 0.0, 1e12, "4.0", "A-growth: η_e·T/m is at least this.", AUDIT),
    real("assumptions.misaligned_max", "", 0.0, 1.0, "0.0", "A-aligned: the share of misaligned experts at t = 0 is at most this.", AUDIT),
];

type Text = &'static str;

const fn key(path: Text, symbol: Text, kind: Kind, default: Text, doc: Text, source: Text) -> Key {
    Key { path, symbol, kind, default, doc, source, reason: "", unseeded_default: false }
}

const fn integer(path: Text, symbol: Text, low: u64, high: u64, default: Text, doc: Text, source: Text) -> Key {
    key(path, symbol, Kind::Integer { low, high }, default, doc, source)
}

const fn real(path: Text, symbol: Text, low: f64, high: f64, default: Text, doc: Text, source: Text) -> Key {
    key(path, symbol, Kind::Real { low, high, low_open: false }, default, doc, source)
}

const fn flag(path: Text, symbol: Text, default: Text, doc: Text, source: Text) -> Key {
    key(path, symbol, Kind::Flag, default, doc, source)
}

const fn choice(path: Text, symbol: Text, words: &'static [Text], default: Text, doc: Text, source: Text) -> Key {
    key(path, symbol, Kind::Choice(words), default, doc, source)
}

const fn kept(path: Text, symbol: Text, default: Text, doc: Text, source: Text) -> Key {
    key(path, symbol, Kind::KeptList, default, doc, source)
}

const fn words(path: Text, symbol: Text, words: &'static [Text], default: Text, doc: Text, source: Text) -> Key {
    key(path, symbol, Kind::WordList(words), default, doc, source)
}

impl Key {
    const fn because(self, reason: Text) -> Key {
        Key { reason, ..self }
    }

    const fn unseeded(self) -> Key {
        Key { unseeded_default: true, ..self }
    }
}

//! The names of the criteria.

use crate::sim::words::words;

words! {
    /// A rule that says which experts go. [`crate::prune::scores`] and [`crate::prune::sets`] hold what each computes.
    pub enum Criterion {
        /// Δ_s = ‖w_s^T‖ − ‖w_s⁰‖ (the paper's).
        RouterNormChange = "router-norm-change",
        /// |Δ_s|.
        RouterNormChangeAbs = "router-norm-change-abs",
        /// Δᶜ_s: Δ_s of the centred routers.
        RouterNormChangeCentred = "router-norm-change-centred",
        /// Δ_s, largest first: the order of those who give a small Δ more bits.
        RouterNormChangeReversed = "router-norm-change-reversed",
        /// Δ_s after the first few iterations.
        RouterNormChangeEarly = "router-norm-change-early",
        /// D_s = ‖w_s^T − w_s⁰‖.
        RouterDisplacement = "router-displacement",
        /// ‖w_s^T‖.
        RouterNorm = "router-norm",
        /// mean_r ‖w_{s,r}^T − w_{s,r}⁰‖.
        NeuronChange = "neuron-change",
        /// ‖W_s^T‖_F.
        NeuronMagnitude = "neuron-magnitude",
        /// max_r ‖w_{s,r}^T‖.
        MaxNeuronNorm = "max-neuron-norm",
        /// max_r var_v h_{s,r,v}.
        MaxVar = "max-var",
        /// mean |h| / RMS h.
        Aimer = "aimer",
        /// S(0, 0, 0): routed pairs.
        Frequency = "frequency",
        /// S(0, 1, 0): gate mass.
        Mass = "mass",
        /// S(0, 0, 1): activation.
        Ean = "ean",
        /// S(0, 1, 1): gated activation.
        GatedEan = "gated-ean",
        /// S(1, 1, 1): mean gated activation.
        Reap = "reap",
        /// S(1, 0, 1): mean activation.
        Man = "man",
        /// S(1, 0, 2): mean squared activation.
        Msan = "msan",
        /// S(0, 2, 2): squared gated activation.
        GatedSquared = "gated-squared",
        /// Σ p_{s|j}.
        SoftCount = "soft-count",
        /// Number of tokens whose best expert it is.
        Top1Count = "top1-count",
        /// Top-1 share times the exponential of the mean confidence there.
        Nllb = "nllb",
        /// std(A)·mean Γ over routed pairs.
        Mone = "mone",
        /// Σ |ℓ′ f_s|.
        Taylor = "taylor",
        /// KL(p(y|s) ‖ p(y)).
        Specialisation = "specialisation",
        /// Largest similarity to another expert of its sign.
        Redundancy = "redundancy",
        /// The set of least reconstruction error.
        Naee = "naee",
        /// The same without signs.
        Hope = "hope",
        /// Loss without the expert.
        LooLoss = "loo-loss",
        /// Errors without the expert.
        LooAccuracy = "loo-accuracy",
        /// The best of all sets.
        Oracle = "oracle",
        /// A seeded random permutation.
        Random = "random",
    }
}

impl Criterion {
    /// The most experts for which every set is looked at.
    pub const MOST_EXHAUSTIVE: usize = 16;
    /// The most experts for criteria that compare experts pair by pair.
    pub const MOST_PAIRED: usize = 512;

    /// Whether it chooses a set for every number kept, so that experts have no score.
    pub fn is_set(self) -> bool {
        matches!(self, Criterion::Naee | Criterion::Hope | Criterion::Oracle)
    }

    /// Whether in token choice its scores change with a vector that is added to all routers, which the model does not notice
    /// (lemma L12).
    pub fn is_moved_by_gauge(self) -> bool {
        matches!(
            self,
            Criterion::RouterNormChange
                | Criterion::RouterNormChangeAbs
                | Criterion::RouterNormChangeCentred
                | Criterion::RouterNormChangeReversed
                | Criterion::RouterNormChangeEarly
                | Criterion::RouterNorm
        )
    }

    /// The most experts of a model that it can be computed for.
    pub fn most_experts(self) -> usize {
        match self {
            Criterion::Oracle => Self::MOST_EXHAUSTIVE,
            Criterion::Naee | Criterion::Hope | Criterion::Redundancy => Self::MOST_PAIRED,
            _ => usize::MAX,
        }
    }
}

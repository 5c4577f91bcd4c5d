//! The criteria: each is one row of one table.
//!
//! A row reads
//! `Variant = "name", "formula", needs, source, rule (function) at most LIMIT or inf moved by gauge column place;`
//! and its last four parts are optional.
//!
//! | part | meaning |
//! |---|---|
//! | name | the word in simulation files and CSVs |
//! | formula | in the notation of docs/theory/criteria.md |
//! | needs, source | names of [`crate::prune::scores`] |
//! | rule | `ascending`: a score, and the smallest goes first; `descending`: the largest; `set`: which experts stay for every number kept |
//! | function | the score of an expert, or the chooser of sets, written for [`crate::prune::scores`] |
//! | `at most` | the most experts of a model that it can be computed for, a constant of `Criterion` |
//! | `or inf` | a score may be infinite |
//! | `moved by gauge` | in token choice a vector added to all routers changes the score, and nothing else (lemma L12) |
//! | `column` | `first`: it costs nothing, so every run has it, and its column stands before the others'; `last`: its column stands behind them |
//!
//! [`crate::sim::parameters`] makes the names of the rows, [`crate::prune::scores`] the definitions. So simulation files
//! know the words without knowing what is computed, and no name is without a definition.

/// Hands the table to a macro.
macro_rules! criteria {
    ($make:ident) => {
        $make! {
            RouterNormChange = "router-norm-change", "Δ_s = ‖w_s^T‖ − ‖w_s⁰‖", TWO, PAPER, ascending (|s, given| change(s, given, |change| change.delta)) moved by gauge column first;
            RouterNormChangeAbs = "router-norm-change-abs", "|Δ_s|", TWO, OURS, ascending (|s, given| change(s, given, |change| change.delta.abs())) moved by gauge;
            RouterNormChangeCentred = "router-norm-change-centred", "Δᶜ_s: Δ_s of the routers less their mean over patterns", TWO, OURS, ascending (centred) moved by gauge;
            RouterNormChangeReversed = "router-norm-change-reversed", "Δ_s = ‖w_s^T‖ − ‖w_s⁰‖", TWO, QUANTIZING, descending (|s, given| change(s, given, |change| change.delta)) moved by gauge column last;
            RouterNormChangeBetween = "router-norm-change-between", "‖w_s^T − w̄^T‖ − ‖w_s⁰ − w̄⁰‖, w̄ the mean router of the group", TWO, OURS, ascending (between) column last;
            RouterNormChangeEarly = "router-norm-change-early", "‖w_s^t‖ − ‖w_s⁰‖ at t = pruning.early · T", EARLY, OURS, ascending (|s, given| given.early.get(s).map(|change| change.delta)) moved by gauge;
            RouterDisplacement = "router-displacement", "D_s = ‖w_s^T − w_s⁰‖", TWO, OURS, ascending (|s, given| change(s, given, |change| change.displacement)) column first;
            RouterNorm = "router-norm", "‖w_s^T‖", ONE, OURS, ascending (|s, given| change(s, given, |change| change.norm)) moved by gauge;
            NeuronChange = "neuron-change", "mean_r ‖w_{s,r}^T − w_{s,r}⁰‖", TWO, NEURONS, ascending (neuron_change);
            NeuronMagnitude = "neuron-magnitude", "‖W_s^T‖_F", ONE, NEURONS, ascending (|s, given| Some(norm(given.after.expert_weights(s))));
            MaxNeuronNorm = "max-neuron-norm", "max_r ‖w_{s,r}^T‖", ONE, NEURONS, ascending (|s, given| over_neurons(s, given, norm));
            MaxVar = "max-var", "max_r var_v h_{s,r,v}", ONE, QUANTIZING, ascending (|s, given| over_neurons(s, given, variance));
            Aimer = "aimer", "mean |h_s| / RMS h_s", ONE, source('R', "AIMER: mean |weight| over root mean square"), descending (aimer) or inf;
            Frequency = "frequency", "S(0,0,0) = N_s", DATA, UNIFIED, ascending (|s, given| sums(s, given, |sums| sums.pairs));
            Mass = "mass", "S(0,1,0) = Σ Γ", DATA, UNIFIED, ascending (|s, given| sums(s, given, |sums| sums.gates));
            Ean = "ean", "S(0,0,1) = Σ A", DATA, UNIFIED, ascending (|s, given| sums(s, given, |sums| sums.activations));
            GatedEan = "gated-ean", "S(0,1,1) = Σ Γ A", DATA, UNIFIED, ascending (|s, given| sums(s, given, |sums| sums.gated));
            Reap = "reap", "S(1,1,1) = Σ Γ A / N_s", DATA, source('P', "REAP (arXiv 2510.13999)"), ascending (|s, given| sums(s, given, |sums| per(sums.gated, sums.pairs)));
            Man = "man", "S(1,0,1) = Σ A / N_s", DATA, UNIFIED, ascending (|s, given| sums(s, given, |sums| per(sums.activations, sums.pairs)));
            Msan = "msan", "S(1,0,2) = Σ A² / N_s", DATA, UNIFIED, ascending (|s, given| sums(s, given, |sums| per(sums.squared, sums.pairs)));
            GatedSquared = "gated-squared", "S(0,2,2) = Σ Γ² A²", DATA, UNIFIED, ascending (|s, given| sums(s, given, |sums| sums.gated_squared));
            SoftCount = "soft-count", "Σ p_{s|j} over all tokens", DATA, SEER, ascending (|s, given| sums(s, given, |sums| sums.soft));
            Top1Count = "top1-count", "#{j : s = argmax p_{·|j}}", DATA, SEER, ascending (|s, given| sums(s, given, |sums| sums.top1));
            Nllb = "nllb", "top-1 share × exp(mean p_{s|j} there); 0 if s is no token's best", DATA, source('P', "Koishekenov et al. 2023, on NLLB (arXiv 2212.09811): the authors' code"), ascending (nllb);
            Mone = "mone", "std_{R_s}(A) · mean Γ", DATA, source('S', "MoNE (arXiv 2507.00390)"), ascending (|s, given| sums(s, given, fluctuation));
            Taylor = "taylor", "Σ |ℓ′ f_s|", LABELLED, source('P', "MoEBERT's I_r, an expert for a neuron (arXiv 2204.07675)"), ascending (|s, given| sums(s, given, |sums| sums.taylor));
            Specialisation = "specialisation", "KL(p(y|s) ‖ p(y)), p(y|s) ∝ Σ_{x of class y} |f_s(x)|", LABELLED, OURS, ascending (specialisation);
            Redundancy = "redundancy", "max CKA(f_s, f_s′) over s′ ≠ s of the same sign", DATA, source('S', "Diversifying the Expert Knowledge (arXiv 2407.09590)"), descending (redundancy) at most MOST_PAIRED;
            Naee = "naee", "min √(pᵀMp), M_ss′ = Σ_i f_s f_s′", DATA, source('P', "NAEE (arXiv 2402.14800)"), set (|given, order| least_reconstruction(given, order, Signs::Kept)) at most MOST_PAIRED;
            Hope = "hope", "min √(pᵀMp), M_ss′ = Σ_i |f_s f_s′|", DATA, source('R', "NAEE without signs"), set (|given, order| least_reconstruction(given, order, Signs::Dropped)) at most MOST_PAIRED;
            LooLoss = "loo-loss", "Σ ℓ(f − f_s) − ℓ(f)", LABELLED, OURS, ascending (|s, given| without(s, given, |y, f| (1.0 - y * f).max(0.0)));
            LooAccuracy = "loo-accuracy", "errors of f − f_s less errors of f", LABELLED, OURS, ascending (|s, given| without(s, given, |y, f| 1.0 - f64::from(u8::from(y * f > 0.0))));
            Oracle = "oracle", "the set of fewest errors, then of least Σ ℓ; every set is looked at", LABELLED, source('R', "ours: what any criterion could reach"), set (least_error) at most MOST_EXHAUSTIVE;
            Random = "random", "a seeded random permutation", NOTHING, OURS, ascending (|s, given| given.chance.get(s).copied()) column first;
        }
    };
}
pub(crate) use criteria;

//! The lemmas behind the claims in one line each; the page of the book that a lemma names holds scope and proof, and
//! `proofs-check` executes those about expert choice.

/// A lemma: its name and statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lemma {
    /// Its name.
    pub id: &'static str,
    /// The lemma in one or two sentences.
    pub statement: &'static str,
    /// What checks it on trajectories.
    pub checked_by: &'static str,
    /// The page of the book that proves it.
    pub page: &'static str,
}

const PROOFS_CHECK: &str = "cargo run --release -p proofs-check";
const EVERY_STEP: &str = "docs/theory/lemmas.md";
const GAUGE: &str = "docs/theory/gauge.md";
const STOCHASTIC: &str = "docs/theory/stochastic-lemmas.md";

/// The lemmas: L1–L13 and S4 hold for every run, S1, S1' and S2 are about expectations, S3 about a probability. Scope:
/// noise-free data, expert-choice routing, hinge loss alone, and but for L13 orthonormal patterns; fresh batches for S2 and
/// S3. L12 is about token choice, with or without noise and regularisers.
pub static LEMMAS: &[Lemma] = &[
    Lemma {
        id: "L1",
        statement: "Conservation: Σ_v u_{s,v} never changes, because Σ_j G_j(σ_j − σ̄) = 0.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L2",
        statement: "Step bound: ‖∇_{w_s}ℓ‖₁ ≤ R_s/2 and ‖∇_{w_s}ℓ‖₂ ≤ R_s/√8, so |Δ_s| ≤ D_s ≤ (η_r/√8) Σ_t R_s.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L3",
        statement: "Monotone features: h_{s,r,o₁} never decreases if a_s = +1 and never increases if a_s = −1; for o₂ the reverse.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L4",
        statement: "Dead stays dead: h_{s,r,v} ≤ 0 is frozen for ever.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L5",
        statement: "Reduced state: all neurons active on v move in parallel, so one offset per (expert, pattern), its running minimum and the sorted initial weights give every activation. The pattern engine trains on this state.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma { id: "L6", statement: "|Δ_s| ≤ D_s.", checked_by: PROOFS_CHECK, page: EVERY_STEP },
    Lemma {
        id: "L7",
        statement: "Locality: a pattern that is never routed to s keeps u_{s,v} and h_{s,r,v}.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L8",
        statement: "One-sign impossibility: if all kept experts share a sign, the other class is always an error; no method survives ρ > 1 − 2/k on both classes.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L9",
        statement: "Pruning perturbation: |f(x) − f_S(x)| is for every x at most the larger of two sums of max_v σ_{s,v}: over the pruned experts of sign +1, and over those of sign −1.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L10",
        statement: "Dominance: every subset of the irrelevant experts can be pruned without an error if and only if on every input of either class y the other experts give y·f more than the irrelevant experts of the wrong sign take on that input. It is enough that they give more than the sum of the largest that each of those can take.",
        checked_by: PROOFS_CHECK,
        page: EVERY_STEP,
    },
    Lemma {
        id: "L11",
        statement: "Gauge: w_s → w_s + b·Σ_v v changes no choice, gate, output or step, only norms. Δ_s is not a function of what the model does; D_s and Δᶜ_s are.",
        checked_by: PROOFS_CHECK,
        page: GAUGE,
    },
    Lemma {
        id: "L12",
        statement: "Gauge of token choice: one vector added to all routers of a group changes no choice, gate, output or step, only norms, and it can turn the order of Δ and that of Δᶜ round. D_s and the norm change of w_s less the mean router of its group are functions of what the model does; Δ_s and Δᶜ_s are not, and |Δ_s| ≤ |Δᶜ_s| need not hold.",
        checked_by: "cargo test --release --test token_choice_gauge",
        page: GAUGE,
    },
    Lemma {
        id: "L13",
        statement: "Dictionaries: where patterns are independent unit vectors with |⟨o_v, o_w⟩| ≤ ε, L6 and L8 to L10 hold word for word, L1 holds of coefficients in place of scores, L2 with a factor √(1 + ε), L3, L4 and L7 up to terms in ε, and L5 does not.",
        checked_by: "cargo test --release --test near_orthogonal",
        page: EVERY_STEP,
    },
    Lemma {
        id: "S1",
        statement: "Drift: ‖E∇_{w_s}ℓ‖₂ ≤ R_s √(π/8 + (p₁²λ₁² + p₂²λ₂²)/16), with π = P[q ∈ x] ≤ (n−1)/(d−2) and p_v the share of class v. This is Theorem 1's 1/√d if λ = O(d^{−1/2}).",
        checked_by: PROOFS_CHECK,
        page: STOCHASTIC,
    },
    Lemma {
        id: "S1'",
        statement: "Cancellation: for an expert with λ₁ = λ₂ = 0 the drift is a_s (E[β]E[Φ] + Cov(β, Φ)), where y α a_s Φ is one sample's step and β = E[yα | irrelevant tokens]. It is 0 while every sample is active and the classes are balanced.",
        checked_by: PROOFS_CHECK,
        page: STOCHASTIC,
    },
    Lemma {
        id: "S2",
        statement: "Noise: E‖batch gradient − mean‖² ≤ R_s² P[α = 1]/(8B); over the steps a martingale difference sequence.",
        checked_by: PROOFS_CHECK,
        page: STOCHASTIC,
    },
    Lemma {
        id: "S3",
        statement: "Finite-sample bound: with probability 1 − δ, for all t until R_s first exceeds R, D_s(t) ≤ η_r (Σ_{i<t} S1's bound + R·min(√(T/(8Bδ)), √(TL/(4B)) + (√2/3)L/B)), L = ln(2/δ). Fresh batches only.",
        checked_by: PROOFS_CHECK,
        page: STOCHASTIC,
    },
    Lemma {
        id: "S4",
        statement: "Growth: in every step an expert that votes for class v moves u_{s,o_v} by at least (η_r/B) Σ G_o(1 − G_o) · (σ_{s,o_v} − max_q σ_{s,q}) over the samples with loss that route o_v to it, if that is not negative.",
        checked_by: PROOFS_CHECK,
        page: STOCHASTIC,
    },
];

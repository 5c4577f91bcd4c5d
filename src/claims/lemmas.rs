//! The lemmas behind the claims in one line each; METHODOLOGY holds them with their scope, `proofs-check` with proofs
//! and executable checks.

/// A lemma: its name and statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lemma {
    /// Its name.
    pub id: &'static str,
    /// The lemma in one or two sentences.
    pub statement: &'static str,
    /// Whether `proofs-check` checks it on trajectories.
    pub checked: bool,
}

/// The deterministic lemmas. Scope: noise-free data, expert-choice routing, hinge loss alone.
pub static LEMMAS: &[Lemma] = &[
    Lemma {
        id: "L1",
        statement: "Conservation: Σ_v u_{s,v} never changes, because Σ_j G_j(σ_j − σ̄) = 0.",
        checked: true,
    },
    Lemma {
        id: "L2",
        statement: "Step bound: ‖∇_{w_s}ℓ‖₁ ≤ R_s/2 and ‖∇_{w_s}ℓ‖₂ ≤ R_s/√8, so |Δ_s| ≤ D_s ≤ (η_r/√8) Σ_t R_s.",
        checked: true,
    },
    Lemma {
        id: "L3",
        statement: "Monotone features: h_{s,r,o₁} never decreases if a_s = +1 and never increases if a_s = −1; for o₂ the reverse.",
        checked: true,
    },
    Lemma { id: "L4", statement: "Dead stays dead: h_{s,r,v} ≤ 0 is frozen for ever.", checked: true },
    Lemma {
        id: "L5",
        statement: "Reduced state: all neurons active on v move in parallel, so one offset per (expert, pattern), its running minimum and the initial weights give every activation. The pattern engine trains on this state.",
        checked: false,
    },
    Lemma { id: "L6", statement: "|Δ_s| ≤ D_s.", checked: true },
    Lemma {
        id: "L7",
        statement: "Locality: a pattern that is never routed to s keeps u_{s,v} and h_{s,r,v}.",
        checked: true,
    },
    Lemma {
        id: "L8",
        statement: "One-sign impossibility: if all kept experts share a sign, the other class is always an error; no method survives ρ > 1 − 2/k on both classes.",
        checked: false,
    },
    Lemma {
        id: "L9",
        statement: "Pruning perturbation: |f(x) − f_S(x)| ≤ Σ_{s∉S} max_v σ_{s,v} for every x.",
        checked: false,
    },
    Lemma {
        id: "L10",
        statement: "Dominance: if for every x of either class y the experts that are not irrelevant give y·f more than all irrelevant experts of the wrong sign can take, every subset of the irrelevant experts can be pruned without an error.",
        checked: false,
    },
    Lemma {
        id: "L11",
        statement: "Gauge: w_s → w_s + b·Σ_v v changes no choice, gate, output or step, only norms. Δ_s is not a function of what the model does; D_s and Δᶜ_s are.",
        checked: true,
    },
];

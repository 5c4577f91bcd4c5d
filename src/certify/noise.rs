//! What token noise can do to an expert, so that a certificate holds in its presence.
//!
//! Let a token be its pattern + ε. If every score moves by at most δ_s and every σ_s by at most κ_s, then
//!
//! - the l chosen tokens are a choice that is possible when scores closer than 2δ_s count as tied;
//! - each weight exp(u) moves by a factor within exp(±δ_s), so that the gates move by at most tanh(δ_s/2) in total variation,
//!   and the mean of σ_s over them by at most R_s·tanh(δ_s/2), R_s the activation range;
//! - so |f_s| is within κ_s + R_s·tanh(δ_s/2) of what it is for that choice without noise.
//!
//! For ‖ε‖ ≤ r on every token: δ_s = r‖w_s‖ and κ_s = (r/m) Σ_r ‖w_{s,r}‖ (ReLU is 1-Lipschitz). For ε ~ ξ·N(0, I_d/d):
//! each ⟨w, ε⟩ is N(0, ξ²‖w‖²/d), and the N = n·k·(m + 1) of them in a sample all stay within t·ξ‖w‖/√d with probability
//! ≥ 1 − p for t = √(2 ln(2N/p)) (union bound, P[|Z| > t] ≤ 2 exp(−t²/2)). A certificate at these δ_s, κ_s then proves that a
//! fresh noisy sample of any tokens is an error with probability at most p.

use crate::moe::Model;

/// What noise can do to one expert.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoiseEffect {
    /// δ_s: how far a score can move.
    pub score: f64,
    /// κ_s + R_s·tanh(δ_s/2): how far the output can move for the same choice.
    pub output: f64,
}

/// Rounding of norms, tanh and sums is far below this share.
const OUTWARD: f64 = 1.0 + 1e-9;

/// For noise of length at most `radius` on every token, by expert.
pub fn bounded(model: &Model, radius: f64) -> Vec<NoiseEffect> {
    effects(model, radius)
}

/// For Gaussian token noise ξ·N(0, I_d/d), outside an event of probability at most `failure`, by expert. `tokens` is n.
pub fn gaussian(model: &Model, tokens: usize, noise: f64, failure: f64) -> Vec<NoiseEffect> {
    let events = tokens as f64 * model.experts() as f64 * (model.neurons_per_expert as f64 + 1.0);
    let deviation = (2.0 * (libm::log(2.0 * events) - libm::log(failure))).sqrt();
    effects(model, deviation * noise / (model.patterns as f64).sqrt())
}

/// For noise that moves ⟨w, token⟩ by at most `scale`·‖w‖.
fn effects(model: &Model, scale: f64) -> Vec<NoiseEffect> {
    let norm = |weights: &[f64]| OUTWARD * weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
    (0..model.experts())
        .map(|expert| {
            let score = OUTWARD * scale * norm(model.router(expert));
            let neurons = model.expert_neurons(expert).chunks_exact(model.patterns).map(norm).sum::<f64>();
            let activation = scale * neurons / model.neurons_per_expert as f64;
            let activations = model.activations(expert);
            let highest = activations.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let lowest = activations.iter().copied().fold(f64::INFINITY, f64::min);
            let output = activation + (highest - lowest) * libm::tanh(0.5 * score);
            NoiseEffect { score, output: OUTWARD * output }
        })
        .collect()
}

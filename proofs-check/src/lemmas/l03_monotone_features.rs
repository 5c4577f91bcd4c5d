//! **L3, monotone features.** h_{s,r,o₁} never decreases if a_s = +1 and never increases if a_s = −1; h_{s,r,o₂} the
//! reverse.
//!
//! *Proof.* The coordinate at o₁ of what a sample adds to neuron r is η_e α (y a_s/m) times Σ G_j over the chosen tokens
//! that are o₁, if h_{s,r,o₁} > 0, and else 0. A sample with the token o₁ has y = +1, so the number has the sign of a_s or
//! is 0. The mean over the batch inherits that. With o₂, y = −1 and the sign is that of −a_s. ∎
//!
//! *Scope.* That of the module, and: the class pattern decides the label (`data.labels = "class"`). With labels
//! independent of the tokens both signs of y meet o₁, and the lemma fails.
//!
//! *Check.* Every step of every neuron at both class patterns; exactly where the engine keeps pattern coordinates, because
//! sums of numbers of one sign round to that sign or 0.

use crate::tolerance::norm;
use crate::{Tally, Trajectory, tolerance};
use moe_theory::patterns::Class;

/// Compares the class patterns' coordinates of all neurons before and after every step.
pub fn check(trajectory: &Trajectory) -> Tally {
    let mut tally = Tally::default();
    let d = trajectory.patterns();
    let travel = trajectory.rates.expert / trajectory.models[0].neurons_per_expert as f64;
    for (iteration, before, after) in trajectory.steps() {
        for (expert, sign) in before.signs.iter().enumerate() {
            let old = before.expert_neurons(expert).chunks_exact(d);
            let new = after.expert_neurons(expert).chunks_exact(d);
            for (neuron, (old, new)) in old.zip(new).enumerate() {
                let allowed = tolerance::coordinate(trajectory, norm(old) + norm(new), travel);
                for class in Class::BOTH {
                    let direction = sign * class.label();
                    let moved = (new[class.pattern()] - old[class.pattern()]) * direction;
                    let wrong = if moved >= 0.0 { 0.0 } else { moved };
                    tally.zero(wrong, allowed, || {
                        format!("step {iteration}: neuron {neuron} of expert {expert} at {class:?} moves the wrong way")
                    });
                }
            }
        }
    }
    tally
}

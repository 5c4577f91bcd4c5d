//! **L7, locality.** A pattern v that is not routed to expert s in a step keeps u_{s,v} and all h_{s,r,v} in that step. So
//! a pattern that is never routed to s keeps them for ever.
//!
//! *Proof.* What a sample adds to w_s and w_{s,r} is a combination of the chosen tokens x⁽ʲ⁾, j ∈ J_s. These are patterns
//! other than v, so orthogonal to v, and the coordinate at v gains 0. ∎
//!
//! *Scope.* That of the module, and no regulariser such as weight decay, which moves every coordinate.
//!
//! *Check.* The tokens of each batch are routed again, by the definition, with the recorded routers. Every pattern that no
//! sample routes to s (whether or not the sample has a loss) is compared before and after the step: bit for bit where the
//! engine keeps pattern coordinates. On a Haar basis, where rounding may break a tie either way, a pattern counts as
//! routed if its score comes within rounding of the l-th largest one.

use crate::tolerance::norm;
use crate::{Tally, Trajectory, tolerance};
use moe_theory::moe::Model;
use moe_theory::moe::routing::choose_tokens;
use moe_theory::patterns::Batch;

/// Compares every coordinate of every pattern that a step did not route to the expert.
pub fn check(trajectory: &Trajectory) -> Tally {
    let mut tally = Tally::default();
    let d = trajectory.patterns();
    let travel = trajectory.rates.expert / trajectory.models[0].neurons_per_expert as f64;
    for (iteration, before, after) in trajectory.steps() {
        for expert in 0..trajectory.experts() {
            let routed = routed(trajectory, before, &trajectory.batches[iteration], expert);
            let largest = before.activations(expert).into_iter().fold(0.0, f64::max);
            let router = [(before.router(expert), after.router(expert), trajectory.rates.router * largest)];
            let old = before.expert_neurons(expert).chunks_exact(d);
            let neurons = old.zip(after.expert_neurons(expert).chunks_exact(d)).map(|(old, new)| (old, new, travel));
            for (row, (old, new, step)) in router.into_iter().chain(neurons).enumerate() {
                let allowed = tolerance::coordinate(trajectory, norm(old) + norm(new), step);
                for pattern in (0..d).filter(|&pattern| !routed[pattern]) {
                    tally.zero(new[pattern] - old[pattern], allowed, || {
                        format!("step {iteration}: weights {row} of expert {expert} move at unrouted pattern {pattern}")
                    });
                }
            }
        }
    }
    tally
}

/// Whether each pattern may be routed to the expert by a sample of the batch, `[d]`.
fn routed(trajectory: &Trajectory, model: &Model, batch: &Batch, expert: usize) -> Vec<bool> {
    let router = model.router(expert);
    let margin = tolerance::side(trajectory, norm(router));
    let mut routed = vec![false; model.patterns];
    let (mut scores, mut chosen) = (Vec::new(), Vec::new());
    for sample in 0..batch.samples() {
        let tokens = batch.sample(sample);
        scores.clear();
        scores.extend(tokens.iter().map(|&token| router[token as usize]));
        choose_tokens(&scores, model.tokens_per_expert, &mut chosen);
        for &position in &chosen {
            routed[tokens[position] as usize] = true;
        }
        if margin > 0.0 {
            let lowest = chosen.last().map_or(f64::NEG_INFINITY, |&position| scores[position]);
            for (&token, &score) in tokens.iter().zip(&scores) {
                routed[token as usize] |= score >= lowest - margin;
            }
        }
    }
    routed
}

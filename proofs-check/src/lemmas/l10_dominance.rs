//! **L10, dominance.** Let I be a set of experts (the irrelevant ones) and X_y the inputs of class y. If for both
//! classes y and every x in X_y
//!
//! Σ_{s∉I} y f_s(x) > Σ_{s∈I, y a_s = −1} max_{x'∈X_y} |f_s(x')|,
//!
//! then every subset of I can be pruned, in any order, without an error. And this holds for every subset **if and only
//! if** for both classes and every x in X_y
//!
//! Σ_{s∉I} y f_s(x) > Σ_{s∈I, y a_s = −1} |f_s(x)|,
//!
//! the same input on both sides: one subset decides, the one that prunes of I just the experts that vote for y.
//!
//! *Proof.* Keep K ⊆ I beside the others. By expert choice y f_K(x) = Σ_{s∉I} y f_s(x) + Σ_{s∈K, y a_s = +1} |f_s(x)|
//! − Σ_{s∈K, y a_s = −1} |f_s(x)|, which is smallest over K when K holds all of I with y a_s = −1 and none with y a_s
//! = +1: then it is the left side of the second condition minus the right one. All K are without an error iff that is
//! positive for all x. The first condition has a larger right side. Orders do not matter, since the pruned model
//! depends on K alone. ∎
//!
//! An error is y f(x) ≤ 0, so the inequalities are strict: at equality that subset errs. They exclude that I is
//! everything. x ranges over inputs as sequences: with tied scores f_s(x) may depend on the order of tokens.
//!
//! The first condition is checked expert by expert (each maximum alone), the second one needs all experts on the same
//! input. Between them lies what is lost when every expert may pick its own worst input.
//!
//! *Scope.* That of the module, any loss, any set I: it uses no property of irrelevance.
//!
//! *Check.* Configurations whose inputs and sets of experts can be listed: for every set I of the model's experts both
//! conditions are decided on all inputs, and every subset is pruned, the engine judging every input.

use crate::Tally;
use crate::population::{Population, Study};
use crate::tolerance;
use moe_theory::moe::Model;
use moe_theory::patterns::Batch;

/// Most experts: 3^k pairs of sets are compared.
const EXPERTS: usize = 4;

/// Counts sets I for which a condition and what follows from it disagree.
pub fn check(study: &Study) -> Tally {
    check_margin(study, 1.0)
}

/// The same with a left side that is `factor` times as large.
pub fn check_margin(study: &Study, factor: f64) -> Tally {
    let mut tally = Tally::default();
    for population in study.populations.iter().filter(|population| population.inputs.exact) {
        let model = &study.trajectory.models[population.iteration];
        if model.experts() <= EXPERTS {
            check_model(study, population, model, factor, &mut tally);
        }
    }
    tally
}

fn check_model(study: &Study, population: &Population, model: &Model, factor: f64, tally: &mut Tally) {
    let batch = &population.inputs.batch;
    let k = model.experts();
    let mut outputs = Vec::new();
    (study.make)(model, study.trajectory.rates).outputs(batch, &mut outputs);
    let smallest: Vec<f64> = (0..1usize << k).map(|kept| smallest_margin(study, model, batch, kept)).collect();
    let allowed = tolerance::output(model);
    for set in 0..1usize << k {
        let (stated, exact) = slack(model, batch, &outputs, set, factor);
        let worst = subsets(set).map(|pruned| smallest[(1 << k) - 1 - pruned]).fold(f64::INFINITY, f64::min);
        let place = |what| format!("experts {set:b} prunable at {}: {what}", population.iteration);
        if stated > allowed {
            tally.holds(worst > 0.0, || place("dominance holds and a subset errs"));
        }
        if exact.abs() > allowed {
            tally.holds((exact > 0.0) == (worst > 0.0), || place("the exact condition is wrong"));
        }
        if stated > exact + 2.0 * allowed {
            tally.holds(false, || place("dominance is weaker than the exact condition"));
        }
    }
}

/// The smallest y f of the engine over all inputs, with the experts in the bit set `kept`.
fn smallest_margin(study: &Study, model: &Model, batch: &Batch, kept: usize) -> f64 {
    let kept: Vec<usize> = (0..model.experts()).filter(|expert| kept >> expert & 1 == 1).collect();
    let outputs = study.engine_outputs(&model.subset(&kept), batch);
    outputs.iter().zip(&batch.labels).map(|(output, label)| output * label).fold(f64::INFINITY, f64::min)
}

/// The smallest left minus right side of the first and of the second condition over the inputs of `batch`, on which the
/// experts' outputs are `outputs`, `[samples, k]`; I is the bit set `set`. `factor` multiplies the left side.
pub fn slack(model: &Model, batch: &Batch, outputs: &[f64], set: usize, factor: f64) -> (f64, f64) {
    let k = model.experts();
    let inside = |expert: usize| set >> expert & 1 == 1;
    let (mut stated, mut exact) = (f64::INFINITY, f64::INFINITY);
    for y in [1.0, -1.0] {
        let of_class = || outputs.chunks_exact(k).zip(&batch.labels).filter(move |(_, label)| **label == y);
        let against = || (0..k).filter(move |&expert| inside(expert) && y * model.signs[expert] < 0.0);
        let largest = |expert: usize| of_class().map(|(f, _)| f[expert].abs()).fold(0.0, f64::max);
        let largest: f64 = against().map(largest).sum();
        for (f, _) in of_class() {
            let left: f64 = factor * (0..k).filter(|&expert| !inside(expert)).map(|expert| y * f[expert]).sum::<f64>();
            stated = f64::min(stated, left - largest);
            exact = f64::min(exact, left - against().map(|expert| f[expert].abs()).sum::<f64>());
        }
    }
    (stated, exact)
}

/// All subsets of a bit set.
fn subsets(set: usize) -> impl Iterator<Item = usize> {
    (0..=set).filter(move |subset| subset & !set == 0)
}

//! Dominance (lemma L10) and the pruning path, as evaluation samples of the trained model show them.
//!
//! L10: if for both classes y and every x of class y
//! Σ_{s not irrelevant} y f_s(x) > Σ_{s irrelevant, y a_s = −1} max_x |f_s(x)|, then every subset of irrelevant experts can
//! be pruned, in any order, without an error. On samples minima are too large and maxima too small, so gain > loss here
//! is evidence and no proof. An expert's output does not depend on the others, so the outputs of the unpruned model say
//! all this of every pruned one.

use super::Role;

/// What the samples show. The class of a sample is its label y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dominance {
    /// min over the samples of class y of Σ_{s not irrelevant} y f_s(x), for the class where gain − loss is smaller.
    pub gain: f64,
    /// Σ_{s irrelevant, y a_s = −1} max over the samples of class y of |f_s(x)|, for the same class.
    pub loss: f64,
    /// The largest, over the classes and the models that keep the first 1 … k experts of the pruning order, of the mean
    /// over the samples of class y of −Σ_{s irrelevant and kept} y f_s(x): how far the kept irrelevant experts pull
    /// against a class at the worst moment. Negative if they never do.
    pub imbalance: f64,
}

/// Of the samples of one class.
#[derive(Clone, Debug)]
struct OfClass {
    samples: usize,
    /// Smallest Σ_{s not irrelevant} y f_s(x).
    gain: f64,
    /// Largest |f_s(x)|, `[k]`.
    largest: Vec<f64>,
    /// Σ_x y f_s(x), `[k]`.
    sums: Vec<f64>,
}

/// Takes in the outputs of one sample after the other.
#[derive(Clone, Debug)]
pub struct DominanceTally<'a> {
    signs: &'a [f64],
    keep_first: &'a [usize],
    /// Whether an expert is irrelevant, `[k]`.
    irrelevant: Vec<bool>,
    /// Fewest experts kept by a pruned model with ρ ≤ γ, but at least one.
    fewest: usize,
    /// Labels +1 and −1.
    classes: [OfClass; 2],
    path_margin: f64,
    /// Whether every output so far was a finite number.
    finite: bool,
}

impl<'a> DominanceTally<'a> {
    /// For experts of these signs and roles, `[k]` each, kept in the order `keep_first`, a permutation of all.
    pub fn new(signs: &'a [f64], roles: &[Role], keep_first: &'a [usize]) -> Self {
        let irrelevant: Vec<bool> = roles.iter().map(|&role| role == Role::Irrelevant).collect();
        let relevant = irrelevant.iter().filter(|&&irrelevant| !irrelevant).count();
        let zeros = vec![0.0; signs.len()];
        let class = OfClass { samples: 0, gain: f64::INFINITY, largest: zeros.clone(), sums: zeros };
        Self {
            signs,
            keep_first,
            irrelevant,
            fewest: relevant.max(1),
            classes: [class.clone(), class],
            path_margin: f64::INFINITY,
            finite: true,
        }
    }

    /// One sample: f_s(x) of every expert, `[k]`, and its label y.
    pub fn add(&mut self, outputs: &[f64], label: f64) {
        let class = &mut self.classes[usize::from(label < 0.0)];
        class.samples += 1;
        let mut gain = 0.0;
        for (expert, output) in outputs.iter().enumerate() {
            class.largest[expert] = class.largest[expert].max(output.abs());
            class.sums[expert] += label * output;
            if !self.irrelevant[expert] {
                gain += label * output;
            }
        }
        class.gain = class.gain.min(gain);
        let mut f = 0.0;
        for (place, &expert) in self.keep_first.iter().enumerate() {
            f += outputs[expert];
            if place + 1 >= self.fewest {
                self.path_margin = self.path_margin.min(label * f);
            }
        }
        // The sum over all experts is finite only if every output is.
        self.finite &= f.is_finite();
    }

    /// The smallest y f(x) over the samples and the pruned models with ρ ≤ γ (measured roles), among them the unpruned
    /// one; `None` without a sample or if an output was no finite number.
    pub fn path_margin(&self) -> Option<f64> {
        let any = self.classes.iter().any(|class| class.samples > 0);
        (self.finite && any).then_some(self.path_margin)
    }

    /// Dominance on the samples; `None` if a class has no sample or an output was no finite number.
    pub fn dominance(&self) -> Option<Dominance> {
        if !self.finite || self.classes.iter().any(|class| class.samples == 0) {
            return None;
        }
        let [one, two] = [0, 1].map(|class| (self.classes[class].gain, self.loss(class)));
        let (gain, loss) = if one.0 - one.1 <= two.0 - two.1 { one } else { two };
        Some(Dominance { gain, loss, imbalance: self.imbalance(0).max(self.imbalance(1)) })
    }

    /// Σ of the largest |f_s| over the irrelevant experts that vote against a class.
    fn loss(&self, class: usize) -> f64 {
        let label = [1.0, -1.0][class];
        let experts = self.signs.iter().zip(&self.irrelevant).zip(&self.classes[class].largest);
        experts.filter(|((sign, irrelevant), _)| **irrelevant && label * **sign < 0.0).map(|(_, largest)| largest).sum()
    }

    /// The largest pull of the kept irrelevant experts against one class along the pruning path.
    fn imbalance(&self, class: usize) -> f64 {
        let OfClass { samples, sums, .. } = &self.classes[class];
        let (mut pull, mut worst) = (0.0, f64::NEG_INFINITY);
        for &expert in self.keep_first {
            if self.irrelevant[expert] {
                pull -= sums[expert] / *samples as f64;
            }
            worst = f64::max(worst, pull);
        }
        worst
    }
}

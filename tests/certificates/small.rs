//! Models small enough to enumerate, and what a certificate must say of them.

use moe_theory::certify::{Budget, Certificate, ModelTable, Radii, Support, Verdict};
use moe_theory::moe::Model;
use moe_theory::patterns::{Class, Pattern, Purpose, stream};
use rand::RngExt;

/// A model and its support, small enough to enumerate.
pub struct Small {
    pub model: Model,
    pub support: Support,
}

/// Random models of all kinds: ties, one-sided signs, loud and quiet experts, wide and narrow scores.
pub fn small(seed: u64, largest: (usize, usize)) -> Small {
    let mut random = stream(seed, Purpose::Pretrained);
    let tokens = random.random_range(2..=largest.1);
    let replacement = random.random_bool(0.5);
    let least = if replacement { 3 } else { tokens + 1 };
    let patterns = random.random_range(least..=largest.0.max(least));
    let experts = random.random_range(1..=5);
    let neurons = random.random_range(1..=3);
    let tokens_per_expert = random.random_range(2..=tokens);
    let ties = random.random_bool(0.3);
    let wide = [0.05, 1.0, 4.0, 60.0][random.random_range(0..4)];
    let mut routers: Vec<f64> = (0..experts * patterns).map(|_| wide * random.random_range(-1.0..1.0)).collect();
    if ties {
        routers.iter_mut().for_each(|score| *score = (*score / wide * 2.0).round());
    }
    // Class patterns speak for their class, so that margins of both signs are common.
    let strength = random.random_range(0.0..4.0);
    let mut neurons_of = Vec::new();
    let signs: Vec<f64> = (0..experts).map(|_| if random.random_bool(0.5) { 1.0 } else { -1.0 }).collect();
    for &sign in &signs {
        for _ in 0..neurons {
            for pattern in 0..patterns {
                let own = (pattern == 0 && sign > 0.0) || (pattern == 1 && sign < 0.0);
                let bonus = if own { strength } else { 0.0 };
                neurons_of.push(random.random_range(-0.5..1.0) + bonus);
            }
        }
    }
    for (expert, &sign) in signs.iter().enumerate() {
        if random.random_bool(0.6) {
            routers[expert * patterns + usize::from(sign < 0.0)] += wide;
        }
    }
    let model = Model { patterns, neurons_per_expert: neurons, tokens_per_expert, signs, routers, neurons: neurons_of };
    Small { model, support: Support { tokens, replacement, classes: Class::BOTH.to_vec(), contradictory: false } }
}

/// Calls `visit` with every order of every input of a class.
pub fn for_each_input(small: &Small, class: Class, visit: &mut impl FnMut(&[Pattern])) {
    fn grow(small: &Small, class: Class, tokens: &mut Vec<Pattern>, visit: &mut impl FnMut(&[Pattern])) {
        if tokens.len() == small.support.tokens {
            if tokens.contains(&(class.pattern() as Pattern)) {
                visit(tokens);
            }
            return;
        }
        let placed = tokens.contains(&(class.pattern() as Pattern));
        if !placed {
            tokens.push(class.pattern() as Pattern);
            grow(small, class, tokens, visit);
            tokens.pop();
        }
        // The last place is the class token's if it has none yet.
        if placed || tokens.len() + 1 < small.support.tokens {
            for pattern in 2..small.model.patterns as Pattern {
                if small.support.replacement || !tokens.contains(&pattern) {
                    tokens.push(pattern);
                    grow(small, class, tokens, visit);
                    tokens.pop();
                }
            }
        }
    }
    grow(small, class, &mut Vec::new(), visit);
}

/// y f(x) of the experts `kept`, straight from the model's definition.
pub fn margin(model: &Model, kept: &[usize], class: Class, tokens: &[Pattern]) -> f64 {
    let outputs = model.expert_outputs(tokens);
    class.label() * kept.iter().map(|&expert| outputs[expert]).sum::<f64>()
}

/// The smallest margin by enumeration.
pub fn smallest_margin(small: &Small, kept: &[usize], class: Class) -> f64 {
    let mut smallest = f64::INFINITY;
    for_each_input(small, class, &mut |tokens| smallest = smallest.min(margin(&small.model, kept, class, tokens)));
    smallest
}

pub fn table(small: &Small) -> ModelTable {
    ModelTable::new(&small.model, &small.support, Radii::default()).expect("finite weights")
}

/// Margins closer to 0 than this are decided by rounding.
pub const ROUNDING: f64 = 1e-12;

/// What a certificate proves is true.
pub fn check_bound(certificate: &Certificate, truth: f64, seed: u64) {
    assert!(certificate.margin_lower <= truth + 1e-15, "seed {seed}: {certificate:?} of {truth}");
}

/// What a certificate says against the truth; replays its counterexample.
pub fn check(small: &Small, kept: &[usize], certificate: &Certificate, truth: f64, seed: u64) {
    check_bound(certificate, truth, seed);
    match certificate.verdict {
        Verdict::Certified => assert!(truth > 0.0 && certificate.margin_lower > 0.0, "seed {seed}: {truth}"),
        Verdict::Counterexample => {
            let (input, _) = certificate.worst.as_ref().expect("a counterexample has an input");
            let found = margin(&small.model, kept, input.class, &input.tokens);
            assert!(found <= 0.0 && truth <= 0.0, "seed {seed}: {found} {truth}");
        }
        Verdict::Undecided => assert!(truth.abs() <= ROUNDING, "seed {seed}: {certificate:?} of {truth}"),
    }
}

/// Enough to close every tree of a small model.
pub fn ample() -> Budget {
    Budget { nodes: 100_000, root_passes: 60, node_passes: 5, target: 0.0 }
}

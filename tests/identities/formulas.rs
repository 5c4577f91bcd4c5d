//! Every criterion is its formula, written a second time from checkpoints, routed pairs and labels; and who goes first.

use crate::silent::silent;
use crate::world::*;
use moe_theory::moe::Model;
use moe_theory::prune::routed::RoutedPair;
use moe_theory::prune::statistics::router_changes;
use moe_theory::prune::{Calibration, Plan, Statistics};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::parameters::{Gates, PruningOrder};
use proptest::prelude::*;

/// What formulas speak of.
struct Seen<'a> {
    before: &'a Model,
    after: &'a Model,
    /// Routers of the early checkpoint.
    early: &'a [f64],
    /// Routed pairs and scores, `[n, k]`, of every sample.
    samples: Vec<(Vec<RoutedPair>, Vec<f64>)>,
    labels: &'a [f64],
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn norm(weights: &[f64]) -> f64 {
    weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt()
}

fn variance(numbers: &[f64]) -> f64 {
    let mean = mean(numbers);
    numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / numbers.len() as f64
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(f64::NEG_INFINITY, f64::max)
}

impl Seen<'_> {
    /// S(b, α, β) = N^(−b) Σ Γ^α A^β; 0 for an expert without tokens.
    fn family(&self, expert: usize, b: i32, alpha: i32, beta: i32) -> f64 {
        let own = self.routed(expert);
        let sum: f64 = own.iter().map(|(gate, activation)| gate.powi(alpha) * activation.powi(beta)).sum();
        if own.is_empty() { 0.0 } else { sum / (own.len() as f64).powi(b) }
    }

    /// (Γ, A) of an expert's pairs.
    fn routed(&self, expert: usize) -> Vec<(f64, f64)> {
        let pairs = self.samples.iter().flat_map(|(pairs, _)| pairs);
        pairs.filter(|pair| pair.expert == expert).map(|pair| (pair.gate, pair.activation)).collect()
    }

    /// f_s of every sample.
    fn output(&self, expert: usize) -> Vec<f64> {
        let own = |pairs: &[RoutedPair]| -> f64 {
            pairs.iter().filter(|pair| pair.expert == expert).map(|pair| pair.gate * pair.activation).sum()
        };
        self.samples.iter().map(|(pairs, _)| self.after.signs[expert] * own(pairs)).collect()
    }

    /// f of every sample.
    fn whole(&self) -> Vec<f64> {
        let outputs: Vec<Vec<f64>> = (0..self.after.experts()).map(|expert| self.output(expert)).collect();
        (0..self.samples.len()).map(|sample| outputs.iter().map(|of_expert| of_expert[sample]).sum()).collect()
    }

    /// p_{s|j} of every token.
    fn shares(&self, expert: usize) -> Vec<f64> {
        let share = |scores: &[f64]| scores[expert].exp() / scores.iter().map(|score| score.exp()).sum::<f64>();
        self.samples.iter().flat_map(|(_, scores)| scores.chunks_exact(self.after.experts()).map(share)).collect()
    }

    /// The tokens whose largest score is this expert's.
    fn wins(&self, expert: usize) -> Vec<bool> {
        let wins = |scores: &[f64]| scores[expert] == largest(scores.iter().copied());
        self.samples.iter().flat_map(|(_, scores)| scores.chunks_exact(self.after.experts()).map(wins)).collect()
    }

    fn without(&self, expert: usize, loss: impl Fn(f64) -> f64) -> f64 {
        let margins = self.whole().into_iter().zip(self.output(expert)).zip(self.labels);
        margins.map(|((f, own), y)| loss(y * (f - own)) - loss(y * f)).sum()
    }

    /// KL(p(y|s) ‖ p(y)).
    fn divergence(&self, expert: usize) -> f64 {
        let output = self.output(expert);
        let of = |sign: f64| -> f64 {
            output.iter().zip(self.labels).filter(|(_, y)| **y == sign).map(|(f, _)| f.abs()).sum()
        };
        let share = |sign: f64| self.labels.iter().filter(|y| **y == sign).count() as f64 / self.labels.len() as f64;
        let total = of(1.0) + of(-1.0);
        let term = |sign: f64| {
            let own = of(sign) / total;
            if own > 0.0 { own * (own / share(sign)).ln() } else { 0.0 }
        };
        if total > 0.0 { term(1.0) + term(-1.0) } else { 0.0 }
    }

    /// The largest squared correlation with another expert of the same sign.
    fn redundancy(&self, expert: usize) -> f64 {
        let own = self.output(expert);
        let correlation = |other: usize| {
            let other = self.output(other);
            let (a, b) = (mean(&own), mean(&other));
            let product = own.iter().zip(&other).map(|(f, g)| (f - a) * (g - b)).sum::<f64>() / own.len() as f64;
            let both = variance(&own) * variance(&other);
            if both > 0.0 { product * product / both } else { 0.0 }
        };
        let signs = &self.after.signs;
        let others = (0..signs.len()).filter(|&other| other != expert && signs[other] == signs[expert]);
        others.map(correlation).fold(0.0, f64::max)
    }

    /// The formula of a criterion that scores experts; `None` for `random` and sets.
    fn formula(&self, criterion: Criterion, s: usize) -> Option<f64> {
        let (d, m) = (self.after.patterns, self.after.neurons_per_expert);
        let (old, new) = (self.before.router(s), self.after.router(s));
        let neurons = || self.after.expert_neurons(s).chunks_exact(d);
        let moved = || self.before.expert_neurons(s).chunks_exact(d).zip(neurons());
        let weights = self.after.expert_neurons(s);
        let (gates, activations): (Vec<f64>, Vec<f64>) = self.routed(s).into_iter().unzip();
        let centred = |router: &[f64]| router.iter().map(|weight| weight - mean(router)).collect::<Vec<_>>();
        let hinge = |margin: f64| (1.0 - margin).max(0.0);
        let wins = self.wins(s);
        Some(match criterion {
            Criterion::RouterNormChange | Criterion::RouterNormChangeReversed => norm(new) - norm(old),
            Criterion::RouterNormChangeBetween => {
                let off = |model: &Model| {
                    let k = model.experts() as f64;
                    let mean = |v| model.routers.iter().skip(v).step_by(d).sum::<f64>() / k;
                    norm(&model.router(s).iter().enumerate().map(|(v, u)| u - mean(v)).collect::<Vec<_>>())
                };
                off(self.after) - off(self.before)
            }
            Criterion::RouterNormChangeAbs => (norm(new) - norm(old)).abs(),
            Criterion::RouterNormChangeCentred => norm(&centred(new)) - norm(&centred(old)),
            Criterion::RouterNormChangeEarly => norm(&self.early[s * d..][..d]) - norm(old),
            Criterion::RouterDisplacement => norm(&minus(new, old)),
            Criterion::RouterNorm => norm(new),
            Criterion::NeuronChange => moved().map(|(old, new)| norm(&minus(new, old))).sum::<f64>() / m as f64,
            Criterion::NeuronMagnitude => norm(weights),
            Criterion::MaxNeuronNorm => largest(neurons().map(norm)),
            Criterion::MaxVar => largest(neurons().map(variance)),
            Criterion::Aimer => {
                let sizes: Vec<f64> = weights.iter().map(|weight| weight.abs()).collect();
                let root = norm(weights) / (weights.len() as f64).sqrt();
                if root > 0.0 { mean(&sizes) / root } else { f64::INFINITY }
            }
            Criterion::Frequency => self.family(s, 0, 0, 0),
            Criterion::Mass => self.family(s, 0, 1, 0),
            Criterion::Ean => self.family(s, 0, 0, 1),
            Criterion::GatedEan => self.family(s, 0, 1, 1),
            Criterion::Reap => self.family(s, 1, 1, 1),
            Criterion::Man => self.family(s, 1, 0, 1),
            Criterion::Msan => self.family(s, 1, 0, 2),
            Criterion::GatedSquared => self.family(s, 0, 2, 2),
            Criterion::SoftCount => self.shares(s).iter().sum(),
            Criterion::Top1Count => wins.iter().filter(|wins| **wins).count() as f64,
            Criterion::Nllb => {
                let confidence: Vec<f64> =
                    self.shares(s).into_iter().zip(&wins).filter(|(_, wins)| **wins).map(|(share, _)| share).collect();
                let frequency = confidence.len() as f64 / wins.len() as f64;
                // The authors' own code: top-1 share times the exponential of the mean gate there.
                if confidence.is_empty() { 0.0 } else { frequency * mean(&confidence).exp() }
            }
            Criterion::Mone if gates.is_empty() => 0.0,
            Criterion::Mone => variance(&activations).sqrt() * mean(&gates),
            Criterion::Taylor => {
                let active = self.whole().into_iter().zip(self.labels).map(|(f, y)| f64::from(u8::from(y * f < 1.0)));
                active.zip(self.output(s)).map(|(active, own)| active * own.abs()).sum()
            }
            Criterion::Specialisation => self.divergence(s),
            Criterion::Redundancy => self.redundancy(s),
            Criterion::LooLoss => self.without(s, hinge),
            Criterion::LooAccuracy => self.without(s, |margin| f64::from(u8::from(margin <= 0.0))),
            Criterion::Naee | Criterion::Hope | Criterion::Oracle | Criterion::Random => return None,
        })
    }

    /// Whether rounding may decide: a margin at a kink, an output that is constant but for rounding.
    fn is_near_a_kink(&self) -> bool {
        let f = self.whole();
        let outputs: Vec<Vec<f64>> = (0..self.after.experts()).map(|expert| self.output(expert)).collect();
        let near = |margin: f64| margin.abs() < 1e-9 || (margin - 1.0).abs() < 1e-9;
        let without = |own: &Vec<f64>| f.iter().zip(own).any(|(f, own)| near((f - own).abs()));
        let tied = |scores: &[f64]| (1..scores.len()).any(|s| scores[..s].contains(&scores[s]));
        let k = self.after.experts();
        self.samples.iter().any(|(_, scores)| scores.chunks_exact(k).any(tied))
            || f.iter().any(|f| near(f.abs()))
            || outputs.iter().any(without)
            || outputs.iter().any(|own| (1e-30..1e-12).contains(&variance(own)))
    }
}

/// The model with other weights, each moved by up to ½.
fn moved(model: &Model, moves: u64) -> Model {
    let mut state = moves;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5
    };
    let mut moved = model.clone();
    moved.routers.iter_mut().chain(&mut moved.neurons).for_each(|weight| *weight += next());
    moved
}

/// Who goes first: the largest score by these three, the smallest by all others.
const LARGEST_FIRST: [Criterion; 3] = [Criterion::Aimer, Criterion::Redundancy, Criterion::RouterNormChangeReversed];

/// Top-1 share times the exponential of the mean gate there, as in the authors' code: 0.5·e^0.5 is more than 0.3·e^0.9,
/// though 0.5·0.5 is less than 0.3·0.9. An expert that is no token's best has no mean gate and the score 0: it goes first.
#[test]
fn nllb_weighs_the_top1_share_by_the_exponential_of_the_gate() {
    let model = silent(4);
    let mut calibration = Calibration::new(4);
    for (sums, (top1, gate)) in calibration.experts.iter_mut().zip([(5.0, 0.5), (3.0, 0.9), (2.0, 0.7), (0.0, 0.0)]) {
        (sums.top1, sums.confidence) = (top1, top1 * gate);
    }
    let given = Statistics {
        before: &model,
        after: &model,
        changes: Vec::new(),
        early: Vec::new(),
        chance: (0..4).map(f64::from).collect(),
        calibration: Some(calibration),
    };
    for (score, right) in scores(Criterion::Nllb, &given).into_iter().zip([0.824360635, 0.737880933, 0.402750541, 0.0])
    {
        assert!((score - right).abs() < 1e-9, "{score} in place of {right}");
    }
    let plan = Criterion::Nllb.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
    assert_eq!(plan.order().expect("one by one"), [0, 1, 2, 3]);
}

proptest! {
    #![proptest_config(crate::world::cases(300))]

    #[test]
    fn every_score_is_its_formula_and_the_least_worth_goes_first(
        World { model, mut batch } in worlds(),
        moves in any::<[u64; 2]>(),
        choices in 0usize..=2,
    ) {
        // Classes of unequal size: by halves the two distributions of a divergence could be exchanged.
        batch.labels[1..4].fill(1.0);
        let (before, early) = (moved(&model, moves[0]), moved(&model, moves[1]));
        let rule = match choices {
            0 => rule(&model, &batch),
            1 => token_choice(&model, &batch, 1, Gates::Raw),
            _ => token_choice(&model, &batch, 2, Gates::Renormalised),
        };
        let mut calibration = Calibration::new(model.experts());
        calibration.add(&model, &rule, &batch);
        let given = Statistics {
            before: &before,
            changes: router_changes(&before.routers, &model.routers, model.patterns),
            early: router_changes(&before.routers, &early.routers, model.patterns),
            calibration: Some(calibration),
            ..statistics(&model, &batch)
        };
        let seen = Seen {
            before: &before,
            after: &model,
            early: &early.routers,
            samples: pairs_by(&model, &rule, &batch),
            labels: &batch.labels,
        };
        prop_assume!(!seen.is_near_a_kink());
        for &criterion in Criterion::ALL {
            let formulas: Option<Vec<f64>> = (0..model.experts()).map(|s| seen.formula(criterion, s)).collect();
            let Some(formulas) = formulas else { continue };
            for (score, formula) in scores(criterion, &given).iter().zip(&formulas) {
                prop_assert!(score == formula || (score - formula).abs() <= 1e-8 * (1.0 + formula.abs()), "{criterion:?} {score} {formula}");
            }
            let plan = criterion.importance().plan(&given, PruningOrder::SmallestFirst).expect("all is given");
            let Plan::Nested { keep_first, .. } = plan else { panic!("{criterion:?} has an order") };
            let turn = if LARGEST_FIRST.contains(&criterion) { -1.0 } else { 1.0 };
            for pair in keep_first.windows(2) {
                let [kept, gone] = [pair[0], pair[1]].map(|s| turn * formulas[s]);
                prop_assert!(kept >= gone - 1e-7 * (1.0 + gone.abs()), "{criterion:?} keeps {kept} before {gone}");
            }
        }
    }

    /// Beyond sixteen experts NAEE goes one by one: each time the expert whose removal leaves pᵀMp smallest.
    #[test]
    fn beyond_the_exhaustive_sizes_naee_removes_greedily(
        outputs in prop::collection::vec(-1.0f64..1.0, 18 * 12),
        signed in any::<bool>(),
    ) {
        let k = 18;
        let model = silent(k);
        let mut calibration = Calibration::new(k);
        (calibration.outputs, calibration.labels) = (outputs.clone(), vec![1.0; 12]);
        let given = Statistics {
            before: &model,
            after: &model,
            changes: Vec::new(),
            early: Vec::new(),
            chance: (0..k).map(|s| s as f64).collect(),
            calibration: Some(calibration),
        };
        let criterion = if signed { Criterion::Naee } else { Criterion::Hope };
        let plan = criterion.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
        let energy = |removed: &[usize]| -> f64 {
            let size = |f: f64| if signed { f } else { f.abs() };
            let sum = |own: &[f64]| removed.iter().map(|&s| size(own[s])).sum::<f64>();
            outputs.chunks_exact(k).map(|own| sum(own).powi(2)).sum()
        };
        let order: Vec<usize> = plan.order().expect("one by one").iter().rev().copied().collect();
        for removed in 1..k {
            let chosen = energy(&order[..removed]);
            for &other in &order[removed..] {
                let mut instead = order[..removed - 1].to_vec();
                instead.push(other);
                prop_assert!(chosen <= energy(&instead) + 1e-9);
            }
        }
    }

    /// Sets that are equally good are chosen by chance, and said to be: without outputs all sets are.
    #[test]
    fn chance_decides_between_equal_sets(luck in Just((0..6).map(f64::from).collect::<Vec<f64>>()).prop_shuffle()) {
        let k = luck.len();
        let model = silent(k);
        let mut calibration = Calibration::new(k);
        (calibration.outputs, calibration.labels) = (vec![0.0; 3 * k], vec![1.0, -1.0, 1.0]);
        let given = Statistics {
            before: &model,
            after: &model,
            changes: Vec::new(),
            early: Vec::new(),
            chance: luck.clone(),
            calibration: Some(calibration),
        };
        let mut lucky: Vec<usize> = (0..k).collect();
        lucky.sort_by(|&a, &b| luck[b].total_cmp(&luck[a]));
        for criterion in [Criterion::Naee, Criterion::Hope, Criterion::Oracle] {
            let plan = criterion.importance().plan(&given, PruningOrder::SmallestFirst).expect("data is given");
            for kept in 1..=k {
                let mut expected = lucky[..kept].to_vec();
                expected.sort_unstable();
                prop_assert_eq!(plan.kept(kept), expected);
                let sets = [6, 15, 20, 15, 6, 0][kept - 1];
                prop_assert_eq!(plan.tied(kept), sets);
            }
        }
    }
}

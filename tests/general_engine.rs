//! The general engine: equal to the dense engine where both apply, and its gradients against finite differences of an
//! independent loss for every routing and regulariser, away from kinks and ties.

mod common;

use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Class, Sampler, Vocabulary};
use moe_theory::prune::removal::Given;
use moe_theory::sgd::{DenseEngine, Engine, GeneralEngine, Objective, Rates, TheoryEngine};
use moe_theory::sim::Parameters;
use moe_theory::sim::parameters::{CapacityRounding, Gates, LabelLoss, MemberLoss, Priority, Removal, Routing};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Allowed |difference| / (1 + largest number) after a few steps of two engines that share no line of routing, forward
/// pass or update.
const TOLERANCE: f64 = 1e-10;
/// A case is set aside from the first time that something comes this near to a kink: there rounding decides.
const CLEARANCE: f64 = 1e-9;

fn parameters(settings: &str) -> Parameters {
    common::point(settings).parameters
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let scale = 1.0 + b.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / scale
}

/// Whether a score, a neuron or a margin is so near to a kink that rounding may decide.
fn near_a_kink(engine: &mut dyn TheoryEngine, batch: &Batch) -> bool {
    let model = engine.model();
    let near = |distance: f64| distance.abs() < CLEARANCE && distance != 0.0;
    let tied = (0..model.experts()).any(|expert| {
        let mut scores = model.router(expert).to_vec();
        scores.sort_by(f64::total_cmp);
        scores.windows(2).any(|pair| near(pair[1] - pair[0]))
    });
    let mut outputs = Vec::new();
    engine.outputs(batch, &mut outputs);
    let mut margins = outputs.chunks_exact(model.experts()).zip(&batch.labels);
    tied || model.neurons.iter().any(|&weight| near(weight))
        || margins.any(|(outputs, label)| near(label * outputs.iter().sum::<f64>() - 1.0))
}

/// Sizes and weights of a case under expert choice.
fn overlap() -> impl Strategy<Value = (String, u64)> {
    let shape = (2usize..=8, any::<bool>()).prop_flat_map(|(n, replacement)| {
        let fewest = if replacement { 6 } else { n + 5 };
        (Just(n), Just(replacement), fewest..=30, 2..=n)
    });
    // Without router noise scores tie exactly.
    let features = (1usize..=2, prop_oneof![Just(0.3), Just(0.0)]);
    (shape, 1usize..=5, 1usize..=4, features, (0.0..1.5, 0.0..1.5), 0.05..1.5, 1usize..=20, any::<u64>()).prop_map(
        |((n, replacement, d, l), half, m, (features, noise), (router_rate, expert_rate), scale, batch, seed)| {
            let relevant = half.min(1);
            let expert_rate = expert_rate * m as f64;
            let rare = if features > 1 { 0.4 } else { 0.0 };
            let settings = format!(
                "data.patterns={d} data.tokens={n} data.replacement={replacement} data.features={features} \
                 data.rare_share={rare} model.experts={} model.neurons={m} model.tokens_per_expert={l} \
                 pretrained.relevant_per_class={relevant} pretrained.neuron_scale={scale} \
                 pretrained.router_noise={noise} training.batch={batch} training.router_rate={router_rate} \
                 training.expert_rate={expert_rate}",
                2 * half
            );
            (settings, seed)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trains_as_the_dense_engine_where_both_apply((settings, seed) in overlap()) {
        let parameters = parameters(&settings);
        let model = Pretrained::constructed(&parameters, seed).model;
        let vocabulary = Vocabulary::new(model.patterns, parameters.data.basis, seed);
        let mut dense = DenseEngine::new(&model, vocabulary, Rates::from(&parameters.training));
        let mut plain = GeneralEngine::new(&model, &parameters);
        let mut sampler = Sampler::of_training(&parameters, seed);
        let mut batch = Batch::default();
        for _ in 0..12 {
            sampler.fill(&mut batch, parameters.training.batch);
            if near_a_kink(&mut plain, &batch) || near_a_kink(&mut dense, &batch) {
                return Ok(());
            }
            let (a, b) = (plain.step(&batch, &Objective::default()).expect("finite"), dense.step(&batch, &Objective::default()).expect("finite"));
            prop_assert_eq!(a.active, b.active);
            prop_assert!((a.loss - b.loss).abs() < TOLERANCE);
            let (a, b) = (plain.model(), dense.model());
            prop_assert!(largest_difference(&a.routers, &b.routers) < TOLERANCE);
            prop_assert!(largest_difference(&a.neurons, &b.neurons) < TOLERANCE);
            // The step may have made a tie, which rounding then decides.
            if near_a_kink(&mut plain, &batch) || near_a_kink(&mut dense, &batch) {
                return Ok(());
            }
            let (mut gates, mut expected) = (Vec::new(), Vec::new());
            plain.class_token_gates(&batch, &mut gates);
            dense.class_token_gates(&batch, &mut expected);
            prop_assert!(largest_difference(&gates, &expected) < TOLERANCE);
            for expert in 0..a.experts() {
                for class in Class::BOTH {
                    prop_assert_eq!(plain.competitors(expert, class), dense.competitors(expert, class));
                }
                let (range, expected) = (plain.range_above(expert, 0.0), dense.range_above(expert, 0.0));
                prop_assert!((range.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < TOLERANCE);
            }
        }
    }
}

/// Settings of any routing and regulariser.
fn worlds() -> impl Strategy<Value = (String, u64)> {
    let routing = prop_oneof![Just("expert-choice"), Just("token-choice"), Just("token-choice")];
    let gates = prop_oneof![Just("raw"), Just("renormalised")];
    let priority = prop_oneof![Just("position"), Just("gate")];
    let capacity = prop_oneof![Just(0.0), 0.3..1.5];
    let load_balance = prop_oneof![Just(0.0), 0.1..2.0];
    let entropy = prop_oneof![Just(0.0), -1.0..1.0];
    let variation = prop_oneof![Just((0.0, 0.0)), (0.1..2.0, 0.1..2.0)];
    let training = (variation, prop_oneof![Just("hinge"), Just("logistic")], any::<bool>(), any::<bool>());
    let plain =
        (routing, gates, priority, capacity, load_balance, entropy, 1usize..=3, 1usize..=2, 1usize..=3, any::<u64>());
    (plain, training).prop_map(
        |((routing, gates, priority, capacity, load_balance, entropy, c, groups, half, seed), training)| {
            let ((importance, load), loss, own, in_fours) = training;
            let by_tokens = routing == "token-choice";
            let size = 2 * half;
            let c = c.min(size).max(if gates == "renormalised" { 2 } else { 1 });
            let (capacity, load_balance) = if by_tokens { (capacity, load_balance) } else { (0.0, 0.0) };
            let (importance, load) = if by_tokens { (importance, load) } else { (0.0, 0.0) };
            let members = if own && groups > 1 { "own" } else { "mean" };
            let rounding = if in_fours && capacity > 0.0 { "up-to-fours" } else { "nearest" };
            let settings = format!(
                "data.patterns=9 data.tokens=5 data.replacement=true model.experts={} model.groups={groups} \
                 model.neurons=3 model.tokens_per_expert=3 model.routing={routing} model.gates={gates} \
                 model.experts_per_token={c} model.capacity={capacity} model.priority={priority} \
                 pretrained.relevant_per_class=1 pretrained.neuron_scale=1.5 pretrained.router_noise=0.7 \
                 training.batch=4 training.router_rate=1 training.expert_rate=1 \
                 training.load_balance={load_balance} training.entropy={entropy} training.loss={loss} \
                 training.importance_loss={importance} training.load_loss={load} training.member_loss={members} \
                 model.capacity_rounding={rounding}",
                size * groups
            );
            (settings, seed)
        },
    )
}

/// The loss of a batch straight from the definitions, and the distance to the nearest kink. Written without the library's
/// routing.
struct Definition<'a> {
    parameters: &'a Parameters,
    model: &'a Model,
    /// Experts whose output counts.
    live: &'a [bool],
    clearance: f64,
}

impl Definition<'_> {
    fn score(&self, expert: usize, pattern: u32) -> f64 {
        self.model.routers[expert * self.model.patterns + pattern as usize]
    }

    fn softmax(scores: &[f64]) -> Vec<f64> {
        let total: f64 = scores.iter().map(|score| score.exp()).sum();
        scores.iter().map(|score| score.exp() / total).collect()
    }

    /// Places of the `count` largest; notes how near the order is to a change that matters, between different patterns.
    fn largest(&mut self, scores: &[f64], count: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..scores.len()).collect();
        places.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        for pair in places.windows(2) {
            let gap = scores[pair[0]] - scores[pair[1]];
            if gap > 0.0 {
                self.clearance = self.clearance.min(gap);
            }
        }
        places.truncate(count);
        places
    }

    fn entropy(gates: &[f64]) -> f64 {
        gates.iter().map(|gate| -gate * gate.ln()).sum()
    }

    /// (the sum of each group, mean entropy of the blocks) of one sample.
    fn sample(&mut self, tokens: &[u32]) -> (Vec<f64>, f64) {
        let settings = self.parameters.model.clone();
        let k = self.model.experts();
        let (mut f, mut entropies) = (vec![0.0; settings.groups], Vec::new());
        let size = k / settings.groups;
        let activation: Vec<Vec<f64>> = (0..k).map(|expert| self.model.activations(expert)).collect();
        let value = |expert: usize, pattern: u32| match self.live[expert] {
            true => self.model.signs[expert] * activation[expert][pattern as usize],
            false => 0.0,
        };
        let signed: Vec<Vec<f64>> =
            (0..k).map(|expert| tokens.iter().map(|&token| value(expert, token)).collect()).collect();
        if settings.routing == Routing::ExpertChoice {
            for (expert, signed) in signed.iter().enumerate() {
                let scores: Vec<f64> = tokens.iter().map(|&token| self.score(expert, token)).collect();
                let chosen = self.largest(&scores, settings.tokens_per_expert);
                let gates = Self::softmax(&chosen.iter().map(|&place| scores[place]).collect::<Vec<_>>());
                f[expert / size] += chosen.iter().zip(&gates).map(|(&place, gate)| gate * signed[place]).sum::<f64>();
                entropies.push(Self::entropy(&gates));
            }
        } else {
            for (group, f) in f.iter_mut().enumerate() {
                *f = self.group(tokens, group * size, size, &signed, &mut entropies);
            }
        }
        let blocks = entropies.len() as f64;
        (f, entropies.iter().sum::<f64>() / blocks)
    }

    fn group(
        &mut self,
        tokens: &[u32],
        first: usize,
        size: usize,
        signed: &[Vec<f64>],
        entropies: &mut Vec<f64>,
    ) -> f64 {
        let settings = self.parameters.model.clone();
        let c = settings.experts_per_token;
        // For each token its chosen experts, best first, with their gates.
        let mut choices = Vec::new();
        for &token in tokens {
            let scores: Vec<f64> = (first..first + size).map(|expert| self.score(expert, token)).collect();
            let chosen = self.largest(&scores, c);
            let of_chosen: Vec<f64> = chosen.iter().map(|&place| scores[place]).collect();
            let (gates, all) = match settings.gates {
                Gates::Renormalised => (Self::softmax(&of_chosen), Self::softmax(&of_chosen)),
                Gates::Raw => {
                    let all = Self::softmax(&scores);
                    (chosen.iter().map(|&place| all[place]).collect(), all)
                }
            };
            entropies.push(Self::entropy(&all));
            choices.push(chosen.into_iter().map(|place| place + first).zip(gates).collect::<Vec<_>>());
        }
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        if settings.capacity > 0.0 && settings.priority == Priority::Gate {
            let largest: Vec<f64> = choices.iter().map(|chosen| chosen[0].1).collect();
            order = self.largest(&largest, tokens.len());
        }
        let room = settings.capacity * (c * tokens.len()) as f64 / size as f64;
        let slots = match settings.capacity_rounding {
            _ if settings.capacity == 0.0 => usize::MAX,
            CapacityRounding::Nearest => (room.round() as usize).max(1),
            CapacityRounding::UpToFours => 4 * (room / 4.0).ceil() as usize,
        };
        let mut taken = vec![0; first + size];
        let mut f = 0.0;
        for rank in 0..c {
            for &token in &order {
                let Some(&(expert, gate)) = choices[token].get(rank) else { continue };
                if taken[expert] < slots {
                    taken[expert] += 1;
                    f += gate * signed[expert][token];
                }
            }
        }
        f
    }

    /// k Σ F P, its mean over groups, with F as given or, if none is, of this model; and that F.
    fn load_balance(&mut self, batch: &Batch, fixed: Option<&[Vec<f64>]>) -> (f64, Vec<Vec<f64>>) {
        let settings = self.parameters.model.clone();
        let size = self.model.experts() / settings.groups;
        let (mut loss, mut shares) = (0.0, Vec::new());
        for group in 0..settings.groups {
            let (mut chosen_share, mut mean) = (vec![0.0; size], vec![0.0; size]);
            for &token in &batch.tokens {
                let scores: Vec<f64> = (0..size).map(|place| self.score(group * size + place, token)).collect();
                for place in self.largest(&scores, settings.experts_per_token) {
                    chosen_share[place] += 1.0 / (batch.tokens.len() * settings.experts_per_token) as f64;
                }
                for (mean, gate) in mean.iter_mut().zip(Self::softmax(&scores)) {
                    *mean += gate / batch.tokens.len() as f64;
                }
            }
            let share = fixed.map_or(&chosen_share, |fixed| &fixed[group]);
            loss += size as f64 * share.iter().zip(&mean).map(|(share, mean)| share * mean).sum::<f64>();
            shares.push(chosen_share);
        }
        (loss / settings.groups as f64, shares)
    }

    /// The squared coefficients of variation of summed soft gates and of chances to be chosen again, means over groups.
    fn variation(&mut self, batch: &Batch) -> [f64; 2] {
        let settings = self.parameters.model.clone();
        let size = self.model.experts() / settings.groups;
        let (mut importance, mut load) = (0.0, 0.0);
        for group in 0..settings.groups {
            let (mut soft, mut noisy) = (vec![0.0; size], vec![0.0; size]);
            for &token in &batch.tokens {
                let scores: Vec<f64> = (0..size).map(|place| self.score(group * size + place, token)).collect();
                let last = *self.largest(&scores, settings.experts_per_token).last().expect("one is chosen");
                soft.iter_mut().zip(Self::softmax(&scores)).for_each(|(sum, gate)| *sum += gate);
                let deviation = 1.0 / size as f64;
                let chance = |score: f64| 0.5 * libm::erfc((scores[last] - score) / deviation / 2f64.sqrt());
                noisy.iter_mut().zip(&scores).for_each(|(sum, &score)| *sum += chance(score));
            }
            importance += squared_variation(&soft) / settings.groups as f64;
            load += squared_variation(&noisy) / settings.groups as f64;
        }
        [importance, load]
    }

    fn loss(&mut self, batch: &Batch, shares: Option<&[Vec<f64>]>) -> f64 {
        let training = self.parameters.training.clone();
        let mut total = 0.0;
        for sample in 0..batch.samples() {
            let (f, entropy) = self.sample(batch.sample(sample));
            let members = match training.member_loss {
                MemberLoss::Own => f,
                MemberLoss::Mean => vec![f.iter().sum::<f64>() / f.len() as f64],
            };
            for f in members {
                let margin = batch.labels[sample] * f;
                total += match training.loss {
                    LabelLoss::Hinge => (1.0 - margin).max(0.0),
                    LabelLoss::Logistic => (1.0 + (-margin).exp()).ln(),
                };
                if training.loss == LabelLoss::Hinge {
                    self.clearance = self.clearance.min((1.0 - margin).abs());
                }
            }
            total += training.entropy * entropy;
        }
        let [importance, load] = self.variation(batch);
        total / batch.samples() as f64
            + training.load_balance * self.load_balance(batch, shares).0
            + training.importance_loss * importance
            + training.load_loss * load
    }
}

/// (standard deviation / mean)².
fn squared_variation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64 / (mean * mean)
}

/// Checks a step of `engine` from `model` against finite differences.
fn check_gradients(
    parameters: &Parameters,
    model: &Model,
    live: &[bool],
    engine: &mut GeneralEngine,
    batch: &Batch,
) -> Result<bool, TestCaseError> {
    let mut at_start = Definition { parameters, model, live, clearance: f64::INFINITY };
    at_start.loss(batch, None);
    let (_, shares) = at_start.load_balance(batch, None);
    let nearest = model.neurons.iter().map(|weight| weight.abs()).fold(at_start.clearance, f64::min);
    if nearest < 1e-3 {
        return Ok(false);
    }
    let before = engine.model();
    engine.step(batch, &Objective::from(&parameters.training)).expect("finite");
    let stepped = engine.model();
    // Rates are 1, so that a step is minus the gradient, for neurons too.
    let step = 1e-5;
    let slope = |place: usize, of_routers: bool| {
        let moved = |by: f64| {
            let mut model = model.clone();
            let weights = if of_routers { &mut model.routers } else { &mut model.neurons };
            weights[place] += by;
            let mut definition = Definition { parameters, model: &model, live, clearance: f64::INFINITY };
            definition.loss(batch, Some(&shares))
        };
        (moved(step) - moved(-step)) / (2.0 * step)
    };
    for place in 0..model.routers.len() {
        let (found, expected) = (model.routers[place] - stepped.routers[place], slope(place, true));
        prop_assert!((found - expected).abs() < 1e-8 * (1.0 + expected.abs()), "router {place}: {found} {expected}");
    }
    for place in (0..model.neurons.len()).step_by(5) {
        let (found, expected) = (before.neurons[place] - stepped.neurons[place], slope(place, false));
        prop_assert!((found - expected).abs() < 1e-8 * (1.0 + expected.abs()), "neuron {place}: {found} {expected}");
    }
    Ok(true)
}

#[test]
fn gradients_are_those_of_finite_differences_in_every_world() {
    let compared = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&(worlds(), any::<bool>()), |((settings, seed), prunes)| {
        let parameters = parameters(&settings);
        let model = Pretrained::constructed(&parameters, seed).model;
        let k = model.experts();
        let mut batch = Batch::default();
        Sampler::of_training(&parameters, seed).fill(&mut batch, parameters.training.batch);
        // Router noise makes neurons of the construction positive only on special patterns; that is enough.
        let kept: Vec<usize> = (0..k).filter(|expert| !prunes || *expert != seed as usize % k).collect();
        let live: Vec<bool> = (0..k).map(|expert| kept.contains(&expert)).collect();
        let given = Given { calibration: None, pruning: &parameters.pruning };
        let mut engine = GeneralEngine::new(&Removal::ZeroSlot.remove(&model, &kept, &given).model, &parameters);
        let mut outputs = Vec::new();
        engine.outputs(&batch, &mut outputs);
        let mut definition = Definition { parameters: &parameters, model: &model, live: &live, clearance: 1.0 };
        for sample in 0..batch.samples() {
            let f: f64 = outputs[sample * k..(sample + 1) * k].iter().sum();
            let expected =
                definition.sample(batch.sample(sample)).0.iter().sum::<f64>() / parameters.model.groups as f64;
            prop_assert!((f - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{f} {expected}");
        }
        if check_gradients(&parameters, &model, &live, &mut engine, &batch)? {
            compared.set(compared.get() + 1);
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(compared.get() > 100, "{} cases away from kinks", compared.get());
}

#[test]
fn momentum_adds_what_is_left_of_the_last_step() {
    const SHARE: f64 = 0.7;
    let settings = "data.patterns=9 data.tokens=5 data.replacement=true model.experts=4 model.neurons=3 \
                    model.routing=token-choice model.experts_per_token=2 pretrained.relevant_per_class=1 \
                    pretrained.neuron_scale=1.5 pretrained.router_noise=0.7 training.batch=8 training.router_rate=1 \
                    training.expert_rate=3";
    let (plain, moved) = (parameters(settings), parameters(&format!("{settings} training.momentum={SHARE}")));
    for seed in 0..20 {
        let start = Pretrained::constructed(&plain, seed).model;
        let mut batches = [Batch::default(), Batch::default()];
        let mut sampler = Sampler::of_training(&plain, seed);
        batches.iter_mut().for_each(|batch| sampler.fill(batch, 8));
        let objective = Objective::from(&plain.training);
        let mut engine = GeneralEngine::new(&start, &moved);
        engine.step(&batches[0], &objective).expect("finite");
        let once = engine.model();
        engine.step(&batches[1], &objective).expect("finite");
        let twice = engine.model();
        let mut without = GeneralEngine::new(&once, &plain);
        without.step(&batches[1], &objective).expect("finite");
        let without = without.model();
        let all = |model: &Model| [model.routers.clone(), model.neurons.clone()].concat();
        let rows = [&start, &once, &without, &twice].map(all);
        for (place, found) in rows[3].iter().enumerate() {
            let expected = rows[2][place] + SHARE * (rows[1][place] - rows[0][place]);
            assert!((found - expected).abs() < 1e-12, "seed {seed}, place {place}");
        }
        assert!(largest_difference(&rows[3], &rows[2]) > 1e-3, "seed {seed}: momentum moves nothing");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// L8 of every member: beyond a share of 1 − 2M/k some group of an ensemble keeps experts of one sign alone, or none, and
    /// its own output is wrong on every sample of the other class.
    #[test]
    fn l8_every_member_needs_an_expert_of_either_sign(
        (groups, half, kept, by_tokens) in (2usize..=3, 1usize..=3, any::<u32>(), any::<bool>()), seed in any::<u64>(),
    ) {
        let (size, k) = (2 * half, 2 * half * groups);
        let kept: Vec<usize> = (0..k).filter(|expert| kept >> expert & 1 == 1).take(2 * groups - 1).collect();
        let routing = if by_tokens { "token-choice" } else { "expert-choice" };
        let parameters = parameters(&format!(
            "data.patterns=9 data.tokens=5 model.experts={k} model.groups={groups} model.neurons=3 \
             model.tokens_per_expert=3 model.routing={routing} pretrained.relevant_per_class=1 \
             pretrained.neuron_scale=1.5 training.batch=40 training.member_loss=own"
        ));
        let model = Pretrained::constructed(&parameters, seed).model;
        let given = Given { calibration: None, pruning: &parameters.pruning };
        let mut engine = GeneralEngine::new(&Removal::ZeroSlot.remove(&model, &kept, &given).model, &parameters);
        let (mut batch, mut outputs) = (Batch::default(), Vec::new());
        Sampler::of_training(&parameters, seed).fill(&mut batch, 40);
        engine.outputs(&batch, &mut outputs);
        let signs = |group: usize| kept.iter().filter(move |&&expert| expert / size == group).map(|expert| expert % 2);
        let lacks = |group: usize| [0, 1].into_iter().find(|&sign| signs(group).all(|own| own != sign));
        let (group, lacking) = (0..groups).find_map(|group| Some((group, lacks(group)?))).expect("fewer than two each");
        for (own, y) in outputs.chunks_exact(k).zip(&batch.labels) {
            let f: f64 = own[group * size..][..size].iter().sum();
            prop_assert!((*y > 0.0) != (lacking == 0) || y * f <= 0.0);
        }
    }
}

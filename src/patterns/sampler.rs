//! The sampler: fresh batches of (x, y) ~ D from a stream.

use super::appearance::Appearance;
use super::gaussian::Gaussians;
use super::streams::{Purpose, Stream, stream};
use super::training_set::TrainingSet;
use super::words::Words;
use super::{Batch, Class, Pattern};
use crate::sim::parameters::{DataParameters, Labels, Parameters};
use crate::simd::{Kernel, Lanes, Level};
use rand::RngExt;

/// The most tokens of a sample that [`Sampler::draw_fast`] has room for.
const MOST_FAST: usize = 64;

/// A number of 0 … range − 1 from one word, and whether a second word is needed to make it uniform: the multiplication
/// of Lemire (*Fast random integer generation in an interval*, 2019) with the condition of `rand`.
#[inline(always)]
fn bounded(word: u32, range: u32) -> (u32, bool) {
    let product = u64::from(word) * u64::from(range);
    ((product >> 32) as u32, product as u32 > range.wrapping_neg())
}

/// Σ_{g ≤ f} `rare_decay`^(g−1) for the rare features f = 1 … F − 1.
fn cumulated_weights(data: &DataParameters) -> Vec<f64> {
    let (mut weight, mut total) = (1.0, 0.0);
    let mut cumulate = |_| {
        total += weight;
        weight *= data.rare_decay;
        total
    };
    (1..data.features).map(&mut cumulate).collect()
}

/// p·2⁶⁴, below which 64 random bits are a success of probability p; `None` for 1, which takes no bits. As in `rand`.
fn class_limit(p: f64) -> Option<u64> {
    (p < 1.0).then_some((p * 2f64.powi(64)) as u64)
}

/// Draws samples of the distribution D. A sample has one class token at a uniform position, o₁ with probability
/// `class_share` and else o₂, and n−1 irrelevant patterns, uniform with or without replacement. Its label is the class,
/// but with probability `label_noise` one that is drawn anew: the two then differ with probability
/// 2·`label_noise`·`class_share`·(1 − `class_share`).
///
/// With several features the class token is a rare one of its class with probability `rare_share`, rare feature f with
/// weight `rare_decay`^(f−1). With probability `spurious` one of the n−1 other tokens, at a uniform place, is a spurious
/// pattern: the first irrelevant pattern goes with class One and the second with class Two, that of the sample's own class
/// with probability `spurious_agreement`. All other irrelevant tokens are then none of these two.
///
/// With several topics a sample is cut into `segments` runs of equal length. Each has a topic, which is that of the run
/// before with probability `topic_stay` and else drawn anew; its tokens are drawn, with replacement, from the irrelevant
/// patterns of its topic, and the class token from its topic's features, all equally likely.
///
/// A sampler may hold a finite training set; its batches are then that set's, epoch by epoch (`TrainingSet`).
#[derive(Debug)]
pub struct Sampler {
    level: Level,
    data: DataParameters,
    tokens: Words,
    /// For a class token of either pattern: o₁ if the next 64 bits are below this; `None` if the class is always o₁, in
    /// worlds where a sample takes other draws, too, and where it has more than [`MOST_FAST`] tokens.
    class_limit: Option<u64>,
    noise: Gaussians,
    appearance: Appearance,
    /// The irrelevant patterns in the order that the last draw left: a partial Fisher–Yates shuffle is uniform from any
    /// starting order, so it never has to be put back.
    standing: Vec<Pattern>,
    /// Cumulated weights of the rare features.
    rare: Vec<f64>,
    set: Option<TrainingSet>,
}

/// Draws every sample of a batch whose vectors have their lengths.
struct DrawAll<'a> {
    sampler: &'a mut Sampler,
    batch: &'a mut Batch,
}

impl Kernel for DrawAll<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Self { sampler, batch } = self;
        let samples = batch.tokens.chunks_exact_mut(batch.tokens_per_sample);
        for ((tokens, label), position) in samples.zip(&mut batch.labels).zip(&mut batch.class_positions) {
            (*label, *position) = sampler.draw_fast(tokens).unwrap_or_else(|| sampler.draw(tokens));
        }
    }
}

impl Sampler {
    /// A sampler that reads the streams `tokens` and `noise` of the run with seed `run_seed`.
    pub fn new(data: &DataParameters, run_seed: u64, tokens: Purpose, noise: Purpose) -> Self {
        let is_plain = data.features == 1 && data.spurious == 0.0 && data.topics == 1;
        let has_class_labels = data.labels == Labels::Class && data.label_noise == 0.0;
        let is_fast = is_plain && has_class_labels && data.tokens <= MOST_FAST;
        let appearance = Appearance::new(data, run_seed, tokens, noise);
        Self {
            level: Level::best(),
            data: data.clone(),
            tokens: Words::new(stream(run_seed, tokens)),
            class_limit: class_limit(data.class_share).filter(|_| is_fast),
            noise: Gaussians::new(stream(run_seed, noise), data.noise / (data.patterns as f64).sqrt()),
            standing: (data.first_ordinary() as Pattern..appearance.kinds(data.patterns) as Pattern).collect(),
            appearance,
            rare: cumulated_weights(data),
            set: None,
        }
    }

    /// The sampler of the training batches of a run: fresh ones, or those of its finite training set.
    pub fn of_training(parameters: &Parameters, run_seed: u64) -> Self {
        Self::training(&parameters.data, run_seed).within_set(parameters, stream(run_seed, Purpose::TrainingOrder))
    }

    /// The sampler of the batches of fine-tuning after pruning: fresh ones, or those of the run's finite training set.
    pub fn of_finetuning(parameters: &Parameters, run_seed: u64) -> Self {
        if parameters.training.training_set == 0 {
            return Self::finetuning(&parameters.data, run_seed);
        }
        Self::training(&parameters.data, run_seed).within_set(parameters, stream(run_seed, Purpose::FinetuningOrder))
    }

    /// Draws the finite training set, if there is one, and keeps to it from now on.
    fn within_set(mut self, parameters: &Parameters, order: Stream) -> Self {
        let samples = parameters.training.training_set;
        if samples > 0 {
            let mut set = Batch::default();
            self.fill(&mut set, samples);
            self.set = Some(TrainingSet::new(set, order));
        }
        self
    }

    /// The sampler of the training batches of a run.
    pub fn training(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Training, Purpose::TrainingNoise)
    }

    /// The sampler of the batches of fine-tuning after pruning.
    pub fn finetuning(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Finetuning, Purpose::FinetuningNoise)
    }

    /// The sampler of the test samples of a run.
    pub fn evaluation(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Evaluation, Purpose::EvaluationNoise)
    }

    /// The sampler of the samples for the proficiencies of a run.
    pub fn proficiency(data: &DataParameters, run_seed: u64) -> Self {
        Self::new(data, run_seed, Purpose::Proficiency, Purpose::ProficiencyNoise)
    }

    /// Fills `batch` with `samples` samples: fresh ones, or the next ones of the finite training set.
    pub fn fill(&mut self, batch: &mut Batch, samples: usize) {
        if let Some(set) = &mut self.set {
            set.fill(batch, samples);
            return;
        }
        let n = self.data.tokens;
        batch.tokens_per_sample = n;
        batch.tokens.resize(samples * n, 0);
        batch.labels.resize(samples, 0.0);
        batch.class_positions.resize(samples, 0);
        self.level.run(DrawAll { sampler: self, batch });
        self.fill_noise(batch, samples * n * self.data.patterns);
    }

    /// Replaces every sample's class token by feature number `feature` of `class`; labels stay.
    pub(crate) fn set_feature(&mut self, batch: &mut Batch, class: Class, feature: usize) {
        for sample in 0..batch.samples() {
            self.put(batch, sample, class.feature(feature) as Pattern);
        }
    }

    /// Replaces the class token of a sample by one of this pattern; the label stays.
    pub(crate) fn put(&mut self, batch: &mut Batch, sample: usize, pattern: Pattern) {
        self.appearance.put(batch, sample, pattern);
    }

    /// The irrelevant patterns that are drawn uniformly.
    pub(crate) fn ordinary(&self) -> std::ops::Range<Pattern> {
        self.data.first_ordinary() as Pattern..self.appearance.kinds(self.data.patterns) as Pattern
    }

    /// [`Sampler::draw`] from a view of the words: the same sample from the same words, without a call for each. `None`,
    /// with no word taken, in worlds with other draws than class, position and tokens, and in the rare case (once in
    /// 2³²/(d−2) bounded draws) that a bounded draw takes a second word.
    #[inline(always)]
    fn draw_fast(&mut self, tokens: &mut [Pattern]) -> Option<(f64, u32)> {
        let n = tokens.len();
        let limit = self.class_limit?;
        let words = self.tokens.peek(n + 2);
        let class = if u64::from(words[0]) | u64::from(words[1]) << 32 < limit { Class::One } else { Class::Two };
        let q = self.standing.len() as u32;
        let (position, mut takes_more) = bounded(words[2], n as u32);
        let mut drawn = [0; MOST_FAST];
        let draws = drawn[..n - 1].iter_mut().zip(&words[3..]);
        if self.data.replacement {
            for (drawn, &word) in draws {
                let (number, more) = bounded(word, q);
                *drawn = 2 + number;
                takes_more |= more;
            }
        } else {
            for (first, (drawn, &word)) in draws.enumerate() {
                let (number, more) = bounded(word, q - first as u32);
                *drawn = first as u32 + number;
                takes_more |= more;
            }
        }
        if takes_more {
            return None;
        }
        self.tokens.take(n + 2);
        if !self.data.replacement {
            for (first, drawn) in drawn[..n - 1].iter_mut().enumerate() {
                self.standing.swap(first, *drawn as usize);
                *drawn = self.standing[first];
            }
        }
        for (place, &drawn) in drawn[..n - 1].iter().enumerate() {
            tokens[place + usize::from(place >= position as usize)] = drawn;
        }
        tokens[position as usize] = class.pattern() as Pattern;
        Some((class.label(), position))
    }

    /// One sample: writes its pattern numbers, returns its label and the position of the class token. A call of its own, so
    /// that the loop over fast draws stays small.
    #[inline(never)]
    fn draw(&mut self, tokens: &mut [Pattern]) -> (f64, u32) {
        let class = if self.tokens.random_bool(self.data.class_share) { Class::One } else { Class::Two };
        // Without label noise there is no draw for it: the stream is the one of a world that has none.
        let is_noisy = self.data.label_noise > 0.0;
        let label = match self.data.labels {
            Labels::Class if is_noisy && self.tokens.random_bool(self.data.label_noise) => self.draw_label(),
            Labels::Class => class.label(),
            // A label that is independent of the tokens stays so if it is drawn anew.
            Labels::Independent => self.draw_label(),
        };
        if self.data.topics > 1 {
            return (label, self.draw_topical(class, tokens));
        }
        let class_token = class.feature(self.draw_feature());
        let position = self.tokens.random_range(0..tokens.len() as u32);
        let (before, rest) = tokens.split_at_mut(position as usize);
        let irrelevant = before.iter_mut().chain(rest.iter_mut().skip(1));
        let q = self.standing.len() as u32;
        if self.data.replacement {
            for token in irrelevant {
                *token = self.data.first_ordinary() as Pattern + self.tokens.random_range(0..q);
            }
        } else {
            for (first, token) in irrelevant.enumerate() {
                let other = self.tokens.random_range(first as u32..q);
                self.standing.swap(first, other as usize);
                *token = self.standing[first];
            }
        }
        rest[0] = class_token as Pattern;
        self.draw_spurious(class, position, tokens);
        (label, position)
    }

    /// A sample whose segments have topics; the position of the class token.
    fn draw_topical(&mut self, class: Class, tokens: &mut [Pattern]) -> u32 {
        let DataParameters { topics, segments, features, topic_stay, patterns, .. } = self.data;
        let first = self.data.first_irrelevant();
        let position = self.tokens.random_range(0..tokens.len() as u32);
        let mut topic = 0;
        let length = tokens.len() / segments;
        for (segment, tokens) in tokens.chunks_exact_mut(length).enumerate() {
            // A topic that stays for sure is no draw.
            if segment == 0 || topic_stay < 1.0 && !self.tokens.random_bool(topic_stay) {
                topic = self.tokens.random_range(0..topics as u32) as usize;
            }
            // Topic t has the patterns first + t, first + t + topics, … and likewise the features.
            let own = (patterns - first - topic).div_ceil(topics) as u32;
            for (place, token) in tokens.iter_mut().enumerate() {
                *token = if segment * length + place == position as usize {
                    let number = self.tokens.random_range(0..(features / topics) as u32) as usize;
                    class.feature(topic + number * topics) as Pattern
                } else {
                    (first + topic) as Pattern + self.tokens.random_range(0..own) * topics as Pattern
                };
            }
        }
        position
    }

    /// The number of the feature that the class token is. With one feature nothing is drawn.
    fn draw_feature(&mut self) -> usize {
        if self.data.features == 1 || !self.tokens.random_bool(self.data.rare_share) {
            return 0;
        }
        let total = self.rare.last().copied().unwrap_or_default();
        let place = total * self.tokens.random::<f64>();
        1 + self.rare.iter().position(|&cumulated| place < cumulated).unwrap_or(0)
    }

    /// Puts a spurious pattern in the place of one irrelevant token, if the sample has one.
    fn draw_spurious(&mut self, class: Class, position: u32, tokens: &mut [Pattern]) {
        if self.data.spurious == 0.0 || !self.tokens.random_bool(self.data.spurious) {
            return;
        }
        let agrees = self.tokens.random_bool(self.data.spurious_agreement);
        let of = if agrees { class } else { class.other() };
        let place = self.tokens.random_range(0..tokens.len() - 1);
        let place = place + usize::from(place >= position as usize);
        tokens[place] = (self.data.first_irrelevant() + of.pattern()) as Pattern;
    }

    /// +1 with probability `class_share`, else −1, whatever the tokens are.
    fn draw_label(&mut self) -> f64 {
        if self.tokens.random_bool(self.data.class_share) { 1.0 } else { -1.0 }
    }

    /// ξ·N(0, I_d/d) for every token, and what it looks like. In pattern coordinates: the Gaussian is rotation-invariant, so a run on another
    /// basis sees the same noise turned with the patterns.
    fn fill_noise(&mut self, batch: &mut Batch, numbers: usize) {
        if self.data.tokens_are_patterns() {
            batch.noise.clear();
            return;
        }
        batch.noise.resize(numbers, 0.0);
        if self.data.noise > 0.0 {
            self.noise.fill(&mut batch.noise);
        } else {
            batch.noise.fill(0.0);
        }
        self.appearance.dress(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Overrides, Simulation, shipped};
    use proptest::prelude::*;
    use rand::TryRng;
    use std::convert::Infallible;

    /// The data of the simulation `default`, changed.
    fn data(patterns: usize, tokens: usize, replacement: bool, class_share: f64) -> DataParameters {
        let shipped = shipped("default").expect("default is shipped");
        let simulation =
            Simulation::parse(shipped.file, shipped.text, &Overrides::default()).expect("default is legal");
        let data = simulation.points().expect("default is legal").remove(0).parameters.data;
        DataParameters { patterns, tokens, replacement, class_share, ..data }
    }

    proptest! {
        #[test]
        fn fast_draws_are_the_draws_one_by_one(
            (tokens, patterns) in (2usize..70).prop_flat_map(|n| (Just(n), n + 2..300)),
            replacement in any::<bool>(),
            share in prop_oneof![Just(0.0), Just(1.0), Just(0.5), 0.0f64..1.0],
            seed in any::<u64>(),
        ) {
            let data = data(patterns, tokens, replacement, share);
            let (mut fast, mut slow) = (Sampler::training(&data, seed), Sampler::training(&data, seed));
            let mut batch = Batch::default();
            let mut expected = vec![0; tokens];
            for samples in [3, 50] {
                fast.fill(&mut batch, samples);
                for sample in 0..samples {
                    let (label, position) = slow.draw(&mut expected);
                    prop_assert_eq!(batch.sample(sample), &expected);
                    prop_assert_eq!(batch.labels[sample], label);
                    prop_assert_eq!(batch.class_positions[sample], position);
                }
            }
        }
    }

    /// A generator of given words that counts how many are taken.
    struct Given<'a>(std::slice::Iter<'a, u32>, usize);

    impl TryRng for Given<'_> {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            self.1 += 1;
            Ok(self.0.next().copied().unwrap_or(0))
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from(self.try_next_u32()?) | u64::from(self.try_next_u32()?) << 32)
        }
        fn try_fill_bytes(&mut self, _bytes: &mut [u8]) -> Result<(), Infallible> {
            unreachable!("no bounded draw asks for bytes")
        }
    }

    proptest! {
        #[test]
        fn a_bounded_draw_asks_for_a_second_word_when_rand_does(
            // A low product near 2³²: the words next to multiples of 2³²/range.
            range in 1u32..5000,
            multiple in any::<prop::sample::Index>(),
            off in -2i64..3,
        ) {
            let near = (1u64 << 32) * multiple.index(range as usize) as u64 / u64::from(range);
            let word = (near as i64 + off).rem_euclid(1 << 32) as u32;
            let words = [word, 0];
            let mut generator = Given(words.iter(), 0);
            let expected: u32 = generator.random_range(0..range);
            let (number, more) = bounded(word, range);
            prop_assert_eq!(more, generator.1 == 2);
            prop_assert!(more || number == expected);
        }
    }
}

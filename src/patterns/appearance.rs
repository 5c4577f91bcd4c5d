//! What tokens look like: the unit vectors of their patterns, the vectors of a dictionary, or patches of pictures.
//!
//! A batch says of every token its pattern and what it is beyond that pattern's unit vector ([`Batch::noise`]). Here the
//! second is filled in, so that engines and measurements need to know of no other kind of token.

use super::dictionary::Dictionary;
use super::pictures::{Cut, Part, cut};
use super::streams::{Purpose, Stream, stream};
use super::{Batch, Pattern};
use crate::sim::parameters::DataParameters;
use rand::RngExt;
use rand::seq::SliceRandom;
use std::sync::Arc;

/// What the tokens of a sampler look like.
#[derive(Debug)]
pub(super) enum Appearance {
    /// Unit vectors.
    Orthonormal,
    /// Vectors of a dictionary.
    Dictionary(Dictionary),
    /// Patches.
    Pictures(Box<Patches>),
}

/// Patches of pictures. A sample holds all patches of one picture of its class, and for the rest patches of pictures of
/// other classes. Which class of the pictures is which pattern is drawn once a run.
#[derive(Debug)]
pub(super) struct Patches {
    cut: Arc<Cut>,
    part: Part,
    /// The pictures' class of each pattern.
    classes: Vec<usize>,
    /// The unit vector of pattern v is that of coordinate v + this: upstream tasks leave out the downstream classes.
    offset: usize,
    /// √(1 − τ²) and τ.
    weights: [f64; 2],
    generator: Stream,
    patch: Vec<f64>,
}

impl Appearance {
    /// Of the sampler that reads the streams `tokens` and `noise` of a run. Test samples are of held-out pictures, all others
    /// of the rest; upstream tasks are of all classes but the two downstream ones.
    pub(super) fn new(data: &DataParameters, run_seed: u64, tokens: Purpose, noise: Purpose) -> Self {
        // The checks of a simulation have read the pictures and made the dictionary once.
        if let Some(Ok(cut)) = cut(&data.images, data.patterns) {
            let mut classes: Vec<usize> = (0..cut.classes()).collect();
            classes.shuffle(&mut stream(run_seed, Purpose::Pictures));
            let offset = if tokens == Purpose::Upstream { 2 } else { 0 };
            let part = if tokens == Purpose::Evaluation { Part::HeldOut } else { Part::Training };
            let generator = stream(run_seed, noise);
            let weights = [(1.0 - data.rawness * data.rawness).sqrt(), data.rawness];
            let classes = classes.split_off(offset);
            let patches = Patches { cut, part, classes, offset, weights, generator, patch: Vec::new() };
            return Self::Pictures(Box::new(patches));
        }
        Dictionary::new(data, run_seed).map_or(Self::Orthonormal, Self::Dictionary)
    }

    /// How many patterns there are tokens of, of d.
    pub(super) fn kinds(&self, patterns: usize) -> usize {
        if let Self::Pictures(pictures) = self { pictures.classes.len() } else { patterns }
    }

    /// Adds to every token what it is beyond the unit vector of its pattern.
    pub(super) fn dress(&mut self, batch: &mut Batch) {
        match self {
            Self::Orthonormal => {}
            Self::Dictionary(dictionary) => {
                let d = batch.noise.len() / batch.tokens.len().max(1);
                for (noise, &pattern) in batch.noise.chunks_exact_mut(d).zip(&batch.tokens) {
                    noise.iter_mut().zip(dictionary.deviation(pattern as usize)).for_each(|(noise, own)| *noise += own);
                }
            }
            Self::Pictures(pictures) => {
                for sample in 0..batch.samples() {
                    let pattern = batch.sample(sample)[batch.class_positions[sample] as usize];
                    pictures.show(batch, sample, pattern);
                    pictures.show_others(batch, sample);
                }
            }
        }
    }

    /// Makes the class token of a sample one of this pattern.
    pub(super) fn put(&mut self, batch: &mut Batch, sample: usize, pattern: Pattern) {
        let place = sample * batch.tokens_per_sample + batch.class_positions[sample] as usize;
        let before = std::mem::replace(&mut batch.tokens[place], pattern);
        match self {
            Self::Orthonormal => {}
            Self::Dictionary(dictionary) => {
                let d = batch.noise.len() / batch.tokens.len();
                let change = dictionary.deviation(pattern as usize).zip(dictionary.deviation(before as usize));
                let noise = &mut batch.noise[place * d..][..d];
                noise.iter_mut().zip(change).for_each(|(noise, (new, old))| *noise += new - old);
            }
            Self::Pictures(pictures) => pictures.show(batch, sample, pattern),
        }
    }
}

impl Patches {
    /// Puts all patches of a picture of this pattern's class where the class token is and in the places after it.
    fn show(&mut self, batch: &mut Batch, sample: usize, pattern: Pattern) {
        let (n, places) = (batch.tokens_per_sample, self.cut.places());
        let picture = self.draw(pattern);
        let first = self.generator.random_range(0..places);
        for place in 0..places {
            let position = (batch.class_positions[sample] as usize + place) % n;
            batch.tokens[sample * n + position] = pattern;
            self.write(batch, sample * n + position, picture, (first + place) % places);
        }
    }

    /// Gives every other token a patch of a picture of its own.
    fn show_others(&mut self, batch: &mut Batch, sample: usize) {
        let (n, places) = (batch.tokens_per_sample, self.cut.places());
        for place in places..n {
            let token = sample * n + (batch.class_positions[sample] as usize + place) % n;
            let picture = self.draw(batch.tokens[token]);
            let patch = self.generator.random_range(0..places);
            self.write(batch, token, picture, patch);
        }
    }

    /// A picture of the pattern's class.
    fn draw(&mut self, pattern: Pattern) -> usize {
        let pictures = self.cut.pictures(self.part, self.classes[pattern as usize]);
        pictures[self.generator.random_range(0..pictures.len())]
    }

    /// Makes a token √(1 − τ²) times its class's unit vector plus τ times the patch.
    fn write(&mut self, batch: &mut Batch, token: usize, picture: usize, place: usize) {
        self.cut.patch(picture, place, &mut self.patch);
        let [of_unit, of_patch] = self.weights;
        let pattern = batch.tokens[token] as usize;
        let noise = &mut batch.noise[token * self.patch.len()..][..self.patch.len()];
        noise.iter_mut().zip(&self.patch).for_each(|(noise, patch)| *noise = of_patch * patch);
        noise[pattern + self.offset] += of_unit;
        noise[pattern] -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::{Class, Sampler};
    use crate::sim::parameters::{Images, Shipped};

    const SEED: u64 = 9;

    /// Digits in quarters: a sample of six tokens holds four of one picture.
    fn quarters(rawness: f64) -> DataParameters {
        let images = Images::Shipped(Shipped::Digits);
        DataParameters { images, patterns: 16, tokens: 6, replacement: true, rawness, ..DataParameters::default() }
    }

    /// The vectors of a sample's tokens.
    fn vectors(batch: &Batch, sample: usize) -> Vec<Vec<f64>> {
        let n = batch.tokens_per_sample;
        let d = batch.noise.len() / batch.tokens.len();
        let vector = |position: usize| {
            let mut vector = batch.noise[(sample * n + position) * d..][..d].to_vec();
            vector[batch.sample(sample)[position] as usize] += 1.0;
            vector
        };
        (0..n).map(vector).collect()
    }

    /// All patches of a part's pictures of a class.
    fn patches(part: Part, class: usize) -> Vec<Vec<f64>> {
        let cut = cut(&Images::Shipped(Shipped::Digits), 16).expect("pictures").expect("cut");
        let patch = |(picture, place): (usize, usize)| {
            let mut patch = Vec::new();
            cut.patch(picture, place, &mut patch);
            patch
        };
        cut.pictures(part, class)
            .iter()
            .flat_map(|&picture| (0..4).map(move |place| (picture, place)))
            .map(patch)
            .collect()
    }

    fn is_one_of(vector: &[f64], patches: &[Vec<f64>]) -> bool {
        patches.iter().any(|patch| patch.iter().zip(vector).all(|(a, b)| (a - b).abs() < 1e-12))
    }

    fn classes() -> Vec<usize> {
        let Appearance::Pictures(patches) =
            Appearance::new(&quarters(1.0), SEED, Purpose::Training, Purpose::TrainingNoise)
        else {
            panic!("there are pictures")
        };
        patches.classes
    }

    /// Checks that every token is a patch of its pattern's class and of the part.
    fn check(batch: &Batch, part: Part, class_of: &dyn Fn(usize) -> usize) {
        for sample in 0..batch.samples() {
            let own = batch.sample(sample)[batch.class_positions[sample] as usize];
            let class_tokens = batch.sample(sample).iter().filter(|&&pattern| pattern == own).count();
            assert_eq!(class_tokens, 4, "all patches of a picture");
            for (vector, &pattern) in vectors(batch, sample).iter().zip(batch.sample(sample)) {
                assert!(is_one_of(vector, &patches(part, class_of(pattern as usize))), "{pattern}");
            }
        }
    }

    #[test]
    fn a_sample_holds_one_picture_of_its_class_and_patches_of_others_of_its_own_part() {
        let (data, classes) = (quarters(1.0), classes());
        let mut batch = Batch::default();
        Sampler::training(&data, SEED).fill(&mut batch, 12);
        check(&batch, Part::Training, &|pattern| classes[pattern]);
        Sampler::evaluation(&data, SEED).fill(&mut batch, 12);
        check(&batch, Part::HeldOut, &|pattern| classes[pattern]);
        // Upstream no sample shows a picture of the two classes that come later.
        let data = DataParameters { features: 3, rare_share: 0.5, ..data };
        Sampler::new(&data, SEED, Purpose::Upstream, Purpose::UpstreamNoise).fill(&mut batch, 12);
        check(&batch, Part::Training, &|pattern| classes[pattern + 2]);
    }

    #[test]
    fn a_class_token_that_is_replaced_is_a_picture_of_the_other_class() {
        let (data, classes) = (quarters(1.0), classes());
        let mut batch = Batch::default();
        let mut sampler = Sampler::proficiency(&data, SEED);
        sampler.fill(&mut batch, 12);
        for class in Class::BOTH {
            sampler.set_feature(&mut batch, class, 0);
            check(&batch, Part::Training, &|pattern| classes[pattern]);
            assert!((0..12).all(|sample| batch.sample(sample).contains(&(class.pattern() as Pattern))));
        }
    }

    #[test]
    fn at_rawness_0_tokens_are_the_unit_vectors_of_their_classes() {
        let mut batch = Batch::default();
        for (tokens, noise) in
            [(Purpose::Training, Purpose::TrainingNoise), (Purpose::Upstream, Purpose::UpstreamNoise)]
        {
            Sampler::new(&quarters(0.0), SEED, tokens, noise).fill(&mut batch, 5);
            let offset = if tokens == Purpose::Upstream { 2 } else { 0 };
            for sample in 0..5 {
                for (vector, &pattern) in vectors(&batch, sample).iter().zip(batch.sample(sample)) {
                    let unit = |(place, value): (usize, &f64)| {
                        let expected = if place == pattern as usize + offset { 1.0 } else { 0.0 };
                        (value - expected).abs() < 1e-15
                    };
                    assert!(vector.iter().enumerate().all(unit), "{vector:?}");
                }
            }
        }
    }

    #[test]
    fn a_token_of_a_dictionary_that_is_replaced_looks_like_its_new_pattern() {
        let data = DataParameters { patterns: 12, tokens: 5, coherence: 0.3, noise: 0.2, ..DataParameters::default() };
        let dictionary = Dictionary::new(&data, SEED).expect("a dictionary");
        let mut batch = Batch::default();
        let mut sampler = Sampler::proficiency(&data, SEED);
        sampler.fill(&mut batch, 4);
        let noise = |batch: &Batch, sample: usize| -> Vec<f64> {
            let position = batch.class_positions[sample] as usize;
            let pattern = batch.sample(sample)[position] as usize;
            let of_token = &batch.noise[(sample * 5 + position) * 12..][..12];
            of_token.iter().zip(dictionary.deviation(pattern)).map(|(noise, own)| noise - own).collect()
        };
        for sample in 0..4 {
            let before = noise(&batch, sample);
            sampler.put(&mut batch, sample, 7);
            assert!(before.iter().zip(noise(&batch, sample)).all(|(a, b)| (a - b).abs() < 1e-12 && *a != 0.0));
        }
    }
}

//! Features, spurious patterns and finite training sets.

use crate::setting::{assert_share, batch, parameters};
use moe_theory::patterns::{Batch, Class, Sampler};

#[test]
fn features_have_their_frequencies_in_both_classes() {
    let parameters = parameters("data.features=4 data.rare_share=0.3 data.rare_decay=0.5 data.class_share=0.7");
    let batch = batch(&parameters, 5, 20_000);
    // Weights 1, 1/2, 1/4 of the rare ones.
    let expected = [0.7, 0.3 * 4.0 / 7.0, 0.3 * 2.0 / 7.0, 0.3 / 7.0];
    let samples = 0..batch.samples();
    for (class, share) in [(Class::One, 0.7), (Class::Two, 0.3)] {
        for (feature, expected) in expected.iter().enumerate() {
            let is_it = |sample: usize| {
                let token = batch.sample(sample)[batch.class_positions[sample] as usize] as usize;
                token == class.feature(feature) && batch.labels[sample] == class.label()
            };
            assert_share(samples.clone().filter(|&sample| is_it(sample)).count(), 20_000, share * expected);
        }
    }
    for sample in samples {
        let features = batch.sample(sample).iter().filter(|&&token| token < 8).count();
        assert_eq!(features, 1, "one class token");
    }
}

#[test]
fn spurious_patterns_agree_with_the_class_as_often_as_the_key_says_and_stand_nowhere_else() {
    for replacement in [false, true] {
        let settings = format!(
            "data.patterns=40 data.tokens=8 data.features=2 data.rare_share=0.5 data.spurious=0.6 \
             data.spurious_agreement=0.8 data.replacement={replacement}"
        );
        let batch = batch(&parameters(&settings), 2, 20_000);
        let (mut carrying, mut agreeing, mut first) = (0, 0, 0);
        for sample in 0..batch.samples() {
            let tokens = batch.sample(sample);
            let spurious: Vec<usize> = (0..8).filter(|&place| [4, 5].contains(&tokens[place])).collect();
            assert!(spurious.len() <= 1);
            let Some(&place) = spurious.first() else { continue };
            carrying += 1;
            agreeing += usize::from(tokens[place] == if batch.labels[sample] > 0.0 { 4 } else { 5 });
            first += usize::from(place == 0);
        }
        assert_share(carrying, 20_000, 0.6);
        assert_share(agreeing, carrying, 0.8);
        assert_share(first, carrying, 1.0 / 8.0);
    }
}

#[test]
fn a_finite_training_set_is_all_that_training_sees_and_evaluation_is_fresh() {
    let parameters = parameters("training.training_set=50 training.batch=20 data.noise=0.1");
    let mut sampler = Sampler::of_training(&parameters, 3);
    let mut finetuning = Sampler::of_finetuning(&parameters, 3);
    let (mut seen, mut batch) = (std::collections::BTreeMap::new(), Batch::default());
    for _ in 0..10 {
        for sampler in [&mut sampler, &mut finetuning] {
            sampler.fill(&mut batch, 20);
            for sample in 0..20 {
                let noise = batch.noise[sample * 16 * 128].to_bits();
                *seen.entry((batch.sample(sample).to_vec(), noise)).or_insert(0) += 1;
            }
        }
    }
    // 200 of each are 4 epochs of 50.
    assert_eq!(seen.len(), 50);
    assert!(seen.values().all(|&count| count == 8), "{seen:?}");
    let mut fresh = Batch::default();
    Sampler::evaluation(&parameters.data, 3).fill(&mut fresh, 50);
    assert!((0..50).all(|sample| seen.keys().all(|(tokens, _)| tokens != fresh.sample(sample))));
}

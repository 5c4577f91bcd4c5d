//! The law of the inputs: what the stochastic lemmas need of it, all inputs of a tiny configuration, and samples.

use moe_theory::measure::lambda::LambdaTable;
use moe_theory::moe::Model;
use moe_theory::patterns::{Batch, Class, Pattern, Sampler};
use moe_theory::sgd::Competitors;
use moe_theory::sim::parameters::DataParameters;

/// Most inputs that [`Inputs::all`] lists.
pub const ENUMERATION_LIMIT: usize = 2000;

/// What S1 and S3 need of the distribution: how often a pattern occurs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occurrence {
    /// π = P[q ∈ x], the same for every irrelevant pattern q.
    pub irrelevant: f64,
    /// p_v = P[o_v ∈ x], for both classes.
    pub class: [f64; 2],
}

impl Occurrence {
    /// Of the distribution `data`: π = (n−1)/(d−2) without replacement, 1 − (1 − 1/(d−2))^{n−1} with.
    pub fn of(data: &DataParameters) -> Self {
        let patterns = (data.patterns - 2) as f64;
        let others = (data.tokens - 1) as f64;
        let irrelevant = if data.replacement { 1.0 - (1.0 - 1.0 / patterns).powf(others) } else { others / patterns };
        Self { irrelevant, class: [data.class_share, 1.0 - data.class_share] }
    }
}

/// λ₁ and λ₂ of every expert of a model, exactly, as the measurement tells them.
pub fn lambdas(data: &DataParameters, model: &Model) -> Vec<[f64; 2]> {
    let mut table = LambdaTable::new(data, model.tokens_per_expert);
    (0..model.experts())
        .map(|expert| {
            let (classes, irrelevant) = model.router(expert).split_at(2);
            Class::BOTH.map(|class| {
                let own = classes[class.pattern()];
                table.lambda(Competitors {
                    above: irrelevant.iter().filter(|&&score| score > own).count(),
                    tied: irrelevant.iter().filter(|&&score| score == own).count(),
                })
            })
        })
        .collect()
}

/// Inputs with their probabilities: all of them, or a sample.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The inputs.
    pub batch: Batch,
    /// The probability of each; 1/N in a sample.
    pub weights: Vec<f64>,
    /// Whether these are all inputs, so that weighted sums are expectations.
    pub exact: bool,
}

impl Inputs {
    /// All inputs of the noise-free distribution, in every order of tokens; `None` if there are more than
    /// [`ENUMERATION_LIMIT`].
    pub fn all(data: &DataParameters) -> Option<Self> {
        let sequences = sequences(data)?;
        let mut inputs = Self { batch: empty(data.tokens), weights: Vec::new(), exact: true };
        let share = 1.0 / (sequences.len() * data.tokens) as f64;
        for class in Class::BOTH {
            let probability = Occurrence::of(data).class[class.pattern()] * share;
            for sequence in &sequences {
                for position in 0..data.tokens {
                    push(&mut inputs.batch, sequence, class, position);
                    inputs.weights.push(probability);
                }
            }
        }
        Some(inputs)
    }

    /// `samples` samples of the stream of `seed`.
    pub fn sample(data: &DataParameters, seed: u64, samples: usize) -> Self {
        let mut batch = Batch::default();
        Sampler::evaluation(data, seed).fill(&mut batch, samples);
        Self { batch, weights: vec![1.0 / samples as f64; samples], exact: false }
    }

    /// The irrelevant tokens of one sample, in their order: z.
    pub fn irrelevant(&self, sample: usize) -> Vec<Pattern> {
        let position = self.batch.class_positions[sample] as usize;
        let tokens = self.batch.sample(sample).iter().enumerate();
        tokens.filter(|(at, _)| *at != position).map(|(_, &token)| token).collect()
    }
}

/// The n samples that have the irrelevant tokens `sequence` and the pattern of `class` at one position each.
pub fn completions(sequence: &[Pattern], class: Class) -> Batch {
    let mut batch = empty(sequence.len() + 1);
    for position in 0..=sequence.len() {
        push(&mut batch, sequence, class, position);
    }
    batch
}

fn empty(tokens: usize) -> Batch {
    Batch { tokens_per_sample: tokens, ..Batch::default() }
}

fn push(batch: &mut Batch, sequence: &[Pattern], class: Class, position: usize) {
    batch.tokens.extend_from_slice(&sequence[..position]);
    batch.tokens.push(class.pattern() as Pattern);
    batch.tokens.extend_from_slice(&sequence[position..]);
    batch.labels.push(class.label());
    batch.class_positions.push(position as u32);
}

/// All sequences of n−1 irrelevant patterns, unless they make too many inputs.
fn sequences(data: &DataParameters) -> Option<Vec<Vec<Pattern>>> {
    let mut sequences: Vec<Vec<Pattern>> = vec![Vec::new()];
    for _ in 1..data.tokens {
        let longer = |sequence: &Vec<Pattern>| {
            let sequence = sequence.clone();
            (2..data.patterns as Pattern)
                .filter(|token| data.replacement || !sequence.contains(token))
                .map(|token| [sequence.as_slice(), &[token]].concat())
                .collect::<Vec<_>>()
        };
        sequences = sequences.iter().flat_map(longer).collect();
        if sequences.len() * 2 * data.tokens > ENUMERATION_LIMIT {
            return None;
        }
    }
    Some(sequences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Configuration;

    fn data(replacement: bool) -> DataParameters {
        let set = ["data.patterns=6", "data.tokens=4", "model.tokens_per_expert=2", "data.class_share=0.3"];
        let mut set = set.map(String::from).to_vec();
        set.push(format!("data.replacement={replacement}"));
        Configuration::from_settings(&set, 3).expect("legal settings").parameters.data
    }

    #[test]
    fn the_enumeration_is_the_distribution() {
        for (replacement, count) in [(false, 2 * 4 * 24), (true, 2 * 4 * 64)] {
            let data = data(replacement);
            let inputs = Inputs::all(&data).expect("few inputs");
            assert_eq!(inputs.weights.len(), count);
            let share = |holds: &dyn Fn(usize) -> bool| -> f64 {
                (0..count).filter(|&sample| holds(sample)).map(|sample| inputs.weights[sample]).sum()
            };
            let occurrence = Occurrence::of(&data);
            assert!((share(&|_| true) - 1.0).abs() < 1e-12);
            assert!((share(&|sample| inputs.batch.sample(sample).contains(&3)) - occurrence.irrelevant).abs() < 1e-12);
            assert!((share(&|sample| inputs.batch.sample(sample).contains(&0)) - occurrence.class[0]).abs() < 1e-12);
            assert!(occurrence.irrelevant <= 0.75 + 1e-12, "at most (n-1)/(d-2)");
        }
    }
}

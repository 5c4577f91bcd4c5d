//! One random generator per run and purpose.
//!
//! The generator is ChaCha with 8 rounds (a named, portable generator with 2⁶⁴ streams). A run has one 64-bit seed;
//! each purpose reads a stream of its own, so that taking more samples for one measurement moves no other number.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;

/// The generator of one purpose of one run.
pub type Stream = ChaCha8Rng;

/// What random numbers are drawn for. The numbers are part of the format: a change is a change of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The basis of patterns.
    Basis = 1,
    /// The pre-trained model.
    Pretrained = 2,
    /// Tokens and labels of the training batches.
    Training = 3,
    /// Token noise of the training batches.
    TrainingNoise = 4,
    /// Samples for the proficiencies.
    Proficiency = 5,
    /// Token noise of those.
    ProficiencyNoise = 6,
    /// Samples for the accuracies.
    Evaluation = 7,
    /// Token noise of those.
    EvaluationNoise = 8,
    /// Tokens and labels of the fine-tuning after pruning.
    Finetuning = 9,
    /// Token noise of those.
    FinetuningNoise = 10,
    /// The random criterion, which also decides between experts of equal score.
    Criterion = 11,
    /// The order of a finite training set, epoch by epoch.
    TrainingOrder = 12,
    /// The same in the fine-tuning after pruning.
    FinetuningOrder = 13,
    /// Tokens and labels of upstream pre-training.
    Upstream = 14,
    /// Token noise of those.
    UpstreamNoise = 15,
    /// Samples from which criteria are computed.
    Calibration = 16,
    /// Token noise of those.
    CalibrationNoise = 17,
    /// Which of them have no class pattern, and what stands in its place.
    CalibrationShift = 18,
    /// The signs of a dictionary's inner products.
    Dictionary = 40,
    /// Which class of pictures is which pattern.
    Pictures = 41,
    /// Neurons of the experts in a grid of product keys.
    GridNeurons = 32,
    /// Both maps of an attentive gate.
    AttentiveMaps = 33,
    /// The ordinary gate that is trained after it.
    OrdinaryGate = 34,
    /// The dense teacher of MoEBERT.
    Teacher = 35,
    /// The table of hash routing.
    HashTable = 36,
    /// The order in which neurons are dealt by chance.
    Deal = 37,
    /// The seed of the second layer of a stack.
    SecondLayer = 38,
}

/// The generator of `purpose` for the run with seed `run_seed`.
pub fn stream(run_seed: u64, purpose: Purpose) -> Stream {
    let mut generator = ChaCha8Rng::seed_from_u64(run_seed);
    generator.set_stream(purpose as u64);
    generator
}

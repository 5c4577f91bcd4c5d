//! Where fine-tuning of the paper's model starts. Each start is a file here, with a function `pretrained`, and a row of the
//! catalogue of starts.

use crate::catalogue::files;
use crate::catalogue::starts::starts;
use crate::moe::Pretrained;
use crate::sgd::EngineChoice;
use crate::sim::parameters::Parameters;

starts!(files[pub PRETRAINED: fn(&Parameters, u64, EngineChoice) -> Result<Pretrained, UpstreamDiverged> = pretrained]);

/// Upstream pre-training that ended in numbers that are not finite: there is nothing to fine-tune.
#[derive(Clone, Debug, thiserror::Error)]
#[error("upstream pre-training diverged at iteration {iteration}")]
pub struct UpstreamDiverged {
    /// Iterations made.
    pub iteration: usize,
    /// The model before upstream pre-training.
    pub untrained: Box<Pretrained>,
}

/// The model that fine-tuning of a run starts from.
///
/// # Errors
/// Upstream pre-training that diverged.
pub fn pretrained(
    parameters: &Parameters,
    run_seed: u64,
    choice: EngineChoice,
) -> Result<Pretrained, UpstreamDiverged> {
    PRETRAINED[parameters.pretrained.kind as usize](parameters, run_seed, choice)
}

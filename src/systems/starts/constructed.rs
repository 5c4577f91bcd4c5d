//! A model whose roles are built in ([`Pretrained::constructed`]).

use super::UpstreamDiverged;
use crate::moe::Pretrained;
use crate::sgd::EngineChoice;
use crate::sim::parameters::Parameters;

pub(super) fn pretrained(
    parameters: &Parameters,
    run_seed: u64,
    _choice: EngineChoice,
) -> Result<Pretrained, UpstreamDiverged> {
    Ok(Pretrained::constructed(parameters, run_seed))
}

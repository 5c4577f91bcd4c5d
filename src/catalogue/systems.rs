//! What kind of mixture of experts is trained: each system is one row, and a file of [`crate::systems`].

/// Hands the table to a macro.
macro_rules! systems {
    ($make:ident $head:tt) => {
        $make! {
            $head
            /// The paper's simplified mixture of experts, with either routing.
            SimplifiedMoe = "simplified-moe" in simplified, SystemTraits { keys: &[], loses: &[] };
            /// MoV: experts are vectors that scale the hidden neurons of a frozen base.
            Mov = "mov" in mov, SystemTraits {
                keys: &[
                    "model.system",
                    "model.experts",
                    "model.neurons",
                    "model.experts_per_token",
                    "model.gates",
                    "pretrained.router_noise",
                    "pretrained.neuron_scale",
                    "pretrained.scaling_noise",
                    "training.router_rate",
                    "training.expert_rate",
                    "training.batch",
                    "training.iterations",
                    "training.zero_loss_window",
                    "training.training_set",
                ],
                loses: Property::ALL,
            };
        }
    };
}
pub(crate) use systems;

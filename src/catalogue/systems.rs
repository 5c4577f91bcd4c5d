//! What kind of mixture of experts is trained: each system is one row, and a file of [`crate::systems`].

/// Hands the table to a macro.
macro_rules! systems {
    ($make:ident $head:tt) => {
        $make! {
            $head
            /// The paper's simplified mixture of experts, with either routing.
            SimplifiedMoe = "simplified-moe" in simplified, SystemTraits { keys: &[], loses: &[], check: checks::nothing };
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
                loses: foreign_and!(Roles, MeasuredRoles, PatternCoordinates),
                check: checks::nothing,
            };
            /// PEER: experts behind product keys, in a grid.
            Peer = "peer" in peer, SystemTraits {
                keys: &[
                    "model.system",
                    "model.experts",
                    "model.neurons",
                    "model.experts_per_token",
                    "model.grid_columns",
                    "pretrained.relevant_per_class",
                    "pretrained.specialisation",
                    "pretrained.special_patterns",
                    "pretrained.router_scale",
                    "pretrained.router_scale_relevant",
                    "pretrained.router_noise",
                    "pretrained.neuron_scale",
                    "pretrained.placement",
                    "training.router_rate",
                    "training.expert_rate",
                    "training.batch",
                    "training.iterations",
                    "training.zero_loss_window",
                    "training.training_set",
                ],
                loses: foreign_and!(PatternCoordinates),
                check: checks::grid,
            };
            /// SMEAR and Lory: the experts of each sign are merged, softly, before they speak.
            Smear = "smear" in smear, SystemTraits {
                keys: &[
                    "model.system",
                    "model.experts",
                    "model.neurons",
                    "model.merging",
                    "model.temperature",
                    "pretrained.relevant_per_class",
                    "pretrained.rare_per_class",
                    "pretrained.copies",
                    "pretrained.specialisation",
                    "pretrained.special_patterns",
                    "pretrained.router_scale",
                    "pretrained.router_scale_relevant",
                    "pretrained.router_noise",
                    "pretrained.neuron_scale",
                    "pretrained.neuron_scale_relevant",
                    "training.router_rate",
                    "training.expert_rate",
                    "training.batch",
                    "training.iterations",
                    "training.zero_loss_window",
                    "training.training_set",
                ],
                loses: foreign_and!(MeasuredRoles, AdditiveExperts),
                check: checks::segments,
            };
            /// A stack of two layers, of which the second reads what the first says.
            Stack = "stack" in stack, SystemTraits {
                keys: &[
                    "model.system",
                    "model.experts",
                    "model.neurons",
                    "model.experts_per_token",
                    "model.layer_scale",
                    "pretrained.relevant_per_class",
                    "pretrained.rare_per_class",
                    "pretrained.specialisation",
                    "pretrained.special_patterns",
                    "pretrained.router_scale",
                    "pretrained.router_scale_relevant",
                    "pretrained.router_noise",
                    "pretrained.neuron_scale",
                    "pretrained.neuron_scale_relevant",
                    "training.router_rate",
                    "training.expert_rate",
                    "training.batch",
                    "training.iterations",
                    "training.zero_loss_window",
                    "training.training_set",
                ],
                loses: foreign_and!(MeasuredRoles, AdditiveExperts, PatternCoordinates),
                check: checks::layers,
            };
        }
    };
}
pub(crate) use systems;

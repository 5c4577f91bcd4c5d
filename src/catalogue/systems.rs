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
                keys: trained_with![
                    "model.system",
                    "model.experts",
                    "model.neurons",
                    "model.experts_per_token",
                    "model.gates",
                    "pretrained.router_noise",
                    "pretrained.neuron_scale",
                    "pretrained.scaling_noise",
                ],
                loses: foreign_and!(Roles, MeasuredRoles, PatternCoordinates),
                check: checks::nothing,
            };
            /// PEER: experts behind product keys, in a grid.
            Peer = "peer" in peer, SystemTraits {
                keys: trained_with![
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
                ],
                loses: foreign_and!(PatternCoordinates),
                check: checks::grid,
            };
            /// SMEAR and Lory: the experts of each sign are merged, softly, before they speak.
            Smear = "smear" in smear, SystemTraits {
                keys: trained_with![
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
                ],
                loses: foreign_and!(MeasuredRoles, AdditiveExperts),
                check: checks::segments,
            };
            /// A stack of two layers, of which the second reads what the first says.
            Stack = "stack" in stack, SystemTraits {
                keys: trained_with![
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
                ],
                loses: foreign_and!(MeasuredRoles, AdditiveExperts, PatternCoordinates),
                check: checks::layers,
            };
            /// The attentive gate, or an ordinary one that is trained anew for its frozen experts.
            AttentiveGate = "attentive-gate" in attentive, SystemTraits {
                keys: trained_with![
                    "model.system",
                    "model.experts",
                    "model.neurons",
                    "model.experts_per_token",
                    "model.gate",
                    "model.key_length",
                    "pretrained.relevant_per_class",
                    "pretrained.rare_per_class",
                    "pretrained.special_patterns",
                    "pretrained.specialisation",
                    "pretrained.router_noise",
                    "pretrained.neuron_scale",
                    "pretrained.neuron_scale_relevant",
                    "pretrained.map_scale",
                    "pretrained.attentive_iterations",
                    "training.importance_loss",
                    "training.similarity_loss",
                    "training.distance",
                ],
                loses: foreign_and!(MeasuredRoles),
                check: checks::attention,
            };
            /// MoEBERT: the neurons of a dense teacher are dealt to experts by their importance.
            Moebert = "moebert" in moebert, SystemTraits {
                keys: trained_with![
                    "model.system",
                    "model.experts",
                    "model.neurons",
                    "model.gate",
                    "model.teacher_neurons",
                    "model.shared_neurons",
                    "pretrained.neuron_scale",
                    "pretrained.router_noise",
                    "pretrained.teacher_iterations",
                    "pretrained.deal",
                    "training.distillation",
                    "training.loss",
                ],
                loses: foreign_and!(Roles, MeasuredRoles),
                check: checks::split,
            };
        }
    };
}
pub(crate) use systems;

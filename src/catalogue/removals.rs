//! What becomes of pruned experts: each way is one row, and a file of [`crate::prune::removal`].

/// Hands the table to a macro.
macro_rules! removals {
    ($make:ident $head:tt) => {
        $make! {
            $head
            /// The router stays; a token that it wins contributes 0 (the paper's way). With expert choice the same as `Drop`
            /// (identity I2).
            ZeroSlot = "zero-slot" in zero_slot, RemovalTraits {
                keeps_router: true,
                only_removes: true,
                merges: false,
                needs_data: false,
                adds_up: AddsUp::Always,
            };
            /// Expert and router go.
            Drop = "drop" in drop, RemovalTraits {
                keeps_router: false,
                only_removes: true,
                merges: false,
                needs_data: false,
                adds_up: AddsUp::IfIndependent,
            };
            /// The router stays; a token that it wins contributes a constant, the expert's mean activation.
            Novice = "novice" in novice, RemovalTraits {
                keeps_router: true,
                only_removes: false,
                merges: false,
                needs_data: true,
                adds_up: AddsUp::IfIndependent,
            };
            /// Router and neurons are averaged into the most similar kept expert of the same sign.
            MergeNearest = "merge-nearest" in merge_nearest, RemovalTraits {
                keeps_router: false,
                only_removes: false,
                merges: true,
                needs_data: true,
                adds_up: AddsUp::Never,
            };
            /// The experts of each sign are clustered by similarity; each cluster becomes one expert.
            MergeGroup = "merge-group" in merge_group, RemovalTraits {
                keeps_router: false,
                only_removes: false,
                merges: true,
                needs_data: true,
                adds_up: AddsUp::Never,
            };
            /// It stays, with its neurons rounded to few bits.
            Quantise = "quantise" in quantise, RemovalTraits {
                keeps_router: true,
                only_removes: false,
                merges: false,
                needs_data: false,
                adds_up: AddsUp::Never,
            };
        }
    };
}
pub(crate) use removals;

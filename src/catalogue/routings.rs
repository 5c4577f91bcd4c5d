//! How tokens and experts meet: each routing is one row, and a file of `moe::rule`.

/// Hands the table to a macro.
macro_rules! routings {
    ($make:ident $head:tt) => {
        $make! {
            $head
            /// Each expert takes the l tokens of largest score.
            ExpertChoice = "expert-choice" in expert_choice, RoutingTraits { tokens_choose: false, loses: &[] };
            /// Each token goes to the c experts of largest score.
            TokenChoice = "token-choice" in token_choice, RoutingTraits { tokens_choose: true, loses: OF_EXPERT_CHOICE };
        }
    };
}
pub(crate) use routings;

//! Where fine-tuning of the paper's model starts: each start is one row, and a file of [`crate::systems::starts`].

/// Hands the table to a macro.
macro_rules! starts {
    ($make:ident $head:tt) => {
        $make! {
            $head
            /// Roles are built in.
            Constructed = "constructed" in constructed, StartTraits { builds_roles: true, has_tasks: false };
            /// Trained by SGD on a mixture of upstream tasks; nothing is built in.
            Upstream = "upstream" in upstream, StartTraits { builds_roles: false, has_tasks: true };
        }
    };
}
pub(crate) use starts;

//! The catalogues: what a simulation file can name is one row of one table.
//!
//! A table is a macro that hands its rows to whoever makes something of them. So [`crate::sim::parameters`] knows names and
//! what simulation files are checked against without knowing what is computed, the room that computes has a function for
//! each row or does not compile, and to add something is to write its row and its file.
//!
//! | table | names, and what is asked of them | what they do |
//! |---|---|---|
//! | [`criteria`] | `sim::parameters::Criterion` | [`crate::prune::scores`] |
//! | [`removals`] | `sim::parameters::Removal` | a file of [`crate::prune::removal`] |
//! | [`schedules`] | `sim::parameters::PruningSchedule` | a file of `run::pruning_schedule` |
//! | [`routings`] | `sim::parameters::Routing` | a file of `moe::rule` |
//! | [`starts`] | `sim::parameters::PretrainedKind` | a file of [`crate::systems::starts`] |
//! | [`systems`] | `sim::parameters::System` | a file of [`crate::systems`] |
//!
//! But for criteria a row reads `Variant = "name" in file, Traits { … };`, after its doc comment. [`names`] makes the enum
//! and its traits, [`files`] the modules and the table of their functions. `cargo fmt` does not find files that a macro
//! names: `.ci/run` checks them by their paths.

pub(crate) mod criteria;
pub(crate) mod removals;
pub(crate) mod routings;
pub(crate) mod schedules;
pub(crate) mod starts;
pub(crate) mod systems;

/// Makes the enum of a table's names, and the traits of each.
macro_rules! names {
    (
        [$(#[doc = $enum_doc:literal])+ $name:ident: $visibility:vis $traits:ident]
        $($(#[doc = $doc:literal])+ $variant:ident = $word:literal in $file:ident, $row:expr;)+
    ) => {
        $crate::sim::words::words! {
            $(#[doc = $enum_doc])+
            pub enum $name {
                $($(#[doc = $doc])+ $variant = $word,)+
            }
        }

        impl $name {
            /// What it is, in full sentences.
            pub fn meaning(self) -> &'static str {
                match self { $($name::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// What is told of it in its row.
            $visibility fn traits(self) -> &'static $traits {
                static ROWS: [$traits; $name::ALL.len()] = [$($row,)+];
                &ROWS[self as usize]
            }
        }
    };
}

/// Makes the module of each row, and the table of a function that each has.
macro_rules! files {
    (
        [$visibility:vis $table:ident: $type:ty = $function:ident]
        $($(#[doc = $doc:literal])+ $variant:ident = $word:literal in $file:ident, $row:expr;)+
    ) => {
        $($visibility mod $file;)+

        /// The function of each row, in order.
        static $table: &[$type] = &[$($file::$function,)+];
    };
}

pub(crate) use {files, names};

//! The names of the criteria, and what a simulation file has to know of each.

use crate::catalogue::criteria::criteria;
use crate::sim::words::words;

macro_rules! names {
    ($($variant:ident = $name:literal, $formula:literal, $needs:expr, $source:expr, $rule:ident $score:tt
       $(at most $most:ident)? $(or $infinite:ident)? $(moved by $gauge:ident)? $(column $place:ident)?;)*) => {
        words! {
            /// A rule that says which experts go; `crate::prune::scores` holds what each computes.
            pub enum Criterion {
                $(#[doc = $formula] $variant = $name,)*
            }
        }

        impl Criterion {
            /// Its formula, in the notation of docs/theory/criteria.md.
            pub const fn formula(self) -> &'static str {
                match self { $(Criterion::$variant => $formula,)* }
            }

            /// Whether it chooses a set for every number kept, so that experts have no score.
            pub const fn is_set(self) -> bool {
                match self { $(Criterion::$variant => is_set!($rule),)* }
            }

            /// The most experts of a model that it can be computed for.
            pub const fn most_experts(self) -> usize {
                match self { $(Criterion::$variant => most!($($most)?),)* }
            }

            /// Whether the score of an expert may be infinite.
            pub const fn may_be_infinite(self) -> bool {
                match self { $(Criterion::$variant => is_infinite!($($infinite)?),)* }
            }

            /// Whether in token choice its scores change with a vector that is added to all routers, which the model does
            /// not notice (lemma L12).
            pub const fn is_moved_by_gauge(self) -> bool {
                match self { $(Criterion::$variant => is_moved!($($gauge)?),)* }
            }

            const fn place(self) -> Place {
                match self { $(Criterion::$variant => place!($($place)?),)* }
            }
        }
    };
}

macro_rules! is_set {
    (ascending) => {
        false
    };
    (descending) => {
        false
    };
    (set) => {
        true
    };
}

macro_rules! most {
    () => {
        usize::MAX
    };
    ($most:ident) => {
        Criterion::$most
    };
}

macro_rules! is_infinite {
    () => {
        false
    };
    (inf) => {
        true
    };
}

macro_rules! is_moved {
    () => {
        false
    };
    (gauge) => {
        true
    };
}

macro_rules! place {
    () => {
        Place::Middle
    };
    (first) => {
        Place::First
    };
    (last) => {
        Place::Last
    };
}

criteria!(names);

/// Where the column of a criterion's scores stands among those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    First,
    Middle,
    Last,
}

impl Criterion {
    /// The most experts for which every set is looked at.
    pub(crate) const MOST_EXHAUSTIVE: usize = 16;
    /// The most experts for criteria that compare experts pair by pair.
    pub(crate) const MOST_PAIRED: usize = 512;

    /// Every criterion in the order of its column in `experts.csv`.
    pub(crate) const COLUMNS: [Criterion; Criterion::ALL.len()] = in_columns();

    /// Whether it reads routers: it is named for them then.
    pub(crate) fn reads_routers(self) -> bool {
        self.name().starts_with("router-")
    }

    /// Whether every run has its scores, whichever criteria the file chose: they cost nothing.
    pub(crate) const fn is_always_scored(self) -> bool {
        matches!(self.place(), Place::First)
    }
}

const fn in_columns() -> [Criterion; Criterion::ALL.len()] {
    let mut columns = [Criterion::ALL[0]; Criterion::ALL.len()];
    let (mut filled, mut round) = (0, 0);
    while round < 3 {
        let mut next = 0;
        while next < Criterion::ALL.len() {
            if Criterion::ALL[next].place() as usize == round {
                columns[filled] = Criterion::ALL[next];
                filled += 1;
            }
            next += 1;
        }
        round += 1;
    }
    columns
}

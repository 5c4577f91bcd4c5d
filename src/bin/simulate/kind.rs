//! The kinds of names that `simulate list` shows.

use clap::ValueEnum;

/// What `list` can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Shipped simulations
    Simulations,
    /// Claims
    Claims,
    /// Assumptions of claims
    Assumptions,
    /// Lemmas
    Lemmas,
    /// Pruning criteria
    Criteria,
    /// Words and symbols
    Words,
    /// Keys of a simulation file
    Keys,
    /// Columns of the result files
    Columns,
}

impl Kind {
    /// The heading above the names.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Simulations => "Simulations (simulate run NAME)",
            Kind::Claims => "Claims",
            Kind::Assumptions => "Assumptions",
            Kind::Lemmas => "Lemmas",
            Kind::Criteria => "Criteria",
            Kind::Words => "Words",
            Kind::Keys => "Keys of a simulation file",
            Kind::Columns => "Columns of the result files",
        }
    }
}

//! One key of a simulation file: what it is, and what is legal.

/// One key of a simulation file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// `section.name`, such as `data.patterns`.
    pub path: &'static str,
    /// The symbol of the theory; empty if it has none.
    pub symbol: &'static str,
    /// Type and legal range.
    pub kind: Kind,
    /// The value where nothing sets the key: a TOML literal or an expression, as written in a file without quotes.
    pub default: &'static str,
    /// What the key is, in one sentence.
    pub doc: &'static str,
    /// Where the key comes from.
    pub source: &'static str,
    /// Why the range is what it is, if that is not plain; empty otherwise. Shown with a refused value.
    pub reason: &'static str,
    /// Whether a run's seed leaves the key out where it has its default. Such a key is younger than the seeds: files that
    /// do not know it keep theirs.
    pub unseeded_default: bool,
}

/// Type and legal range of a key. Bounds are included unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number.
    Integer {
        /// Smallest legal value.
        low: u64,
        /// Largest legal value.
        high: u64,
    },
    /// A finite number.
    Real {
        /// Lower bound.
        low: f64,
        /// Largest legal value.
        high: f64,
        /// Whether `low` itself is refused.
        low_open: bool,
    },
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// One of these words, or the path of a file or folder.
    WordOrPath(&'static [&'static str]),
    /// The word `all` or a list of numbers of experts.
    KeptList,
    /// The word `all` or a list of these words.
    WordList(&'static [&'static str]),
}

impl Key {
    /// The part before the dot: the table of the simulation file that holds the key.
    pub fn section(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(section, _)| section)
    }

    /// The part after the dot: the key's name in expressions and columns.
    pub fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }

    /// The words that its value may be or hold; none if it has other values.
    pub fn words(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Choice(words) | Kind::WordOrPath(words) | Kind::WordList(words) => words,
            _ => &[],
        }
    }

    /// What is legal, as the end of a message: `must be an integer from 4 to 65536`.
    pub fn legal(&self) -> String {
        let range = self.kind.legal();
        if self.reason.is_empty() { range } else { format!("{range} ({})", self.reason) }
    }
}

impl Kind {
    /// Whether a value may be a list, so that a list is no sweep.
    pub(crate) fn takes_lists(&self) -> bool {
        matches!(self, Kind::KeptList | Kind::WordList(_))
    }

    /// Whether values are numbers, so that expressions and ranges make sense.
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Kind::Integer { .. } | Kind::Real { .. })
    }

    /// What is legal, as the end of a message.
    pub fn legal(&self) -> String {
        match self {
            Kind::Integer { low, high } => format!("must be an integer from {low} to {high}"),
            Kind::Real { low, high, low_open: false } => format!("must be a number from {low} to {high}"),
            Kind::Real { low, high, low_open: true } => format!("must be a number above {low} and at most {high}"),
            Kind::Flag => "must be true or false".into(),
            Kind::Choice([word]) => format!("must be \"{word}\""),
            Kind::Choice(words) => format!("must be one of \"{}\"", words.join("\", \"")),
            Kind::WordOrPath(words) => format!("must be one of \"{}\", or a path", words.join("\", \"")),
            Kind::KeptList => "must be \"all\" or a list of numbers of experts, each from 1 to model.experts".into(),
            Kind::WordList(words) => format!("must be \"all\" or a list of \"{}\"", words.join("\", \"")),
        }
    }
}

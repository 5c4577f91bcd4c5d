//! The keys of a simulation file: legal range, default, symbol, meaning and source of each.
//!
//! [`KEYS`] is the one table that file, `--set`, grid, manifest and documents are read against. A key's last part is
//! unique, so that it names the key in expressions and columns.

pub use super::key_table::KEYS;

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
            Kind::Choice(words) | Kind::WordList(words) => words,
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
    pub fn is_numeric(&self) -> bool {
        matches!(self, Kind::Integer { .. } | Kind::Real { .. })
    }

    /// What is legal, as the end of a message.
    pub(crate) fn legal(&self) -> String {
        match self {
            Kind::Integer { low, high } => format!("must be an integer from {low} to {high}"),
            Kind::Real { low, high, low_open: false } => format!("must be a number from {low} to {high}"),
            Kind::Real { low, high, low_open: true } => format!("must be a number above {low} and at most {high}"),
            Kind::Flag => "must be true or false".into(),
            Kind::Choice([word]) => format!("must be \"{word}\""),
            Kind::Choice(words) => format!("must be one of \"{}\"", words.join("\", \"")),
            Kind::KeptList => "must be \"all\" or a list of numbers of experts, each from 1 to model.experts".into(),
            Kind::WordList(words) => format!("must be \"all\" or a list of \"{}\"", words.join("\", \"")),
        }
    }
}

/// Index in [`KEYS`] of the key with this path.
pub(crate) fn index_of_path(path: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.path == path)
}

/// Index in [`KEYS`] of the key with this last part.
pub(crate) fn index_of_name(name: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.name() == name)
}

/// The key with this path.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Names of the tables that hold keys, in the order of [`KEYS`].
pub fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&'static str> = KEYS.iter().map(Key::section).collect();
    sections.dedup();
    sections
}

/// Longest text that is compared with the known words; a longer one resembles none of them.
const LONGEST_WORD: usize = 100;
/// Least similarity (0 to 1) at which a word is proposed in place of another.
const LEAST_SIMILARITY: f64 = 0.55;

/// The key most like `path`, which may be a whole path or a last part alone.
pub fn nearest(path: &str) -> Option<&'static Key> {
    let name = path.rsplit('.').next().unwrap_or(path);
    most_similar(KEYS.iter().map(|key| (key, similarity(path, key.path).max(similarity(name, key.name())))))
}

/// The word most like `word`.
pub(crate) fn nearest_word<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    most_similar(words.into_iter().map(|known| (known, similarity(word, known))))
}

/// 1 for equal texts, 0 for texts with nothing in common.
pub(crate) fn similarity(word: &str, known: &str) -> f64 {
    if word.len() > LONGEST_WORD || known.len() > LONGEST_WORD {
        return 0.0;
    }
    strsim::normalized_damerau_levenshtein(word, known)
}

/// The first candidate of the largest similarity that is large enough.
fn most_similar<T>(scored: impl Iterator<Item = (T, f64)>) -> Option<T> {
    let mut best: Option<(T, f64)> = None;
    for (candidate, score) in scored {
        if score >= LEAST_SIMILARITY && best.as_ref().is_none_or(|(_, highest)| score > *highest) {
            best = Some((candidate, score));
        }
    }
    best.map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn last_parts_and_paths_are_unique_and_have_two_parts() {
        let names: BTreeSet<_> = KEYS.iter().map(Key::name).collect();
        assert_eq!(names.len(), KEYS.len());
        assert!(KEYS.iter().all(|key| key.path.matches('.').count() == 1), "{KEYS:?}");
    }

    #[test]
    fn every_section_is_one_run_of_the_table() {
        let distinct: BTreeSet<_> = sections().into_iter().collect();
        assert_eq!(distinct.len(), sections().len());
    }

    #[test]
    fn every_key_says_what_it_is_and_where_it_comes_from() {
        for key in KEYS {
            assert!(key.doc.ends_with('.') && !key.source.is_empty(), "{}", key.path);
        }
    }

    #[test]
    fn the_nearest_key_is_found_from_a_path_or_a_last_part() {
        let found = |path| nearest(path).map(|key| key.path);
        assert_eq!(found("data.paterns"), Some("data.patterns"));
        assert_eq!(found("patterns"), Some("data.patterns"));
        assert_eq!(found("training.patterns"), Some("data.patterns"));
        assert_eq!(found("training.ruter_rat"), Some("training.router_rate"));
    }

    #[test]
    fn nothing_is_near_to_nonsense_or_to_an_endless_word() {
        assert_eq!(nearest("xyzzy"), None);
        assert_eq!(nearest(&"patterns".repeat(100_000)), None);
        assert_eq!(nearest(""), None);
    }
}

//! The keys of a simulation file: legal range, default, symbol, meaning and source of each.
//!
//! [`KEYS`] is the one table that file, `--set`, grid, manifest and documents are read against. A key stands once, in the
//! section of [`super::parameters`] that has its field. A key's last part is unique, so that it names the key in
//! expressions and columns.

use super::key::Key;
use super::parameters::SECTIONS;
use crate::similarity::{most_similar, similarity};

/// Every key of a simulation file, in the order of the sections. The defaults are the in-regime setting
/// (docs/theory/training.md).
pub static KEYS: &[Key] = &joined::<{ number(SECTIONS) }>(SECTIONS);

const fn number(sections: &[&[Key]]) -> usize {
    let (mut section, mut keys) = (0, 0);
    while section < sections.len() {
        keys += sections[section].len();
        section += 1;
    }
    keys
}

const fn joined<const N: usize>(sections: &[&[Key]]) -> [Key; N] {
    let mut all = [sections[0][0]; N];
    let (mut section, mut place) = (0, 0);
    while section < sections.len() {
        let mut own = 0;
        while own < sections[section].len() {
            all[place] = sections[section][own];
            own += 1;
            place += 1;
        }
        section += 1;
    }
    all
}

/// Index in [`KEYS`] of the key with this path.
pub(crate) fn index_of_path(path: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.path == path)
}

/// The key with this path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Names of the tables that hold keys, in the order of [`KEYS`].
pub(crate) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&'static str> = KEYS.iter().map(Key::section).collect();
    sections.dedup();
    sections
}

/// The key most like `path`, which may be a whole path or a last part alone.
pub(crate) fn nearest(path: &str) -> Option<&'static Key> {
    let name = path.rsplit('.').next().unwrap_or(path);
    most_similar(KEYS.iter().map(|key| (key, similarity(path, key.path).max(similarity(name, key.name())))))
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

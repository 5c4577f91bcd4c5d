//! The known word that is most like one which is not known.

/// Longest text that is compared with the known words; a longer one resembles none of them.
const LONGEST_WORD: usize = 100;
/// Least similarity (0 to 1) at which a word is proposed in place of another.
const LEAST_SIMILARITY: f64 = 0.55;

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
pub(crate) fn most_similar<T>(scored: impl Iterator<Item = (T, f64)>) -> Option<T> {
    let mut best: Option<(T, f64)> = None;
    for (candidate, score) in scored {
        if score >= LEAST_SIMILARITY && best.as_ref().is_none_or(|(_, highest)| score > *highest) {
            best = Some((candidate, score));
        }
    }
    best.map(|(candidate, _)| candidate)
}

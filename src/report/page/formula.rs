//! Formulas in plain text → subscripts and superscripts; names of lemmas → links.

use crate::claims::lemmas::LEMMAS;
use maud::{Markup, html};

/// Text with code between backticks, and with `w_s`, `w_{s,r}`, `d^{−1/2}` and `w_s^T` set as formulas. A name of several letters before the underscore is a
/// key (`class_share`) and stays as it is.
pub(crate) fn formula(text: &str) -> Markup {
    html! {
        @for (place, piece) in text.split('`').enumerate() {
            @if place % 2 == 0 { (linked(piece)) } @else { code { (piece) } }
        }
    }
}

/// The text with a link at the name of each lemma, to where the page tells it.
fn linked(text: &str) -> Markup {
    let is_outside = |letter: char| !letter.is_ascii_alphanumeric();
    let (mut links, mut plain) = (Vec::new(), String::new());
    for piece in text.split_inclusive(is_outside) {
        let word = piece.trim_end_matches(is_outside);
        // A name within a formula, as in w_L1, is none.
        if LEMMAS.iter().any(|lemma| lemma.id == word) && !plain.ends_with(['_', '^', '{']) {
            links.push((std::mem::take(&mut plain), word));
            plain.push_str(&piece[word.len()..]);
        } else {
            plain.push_str(piece);
        }
    }
    html! {
        @for (before, lemma) in links { (scripts(&before)) a href=(format!("#lemma-{lemma}")) { (lemma) } }
        (scripts(&plain))
    }
}

fn scripts(text: &str) -> Markup {
    let letters: Vec<char> = text.chars().collect();
    let mut pieces: Vec<(Option<char>, String)> = vec![(None, String::new())];
    let mut place = 0;
    while let Some(&letter) = letters.get(place) {
        let script = (letter == '_' && is_subscript(&letters, place)) || letter == '^';
        match script.then(|| script_at(&letters, place + 1)).flatten() {
            Some((script, next)) => {
                pieces.push((Some(letter), script));
                pieces.push((None, String::new()));
                place = next;
            }
            None => {
                if let Some((_, plain)) = pieces.last_mut() {
                    plain.push(letter);
                }
                place += 1;
            }
        }
    }
    html! {
        @for (script, text) in pieces {
            @match script {
                Some('_') => sub { (scripts(&text)) },
                Some(_) => sup { (scripts(&text)) },
                None => (text),
            }
        }
    }
}

/// Whether an underscore stands behind a symbol of one letter, and before an index rather than a word.
fn is_subscript(letters: &[char], place: usize) -> bool {
    let letter = |place: Option<usize>| place.and_then(|place| letters.get(place)).copied();
    let (before, two_before) = (letter(place.checked_sub(1)), letter(place.checked_sub(2)));
    let symbol = before.is_some_and(|letter| letter.is_alphabetic() || letter == '∇' || letter == '⟩');
    let short = !two_before.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let index = letter(Some(place + 1)).is_some_and(|letter| letter == '{' || letter.is_alphanumeric());
    let word = letters.get(place + 2).is_some_and(|letter| letter.is_ascii_alphanumeric() || *letter == '_');
    let braced = letters.get(place + 1) == Some(&'{');
    symbol && short && index && (braced || !word)
}

/// The script that begins at `place`, and where the text goes on.
fn script_at(letters: &[char], place: usize) -> Option<(String, usize)> {
    let first = letters.get(place)?;
    if *first != '{' {
        return first.is_alphanumeric().then(|| (first.to_string(), place + 1));
    }
    let mut depth = 0;
    for (offset, letter) in letters[place..].iter().enumerate() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((letters[place + 1..place + offset].iter().collect(), place + offset + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_get_scripts_and_keys_stay() {
        let set = |text: &str| formula(text).into_string();
        assert_eq!(set("η_r·T ≥ travel_min"), "η<sub>r</sub>·T ≥ travel_min");
        assert_eq!(set("u_{s,o_v} and d^{−1/2}"), "u<sub>s,o<sub>v</sub></sub> and d<sup>−1/2</sup>");
        assert_eq!(set("w_s^T"), "w<sub>s</sub><sup>T</sup>");
        assert_eq!(set("say `a_b`"), "say <code>a_b</code>");
        assert_eq!(set("no more (L8), w_L1"), "no more (<a href=\"#lemma-L8\">L8</a>), w_L1");
        assert_eq!(set("a < b_max, x^{open"), "a &lt; b_max, x^{open");
    }
}

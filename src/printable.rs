//! Characters that can be shown: texts of others reach a terminal and a page through here.

use std::borrow::Cow;

/// What is legal of a text of one line.
pub const LEGAL: &str = "must be one line without control characters";

/// Whether a character stands for itself: no control character (of ASCII or U+0080–U+009F), none that changes the
/// direction of what follows (Unicode's `Bidi_Control`), and no line separator but the line feed's own.
pub(crate) fn is_printable(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(c.is_control() || turns || c == '\u{2028}' || c == '\u{2029}')
}

/// Whether all of a text can be shown on one line.
pub fn is_one_line(text: &str) -> bool {
    text.chars().all(is_printable)
}

/// Whether all of a text of several lines can be shown: tabs and line feeds may stand in it.
pub fn is_text(text: &str) -> bool {
    text.chars().all(|c| is_printable(c) || matches!(c, '\n' | '\t'))
}

/// The text with each character that can't be shown as its escape, such as `\u{1b}`; line feeds and tabs stay.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if is_text(text) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if is_printable(c) || matches!(c, '\n' | '\t') { c.to_string() } else { escape(c) };
    Cow::Owned(text.chars().map(escape).collect())
}

/// The text on one line: each character that can't be shown as its escape, line feeds and tabs too.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if is_one_line(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_printable(c) { c.to_string() } else { escape(c) }).collect())
}

fn escape(c: char) -> String {
    c.escape_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_or_turns_a_line_round_is_not_printable() {
        for c in ['\0', '\u{7}', '\u{8}', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{80}', '\u{9b}', '\u{9f}'] {
            assert!(!is_printable(c), "{c:?}");
        }
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain(['\u{200e}', '\u{61c}', '\u{2028}']) {
            assert!(!is_printable(c), "{c:?}");
        }
        for c in ['a', ' ', '\u{a0}', 'Δ', 'γ', '₁', '⁰', '𝒟', 'ש', '漢', '\u{301}', '😀'] {
            assert!(is_printable(c), "{c:?}");
        }
    }

    #[test]
    fn what_is_not_printable_is_escaped_and_nothing_else() {
        assert_eq!(escaped("γ\u{1b}[31m\n\u{202e}x\t"), "γ\\u{1b}[31m\n\\u{202e}x\t");
        assert_eq!(one_line("γ\u{9b}1\nx\ty\r"), "γ\\u{9b}1\\nx\\ty\\r");
        assert!(matches!(escaped("plain Δ\n"), Cow::Borrowed(_)));
    }
}

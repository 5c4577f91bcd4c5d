//! What is wrong with an expression, and where.

use std::ops::Range;

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the text that it is about; at the end of the text an empty range.
    pub at: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

impl Problem {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// The text, and below it carets under the bytes that the problem is about.
    pub(crate) fn pointed_at(&self, text: &str) -> String {
        let width = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
        let before = width(0..self.at.start);
        let length = width(self.at.clone()).max(1);
        format!("  {text}\n  {}{}", " ".repeat(before), "^".repeat(length))
    }
}

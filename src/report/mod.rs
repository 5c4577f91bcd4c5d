//! Verdicts and rows → text.

pub mod text;

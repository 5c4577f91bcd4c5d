//! Verdicts and rows → text and figures.

pub mod figures;
pub mod text;

//! Verdicts and rows → text and figures.

pub mod audits;
pub mod criteria;
pub mod figures;
mod maps;
mod sweeps;
pub mod text;

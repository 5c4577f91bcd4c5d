//! Verdicts and rows → text, figures and a page.

pub mod figures;
mod maps;
pub mod page;
mod results;
mod sweeps;
pub mod text;

pub use results::{PointLabel, Results};

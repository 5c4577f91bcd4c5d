//! Verdicts and rows → text, figures and a page.

pub mod audits;
pub mod criteria;
pub mod figures;
pub mod glance;
mod maps;
pub mod page;
mod results;
mod sweeps;
pub mod text;

pub use results::{PointLabel, Results};

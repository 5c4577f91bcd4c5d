//! Verdicts and rows → text, figures and a page.

pub(crate) mod audits;
mod bars;
pub mod charts;
pub mod criteria;
mod drawing;
mod drawn;
pub mod figures;
pub mod gathering;
pub mod glance;
mod maps;
mod numbers;
pub mod page;
mod results;
mod sweeps;
pub mod text;

pub use drawn::{DrawnExpert, DrawnModel, SweptPoint};
pub use numbers::WIDTH;
pub use results::Results;

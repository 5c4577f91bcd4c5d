//! Verdicts and rows → text, figures and a page.

mod alike;
pub(crate) mod audits;
mod bars;
pub mod charts;
pub mod criteria;
mod drawing;
mod drawn;
pub mod gathering;
pub mod glance;
mod labels;
mod maps;
mod numbers;
pub mod page;
mod results;
mod summary;
mod sweeps;
pub mod systems;
pub mod text;
mod undefined;

pub use drawn::{DrawnExpert, DrawnModel, SweptPoint};
pub use labels::Labels;
pub use numbers::WIDTH;
pub use results::Results;

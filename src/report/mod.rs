//! Verdicts and rows → text, figures and a page.

pub mod audits;
pub mod criteria;
mod drawn;
pub mod figures;
pub mod gathering;
pub mod glance;
mod maps;
pub mod page;
mod results;
mod sweeps;
pub mod text;

pub use drawn::{DrawnExpert, DrawnModel};
pub use results::{PointLabel, Results};

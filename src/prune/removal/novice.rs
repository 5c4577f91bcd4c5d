//! A novice: an expert whose neurons are all c, so that every pattern has the activation c, the gate-weighted mean
//! activation over the calibration set. In expert choice that is the mean of |f_s|. Without a calibration set c is 0.

use super::{Given, Remains, Way, levelled};
use crate::moe::Model;
use crate::prune::Calibration;

pub(super) const WAY: Way = Way { remove, activation: novice };

fn remove(model: &Model, kept: &[usize], given: &Given) -> Remains {
    let level = |expert| given.calibration.map_or(0.0, |calibration| novice(calibration, expert));
    Remains::with_all_routers(levelled(model, kept, level), kept.to_vec())
}

/// The constant activation c_s that stands for an expert: Σ Γ A / Σ Γ over its routed pairs; 0 if it has none.
pub fn novice(calibration: &Calibration, expert: usize) -> f64 {
    let sums = &calibration.experts[expert];
    if sums.gates > 0.0 { sums.gated / sums.gates } else { 0.0 }
}

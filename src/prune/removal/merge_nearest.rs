//! A pruned expert is averaged into the kept one of its sign that is most similar to it.

use super::{Given, Remains, Way, merging, nothing};
use crate::moe::Model;
use crate::prune::Calibration;
use crate::sim::parameters::MergePartition;

pub(super) const WAY: Way = Way { remove, activation: nothing };

fn remove(model: &Model, kept: &[usize], given: &Given) -> Remains {
    merging::remove(model, kept, given, nearest)
}

/// Each kept expert with the pruned ones of its sign that are most similar to it. A pruned expert without a kept one of
/// its sign goes.
fn nearest(model: &Model, kept: &[usize], calibration: &Calibration, _partition: MergePartition) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = kept.iter().map(|&expert| vec![expert]).collect();
    for expert in (0..model.experts()).filter(|expert| kept.binary_search(expert).is_err()) {
        let similarity = calibration.similarity_of(expert);
        let alike = (0..kept.len()).filter(|&place| model.signs[kept[place]] == model.signs[expert]);
        let best =
            alike.reduce(|best, place| if similarity[kept[place]] > similarity[kept[best]] { place } else { best });
        if let Some(best) = best {
            groups[best].push(expert);
        }
    }
    groups
}

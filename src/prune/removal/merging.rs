//! Several experts become one.

use super::{Given, Remains};
use crate::moe::Model;
use crate::prune::Calibration;
use crate::sim::parameters::{MergePartition, MergeScale, MergeWeights, PruningParameters};

/// Which experts become one, given those that are kept: one group for each expert that is left.
type Grouping = fn(&Model, &[usize], &Calibration, MergePartition) -> Vec<Vec<usize>>;

/// Each group becomes one expert, which stands where the first of its members stood. Without a calibration set nothing is
/// similar, and experts that are not kept go.
pub(super) fn remove(model: &Model, kept: &[usize], given: &Given, grouping: Grouping) -> Remains {
    match given.calibration {
        Some(calibration) => {
            let groups = grouping(model, kept, calibration, given.pruning.merge_partition);
            let first = groups.iter().map(|group| group[0]).collect();
            Remains::smaller(merged(model, &groups, calibration, given.pruning), first)
        }
        None => Remains::smaller(model.subset(kept), kept.to_vec()),
    }
}

/// One expert for each group: the mean of its members' routers and neurons, weighted as the simulation says; by its merge
/// scale the neurons are times the number of members.
fn merged(model: &Model, groups: &[Vec<usize>], calibration: &Calibration, pruning: &PruningParameters) -> Model {
    let mut merged = model.subset(&groups.iter().map(|group| group[0]).collect::<Vec<_>>());
    let size = model.neurons_per_expert * model.patterns;
    for (place, group) in groups.iter().enumerate() {
        let shares = shares(group, calibration, pruning.merge_weights);
        let of_router = match pruning.merge_routers {
            true => shares.clone(),
            false => self::shares(group, calibration, MergeWeights::Largest),
        };
        let times = match pruning.merge_scale {
            MergeScale::One => 1.0,
            MergeScale::All => group.len() as f64,
        };
        let average = |shares: &[f64], of: &dyn Fn(usize) -> Vec<f64>, into: &mut [f64]| {
            into.fill(0.0);
            for (&expert, share) in group.iter().zip(shares) {
                into.iter_mut().zip(of(expert)).for_each(|(sum, weight)| *sum += share * weight);
            }
        };
        average(
            &of_router,
            &|expert| model.router(expert).to_vec(),
            &mut merged.routers[place * model.patterns..][..model.patterns],
        );
        let neurons = &mut merged.neurons[place * size..][..size];
        average(&shares, &|expert| model.expert_neurons(expert).to_vec(), neurons);
        if times != 1.0 {
            neurons.iter_mut().for_each(|weight| *weight *= times);
        }
    }
    merged
}

/// How much each member of a group counts; the sum is 1.
fn shares(group: &[usize], calibration: &Calibration, weights: MergeWeights) -> Vec<f64> {
    let gates: Vec<f64> = group.iter().map(|&expert| calibration.experts[expert].gates).collect();
    let mass: f64 = gates.iter().sum();
    let even = 1.0 / group.len() as f64;
    match weights {
        MergeWeights::Mass if mass > 0.0 => gates.iter().map(|gates| gates / mass).collect(),
        MergeWeights::Mass | MergeWeights::Uniform => vec![even; group.len()],
        MergeWeights::Largest => {
            let largest =
                (1..gates.len()).fold(0, |best, member| if gates[member] > gates[best] { member } else { best });
            (0..gates.len()).map(|member| f64::from(u8::from(member == largest))).collect()
        }
    }
}

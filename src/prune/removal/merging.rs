//! Several experts become one.

use super::{Given, Remains};
use crate::moe::Model;
use crate::prune::Calibration;

/// Which experts become one, given those that are kept: one group for each expert that is left.
type Grouping = fn(&Model, &[usize], &Calibration) -> Vec<Vec<usize>>;

/// Each group becomes one expert, which stands where the first of its members stood. Without a calibration set nothing is
/// similar, and experts that are not kept go.
pub(super) fn remove(model: &Model, kept: &[usize], given: &Given, grouping: Grouping) -> Remains {
    match given.calibration {
        Some(calibration) => {
            let groups = grouping(model, kept, calibration);
            let first = groups.iter().map(|group| group[0]).collect();
            Remains::smaller(merged(model, &groups, calibration), first)
        }
        None => Remains::smaller(model.subset(kept), kept.to_vec()),
    }
}

/// One expert for each group: the mean of its members' routers and neurons, weighted by gate mass.
fn merged(model: &Model, groups: &[Vec<usize>], calibration: &Calibration) -> Model {
    let mut merged = model.subset(&groups.iter().map(|group| group[0]).collect::<Vec<_>>());
    let size = model.neurons_per_expert * model.patterns;
    for (place, group) in groups.iter().enumerate() {
        let mass: f64 = group.iter().map(|&expert| calibration.experts[expert].gates).sum();
        let share = |expert: usize| match mass > 0.0 {
            true => calibration.experts[expert].gates / mass,
            false => 1.0 / group.len() as f64,
        };
        let average = |of: &dyn Fn(usize) -> Vec<f64>, into: &mut [f64]| {
            into.fill(0.0);
            for &expert in group {
                let share = share(expert);
                into.iter_mut().zip(of(expert)).for_each(|(sum, weight)| *sum += share * weight);
            }
        };
        average(
            &|expert| model.router(expert).to_vec(),
            &mut merged.routers[place * model.patterns..][..model.patterns],
        );
        average(&|expert| model.expert_neurons(expert).to_vec(), &mut merged.neurons[place * size..][..size]);
    }
    merged
}

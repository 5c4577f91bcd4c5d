//! The experts of each sign are clustered by similarity, and each cluster becomes one expert.

use super::{Given, Remains, Way, merging, nothing};
use crate::moe::Model;
use crate::prune::Calibration;
use crate::sim::parameters::MergePartition;

pub(super) const WAY: Way = Way { remove, activation: nothing };

fn remove(model: &Model, kept: &[usize], given: &Given) -> Remains {
    merging::remove(model, kept, given, clusters)
}

/// As many clusters in each sign as it has kept experts: the two most similar ones are joined, by the mean similarity of
/// their members, until so many are left; or, for a control, the two least similar ones. Which experts are kept does not matter beyond that.
fn clusters(model: &Model, kept: &[usize], calibration: &Calibration, partition: MergePartition) -> Vec<Vec<usize>> {
    let similarity: Vec<Vec<f64>> = (0..model.experts()).map(|expert| calibration.similarity_of(expert)).collect();
    let mean = |a: &[usize], b: &[usize]| {
        let pairs = a.iter().flat_map(|&a| b.iter().map(move |&b| (a, b)));
        let mean = pairs.map(|(a, b)| similarity[a][b]).sum::<f64>() / (a.len() * b.len()) as f64;
        if partition == MergePartition::Different { -mean } else { mean }
    };
    let mut all = Vec::new();
    for sign in [1.0, -1.0] {
        let target = kept.iter().filter(|&&expert| model.signs[expert] == sign).count();
        let members = (0..model.experts()).filter(|&expert| model.signs[expert] == sign);
        let mut clusters: Vec<Vec<usize>> = if target == 0 { Vec::new() } else { members.map(|s| vec![s]).collect() };
        while clusters.len() > target {
            let pairs = (1..clusters.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
            let scored = pairs.map(|(a, b)| (mean(&clusters[a], &clusters[b]), a, b));
            let Some((_, a, b)) = scored.reduce(|best, next| if next.0 > best.0 { next } else { best }) else { break };
            let joined = clusters.remove(b);
            clusters[a].extend(joined);
        }
        all.extend(clusters);
    }
    all.sort_by_key(|cluster| cluster.iter().min().copied());
    all
}

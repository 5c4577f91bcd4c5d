//! The experts of each sign are clustered by similarity, and each cluster becomes one expert.

use super::{Given, Remains, Way, merging, nothing};
use crate::moe::Model;
use crate::prune::Calibration;
use crate::sim::parameters::MergePartition;

pub(super) const WAY: Way = Way { remove, activation: nothing };

fn remove(model: &Model, kept: &[usize], given: &Given) -> Remains {
    merging::remove(model, kept, given, clusters)
}

/// As many clusters in each sign as it has kept experts: the two closest ones are joined, by the mean over their members,
/// until so many are left. Which experts are kept does not matter beyond that.
fn clusters(model: &Model, kept: &[usize], calibration: &Calibration, partition: MergePartition) -> Vec<Vec<usize>> {
    let closeness = closeness(model.experts(), calibration, partition);
    let mean = |a: &[usize], b: &[usize]| {
        let pairs = a.iter().flat_map(|&a| b.iter().map(move |&b| (a, b)));
        pairs.map(|(a, b)| closeness[a][b]).sum::<f64>() / (a.len() * b.len()) as f64
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

/// How much speaks for putting two experts into one group: their similarity, its opposite, or chance; `[k, k]`.
fn closeness(experts: usize, calibration: &Calibration, partition: MergePartition) -> Vec<Vec<f64>> {
    let chance = |expert: usize| calibration.chance.get(expert).copied().unwrap_or(0.0);
    let row = |expert: usize| match partition {
        MergePartition::Similar => calibration.similarity_of(expert),
        MergePartition::Different => calibration.similarity_of(expert).iter().map(|similarity| -similarity).collect(),
        MergePartition::Random => (0..experts).map(|other| -(chance(expert) - chance(other)).abs()).collect(),
    };
    (0..experts).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::streams::{Purpose, stream};
    use crate::patterns::{Batch, Sampler};
    use crate::sgd::EngineChoice;
    use crate::sim::{Overrides, Simulation, shipped};
    use crate::systems::{Setting, start};
    use rand::seq::SliceRandom;

    /// The adjusted Rand index of two partitions of n things: 1 if they are equal, 0 on average over random ones (Hubert and
    /// Arabie 1985).
    fn adjusted_rand(a: &[Vec<usize>], b: &[Vec<usize>]) -> f64 {
        let pairs = |count: usize| (count * count.saturating_sub(1) / 2) as f64;
        let shared = |a: &[usize], b: &[usize]| a.iter().filter(|thing| b.contains(thing)).count();
        let both: f64 = a.iter().flat_map(|a| b.iter().map(move |b| pairs(shared(a, b)))).sum();
        let of = |partition: &[Vec<usize>]| partition.iter().map(|group| pairs(group.len())).sum::<f64>();
        let expected = of(a) * of(b) / pairs(a.iter().map(Vec::len).sum());
        (both - expected) / ((of(a) + of(b)) / 2.0 - expected)
    }

    /// The mean index of the groups, where each copied expert could stay, against the built copies, over 20 models that
    /// nothing has trained, as `system-merge` builds them.
    fn index(partition: MergePartition, noise: f64) -> f64 {
        let file = shipped("system-merge").expect("is shipped");
        let parsed = Simulation::parse(file.file, file.text, &Overrides::default()).expect("is legal");
        let mut parameters = parsed.points().expect("is legal").remove(0).parameters;
        parameters.pretrained.copy_noise = noise;
        let of_seed = |seed: u64| {
            let setting = Setting { parameters: &parameters, seed, choice: EngineChoice::Auto };
            let system = start(&setting).0.system;
            let model = system.model().expect("the paper's model");
            let mut chance: Vec<f64> = (0..16).map(f64::from).collect();
            chance.shuffle(&mut stream(seed, Purpose::Criterion));
            let mut calibration = Calibration { chance, ..Calibration::new(16) };
            let mut batch = Batch::default();
            Sampler::evaluation(&parameters.data, seed).fill(&mut batch, 500);
            system.for_each_routed(&batch, &mut |sample| calibration.add_sample(&sample, system.groups()));
            // Of each sign five are kept: as many as there are different experts.
            let groups = clusters(model, &(0..10).collect::<Vec<_>>(), &calibration, partition);
            let mut built = vec![vec![0, 2, 4, 6], vec![1, 3, 5, 7]];
            built.extend((8..16).map(|expert| vec![expert]));
            adjusted_rand(&groups, &built)
        };
        (0..20).map(of_seed).sum::<f64>() / 20.0
    }

    #[test]
    fn similar_experts_are_the_built_copies_and_others_are_not() {
        assert!((index(MergePartition::Similar, 0.0) - 1.0).abs() < 1e-12);
        let (similar, random) = (index(MergePartition::Similar, 0.3), index(MergePartition::Random, 0.3));
        let different = index(MergePartition::Different, 0.3);
        assert!(similar > 0.98 && random.abs() < 0.2 && different < 0.0, "{similar} {random} {different}");
    }
}

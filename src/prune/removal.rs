//! What becomes of pruned experts: the pruned model as a model.

use super::statistics::Calibration;
use crate::moe::Model;
use crate::sim::parameters::Removal;

/// The model that keeps the experts `kept`, in ascending order; what becomes of the others is `removal`'s business.
///
/// A silent expert is one whose neurons are all 0: its router still takes tokens, which then contribute 0. A novice is
/// one whose neurons are all c, so that every pattern has the activation c: the gate-weighted mean activation over the
/// calibration set, which in expert choice is the mean of |f_s|. Without a calibration set c is 0, and nothing is similar.
/// Where experts are quantised nothing is removed: [`quantised`](super::quantise::quantised).
pub fn pruned_model(model: &Model, kept: &[usize], removal: Removal, calibration: Option<&Calibration>) -> Model {
    let mut kept = kept.to_vec();
    kept.sort_unstable();
    match (removal, calibration) {
        (Removal::Quantise, _) => model.clone(),
        (Removal::ZeroSlot, _) | (Removal::Novice, None) => levelled(model, &kept, |_| 0.0),
        (Removal::Novice, Some(calibration)) => levelled(model, &kept, |expert| novice(calibration, expert)),
        (Removal::Drop, _) | (_, None) => model.subset(&kept),
        (_, Some(calibration)) => merged(model, &merge_groups(model, &kept, removal, calibration), calibration),
    }
}

/// The experts of `model` that stand for those of the pruned one where experts go: the kept ones, or the first of each
/// merged group.
pub(crate) fn representatives(
    model: &Model,
    kept: &[usize],
    removal: Removal,
    calibration: Option<&Calibration>,
) -> Vec<usize> {
    match calibration {
        Some(calibration) if !removal.leaves_kept_alone() => {
            merge_groups(model, kept, removal, calibration).iter().map(|group| group[0]).collect()
        }
        _ => kept.to_vec(),
    }
}

/// Which experts become one.
fn merge_groups(model: &Model, kept: &[usize], removal: Removal, calibration: &Calibration) -> Vec<Vec<usize>> {
    match removal {
        Removal::MergeGroup => groups(model, kept, calibration),
        _ => nearest(model, kept, calibration),
    }
}

/// The constant activation c_s that stands for an expert: Σ Γ A / Σ Γ over its routed pairs; 0 if it has none.
pub fn novice(calibration: &Calibration, expert: usize) -> f64 {
    let sums = &calibration.experts[expert];
    if sums.gates > 0.0 { sums.gated / sums.gates } else { 0.0 }
}

/// Every neuron of the experts that are not kept becomes `level` everywhere.
fn levelled(model: &Model, kept: &[usize], level: impl Fn(usize) -> f64) -> Model {
    let mut levelled = model.clone();
    let size = model.neurons_per_expert * model.patterns;
    for (expert, neurons) in levelled.neurons.chunks_exact_mut(size).enumerate() {
        if kept.binary_search(&expert).is_err() {
            neurons.fill(level(expert));
        }
    }
    levelled
}

/// Each kept expert with the pruned ones of its sign that are most similar to it. A pruned expert without a kept one of
/// its sign goes.
fn nearest(model: &Model, kept: &[usize], calibration: &Calibration) -> Vec<Vec<usize>> {
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

/// As many clusters in each sign as it has kept experts: the two most similar ones are joined, by the mean similarity of
/// their members, until so many are left. Which experts are kept does not matter beyond that.
fn groups(model: &Model, kept: &[usize], calibration: &Calibration) -> Vec<Vec<usize>> {
    let similarity: Vec<Vec<f64>> = (0..model.experts()).map(|expert| calibration.similarity_of(expert)).collect();
    let mean = |a: &[usize], b: &[usize]| {
        let pairs = a.iter().flat_map(|&a| b.iter().map(move |&b| (a, b)));
        pairs.map(|(a, b)| similarity[a][b]).sum::<f64>() / (a.len() * b.len()) as f64
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

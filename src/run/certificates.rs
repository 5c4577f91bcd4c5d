//! The certificates of a run: of the unpruned model, of the pruning path up to γ, and of every subset.

use crate::certify::{Budget, Certificate, ModelTable, Radii, Support, certify_path, certify_subsets, smallest_met};
use crate::measure::Role;
use crate::moe::{BuiltRole, Model};
use crate::sim::Parameters;

/// Passes that the certificate of every subset may take: it is a by-product, and mostly decided quickly.
const SUBSET_PASSES: usize = 100;

/// Which experts count as irrelevant, by either source of roles.
#[derive(Clone, Copy)]
pub(super) struct Irrelevant<'a> {
    pub(super) measured: &'a [Role],
    pub(super) built: &'a [BuiltRole],
}

/// What was proved of a run's models.
#[derive(Default)]
pub(super) struct Proofs {
    /// Of the models that keep k, k − 1, … experts, as many as have ρ ≤ γ by measured or by built roles, or of the unpruned
    /// one alone; none if certificates are off or do not apply.
    pub(super) path: Vec<Certificate>,
    /// The smallest margin of the inputs of the unpruned model that were met.
    pub(super) met: Option<f64>,
    /// Of every subset of the irrelevant experts, by measured roles.
    pub(super) subsets: Option<Certificate>,
}

/// Certifies the trained model along the pruning order.
pub(super) fn prove(model: &Model, keep_first: &[usize], roles: Irrelevant, parameters: &Parameters) -> Proofs {
    let nodes = parameters.certificate.nodes;
    if nodes == 0 || !parameters.data.tokens_are_patterns() {
        return Proofs::default();
    }
    let support = Support::of(&parameters.data);
    let Some(table) = ModelTable::new(model, &support, Radii::default()) else { return Proofs::default() };
    let nodes = Budget::nodes(nodes);
    let met =
        |path: &[Certificate]| path.first().and_then(|unpruned| smallest_met(&table, &support, keep_first, unpruned));
    if !parameters.certificate.pruned {
        let path = certify_path(&table, &support, keep_first, keep_first.len(), nodes);
        return Proofs { met: met(&path), path, subsets: None };
    }
    let irrelevant: Vec<bool> = roles.measured.iter().map(|&role| role == Role::Irrelevant).collect();
    let measured = irrelevant.iter().filter(|&&irrelevant| irrelevant).count();
    let built = roles.built.iter().filter(|&&role| role == BuiltRole::Irrelevant).count();
    let fewest = keep_first.len().saturating_sub(measured.max(built)).max(1);
    let few = Budget { root_passes: SUBSET_PASSES, ..Budget::nodes(1) };
    let path = certify_path(&table, &support, keep_first, fewest, nodes);
    Proofs { met: met(&path), path, subsets: Some(certify_subsets(&table, &support, &irrelevant, few)) }
}

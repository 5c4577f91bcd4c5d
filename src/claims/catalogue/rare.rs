//! Q: experts for rare features, pruned with the irrelevant ones or protected from few bits.

use super::{Definition, PLAIN, Rule};
use crate::claims::assumptions::Assumption;
use crate::claims::observation::{Observation, RunDecision};
use crate::measure::Role;
use crate::record::{ExpertRow, PruningRow};
use crate::sim::{ClaimId, RoleSource};
use crate::stats::decimal::{difference, product};

use Assumption::{Balance, Labels, Roles};

pub(super) const CLAIMS: &[Definition] = &[
    Definition {
        id: ClaimId::Q1,
        statement: "pruned to as many experts as serve the common features the model has lost the rare ones",
        holds_if: "with as many experts kept as are relevant for a common feature the accuracy is lower than the unpruned model's by at least `threshold`·α",
        figure: "fall of the accuracy in units of α",
        assumptions: &[Labels, Balance, Roles],
        source: "ours: what is left if a small norm change marks irrelevant and rare experts alike",
        rule: Rule::Bounded(loses_the_rare),
        constant: "by at least {}·α",
        ..PLAIN
    },
    Definition {
        id: ClaimId::Q2,
        statement: "experts for rare features need more bits than experts for common ones",
        holds_if: "b_rare > b_common, the fewest bits at which the experts of that role can be quantised with both accuracies, on common and on rare features, within 0.01",
        figure: "b_rare − b_common",
        assumptions: &[Labels, Balance, Roles],
        source: "router-norm quantization (arXiv 2604.06515): protect small norm changes",
        rule: Rule::Property(rare_needs_more_bits),
        ..PLAIN
    },
    Definition {
        id: ClaimId::Q3,
        statement: "experts for rare features need log₂((1 − α)/α) more bits than experts for common ones",
        holds_if: "|b_rare − b_common − log₂((1 − α)/α)| ≤ `threshold`, with the bits of Q2",
        figure: "b_rare − b_common − log₂((1 − α)/α)",
        assumptions: &[Labels, Balance, Roles],
        source: "router-norm quantization (arXiv 2604.06515), its rule for the two widths",
        rule: Rule::Bounded(bits_follow_the_rule),
        constant: "within {} bits",
        ..PLAIN
    },
    Definition {
        id: ClaimId::Q4,
        statement: "irrelevant experts need no more bits than experts for common features",
        holds_if: "b_irrelevant ≤ b_common, with the bits of Q2: a small norm change alone asks for no bits",
        figure: "b_irrelevant − b_common",
        assumptions: &[Labels, Balance, Roles],
        source: "ours: prune small norm changes (arXiv 2405.16646) and protect them (arXiv 2604.06515) cannot both be right of irrelevant experts",
        rule: Rule::Property(irrelevant_needs_no_bits),
        ..PLAIN
    },
];

/// Here and below a run without the figure counts against.
fn loses_the_rare(run: &Observation, roles: RoleSource, threshold: f64) -> RunDecision {
    let Some((unpruned, pruned)) = common_experts_alone(run, roles) else { return RunDecision::WITHOUT_FIGURE };
    let share = run.parameters.data.rare_share;
    let least = product(threshold, share);
    let fall = unpruned.correct().zip(pruned.correct()).map(|(unpruned, pruned)| unpruned.minus(pruned));
    let figure = unpruned.accuracy.zip(pruned.accuracy).map(|(unpruned, pruned)| (unpruned - pruned) / share);
    RunDecision::new(fall.is_some_and(|fall| fall >= least), figure)
}

fn rare_needs_more_bits(run: &Observation, _: RoleSource) -> RunDecision {
    of_figure(more_bits_than_common(run, run.run.bits_rare), |more| more > 0.0)
}

fn bits_follow_the_rule(run: &Observation, _: RoleSource, most: f64) -> RunDecision {
    // log₂((1 − α)/α)
    let share = run.parameters.data.rare_share;
    let log_odds = libm::log2(difference(1.0, share) / share);
    of_figure(more_bits_than_common(run, run.run.bits_rare).map(|more| more - log_odds), |off| off.abs() <= most)
}

fn irrelevant_needs_no_bits(run: &Observation, _: RoleSource) -> RunDecision {
    of_figure(more_bits_than_common(run, run.run.bits_irrelevant), |more| more <= 0.0)
}

fn more_bits_than_common(run: &Observation, bits: Option<f64>) -> Option<f64> {
    Some(bits? - run.run.bits_common?)
}

/// The unpruned model, and the one that keeps as many experts as are relevant for a common feature.
fn common_experts_alone<'a>(run: &'a Observation, roles: RoleSource) -> Option<(&'a PruningRow, &'a PruningRow)> {
    let feature = |row: &ExpertRow| match roles {
        RoleSource::Measured => row.feature,
        RoleSource::Built => row.built_feature,
    };
    let is_common = |row: &&ExpertRow| row.role_by(roles) == Role::Relevant && feature(row) == Some(0);
    let common = run.experts.iter().filter(is_common).count();
    let pruned = run.own().iter().find(|row| !row.finetuned && row.kept == common)?;
    Some((run.unpruned()?, pruned))
}

fn of_figure(figure: Option<f64>, holds: impl Fn(f64) -> bool) -> RunDecision {
    RunDecision::new(figure.is_some_and(holds), figure)
}

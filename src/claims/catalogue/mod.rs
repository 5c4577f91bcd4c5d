//! The claims, one file a family: what each says, what decides it in a run, and under which assumptions.
//!
//! A claim is one entry of its family's list, and one of [`CLAIM_KEYS`] (what a simulation file may say of it). A claim
//! that has the one and not the other does not compile.

mod comparison;
mod finite_sample;
mod generalisation;
mod norm_change;
mod pruning;
mod rare;

pub(crate) use finite_sample::bound_terms;

use super::assumptions::Assumption;
use super::comparison::{Direction, conditions};
use super::margin::Margin;
use super::observation::{Observation, RunDecision};
use super::slope_parts::SlopePart;
use crate::sim::{CLAIM_KEYS, ClaimId, ClaimKey, ClaimSpec, ConstantRule, RoleSource, find_claim};

/// One claim of the theory.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Which one.
    pub id: ClaimId,
    /// The claim in words.
    pub statement: &'static str,
    /// What has to be true of one run for the claim to hold there.
    pub holds_if: &'static str,
    /// The figure whose median the tables show beside the verdict; empty if there is none.
    pub figure: &'static str,
    /// The assumptions under which it is claimed (`on = "met"`).
    pub assumptions: &'static [Assumption],
    /// Where it comes from.
    pub source: &'static str,
    /// What decides it in a run.
    pub(crate) rule: Rule,
    /// Whether it speaks of the probability that it holds in a run at each point; else only of slopes and constants over
    /// several points.
    pub has_probability: bool,
    /// Whether the largest figure at the smaller half of the d's of a line must bound that of a run at every larger d.
    pub bounded_by_smaller: bool,
    /// The slopes that it speaks of.
    pub slopes: &'static [SlopePart<'static>],
    /// How tables show its constant: `c₁ = {}`.
    pub constant: &'static str,
    /// The constant of the shipped simulations, which the falsifier takes.
    pub usual_threshold: Option<f64>,
    /// How the falsifier measures how far a run is from failing.
    pub(crate) margin: Margin,
}

/// What decides a claim in one run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// Nothing: it speaks of slopes alone.
    Sweep,
    /// Two expressions of the [language](crate::language).
    Written {
        /// The condition.
        holds: &'static str,
        /// The figure.
        figure: &'static str,
    },
    /// The run, by what no expression says.
    Property(fn(&Observation, RoleSource) -> RunDecision),
    /// The run and the claim's R and Λ.
    WithinRange(fn(&Observation, &ClaimSpec, [f64; 2]) -> RunDecision),
    /// The run, of two criteria.
    Compared(Direction),
}

/// What an entry need not say.
const PLAIN: Definition = Definition {
    id: ClaimId::T0,
    statement: "",
    holds_if: "",
    figure: "",
    assumptions: &[],
    source: "",
    rule: Rule::Sweep,
    has_probability: true,
    bounded_by_smaller: false,
    slopes: &[],
    constant: "",
    usual_threshold: None,
    margin: Margin::Figure,
};

const FAMILIES: &[&[Definition]] = &[
    generalisation::CLAIMS,
    norm_change::CLAIMS,
    pruning::CLAIMS,
    finite_sample::CLAIMS,
    comparison::CLAIMS,
    rare::CLAIMS,
];

/// Every claim, in the order of the theory.
pub static DEFINITIONS: [Definition; CLAIM_KEYS.len()] = in_order(FAMILIES);

impl Definition {
    /// Whether it has parts that are shares of runs: at every point, or of the runs within a constant. A comparison has
    /// none.
    pub fn judges_probabilities(&self) -> bool {
        let is_compared = matches!(self.rule, Rule::Compared(_));
        (self.has_probability && !is_compared) || self.bounded_by_smaller
    }

    /// What has to be true of a run, and the figure, in the [language](crate::language), if expressions say it.
    pub fn expressions(&self) -> Option<[&'static str; 2]> {
        if let Rule::Written { holds, figure } = self.rule { Some([holds, figure]) } else { None }
    }

    /// The conditions on a run, in the language, that a comparison is judged by: that the other criterion is better somewhere,
    /// and that the file's is.
    pub fn compared_conditions(&self) -> Option<[String; 2]> {
        matches!(self.rule, Rule::Compared(_)).then(|| conditions(None))
    }

    /// The definition of a claim.
    pub fn of(id: ClaimId) -> &'static Self {
        &DEFINITIONS[id as usize]
    }
}

/// The definition of the claim with this id or alias.
pub fn definition(id: &str) -> Option<&'static Definition> {
    find_claim(id).map(|key| Definition::of(key.id))
}

/// All entries at their places. Does not compile if one is missing, stands twice, or has another rule than its keys.
const fn in_order<const N: usize>(families: &[&[Definition]]) -> [Definition; N] {
    let mut all = [PLAIN; N];
    let mut is_known = [false; N];
    let (mut family, mut known) = (0, 0);
    while family < families.len() {
        let mut entry = 0;
        while entry < families[family].len() {
            let definition = families[family][entry];
            let place = definition.id as usize;
            assert!(!is_known[place], "a claim stands twice");
            assert!(fits(&definition, &CLAIM_KEYS[place]), "a claim's rule does not take the constants of its keys");
            all[place] = definition;
            is_known[place] = true;
            known += 1;
            entry += 1;
        }
        family += 1;
    }
    assert!(known == N, "a claim that a file may name has no definition");
    all
}

/// Whether the rule takes the constants that a file gives, in a `[[claim]]` that asks for it and in a map; and whether
/// slopes have a threshold.
const fn fits(definition: &Definition, key: &ClaimKey) -> bool {
    let in_claims = !definition.has_probability || takes(&definition.rule, &key.constants);
    let in_maps = match &key.in_maps {
        None => true,
        Some(rule) => takes(&definition.rule, rule),
    };
    in_claims && in_maps && key.slope.is_some() != definition.slopes.is_empty()
}

const fn takes(rule: &Rule, constants: &ConstantRule) -> bool {
    matches!(
        (rule, constants),
        (Rule::Property(_) | Rule::Written { .. }, ConstantRule::None)
            | (Rule::Written { .. }, ConstantRule::Threshold { .. })
            | (Rule::WithinRange(_), ConstantRule::Range)
            | (Rule::Compared(_), ConstantRule::Comparison)
    )
}

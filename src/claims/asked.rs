//! What is asked of the runs by a claim of a file, be it one of the theory or one of the file's own.

use super::catalogue::Definition;
use super::margin::Margin;
use super::slope_parts::SlopePart;
use crate::sim::{Assumed, ClaimName, ClaimSpec, Missing};

impl ClaimSpec {
    /// The definition of a claim of the theory; `None` of one that the file makes.
    pub fn definition(&self) -> Option<&'static Definition> {
        if let ClaimName::Known(id) = self.id { Some(Definition::of(id)) } else { None }
    }

    /// The claim in words.
    pub fn statement(&self) -> &str {
        match &self.id {
            ClaimName::Known(id) => Definition::of(*id).statement,
            ClaimName::Own(own) if own.statement.is_empty() => own.holds.as_ref().map_or("", |holds| holds.text()),
            ClaimName::Own(own) => &own.statement,
        }
    }

    /// The figure whose median tables show, in words or as it is written; empty if there is none.
    pub fn figure_words(&self) -> &str {
        match &self.id {
            ClaimName::Known(id) => Definition::of(*id).figure,
            ClaimName::Own(own) => own.figure.as_ref().map_or("", |figure| figure.text()),
        }
    }

    /// How tables show its constant: `c₁ = {}`.
    pub(crate) fn constant_words(&self) -> &str {
        self.definition().map_or("threshold = {}", |definition| definition.constant)
    }

    /// What has to be true of a run for the claim to hold there.
    pub fn holds_if(&self) -> &str {
        match &self.id {
            ClaimName::Known(id) => Definition::of(*id).holds_if,
            ClaimName::Own(own) => own.holds.as_ref().map_or("", |holds| holds.text()),
        }
    }

    /// What it assumes.
    pub fn assumptions(&self) -> Vec<Assumed> {
        match &self.id {
            ClaimName::Known(id) => Definition::of(*id).assumptions.iter().copied().map(Assumed::Known).collect(),
            ClaimName::Own(own) => own.assumes.clone(),
        }
    }

    /// The slopes that it speaks of.
    pub(super) fn slopes(&self) -> Vec<SlopePart<'_>> {
        match &self.id {
            ClaimName::Known(id) => Definition::of(*id).slopes.to_vec(),
            ClaimName::Own(own) => own.slope.iter().map(SlopePart::own).collect(),
        }
    }

    /// Whether it speaks of the probability that it holds in a run at each point.
    pub(super) fn has_probability(&self) -> bool {
        match &self.id {
            ClaimName::Known(id) => Definition::of(*id).has_probability,
            ClaimName::Own(own) => own.holds.is_some(),
        }
    }

    /// Whether runs in which it has no value are set aside, in place of counting against it.
    pub(super) fn sets_missing_aside(&self) -> bool {
        self.id.own().is_some_and(|own| own.missing == Missing::SetAside)
    }

    /// How the falsifier measures how far a run is from failing.
    pub(crate) fn margin(&self) -> Margin {
        self.definition().map_or(Margin::BeyondThreshold, |definition| definition.margin)
    }

    /// Whether it has parts that are shares of runs.
    pub fn judges_probabilities(&self) -> bool {
        self.definition().map_or(self.has_probability(), Definition::judges_probabilities)
    }
}

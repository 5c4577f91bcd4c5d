//! The rows of a run as expressions read them.

use super::observation::Observation;
use crate::language::{Cell, Number, Rows};
use crate::measure::Role;
use crate::record::row::{Datum, Row};
use crate::record::vocabulary::{EXPERTS, Most, PRUNING, RUNS, Source, TRAJECTORY, Vocabulary, vocabulary};
use crate::sim::parameters::Criterion;
use crate::sim::{ClaimSpec, Parameters, RoleSource, Value};
use crate::stats::decimal::Share;
use std::cell::OnceCell;

/// The values of a point's keys.
pub(super) struct KeyValues<'a> {
    parameters: &'a Parameters,
    values: OnceCell<Vec<Value>>,
}

impl<'a> KeyValues<'a> {
    pub fn new(parameters: &'a Parameters) -> Self {
        Self { parameters, values: OnceCell::new() }
    }

    fn value(&self, key: usize) -> Option<&Value> {
        self.values.get_or_init(|| self.parameters.values()).get(key)
    }
}

/// Of a point alone: nothing of a run can be read.
impl Rows for KeyValues<'_> {
    fn count(&self, _: usize) -> usize {
        0
    }

    fn number(&self, cell: Cell, _: usize) -> Option<Number> {
        match vocabulary().source(cell)? {
            Source::Key(key) => Number::decimal(self.value(key)?.number()?),
            _ => None,
        }
    }

    fn truth(&self, cell: Cell, _: usize) -> Option<bool> {
        match (vocabulary().source(cell)?, vocabulary().key(cell)) {
            (_, Some(key)) => match self.value(key)? {
                Value::Flag(flag) => Some(*flag),
                _ => None,
            },
            _ => None,
        }
    }

    fn word(&self, cell: Cell, _: usize) -> Option<&str> {
        match self.value(vocabulary().key(cell)?)? {
            Value::Choice(word) => Some(word),
            _ => None,
        }
    }

    fn beside(&self, _: usize, _: usize, _: usize) -> Option<usize> {
        None
    }
}

/// The rows of a run, with the constants and roles of a claim.
pub(super) struct RunRows<'a> {
    run: &'a Observation<'a>,
    roles: RoleSource,
    threshold: Option<f64>,
    level: f64,
    keys: KeyValues<'a>,
    /// How many pruned models are the file's criterion's; they are the first ones.
    own: usize,
    vocabulary: &'static Vocabulary,
}

impl<'a> RunRows<'a> {
    pub fn new(run: &'a Observation<'a>, claim: &ClaimSpec) -> Self {
        Self {
            run,
            roles: claim.roles,
            threshold: claim.threshold(),
            level: claim.level,
            keys: KeyValues::new(run.parameters),
            own: run.own().len(),
            vocabulary: vocabulary(),
        }
    }

    fn datum(&self, table: usize, place: usize, row: usize) -> Option<Datum<'_>> {
        let datum = match table {
            RUNS => self.run.run.datum(place),
            EXPERTS => self.run.experts.get(row)?.datum(place),
            PRUNING => self.run.pruning.get(row)?.datum(place),
            TRAJECTORY => self.run.trajectory.get(row)?.datum(place),
            _ => return None,
        };
        Some(datum)
    }

    /// A share of counts: that of the samples that are classified correctly, or the one that was rounded to the float.
    fn share(&self, cell: Cell, place: usize, most: Most, row: usize) -> Option<Number> {
        let Datum::Number(float) = self.datum(cell.table, place, row)? else { return None };
        let most = match (most, cell.table) {
            (Most::Experts, _) => self.run.parameters.model.experts as u64,
            (Most::Samples, PRUNING) => self.run.pruning.get(row)?.samples.unwrap_or(0),
            (Most::Samples, _) => self.run.parameters.evaluation.samples as u64,
        };
        match Share::nearest(float, most) {
            Some(share) => Number::share(float, share.part, share.whole),
            None => Number::measured(float),
        }
    }
}

impl Rows for RunRows<'_> {
    fn count(&self, table: usize) -> usize {
        match table {
            EXPERTS => self.run.experts.len(),
            PRUNING => self.own,
            TRAJECTORY => self.run.trajectory.len(),
            _ => 1,
        }
    }

    fn number(&self, cell: Cell, row: usize) -> Option<Number> {
        match self.vocabulary.source(cell)? {
            Source::Column(place) => match self.datum(cell.table, place, row)? {
                Datum::Number(number) => Number::measured(number),
                Datum::Whole(number) => Some(Number::whole(number)),
                _ => None,
            },
            Source::Share(place, most) => self.share(cell, place, most, row),
            Source::Threshold => Number::decimal(self.threshold?),
            Source::Level => Number::decimal(self.level),
            Source::Key(_) => self.keys.number(cell, row),
            Source::Role(_) | Source::Common => None,
        }
    }

    fn truth(&self, cell: Cell, row: usize) -> Option<bool> {
        let role = || self.run.experts.get(row).map(|expert| expert.role_by(self.roles));
        match self.vocabulary.source(cell)? {
            Source::Column(place) => match self.datum(cell.table, place, row)? {
                Datum::Flag(flag) => Some(flag),
                _ => None,
            },
            Source::Role(wanted) => Some(role()? == wanted),
            Source::Common => {
                let expert = self.run.experts.get(row)?;
                let feature = match self.roles {
                    RoleSource::Measured => expert.feature,
                    RoleSource::Built => expert.built_feature,
                };
                Some(role()? == Role::Relevant && feature == Some(0))
            }
            _ => self.keys.truth(cell, row),
        }
    }

    fn word(&self, cell: Cell, row: usize) -> Option<&str> {
        match self.vocabulary.source(cell)? {
            Source::Column(place) => match self.datum(cell.table, place, row)? {
                Datum::Word(word) => Some(word),
                _ => None,
            },
            _ => self.keys.word(cell, row),
        }
    }

    /// The model that another criterion prunes to as many experts, trained again or not as this one.
    fn beside(&self, table: usize, row: usize, other: usize) -> Option<usize> {
        let (own, criterion) = (self.run.pruning.get(row).filter(|_| table == PRUNING)?, Criterion::ALL.get(other)?);
        let alike = |pruned: &crate::record::PruningRow| {
            pruned.criterion == *criterion && pruned.kept == own.kept && pruned.finetuned == own.finetuned
        };
        self.run.pruning.iter().position(alike)
    }
}

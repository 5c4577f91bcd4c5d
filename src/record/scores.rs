//! The columns of `experts.csv` that hold scores, by criterion.

use super::column::{Column, Kind};
use super::row::{Datum, Field};
use crate::sim::parameters::Criterion;
use crate::sim::words::Word;
use serde::de::{Error, MapAccess};
use serde::ser::{Serialize, SerializeTuple, Serializer};
use std::ops::{Index, IndexMut};

/// The score of an expert under each criterion; `None` if it was not computed. Under a criterion that chooses a set for
/// every number kept it is in how many of these sets the expert is.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores([Option<f64>; Criterion::ALL.len()]);

impl Default for Scores {
    fn default() -> Self {
        Self([None; Criterion::ALL.len()])
    }
}

impl Index<Criterion> for Scores {
    type Output = Option<f64>;

    fn index(&self, criterion: Criterion) -> &Option<f64> {
        &self.0[criterion as usize]
    }
}

impl IndexMut<Criterion> for Scores {
    fn index_mut(&mut self, criterion: Criterion) -> &mut Option<f64> {
        &mut self.0[criterion as usize]
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cells = serializer.serialize_tuple(Criterion::COLUMNS.len())?;
        for criterion in Criterion::COLUMNS {
            cells.serialize_element(&self[criterion])?;
        }
        cells.end()
    }
}

impl Field for Scores {
    fn kind() -> Kind {
        Kind::Number
    }

    const WIDTH: usize = Criterion::COLUMNS.len();

    fn datum(&self, place: usize) -> Datum<'_> {
        let score = Criterion::COLUMNS.get(place).and_then(|criterion| self[*criterion]);
        score.map_or(Datum::Empty, Datum::Number)
    }

    fn columns(described: Column) -> Vec<Column> {
        let column = |criterion: Criterion| Column {
            name: criterion.name(),
            kind: if criterion.may_be_infinite() { Kind::Extended } else { described.kind },
            meaning: match (criterion.is_set(), criterion.is_always_scored()) {
                (true, _) => {
                    "in how many of the sets of kept experts, one for every number kept, the expert is: the larger, the longer it is \
                     kept"
                }
                (false, true) => "the score under the criterion of that name, whichever the file chose",
                (false, false) => described.meaning,
            },
            empty: if criterion.is_always_scored() { "diverged" } else { described.empty },
            ..described
        };
        Criterion::COLUMNS.map(column).to_vec()
    }

    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Option<Self>,
        _: &'static str,
        column: &[u8],
        cells: &mut A,
    ) -> Result<bool, A::Error> {
        let Some(criterion) = std::str::from_utf8(column).ok().and_then(Criterion::of_name) else { return Ok(false) };
        let score = &mut slot.get_or_insert_default()[criterion];
        if score.is_some() {
            return Err(A::Error::duplicate_field(criterion.name()));
        }
        *score = cells.next_value()?;
        Ok(true)
    }

    fn absent<E: Error>(_: &'static str) -> Result<Self, E> {
        Ok(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ExpertRow, tables};

    #[test]
    fn every_score_has_the_column_of_its_name_and_is_read_from_it() -> Result<(), csv::Error> {
        for &criterion in Criterion::ALL {
            let mut row = ExpertRow::default();
            row.scores[criterion] = Some(0.25);
            let text = String::from_utf8_lossy(&tables::to_csv(&[row.clone()])?).into_owned();
            let mut lines = text.lines().map(|line| line.split(','));
            let (names, values) = (lines.next().into_iter().flatten(), lines.next().into_iter().flatten());
            let filled: Vec<&str> =
                names.zip(values).filter(|(_, value)| *value == "0.25").map(|(name, _)| name).collect();
            assert_eq!(filled, [criterion.name()]);
            assert_eq!(tables::read::<ExpertRow>(text.as_bytes())?, [row]);
        }
        Ok(())
    }

    #[test]
    fn columns_stand_where_they_always_stood() {
        let names = Criterion::COLUMNS.map(Criterion::name);
        assert_eq!(
            &names[..5],
            [
                "router-norm-change",
                "router-displacement",
                "random",
                "router-norm-change-abs",
                "router-norm-change-centred"
            ]
        );
        assert!(names.ends_with(&["router-norm-change-reversed", "router-norm-change-between"]), "{names:?}");
        assert!(Criterion::ALL.iter().all(|criterion| Criterion::COLUMNS.contains(criterion)));
    }

    #[test]
    fn a_score_that_is_none_is_refused_and_names_its_place() {
        let text = "point,run,expert,sign,built_role,role,norm_0,max_range,lambda1_0,lambda2_0,p1_0,p2_0,reap\n\
                    0,0,0,1,relevant,relevant,1,1,1,1,1,1,much\n";
        let error = tables::read::<ExpertRow>(text.as_bytes()).expect_err("no number").to_string();
        assert!(error.contains("field 12") && error.contains("invalid float literal"), "{error}");
        let twice = text.replace(",reap\n", ",reap,reap\n").replace("much", "1,2");
        let error = tables::read::<ExpertRow>(twice.as_bytes()).expect_err("two columns").to_string();
        assert!(error.contains("duplicate field `reap`"), "{error}");
        let without = text.replace("expert,", "").replace("0,0,0,", "0,0,").replace("much", "1");
        let error = tables::read::<ExpertRow>(without.as_bytes()).expect_err("a column is missing").to_string();
        assert!(error.contains("missing field `expert`"), "{error}");
    }
}

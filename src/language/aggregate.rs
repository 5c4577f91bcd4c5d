//! Aggregates over the rows of a table.

use super::evaluate::{Frame, Value};
use super::function::OfNumbers;
use super::number::Number;
use super::program::{Aggregate, AggregateOf, NumberTerm, TruthTerm};
use super::schema::Rows;
use crate::stats::quantile::quantile;

impl<R: Rows> Frame<'_, R> {
    /// The value of an aggregate. Over a table without rows, and where a condition is missing in a row, it is missing.
    pub(crate) fn aggregate(&self, aggregate: &Aggregate) -> Value {
        let rows = self.rows_of(aggregate);
        match &aggregate.of {
            AggregateOf::Numbers(function, term) => {
                Value::Number(rows.and_then(|rows| self.numbers(*function, term, &rows)))
            }
            AggregateOf::Quantile(term, which) => {
                Value::Number(rows.and_then(|rows| self.quantile(term, self.number(which, 0)?, &rows)))
            }
            AggregateOf::Count(term) => Value::Number(rows.and_then(|rows| {
                let (holding, _) = self.counted(term, &rows)?;
                Some(Number::whole(holding))
            })),
            AggregateOf::Share(term) => Value::Number(rows.and_then(|rows| {
                let (holding, all) = self.counted(term, &rows)?;
                Number::whole(holding).divided_by(Number::whole(all))
            })),
            AggregateOf::All(term) => Value::Truth(rows.and_then(|rows| self.over_rows(false, term, &rows))),
            AggregateOf::Any(term) => Value::Truth(rows.and_then(|rows| self.over_rows(true, term, &rows))),
        }
    }

    /// The rows in which the condition holds; `None` if it is missing in one, or if the table has no rows.
    fn rows_of(&self, aggregate: &Aggregate) -> Option<Vec<usize>> {
        let count = self.rows.count(aggregate.table);
        if count == 0 {
            return None;
        }
        let Some(condition) = &aggregate.condition else { return Some((0..count).collect()) };
        let mut rows = Vec::new();
        for row in 0..count {
            if self.truth(condition, row)? {
                rows.push(row);
            }
        }
        Some(rows)
    }

    fn numbers(&self, function: OfNumbers, term: &NumberTerm, rows: &[usize]) -> Option<Number> {
        let numbers: Vec<Number> = rows.iter().map(|row| self.number(term, *row)).collect::<Option<_>>()?;
        match function {
            OfNumbers::Min => numbers.into_iter().reduce(Number::smaller),
            OfNumbers::Max => numbers.into_iter().reduce(Number::larger),
            OfNumbers::Sum => sum(&numbers),
            OfNumbers::Mean => {
                let count = i64::try_from(numbers.len()).ok().filter(|count| *count > 0)?;
                sum(&numbers)?.divided_by(Number::whole(count))
            }
            OfNumbers::Median => middle(numbers),
        }
    }

    fn quantile(&self, term: &NumberTerm, which: Number, rows: &[usize]) -> Option<Number> {
        let mut floats: Vec<f64> =
            rows.iter().map(|row| self.number(term, *row).map(Number::float)).collect::<Option<_>>()?;
        floats.sort_by(f64::total_cmp);
        Number::measured(quantile(&floats, which.float())?)
    }

    /// How many of the rows meet a condition, and how many there are.
    fn counted(&self, term: &TruthTerm, rows: &[usize]) -> Option<(i64, i64)> {
        let mut holding = 0;
        for row in rows {
            holding += i64::from(self.truth(term, *row)?);
        }
        Some((holding, i64::try_from(rows.len()).ok()?))
    }

    /// Whether all rows, or any, meet a condition; `None` without rows.
    fn over_rows(&self, decisive: bool, term: &TruthTerm, rows: &[usize]) -> Option<bool> {
        let truths = rows.iter().map(|row| self.truth(term, *row));
        if rows.is_empty() { None } else { self.decided_by(decisive, truths) }
    }
}

/// In the order of the rows; 0 without any.
fn sum(numbers: &[Number]) -> Option<Number> {
    let mut numbers = numbers.iter().copied();
    let first = numbers.next().unwrap_or(Number::whole(0));
    numbers.try_fold(first, Number::plus)
}

/// The middle number, or the mean of the two middle ones.
fn middle(mut numbers: Vec<Number>) -> Option<Number> {
    numbers.sort_by(|a, b| a.compare(*b));
    let upper = numbers.len() / 2;
    let above = *numbers.get(upper)?;
    if numbers.len() % 2 == 1 {
        return Some(above);
    }
    numbers.get(upper.checked_sub(1)?)?.plus(above)?.divided_by(Number::whole(2))
}

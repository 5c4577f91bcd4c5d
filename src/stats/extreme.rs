//! The smallest or the largest of numbers that must all be there.

/// The extreme of the numbers; `None` if there are none or one is missing.
pub fn extreme(numbers: impl Iterator<Item = Option<f64>>, pick: fn(f64, f64) -> f64) -> Option<f64> {
    numbers.collect::<Option<Vec<f64>>>()?.into_iter().reduce(pick)
}

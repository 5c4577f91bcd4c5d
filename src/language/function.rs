//! The functions: of numbers, and over rows.

/// Functions of one number, with what they are. Exponentials and logarithms are `libm`'s: the same bits on every machine.
pub const FUNCTIONS: [(&str, &str); 13] = [
    ("sqrt", "square root"),
    ("exp", "exponential"),
    ("log", "natural logarithm"),
    ("ln", "natural logarithm"),
    ("log2", "logarithm to base 2"),
    ("log10", "logarithm to base 10"),
    ("abs", "absolute value"),
    ("floor", "largest whole number below or equal"),
    ("ceil", "smallest whole number above or equal"),
    ("round", "nearest whole number, halves away from 0"),
    ("min", "the smallest of two or more numbers"),
    ("max", "the largest of two or more numbers"),
    ("known", "whether a value is there"),
];

/// Aggregates over the rows of a table, with what they are.
pub const AGGREGATES: [(&str, &str); 10] = [
    ("min", "smallest value"),
    ("max", "largest value"),
    ("sum", "sum; 0 over no row"),
    ("mean", "arithmetic mean"),
    ("median", "the middle value, or the mean of the two middle ones"),
    ("quantile", "quantile(x, q): the q-quantile of type 7, as NumPy's"),
    ("count", "rows in which a condition holds; 0 if there is none"),
    ("share", "share of the rows in which a condition holds"),
    ("all", "whether a condition holds in every row"),
    ("any", "whether a condition holds in some row"),
];

/// A function of one number.
#[derive(Clone, Copy, Debug)]
pub(super) enum OfOne {
    Negate,
    Absolute,
    /// Of the float alone.
    Float(Rounding, fn(f64) -> f64),
}

/// Whether a function gives whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    Whole,
    None,
}

/// The function of one number with this name.
pub(super) fn of_one(name: &str) -> Option<OfOne> {
    Some(match name {
        "abs" => OfOne::Absolute,
        "sqrt" => OfOne::Float(Rounding::None, f64::sqrt),
        "exp" => OfOne::Float(Rounding::None, libm::exp),
        "log" | "ln" => OfOne::Float(Rounding::None, libm::log),
        "log2" => OfOne::Float(Rounding::None, libm::log2),
        "log10" => OfOne::Float(Rounding::None, libm::log10),
        "floor" => OfOne::Float(Rounding::Whole, f64::floor),
        "ceil" => OfOne::Float(Rounding::Whole, f64::ceil),
        "round" => OfOne::Float(Rounding::Whole, f64::round),
        _ => return None,
    })
}

/// What an aggregate makes of the numbers of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfNumbers {
    Min,
    Max,
    Sum,
    Mean,
    Median,
}

/// The aggregate of numbers with this name; `quantile` has a second argument and stands by itself.
pub(super) fn of_numbers(name: &str) -> Option<OfNumbers> {
    Some(match name {
        "min" => OfNumbers::Min,
        "max" => OfNumbers::Max,
        "sum" => OfNumbers::Sum,
        "mean" => OfNumbers::Mean,
        "median" => OfNumbers::Median,
        _ => return None,
    })
}

/// Whether a name is that of an aggregate, or of a function of numbers too.
pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.iter().any(|(known, _)| *known == name)
}

/// Every name that can be called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().chain(&AGGREGATES).map(|(name, _)| *name)
}

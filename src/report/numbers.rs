//! Numbers as people read them.

/// Width of the table.
pub const WIDTH: usize = 80;

/// A share with its sign.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", bare_percent(share))
}

/// One decimal, never rounded up to 100 or down to 0.
pub(super) fn bare_percent(share: f64) -> String {
    let text = format!("{:.1}", 100.0 * share);
    match text.as_str() {
        "100.0" if share < 1.0 => "99.9".to_owned(),
        "0.0" if share > 0.0 => "0.1".to_owned(),
        "100.0" => "100".to_owned(),
        "0.0" => "0".to_owned(),
        _ => text,
    }
}

/// Three significant digits.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 || (1e-3..1e4).contains(&value.abs()) {
        let digits = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).max(0) as usize };
        format!("{value:.digits$}")
    } else {
        format!("{value:.2e}")
    }
}

/// The text of a fraction with at most six significant digits; any other text as it is.
pub(super) fn six_digits(text: &str) -> String {
    const LONG: usize = 8;
    match text.parse::<f64>() {
        Ok(number) if text.contains('.') && text.len() > LONG => {
            format!("{number:.5e}").parse::<f64>().map_or(text.to_owned(), |rounded| rounded.to_string())
        }
        _ => text.to_owned(),
    }
}

/// Sorts the finite values and drops the others.
pub(in crate::report) fn sorted_finite(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The minus sign in place of the hyphen.
pub(in crate::report) fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// A number as an exponent: `−0.80` as `⁻⁰·⁸⁰`. Other letters stay.
pub(in crate::report) fn raised(number: &str) -> String {
    let letter = |letter: char| match letter {
        '-' | '−' => '⁻',
        '.' => '·',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' | '4'..='9' => char::from_u32('⁰' as u32 + (letter as u32 - '0' as u32)).unwrap_or(letter),
        _ => letter,
    };
    number.chars().map(letter).collect()
}

/// A sentence in which no line ends between a number and its unit, nor within an equation or an interval.
pub(in crate::report) fn tied(text: &str) -> String {
    const NO_BREAK: char = '\u{a0}';
    let mut tied = String::with_capacity(text.len());
    let mut depth = 0_i32;
    let letters: Vec<char> = text.chars().collect();
    for (place, &letter) in letters.iter().enumerate() {
        depth += i32::from(letter == '[') - i32::from(letter == ']');
        let beside = |step: isize| place.checked_add_signed(step).and_then(|place| letters.get(place)).copied();
        let is_sign = |letter: Option<char>| letter.is_some_and(|letter| "=≤≥<>%×−…".contains(letter));
        let ties = depth > 0 || is_sign(beside(-1)) && beside(-1) != Some('%') || is_sign(beside(1));
        tied.push(if letter == ' ' && ties { NO_BREAK } else { letter });
    }
    tied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_errors_of_fractions_are_not_shown() {
        let shown = ["0.6000000000000001", "0.019354838709677424", "0.125", "131072", "1048576000", "router-norm"];
        assert_eq!(shown.map(six_digits), ["0.6", "0.0193548", "0.125", "131072", "1048576000", "router-norm"]);
    }

    #[test]
    fn exponents_are_raised() {
        assert_eq!([raised("-0.80"), raised("−13"), raised("24579")], ["⁻⁰·⁸⁰", "⁻¹³", "²⁴⁵⁷⁹"]);
    }

    #[test]
    fn numbers_stay_with_their_units() {
        assert_eq!(tied("at ρ = 0.5 in 95 % of runs"), "at ρ\u{a0}=\u{a0}0.5 in 95\u{a0}% of runs");
        assert_eq!(tied("slope [−1, 2] of d"), "slope [−1,\u{a0}2] of d");
    }
}

//! Words of figures: axis labels, short numbers, file names.

use crate::report::numbers::{bare_percent, minus, raised, significant};
use crate::sim::keys::KEYS;

/// Longest text of a number that is shown as it is written.
const MAX_TEXT: usize = 5;

/// The last part of a key, with its symbol if it has one.
pub(in crate::report) fn axis(path: &str) -> String {
    if path == "ratio" {
        return "pruning ratio ρ".to_owned();
    }
    let symbol = KEYS.iter().find(|key| key.path == path).map_or("", |key| key.symbol);
    let name = path.rsplit('.').next().unwrap_or(path);
    if symbol.is_empty() { name.to_owned() } else { format!("{name} {symbol}") }
}

/// A number with three significant digits where its text is long; any other text as it is.
pub(in crate::report) fn short(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.chars().count() > MAX_TEXT => {
            let short = significant(number);
            // A fraction needs no zeros at its end.
            if short.contains('.') && !short.contains('e') {
                short.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                short
            }
        }
        _ => text.to_owned(),
    }
}

/// A share as a percentage.
pub(in crate::report) fn percent(share: f64) -> String {
    format!("{} %", hundredths(share))
}

/// A share in hundredths, without a zero behind the point.
pub(in crate::report) fn hundredths(share: f64) -> String {
    bare_percent(share).trim_end_matches(".0").to_owned()
}

/// A number as people write it: `0.362`, `1.33·10⁻⁵`.
pub(in crate::report) fn quantity(value: f64) -> String {
    let text = significant(value);
    let Some((digits, exponent)) = text.split_once('e') else { return minus(&text) };
    format!("{}·10{}", minus(digits), raised(exponent))
}

/// A ratio with at most three decimals.
pub(in crate::report) fn ratio(value: f64) -> String {
    let text = format!("{value:.3}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The parts that are not empty, joined by hyphens; what may have a meaning in a path becomes an underscore.
pub(in crate::report) fn file(parts: &[&str]) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join("-").chars().map(plain).collect()
}

/// The name, or with the first number behind it that makes it new.
pub(in crate::report) fn unique(name: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&name) {
        return name;
    }
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    numbered.into_iter().find(|name| !taken(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        assert_eq!([0.3621, -1.334e-5, 12345.0, 0.0].map(quantity), ["0.362", "−1.33·10⁻⁵", "1.23·10⁴", "0"]);
        assert_eq!([0.75, 0.8125, 1.0, 0.0].map(ratio), ["0.75", "0.812", "1", "0"]);
    }
}

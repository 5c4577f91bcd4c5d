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

/// Sorts the finite values and drops the others.
pub(in crate::report) fn sorted_finite(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values
}

//! Values → pixels.

use crate::report::numbers::sorted_finite;
use crate::stats::quantile;

/// Decades that a symmetric-logarithmic scale shows at most.
const MAX_DECADES: i32 = 9;

/// Labelled ticks that a scale has at most, about.
const MAX_TICKS: i32 = 9;

/// A mapping of values to a line, with its ticks.
pub(in crate::report) struct Scale {
    /// The lower end, after [`Scale::bend`].
    low: f64,
    /// The upper end, after [`Scale::bend`].
    high: f64,
    /// Symmetric-logarithmic beyond ± this, linear within; `None`: linear throughout.
    threshold: Option<f64>,
    /// Value and label.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Linear from `low` to `high`, with ticks at round numbers.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let raw = (high - low) / 6.0;
        let power = libm::pow(10.0, libm::floor(libm::log10(raw)));
        let step = [1.0, 2.0, 5.0, 10.0].iter().map(|factor| factor * power).find(|step| *step >= raw);
        let step = step.unwrap_or(raw);
        let digits = (-libm::floor(libm::log10(step) + 1e-9)).clamp(0.0, 12.0) as usize;
        let first = libm::ceil(low / step - 1e-9);
        let ticks = (0..20)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|value| *value <= high + 1e-9 * step)
            .map(|value| (value, minus(format!("{:.digits$}", value + 0.0))))
            .collect();
        Self { low, high, threshold: None, ticks }
    }

    /// Symmetric-logarithmic over sorted values, from decade to decade; purely logarithmic if all are positive and
    /// span no more than nine decades.
    pub(crate) fn symmetric_log(sorted: &[f64]) -> Self {
        let sizes = || sorted.iter().map(|value| value.abs()).filter(|size| *size > 0.0);
        let largest = sizes().fold(0.0, f64::max);
        if largest == 0.0 {
            return Self::linear(-1.0, 1.0);
        }
        let top = (libm::ceil(libm::log10(largest) - 1e-9) as i32).clamp(-300, 308);
        let smallest = if sorted.first().is_some_and(|min| *min < 0.0) {
            // Two signs: the few values next to zero are not worth decades on both sides.
            quantile(&sorted_finite(sizes()), 0.05).unwrap_or(largest)
        } else {
            sizes().fold(f64::INFINITY, f64::min)
        };
        let bottom = (libm::floor(libm::log10(smallest) + 1e-9) as i32).max(top - MAX_DECADES).min(top - 1);
        let threshold = power(bottom);
        let min = sorted.first().copied().unwrap_or_default();
        let max = sorted.last().copied().unwrap_or_default();
        let positive_end = |extreme: f64| {
            if extreme <= 0.0 {
                0.0
            } else {
                f64::from((libm::ceil(libm::log10(extreme) - 1e-9) as i32).max(bottom) - bottom) + 1.0
            }
        };
        let low = if min >= threshold { 1.0 } else { -positive_end(-min) };
        let high = positive_end(max);
        let stride = (((high - low) as i32) / MAX_TICKS + 1).max(1);
        let exponents: Vec<i32> = (bottom..=top).filter(|exponent| (top - exponent) % stride == 0).collect();
        let mut ticks: Vec<(f64, String)> = Vec::new();
        ticks.extend(
            exponents.iter().rev().map(|&exponent| (-power(exponent), minus(format!("-{}", decade(exponent))))),
        );
        ticks.push((0.0, "0".to_owned()));
        ticks.extend(exponents.iter().map(|&exponent| (power(exponent), decade(exponent))));
        let mut scale = Self { low, high: high.max(low + 1.0), threshold: Some(threshold), ticks };
        let ticks = std::mem::take(&mut scale.ticks);
        scale.ticks =
            ticks.into_iter().filter(|(value, _)| (-1e-9..=1.0 + 1e-9).contains(&scale.share(*value))).collect();
        scale
    }

    /// Categories 0, 1, … of unit width, each labelled in its middle where a label of this many pixels fits beside the
    /// one before, on an axis of `length` pixels.
    pub(crate) fn categories(labels: &[String], label: i32, length: i32) -> Self {
        let count = labels.len().max(1);
        let stride = (label * count as i32 / length.max(1) + 1) as usize;
        let ticks =
            labels.iter().enumerate().step_by(stride).map(|(place, text)| (place as f64 + 0.5, minus(text.clone())));
        Self { ticks: ticks.collect(), ..Self::linear(0.0, count as f64) }
    }

    /// Logarithmic: `low` and `high` are decimal logarithms, and so are the values that are placed. Ticks at powers of
    /// ten, and at twice and five times these if there are few.
    pub(crate) fn decades(low: f64, high: f64) -> Self {
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
        let range = libm::floor(low) as i32..=libm::ceil(high) as i32;
        let stride = (((high - low) as i32) / MAX_TICKS + 1).max(1);
        let factors: &[i32] = if high - low < 2.5 { &[1, 2, 5] } else { &[1] };
        let exponents = range.filter(|exponent| exponent % stride == 0);
        let ticks = exponents.flat_map(|exponent| {
            let label = move |factor: i32| match (factor, exponent) {
                (1, _) => decade(exponent),
                (_, -1..=1) => {
                    let digits = (-exponent).max(0) as usize;
                    format!("{:.digits$}", f64::from(factor) * power(exponent))
                }
                _ => format!("{factor}·{}", decade(exponent)),
            };
            factors.iter().map(move |&factor| (f64::from(exponent) + libm::log10(f64::from(factor)), label(factor)))
        });
        let within = |tick: &(f64, String)| (low - 1e-9..=high + 1e-9).contains(&tick.0);
        Self { low, high, threshold: None, ticks: ticks.filter(within).collect() }
    }

    /// A value before it is placed linearly.
    fn bend(&self, value: f64) -> f64 {
        match self.threshold {
            Some(threshold) if value.abs() > threshold => (1.0 + libm::log10(value.abs() / threshold)).copysign(value),
            Some(threshold) => value / threshold,
            None => value,
        }
    }

    /// Where a value lies: 0 at the lower end, 1 at the upper one.
    pub(crate) fn share(&self, value: f64) -> f64 {
        (self.bend(value) - self.low) / (self.high - self.low)
    }

    /// The values at the lower and upper end.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.unbend(self.low), self.unbend(self.high))
    }

    /// Where a symmetric-logarithmic scale begins to bend.
    pub(crate) fn threshold(&self) -> Option<f64> {
        self.threshold
    }

    /// The inverse of [`Scale::bend`].
    fn unbend(&self, place: f64) -> f64 {
        match self.threshold {
            Some(threshold) if place.abs() > 1.0 => (threshold * libm::pow(10.0, place.abs() - 1.0)).copysign(place),
            Some(threshold) => place * threshold,
            None => place,
        }
    }

    /// Whether the scale is linear only between the first decades: where that is, if it is on the scale.
    pub(crate) fn linear_within(&self) -> Option<String> {
        let threshold = self.threshold.filter(|_| self.low < 1.0)?;
        Some(decade(libm::round(libm::log10(threshold)) as i32))
    }
}

fn power(exponent: i32) -> f64 {
    libm::pow(10.0, f64::from(exponent))
}

/// 10ⁿ, with those next to 1 written out.
fn decade(exponent: i32) -> String {
    match exponent {
        -1 => "0.1".to_owned(),
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        _ => {
            let raised = |digit: char| match digit {
                '-' => '⁻',
                '1' => '¹',
                '2' => '²',
                '3' => '³',
                '4' => '⁴',
                '5' => '⁵',
                '6' => '⁶',
                '7' => '⁷',
                '8' => '⁸',
                '9' => '⁹',
                _ => '⁰',
            };
            format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
        }
    }
}

/// The minus sign in place of the hyphen.
pub(in crate::report) fn minus(text: String) -> String {
    text.replace('-', "−")
}

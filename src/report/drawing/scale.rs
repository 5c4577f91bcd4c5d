//! Values → places on an axis, with ticks: linear, logarithmic, symmetric-logarithmic, categories.

use crate::report::numbers::{minus, raised, sorted_finite};
use crate::stats::quantile;

/// Decades that a logarithmic scale shows at most, the upper ones.
const MAX_DECADES: i32 = 9;

/// Labelled ticks that a scale has at most, about.
const MAX_TICKS: i32 = 7;

/// How values are bent before they are placed linearly.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bend {
    Linear,
    /// Decimal logarithms.
    Log,
    /// Logarithmic beyond ± this, linear within.
    Symmetric(f64),
}

/// A mapping of values to 0 … 1, with its ticks.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Scale {
    bend: Bend,
    /// The ends, bent.
    low: f64,
    high: f64,
    /// Value and label.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Linear from `low` to `high`, with ticks at round numbers.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let raw = (high - low) / 5.0;
        let power = libm::pow(10.0, libm::floor(libm::log10(raw)));
        let step = [1.0, 2.0, 5.0, 10.0].iter().map(|factor| factor * power).find(|step| *step >= raw);
        let step = step.unwrap_or(raw);
        let digits = (-libm::floor(libm::log10(step) + 1e-9)).clamp(0.0, 12.0) as usize;
        let first = libm::ceil(low / step - 1e-9);
        let ticks = (0..20)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|value| *value <= high + 1e-9 * step)
            .map(|value| (value, minus(&format!("{:.digits$}", value + 0.0))))
            .collect();
        Self { bend: Bend::Linear, low, high, ticks }
    }

    /// Logarithmic over sorted values above 0, a little beyond both ends, of at most nine decades. Ticks at powers of
    /// ten, and at twice and five times these if there are few.
    pub(crate) fn log(sorted: &[f64]) -> Self {
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return Self::linear(0.0, 1.0) };
        let (low, high) = (libm::log10(first), libm::log10(last));
        let pad = 0.04 * (high - low).max(0.5);
        let (low, high) = (low.max(high - f64::from(MAX_DECADES)) - pad, high + pad);
        let range = libm::floor(low) as i32..=libm::ceil(high) as i32;
        let stride = (((high - low) as i32) / MAX_TICKS + 1).max(1);
        let factors: &[i32] = if high - low < 2.0 { &[1, 2, 5] } else { &[1] };
        let exponents = range.filter(|exponent| exponent % stride == 0);
        let ticks = exponents.flat_map(|exponent| {
            let value = move |factor: i32| f64::from(factor) * power(exponent);
            factors.iter().map(move |&factor| (value(factor), multiple(factor, exponent)))
        });
        let within = |tick: &(f64, String)| (low - 1e-9..=high + 1e-9).contains(&libm::log10(tick.0));
        Self { bend: Bend::Log, low, high, ticks: ticks.filter(within).collect() }
    }

    /// Symmetric-logarithmic over sorted values, from decade to decade; purely logarithmic if all are above 0.
    pub(crate) fn symmetric_log(sorted: &[f64]) -> Self {
        let sizes = || sorted.iter().map(|value| value.abs()).filter(|size| *size > 0.0);
        let largest = sizes().fold(0.0, f64::max);
        if largest == 0.0 {
            return Self::linear(-1.0, 1.0);
        }
        let top = (libm::ceil(libm::log10(largest) - 1e-9) as i32).clamp(-300, 308);
        let (min, max) = (sorted.first().copied().unwrap_or_default(), sorted.last().copied().unwrap_or_default());
        let smallest = match min {
            // Two signs: the few values next to zero are not worth decades on both sides.
            min if min < 0.0 => quantile(&sorted_finite(sizes()), 0.05).unwrap_or(largest),
            _ => sizes().fold(f64::INFINITY, f64::min),
        };
        let bottom = (libm::floor(libm::log10(smallest) + 1e-9) as i32).max(top - MAX_DECADES).min(top - 1);
        let threshold = power(bottom);
        let end = |extreme: f64| match extreme {
            extreme if extreme <= 0.0 => 0.0,
            _ => f64::from((libm::ceil(libm::log10(extreme) - 1e-9) as i32).max(bottom) - bottom) + 1.0,
        };
        let low = if min >= threshold { 1.0 } else { -end(-min) };
        let high = end(max).max(low + 1.0);
        let stride = (((high - low) as i32) / MAX_TICKS + 1).max(1);
        let exponents: Vec<i32> = (bottom..=top).filter(|exponent| (top - exponent) % stride == 0).collect();
        let below =
            exponents.iter().rev().map(|&exponent| (-power(exponent), minus(&format!("-{}", decade(exponent)))));
        let above = exponents.iter().map(|&exponent| (power(exponent), decade(exponent)));
        let ticks: Vec<_> = below.chain([(0.0, "0".to_owned())]).chain(above).collect();
        let mut scale = Self { bend: Bend::Symmetric(threshold), low, high, ticks: Vec::new() };
        let within = |tick: &(f64, String)| (-1e-9..=1.0 + 1e-9).contains(&scale.share(tick.0));
        scale.ticks = ticks.into_iter().filter(within).collect();
        scale
    }

    /// Categories 0, 1, … of unit width, each labelled in its middle where a label of this many units fits beside the
    /// one before, on an axis of `length` units.
    pub(crate) fn categories(labels: &[String], label: f64, length: f64) -> Self {
        let count = labels.len().max(1);
        let stride = (label * count as f64 / length.max(1.0)) as usize + 1;
        let ticks = labels.iter().enumerate().step_by(stride).map(|(place, text)| (place as f64 + 0.5, text.clone()));
        Self { ticks: ticks.collect(), ..Self::linear(0.0, count as f64) }
    }

    /// Where a value lies: 0 at the lower end, 1 at the upper one, and never beyond these.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = self.share(value);
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The same without ends.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let bent = match self.bend {
            Bend::Linear => value,
            Bend::Log if value > 0.0 => libm::log10(value),
            Bend::Log => return -1.0,
            Bend::Symmetric(threshold) if value.abs() > threshold => {
                (1.0 + libm::log10(value.abs() / threshold)).copysign(value)
            }
            Bend::Symmetric(threshold) => value / threshold,
        };
        (bent - self.low) / (self.high - self.low)
    }

    /// Whether a value lies between the ends.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.share(value)) && !(self.bend == Bend::Log && value <= 0.0)
    }

    /// The value at a place between 0 and 1.
    pub(crate) fn value(&self, place: f64) -> f64 {
        let bent = self.low + place * (self.high - self.low);
        match self.bend {
            Bend::Linear => bent,
            Bend::Log => libm::pow(10.0, bent),
            Bend::Symmetric(threshold) if bent.abs() > 1.0 => {
                (threshold * libm::pow(10.0, bent.abs() - 1.0)).copysign(bent)
            }
            Bend::Symmetric(threshold) => bent * threshold,
        }
    }

    /// Within what distance of 0 the scale is linear, if that is on the scale and it is not linear throughout.
    pub(crate) fn linear_within(&self) -> Option<String> {
        match self.bend {
            Bend::Symmetric(threshold) if self.low < 1.0 => Some(decade(libm::round(libm::log10(threshold)) as i32)),
            _ => None,
        }
    }
}

fn power(exponent: i32) -> f64 {
    libm::pow(10.0, f64::from(exponent))
}

/// 1, 2 or 5 times 10ⁿ.
fn multiple(factor: i32, exponent: i32) -> String {
    match (factor, exponent) {
        (1, _) => decade(exponent),
        (_, -2..=2) => {
            let digits = (-exponent).max(0) as usize;
            format!("{:.digits$}", f64::from(factor) * power(exponent))
        }
        _ => format!("{factor}·{}", decade(exponent)),
    }
}

/// 10ⁿ, with those next to 1 written out.
fn decade(exponent: i32) -> String {
    match exponent {
        -2..=-1 => format!("{:.*}", -exponent as usize, power(exponent)),
        0..=2 => format!("{:.0}", power(exponent)),
        _ => format!("10{}", raised(&exponent.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_inverse_of_its_value() {
        let scales = [Scale::linear(-2.0, 3.0), Scale::log(&[0.01, 7.0]), Scale::symmetric_log(&[-0.02, 1e-4, 0.3])];
        for scale in scales {
            for place in [0.0, 0.1, 0.45, 0.8, 1.0] {
                assert!((scale.place(scale.value(place)) - place).abs() < 1e-9, "{scale:?}");
            }
            assert!(scale.ticks.len() >= 3 && scale.ticks.iter().all(|(value, _)| scale.holds(*value)), "{scale:?}");
        }
    }

    #[test]
    fn what_is_not_on_a_logarithmic_axis_lies_at_its_end() {
        let scale = Scale::log(&[1.0, 100.0]);
        assert_eq!([0.0, -1.0, f64::NAN, 1e9].map(|value| scale.place(value)), [0.0, 0.0, 0.0, 1.0]);
        assert!(!scale.holds(0.0) && scale.holds(10.0));
    }

    #[test]
    fn ticks_are_written_as_people_do() {
        let labels = |scale: Scale| scale.ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(Scale::linear(0.0, 1.0)), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(Scale::log(&[64.0, 512.0])), "100 200 500");
        assert_eq!(labels(Scale::log(&[1e-6, 1.0])), "10⁻⁶ 10⁻⁵ 10⁻⁴ 10⁻³ 0.01 0.1 1");
        assert_eq!(labels(Scale::symmetric_log(&[-0.5, -0.2, 0.3])), "−1 −0.1 0 0.1 1");
        let names: Vec<String> = (0..9).map(|name| name.to_string()).collect();
        assert_eq!(labels(Scale::categories(&names, 30.0, 100.0)), "0 3 6");
    }
}

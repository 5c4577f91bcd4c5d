//! Shares → colours: a sequential scale that the colour-blind read as others do, and a grey print keeps in order.

use plotters::prelude::RGBColor;

/// Cividis (Nuñez, Anderton and Renslow 2018) at equal steps: perceptually uniform, and lighter throughout.
const CIVIDIS: [(u8, u8, u8); 10] = [
    (0, 32, 77),
    (0, 51, 111),
    (57, 72, 107),
    (87, 92, 109),
    (112, 113, 115),
    (138, 135, 121),
    (166, 157, 117),
    (196, 181, 108),
    (228, 207, 91),
    (255, 234, 70),
];

/// The colour of a share between 0 and 1.
pub(in crate::report) fn colour(share: f64) -> RGBColor {
    let at = if share.is_finite() { share.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64 } else { 0.0 };
    let below = (at as usize).min(CIVIDIS.len() - 2);
    let (from, to, part) = (CIVIDIS[below], CIVIDIS[below + 1], at - below as f64);
    let mix = |from: u8, to: u8| libm::round(f64::from(from) + (f64::from(to) - f64::from(from)) * part) as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// The colour of letters that can be read on the colour of this share.
pub(in crate::report) fn on(share: f64) -> RGBColor {
    if share < 0.5 { RGBColor(255, 255, 255) } else { RGBColor(20, 20, 20) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_shares_are_lighter() {
        let grey = |share: f64| {
            let RGBColor(red, green, blue) = colour(share);
            0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue)
        };
        assert!((0..100).all(|step| grey(f64::from(step) / 100.0) < grey(f64::from(step + 1) / 100.0)));
        assert_eq!(colour(f64::NAN), colour(0.0));
        assert_eq!(colour(7.0), colour(1.0));
    }
}

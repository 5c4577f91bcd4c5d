//! Colours, markers and dashes: what stands for what, the same in every figure.
//!
//! The colours are those of Okabe and Ito, which the colour-blind tell apart; each has a marker and a dash pattern of its
//! own, so that a grey print tells them apart too. The page's style gives each class `c…` its colour in the dark.

use crate::measure::Role;

/// What a mark looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::report) struct Look {
    /// Place among the colours.
    pub colour: usize,
    /// Place among the markers and dashes.
    pub shape: usize,
}

/// In the order of the classes: blue, vermilion, dark grey, purple, green, orange, light grey, sky blue, ink.
const COLOURS: [&str; 9] =
    ["#0072b2", "#d55e00", "#4d4d4d", "#b3588f", "#009e73", "#d98c00", "#8c8c8c", "#3a9bd0", "#1c1c1e"];
const DASHES: [&str; 8] = ["", "7 3", "2 2", "9 3 2 3", "5 2", "1 3", "3 5", "10 4"];

/// What is no data: a reference, a level, the many that are not named.
pub(in crate::report) const GREY: Look = Look { colour: 6, shape: 6 };
/// γ, the share of irrelevant experts, in their colour.
pub(in crate::report) const GAMMA: Look = Look { colour: 2, shape: 2 };
/// Limits and thresholds.
pub(in crate::report) const LIMIT: Look = Look { colour: 8, shape: 1 };

impl Look {
    const fn plain(place: usize) -> Self {
        Self { colour: place, shape: place }
    }

    /// A role's.
    pub(crate) const fn of_role(role: Role) -> Self {
        match role {
            Role::Relevant => Self::plain(0),
            Role::Misaligned => Self::plain(1),
            Role::Irrelevant => Self::plain(2),
            _ => Self::plain(3),
        }
    }

    /// That of a series which is of no role, by its place; the first is the paper's criterion.
    pub(crate) const fn of_series(place: usize) -> Self {
        Self::plain([4, 5, 7, 3, 1, 0, 2][place % 7])
    }

    /// The same colour with another marker and dash.
    pub(crate) const fn shaped(self, shape: usize) -> Self {
        Self { shape, ..self }
    }

    /// The colour on paper.
    pub(crate) fn paint(self) -> &'static str {
        COLOURS[self.colour % COLOURS.len()]
    }

    /// Lengths of dashes and gaps; empty: a solid line.
    pub(crate) fn dash(self) -> &'static str {
        DASHES[self.shape % DASHES.len()]
    }

    /// The outline of a marker of about this radius, as path commands relative to its centre.
    pub(crate) fn outline(self, r: f64) -> String {
        let corners: &[(f64, f64)] = match self.shape % 8 {
            1 => &[(0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)],
            2 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            3 => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            4 => &[(0.0, 1.2), (1.1, -0.9), (-1.1, -0.9)],
            5 => &[(-1.3, -0.6), (1.3, -0.6), (1.3, 0.6), (-1.3, 0.6)],
            7 => &[(-0.6, -1.3), (0.6, -1.3), (0.6, 1.3), (-0.6, 1.3)],
            _ => {
                return format!(
                    "m{0:.1} 0a{1:.1} {1:.1} 0 1 0 {2:.1} 0a{1:.1} {1:.1} 0 1 0 {3:.1} 0z",
                    -r,
                    r,
                    2.0 * r,
                    -2.0 * r
                );
            }
        };
        let (mut path, mut at) = (String::new(), (0.0, 0.0));
        for (place, (x, y)) in corners.iter().map(|(x, y)| (x * r, y * r)).enumerate() {
            let command = if place == 0 { 'm' } else { 'l' };
            path += &format!("{command}{:.1} {:.1}", x - at.0, y - at.1);
            at = (x, y);
        }
        path + "z"
    }
}

/// Cividis (Nuñez, Anderton and Renslow 2018) at equal steps: perceptually uniform, and lighter throughout.
const CIVIDIS: [[u8; 3]; 10] = [
    [0, 32, 77],
    [0, 51, 111],
    [57, 72, 107],
    [87, 92, 109],
    [112, 113, 115],
    [138, 135, 121],
    [166, 157, 117],
    [196, 181, 108],
    [228, 207, 91],
    [255, 234, 70],
];

/// The colour of a share between 0 and 1 on a sequential scale that a grey print keeps in order.
pub(in crate::report) fn ramp(share: f64) -> String {
    let [red, green, blue] = mixed(share);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn mixed(share: f64) -> [u8; 3] {
    let at = if share.is_finite() { share.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64 } else { 0.0 };
    let below = (at as usize).min(CIVIDIS.len() - 2);
    let (from, to, part) = (CIVIDIS[below], CIVIDIS[below + 1], at - below as f64);
    [0, 1, 2].map(|channel| {
        let (from, to) = (f64::from(from[channel]), f64::from(to[channel]));
        libm::round(from + (to - from) * part) as u8
    })
}

/// The colour of letters that can be read on the colour of this share.
pub(in crate::report) fn ink(share: f64) -> &'static str {
    if share < 0.5 { "#ffffff" } else { "#141414" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_shares_are_lighter() {
        let grey = |share: f64| {
            let [red, green, blue] = mixed(share).map(f64::from);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        assert!((0..100).all(|step| grey(f64::from(step) / 100.0) < grey(f64::from(step + 1) / 100.0)));
        assert_eq!((mixed(f64::NAN), mixed(7.0)), (mixed(0.0), mixed(1.0)));
    }

    #[test]
    fn roles_differ_in_colour_and_in_shape() {
        let looks = [Role::Relevant, Role::Misaligned, Role::Irrelevant, Role::Ambiguous].map(Look::of_role);
        for (place, look) in looks.iter().enumerate() {
            let others = &looks[place + 1..];
            assert!(
                others.iter().all(|other| other.paint() != look.paint() && other.outline(3.0) != look.outline(3.0))
            );
            assert!(others.iter().all(|other| other.dash() != look.dash()));
        }
    }
}

//! How far a router moved, by five measures.

use crate::patterns::Class;

/// The change of one router from w⁰ to w, in pattern coordinates (norms are the same in every orthonormal basis).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouterChange {
    /// ‖w⁰‖.
    pub norm_0: f64,
    /// ‖w‖.
    pub norm: f64,
    /// Δ = ‖w‖ − ‖w⁰‖: the norm change, the paper's criterion.
    pub delta: f64,
    /// Δᶜ: the norm change after the mean over patterns is removed from each router; no gauge of expert choice changes it (L11),
    /// that of token choice does (L12).
    pub delta_centred: f64,
    /// D = ‖w − w⁰‖: the displacement; no gauge changes it (L11, L12), and |Δ| ≤ D (L6).
    pub displacement: f64,
    /// √(Σ_{v∈{o₁,o₂}} (w_v − w⁰_v)²): the part of D along the class patterns.
    pub displacement_class: f64,
}

impl RouterChange {
    /// From the coordinates u⁰ and u of one router, both `[d]`.
    pub fn between(before: &[f64], after: &[f64]) -> Self {
        let norm_0 = norm(before.iter().copied());
        let norm_t = norm(after.iter().copied());
        let (mean_0, mean_t) = (mean(before), mean(after));
        let moves = || after.iter().zip(before).map(|(u, u_0)| u - u_0);
        Self {
            norm_0,
            norm: norm_t,
            delta: norm_t - norm_0,
            delta_centred: norm(after.iter().map(|u| u - mean_t)) - norm(before.iter().map(|u| u - mean_0)),
            displacement: norm(moves()),
            displacement_class: norm(moves().take(Class::BOTH.len())),
        }
    }
}

/// The Euclidean norm.
fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_made_change() {
        let change = RouterChange::between(&[3.0, 4.0], &[6.0, 8.0]);
        assert_eq!((change.norm_0, change.norm, change.delta, change.displacement), (5.0, 10.0, 5.0, 5.0));
        assert!((change.delta_centred - 0.5f64.sqrt()).abs() < 1e-15);
        let change = RouterChange::between(&[1.0; 4], &[4.0, 5.0, 13.0, 1.0]);
        assert_eq!((change.displacement_class, change.displacement), (5.0, 13.0));
    }

    #[test]
    fn a_gauge_moves_delta_but_not_the_other_two() {
        let (before, after) = ([1.0, 0.1, -0.2, 0.4], [1.5, 0.0, -0.4, 0.2]);
        let plain = RouterChange::between(&before, &after);
        let shifted = RouterChange::between(&before.map(|u| u + 300.0), &after.map(|u| u + 300.0));
        assert!((plain.delta - shifted.delta).abs() > 0.1);
        assert!((plain.delta_centred - shifted.delta_centred).abs() < 1e-12);
        assert!((plain.displacement - shifted.displacement).abs() < 1e-12);
    }
}

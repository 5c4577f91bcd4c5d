//! What is minimised: a function of f(x) and of what it should be.

use crate::sim::parameters::LabelLoss;

/// A loss of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// max(0, 1 − y f), y the label (the theory's).
    #[default]
    Hinge,
    /// ln(1 + exp(−y f)), y the label: it never reaches 0.
    Logistic,
    /// ½ (y − f)², y any number in the label's place: distillation puts a teacher's f(x) there.
    Squared,
}

impl Loss {
    /// ℓ and −∂ℓ/∂f for the target y. The hinge has no gradient from y f = 1 on, the logistic loss one everywhere.
    #[inline(always)]
    pub(crate) fn at(self, target: f64, f: f64) -> (f64, f64) {
        match self {
            Loss::Hinge => {
                let slack = 1.0 - target * f;
                if slack > 0.0 { (slack, target) } else { (0.0, 0.0) }
            }
            Loss::Logistic => logistic(target, f),
            Loss::Squared => {
                let off = target - f;
                (0.5 * off * off, off)
            }
        }
    }
}

/// The logistic loss, by exponentials that cannot overflow. Out of the way of the hinge's loops.
#[inline(never)]
fn logistic(target: f64, f: f64) -> (f64, f64) {
    let margin = target * f;
    let small = libm::exp(-margin.abs());
    let share = if margin > 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) };
    (libm::log1p(small) + (-margin).max(0.0), target * share)
}

impl From<LabelLoss> for Loss {
    fn from(loss: LabelLoss) -> Self {
        match loss {
            LabelLoss::Hinge => Loss::Hinge,
            LabelLoss::Logistic => Loss::Logistic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_pull_is_minus_the_slope(target in -3.0f64..3.0, f in -3.0f64..3.0) {
            prop_assume!((1.0 - target * f).abs() > 1e-4);
            for loss in [Loss::Hinge, Loss::Logistic, Loss::Squared] {
                let slope = (loss.at(target, f + 1e-6).0 - loss.at(target, f - 1e-6).0) / 2e-6;
                let (size, pull) = loss.at(target, f);
                prop_assert!(size >= 0.0 && (slope + pull).abs() < 1e-7, "{loss:?} {slope} {pull}");
            }
            prop_assert_eq!(Loss::Squared.at(f, f), (0.0, 0.0));
            prop_assert_eq!(Loss::Hinge.at(1.0, 1.0), (0.0, 0.0));
        }
    }
}

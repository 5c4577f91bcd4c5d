//! What is minimised: a function of f(x) and of what it should be.

/// A loss of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// max(0, 1 − y f), y the label (the theory's).
    #[default]
    Hinge,
    /// ½ (y − f)², y any number in the label's place: distillation puts a teacher's f(x) there.
    Squared,
}

impl Loss {
    /// ℓ and −∂ℓ/∂f for the target y. The hinge has no gradient from y f = 1 on.
    #[inline(always)]
    pub fn at(self, target: f64, f: f64) -> (f64, f64) {
        match self {
            Loss::Hinge => {
                let slack = 1.0 - target * f;
                if slack > 0.0 { (slack, target) } else { (0.0, 0.0) }
            }
            Loss::Squared => {
                let off = target - f;
                (0.5 * off * off, off)
            }
        }
    }
}

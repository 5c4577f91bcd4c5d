//! Whether an expert has learned its class's pattern: p_v = 1, decided exactly.

use crate::moe::routing::descending;
use crate::patterns::Class;
use crate::sim::parameters::DataParameters;

/// Whether o_v is chosen with a gate of at least 1/l in *every* noise-free sample that contains it.
///
/// `router` are the coordinates u, `[d]`. The worst sample holds the best irrelevant patterns. Without replacement: at
/// most l−1 patterns q score at least u_o, and Σ exp(u_q − u_o) over the l−1 best q is at most l−1, which says that the
/// gate is at least 1/l. With replacement the best q can fill every place: u_o must be above every q. Where n = l every
/// token is chosen and only the gate decides.
pub fn has_learned(router: &[f64], class: Class, data: &DataParameters, tokens_per_expert: usize) -> bool {
    has_learned_feature(router, class.pattern(), data, tokens_per_expert)
}

/// As [`has_learned`], for the pattern of this number, a feature of either class.
pub(crate) fn has_learned_feature(
    router: &[f64],
    pattern: usize,
    data: &DataParameters,
    tokens_per_expert: usize,
) -> bool {
    let own = router[pattern];
    let mut irrelevant = router[data.first_irrelevant()..].to_vec();
    irrelevant.sort_by(|a, b| descending(*a, *b));
    let all_chosen = data.tokens == tokens_per_expert;
    let rivals = tokens_per_expert - 1;
    if data.replacement {
        return if all_chosen { own >= irrelevant[0] } else { own > irrelevant[0] };
    }
    let at_least = irrelevant.iter().take_while(|&&u| u >= own).count();
    let weight: f64 = irrelevant[..rivals.min(irrelevant.len())].iter().map(|u| libm::exp(u - own)).sum();
    (all_chosen || at_least <= rivals) && weight <= rivals as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::parameters::{Basis, Labels};

    fn data(tokens: usize, replacement: bool) -> DataParameters {
        DataParameters {
            patterns: 8,
            tokens,
            replacement,
            noise: 0.0,
            class_share: 0.5,
            basis: Basis::Canonical,
            labels: Labels::Class,
            label_noise: 0.0,
            ..DataParameters::default()
        }
    }

    #[test]
    fn a_router_on_its_own_pattern_has_learned() {
        let router = [1.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        assert!(has_learned(&router, Class::One, &data(4, false), 2));
        assert!(!has_learned(&router, Class::Two, &data(4, false), 2));
    }

    #[test]
    fn one_better_pattern_is_survived_by_choice_but_not_by_the_gate() {
        // One q above o₁: chosen for l = 2, but with a gate below 1/2. For l = 3 the second rival is light enough.
        let router = [1.0, 0.0, 1.1, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(!has_learned(&router, Class::One, &data(4, false), 2));
        assert!(has_learned(&router, Class::One, &data(4, false), 3));
        assert!(!has_learned(&router, Class::One, &data(4, true), 3));
    }
}

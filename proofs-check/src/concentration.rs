//! How far a mean of bounded vectors lies from its expectation: the inequality behind S3 and behind every check that
//! samples.
//!
//! **Inequality** (Pinelis 1994, "Optimum bounds for the distributions of martingales in Banach spaces", Theorem 3.4,
//! for Euclidean space). Let M_i be a martingale of vectors, M₀ = 0, with ‖M_i − M_{i−1}‖ ≤ a and Σ_i E[‖M_i −
//! M_{i−1}‖² | past] ≤ b². Then for δ in (0, 1) and L = ln(2/δ), P[max_i ‖M_i‖ ≥ b√(2L) + 2aL/3] ≤ δ.
//!
//! *Proof.* Let x = M_{i−1}, e = M_i − M_{i−1} and c(z) = cosh(s‖z‖), s > 0. The second derivative of c at z along e
//! is at most s²‖e‖² cosh(s‖z‖), because sinh r ≤ r cosh r; and cosh(s‖x + te‖) ≤ exp(st‖e‖) cosh(s‖x‖). The
//! first-order term has mean 0, so by Taylor E[c(x + e) | past] ≤ c(x)(1 + E[h(‖e‖) | past]), h(r) = exp(sr) − 1 − sr.
//! Since h(r)/r² grows with r, h(‖e‖) ≤ ‖e‖² h(a)/a². So c(M_i) exp(−(h(a)/a²) Σ_{j≤i} E[‖e_j‖² | past]) is a
//! supermartingale that starts at 1, and by Ville's inequality P[max ‖M_i‖ ≥ r] ≤ exp(b² h(a)/a²)/cosh(sr) ≤ 2 exp(b²
//! h(a)/a² − sr). The best s gives Bennett's exponent, which is at least r²/(2(b² + ar/3)); and that is at least L for
//! the r above. ∎

/// The probability of a false alarm that each single sampled comparison is allowed.
pub const ERROR: f64 = 1e-9;

/// r such that P[max_i ‖M_i‖ ≥ r] ≤ `error` for a martingale with b = `spread` and a = `largest`.
pub fn martingale_radius(spread: f64, largest: f64, error: f64) -> f64 {
    let log = (2.0 / error).ln();
    spread * (2.0 * log).sqrt() + 2.0 * largest * log / 3.0
}

/// With probability 1 − `error`, the sum over the first t batches of (batch mean − expectation) has a norm below this
/// for all t ≤ `steps` at once, if each of the `batch` vectors of a batch has a norm of at most `range`/√8 (L2).
///
/// The smaller of two bounds. Doob's inequality with E‖sum‖² ≤ steps·range²/(8·batch) (S2) gives √(that/error). The
/// inequality of this module, sample by sample, with b² = steps·range²/(8·batch) and a = 2·(range/√8)/batch, has 1/error
/// inside a logarithm. Which is smaller follows from the arguments, not from data.
pub fn noise_radius(range: f64, steps: usize, batch: usize, error: f64) -> f64 {
    let variance = steps as f64 * range * range / (8.0 * batch as f64);
    let largest = range / (2f64.sqrt() * batch as f64);
    (variance / error).sqrt().min(martingale_radius(variance.sqrt(), largest, error))
}

/// How far, as a share of ρ²/B, the mean of `pairs` independent numbers X = ½‖ĝ − ĝ′‖² may exceed ρ²/B by chance, with
/// probability [`ERROR`]: ĝ and ĝ′ are means of B = `batch` independent vectors of norm ≤ ρ with a common expectation.
///
/// E X ≤ ρ²/B. With e_i the differences of the vectors, ‖e_i‖ ≤ 2ρ and E‖e_i‖² ≤ 2ρ², so E‖Σe_i‖⁴ ≤ Σ E‖e_i‖⁴ + 3 Σ_{i≠j}
/// E‖e_i‖² E‖e_j‖² ≤ 8Bρ⁴ + 12B²ρ⁴ and E X² ≤ (3 + 2/B)(ρ²/B)². And X ≤ 2ρ² = 2B·(ρ²/B). The rest is Bernstein's
/// inequality.
pub fn variance_excess(batch: usize, pairs: usize) -> f64 {
    let log = (1.0 / ERROR).ln();
    let (batch, pairs) = (batch as f64, pairs as f64);
    (2.0 * log * (3.0 + 2.0 / batch) / pairs).sqrt() + 2.0 * batch * log / (3.0 * pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_walk_stays_within_its_radius() {
        // Range √8 makes steps of norm 1; fair signs, 200 steps, 2,000 walks.
        let (steps, error) = (200, 0.02);
        let radius = noise_radius(8f64.sqrt(), steps, 1, error);
        let mut state = 1u64;
        let mut left = 0;
        for _ in 0..2000 {
            let mut at = 0.0f64;
            let mut furthest = 0.0f64;
            for _ in 0..steps {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                at += if state >> 63 == 0 { 1.0 } else { -1.0 };
                furthest = furthest.max(at.abs());
            }
            left += u32::from(furthest >= radius);
        }
        assert!(left <= 40, "{left} of 2000 walks leave");
        assert!(radius < 4.0 * 200f64.sqrt(), "the radius {radius} says something");
    }

    #[test]
    fn the_logarithm_wins_where_the_error_is_small() {
        let chebyshev = |error: f64| (100.0 / (8.0 * 10.0 * error)).sqrt();
        assert!(noise_radius(1.0, 100, 10, 0.9) == chebyshev(0.9));
        assert!(noise_radius(1.0, 100, 10, 1e-3) < chebyshev(1e-3) / 5.0);
    }
}

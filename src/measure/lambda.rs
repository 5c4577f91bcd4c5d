//! λ_v = P[o_v ∈ J_s | x contains o_v], exactly.

use crate::sgd::Competitors;
use crate::sim::parameters::DataParameters;
use crate::stats::hypergeometric::hypergeometric_pmf;
use crate::stats::log_binomial::log_pmf;

/// λ as a function of the number of irrelevant patterns that score above o_v or as high.
///
/// o_v is chosen iff at most l−1 of the other n−1 tokens beat it: those with a higher score, and those with the same
/// score at a smaller position. Without replacement the number of higher ones is hypergeometric, with replacement
/// binomial; the position of o_v is uniform, so among t tied tokens the number before o_v is uniform on 0 … t.
#[derive(Clone, Debug)]
pub struct LambdaTable {
    irrelevant: u64,
    others: u64,
    tokens_per_expert: u64,
    replacement: bool,
    /// λ without ties, by the number of patterns above; filled on demand.
    untied: Vec<f64>,
}

impl LambdaTable {
    /// For the noise-free distribution `data` and experts that choose `tokens_per_expert` tokens.
    pub fn new(data: &DataParameters, tokens_per_expert: usize) -> Self {
        Self {
            irrelevant: (data.patterns - data.first_irrelevant()) as u64,
            others: data.tokens as u64 - 1,
            tokens_per_expert: tokens_per_expert as u64,
            replacement: data.replacement,
            untied: vec![f64::NAN; data.patterns - data.first_irrelevant() + 1],
        }
    }

    /// λ for these competitors.
    pub fn lambda(&mut self, competitors: Competitors) -> f64 {
        if competitors.tied > 0 {
            return self.compute(competitors.above as u64, competitors.tied as u64);
        }
        if self.untied[competitors.above].is_nan() {
            self.untied[competitors.above] = self.compute(competitors.above as u64, 0);
        }
        self.untied[competitors.above]
    }

    fn compute(&self, above: u64, tied: u64) -> f64 {
        let l = self.tokens_per_expert;
        let mut lambda = 0.0;
        for higher in 0..l.min(self.others + 1) {
            let probability = self.count(self.irrelevant, above, self.others, higher);
            if probability == 0.0 {
                continue;
            }
            lambda += probability * self.survives_ties(above, tied, higher);
        }
        lambda.min(1.0)
    }

    /// P[o_v is chosen | `higher` tokens score above it].
    fn survives_ties(&self, above: u64, tied: u64, higher: u64) -> f64 {
        if tied == 0 {
            return 1.0;
        }
        let remaining = self.others - higher;
        (0..=remaining)
            .map(|equal| {
                let probability = self.count(self.irrelevant - above, tied, remaining, equal);
                let room = (self.tokens_per_expert - higher).min(equal + 1);
                probability * room as f64 / (equal + 1) as f64
            })
            .sum()
    }

    /// P[`count` of `draws` tokens are among `marked` of `population` patterns].
    fn count(&self, population: u64, marked: u64, draws: u64, count: u64) -> f64 {
        if !self.replacement {
            return hypergeometric_pmf(population, marked, draws, count);
        }
        if population == 0 {
            return if count == 0 { 1.0 } else { 0.0 };
        }
        libm::exp(log_pmf(count, draws, marked as f64 / population as f64))
    }
}

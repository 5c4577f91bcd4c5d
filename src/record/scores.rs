//! The columns of `experts.csv` that hold scores, by criterion.

use super::ExpertRow;
use crate::sim::parameters::Criterion;

macro_rules! columns {
    ($($criterion:ident => $column:ident,)*) => {
        impl ExpertRow {
            /// The score under a criterion; `None` if it was not computed. Under a criterion that chooses a set for every
            /// number kept it is in how many of these sets the expert is.
            pub fn score(&self, criterion: Criterion) -> Option<f64> {
                match criterion {
                    $(Criterion::$criterion => self.$column,)*
                }
            }

            /// Fills the column of a criterion.
            pub fn set_score(&mut self, criterion: Criterion, score: Option<f64>) {
                match criterion {
                    $(Criterion::$criterion => self.$column = score,)*
                }
            }
        }
    };
}

columns! {
    RouterNormChange => router_norm_change,
    RouterDisplacement => router_displacement,
    Random => random,
    RouterNormChangeAbs => router_norm_change_abs,
    RouterNormChangeCentred => router_norm_change_centred,
    RouterNormChangeEarly => router_norm_change_early,
    RouterNorm => router_norm,
    NeuronChange => neuron_change,
    NeuronMagnitude => neuron_magnitude,
    MaxNeuronNorm => max_neuron_norm,
    MaxVar => max_var,
    Aimer => aimer,
    Frequency => frequency,
    Mass => mass,
    Ean => ean,
    GatedEan => gated_ean,
    Reap => reap,
    Man => man,
    Msan => msan,
    GatedSquared => gated_squared,
    SoftCount => soft_count,
    Top1Count => top1_count,
    Nllb => nllb,
    Mone => mone,
    Taylor => taylor,
    Specialisation => specialisation,
    Redundancy => redundancy,
    Naee => naee,
    Hope => hope,
    LooLoss => loo_loss,
    LooAccuracy => loo_accuracy,
    Oracle => oracle,
    RouterNormChangeReversed => router_norm_change_reversed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tables;

    #[test]
    fn every_score_has_the_column_of_its_name() -> Result<(), csv::Error> {
        for &criterion in Criterion::ALL {
            let mut row = ExpertRow::default();
            row.set_score(criterion, Some(0.25));
            let text = String::from_utf8_lossy(&tables::to_csv(&[row.clone()])?).into_owned();
            let mut lines = text.lines().map(|line| line.split(','));
            let (names, values) = (lines.next().into_iter().flatten(), lines.next().into_iter().flatten());
            let filled: Vec<&str> =
                names.zip(values).filter(|(_, value)| *value == "0.25").map(|(name, _)| name).collect();
            assert_eq!((filled, row.score(criterion)), (vec![criterion.name()], Some(0.25)));
        }
        Ok(())
    }
}

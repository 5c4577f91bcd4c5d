//! The largest activation range R and routing probability λ that each expert reaches while it trains.

use super::lambda::LambdaTable;
use crate::patterns::Class;
use crate::sgd::{Competitors, Engine, Observer, StepReport};

/// Observes max_t R_s and max_t λ_v (over both classes) of every expert, before the first step and after each.
#[derive(Clone, Debug)]
pub(crate) struct Extremes {
    /// max_t R_s, `[k]`; 0 where the theory asks nothing of the engine.
    pub range: Vec<f64>,
    /// max_t max_v λ_v, `[k]`; 0 without a table.
    pub lambda: Vec<f64>,
    table: Option<LambdaTable>,
    /// Competitors at the last look, `[k][2]`: λ is computed again only when they change.
    last: Vec<[Option<Competitors>; 2]>,
}

impl Extremes {
    /// For a model of `experts` experts. Without a table λ is not looked at: it has no closed form.
    pub(crate) fn new(experts: usize, table: Option<LambdaTable>) -> Self {
        Self { range: vec![0.0; experts], lambda: vec![0.0; experts], table, last: vec![[None; 2]; experts] }
    }
}

impl Observer for Extremes {
    fn observe(&mut self, _iteration: usize, engine: &mut dyn Engine, _report: Option<&StepReport>) {
        let Some(engine) = engine.theory() else { return };
        for expert in 0..self.range.len() {
            // A run that is about to diverge has ranges that are no numbers.
            let range = engine.range_above(expert, self.range[expert]).filter(|range| range.is_finite());
            if let Some(range) = range {
                self.range[expert] = range;
            }
            let Some(table) = &mut self.table else { continue };
            for (class, last) in Class::BOTH.into_iter().zip(&mut self.last[expert]) {
                let competitors = engine.competitors(expert, class);
                if *last != Some(competitors) {
                    *last = Some(competitors);
                    self.lambda[expert] = self.lambda[expert].max(table.lambda(competitors));
                }
            }
        }
    }
}

//! What allocates: a step of the dense engine and the draws of its batch do not, once a batch of that size was seen.

mod common;

use moe_theory::moe::Pretrained;
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::sgd::{EngineChoice, Objective};

#[test]
fn a_step_of_the_dense_engine_allocates_nothing() {
    for settings in [
        "data.noise=0.1",
        "data.noise=0.1 data.basis=haar",
        "data.noise=0 data.basis=haar data.replacement=true",
        "data.noise=0.2 data.patterns=37 model.neurons=21 model.experts=6 training.batch=14",
    ] {
        let parameters = common::point(&format!("{settings} pretrained.relevant_per_class=1")).parameters;
        let model = Pretrained::constructed(&parameters, 1).model;
        let mut engine = EngineChoice::Dense.build(&model, &parameters, 1);
        engine.track_contrast();
        let mut sampler = Sampler::training(&parameters.data, 1);
        let mut batch = Batch::default();
        let mut step = || {
            sampler.fill(&mut batch, parameters.training.batch);
            engine.step(&batch, &Objective::default()).expect("finite").active
        };
        // In the first step all samples are active or more room is taken in the next.
        step();
        step();
        let mut active = 0;
        let counted = allocation_counter::measure(|| (0..20).for_each(|_| active += step()));
        assert!(active > 0, "{settings}");
        assert_eq!(counted.count_total, 0, "{settings}: {counted:?}");
        let of_model = allocation_counter::measure(|| drop(engine.model()));
        assert!(of_model.count_total > 0, "the counter counts");
    }
}

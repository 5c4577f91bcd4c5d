//! An observer changes what training minimises, from step to step.

mod common;

use moe_theory::moe::{Model, Pretrained};
use moe_theory::patterns::{Batch, Sampler};
use moe_theory::sgd::train::Schedule;
use moe_theory::sgd::{Engine, GeneralEngine, Objective, Observer, StepReport, StopReason, TheoryEngine, train};
use moe_theory::sim::Parameters;

const STEPS: usize = 12;

/// The coefficient of the entropy in step t: κ falls to 0 in a straight line over the first half.
fn annealed(first: f64, iteration: usize) -> f64 {
    first * (1.0 - 2.0 * iteration as f64 / STEPS as f64).max(0.0)
}

/// Sets the coefficient before every step, and notes what the schedule gave it.
struct Annealing {
    first: f64,
    given: Vec<f64>,
}

impl Observer for Annealing {
    fn observe(&mut self, _iteration: usize, _engine: &mut dyn Engine, _report: Option<&StepReport>) {}

    fn objective(&mut self, iteration: usize, objective: &mut Objective) {
        self.given.push(objective.regularisers.entropy);
        objective.regularisers.entropy = annealed(self.first, iteration);
    }
}

fn start(parameters: &Parameters) -> (Model, Sampler) {
    (Pretrained::constructed(parameters, 3).model, Sampler::of_training(parameters, 3))
}

/// The model after training, with these observers.
fn trained(parameters: &Parameters, observers: &mut [&mut dyn Observer]) -> Model {
    let (model, mut sampler) = start(parameters);
    let mut engine = GeneralEngine::new(&model, parameters);
    let schedule = Schedule::training(parameters);
    assert_eq!(train(&mut engine, &mut sampler, schedule, observers), (StopReason::Finished, STEPS));
    engine.model()
}

#[test]
fn an_annealed_coefficient_is_that_of_each_step() {
    let parameters = common::point(
        "data.patterns=16 data.tokens=6 model.experts=4 model.neurons=3 model.routing=token-choice \
         model.experts_per_token=2 pretrained.relevant_per_class=1 pretrained.router_noise=0.5 training.batch=16 \
         training.iterations=12 training.router_rate=1.0 training.entropy=0.8",
    )
    .parameters;
    let first = parameters.training.entropy;
    let mut annealing = Annealing { first, given: Vec::new() };
    let found = trained(&parameters, &mut [&mut annealing]);

    // The same steps one by one, each on its own objective.
    let (model, mut sampler) = start(&parameters);
    let (mut engine, mut batch) = (GeneralEngine::new(&model, &parameters), Batch::default());
    for iteration in 0..STEPS {
        sampler.fill(&mut batch, parameters.training.batch);
        let mut objective = Objective::from(&parameters.training);
        objective.regularisers.entropy = annealed(first, iteration);
        engine.step(&batch, &objective).expect("finite");
    }
    assert_eq!(found, engine.model());

    // What an observer sets stays until the next one, and the schedule's own comes first.
    let expected: Vec<f64> = (0..STEPS).map(|step| if step == 0 { first } else { annealed(first, step - 1) }).collect();
    assert_eq!(annealing.given, expected);

    // It is neither the constant coefficient nor none.
    assert_ne!(found.routers, trained(&parameters, &mut []).routers);
    let mut none = Annealing { first: 0.0, given: Vec::new() };
    assert_ne!(found.routers, trained(&parameters, &mut [&mut none]).routers);
}

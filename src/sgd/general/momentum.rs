//! Descent with momentum: v ← μ v + g and w ← w + η v, with v = 0 before the first step. A neuron that is not active has
//! g = 0 and moves on by what is left of its velocity, so that L4 and L5 are lost.

use super::{GeneralEngine, activation};

/// The velocities of all weights.
#[derive(Clone, Debug)]
pub(super) struct Momentum {
    /// μ.
    share: f64,
    /// `[k, d]`.
    routers: Vec<f64>,
    /// `[k, d, m]`.
    neurons: Vec<f64>,
}

impl Momentum {
    /// At rest; `places` is k·d.
    pub(super) fn new(share: f64, places: usize, neurons_per_expert: usize) -> Self {
        Self { share, routers: vec![0.0; places], neurons: vec![0.0; places * neurons_per_expert] }
    }

    /// Moves routers and neurons by the engine's pulls; false if a weight is no finite number afterwards.
    pub(super) fn descend(&mut self, engine: &mut GeneralEngine, router_step: f64, neuron_step: f64) -> bool {
        let m = engine.neurons_per_expert;
        let mut finite = true;
        let routers = engine.routers.iter_mut().zip(&engine.router_pull).zip(&mut self.routers);
        for ((weight, pull), velocity) in routers {
            *velocity = self.share * *velocity + pull;
            *weight += router_step * *velocity;
            finite &= weight.is_finite();
        }
        for (place, &pull) in engine.activation_pull.iter().enumerate() {
            let neurons = &mut engine.neurons[place * m..][..m];
            for (weight, velocity) in neurons.iter_mut().zip(&mut self.neurons[place * m..][..m]) {
                *velocity = self.share * *velocity + if *weight > 0.0 { pull } else { 0.0 };
                *weight += neuron_step * *velocity;
            }
            engine.activations[place] = activation(neurons);
            finite &= engine.activations[place].is_finite();
        }
        finite
    }
}

//! What an engine does: one SGD step, the experts' outputs, and the weights that measurements read; and what the theory asks
//! beyond that.

use super::loss::Loss;
use super::objective::Objective;
use crate::moe::Model;
use crate::patterns::{Batch, Class};
use crate::sim::parameters::TrainingParameters;

/// The learning rates of one model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// η_r: routers.
    pub router: f64,
    /// η_e: neurons; their gradient carries 1/m.
    pub expert: f64,
}

impl From<&TrainingParameters> for Rates {
    fn from(training: &TrainingParameters) -> Self {
        Self { router: training.router_rate, expert: training.expert_rate }
    }
}

/// What one step saw before it moved the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepReport {
    /// Mean loss of the batch.
    pub loss: f64,
    /// Samples with a gradient; by the hinge loss those with y f < 1.
    pub active: usize,
}

impl StepReport {
    /// Counts a sample with the target y and the output f, whose loss is added until [`StepReport::over`] divides it;
    /// −∂ℓ/∂f.
    ///
    /// # Errors
    /// [`Diverged`] if f is no finite number.
    #[inline(always)]
    pub(crate) fn add(&mut self, loss: Loss, target: f64, f: f64) -> Result<f64, Diverged> {
        if !f.is_finite() {
            return Err(Diverged);
        }
        let (of_sample, pull) = loss.at(target, f);
        if pull != 0.0 {
            self.loss += of_sample;
            self.active += 1;
        }
        Ok(pull)
    }

    /// The mean over the samples of a batch.
    pub(crate) fn over(self, samples: usize) -> Self {
        Self { loss: self.loss / samples as f64, ..self }
    }
}

/// The model's output or a weight is not a finite number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an output or a weight is not a finite number")]
pub struct Diverged;

/// How many irrelevant patterns stand in the way of a class's pattern in an expert's router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Competitors {
    /// Number of q with u_q > u_o.
    pub above: usize,
    /// Number of q with u_q = u_o.
    pub tied: usize,
}

/// Any mixture of experts in training: what training, evaluation and pruning need of it.
///
/// An engine minimises an [`Objective`] by plain SGD. What a system says that the theory does not speak of is not asked
/// here; what only the theory asks is in [`TheoryEngine`], which [`Engine::theory`] gives for those that have an answer.
pub trait Engine {
    /// k.
    fn experts(&self) -> usize;

    /// One SGD step on the objective over all samples of the batch. Its regularisers are 0 unless the engine has them
    /// ([`Property::SpecialisedEngines`](crate::sim::Property)).
    ///
    /// # Errors
    /// [`Diverged`] if an output or a weight is no finite number, before or after the step.
    fn step(&mut self, batch: &Batch, objective: &Objective) -> Result<StepReport, Diverged>;

    /// f_s(x) of every sample and expert, `[samples, k]`; their sum over s is f(x).
    fn outputs(&mut self, batch: &Batch, outputs: &mut Vec<f64>);

    /// The gate of each sample's class token at every expert, `[samples, k]`; 0 where the two do not meet.
    fn class_token_gates(&mut self, batch: &Batch, gates: &mut Vec<f64>);

    /// The router of every expert, one row after the other, all of one length; empty where no expert has one of its own.
    fn routers(&self) -> Vec<f64>;

    /// The trained weights of every expert but its router's, one expert after the other, all of one length.
    fn expert_weights(&self) -> Vec<f64>;

    /// The trained weights that belong to no expert by itself.
    fn shared_weights(&self) -> Vec<f64> {
        Vec::new()
    }

    /// ‖w_s‖ of every expert, `[k]`.
    fn router_norms(&self, norms: &mut Vec<f64>) {
        let routers = self.routers();
        let norm = |router: &[f64]| router.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
        norms.clear();
        norms.extend(routers.chunks_exact(routers.len() / self.experts()).map(norm));
    }

    /// What the theory asks; `None` for a system that it does not speak of.
    fn theory(&mut self) -> Option<&mut dyn TheoryEngine> {
        None
    }
}

/// An engine of the paper's model, which answers the questions of its theory. Weights are asked for in pattern coordinates,
/// whatever the engine keeps.
///
/// Per sample, with −∂ℓ/∂f = α y (the hinge loss has α = `1[y f < 1]`) and σ̄ = Σ_j G_j σ_j,
/// −∂ℓ/∂w_s = α y a_s Σ_{j∈J_s} G_j (σ_j − σ̄) x⁽ʲ⁾ and
/// −∂ℓ/∂w_{s,r} = α (y a_s/m) Σ_{j∈J_s} G_j `1[⟨w_{s,r}, x⁽ʲ⁾⟩ > 0]` x⁽ʲ⁾; routers and neurons move together.
pub trait TheoryEngine: Engine {
    /// The model in pattern coordinates.
    fn model(&self) -> Model;

    /// How many irrelevant patterns beat or tie the pattern of `class` in the router of `expert`.
    fn competitors(&mut self, expert: usize, class: Class) -> Competitors;

    /// R_s = max_v σ_{s,v} − min_v σ_{s,v} if it is above `floor`; `None` if it is not. A caller that keeps the largest
    /// value of a run passes it as the floor, which lets an engine answer most calls without looking.
    fn range_above(&mut self, expert: usize, floor: f64) -> Option<f64>;

    /// Starts to accumulate the half-batch contrast V from V = 0, for [`TheoryEngine::contrast`]. Training goes on as it
    /// would without, bit for bit. An engine that cannot tell half-batches apart does nothing.
    fn track_contrast(&mut self) {}

    /// The half-batch contrast V = Σ_t (η_r/B)(S_A − S_B′) of the steps since [`TheoryEngine::track_contrast`], in pattern
    /// coordinates, `[k, d]`. S_A and S_B′ sum −∂ℓ/∂w_s over the first and the last B/2 samples of a batch, at the state
    /// before the step; the step itself moves w_s by (η_r/B)(S_A + S_B′).
    ///
    /// Given that state the halves are independent and alike, so E\[S_A − S_B′\] = 0 and V is a martingale. A step of V
    /// has the covariance of the step's noise, hence E‖V_s‖² is the expected squared length of the accumulated noise of
    /// w_s, and ‖w_s^T − w_s⁰‖² − ‖V_s‖² an unbiased estimate of what is systematic in it.
    ///
    /// `None` if it is not tracked, or if some batch had an odd number of samples. Says nothing after [`Diverged`].
    fn contrast(&self) -> Option<Vec<f64>> {
        None
    }
}

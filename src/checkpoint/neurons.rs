//! Sums over an expert's weights, neuron by neuron, and the scores that they give.

use super::files::Tensor;
use super::site::{Cut, Member, Role, Site};
use safetensors::Dtype;
use serde::Serialize;

/// Scores of the weights of one expert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeightScores {
    /// ‖W − W⁰‖ over all weights.
    pub expert_change: f64,
    /// ‖W‖ over all weights.
    pub expert_magnitude: f64,
    /// mean_r ‖w_r − w_r⁰‖ over neurons; `None` where it can't be told which weights are a neuron's.
    pub neuron_change: Option<f64>,
    /// max_r ‖w_r‖.
    pub max_neuron_norm: Option<f64>,
    /// max_r of the variance over the weights of w_r.
    pub max_var: Option<f64>,
    /// mean |W| over the root mean square of W; infinite for an expert of zeros.
    pub aimer: f64,
}

/// Which numbers of an expert's tensor, one behind the other, are a neuron's: what it weighs its input with. A gated neuron
/// counts as two, its gate and its value. Weights behind the neurons, and biases, are no neuron's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neurons {
    /// So many in a row.
    Rows(usize),
    /// One in every so many.
    Columns(usize),
    /// None.
    Nowhere,
    /// The shape does not tell.
    Unknown,
}

impl Neurons {
    /// Where the neurons of a tensor stand. Tensors of one expert are [out, in], as linear layers are. Those of all experts
    /// have either order: the axis as long as a row of the router is the input's, and where both are, the family says which.
    pub(crate) fn of(member: &Member, tensor: &Tensor, site: &Site) -> Self {
        let side = |axis: usize| tensor.shape.get(axis).map_or(1, |&side| side as usize);
        let hidden = site.hidden as usize;
        match (&member.cut, tensor.shape.len()) {
            _ if member.role != Role::Weight => Self::Nowhere,
            (Cut::Numbered { .. }, 2) => Self::Rows(side(1)),
            // MXFP4: two numbers a byte, blocks of 32 in a row.
            (Cut::Axis { axis: 0, .. }, 4) if tensor.dtype == Dtype::U8 => Self::Rows(2 * side(2) * side(3)),
            (Cut::Axis { axis: 0, entries }, 2) if *entries > 1 => Self::Rows(side(1)),
            (Cut::Axis { axis: 0, entries: 1 }, 3) => match (side(1) == hidden, side(2) == hidden) {
                (false, false) => Self::Unknown,
                (true, true) if !site.is_transposed => Self::Rows(hidden),
                (false, true) => Self::Rows(hidden),
                (true, _) => Self::Columns(side(2)),
            },
            (_, 0..=2) => Self::Nowhere,
            _ => Self::Unknown,
        }
    }

    /// The neuron of a number, and how many numbers from it on are that neuron's.
    fn run(self, entry: usize) -> (usize, usize) {
        match self {
            Self::Rows(length) => (entry / length, length - entry % length),
            Self::Columns(count) => (entry % count, 1),
            Self::Nowhere | Self::Unknown => (0, usize::MAX),
        }
    }
}

/// Sums over the numbers of one neuron, or of a tensor without any.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: f64,
    values: f64,
    absolutes: f64,
    squares: f64,
    changes_squared: f64,
}

impl Sum {
    fn variance(&self) -> f64 {
        let mean = self.values / self.count;
        (self.squares / self.count - mean * mean).max(0.0)
    }
}

/// Sums over one expert's numbers of a tensor, which come one piece after the other.
#[derive(Debug)]
pub(crate) struct Sums {
    neurons: Neurons,
    entry: usize,
    parts: Vec<Sum>,
}

impl Sums {
    pub(crate) fn of(neurons: Neurons) -> Self {
        Self { neurons, entry: 0, parts: Vec::new() }
    }

    /// Adds the next numbers, before and after.
    pub(crate) fn add(&mut self, old: &[f64], new: &[f64]) {
        let mut pairs = old.iter().zip(new);
        let mut left = pairs.len();
        while left > 0 {
            let (neuron, run) = self.neurons.run(self.entry);
            let run = run.min(left);
            if neuron >= self.parts.len() {
                self.parts.resize(neuron + 1, Sum::default());
            }
            let part = &mut self.parts[neuron];
            part.count += run as f64;
            for (old, new) in pairs.by_ref().take(run) {
                part.values += new;
                part.absolutes += new.abs();
                part.squares += new * new;
                part.changes_squared += (new - old) * (new - old);
            }
            self.entry += run;
            left -= run;
        }
    }
}

/// Sums over all tensors of one expert.
#[derive(Clone, Debug, Default)]
pub(crate) struct WeightSums {
    all: Sum,
    neurons: f64,
    changes: f64,
    max_norm: f64,
    max_var: f64,
    is_unknown: bool,
}

impl WeightSums {
    /// Adds a tensor.
    pub(crate) fn add(&mut self, sums: Sums) {
        for part in &sums.parts {
            self.all.count += part.count;
            self.all.absolutes += part.absolutes;
            self.all.squares += part.squares;
            self.all.changes_squared += part.changes_squared;
        }
        match sums.neurons {
            Neurons::Nowhere => {}
            Neurons::Unknown => self.is_unknown = true,
            Neurons::Rows(_) | Neurons::Columns(_) => {
                self.neurons += sums.parts.len() as f64;
                self.changes += sums.parts.iter().map(|part| part.changes_squared.sqrt()).sum::<f64>();
                self.max_norm = sums.parts.iter().map(|part| part.squares.sqrt()).fold(self.max_norm, f64::max);
                self.max_var = sums.parts.iter().map(Sum::variance).fold(self.max_var, f64::max);
            }
        }
    }

    /// The scores of the expert.
    pub(crate) fn scores(&self) -> WeightScores {
        let known = |score: f64| (self.neurons > 0.0 && !self.is_unknown).then_some(score);
        let root_mean_square = (self.all.squares / self.all.count).sqrt();
        WeightScores {
            expert_change: self.all.changes_squared.sqrt(),
            expert_magnitude: self.all.squares.sqrt(),
            neuron_change: known(self.changes / self.neurons),
            max_neuron_norm: known(self.max_norm),
            max_var: known(self.max_var),
            // Without weights there is nothing to lose: it goes first.
            aimer: match root_mean_square > 0.0 {
                true => self.all.absolutes / self.all.count / root_mean_square,
                false => f64::INFINITY,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(neurons: Neurons, old: &[f64], new: &[f64]) -> WeightScores {
        let mut all = WeightSums::default();
        let mut sums = Sums::of(neurons);
        // In pieces that end within a neuron.
        old.chunks(4).zip(new.chunks(4)).for_each(|(old, new)| sums.add(old, new));
        all.add(sums);
        all.scores()
    }

    #[test]
    fn scores_by_hand_of_two_neurons_with_three_weights() {
        let (old, new) = ([0.0; 6], [3.0, 0.0, 0.0, 1.0, -1.0, 0.0]);
        let rows = scores(Neurons::Rows(3), &old, &new);
        assert_eq!(rows.expert_magnitude, 11f64.sqrt());
        assert_eq!(rows.expert_change, 11f64.sqrt());
        assert_eq!(rows.neuron_change, Some((3.0 + 2f64.sqrt()) / 2.0));
        assert_eq!((rows.max_neuron_norm, rows.max_var), (Some(3.0), Some(2.0)));
        assert!((rows.aimer - 5.0 / 6.0 / (11f64 / 6.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn columns_are_the_transpose_of_rows() {
        let (old, rows) = ([0.5; 6], [3.0, 0.0, 0.0, 1.0, -1.0, 0.0]);
        let columns = [3.0, 1.0, 0.0, -1.0, 0.0, 0.0];
        let (rows, columns) = (scores(Neurons::Rows(3), &old, &rows), scores(Neurons::Columns(2), &old, &columns));
        assert_eq!(rows.neuron_change, columns.neuron_change);
        assert_eq!((rows.max_neuron_norm, rows.max_var), (columns.max_neuron_norm, columns.max_var));
    }

    #[test]
    fn where_neurons_stand_is_not_guessed() {
        let unknown = scores(Neurons::Unknown, &[0.0, 0.0], &[1.0, 2.0]);
        assert_eq!((unknown.neuron_change, unknown.max_neuron_norm, unknown.max_var), (None, None, None));
        assert_eq!(unknown.expert_magnitude, 5f64.sqrt());
        assert_eq!(scores(Neurons::Rows(2), &[0.0, 0.0], &[0.0, 0.0]).aimer, f64::INFINITY);
    }
}

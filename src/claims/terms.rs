//! What an irrelevant router's displacement consists of: drift, leakage and noise, and which of them binds.

use super::catalogue::bound_terms;
use super::observation::Observation;
use super::run_figure::RunFigure;
use super::scaling::roles_of;
use crate::record::TermRow;
use crate::sim::{Point, RoleSource, Simulation};
use crate::stats::holm::holm;
use crate::stats::{median, p_value_mean_zero};

/// The terms, in the order of lemma S3's proof.
const TERMS: [(&str, RunFigure); 3] =
    [("drift", RunFigure::DriftSquared), ("leakage", RunFigure::LeakageSquared), ("noise", RunFigure::NoiseSquared)];

/// Pairs of terms that are compared.
const PAIRS: [[usize; 2]; 3] = [[0, 1], [0, 2], [1, 2]];

/// Error of the tests that find the binding term, over all points of a file.
const ALPHA: f64 = 0.05;

/// Collects the terms of all runs at points that tell them apart. Runs are not set aside; roles are those that
/// the case's claims take.
#[derive(Clone, Debug)]
pub(crate) struct Terms<'a> {
    points: Vec<PointTerms<'a>>,
}

#[derive(Clone, Debug)]
struct PointTerms<'a> {
    roles: RoleSource,
    point: &'a Point,
    /// For each run, each term's mean square.
    squares: Vec<[f64; 3]>,
    /// For each run, each term of the bound.
    bounds: Vec<[f64; 3]>,
}

impl<'a> Terms<'a> {
    /// For the points with `record.half_batches`.
    pub(crate) fn new(simulation: &Simulation, points: &'a [Point]) -> Self {
        let told = points.iter().filter(|point| point.parameters.record.half_batches);
        let empty = |point: &'a Point| PointTerms {
            roles: roles_of(simulation, point.case.as_deref()),
            point,
            squares: Vec::new(),
            bounds: Vec::new(),
        };
        Self { points: told.map(empty).collect() }
    }

    /// Adds a run; one without irrelevant experts says nothing.
    pub(crate) fn add(&mut self, point: usize, observation: &Observation) {
        let Some(own) = self.points.iter_mut().find(|own| own.point.index == point) else { return };
        let figure = |figure: RunFigure| figure.of(observation, own.roles);
        let [drift, leakage, noise] = TERMS.map(|(_, term)| figure(term));
        let largest = figure(RunFigure::MaxRange).zip(figure(RunFigure::MaxLambda));
        if let (Some(drift), Some(leakage), Some(noise), Some((range, lambda))) = (drift, leakage, noise, largest) {
            own.squares.push([drift, leakage, noise]);
            own.bounds.push(bound_terms(&own.point.parameters, range, lambda));
        }
    }

    /// The rows of `terms.csv`.
    pub(crate) fn rows(&self) -> Vec<TermRow> {
        let points: Vec<&PointTerms> = self.points.iter().filter(|own| !own.squares.is_empty()).collect();
        let p_values: Vec<f64> = points.iter().flat_map(|own| own.comparisons().map(|(p, _)| p)).collect();
        let adjusted = holm(&p_values);
        points.iter().zip(adjusted.chunks_exact(PAIRS.len())).map(|(own, adjusted)| own.row(adjusted)).collect()
    }
}

impl PointTerms<'_> {
    /// For each pair of terms: the two-sided p of equal means, and whether the first is larger.
    fn comparisons(&self) -> [(f64, bool); 3] {
        PAIRS.map(|[first, second]| {
            let differences: Vec<f64> = self.squares.iter().map(|squares| squares[first] - squares[second]).collect();
            (p_value_mean_zero(&differences), differences.iter().sum::<f64>() > 0.0)
        })
    }

    fn row(&self, adjusted: &[f64]) -> TermRow {
        let column = |term: usize| self.squares.iter().map(|squares| squares[term]).collect::<Vec<_>>();
        let [drift, leakage, noise] = [0, 1, 2].map(|term| mean_and_error(&column(term)));
        let bound = |term: usize| {
            let column: Vec<f64> = self.bounds.iter().map(|bounds| bounds[term]).collect();
            median(&column).unwrap_or_default()
        };
        let bounds = [0, 1, 2].map(bound);
        let largest = (0..3).fold(0, |best, term| if bounds[term] > bounds[best] { term } else { best });
        let (binding, p_holm) = self.binding(adjusted);
        let parameters = &self.point.parameters;
        TermRow {
            case: self.point.case.clone().unwrap_or_default(),
            point: self.point.index,
            roles: self.roles,
            patterns: parameters.data.patterns,
            batch: parameters.training.batch,
            iterations: parameters.training.iterations,
            runs: self.squares.len(),
            noise_squared: noise.0,
            noise_error: noise.1,
            drift_squared: drift.0,
            drift_error: drift.1,
            leakage_squared: leakage.0,
            leakage_error: leakage.1,
            binding: binding.to_owned(),
            p_holm,
            bound_drift: bounds[0],
            bound_leakage: bounds[1],
            bound_noise: bounds[2],
            bound_binding: TERMS[largest].0.to_owned(),
        }
    }

    /// The term that wins both its comparisons, with the larger of their adjusted p-values.
    fn binding(&self, adjusted: &[f64]) -> (&'static str, f64) {
        let comparisons = self.comparisons();
        let mut best = ("undecided", 1.0);
        for (term, (name, _)) in TERMS.iter().enumerate() {
            let own = (0..PAIRS.len()).filter(|&pair| PAIRS[pair].contains(&term));
            let won = own.clone().all(|pair| comparisons[pair].1 == (PAIRS[pair][0] == term));
            let p = own.map(|pair| adjusted[pair]).fold(0.0, f64::max);
            if won {
                best = (if p <= ALPHA { name } else { "undecided" }, p);
            }
        }
        best
    }
}

/// Mean and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}

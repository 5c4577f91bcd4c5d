//! What one part of a claim collects of the runs, and what they say of it if their number was fixed before.

use super::evidence::{Evidence, Finding};
use super::run_figure::RunFigure;
use super::slope_parts::{NoSlope, Side, SlopePart, estimate};
use crate::sim::{ClaimSpec, Point};
use crate::stats::binomial::{p_value_refuted, p_value_supported};
use crate::stats::{Group, Slope};

/// What the runs say of one part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Opinion {
    /// p of H⁻ (small: SUPPORTED).
    pub supported: f64,
    /// p of H⁺ (small: REFUTED).
    pub refuted: f64,
    /// Estimate with its standard error.
    pub estimate: Option<(f64, f64)>,
    /// Why nothing can be decided, if that is so whatever the runs say.
    pub undecidable: Option<&'static str>,
}

/// What a run adds to a part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Addition {
    /// Whether the run is judged; runs that only make a rule are not.
    pub judged: bool,
    /// The figure of the run.
    pub figure: Option<f64>,
    /// Experts that the claim says nothing of, and experts looked at.
    pub outside: [u64; 2],
    /// Whether the claim fails in the run for want of a proof or a counterexample.
    pub undecided: bool,
}

/// The collection of one part.
#[derive(Clone, Debug)]
pub(super) enum Sample {
    /// Runs at one point in which the claim holds.
    Probability(ProbabilitySample),
    /// One figure a run at each point of a line.
    Slope(SlopeSample),
    /// T1b's rule: a constant from the lower points of a line, held against one upper point.
    Constant(ConstantSample),
}

#[derive(Clone, Debug)]
pub(super) struct ProbabilitySample {
    point: usize,
    pub runs: u64,
    pub holds: u64,
}

#[derive(Clone, Debug)]
pub(super) struct SlopeSample {
    part: SlopePart,
    points: Vec<usize>,
    groups: Vec<Group>,
    /// Runs that have no such figure.
    pub without: u64,
    /// The estimate, until a run is added: it is asked for more than once.
    known: Option<Result<Slope, NoSlope>>,
}

#[derive(Clone, Debug)]
pub(super) struct ConstantSample {
    lower: Vec<usize>,
    upper: usize,
    /// The largest √d·max |Δ| of all runs of the lower points.
    largest: f64,
    /// √d·max |Δ| of each run of the upper point.
    scaled: Vec<Option<f64>>,
}

impl Sample {
    pub fn probability(point: &Point) -> Self {
        Sample::Probability(ProbabilitySample { point: point.index, runs: 0, holds: 0 })
    }

    /// Over a line of points in the order of the abscissa.
    pub fn slope(part: SlopePart, line: &[&Point]) -> Self {
        let group = |point: &&Point| Group { x: part.along.abscissa(&point.parameters), values: Vec::new() };
        Sample::Slope(SlopeSample {
            part,
            points: line.iter().map(|point| point.index).collect(),
            groups: line.iter().map(group).collect(),
            without: 0,
            known: None,
        })
    }

    pub fn constant(lower: &[&Point], upper: &Point) -> Self {
        Sample::Constant(ConstantSample {
            lower: lower.iter().map(|point| point.index).collect(),
            upper: upper.index,
            largest: 0.0,
            scaled: Vec::new(),
        })
    }

    /// Whether runs of this point count here.
    pub fn collects(&self, point: usize) -> bool {
        match self {
            Sample::Probability(sample) => sample.point == point,
            Sample::Slope(sample) => sample.points.contains(&point),
            Sample::Constant(sample) => sample.upper == point || sample.lower.contains(&point),
        }
    }

    /// The last of its points in the order of the runs.
    pub fn last_point(&self) -> usize {
        match self {
            Sample::Probability(sample) => sample.point,
            Sample::Slope(sample) => sample.points.iter().max().copied().unwrap_or(0),
            Sample::Constant(sample) => sample.upper,
        }
    }

    /// Adds a run of one of its points.
    pub fn add(&mut self, point: usize, evidence: &Evidence, claim: &ClaimSpec) -> Addition {
        match self {
            Sample::Probability(sample) => sample.add(evidence, claim),
            Sample::Slope(sample) => sample.add(point, evidence, claim),
            Sample::Constant(sample) => sample.add(point, evidence, claim),
        }
    }

    /// Judged runs for which the claim holds; a slope has none.
    pub fn holds(&self) -> Option<u64> {
        match self {
            Sample::Probability(sample) => Some(sample.holds),
            Sample::Slope(_) => None,
            Sample::Constant(sample) => Some(sample.holds()),
        }
    }

    /// What the row shows as threshold: c, c₁, the threshold of a slope, or the constant found.
    pub fn threshold(&self, claim: &ClaimSpec) -> Option<f64> {
        match self {
            Sample::Probability(_) => claim.threshold,
            Sample::Slope(_) => claim.slope,
            Sample::Constant(sample) => Some(sample.largest),
        }
    }

    /// What the runs say if their number was fixed before.
    pub fn opinion(&mut self, claim: &ClaimSpec) -> Opinion {
        match self {
            Sample::Probability(sample) => of_counts(sample.holds, sample.runs, claim.level),
            Sample::Slope(sample) => sample.opinion(claim.slope.unwrap_or(0.0)),
            Sample::Constant(sample) => of_counts(sample.holds(), sample.scaled.len() as u64, claim.level),
        }
    }
}

/// The exact binomial tests.
fn of_counts(holds: u64, runs: u64, level: f64) -> Opinion {
    let share = holds as f64 / runs as f64;
    Opinion {
        supported: p_value_supported(holds, runs, level),
        refuted: p_value_refuted(holds, runs, level),
        estimate: (runs > 0).then(|| (share, (share * (1.0 - share) / runs as f64).sqrt())),
        undecidable: None,
    }
}

impl ProbabilitySample {
    fn add(&mut self, evidence: &Evidence, claim: &ClaimSpec) -> Addition {
        let finding = evidence.finding(claim);
        self.runs += 1;
        self.holds += u64::from(finding.holds);
        let Finding { figure, outside, experts, undecided, .. } = finding;
        Addition { judged: true, figure, outside: [outside, experts], undecided }
    }
}

impl SlopeSample {
    fn add(&mut self, point: usize, evidence: &Evidence, claim: &ClaimSpec) -> Addition {
        self.known = None;
        let figure = self.part.figure.of(evidence, claim.roles);
        let place = self.points.iter().position(|&other| other == point);
        match place.zip(figure) {
            Some((place, figure)) => self.groups[place].values.push(figure),
            None => self.without += 1,
        }
        Addition { judged: true, figure, ..Addition::default() }
    }

    /// The slope over the runs so far.
    pub fn slope(&mut self) -> Result<Slope, NoSlope> {
        let (method, groups) = (self.part.method, &self.groups);
        *self.known.get_or_insert_with(|| estimate(method, groups))
    }

    fn opinion(&mut self, threshold: f64) -> Opinion {
        let slope = match self.slope() {
            Ok(slope) => slope,
            Err(reason) => {
                let reason = if reason == NoSlope::Zero { "zero" } else { "too few" };
                return Opinion { supported: 1.0, refuted: 1.0, estimate: None, undecidable: Some(reason) };
            }
        };
        let (above, below) = (slope.p_value_above(threshold), slope.p_value_below(threshold));
        let (supported, refuted) = if self.part.side == Side::Above { (above, below) } else { (below, above) };
        Opinion { supported, refuted, estimate: Some((slope.slope, slope.standard_error)), undecidable: None }
    }
}

impl ConstantSample {
    fn add(&mut self, point: usize, evidence: &Evidence, claim: &ClaimSpec) -> Addition {
        let root = (evidence.parameters.data.patterns as f64).sqrt();
        let scaled = RunFigure::MaxChange.of(evidence, claim.roles).map(|figure| root * figure);
        if point == self.upper {
            self.scaled.push(scaled);
            return Addition { judged: true, figure: scaled, ..Addition::default() };
        }
        // Runs of the lower points make the rule; they are not judged by it.
        self.largest = self.largest.max(scaled.unwrap_or(0.0));
        Addition::default()
    }

    fn holds(&self) -> u64 {
        self.scaled.iter().filter(|scaled| scaled.is_some_and(|scaled| scaled <= self.largest)).count() as u64
    }
}

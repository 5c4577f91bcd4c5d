//! What one part of a claim collects of the runs, and what they say of it if their number was fixed before.

use super::comparison::{Conditions, Direction};
use super::observation::{Observation, RunDecision};
use super::slope_parts::{NoSlope, Side, SlopePart, estimate};
use crate::sim::Decision;
use crate::sim::{ClaimSpec, CriterionComparison, Point};
use crate::stats::binomial::{lower_tail, p_value_refuted, p_value_supported, upper_tail};
use crate::stats::interval::clopper_pearson;
use crate::stats::{Group, Slope};

/// What the runs say of one part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TestResult {
    /// p of H⁻ (small: SUPPORTED).
    pub supported: f64,
    /// p of H⁺ (small: REFUTED).
    pub refuted: f64,
    /// Estimate with its standard error.
    pub estimate: Option<(f64, f64)>,
    /// Why nothing can be decided, if that is so whatever the runs say.
    pub undecidable: Option<Decision>,
}

/// What a run adds to a part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Addition {
    /// Whether the run is judged; runs that only make a rule are not.
    pub judged: bool,
    /// Whether the run is set aside because the claim has no value in it.
    pub without_value: bool,
    /// The figure of the run.
    pub figure: Option<f64>,
    /// Experts that the claim says nothing of, and experts looked at.
    pub outside: [u64; 2],
    /// Whether the claim fails in the run for want of a proof or a counterexample.
    pub undecided: bool,
}

/// The collection of one part.
#[derive(Clone, Debug)]
pub(super) enum Sample<'a> {
    /// Runs at one point in which the claim holds.
    Probability(ProbabilitySample),
    /// One figure a run at each point of a line.
    Slope(SlopeSample<'a>),
    /// T1b's rule: a constant from the lower points of a line, held against one upper point.
    Constant(ConstantSample),
    /// Runs at one point in which one of two criteria is better.
    Paired(PairedSample),
}

#[derive(Clone, Debug)]
pub(super) struct ProbabilitySample {
    point: usize,
    pub runs: u64,
    pub holds: u64,
}

#[derive(Clone, Debug)]
pub(super) struct SlopeSample<'a> {
    part: SlopePart<'a>,
    threshold: f64,
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
    /// The largest figure of all runs of the lower points.
    largest: f64,
    /// The figure of each run of the upper point.
    scaled: Vec<Option<f64>>,
}

/// A run in which both criteria are better somewhere counts for both, so that the pairs that McNemar's test looks at are
/// the runs in which one alone is.
#[derive(Clone, Debug)]
pub(super) struct PairedSample {
    direction: Direction,
    conditions: Box<Conditions>,
    point: usize,
    runs: u64,
    worse: u64,
    better: u64,
    both: u64,
}

impl<'a> Sample<'a> {
    pub(crate) fn paired(direction: Direction, asked: &CriterionComparison, point: &Point) -> Self {
        let (conditions, point) = (Box::new(Conditions::of(asked)), point.index);
        Sample::Paired(PairedSample { direction, conditions, point, runs: 0, worse: 0, better: 0, both: 0 })
    }

    pub(crate) fn probability(point: &Point) -> Self {
        Sample::Probability(ProbabilitySample { point: point.index, runs: 0, holds: 0 })
    }

    /// Over a line of points in the order of the abscissa.
    pub(crate) fn slope(part: SlopePart<'a>, threshold: f64, line: &[&Point]) -> Self {
        let group = |point: &&Point| Group { x: part.along.abscissa(&point.parameters), values: Vec::new() };
        Sample::Slope(SlopeSample {
            part,
            threshold,
            points: line.iter().map(|point| point.index).collect(),
            groups: line.iter().map(group).collect(),
            without: 0,
            known: None,
        })
    }

    pub(crate) fn constant(lower: &[&Point], upper: &Point) -> Self {
        Sample::Constant(ConstantSample {
            lower: lower.iter().map(|point| point.index).collect(),
            upper: upper.index,
            largest: 0.0,
            scaled: Vec::new(),
        })
    }

    /// Whether runs of this point count here.
    pub(crate) fn collects(&self, point: usize) -> bool {
        match self {
            Sample::Probability(sample) => sample.point == point,
            Sample::Paired(sample) => sample.point == point,
            Sample::Slope(sample) => sample.points.contains(&point),
            Sample::Constant(sample) => sample.upper == point || sample.lower.contains(&point),
        }
    }

    /// The last of its points in the order of the runs.
    pub(crate) fn last_point(&self) -> usize {
        match self {
            Sample::Probability(sample) => sample.point,
            Sample::Paired(sample) => sample.point,
            Sample::Slope(sample) => sample.points.iter().max().copied().unwrap_or(0),
            Sample::Constant(sample) => sample.upper,
        }
    }

    /// Adds a run of one of its points.
    pub(crate) fn add(&mut self, point: usize, observation: &Observation, claim: &ClaimSpec) -> Addition {
        match self {
            Sample::Probability(sample) => sample.add(observation, claim),
            Sample::Slope(sample) => sample.add(point, observation, claim),
            Sample::Constant(sample) => sample.add(point, observation, claim),
            Sample::Paired(sample) => sample.add(observation, claim),
        }
    }

    /// Judged runs for which the claim holds; a slope has none.
    pub(crate) fn holds(&self) -> Option<u64> {
        match self {
            Sample::Paired(sample) => Some(sample.holds()),
            Sample::Probability(sample) => Some(sample.holds),
            Sample::Slope(_) => None,
            Sample::Constant(sample) => Some(sample.holds()),
        }
    }

    /// What the row shows as threshold: c, c₁, the threshold of a slope, or the constant found.
    pub(crate) fn threshold(&self, claim: &ClaimSpec) -> Option<f64> {
        match self {
            Sample::Probability(_) => claim.threshold(),
            // Of the share of runs in which it is better less that in which it is worse.
            Sample::Paired(sample) => match sample.direction {
                Direction::NotWorse => Some(claim.level - 1.0),
                Direction::Better => Some(0.0),
            },
            Sample::Slope(sample) => Some(sample.threshold),
            Sample::Constant(sample) => Some(sample.largest),
        }
    }

    /// What the runs say if their number was fixed before.
    pub(crate) fn result(&mut self, claim: &ClaimSpec) -> TestResult {
        match self {
            Sample::Probability(sample) => of_counts(sample.holds, sample.runs, claim.level),
            Sample::Slope(sample) => sample.result(),
            Sample::Constant(sample) => of_counts(sample.holds(), sample.scaled.len() as u64, claim.level),
            Sample::Paired(sample) => sample.result(claim),
        }
    }
}

/// The exact binomial tests.
fn of_counts(holds: u64, runs: u64, level: f64) -> TestResult {
    let share = holds as f64 / runs as f64;
    TestResult {
        supported: p_value_supported(holds, runs, level),
        refuted: p_value_refuted(holds, runs, level),
        estimate: (runs > 0).then(|| (share, (share * (1.0 - share) / runs as f64).sqrt())),
        undecidable: None,
    }
}

impl ProbabilitySample {
    fn add(&mut self, observation: &Observation, claim: &ClaimSpec) -> Addition {
        let finding = observation.decision(claim);
        if finding.missing && claim.sets_missing_aside() {
            return Addition { without_value: true, ..Addition::default() };
        }
        self.runs += 1;
        self.holds += u64::from(finding.holds);
        let RunDecision { figure, outside, experts, undecided, .. } = finding;
        Addition { judged: true, figure, outside: [outside, experts], undecided, without_value: false }
    }
}

impl PairedSample {
    fn add(&mut self, observation: &Observation, claim: &ClaimSpec) -> Addition {
        let seen = self.conditions.seen_in(observation, claim);
        self.runs += 1;
        self.worse += u64::from(seen.worse);
        self.better += u64::from(seen.better);
        self.both += u64::from(seen.worse && seen.better);
        Addition { judged: true, figure: seen.difference, ..Addition::default() }
    }

    /// Runs in which the claim holds.
    fn holds(&self) -> u64 {
        match self.direction {
            Direction::NotWorse => self.runs - self.worse,
            Direction::Better => self.better,
        }
    }

    fn result(&self, claim: &ClaimSpec) -> TestResult {
        let &Self { runs, worse, better, both, .. } = self;
        let allowed = 1.0 - claim.level;
        let is_first = self.direction == Direction::NotWorse;
        // p of "the runs of the first kind are not more than those of the second", and of "they are more by 1 − level".
        let (few, many) = if is_first { (better, worse) } else { (worse, better) };
        let pairs = worse + better - 2 * both;
        let not_more = upper_tail(many - both, pairs, 0.5);
        let much_more = (2.0 * lower_tail(many, runs, allowed).min(upper_tail(few - both, pairs, 0.5))).min(1.0);
        let (supported, refuted) = if is_first { (much_more, not_more) } else { (not_more, much_more) };
        let share = |count: u64| count as f64 / runs as f64;
        let advantage = share(better) - share(worse);
        let spread = share(pairs) - advantage * advantage;
        let estimate = (runs > 0).then(|| (advantage, (spread.max(0.0) / runs as f64).sqrt()));
        TestResult { supported, refuted, estimate, undecidable: None }
    }

    /// An interval of P[better] − P[worse]: both shares within their Clopper–Pearson intervals at alpha/2.
    pub(crate) fn interval(&self, alpha: f64) -> (f64, f64) {
        let [better, worse] = [self.better, self.worse].map(|count| clopper_pearson(count, self.runs, alpha / 2.0));
        (better.low - worse.high, better.high - worse.low)
    }

    /// Fewest runs with which anything can be decided at `alpha`, if they all differ in one direction.
    pub(crate) fn fewest(alpha: f64) -> u64 {
        libm::ceil(libm::log2(1.0 / alpha)).max(1.0) as u64
    }
}

impl SlopeSample<'_> {
    fn add(&mut self, point: usize, observation: &Observation, claim: &ClaimSpec) -> Addition {
        self.known = None;
        let figure = self.part.value(observation, claim);
        let place = self.points.iter().position(|&other| other == point);
        match place.zip(figure) {
            Some((place, figure)) => self.groups[place].values.push(figure),
            None => self.without += 1,
        }
        Addition { judged: true, figure, ..Addition::default() }
    }

    /// The slope over the runs so far.
    pub(crate) fn slope(&mut self) -> Result<Slope, NoSlope> {
        let (method, groups) = (self.part.method, &self.groups);
        *self.known.get_or_insert_with(|| estimate(method, groups))
    }

    fn result(&mut self) -> TestResult {
        let threshold = self.threshold;
        let slope = match self.slope() {
            Ok(slope) => slope,
            Err(reason) => {
                let reason = if reason == NoSlope::Zero { Decision::Zero } else { Decision::TooFew };
                return TestResult { supported: 1.0, refuted: 1.0, estimate: None, undecidable: Some(reason) };
            }
        };
        let (above, below) = (slope.p_value_above(threshold), slope.p_value_below(threshold));
        let (supported, refuted) = if self.part.side == Side::Above { (above, below) } else { (below, above) };
        TestResult { supported, refuted, estimate: Some((slope.slope, slope.standard_error)), undecidable: None }
    }
}

impl ConstantSample {
    fn add(&mut self, point: usize, observation: &Observation, claim: &ClaimSpec) -> Addition {
        let scaled = observation.figure(claim);
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

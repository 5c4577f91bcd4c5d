//! Findings → verdicts: the decision rule, in one place.
//!
//! Each part of a claim at each point (a probability), or over each line of points (a slope), is one member of the
//! family of tests, with two hypotheses. H⁻: the probability that the claim holds in a run is at most `level`, or the
//! slope lies beyond its threshold; rejecting it means SUPPORTED. H⁺: the probability is at least `level`, or the slope
//! lies within; rejecting it means REFUTED. All 2N hypotheses of a simulation are corrected together by Holm at
//! [`ALPHA`]. Neither rejected means INCONCLUSIVE. docs/judge/decision-rule.md tells why.

use super::catalogue::Rule;
use super::hypothesis_pair::HypothesisPair;
use super::observation::Observation;
use super::sample::TestResult;
use super::slope_parts::SlopePart;
use crate::record::ClaimRow;
use crate::record::design::{ALPHA, Design};
use crate::sim::Decision;
use crate::sim::Part;
use crate::sim::{ClaimSpec, Point, Simulation, Verdict, lines};
use crate::stats::holm::holm;
use std::collections::BTreeSet;

/// Collects the runs of a simulation, part by part, and judges them.
#[derive(Clone, Debug)]
pub struct ClaimTests<'a> {
    simulation: &'a Simulation,
    design: Design,
    hypotheses: Vec<HypothesisPair<'a>>,
}

/// How many claims of a simulation its seeds are too few for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Claims that cannot be SUPPORTED.
    pub short: usize,
    /// All claims.
    pub claims: usize,
    /// Fewest seeds a point with which all of them can, if no run is set aside.
    pub from: u64,
}

impl<'a> ClaimTests<'a> {
    /// The tests for every claim of the simulation at every point and line that it applies to.
    pub fn new(simulation: &'a Simulation, points: &'a [Point], design: Design) -> Self {
        let mut all: Vec<HypothesisPair> = Vec::new();
        for (place, claim) in simulation.claims.iter().enumerate() {
            let mut own = hypotheses(claim, points);
            own.iter_mut().for_each(|hypothesis| hypothesis.number = place + 1);
            all.extend(own);
        }
        Self { simulation, design, hypotheses: all }
    }

    /// Adds run number `run` of a point. Runs of a point must come in the order of their numbers.
    pub fn add(&mut self, point: usize, run: u64, observation: &Observation) {
        let pairs = self.hypotheses.len();
        self.hypotheses.iter_mut().for_each(|hypothesis| hypothesis.add(point, run, observation, self.design, pairs));
    }

    /// Number of hypothesis pairs N of the simulation.
    pub fn pairs(&self) -> usize {
        self.hypotheses.len()
    }

    /// The rows of `claims.csv`: for each claim one a part, then, if there are several, one for all.
    pub fn rows(&mut self) -> Vec<ClaimRow> {
        let (design, pairs) = (self.design, self.hypotheses.len());
        if let Design::Sequential { .. } = design {
            self.hypotheses.iter_mut().for_each(|hypothesis| hypothesis.look(pairs));
        }
        let results: Vec<TestResult> =
            self.hypotheses.iter_mut().map(|hypothesis| hypothesis.result(design, pairs)).collect();
        let p_values: Vec<f64> = results.iter().flat_map(|result| [result.supported, result.refuted]).collect();
        let adjusted = holm(&p_values);
        let intervals: Vec<_> =
            self.hypotheses.iter_mut().map(|hypothesis| hypothesis.interval(design, pairs)).collect();
        let judged: Vec<(&HypothesisPair, ClaimRow)> = self
            .hypotheses
            .iter()
            .zip(&intervals)
            .zip(&results)
            .zip(adjusted.chunks_exact(2))
            .map(|(((hypothesis, interval), result), adjusted)| {
                let mut row = row(hypothesis, result, adjusted[0], adjusted[1]);
                (row.ci_low, row.ci_high) = (interval.map(|(low, _)| low), interval.map(|(_, high)| high));
                (hypothesis, row)
            })
            .collect();
        let mut rows = Vec::new();
        for (place, claim) in self.simulation.claims.iter().enumerate() {
            let own = judged.iter().filter(|(hypothesis, _)| hypothesis.number == place + 1);
            let (hypotheses, parts): (Vec<&HypothesisPair>, Vec<ClaimRow>) =
                own.map(|(hypothesis, row)| (*hypothesis, row.clone())).unzip();
            rows.extend(with_conjunction(claim, parts, &hypotheses));
        }
        rows
    }

    /// For each claim, in file order, the fewest judged runs at a point with which all its parts can be SUPPORTED.
    pub fn fewest_runs(&self) -> Vec<u64> {
        let of_claim = |number: usize| {
            let own = self.hypotheses.iter().filter(|hypothesis| hypothesis.number == number);
            own.map(|hypothesis| hypothesis.fewest(self.design, self.hypotheses.len())).max().unwrap_or(0)
        };
        (1..=self.simulation.claims.len()).map(of_claim).collect()
    }

    /// The claims that cannot be SUPPORTED with the seeds of these points, whatever the runs say; `None` if there is no
    /// such claim. A claim that is expected to be REFUTED needs fewer runs and is left out.
    pub fn shortage(&self, points: &[Point]) -> Option<Shortage> {
        let claims = &self.simulation.claims;
        let is_short = |number: usize| {
            let mut own = self.hypotheses.iter().filter(|hypothesis| hypothesis.number == number);
            own.any(|hypothesis| {
                let seeds =
                    points.iter().filter(|point| hypothesis.sample.collects(point.index)).map(|point| point.seeds);
                seeds.min().unwrap_or(0) < hypothesis.fewest(self.design, self.hypotheses.len())
            })
        };
        let fewest = self.fewest_runs();
        let asked = (0..claims.len()).filter(|&place| claims[place].expect != Some(Verdict::Refuted));
        let short: Vec<u64> = asked.filter(|place| is_short(place + 1)).map(|place| fewest[place]).collect();
        let from = *short.iter().max()?;
        Some(Shortage { short: short.len(), claims: claims.len(), from })
    }

    /// Of these points, those whose runs are still asked for: of claims that are INCONCLUSIVE, or of no claim at all.
    ///
    /// In a sequential design what is decided stays so: its p-values only fall, and Holm's with them.
    pub(crate) fn open_points(&mut self, points: &[Point]) -> BTreeSet<usize> {
        let rows = self.rows();
        let is_open = |row: &&&ClaimRow| row.verdict.verdict() == Verdict::Inconclusive;
        let open: BTreeSet<usize> = conclusions(&rows).iter().filter(is_open).map(|row| row.number).collect();
        let is_open = |point: usize| {
            let mut own = self.hypotheses.iter().filter(|hypothesis| hypothesis.sample.collects(point)).peekable();
            own.peek().is_none() || own.any(|hypothesis| open.contains(&hypothesis.number))
        };
        points.iter().map(|point| point.index).filter(|&point| is_open(point)).collect()
    }
}

/// The hypotheses of one claim: its probability at every point, its slopes over every line, T1b's constant at every upper
/// point.
fn hypotheses<'a>(claim: &'a ClaimSpec, points: &'a [Point]) -> Vec<HypothesisPair<'a>> {
    let own: Vec<&Point> = points.iter().filter(|point| claim.applies_to(point.case.as_deref())).collect();
    let mut hypotheses = Vec::new();
    let rule = claim.definition().map(|definition| definition.rule);
    if let (Some(Rule::Compared(direction)), Some(asked)) = (rule, claim.comparison()) {
        let compared = (direction, asked);
        hypotheses.extend(own.iter().map(|point| HypothesisPair::paired(claim, compared, point)));
    } else if claim.has_probability() {
        hypotheses.extend(own.iter().map(|point| HypothesisPair::probability(claim, point)));
    }
    let slopes = slope_lines(claim, points);
    for (part, line) in &slopes {
        // Every claim of a file that speaks of slopes has a threshold for them.
        let Some(threshold) = claim.slope else { continue };
        let mut hypothesis = HypothesisPair::slope(claim, (*part, threshold), line);
        if slopes.iter().filter(|(other, points)| other == part && points[0].case == line[0].case).count() > 1 {
            hypothesis.line = describe_line(line, part.along.path());
        }
        hypotheses.push(hypothesis);
    }
    if claim.definition().is_some_and(|definition| definition.bounded_by_smaller) {
        for line in lines(&own, "data.patterns") {
            let (lower, upper) = line.split_at(line.len() / 2);
            hypotheses.extend(upper.iter().map(|point| HypothesisPair::constant(claim, (lower, *point))));
        }
    }
    hypotheses
}

/// The slopes that a claim speaks of, each with the points that it is over, in the order of the abscissa.
pub fn slope_lines<'a>(claim: &'a ClaimSpec, points: &'a [Point]) -> Vec<(SlopePart<'a>, Vec<&'a Point>)> {
    let own: Vec<&Point> = points.iter().filter(|point| claim.applies_to(point.case.as_deref())).collect();
    let mut slopes = Vec::new();
    for part in claim.slopes() {
        for line in lines(&own, part.along.path()) {
            slopes.push((part, if part.tail { last_octaves(&line).to_vec() } else { line }));
        }
    }
    slopes
}

/// The points of a line over d whose d is at least a quarter of the largest.
pub(super) fn last_octaves<'a, 'b>(line: &'b [&'a Point]) -> &'b [&'a Point] {
    let largest = line.last().map_or(0, |point| point.parameters.data.patterns);
    let first = line.iter().position(|point| 4 * point.parameters.data.patterns >= largest).unwrap_or(0);
    &line[first..]
}

/// What tells a line from the others of its case: the settings of the other axes.
pub(super) fn describe_line(line: &[&Point], along: &str) -> String {
    let others = line.first().into_iter().flat_map(|point| &point.grid).filter(|value| value.path != along);
    others.map(|value| format!("{} = {}", value.path, value.text)).collect::<Vec<_>>().join(", ")
}

fn row(hypothesis: &HypothesisPair, result: &TestResult, supported: f64, refuted: f64) -> ClaimRow {
    let verdict = if supported <= ALPHA {
        Decision::Supported
    } else if refuted <= ALPHA {
        Decision::Refuted
    } else {
        result.undecidable.unwrap_or(Decision::Inconclusive)
    };
    let asked = hypothesis.claim.comparison();
    ClaimRow {
        claim: hypothesis.claim.id.to_string(),
        part: hypothesis.part,
        point: hypothesis.point,
        on: hypothesis.claim.on,
        runs: hypothesis.runs,
        set_aside: hypothesis.set_aside,
        holds: hypothesis.holds(),
        estimate: result.estimate.map(|(estimate, _)| estimate),
        ci_low: None,
        ci_high: None,
        threshold: hypothesis.sample.threshold(hypothesis.claim),
        level: hypothesis.level(),
        p_holm: Some(supported.min(refuted)),
        verdict,
        expected: hypothesis.claim.expect,
        roles: hypothesis.claim.roles,
        case: hypothesis.case.to_owned(),
        median: hypothesis.median(),
        missed: HypothesisPair::remarks(&[hypothesis]),
        standard_error: result.estimate.map(|(_, error)| error),
        line: hypothesis.line.clone(),
        number: hypothesis.number,
        against: asked.map(|asked| asked.against),
        feature: asked.and_then(|asked| asked.feature),
    }
}

/// A claim's rows and, if there are several, the row of their conjunction: SUPPORTED iff all are, REFUTED iff one is.
/// What the simulation expects is then expected of the conjunction.
fn with_conjunction(claim: &ClaimSpec, mut rows: Vec<ClaimRow>, hypotheses: &[&HypothesisPair]) -> Vec<ClaimRow> {
    if rows.len() < 2 {
        return rows;
    }
    // A run counts once, not in the slope again that it counts for at its point.
    let counted: Vec<usize> = (0..rows.len()).filter(|&place| rows[place].holds.is_some()).collect();
    let counted = if counted.is_empty() { vec![0] } else { counted };
    let sum = |count: &dyn Fn(&ClaimRow) -> u64| counted.iter().map(|&place| count(&rows[place])).sum::<u64>();
    let conjunction = ClaimRow {
        part: Part::All,
        point: None,
        runs: sum(&|row| row.runs),
        set_aside: sum(&|row| row.set_aside),
        holds: rows[counted[0]].holds.map(|_| sum(&|row| row.holds.unwrap_or(0))),
        estimate: None,
        ci_low: None,
        ci_high: None,
        threshold: claim.threshold(),
        level: Some(claim.level),
        p_holm: None,
        verdict: conjoin(&rows),
        case: claim.case.clone().unwrap_or_default(),
        median: None,
        missed: HypothesisPair::remarks(&counted.iter().map(|&place| hypotheses[place]).collect::<Vec<_>>()),
        standard_error: None,
        line: String::new(),
        ..rows[0].clone()
    };
    for row in &mut rows {
        row.expected = None;
    }
    rows.push(conjunction);
    rows
}

/// The verdict on all rows together.
fn conjoin(rows: &[ClaimRow]) -> Decision {
    if rows.iter().any(|row| row.verdict == Decision::Refuted) {
        return Decision::Refuted;
    }
    // A reason is that of the whole if it is that of every part that is not decided.
    let mut undecided = rows.iter().map(|row| row.verdict).filter(|&verdict| verdict != Decision::Supported);
    match undecided.next() {
        None => Decision::Supported,
        Some(first) if undecided.all(|verdict| verdict == first) => first,
        Some(_) => Decision::Inconclusive,
    }
}

/// The rows that state a claim's verdict: its conjunction, or its only row.
pub fn conclusions(rows: &[ClaimRow]) -> Vec<&ClaimRow> {
    let last = |place: usize| rows.get(place + 1).is_none_or(|next| next.number != rows[place].number);
    (0..rows.len()).filter(|&place| last(place)).map(|place| &rows[place]).collect()
}

/// The conclusions whose verdict is not the expected one, but for those of [`too_few`].
pub fn surprises(rows: &[ClaimRow]) -> Vec<&ClaimRow> {
    unexpected(rows).into_iter().filter(|row| !is_left_open(row)).collect()
}

/// The conclusions that are not the expected ones because there are too few runs for them. A claim that is expected to be
/// REFUTED is none of them: fewer runs can do that.
pub fn too_few(rows: &[ClaimRow]) -> Vec<&ClaimRow> {
    unexpected(rows).into_iter().filter(|row| is_left_open(row)).collect()
}

fn unexpected(rows: &[ClaimRow]) -> Vec<&ClaimRow> {
    let differs = |row: &&ClaimRow| row.expected.is_some_and(|expected| expected != row.verdict.verdict());
    conclusions(rows).into_iter().filter(differs).collect()
}

fn is_left_open(row: &ClaimRow) -> bool {
    has_too_few_runs(row) && row.expected != Some(Verdict::Refuted)
}

/// Whether a row is INCONCLUSIVE because its runs could not have sufficed.
pub(crate) fn has_too_few_runs(row: &ClaimRow) -> bool {
    row.verdict == Decision::TooFew
}

//! One member of the family of tests: a part of a claim at one point or over one line of points, with its p-values
//! under either design.

use super::comparison::Direction;
use super::observation::Observation;
use super::sample::{PairedSample, Sample, TestResult};
use super::slope_parts::{FEWEST_RUNS, SlopePart};
use crate::certify::Verdict;
use crate::record::design::{ALPHA, Design};
use crate::sim::Decision;
use crate::sim::Part;
use crate::sim::{Assumed, ClaimSpec, CriterionComparison, On, Point};
use crate::stats::binomial::smallest_trials_to_support;
use crate::stats::interval::clopper_pearson;
use crate::stats::quantile::median;
use crate::stats::sequential::{SequentialTest, confidence_sequence, smallest_trials_to_support_sequential};
use crate::stats::{SpendingTest, spending_weight};

/// A pair of hypotheses.
#[derive(Clone, Debug)]
pub(super) struct HypothesisPair<'a> {
    pub claim: &'a ClaimSpec,
    /// Number of the claim in its file, from 1.
    pub number: usize,
    assumptions: Vec<Assumed>,
    pub case: &'a str,
    /// The column `part`.
    pub part: Part,
    /// The point, if the part is about one.
    pub point: Option<usize>,
    /// Which line of points, if a case has several.
    pub line: String,
    /// Judged runs.
    pub runs: u64,
    pub set_aside: u64,
    /// Runs set aside that miss each of the claim's assumptions.
    missed: Vec<u64>,
    /// Experts that were left out of the finding, and experts looked at.
    outside: [u64; 2],
    /// Judged runs in which the claim fails for want of a proof or a counterexample.
    undecided: u64,
    figures: Vec<f64>,
    /// Runs set aside in which the claim has no value.
    without_value: u64,
    pub sample: Sample<'a>,
    looks: Looks,
}

/// What a sequential design keeps of its looks.
#[derive(Clone, Debug)]
struct Looks {
    /// Runs added, those set aside too.
    seen: u64,
    /// Runs seen at the last look: a second look at the same runs is none.
    looked: Option<u64>,
    /// The tests of a probability.
    probability: SequentialTest,
    /// The tests of everything else, supported and refuted.
    spending: [SpendingTest; 2],
}

impl<'a> HypothesisPair<'a> {
    fn new(claim: &'a ClaimSpec, point: &'a Point, part: Part, sample: Sample<'a>) -> Self {
        let assumptions = claim.assumptions();
        Self {
            claim,
            number: 0,
            case: point.case.as_deref().unwrap_or_default(),
            part,
            point: Some(point.index),
            line: String::new(),
            runs: 0,
            set_aside: 0,
            missed: vec![0; assumptions.len()],
            assumptions,
            without_value: 0,
            outside: [0; 2],
            undecided: 0,
            figures: Vec::new(),
            sample,
            looks: Looks {
                seen: 0,
                looked: None,
                probability: SequentialTest::new(claim.level),
                spending: [SpendingTest::new(), SpendingTest::new()],
            },
        }
    }

    /// The probability that the claim holds in a run at `point`.
    pub(crate) fn probability(claim: &'a ClaimSpec, point: &'a Point) -> Self {
        Self::new(claim, point, Part::Probability, Sample::probability(point))
    }

    /// What the runs at `point` say of two criteria.
    pub(crate) fn paired(
        claim: &'a ClaimSpec,
        (direction, asked): (Direction, &CriterionComparison),
        point: &'a Point,
    ) -> Self {
        Self::new(claim, point, Part::Paired, Sample::paired(direction, asked, point))
    }

    /// A slope over a line of points, given in the order of the abscissa.
    pub(crate) fn slope(claim: &'a ClaimSpec, (part, threshold): (SlopePart<'a>, f64), line: &[&'a Point]) -> Self {
        let sample = Sample::slope(part, threshold, line);
        Self { point: None, ..Self::new(claim, line[0], part.name, sample) }
    }

    /// The largest figure of all runs of the points `lower` bounds that of a run at `upper`.
    pub(crate) fn constant(claim: &'a ClaimSpec, (lower, upper): (&[&Point], &'a Point)) -> Self {
        Self::new(claim, upper, Part::Constant, Sample::constant(lower, upper))
    }

    /// Adds a run; looks at the verdict after each full block of a sequential design.
    pub(crate) fn add(&mut self, point: usize, run: u64, observation: &Observation, design: Design, pairs: usize) {
        if !self.sample.collects(point) {
            return;
        }
        self.looks.seen += 1;
        let missed = match self.claim.on {
            On::Met => observation.missed(self.claim, &self.assumptions),
            On::All => Vec::new(),
        };
        if missed.is_empty() {
            let added = self.sample.add(point, observation, self.claim);
            self.runs += u64::from(added.judged);
            self.set_aside += u64::from(added.without_value);
            self.without_value += u64::from(added.without_value);
            self.figures.extend(added.figure);
            self.undecided += u64::from(added.undecided);
            self.outside[0] += added.outside[0];
            self.outside[1] += added.outside[1];
        } else {
            self.set_aside += 1;
            missed.iter().for_each(|&place| self.missed[place] += 1);
        }
        if let Design::Sequential { block } = design
            && self.sample.last_point() == point
            && (run + 1).is_multiple_of(block)
        {
            self.look(pairs);
        }
    }

    /// Judged runs for which the claim holds; a slope has none.
    pub(crate) fn holds(&self) -> Option<u64> {
        self.sample.holds()
    }

    /// The level of the probability; a slope and a comparison have none.
    pub(crate) fn level(&self) -> Option<f64> {
        let is_share = !matches!(self.sample, Sample::Paired(_)) && self.holds().is_some();
        is_share.then_some(self.claim.level)
    }

    /// Looks at the observation so far, in a sequential design.
    pub(crate) fn look(&mut self, pairs: usize) {
        if self.looks.looked.replace(self.looks.seen) == Some(self.looks.seen) {
            return;
        }
        if let Sample::Probability(sample) = &self.sample {
            // Counts only grow, so a look cannot be out of order.
            let looked = self.looks.probability.look(sample.holds, sample.runs);
            debug_assert!(looked.is_ok());
            return;
        }
        // What is decided whatever the other tests say stays decided: further looks could only cost time.
        let decided = |test: &SpendingTest| test.p_value() <= ALPHA / (2 * pairs) as f64;
        if !self.looks.spending.iter().any(decided) {
            let result = self.sample.result(self.claim);
            self.looks.spending[0].look(result.supported);
            self.looks.spending[1].look(result.refuted);
        }
    }

    /// What the runs say, under `design`, as one of `pairs` pairs of hypotheses.
    pub(crate) fn result(&mut self, design: Design, pairs: usize) -> TestResult {
        let result = self.sample.result(self.claim);
        let [supported, refuted] = match (&self.sample, design) {
            (_, Design::Fixed) => [result.supported, result.refuted],
            (Sample::Probability(_), _) => {
                [self.looks.probability.p_value_supported(), self.looks.probability.p_value_refuted()]
            }
            _ => [self.looks.spending[0].p_value(), self.looks.spending[1].p_value()],
        };
        // A slope looks at the runs of each of its points itself.
        let few = || !matches!(self.sample, Sample::Slope(_)) && self.runs < self.fewest(design, pairs);
        let undecidable = result.undecidable.or_else(|| few().then_some(Decision::TooFew));
        TestResult { supported, refuted, undecidable, ..result }
    }

    /// Fewest judged runs at each of its points with which it can be SUPPORTED as one of `pairs` pairs of hypotheses.
    pub(crate) fn fewest(&self, design: Design, pairs: usize) -> u64 {
        match self.sample {
            Sample::Slope(_) => FEWEST_RUNS as u64,
            Sample::Paired(_) => PairedSample::fewest(ALPHA / (2 * pairs) as f64),
            _ => fewest_runs(self.claim.level, design, pairs),
        }
    }

    /// The interval that holds together with those of all `pairs` parts.
    pub(crate) fn interval(&mut self, design: Design, pairs: usize) -> Option<(f64, f64)> {
        let alpha = ALPHA / pairs as f64;
        let spent = match design {
            Design::Fixed => alpha,
            Design::Sequential { .. } => alpha * spending_weight(self.looks.spending[0].looks().max(1)),
        };
        let interval = match (&mut self.sample, design) {
            (Sample::Slope(sample), _) => {
                let bounds = sample.slope().ok()?.interval(spent);
                return Some((bounds.low, bounds.high));
            }
            (Sample::Probability(sample), Design::Sequential { .. }) => {
                confidence_sequence(sample.holds, sample.runs, alpha)
            }
            (Sample::Paired(sample), _) if self.runs > 0 => return Some(sample.interval(spent)),
            (Sample::Paired(_), _) => return None,
            (sample, _) => clopper_pearson(sample.holds()?, self.runs, spent),
        };
        Some((interval.low, interval.high))
    }

    /// The median of the figures of the judged runs.
    pub(crate) fn median(&self) -> Option<f64> {
        median(&self.figures)
    }

    /// The assumptions that runs set aside miss, runs without the figure, and experts left out, in words.
    pub(crate) fn remarks(hypotheses: &[&HypothesisPair]) -> String {
        let Some(first) = hypotheses.first() else { return String::new() };
        let sum =
            |count: &dyn Fn(&HypothesisPair) -> u64| hypotheses.iter().map(|hypothesis| count(hypothesis)).sum::<u64>();
        let mut texts = Vec::new();
        for (place, assumption) in first.assumptions.iter().enumerate() {
            let runs = sum(&|hypothesis| hypothesis.missed[place]);
            if runs > 0 {
                texts.push(format!("{} {runs}", assumption.name()));
            }
        }
        let without =
            sum(&|hypothesis| if let Sample::Slope(sample) = &hypothesis.sample { sample.without } else { 0 });
        if without > 0 {
            texts.push(format!("no figure {without}"));
        }
        let without_value = sum(&|pair| pair.without_value);
        if without_value > 0 {
            let runs = sum(&|pair| pair.runs + pair.without_value);
            texts.push(format!("no value {without_value} of {runs} runs"));
        }
        let [outside, experts] = [0, 1].map(|place| sum(&|hypothesis| hypothesis.outside[place]));
        if outside > 0 {
            texts.push(format!("outside (R, Λ) {outside} of {experts} experts"));
        }
        let undecided = sum(&|hypothesis| hypothesis.undecided);
        if undecided > 0 {
            texts.push(format!(
                "{} {undecided} of {} runs",
                Verdict::Undecided.name(),
                sum(&|hypothesis| hypothesis.runs)
            ));
        }
        texts.join(", ")
    }
}

/// Fewest runs with which a probability above `level` can be SUPPORTED as one of `pairs` pairs of hypotheses.
pub(super) fn fewest_runs(level: f64, design: Design, pairs: usize) -> u64 {
    let alpha = ALPHA / (2 * pairs) as f64;
    match design {
        Design::Fixed => smallest_trials_to_support(level, alpha),
        Design::Sequential { block } => smallest_trials_to_support_sequential(level, alpha, block),
    }
}

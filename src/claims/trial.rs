//! One part of one claim at one point or over one line of points: what it collects, and its two p-values.

use super::definitions::Definition;
use super::evidence::Evidence;
use super::judge::{ALPHA, Design};
use super::run_figure::RunFigure;
use super::slope_parts::{NoSlope, Side, SlopePart, estimate};
use crate::sim::{ClaimSpec, On, Point};
use crate::stats::binomial::{p_value_refuted, p_value_supported, smallest_trials_to_support};
use crate::stats::interval::clopper_pearson;
use crate::stats::quantile::median;
use crate::stats::sequential::{SequentialTest, confidence_sequence, smallest_trials_to_support_sequential};
use crate::stats::{Group, Slope, SpendingTest, spending_weight};

/// What the runs say of one part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Opinion {
    /// p of H⁻ (small: SUPPORTED).
    pub supported: f64,
    /// p of H⁺ (small: REFUTED).
    pub refuted: f64,
    /// Estimate with its standard error.
    pub estimate: Option<(f64, f64)>,
    /// Simultaneous interval.
    pub interval: Option<(f64, f64)>,
    /// Why nothing can be decided, if that is so whatever the runs say.
    pub undecidable: Option<&'static str>,
}

impl Opinion {
    fn none(reason: &'static str) -> Self {
        Self { supported: 1.0, refuted: 1.0, estimate: None, interval: None, undecidable: Some(reason) }
    }
}

/// One member of the family of tests: a pair of hypotheses.
#[derive(Clone, Debug)]
pub(super) struct Trial<'a> {
    pub claim: &'a ClaimSpec,
    /// Number of the claim in its file, from 1.
    pub number: usize,
    definition: &'a Definition,
    pub case: &'a str,
    /// The column `part`.
    pub part: &'static str,
    /// The point, if the part is about one.
    pub point: Option<usize>,
    /// Which line of points, if a case has several.
    pub line: String,
    pub runs: u64,
    pub set_aside: u64,
    /// Runs set aside that miss each of the claim's assumptions.
    missed: Vec<u64>,
    /// Experts that were left out of the finding, and experts looked at.
    outside: [u64; 2],
    pub figures: Vec<f64>,
    /// Runs seen at the last look: a second look at the same runs is none.
    looked: Option<u64>,
    /// Runs added, those set aside too.
    seen: u64,
    sample: Sample,
}

/// What a part collects.
#[derive(Clone, Debug)]
enum Sample {
    /// Runs in which the claim holds.
    Probability { holds: u64, test: SequentialTest },
    /// One figure a run at each point of a line.
    Slope(SlopeSample),
    /// The largest scaled figure of the lower points, and the scaled figures of one upper point.
    Constant(ConstantSample),
}

#[derive(Clone, Debug)]
struct ConstantSample {
    lower: Vec<usize>,
    largest: f64,
    upper: Vec<Option<f64>>,
    spending: [SpendingTest; 2],
}

#[derive(Clone, Debug)]
struct SlopeSample {
    part: SlopePart,
    points: Vec<usize>,
    groups: Vec<Group>,
    /// Runs that have no such figure.
    without: u64,
    /// The estimate for so many runs: it is asked for more than once.
    known: Option<(u64, Result<Slope, NoSlope>)>,
    spending: [SpendingTest; 2],
}

impl<'a> Trial<'a> {
    fn new(
        claim: &'a ClaimSpec,
        definition: &'a Definition,
        case: &'a str,
        part: &'static str,
        sample: Sample,
    ) -> Self {
        Self {
            claim,
            number: 0,
            definition,
            case,
            part,
            point: None,
            line: String::new(),
            runs: 0,
            set_aside: 0,
            missed: vec![0; definition.assumptions.len()],
            outside: [0; 2],
            figures: Vec::new(),
            looked: None,
            seen: 0,
            sample,
        }
    }

    /// The probability that the claim holds in a run at `point`.
    pub fn probability(claim: &'a ClaimSpec, definition: &'a Definition, point: &'a Point) -> Self {
        let sample = Sample::Probability { holds: 0, test: SequentialTest::new(claim.level) };
        let case = point.case.as_deref().unwrap_or_default();
        Self { point: Some(point.index), ..Self::new(claim, definition, case, "probability", sample) }
    }

    /// A slope over a line of points, given in the order of the abscissa.
    pub fn slope(claim: &'a ClaimSpec, definition: &'a Definition, part: SlopePart, line: &[&'a Point]) -> Self {
        let group = |point: &&Point| Group { x: part.along.abscissa(&point.parameters), values: Vec::new() };
        let sample = SlopeSample {
            part,
            points: line.iter().map(|point| point.index).collect(),
            groups: line.iter().map(group).collect(),
            without: 0,
            known: None,
            spending: [SpendingTest::new(), SpendingTest::new()],
        };
        let case = line.first().and_then(|point| point.case.as_deref()).unwrap_or_default();
        Self::new(claim, definition, case, part.name, Sample::Slope(sample))
    }

    /// T1b's rule: the largest √d·max|Δ| of all runs of the points `lower` bounds that of a run at `upper`.
    pub fn constant(claim: &'a ClaimSpec, definition: &'a Definition, lower: &[&Point], upper: &'a Point) -> Self {
        let sample = Sample::Constant(ConstantSample {
            lower: lower.iter().map(|point| point.index).collect(),
            largest: 0.0,
            upper: Vec::new(),
            spending: [SpendingTest::new(), SpendingTest::new()],
        });
        let case = upper.case.as_deref().unwrap_or_default();
        Self { point: Some(upper.index), ..Self::new(claim, definition, case, "constant", sample) }
    }

    /// Whether runs of this point count here.
    fn collects(&self, point: usize) -> bool {
        match &self.sample {
            Sample::Probability { .. } => self.point == Some(point),
            Sample::Slope(sample) => sample.points.contains(&point),
            Sample::Constant(ConstantSample { lower, .. }) => self.point == Some(point) || lower.contains(&point),
        }
    }

    /// The last point of the part in the order of the runs.
    fn last_point(&self) -> Option<usize> {
        match &self.sample {
            Sample::Slope(sample) => sample.points.iter().max().copied(),
            _ => self.point,
        }
    }

    /// Adds a run; looks at the verdict after each full block of a sequential design.
    pub fn add(&mut self, point: usize, run: u64, evidence: &Evidence, design: Design, pairs: usize) {
        if !self.collects(point) {
            return;
        }
        self.count(point, evidence);
        if let Design::Sequential { block } = design
            && self.last_point() == Some(point)
            && (run + 1).is_multiple_of(block)
        {
            self.look(pairs);
        }
    }

    fn count(&mut self, point: usize, evidence: &Evidence) {
        self.seen += 1;
        if self.claim.on == On::Met && !evidence.meets(self.definition) {
            self.set_aside += 1;
            evidence.missed(self.definition).for_each(|place| self.missed[place] += 1);
            return;
        }
        let roles = self.claim.roles;
        match &mut self.sample {
            Sample::Probability { holds, .. } => {
                let finding = evidence.finding(self.claim);
                *holds += u64::from(finding.holds);
                self.figures.extend(finding.figure);
                self.outside[0] += finding.outside;
                self.outside[1] += finding.experts;
            }
            Sample::Slope(sample) => {
                let figure = sample.part.figure.of(evidence, roles);
                self.figures.extend(figure);
                let place = sample.points.iter().position(|&other| other == point);
                match place.zip(figure) {
                    Some((place, figure)) => sample.groups[place].values.push(figure),
                    None => sample.without += 1,
                }
            }
            Sample::Constant(ConstantSample { largest, upper, .. }) => {
                let root = (evidence.parameters.data.patterns as f64).sqrt();
                let scaled = RunFigure::MaxChange.of(evidence, roles).map(|figure| root * figure);
                if self.point == Some(point) {
                    upper.push(scaled);
                    self.figures.extend(scaled);
                } else {
                    *largest = largest.max(scaled.unwrap_or(0.0));
                    // Runs of the lower points make the rule; they are not judged by it.
                    return;
                }
            }
        }
        self.runs += 1;
    }

    /// Judged runs for which the claim holds; a slope has none.
    pub fn holds(&self) -> Option<u64> {
        match &self.sample {
            Sample::Probability { holds, .. } => Some(*holds),
            Sample::Slope(_) => None,
            Sample::Constant(ConstantSample { largest, upper, .. }) => {
                Some(upper.iter().filter(|scaled| scaled.is_some_and(|scaled| scaled <= *largest)).count() as u64)
            }
        }
    }

    /// What the row shows as threshold: c, c₁, the threshold of a slope, or the constant found.
    pub fn threshold(&self) -> Option<f64> {
        match &self.sample {
            Sample::Probability { .. } => self.claim.threshold,
            Sample::Slope(_) => self.claim.slope,
            Sample::Constant(ConstantSample { largest, .. }) => Some(*largest),
        }
    }

    /// The level of the probability; a slope has none.
    pub fn level(&self) -> Option<f64> {
        (!matches!(self.sample, Sample::Slope(_))).then_some(self.claim.level)
    }

    /// Looks at the evidence so far, in a sequential design.
    pub fn look(&mut self, pairs: usize) {
        let runs = self.runs;
        if self.looked.replace(self.seen) == Some(self.seen) {
            return;
        }
        if let Sample::Probability { holds, test } = &mut self.sample {
            // Counts only grow, so a look cannot be out of order.
            let looked = test.look(*holds, runs);
            debug_assert!(looked.is_ok());
            return;
        }
        // What is decided whatever the other tests say stays decided: further looks could only cost time.
        if self.spent().is_some_and(|p| p <= ALPHA / (2 * pairs) as f64) {
            return;
        }
        let fixed = self.fixed();
        if let Sample::Slope(SlopeSample { spending, .. }) | Sample::Constant(ConstantSample { spending, .. }) =
            &mut self.sample
        {
            spending[0].look(fixed.supported);
            spending[1].look(fixed.refuted);
        }
    }

    fn spent(&self) -> Option<f64> {
        match &self.sample {
            Sample::Probability { .. } => None,
            Sample::Slope(SlopeSample { spending, .. }) | Sample::Constant(ConstantSample { spending, .. }) => {
                Some(spending[0].p_value().min(spending[1].p_value()))
            }
        }
    }

    /// The p-values for a number of runs that was fixed before.
    fn fixed(&mut self) -> Opinion {
        let (runs, claim) = (self.runs, self.claim);
        if let Sample::Slope(sample) = &mut self.sample {
            return sample.fixed(runs, claim.slope.unwrap_or(0.0));
        }
        let holds = self.holds().unwrap_or(0);
        let share = holds as f64 / runs as f64;
        Opinion {
            supported: p_value_supported(holds, runs, claim.level),
            refuted: p_value_refuted(holds, runs, claim.level),
            estimate: (runs > 0).then(|| (share, (share * (1.0 - share) / runs as f64).sqrt())),
            interval: None,
            undecidable: None,
        }
    }

    /// What the runs say, under `design`, as one of `pairs` pairs of hypotheses.
    pub fn opinion(&mut self, design: Design, pairs: usize) -> Opinion {
        let alpha = ALPHA / pairs as f64;
        let fixed = self.fixed();
        let holds = self.holds();
        let interval = match (&mut self.sample, holds) {
            (Sample::Slope(sample), _) => {
                let looks = sample.spending[0].looks();
                let alpha = if design == Design::Fixed { alpha } else { alpha * spending_weight(looks.max(1)) };
                sample.interval(alpha)
            }
            (_, Some(holds)) => {
                let interval = match (&self.sample, design) {
                    (Sample::Probability { .. }, Design::Sequential { .. }) => {
                        confidence_sequence(holds, self.runs, alpha)
                    }
                    (Sample::Constant(ConstantSample { spending, .. }), Design::Sequential { .. }) => {
                        clopper_pearson(holds, self.runs, alpha * spending_weight(spending[0].looks().max(1)))
                    }
                    _ => clopper_pearson(holds, self.runs, alpha),
                };
                Some((interval.low, interval.high))
            }
            _ => None,
        };
        let [supported, refuted] = match (&self.sample, design) {
            (_, Design::Fixed) => [fixed.supported, fixed.refuted],
            (Sample::Probability { test, .. }, _) => [test.p_value_supported(), test.p_value_refuted()],
            (Sample::Slope(SlopeSample { spending, .. }) | Sample::Constant(ConstantSample { spending, .. }), _) => {
                [spending[0].p_value(), spending[1].p_value()]
            }
        };
        let few = || holds.is_some() && self.runs < fewest_runs(self.claim.level, design, pairs);
        let undecidable = fixed.undecidable.or_else(|| few().then_some("too few"));
        Opinion { supported, refuted, interval, undecidable, ..fixed }
    }

    /// The assumptions that runs set aside miss, runs without the figure, and experts left out, in words.
    pub fn remarks(trials: &[&Trial]) -> String {
        let Some(first) = trials.first() else { return String::new() };
        let sum = |count: &dyn Fn(&Trial) -> u64| trials.iter().map(|trial| count(trial)).sum::<u64>();
        let mut texts = Vec::new();
        for (place, assumption) in first.definition.assumptions.iter().enumerate() {
            let runs = sum(&|trial| trial.missed[place]);
            if runs > 0 {
                texts.push(format!("{} {runs}", assumption.name()));
            }
        }
        let without = sum(&|trial| if let Sample::Slope(sample) = &trial.sample { sample.without } else { 0 });
        if without > 0 {
            texts.push(format!("no figure {without}"));
        }
        let [outside, experts] = [0, 1].map(|place| sum(&|trial| trial.outside[place]));
        if outside > 0 {
            texts.push(format!("outside (R, Λ) {outside} of {experts} experts"));
        }
        texts.join(", ")
    }

    /// The median of the figures of the judged runs.
    pub fn median(&self) -> Option<f64> {
        median(&self.figures)
    }
}

/// Fewest runs with which a probability above `level` can be SUPPORTED as one of `pairs` pairs of hypotheses.
pub fn fewest_runs(level: f64, design: Design, pairs: usize) -> u64 {
    let alpha = ALPHA / (2 * pairs) as f64;
    match design {
        Design::Fixed => smallest_trials_to_support(level, alpha),
        Design::Sequential { block } => smallest_trials_to_support_sequential(level, alpha, block),
    }
}

impl SlopeSample {
    fn slope(&mut self, runs: u64) -> Result<Slope, NoSlope> {
        match &self.known {
            Some((known, slope)) if *known == runs => slope.clone(),
            _ => {
                let slope = estimate(self.part.method, &self.groups);
                self.known = Some((runs, slope.clone()));
                slope
            }
        }
    }

    fn fixed(&mut self, runs: u64, threshold: f64) -> Opinion {
        let slope = match self.slope(runs) {
            Ok(slope) => slope,
            Err(NoSlope::TooFew) => return Opinion::none("too few"),
            Err(NoSlope::Zero) => return Opinion::none("zero"),
        };
        let (above, below) = (slope.p_value_above(threshold), slope.p_value_below(threshold));
        let (supported, refuted) = if self.part.side == Side::Above { (above, below) } else { (below, above) };
        Opinion {
            supported,
            refuted,
            estimate: Some((slope.slope, slope.standard_error)),
            interval: None,
            undecidable: None,
        }
    }

    fn interval(&mut self, alpha: f64) -> Option<(f64, f64)> {
        let (_, slope) = self.known.as_ref()?;
        let bounds = slope.as_ref().ok()?.interval(alpha);
        Some((bounds.low, bounds.high))
    }
}

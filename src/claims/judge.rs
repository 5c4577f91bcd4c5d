//! Findings → verdicts: the decision rule, in one place.
//!
//! Each claim at each point is one family member with two exact tests. H⁻: the probability that the claim holds in a run
//! is at most `level`; rejecting it means SUPPORTED. H⁺: it is at least `level`; rejecting it means REFUTED. All 2N
//! hypotheses of a simulation are corrected together by Holm at [`ALPHA`]. Neither rejected means INCONCLUSIVE.
//! METHODOLOGY tells why.

use super::definitions::{Definition, definition};
use super::evidence::Evidence;
use crate::record::ClaimRow;
use crate::sim::{ClaimSpec, On, Point, Simulation, Verdict};
use crate::stats::binomial::{p_value_refuted, p_value_supported, smallest_trials_to_support};
use crate::stats::holm::holm;
use crate::stats::interval::{Interval, clopper_pearson};
use crate::stats::quantile::median;
use crate::stats::sequential::{SequentialTest, confidence_sequence};

/// Family-wise error rate of all verdicts of a simulation.
pub const ALPHA: f64 = 0.05;

/// How the runs were collected, which decides which tests are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// The number of runs was fixed before: exact binomial tests.
    Fixed,
    /// The verdicts were looked at after every `block` runs of each point: anytime-valid tests.
    Sequential {
        /// Runs a point between two looks.
        block: u64,
    },
}

/// Collects the runs of a simulation, claim by claim and point by point, and judges them.
#[derive(Clone, Debug)]
pub struct Jury<'a> {
    simulation: &'a Simulation,
    design: Design,
    trials: Vec<Trial<'a>>,
}

/// One claim at one point.
#[derive(Clone, Debug)]
struct Trial<'a> {
    claim: &'a ClaimSpec,
    definition: &'a Definition,
    point: usize,
    case: &'a str,
    runs: u64,
    set_aside: u64,
    /// Runs set aside that miss each of the claim's assumptions.
    missed: Vec<u64>,
    holds: u64,
    figures: Vec<f64>,
    sequential: SequentialTest,
}

impl<'a> Jury<'a> {
    /// A jury for every claim of the simulation at every point that it applies to.
    pub fn new(simulation: &'a Simulation, points: &'a [Point], design: Design) -> Self {
        let mut trials = Vec::new();
        // Every claim that a simulation may name is defined.
        let claims = simulation.claims.iter().filter_map(|claim| Some((claim, definition(&claim.id)?)));
        for (claim, definition) in claims {
            for point in points.iter().filter(|point| claim.applies_to(point.case.as_deref())) {
                trials.push(Trial {
                    claim,
                    definition,
                    point: point.index,
                    case: point.case.as_deref().unwrap_or_default(),
                    runs: 0,
                    set_aside: 0,
                    missed: vec![0; definition.assumptions.len()],
                    holds: 0,
                    figures: Vec::new(),
                    sequential: SequentialTest::new(claim.level),
                });
            }
        }
        Self { simulation, design, trials }
    }

    /// Adds run number `run` of a point. Runs of a point must come in the order of their numbers.
    pub fn add(&mut self, point: usize, run: u64, evidence: &Evidence) {
        for trial in self.trials.iter_mut().filter(|trial| trial.point == point) {
            trial.add(evidence);
            if let Design::Sequential { block } = self.design
                && (run + 1).is_multiple_of(block)
            {
                trial.look();
            }
        }
    }

    /// Number of hypothesis pairs N of the simulation.
    pub fn pairs(&self) -> usize {
        self.trials.len()
    }

    /// The rows of `claims.csv`: for each claim one a point, then, if there are several, one for all.
    pub fn rows(&mut self) -> Vec<ClaimRow> {
        if let Design::Sequential { .. } = self.design {
            self.trials.iter_mut().for_each(Trial::look);
        }
        let design = self.design;
        let p_values: Vec<f64> = self.trials.iter().flat_map(|trial| trial.p_values(design)).collect();
        let adjusted = holm(&p_values);
        let pairs = self.trials.len();
        let mut rows = Vec::new();
        for claim in &self.simulation.claims {
            let own: Vec<(&Trial, &[f64])> = self
                .trials
                .iter()
                .zip(adjusted.chunks_exact(2))
                .filter(|(trial, _)| std::ptr::eq(trial.claim, claim))
                .collect();
            let by_point: Vec<ClaimRow> =
                own.iter().map(|(trial, adjusted)| trial.row(adjusted[0], adjusted[1], pairs, design)).collect();
            let trials: Vec<&Trial> = own.iter().map(|(trial, _)| *trial).collect();
            rows.extend(with_conjunction(claim, by_point, missed_in_words(&trials)));
        }
        rows
    }

    /// Whether every claim has a verdict other than INCONCLUSIVE.
    pub fn is_decided(&mut self) -> bool {
        self.rows().iter().all(|row| !row.verdict.starts_with("INCONCLUSIVE"))
    }
}

impl Trial<'_> {
    fn add(&mut self, evidence: &Evidence) {
        if self.claim.on == On::Met && !evidence.meets(self.definition) {
            self.set_aside += 1;
            evidence.missed(self.definition).for_each(|place| self.missed[place] += 1);
            return;
        }
        let finding = evidence.finding(self.claim);
        self.runs += 1;
        self.holds += u64::from(finding.holds);
        self.figures.extend(finding.figure);
    }

    fn look(&mut self) {
        // Counts only grow, so a look cannot be out of order.
        let looked = self.sequential.look(self.holds, self.runs);
        debug_assert!(looked.is_ok());
    }

    /// p of H⁻ (small: SUPPORTED) and of H⁺ (small: REFUTED).
    fn p_values(&self, design: Design) -> [f64; 2] {
        let level = self.claim.level;
        match design {
            Design::Fixed => {
                [p_value_supported(self.holds, self.runs, level), p_value_refuted(self.holds, self.runs, level)]
            }
            Design::Sequential { .. } => [self.sequential.p_value_supported(), self.sequential.p_value_refuted()],
        }
    }

    fn interval(&self, pairs: usize, design: Design) -> Interval {
        let alpha = ALPHA / pairs as f64;
        match design {
            Design::Fixed => clopper_pearson(self.holds, self.runs, alpha),
            Design::Sequential { .. } => confidence_sequence(self.holds, self.runs, alpha),
        }
    }

    fn row(&self, supported: f64, refuted: f64, pairs: usize, design: Design) -> ClaimRow {
        let interval = self.interval(pairs, design);
        let verdict = if supported <= ALPHA {
            Verdict::Supported.to_string()
        } else if refuted <= ALPHA {
            Verdict::Refuted.to_string()
        } else if self.runs < smallest_trials_to_support(self.claim.level, ALPHA / (2 * pairs) as f64) {
            too_few()
        } else {
            Verdict::Inconclusive.to_string()
        };
        ClaimRow {
            claim: self.claim.id.clone(),
            part: "probability".to_owned(),
            point: Some(self.point),
            on: self.claim.on.to_string(),
            runs: self.runs,
            set_aside: self.set_aside,
            holds: self.holds,
            estimate: (self.runs > 0).then(|| self.holds as f64 / self.runs as f64),
            ci_low: Some(interval.low),
            ci_high: Some(interval.high),
            threshold: self.claim.threshold,
            level: self.claim.level,
            p_holm: Some(supported.min(refuted)),
            verdict,
            expected: self.claim.expect.map(|verdict| verdict.to_string()).unwrap_or_default(),
            roles: self.claim.roles.to_string(),
            case: self.case.to_owned(),
            median: median(&self.figures),
            missed: missed_in_words(&[self]),
        }
    }
}

/// The verdict on a claim with fewer runs than SUPPORTED needs at best.
fn too_few() -> String {
    format!("{} (too few)", Verdict::Inconclusive)
}

/// A claim's rows and, if it is judged at several points, the row of their conjunction: SUPPORTED iff all are, REFUTED
/// iff one is. What the simulation expects is then expected of the conjunction.
fn with_conjunction(claim: &ClaimSpec, mut rows: Vec<ClaimRow>, missed: String) -> Vec<ClaimRow> {
    if rows.len() < 2 {
        return rows;
    }
    let is = |verdict: Verdict| move |row: &ClaimRow| row.verdict == verdict.to_string();
    let verdict = if rows.iter().all(is(Verdict::Supported)) {
        Verdict::Supported
    } else if rows.iter().any(is(Verdict::Refuted)) {
        Verdict::Refuted
    } else {
        Verdict::Inconclusive
    };
    // Too few runs are the reason if they are that of every point that is not decided.
    let is_undecided = |row: &&ClaimRow| row.verdict.starts_with("INCONCLUSIVE");
    let verdict = match verdict {
        Verdict::Inconclusive if rows.iter().filter(is_undecided).all(|row| row.verdict == too_few()) => too_few(),
        verdict => verdict.to_string(),
    };
    let conjunction = ClaimRow {
        part: "all".to_owned(),
        point: None,
        runs: rows.iter().map(|row| row.runs).sum(),
        set_aside: rows.iter().map(|row| row.set_aside).sum(),
        holds: rows.iter().map(|row| row.holds).sum(),
        estimate: None,
        ci_low: None,
        ci_high: None,
        p_holm: None,
        verdict,
        case: claim.case.clone().unwrap_or_default(),
        median: None,
        missed,
        ..rows[0].clone()
    };
    for row in &mut rows {
        row.expected.clear();
    }
    rows.push(conjunction);
    rows
}

/// The assumptions that runs set aside miss, with the number of runs over all these trials.
fn missed_in_words(trials: &[&Trial]) -> String {
    let Some(first) = trials.first() else { return String::new() };
    let assumptions = first.definition.assumptions.iter().enumerate();
    let counted = assumptions.map(|(place, name)| (name, trials.iter().map(|trial| trial.missed[place]).sum::<u64>()));
    let texts = counted.filter(|(_, runs)| *runs > 0).map(|(assumption, runs)| format!("{} {runs}", assumption.name()));
    texts.collect::<Vec<_>>().join(", ")
}

/// The rows that state a claim's verdict: its conjunction, or its only row.
pub fn conclusions(rows: &[ClaimRow]) -> Vec<&ClaimRow> {
    let same = |a: &ClaimRow, b: &ClaimRow| (&a.claim, &a.on, &a.roles) == (&b.claim, &b.on, &b.roles);
    let concluded = |row: &ClaimRow| {
        row.part == "all"
            || !rows.iter().any(|other| {
                other.part == "all" && same(other, row) && (other.case.is_empty() || other.case == row.case)
            })
    };
    rows.iter().filter(|row| concluded(row)).collect()
}

/// The conclusions whose verdict is not the expected one.
pub fn surprises(rows: &[ClaimRow]) -> Vec<&ClaimRow> {
    let differs = |row: &&ClaimRow| !row.expected.is_empty() && !row.verdict.starts_with(&row.expected);
    conclusions(rows).into_iter().filter(differs).collect()
}

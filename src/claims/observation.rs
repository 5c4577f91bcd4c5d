//! What one run says of one claim.

use crate::certify::Verdict;
use crate::measure::Role;
use crate::record::rows::{ExpertRow, PruningRow, RunBody, TrajectoryRow};
use crate::sim::{Parameters, RoleSource};
use crate::stats::extreme;

/// The rows of one run that claims are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The parameters of its point.
    pub parameters: &'a Parameters,
    /// Its row of `runs.csv`.
    pub run: &'a RunBody,
    /// Its rows of `experts.csv`.
    pub experts: &'a [ExpertRow],
    /// Its rows of `pruning.csv`, those of the file's criterion first; none if the run diverged.
    pub pruning: &'a [PruningRow],
    /// Its rows of `trajectory.csv`; none if it was not recorded.
    pub trajectory: &'a [TrajectoryRow],
}

/// What one run says of one claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunDecision {
    /// Whether the claim holds in the run. A run without the figure (it diverged, or has no relevant expert) does not
    /// count as one where it holds.
    pub holds: bool,
    /// The figure that the claim is about.
    pub figure: Option<f64>,
    /// Experts of which the claim says nothing, because they left its premise while they trained (S3).
    pub outside: u64,
    /// Experts that it looked at (S3).
    pub experts: u64,
    /// Whether it fails for want of a certificate or a counterexample (T0x, T2ax).
    pub undecided: bool,
    /// Whether it fails for want of a value that it needs (claims that are written in the language).
    pub missing: bool,
}

impl RunDecision {
    /// The claim fails in a run that lacks what it is about.
    pub(super) const WITHOUT_FIGURE: RunDecision = RunDecision::new(false, None);

    pub(super) const fn new(holds: bool, figure: Option<f64>) -> Self {
        Self { holds, figure, outside: 0, experts: 0, undecided: false, missing: false }
    }
}

impl Observation<'_> {
    /// The rows of the criterion that the file's claims are judged by.
    pub(crate) fn own(&self) -> &[PruningRow] {
        let Some(first) = self.pruning.first() else { return &[] };
        &self.pruning[..self.pruning.iter().take_while(|row| row.criterion == first.criterion).count()]
    }

    pub(super) fn unpruned(&self) -> Option<&PruningRow> {
        self.own().iter().find(|row| !row.finetuned && row.kept == self.experts.len())
    }

    /// Number of experts that are irrelevant.
    pub(super) fn irrelevant(&self, roles: RoleSource) -> usize {
        self.experts.iter().filter(|row| row.role_by(roles) == Role::Irrelevant).count()
    }

    /// The models pruned by as many experts as are irrelevant, or fewer, without fine-tuning.
    pub(super) fn up_to_the_irrelevant(&self, roles: RoleSource) -> impl Iterator<Item = &PruningRow> + Clone {
        let (experts, irrelevant) = (self.experts.len(), self.irrelevant(roles));
        self.own().iter().filter(move |row| !row.finetuned && experts - row.kept <= irrelevant)
    }

    /// Whether all of `rows`, of which there should be `expected`, are certified.
    pub(super) fn certified(&self, rows: &[&PruningRow], expected: usize) -> RunDecision {
        let with = |verdict: Verdict| rows.iter().filter(|row| row.certificate == Some(verdict)).count();
        let smallest = extreme(rows.iter().map(|row| row.margin_lower), f64::min);
        let holds = with(Verdict::Certified) == expected && rows.len() == expected;
        let undecided = !holds && with(Verdict::Counterexample) == 0;
        RunDecision { undecided, ..RunDecision::new(holds, smallest) }
    }

    /// T2a with a fixed ratio in place of γ: no error at any pruning ratio up to `ratio`.
    pub(crate) fn survives_pruning_up_to(&self, ratio: f64) -> bool {
        let mut within = self.own().iter().filter(|row| !row.finetuned && row.ratio <= ratio).peekable();
        within.peek().is_some() && within.all(|row| row.errors == Some(0))
    }
}

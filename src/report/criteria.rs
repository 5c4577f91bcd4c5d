//! The table of criteria: one row each, from the rows of a run's CSV files.

use crate::measure::Role;
use crate::prune::plan::without_rounding;
use crate::record::{ClaimRow, ExpertRow, PruningRow};
use crate::sim::parameters::Criterion;
use crate::stats::{auc, spearman};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A pruned model counts as good as the unpruned one if its accuracy is at most this much lower.
pub(crate) const KEPT: f64 = 0.01;

/// A mean of shares carries less rounding than this; means of counts that differ are further apart.
const ROUNDING: f64 = 1e-12;

/// What a run's CSV files say of one criterion at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionSummary {
    /// The criterion.
    pub criterion: Criterion,
    /// Mean over runs of the probability that a relevant expert is worth more than an irrelevant one, by built roles (by
    /// measured ones where nothing is built).
    pub auc: Option<f64>,
    /// The largest pruning ratio up to which the mean accuracy stays within `KEPT` of the unpruned model's.
    pub knee: f64,
    /// The same of the accuracies on the samples with the common and with a rare feature; empty without rare features.
    pub knees: [Option<f64>; 2],
    /// Mean over runs and ratios 0 < ρ ≤ γ of these two accuracies.
    pub by_feature: [Option<f64>; 2],
    /// Mean over runs and ratios 0 < ρ ≤ γ of the oracle's accuracy less the criterion's, and the same over ρ > γ with at
    /// least two experts kept.
    pub regret: [Option<f64>; 2],
    /// Mean over runs of Spearman's correlation of its worth with the loss without each expert, and with the number of
    /// the oracle's sets that hold it.
    pub agreement: [Option<f64>; 2],
    /// Share of the pruned models, at least one and not all experts kept, that chance chose between equals.
    pub tied: f64,
    /// Verdict of C1 against it, if the file has that claim for the point; with the feature, if it is only judged on some
    /// samples.
    pub verdict: String,
}

/// Rows of one run.
#[derive(Clone, Copy, Debug)]
pub struct RunRows<'a> {
    /// Its experts.
    pub experts: &'a [ExpertRow],
    /// Its pruned models.
    pub pruning: &'a [PruningRow],
}

/// Sums over runs, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Mean(f64, u64);

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            *self = Mean(self.0 + value, self.1 + 1);
        }
    }

    fn get(self) -> Option<f64> {
        (self.1 > 0).then(|| self.0 / self.1 as f64)
    }
}

/// What the runs of one point say of every criterion, collected run by run.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionTally {
    /// Runs so far.
    pub runs: u64,
    tallies: Vec<(Criterion, Tally)>,
}

/// What is collected of one criterion.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tally {
    area: Mean,
    regret: [Mean; 2],
    agreement: [Mean; 2],
    tied: Mean,
    /// Accuracies on all samples, those with the common and those with a rare feature, by the number of experts kept.
    by_kept: [BTreeMap<usize, Mean>; 3],
    /// Accuracies on the samples with the common and with a rare feature up to γ.
    by_feature: [Mean; 2],
}

impl Default for CriterionTally {
    fn default() -> Self {
        Self { runs: 0, tallies: Criterion::ALL.iter().map(|criterion| (*criterion, Tally::default())).collect() }
    }
}

impl CriterionTally {
    /// Adds a run.
    pub fn add(&mut self, run: &RunRows) {
        self.runs += 1;
        self.tallies.iter_mut().for_each(|(criterion, tally)| tally.add(*criterion, run));
    }

    /// Mean over runs of the probability that a relevant expert is worth more than an irrelevant one, as in
    /// [`CriterionSummary::auc`]; `None` where no run has its scores, or roles.
    pub(crate) fn area(&self, criterion: Criterion) -> Option<f64> {
        self.tallies[criterion as usize].1.area.get()
    }

    /// The standing of every criterion that pruned a model, in the order of [`Criterion::ALL`]. `claims` are the point's.
    pub fn finish(&self, claims: &[&ClaimRow]) -> Vec<CriterionSummary> {
        self.tallies.iter().filter_map(|(criterion, tally)| tally.standing(*criterion, claims)).collect()
    }
}

impl Tally {
    fn add(&mut self, criterion: Criterion, run: &RunRows) {
        let k = run.experts.len();
        let worth: Option<Vec<f64>> = run.experts.iter().map(|row| worth(row, criterion)).collect();
        if let Some(worth) = worth.map(|worth| without_rounding(&worth)).as_ref() {
            self.area.add(area_of(run, worth));
            for (mean, other) in self.agreement.iter_mut().zip([Criterion::LooLoss, Criterion::Oracle]) {
                let others: Option<Vec<f64>> = run.experts.iter().map(|row| row.scores[other]).collect();
                mean.add(others.and_then(|others| spearman(worth, &without_rounding(&others))));
            }
        }
        let irrelevant = run.experts.iter().filter(|row| row.role == Role::Irrelevant).count();
        let own = |of: Criterion| run.pruning.iter().filter(move |row| row.criterion == of && !row.finetuned);
        for row in own(criterion) {
            let accuracies = [row.accuracy, row.accuracy_common, row.accuracy_rare];
            for (means, accuracy) in self.by_kept.iter_mut().zip(accuracies) {
                means.entry(row.kept).or_default().add(accuracy);
            }
            if row.kept < k {
                self.tied.add(Some(f64::from(u8::from(row.tied > 0))));
                let best = own(Criterion::Oracle).find(|best| best.kept == row.kept).and_then(|best| best.accuracy);
                let lost = best.zip(row.accuracy).map(|(best, own)| best - own);
                let beyond = usize::from(k - row.kept > irrelevant);
                if beyond == 0 {
                    self.by_feature.iter_mut().zip(&accuracies[1..]).for_each(|(mean, accuracy)| mean.add(*accuracy));
                }
                if row.kept > 1 {
                    self.regret[beyond].add(lost);
                }
            }
        }
    }

    fn standing(&self, criterion: Criterion, claims: &[&ClaimRow]) -> Option<CriterionSummary> {
        let verdict_on = |is_wanted: &dyn Fn(&ClaimRow) -> bool| {
            claims.iter().find(|row| row.claim == "C1" && row.against == Some(criterion) && is_wanted(row))
        };
        let on_all = verdict_on(&|row| row.feature.is_none()).map(|row| row.verdict.to_string());
        let on_some = || {
            let row = verdict_on(&|row| row.feature.is_some())?;
            Some(format!("{} ({})", row.verdict, row.feature?))
        };
        Some(CriterionSummary {
            criterion,
            auc: self.area.get(),
            knee: knee(&self.by_kept[0])?,
            knees: [knee(&self.by_kept[1]), knee(&self.by_kept[2])],
            by_feature: self.by_feature.map(Mean::get),
            regret: self.regret.map(Mean::get),
            agreement: self.agreement.map(Mean::get),
            tied: self.tied.get().unwrap_or(0.0),
            verdict: on_all.or_else(on_some).unwrap_or_default(),
        })
    }
}

/// The largest pruning ratio up to which the mean accuracy stays within [`KEPT`] of the unpruned model's; `None` without that.
fn knee(by_kept: &BTreeMap<usize, Mean>) -> Option<f64> {
    let (&most, unpruned) = by_kept.last_key_value()?;
    let unpruned = unpruned.get()?;
    let good = |mean: &Mean| mean.get().is_some_and(|accuracy| accuracy >= unpruned - KEPT - ROUNDING);
    let fewest = by_kept.iter().rev().take_while(|(_, mean)| good(mean)).last().map_or(most, |(kept, _)| *kept);
    Some((most - fewest) as f64 / most as f64)
}

/// What an expert is worth under a criterion: its score, turned where the largest goes first.
fn worth(row: &ExpertRow, criterion: Criterion) -> Option<f64> {
    let turn = if criterion.importance().is_descending() { -1.0 } else { 1.0 };
    row.scores[criterion].map(|score| turn * score)
}

fn area_of(run: &RunRows, worth: &[f64]) -> Option<f64> {
    let is_built = run.experts.iter().any(|row| row.built_role == Role::Relevant);
    let role = |row: &ExpertRow| if is_built { row.built_role } else { row.role };
    let of = |wanted: Role| -> Vec<f64> {
        run.experts.iter().zip(worth).filter(|(row, _)| role(row) == wanted).map(|(_, worth)| *worth).collect()
    };
    auc(&of(Role::Relevant), &of(Role::Irrelevant))
}

/// What a criterion costs: seconds of one pass over the calibration set if it needs one, and of its own.
pub(crate) type Cost = [f64; 2];

/// Formulas, needs and costs, one row a criterion.
pub fn definitions(costs: &BTreeMap<Criterion, Cost>) -> String {
    let mut text = String::from("| criterion | formula | needs | cost |\n|---|---|---|---|\n");
    for criterion in Criterion::ALL {
        let importance = criterion.importance();
        let needs: Vec<&str> = importance.needs().iter().map(|need| need.word()).collect();
        let needs = if needs.is_empty() { "–".to_owned() } else { needs.join(", ") };
        let cost = costs.get(criterion).map(|[pass, own]| {
            let pass = if *pass > 0.0 { format!("{} + ", milliseconds(*pass)) } else { String::new() };
            format!("{pass}{}", milliseconds(*own))
        });
        let first = if importance.is_descending() { " (largest first)" } else { "" };
        let formula = criterion.formula().replace('|', "\\|");
        let tag = importance.source().tag;
        let _ = writeln!(
            text,
            "| `{}`{first} [{tag}] | {formula} | {needs} | {} |",
            criterion.name(),
            cost.unwrap_or_default()
        );
    }
    text
}

fn milliseconds(seconds: f64) -> String {
    match seconds * 1e3 {
        small if small < 0.01 => format!("{:.1} µs", 1e3 * small),
        some if some < 1.0 => format!("{some:.2} ms"),
        many => format!("{many:.1} ms"),
    }
}

/// The standings at one point, one row a criterion.
pub fn table(standings: &[CriterionSummary]) -> String {
    let has_rare = standings.iter().any(|one| one.by_feature[1].is_some());
    let [names, rule] = if has_rare { [" knee common, rare | up to γ common, rare |", "---|---|"] } else { [""; 2] };
    let mut text = format!(
        "| criterion | AUC | knee |{names} regret up to γ | beyond γ | ρ with loo-loss | ρ with oracle | tied | Δ at least as accurate | where it fails |\n\
         |---|---|---|{rule}---|---|---|---|---|---|---|\n",
    );
    let best =
        standings.iter().filter(|one| one.criterion != Criterion::Oracle).map(|one| one.knee).fold(0.0, f64::max);
    for one in standings {
        let number = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_else(|| "–".into());
        let pair = |pair: [Option<f64>; 2]| format!(" {}, {} |", number(pair[0]), number(pair[1]));
        let features = if has_rare { pair(one.knees) + &pair(one.by_feature) } else { String::new() };
        let _ = writeln!(
            text,
            "| `{}` | {} | {:.3} |{features} {} | {} | {} | {} | {:.0} % | {} | {} |",
            one.criterion.name(),
            number(one.auc),
            one.knee,
            number(one.regret[0]),
            number(one.regret[1]),
            number(one.agreement[0]),
            number(one.agreement[1]),
            100.0 * one.tied,
            if one.verdict.is_empty() { "–" } else { &one.verdict },
            failure(one, best),
        );
    }
    text
}

/// Where a criterion fails, in a few words: it is a tie, or its accuracy falls before that of the best one does.
fn failure(one: &CriterionSummary, best: f64) -> String {
    let mut words = Vec::new();
    if one.tied > 0.5 {
        words.push("a tie: chance decides".to_owned());
    }
    if one.knee < best - 1e-9 {
        words.push(format!("from ρ = {:.2} on, where the best falls after {best:.2}", one.knee));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::scores::Scores;

    /// The columns of these two criteria.
    fn two(reap: f64, oracle: f64) -> Scores {
        let mut scores = Scores::default();
        (scores[Criterion::Reap], scores[Criterion::Oracle]) = (Some(reap), Some(oracle));
        scores
    }

    fn run(scores: [f64; 4], accuracies: [f64; 4], tied: usize) -> (Vec<ExpertRow>, Vec<PruningRow>) {
        let expert = |(expert, score): (usize, f64)| ExpertRow {
            expert,
            built_role: if expert < 2 { Role::Relevant } else { Role::Irrelevant },
            role: if expert < 2 { Role::Relevant } else { Role::Irrelevant },
            scores: two(score, 4.0 - expert as f64),
            ..ExpertRow::default()
        };
        let row = |criterion, kept: usize, accuracy: f64, tied: usize| PruningRow {
            criterion,
            kept,
            accuracy: Some(accuracy),
            tied,
            ..PruningRow::default()
        };
        let of = |criterion, accuracies: [f64; 4], tied: usize| {
            (1..=4)
                .rev()
                .zip(accuracies)
                .map(move |(kept, accuracy)| row(criterion, kept, accuracy, tied * usize::from(kept < 4)))
        };
        let pruning =
            of(Criterion::Reap, accuracies, tied).chain(of(Criterion::Oracle, [1.0, 1.0, 1.0, 0.5], 0)).collect();
        (scores.into_iter().enumerate().map(expert).collect(), pruning)
    }

    /// What a single run says.
    fn standings(experts: &[ExpertRow], pruning: &[PruningRow]) -> Vec<CriterionSummary> {
        let mut standings = CriterionTally::default();
        standings.add(&RunRows { experts, pruning });
        standings.finish(&[])
    }

    #[test]
    fn a_hand_made_run_has_its_standing() {
        let (experts, pruning) = run([2.0, 1.0, 1.0, 0.0], [1.0, 0.995, 0.8, 0.5], 2);
        let all = standings(&experts, &pruning);
        let names: Vec<&str> = all.iter().map(|one| one.criterion.name()).collect();
        assert_eq!(names, ["reap", "oracle"]);
        let reap = &all[0];
        // Relevant 2 and 1 beside irrelevant 1 and 0: 3½ of 4 pairs.
        assert_eq!((reap.auc, reap.knee, reap.tied), (Some(0.875), 0.25, 1.0));
        // Up to γ = ½: 0.005 and 0.2 lost; beyond: nothing with at least two kept.
        assert!(reap.regret[0].is_some_and(|lost| (lost - 0.1025).abs() < 1e-12) && reap.regret[1].is_none());
        assert!(reap.agreement[1].is_some_and(|rho| rho > 0.9) && reap.agreement[0].is_none());
        assert_eq!((all[1].knee, all[1].regret[0]), (0.5, Some(0.0)));
        let text = table(&all);
        assert!(
            text.contains("| `reap` | 0.875 | 0.250 | 0.102 |") && text.contains("a tie: chance decides"),
            "{text}"
        );
    }

    #[test]
    fn rare_features_have_knees_of_their_own() {
        let (experts, mut pruning) = run([2.0, 1.0, 1.0, 0.0], [1.0, 0.995, 0.98, 0.5], 0);
        assert!(!table(&standings(&experts, &pruning)).contains("rare"));
        for row in pruning.iter_mut().filter(|row| row.criterion == Criterion::Reap) {
            row.accuracy_common = Some(if row.kept > 1 { 1.0 } else { 0.5 });
            row.accuracy_rare = Some(if row.kept > 3 { 1.0 } else { 0.9 });
        }
        let all = standings(&experts, &pruning);
        assert_eq!((all[0].knee, all[0].knees), (0.25, [Some(0.5), Some(0.0)]));
        // γ = ½.
        let [common, rare] = all[0].by_feature.map(|mean| mean.unwrap_or_default());
        assert!((common - 1.0).abs() < 1e-12 && (rare - 0.9).abs() < 1e-12);
        let text = table(&all);
        assert!(text.contains("| 0.250 | 0.500, 0.000 | 1.000, 0.900 |"), "{text}");
        let widths: Vec<usize> = text.lines().map(|line| line.matches('|').count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
    }

    #[test]
    fn every_criterion_is_defined_in_one_row() {
        let text = definitions(&BTreeMap::new());
        assert_eq!(text.lines().count(), 2 + Criterion::ALL.len());
    }
}

//! Runs one after another → what a report needs of them: tallies of all, rows of the first ones of each point.
//!
//! Memory is bounded whatever the number of runs, but for one number a run where T1a is judged: the largest threshold
//! that it would be SUPPORTED for is an order statistic of all runs.

use super::criteria::{CriterionTally, RunRows};
use super::drawn::{DrawnExpert, DrawnModel};
use crate::claims::assumptions::Assumption;
use crate::measure::Role;
use crate::record::BadLines;
use crate::record::RunTable;
use crate::record::design::Design;
use crate::record::manifest::{Manifest, ManifestPoint};
use crate::record::rows::RunBody;
use crate::record::{ClaimRow, ExpertRow, PruningRow, RunRow, TrajectoryRow};
use crate::record::{Headers, RunLines};
use crate::sim::RoleSource;
use std::collections::BTreeMap;

/// Rows of each kind (experts, pruned models, trajectories) that are drawn at most; each point has an equal part.
pub(crate) const MAX_ROWS: usize = 100_000;

/// The first points of which at least one run is drawn, however many rows it has.
const SURE_POINTS: usize = 40;

/// What is known of the runs of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRuns {
    /// The row of its first run.
    pub first: RunRow,
    /// All runs.
    pub runs: u64,
    /// Runs that miss each assumption, in the order of [`Assumption::ALL`].
    pub missed: [u64; Assumption::ALL.len()],
    /// Runs whose experts and pruned models are drawn, the first ones.
    pub drawn: u64,
    /// All runs with a trajectory.
    pub recorded: u64,
    /// Runs whose trajectories are drawn, the first ones.
    pub recorded_drawn: u64,
}

/// What a report needs of the runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// The points, by number.
    pub points: BTreeMap<usize, PointRuns>,
    /// Experts of the runs that are drawn.
    pub experts: Vec<DrawnExpert>,
    /// Pruned models of the runs that are drawn.
    pub pruning: Vec<DrawnModel>,
    /// Trajectories that are drawn.
    pub trajectory: Vec<TrajectoryRow>,
    /// What the runs of each point say of every criterion; empty unless a point is pruned by several.
    pub criteria: BTreeMap<usize, CriterionTally>,
    /// The smallest Δ of a relevant expert in each run of a point, by the roles that a claim T1a there goes by.
    pub smallest_changes: BTreeMap<(usize, RoleSource), Vec<f64>>,
}

/// Takes the runs of a folder, one after another.
#[derive(Clone, Debug)]
pub struct Gathering {
    /// Rows of each kind that a point has room for.
    room: usize,
    gathered: Gathered,
    /// Rows of each kind that are kept of each point.
    kept: BTreeMap<usize, [usize; 3]>,
}

impl Gathering {
    /// For the runs of a folder with these claims.
    pub fn new(manifest: &Manifest, claims: &[ClaimRow]) -> Self {
        let is_counted = |row: &&ClaimRow| row.claim == "T1a" && row.level.is_some() && row.set_aside == 0;
        let counted = claims.iter().filter(is_counted).filter(|_| manifest.design() == Design::Fixed);
        let smallest_changes = counted.filter_map(|row| Some(((row.point?, row.roles), Vec::new()))).collect();
        let room = MAX_ROWS / manifest.points.len().max(1);
        let compares =
            |point: &&ManifestPoint| point.parameters.get("pruning.criteria").is_some_and(|list| list != "[]");
        let compared = manifest.points.iter().filter(compares).map(|point| (point.point, CriterionTally::default()));
        let gathered = Gathered { smallest_changes, criteria: compared.collect(), ..Gathered::default() };
        Self { room, gathered, kept: BTreeMap::new() }
    }

    /// Which tables the next run of a point is to be read from; trajectories are counted even where none is drawn.
    pub fn wanted(&self, point: usize) -> [bool; 4] {
        let open = self.gathered.points.get(&point).is_none_or(PointRuns::is_complete);
        let compared = self.gathered.criteria.contains_key(&point);
        [true, open || compared || self.by_built_roles(point), true, open || compared]
    }

    fn by_built_roles(&self, point: usize) -> bool {
        self.gathered.smallest_changes.keys().any(|(own, roles)| (*own, *roles) == (point, RoleSource::Built))
    }

    /// Adds the next run, read from the tables that are [`Gathering::wanted`].
    ///
    /// # Errors
    /// Rows that can't be read, with their table.
    pub fn add(&mut self, lines: &RunLines, headers: &Headers) -> Result<(), BadLines> {
        let row = lines.run_row(headers)?;
        let experts: Vec<DrawnExpert> = lines.rows(RunTable::Experts, headers)?;
        self.add_smallest_changes(lines.point, &row.body, &experts);
        if let Some(tally) = self.gathered.criteria.get_mut(&lines.point) {
            let (experts, pruning): (Vec<ExpertRow>, Vec<PruningRow>) =
                (lines.rows(RunTable::Experts, headers)?, lines.rows(RunTable::Pruning, headers)?);
            tally.add(&RunRows { experts: &experts, pruning: &pruning });
        }
        let fresh = PointRuns {
            first: row.clone(),
            runs: 0,
            missed: [0; Assumption::ALL.len()],
            drawn: 0,
            recorded: 0,
            recorded_drawn: 0,
        };
        let own = self.gathered.points.entry(lines.point).or_insert(fresh);
        let is_open = own.is_complete();
        own.runs += 1;
        for (missed, assumption) in own.missed.iter_mut().zip(Assumption::ALL) {
            *missed += u64::from(!assumption.is_met(&row.body));
        }
        let is_recorded = !lines.tables[RunTable::Trajectory as usize].is_empty();
        own.recorded += u64::from(is_recorded);
        if !is_open {
            return Ok(());
        }
        let pruning: Vec<DrawnModel> = lines.rows(RunTable::Pruning, headers)?;
        let kept = self.kept.entry(lines.point).or_default();
        let sure = own.runs == 1 && lines.point < SURE_POINTS;
        if !sure && (kept[0] + experts.len() > self.room || kept[1] + pruning.len() > self.room) {
            return Ok(());
        }
        own.drawn += 1;
        kept[0] += experts.len();
        kept[1] += pruning.len();
        self.gathered.experts.extend(experts);
        self.gathered.pruning.extend(pruning);
        if is_recorded && own.recorded_drawn + 1 == own.recorded {
            let trajectory: Vec<TrajectoryRow> = lines.rows(RunTable::Trajectory, headers)?;
            if sure || kept[2] + trajectory.len() <= self.room {
                own.recorded_drawn += 1;
                kept[2] += trajectory.len();
                self.gathered.trajectory.extend(trajectory);
            }
        }
        Ok(())
    }

    fn add_smallest_changes(&mut self, point: usize, body: &RunBody, experts: &[DrawnExpert]) {
        for ((_, roles), smallest) in self.gathered.smallest_changes.iter_mut().filter(|((own, _), _)| *own == point) {
            let built = || {
                let relevant = experts.iter().filter(|row| row.built_role == Role::Relevant);
                relevant.map(|row| row.delta.unwrap_or(f64::NEG_INFINITY)).reduce(f64::min)
            };
            smallest.extend(match roles {
                RoleSource::Built => built(),
                RoleSource::Measured => body.min_delta_relevant,
            });
        }
    }

    /// What was gathered, with the rows of each point side by side: `--until-decided` writes blocks of runs.
    pub fn finish(self) -> Gathered {
        let mut gathered = self.gathered;
        side_by_side(&mut gathered.experts, |row| row.point);
        side_by_side(&mut gathered.pruning, |row| row.point);
        side_by_side(&mut gathered.trajectory, |row| row.point);
        gathered
    }
}

/// Sorts rows by point, if they are not sorted: sorting needs memory of its own.
fn side_by_side<T>(rows: &mut [T], point: impl Fn(&T) -> usize) {
    if !rows.is_sorted_by_key(&point) {
        rows.sort_by_key(&point);
    }
}

impl PointRuns {
    /// Whether all runs so far are drawn.
    fn is_complete(&self) -> bool {
        self.drawn == self.runs
    }

    /// How many of the runs miss an assumption.
    pub(crate) fn missed_by(&self, assumption: Assumption) -> u64 {
        let of = Assumption::ALL.iter().zip(&self.missed).find(|(other, _)| **other == assumption);
        of.map_or(0, |(_, missed)| *missed)
    }

    /// `first 260 of 500 runs`, unless all are drawn.
    pub(crate) fn part_drawn(&self) -> Option<String> {
        (!self.is_complete()).then(|| format!("first {} of {} runs", self.drawn, self.runs))
    }
}

impl Gathered {
    /// Of which runs the experts and pruned models are drawn, in words, unless they are all: `the first 260 of 500 runs`.
    pub(crate) fn part_drawn(&self) -> Option<String> {
        let partial = self.points.values().any(|point| !point.is_complete());
        partial.then(|| self.part(|point| point.drawn, |point| point.runs, "runs"))
    }

    /// Of which recorded runs the trajectories are drawn, in words, unless they are all.
    pub(crate) fn part_recorded(&self) -> Option<String> {
        let partial = self.points.values().any(|point| point.recorded_drawn < point.recorded);
        partial.then(|| self.part(|point| point.recorded_drawn, |point| point.recorded, "recorded runs"))
    }

    fn part(&self, drawn: fn(&PointRuns) -> u64, all: fn(&PointRuns) -> u64, what: &str) -> String {
        let range = |of: fn(&PointRuns) -> u64| {
            let least = self.points.values().map(of).min().unwrap_or(0);
            let most = self.points.values().map(of).max().unwrap_or(0);
            if least == most { most.to_string() } else { format!("{least} to {most}") }
        };
        let each = if self.points.len() == 1 { "" } else { " of each grid point" };
        format!("the first {} of {} {what}{each}", range(drawn), range(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunRecord;
    use crate::record::manifest::Provenance;
    use crate::record::{ExpertRow, PruningRow};
    use crate::sim::{Overrides, Simulation};

    const POINTS: usize = 50;
    const EXPERTS: usize = 8;

    /// The manifest of a simulation of 50 points.
    fn manifest() -> Manifest {
        let values: Vec<String> = (0..POINTS).map(|value| (100 + value).to_string()).collect();
        let set = [format!("data.patterns=[{}]", values.join(","))];
        let text = "name = \"x\"";
        let overrides = Overrides { set: &set, seeds: None };
        let simulation = Simulation::parse("x", text, &overrides).expect("legal");
        let points = simulation.points().expect("points");
        let provenance = Provenance {
            text: text.to_owned(),
            overrides: set.to_vec(),
            engine: "auto".to_owned(),
            master_seed: 0,
            seeds_given: None,
            revision: String::new(),
            design: Design::Fixed,
            shard: None,
        };
        Manifest::new(&simulation, &points, &provenance)
    }

    /// A run whose relevant expert has moved by `run`, and which misses A-labels if `run` is odd.
    fn record(point: usize, run: u64) -> RunRecord {
        let head = crate::record::rows::RunHead { point, run, seed: run };
        let body =
            RunBody { meets_labels: run.is_multiple_of(2), min_delta_relevant: Some(run as f64), ..RunBody::default() };
        let expert = |expert| ExpertRow {
            point,
            run,
            expert,
            built_role: if expert == 0 { Role::Relevant } else { Role::Irrelevant },
            delta: Some(-(run as f64)),
            ..ExpertRow::default()
        };
        let pruned = |kept| PruningRow { point, run, kept, ..PruningRow::default() };
        let trajectory = TrajectoryRow { point, run, ..TrajectoryRow::default() };
        RunRecord {
            run: RunRow { head, swept: vec![(100 + point).to_string()], body },
            experts: (0..EXPERTS).map(expert).collect(),
            trajectory: vec![trajectory; usize::from(run < 5)],
            pruning: (1..=EXPERTS).map(pruned).collect(),
        }
    }

    fn claim(point: usize, roles: RoleSource) -> ClaimRow {
        ClaimRow { claim: "T1a".into(), point: Some(point), roles, level: Some(0.95), ..ClaimRow::default() }
    }

    /// Gathers this many runs of two points, as `report` does.
    fn gather(runs: u64, claims: &[ClaimRow]) -> Gathered {
        let headers = Headers::new(&["patterns".to_owned()]);
        let mut gathering = Gathering::new(&manifest(), claims);
        for (point, run) in [0, 45].into_iter().flat_map(|point| (0..runs).map(move |run| (point, run))) {
            let mut lines = RunLines::new(&record(point, run)).expect("lines");
            for (table, wanted) in lines.tables.iter_mut().zip(gathering.wanted(point)) {
                if !wanted {
                    table.clear();
                }
            }
            gathering.add(&lines, &headers).expect("rows");
        }
        gathering.finish()
    }

    #[test]
    fn tallies_are_of_all_runs_and_rows_of_the_first() {
        let room = MAX_ROWS / POINTS;
        let drawn = (room / EXPERTS) as u64;
        let gathered = gather(2 * drawn, &[claim(0, RoleSource::Measured), claim(45, RoleSource::Built)]);
        assert_eq!(gathered.experts.len(), 2 * room);
        assert_eq!((gathered.pruning.len(), gathered.trajectory.len()), (2 * room, 10));
        for (point, own) in &gathered.points {
            assert_eq!((own.runs, own.drawn, own.recorded, own.recorded_drawn), (2 * drawn, drawn, 5, 5));
            assert_eq!(own.missed_by(Assumption::Labels), drawn);
            assert_eq!(own.first, record(*point, 0).run);
        }
        let all: Vec<f64> = (0..2 * drawn).map(|run| run as f64).collect();
        assert_eq!(gathered.smallest_changes[&(0, RoleSource::Measured)], all);
        let moved: Vec<f64> = all.iter().map(|run| -run).collect();
        assert_eq!(gathered.smallest_changes[&(45, RoleSource::Built)], moved);
        assert_eq!(gathered.part_drawn().as_deref(), Some("the first 250 of 500 runs of each grid point"));
        assert_eq!(gathered.part_recorded(), None);
    }

    #[test]
    fn few_runs_are_all_drawn() {
        let gathered = gather(3, &[]);
        assert_eq!((gathered.experts.len(), gathered.trajectory.len()), (2 * 3 * EXPERTS, 6));
        assert_eq!(gathered.part_drawn(), None);
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_runs() {
        let most = |runs| allocation_counter::measure(|| drop(gather(runs, &[]))).bytes_max;
        let (some, many) = (most(500), most(2000));
        assert!(many <= some + some / 50, "{some} bytes, then {many}");
    }
}

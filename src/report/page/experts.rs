//! Charts of single experts: their routers over the iterations, Δ against D, proficiency.

use super::chart::{Axis, Chart, Group, Select, SingleRun, Straight, View, short, shorts};
use super::views::{MAX_ITERATIONS, Views};
use crate::measure::Role;
use crate::record::TrajectoryRow;
use crate::report::drawn::DrawnExpert;
use crate::report::drawn::ROLES;
use crate::report::numbers::sorted_finite;
use crate::stats::quantile;
use std::collections::{BTreeMap, BTreeSet};

/// Experts of a role at a point that are drawn at most: evenly spaced ranks of D, the extremes among them.
const MAX_DOTS: usize = 150;

/// Numbers that single runs may take in one chart.
const RUN_BUDGET: usize = 60_000;

/// Single runs of a point that are drawn at most.
const MAX_RUNS: usize = 5;

/// One quantity of an expert at one iteration.
struct Quantity {
    name: &'static str,
    label: &'static str,
    of: fn(&TrajectoryRow, &DrawnExpert) -> f64,
    /// Ends of the axis, if they do not follow the data.
    ends: Option<(f64, f64)>,
}

const NORMS: [Quantity; 3] = [
    Quantity { name: "norm change Δ", label: "Δ(t) = ‖w(t)‖ − ‖w(0)‖", of: |row, _| row.delta, ends: None },
    Quantity { name: "norm ‖w‖", label: "‖w(t)‖", of: |row, _| row.norm, ends: None },
    Quantity { name: "displacement D", label: "D(t) = ‖w(t) − w(0)‖", of: |row, _| row.displacement, ends: None },
];

const PROFICIENCIES: [Quantity; 2] = [
    Quantity {
        name: "own class",
        label: "proficiency for the class that a_s votes for",
        of: |row, expert| if expert.own_class() == 0 { row.p1 } else { row.p2 },
        ends: Some((-0.02, 1.02)),
    },
    Quantity {
        name: "other class",
        label: "proficiency for the other class",
        of: |row, expert| if expert.own_class() == 0 { row.p2 } else { row.p1 },
        ends: Some((-0.02, 1.02)),
    },
];

/// The routers' norms over the iterations, by role.
pub(crate) fn norms(views: &Views) -> Chart {
    over_time(views, "norms", "Router norms during training, by role", &NORMS)
}

/// Proficiency over the iterations, by role.
pub(crate) fn proficiency(views: &Views) -> Chart {
    over_time(views, "proficiency", "Proficiency during training, by role", &PROFICIENCIES)
}

fn over_time(views: &Views, id: &str, title: &str, quantities: &[Quantity]) -> Chart {
    let recorded: Vec<usize> =
        views.points.iter().copied().filter(|point| !views.trajectory(*point).is_empty()).collect();
    let select =
        Select { name: "quantity".to_owned(), options: quantities.iter().map(|q| q.name.to_owned()).collect() };
    let mut drawn = Vec::new();
    for &point in &recorded {
        drawn.extend(quantities.iter().map(|quantity| band_view(views, point, quantity, recorded.len())));
    }
    Chart { id: id.to_owned(), title: title.to_owned(), selects: vec![views.select(&recorded), select], views: drawn }
}

fn band_view(views: &Views, point: usize, quantity: &Quantity, points: usize) -> View {
    let experts: BTreeMap<(u64, usize), &DrawnExpert> =
        views.experts(point).iter().map(|row| ((row.run, row.expert), row)).collect();
    let rows = views.trajectory(point);
    let kept = thinned(rows.iter().map(|row| row.iteration).collect());
    let mut values: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    let place = |role: Role| ROLES.iter().position(|(other, _)| *other == role);
    for row in rows.iter().filter(|row| kept.contains(&row.iteration)) {
        let Some(expert) = experts.get(&(row.run, row.expert)) else { continue };
        let Some(place) = place(expert.role) else { continue };
        values.entry((place, row.iteration)).or_default().push((quantity.of)(row, expert));
    }
    let mut groups = Vec::new();
    for (place, (_, name)) in ROLES.iter().enumerate() {
        let mut group = Group { name: (*name).to_owned(), look: place, parts: "blp", ..Group::default() };
        for ((_, iteration), values) in values.range((place, 0)..(place + 1, 0)) {
            let sorted = sorted_finite(values.iter().copied());
            let levels = [0.05, 0.5, 0.95].map(|level| quantile(&sorted, level));
            if let [Some(low), Some(middle), Some(high)] = levels {
                group.x.push(*iteration as f64);
                group.y.push(short(middle));
                group.low.push(short(low));
                group.high.push(short(high));
            }
        }
        if !group.x.is_empty() {
            groups.push(group);
        }
    }
    let all = || groups.iter().flat_map(|group| group.low.iter().chain(&group.high).copied());
    let ends = quantity.ends.unwrap_or_else(|| {
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        let pad = 0.05 * (high - low);
        (low - pad, high + pad)
    });
    let last = kept.iter().next_back().copied().unwrap_or(0) as f64;
    View {
        x: Axis::linear("iteration t", 0.0, last),
        y: Axis::linear(quantity.label, ends.0, ends.1),
        columns: ["role", "iteration t", "median", "5 %", "95 %"].map(str::to_owned).to_vec(),
        groups,
        runs: single_runs(rows, &experts, &kept, quantity, points),
        ..View::default()
    }
}

/// At most [`MAX_ITERATIONS`] of the iterations, evenly by rank, the first and the last among them.
fn thinned(all: BTreeSet<usize>) -> BTreeSet<usize> {
    let count = all.len();
    if count <= MAX_ITERATIONS {
        return all;
    }
    let all: Vec<usize> = all.into_iter().collect();
    (0..MAX_ITERATIONS).map(|rank| all[rank * (count - 1) / (MAX_ITERATIONS - 1)]).collect()
}

fn single_runs(
    rows: &[TrajectoryRow],
    experts: &BTreeMap<(u64, usize), &DrawnExpert>,
    kept: &BTreeSet<usize>,
    quantity: &Quantity,
    points: usize,
) -> Vec<SingleRun> {
    let runs: BTreeSet<u64> = rows.iter().map(|row| row.run).collect();
    let a_run = rows.iter().filter(|row| Some(&row.run) == runs.first()).count().max(1);
    let count = (RUN_BUDGET / (a_run * points.max(1))).clamp(1, MAX_RUNS);
    let single = |run: &u64| {
        let own = || rows.iter().filter(|row| row.run == *run && kept.contains(&row.iteration));
        let mut lines: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        let mut x = BTreeSet::new();
        for row in own() {
            let Some(expert) = experts.get(&(row.run, row.expert)) else { continue };
            x.insert(row.iteration);
            lines.entry(row.expert).or_default().push(short((quantity.of)(row, expert)));
        }
        let look = |expert: &usize| {
            let role = experts.get(&(*run, *expert)).map(|row| row.role).unwrap_or_default();
            ROLES.iter().position(|(other, _)| *other == role).unwrap_or_default()
        };
        SingleRun {
            name: format!("run {run}"),
            x: x.into_iter().map(|iteration| iteration as f64).collect(),
            looks: lines.keys().map(look).collect(),
            lines: lines.into_values().collect(),
        }
    };
    runs.iter().take(count).map(single).collect()
}

/// Δ against D of every expert, by role.
pub(crate) fn change_against_displacement(views: &Views) -> Chart {
    let shown: Vec<usize> = views.points.iter().copied().filter(|point| dots(views, *point).is_some()).collect();
    Chart {
        id: "delta-displacement".to_owned(),
        title: "Norm change Δ against displacement D, an expert a point".to_owned(),
        selects: vec![views.select(&shown)],
        views: shown.iter().filter_map(|point| dots(views, *point)).collect(),
    }
}

fn dots(views: &Views, point: usize) -> Option<View> {
    let measured = |row: &DrawnExpert| Some((row.displacement?, row.delta?));
    let rows = views.experts(point);
    let displacements = sorted_finite(rows.iter().filter_map(measured).map(|(displacement, _)| displacement));
    let changes = sorted_finite(rows.iter().filter_map(measured).map(|(_, change)| change));
    if displacements.is_empty() || changes.is_empty() {
        return None;
    }
    let mut groups = Vec::new();
    for (look, (role, name)) in ROLES.iter().enumerate() {
        let mut own: Vec<(&DrawnExpert, f64, f64)> = rows
            .iter()
            .filter(|row| row.role == *role)
            .filter_map(|row| measured(row).map(|(displacement, change)| (row, displacement, change)))
            .filter(|(_, displacement, change)| displacement.is_finite() && change.is_finite())
            .collect();
        own.sort_by(|a, b| a.1.total_cmp(&b.1));
        let shown = own.len().min(MAX_DOTS);
        let rank = |index: usize| if shown > 1 { index * (own.len() - 1) / (shown - 1) } else { 0 };
        let picked: Vec<_> = (0..shown).map(|index| &own[rank(index)]).collect();
        if picked.is_empty() {
            continue;
        }
        let note =
            if own.len() > shown { format!("{shown} of {} experts", own.len()) } else { format!("{shown} experts") };
        groups.push(Group {
            name: (*name).to_owned(),
            note,
            look,
            parts: "p",
            x: shorts(picked.iter().map(|(_, displacement, _)| *displacement)),
            y: shorts(picked.iter().map(|(_, _, change)| *change)),
            texts: vec![picked.iter().map(|(row, ..)| format!("run {}, expert {}", row.run, row.expert)).collect()],
            ..Group::default()
        });
    }
    let x = Axis::symmetric_log("displacement D = ‖w(T) − w(0)‖", &displacements);
    let largest = x.domain[1];
    Some(View {
        y: Axis::symmetric_log("norm change Δ = ‖w(T)‖ − ‖w(0)‖", &changes),
        columns: ["role", "D", "Δ", "which"].map(str::to_owned).to_vec(),
        groups,
        lines: diagonals(&x, largest),
        x,
        ..View::default()
    })
}

/// Lemma L6: |Δ| ≤ D.
fn diagonals(x: &Axis, largest: f64) -> Vec<Straight> {
    let low = x.domain[0].max(if x.scale == "log" { x.domain[0] } else { 0.0 });
    // Straight on these axes only if they bend alike: many short pieces.
    let pieces = 60;
    let at = |step: i32| {
        let share = f64::from(step) / f64::from(pieces);
        if low > 0.0 { low * libm::pow(largest / low, share) } else { largest * libm::pow(10.0, 8.0 * (share - 1.0)) }
    };
    let xs: Vec<f64> = (0..=pieces).map(at).collect();
    let line = |name: &str, sign: f64| Straight {
        name: name.to_owned(),
        look: 6,
        x: shorts(xs.iter().copied()),
        y: shorts(xs.iter().map(|x| sign * x)),
    };
    vec![line("|Δ| = D, the largest possible (L6)", 1.0), line("", -1.0)]
}

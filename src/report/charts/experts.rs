//! Views of single experts: Δ and D by role, one against the other, their course over the iterations, proficiency.

use super::names::quantity;
use super::points::{Point, ranks};
use crate::measure::Role;
use crate::record::TrajectoryRow;
use crate::report::drawing::palette::{GREY, LIMIT, Look};
use crate::report::drawing::scale::Scale;
use crate::report::drawing::view::{At, Axis, Course, Five, Group, Line, Thread, View};
use crate::report::drawn::{DrawnExpert, ROLES};
use crate::report::numbers::sorted_finite;
use crate::stats::{median, quantile};
use std::collections::{BTreeMap, BTreeSet};

/// Iterations that a chart over time shows at most.
const MAX_ITERATIONS: usize = 60;

/// The axis of a course bends if its largest value is this many times the smallest of a role's last medians.
const BENT_FROM: f64 = 30.0;

const NORM_CHANGE: &str = "norm change Δ = ‖w(T)‖ − ‖w(0)‖";
const DISPLACEMENT: &str = "displacement D = ‖w(T) − w(0)‖";

/// A quantity of an expert.
type Measure = fn(&DrawnExpert) -> Option<f64>;

/// Δ by role.
pub(super) fn norm_change(point: &Point) -> Option<View> {
    let mut view = by_role(point, "norm-change", "Δ", NORM_CHANGE, |row| row.delta)?;
    let line =
        |threshold| Line { name: format!("c₁ = {threshold} of T1a"), look: LIMIT, course: Course::Level(threshold) };
    view.lines.extend(point.threshold.map(line));
    Some(view)
}

/// D by role.
pub(super) fn displacement(point: &Point) -> Option<View> {
    by_role(point, "displacement", "D", DISPLACEMENT, |row| row.displacement)
}

fn by_role(point: &Point, name: &str, symbol: &str, label: &str, measure: Measure) -> Option<View> {
    let of =
        |role: Role| sorted_finite(point.experts.iter().filter(|row| row.role == role).filter_map(|row| measure(row)));
    let all = sorted_finite(point.experts.iter().filter_map(|row| measure(row)));
    (!all.is_empty()).then_some(())?;
    let roles: Vec<(Role, &str, Vec<f64>)> =
        ROLES.iter().map(|(role, name)| (*role, *name, of(*role))).filter(|(.., values)| !values.is_empty()).collect();
    let labels: Vec<String> = roles.iter().map(|(_, name, values)| format!("{name}\nn = {}", values.len())).collect();
    let boxes = roles.iter().enumerate().filter_map(|(place, (role, name, values))| {
        let [low, first, middle, third, high] = [0.05, 0.25, 0.5, 0.75, 0.95].map(|level| quantile(values, level));
        Some(Five {
            name: (*name).to_owned(),
            look: Look::of_role(*role),
            x: place as f64 + 0.5,
            levels: [low?, first?, middle?, third?, high?],
            strip: ranks(values.len(), point.dots).map(|rank| values[rank]).collect(),
        })
    });
    let y = Scale::symmetric_log(&all);
    let cut = roles.iter().any(|(.., values)| values.len() > point.dots);
    let dots = if cut { format!("{} evenly spaced ranks", point.dots) } else { "all n".to_owned() };
    let mut notes = vec![format!("Box: quartiles and median; whiskers: 5 % and 95 %; dots: {dots}. Roles at t = 0.")];
    notes.extend(y.linear_within().map(|within| format!("Symmetric-log axis, linear within ±{within}.")));
    Some(View {
        name: point.file(name),
        of: point.of.clone(),
        title: medians(symbol, roles.iter().map(|(_, name, values)| (*name, median(values)))),
        x: Axis::new("", Scale::categories(&labels, 1.0, 1000.0)),
        y: Axis::new(label, y),
        columns: ["role", "5 %", "25 %", "median", "75 %", "95 %"].map(str::to_owned).to_vec(),
        boxes: boxes.collect(),
        notes,
        ..View::default()
    })
}

/// `Median Δ: 0.36 of relevant, 1.3·10⁻⁵ of irrelevant experts`.
fn medians<'a>(symbol: &str, roles: impl Iterator<Item = (&'a str, Option<f64>)>) -> String {
    let parts: Vec<String> = roles
        .filter(|(name, _)| ["relevant", "irrelevant"].contains(name))
        .filter_map(|(name, middle)| Some(format!("{} of {name}", quantity(middle?))))
        .collect();
    if parts.is_empty() {
        format!("{symbol} of every expert, by role")
    } else {
        format!("Median {symbol}: {} experts", parts.join(", "))
    }
}

/// Δ against D of every expert, by role.
pub(super) fn change_against_displacement(point: &Point) -> Option<View> {
    let measured = |row: &&DrawnExpert| {
        Some((row.displacement?, row.delta?)).filter(|(d, delta)| d.is_finite() && delta.is_finite())
    };
    let rows = || point.experts.iter().filter_map(|row| Some((*row, measured(row)?)));
    let displacements = sorted_finite(rows().map(|(_, (displacement, _))| displacement));
    let changes = sorted_finite(rows().map(|(_, (_, change))| change));
    let largest = *displacements.last()?;
    let mut groups = Vec::new();
    let mut ratios = Vec::new();
    for (role, name) in ROLES {
        let mut own: Vec<(&DrawnExpert, (f64, f64))> = rows().filter(|(row, _)| row.role == role).collect();
        own.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let ratio: Vec<f64> =
            own.iter().filter(|(_, (d, _))| *d > 0.0).map(|(_, (d, change))| change.abs() / d).collect();
        ratios.push((name, median(&ratio)));
        let at = |(row, (x, y)): &(&DrawnExpert, (f64, f64))| At {
            x: *x,
            y: *y,
            interval: None,
            text: Some(format!("run {}, expert {}", row.run, row.expert)),
        };
        let points: Vec<At> = ranks(own.len(), point.dots).map(|rank| at(&own[rank])).collect();
        let note = if own.len() > points.len() {
            format!("{} of {}", points.len(), own.len())
        } else {
            format!("n = {}", own.len())
        };
        groups.push(Group { name: name.to_owned(), note, look: Look::of_role(role), points, ..Group::default() });
    }
    groups.retain(|group| !group.points.is_empty());
    let x = Scale::symmetric_log(&displacements);
    let along = |share: f64| x.value(share);
    let line = |name: &str, sign: f64| Line {
        name: name.to_owned(),
        look: GREY,
        course: Course::Through((0..=60).map(|step| along(f64::from(step) / 60.0)).map(|d| (d, sign * d)).collect()),
    };
    let lines = vec![line("|Δ| = D, the most there can be (L6)", 1.0), line("", -1.0)];
    let y = Scale::symmetric_log(&changes);
    let notes = y.linear_within().map(|within| format!("Δ: symmetric-log axis, linear within ±{within}."));
    Some(View {
        name: point.file("delta-displacement"),
        of: point.of.clone(),
        title: if largest > 0.0 {
            medians("|Δ|/D", ratios.into_iter())
        } else {
            "Δ against D: no router moved".to_owned()
        },
        y: Axis::new(NORM_CHANGE, y),
        columns: ["role", "D", "Δ", "which"].map(str::to_owned).to_vec(),
        groups,
        lines,
        x: Axis::new(DISPLACEMENT, x),
        notes: notes.into_iter().collect(),
        ..View::default()
    })
}

/// A quantity of an expert at one iteration.
struct Followed {
    file: &'static str,
    symbol: &'static str,
    label: &'static str,
    of: fn(&TrajectoryRow, &DrawnExpert) -> Option<f64>,
    /// Whether it lies between 0 and 1.
    is_share: bool,
}

const COURSES: [Followed; 4] = [
    Followed {
        file: "trajectory",
        symbol: "Δ(T)",
        label: "norm change Δ(t) = ‖w(t)‖ − ‖w(0)‖",
        of: |row, _| row.delta,
        is_share: false,
    },
    Followed {
        file: "trajectory-displacement",
        symbol: "D(T)",
        label: "displacement D(t) = ‖w(t) − w(0)‖",
        of: |row, _| row.displacement,
        is_share: false,
    },
    Followed {
        file: "proficiency",
        symbol: "p(T) for the own class",
        label: "proficiency p(t) for the class that aₛ votes for",
        of: |row, expert| Some(if expert.own_class() == 0 { row.p1 } else { row.p2 }),
        is_share: true,
    },
    Followed {
        file: "proficiency-other",
        symbol: "p(T) for the other class",
        label: "proficiency p(t) for the other class",
        of: |row, expert| Some(if expert.own_class() == 0 { row.p2 } else { row.p1 }),
        is_share: true,
    },
];

/// Δ and D over the iterations.
pub(super) fn norms(point: &Point) -> Vec<View> {
    COURSES[..2].iter().filter_map(|course| over_time(point, course)).collect()
}

/// Proficiency over the iterations.
pub(super) fn proficiency(point: &Point) -> Vec<View> {
    COURSES[2..].iter().filter_map(|course| over_time(point, course)).collect()
}

fn over_time(point: &Point, course: &Followed) -> Option<View> {
    let experts: BTreeMap<(u64, usize), &DrawnExpert> =
        point.experts.iter().map(|row| ((row.run, row.expert), *row)).collect();
    let all: Vec<usize> =
        point.trajectory.iter().map(|row| row.iteration).collect::<BTreeSet<_>>().into_iter().collect();
    let kept: BTreeSet<usize> = ranks(all.len(), MAX_ITERATIONS).map(|rank| all[rank]).collect();
    let runs: BTreeSet<u64> = point.trajectory.iter().map(|row| row.run).collect();
    let mut values: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    let mut threads: BTreeMap<usize, (usize, Vec<(f64, f64)>)> = BTreeMap::new();
    for row in point.trajectory.iter().filter(|row| kept.contains(&row.iteration)) {
        let Some(expert) = experts.get(&(row.run, row.expert)) else { continue };
        let Some(place) = ROLES.iter().position(|(role, _)| *role == expert.role) else { continue };
        let Some(value) = (course.of)(row, expert) else { continue };
        values.entry((place, row.iteration)).or_default().push(value);
        if Some(&row.run) == runs.first() {
            threads.entry(row.expert).or_insert((place, Vec::new())).1.push((row.iteration as f64, value));
        }
    }
    let mut groups = Vec::new();
    for (place, (role, name)) in ROLES.iter().enumerate() {
        let at = |((_, iteration), values): (&(usize, usize), &Vec<f64>)| {
            let sorted = sorted_finite(values.iter().copied());
            let [low, middle, high] = [0.05, 0.5, 0.95].map(|level| quantile(&sorted, level));
            Some(At { x: *iteration as f64, y: middle?, interval: Some([low?, high?]), text: None })
        };
        let points: Vec<At> = values.range((place, 0)..(place + 1, 0)).filter_map(at).collect();
        if !points.is_empty() {
            let (name, look) = ((*name).to_owned(), Look::of_role(*role));
            groups.push(Group { name, look, line: true, band: true, points, ..Group::default() });
        }
    }
    let ends = sorted_finite(groups.iter().flat_map(|group| &group.points).flat_map(|at| at.interval).flatten());
    let last: Vec<(&str, Option<f64>)> =
        groups.iter().map(|group| (group.name.as_str(), group.points.last().map(|at| at.y))).collect();
    let (y, bent) = course_scale(course, &ends, &last)?;
    let word = if runs.len() == 1 { "run" } else { "runs" };
    let mut notes = vec![format!(
        "Median and 5 % to 95 % over the experts of {} recorded {word}; thin: those of run {}.",
        runs.len(),
        runs.first()?
    )];
    notes.extend(bent.map(|within| format!("Symmetric-log axis, linear within ±{within}.")));
    Some(View {
        name: point.file(course.file),
        of: point.of.clone(),
        title: medians(course.symbol, last.iter().copied()),
        x: Axis::new("iteration t", Scale::linear(0.0, *kept.last()? as f64)),
        y: Axis::new(course.label, y),
        columns: ["role", "iteration t", "median", "5 %", "95 %"].map(str::to_owned).to_vec(),
        threads: threads
            .into_values()
            .map(|(place, points)| Thread { look: Look::of_role(ROLES[place].0), points })
            .collect(),
        groups,
        notes,
        ..View::default()
    })
}

/// A linear axis; a bent one where roles end decades apart, with the place where it is linear.
fn course_scale(course: &Followed, ends: &[f64], last: &[(&str, Option<f64>)]) -> Option<(Scale, Option<String>)> {
    let (low, high) = (*ends.first()?, *ends.last()?);
    if course.is_share {
        return Some((Scale::linear(-0.02, 1.02), None));
    }
    let sizes = sorted_finite(last.iter().filter_map(|(_, last)| *last).map(f64::abs).filter(|size| *size > 0.0));
    let spread = sizes.last().copied().unwrap_or(1.0) / sizes.first().copied().unwrap_or(1.0);
    if spread < BENT_FROM {
        let pad = 0.05 * (high - low);
        return Some((Scale::linear(low - pad, high + pad), None));
    }
    // From a tenth of the smallest of the last medians on: what is smaller is as good as 0.
    let from = (sizes[0] / 10.0).max(high.abs() * 1e-7);
    let shown: Vec<f64> = sorted_finite(ends.iter().copied().filter(|end| end.abs() >= from).chain([from, 0.0]));
    let scale = Scale::symmetric_log(&shown);
    let within = scale.linear_within();
    Some((scale, within))
}

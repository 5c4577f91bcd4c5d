//! What figures show is what the rows say, odd rows do no harm, and the same rows give the same bytes.

use super::*;
use crate::measure::Role;
use crate::record::design::Design;
use crate::record::manifest::{Manifest, Provenance};
use crate::record::rows::RunBody;
use crate::record::rows::RunHead;
use crate::record::{BoundaryRow, PhaseRow, RunRow, ScalingRow, TermRow, TrajectoryRow};
use crate::report::drawing::view::{Course, Group};
use crate::report::drawn::{DrawnExpert, DrawnModel};
use crate::report::gathering::{Gathered, PointRuns};
use crate::sim::{On, Overrides, Simulation};

/// A folder without rows, of this many points that differ in d.
fn folder(points: usize) -> Results {
    let values: Vec<String> = (0..points).map(|value| (64 << value).to_string()).collect();
    let (text, set) = ("name = \"x\"", [format!("data.patterns=[{}]", values.join(","))]);
    let simulation = Simulation::parse("x", text, &Overrides { set: &set, seeds: None }).expect("legal");
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
    let mut manifest = Manifest::new(&simulation, &simulation.points().expect("points"), &provenance);
    manifest.swept.insert(0, "case".to_owned());
    let run = |point: usize| RunRow {
        head: RunHead { point, run: 0, seed: 0 },
        swept: vec!["linear".to_owned(), values[point].clone()],
        body: RunBody::default(),
    };
    let known = |point| {
        let own = PointRuns {
            first: run(point),
            runs: 3,
            missed: Default::default(),
            drawn: 3,
            recorded: 0,
            recorded_drawn: 0,
        };
        (point, own)
    };
    Results {
        manifest,
        runs: Gathered { points: (0..points).map(known).collect(), ..Gathered::default() },
        claims: Vec::new(),
        scaling: Vec::new(),
        terms: Vec::new(),
        phase: Vec::new(),
        boundary: Vec::new(),
        falsified: Vec::new(),
    }
}

/// Three runs of four experts, one of each role, with trajectories and pruned models.
fn filled(points: usize) -> Results {
    let mut results = folder(points);
    for (point, run) in (0..points).flat_map(|point| (0..3_u64).map(move |run| (point, run))) {
        let roles = [Role::Relevant, Role::Misaligned, Role::Irrelevant, Role::Ambiguous];
        for (expert, role) in roles.into_iter().enumerate() {
            let delta = [0.5, -0.02, 1e-7, 0.0][expert] * (1.0 + run as f64);
            let (sign, displacement) = (Some(1), Some(delta.abs()));
            let row =
                DrawnExpert { point, run, expert, sign, role, delta: Some(delta), displacement, ..Default::default() };
            results.runs.experts.push(row);
            for iteration in 0..5 {
                let delta = delta * iteration as f64 / 4.0;
                results.runs.trajectory.push(TrajectoryRow {
                    point,
                    run,
                    iteration,
                    expert,
                    delta: Some(delta),
                    displacement: Some(0.0),
                    ..Default::default()
                });
            }
        }
        for (kept, finetuned) in [(4, false), (3, false), (2, false), (2, true)] {
            let (ratio, accuracy) = (1.0 - kept as f64 / 4.0, Some(0.5 + 0.1 * kept as f64));
            let criterion = "a<b & c".into();
            let model = DrawnModel { point, run, criterion, kept, ratio, finetuned, accuracy, ..Default::default() };
            results.runs.pruning.push(model);
        }
    }
    results
}

fn views(results: &Results, id: &str) -> Vec<View> {
    charts(results).into_iter().find(|chart| chart.id == id).map(|chart| chart.views).unwrap_or_default()
}

/// The points of a series, without the rounding of means.
fn values(group: &Group) -> Vec<(f64, f64)> {
    group.points.iter().map(|at| (at.x, libm::round(at.y * 1e12) / 1e12)).collect()
}

#[test]
fn figures_show_the_numbers_of_the_rows() {
    let results = filled(1);
    let pruning = &views(&results, "pruning")[0];
    let accuracies: Vec<Vec<(f64, f64)>> = pruning.groups.iter().map(values).collect();
    assert_eq!(accuracies, [vec![(0.0, 0.9), (0.25, 0.8), (0.5, 0.7)], vec![(0.5, 0.7)]]);
    let uprights: Vec<(&str, &Course)> = pruning.lines.iter().map(|line| (line.name.as_str(), &line.course)).collect();
    assert_eq!(
        uprights,
        [("γ = 0.25 (median)", &Course::Upright(0.25)), ("1 − 2/k = 0.5 (L8)", &Course::Upright(0.5))]
    );
    // Three runs: 0.5, 1 and 1.5 of the one relevant expert.
    let by_role = &views(&results, "norm-change")[0];
    assert_eq!((by_role.boxes[0].name.as_str(), by_role.boxes[0].levels[2]), ("relevant", 1.0));
    assert_eq!(by_role.boxes[0].strip, [0.5, 1.0, 1.5]);
    assert_eq!(by_role.title, "Median Δ: 1.00 of relevant, 2.00·10⁻⁷ of irrelevant experts");
    let scatter = &views(&results, "delta-displacement")[0];
    assert_eq!(values(&scatter.groups[1]), [(0.02, -0.02), (0.04, -0.04), (0.06, -0.06)]);
    let course = &views(&results, "trajectory")[0];
    assert_eq!(values(&course.groups[0]), [(0.0, 0.0), (1.0, 0.25), (2.0, 0.5), (3.0, 0.75), (4.0, 1.0)]);
    assert_eq!(course.groups[0].points[4].interval, Some([0.55, 1.45]));
    assert_eq!(course.threads.len(), 4);
}

#[test]
fn a_drawing_has_a_mark_for_each_row_of_its_table() {
    for chart in charts(&filled(2)) {
        for view in &chart.views {
            let svg = draw(view);
            let marks = svg.split("class=\"marks").skip(1).map(|part| &part[..part.find("</g>").expect("an end")]);
            let drawn: usize = marks.map(|part| part.matches("<path").count()).sum();
            assert_eq!(drawn, view.table().len(), "{}", view.name);
            assert!(!svg.contains("a<b") && !svg.contains("NaN"), "{svg}");
        }
    }
}

#[test]
fn files_have_the_names_of_their_points() {
    let names = |points| figures(&filled(points)).into_iter().map(|figure| figure.name).collect::<Vec<_>>();
    let one = [
        "pruning",
        "norm-change",
        "trajectory",
        "trajectory-displacement",
        "delta-displacement",
        "displacement",
        "proficiency",
        "proficiency-other",
    ];
    assert_eq!(names(1), one);
    assert!(names(2).contains(&"pruning-point-1".to_owned()) && names(2).len() == 2 * one.len());
    assert_eq!(figures(&filled(2)), figures(&filled(2)));
}

#[test]
fn a_part_of_the_runs_is_called_a_part() {
    let mut results = filled(2);
    if let Some(own) = results.runs.points.get_mut(&1) {
        own.runs = 70;
    }
    let of: Vec<String> = views(&results, "pruning").into_iter().map(|view| view.of).collect();
    assert_eq!(of, ["linear, d = 64", "linear, d = 128; first 3 of 70 runs"]);
}

#[test]
fn without_rows_there_are_no_figures_and_odd_rows_do_no_harm() {
    assert_eq!(figures(&folder(1)), []);
    // A diverged run has experts but no values.
    let mut results = folder(1);
    results.runs.experts.push(DrawnExpert::default());
    results.runs.pruning.push(DrawnModel::default());
    let [delta, p1, p2] = [f64::NAN; 3];
    results.runs.trajectory.push(TrajectoryRow {
        delta: Some(delta),
        p1,
        p2,
        displacement: Some(delta),
        ..Default::default()
    });
    assert_eq!(figures(&results), []);
    for delta in [0.0, 1e-320, 1e308, -1e308, 1.0, -1.0] {
        let expert = DrawnExpert {
            delta: Some(delta),
            displacement: Some(delta.abs()),
            role: Role::Relevant,
            ..Default::default()
        };
        results.runs.experts = vec![expert];
        let drawn = figures(&results);
        assert_eq!(drawn.len(), 3, "{delta}");
        assert!(drawn.iter().all(|figure| !figure.svg.contains("NaN") && !figure.svg.contains("inf")), "{delta}");
    }
}

/// A cell of a map with 20 runs and the level 95 %.
fn cell(x: &str, y: &str, holds: u64) -> PhaseRow {
    PhaseRow {
        map: 1,
        claim: "T1c-Δᶜ".to_owned(),
        x_key: "pretrained.neuron_scale".to_owned(),
        x: x.to_owned(),
        y_key: if y.is_empty() { "" } else { "model.experts" }.to_owned(),
        y: y.to_owned(),
        on: On::All,
        runs: 20,
        holds,
        estimate: Some(holds as f64 / 20.0),
        ci_low: holds as f64 / 40.0,
        ci_high: 1.0,
        level: 0.95,
        state: if holds < 15 { "fails" } else { "open" }.to_owned(),
        ..Default::default()
    }
}

fn flip(y: &str, flip: Option<f64>, low: Option<f64>, high: Option<f64>) -> BoundaryRow {
    let PhaseRow { map, claim, x_key, y_key, y, level, .. } = cell("", y, 0);
    let direction = "falling".to_owned();
    BoundaryRow { map, claim, x_key, y_key, y, level, direction, flip, low, high, ..Default::default() }
}

fn phases(phase: Vec<PhaseRow>, boundary: Vec<BoundaryRow>) -> Results {
    Results { phase, boundary, ..folder(1) }
}

#[test]
fn a_map_has_its_cells_and_one_boundary() {
    let cells = vec![cell("1", "8", 20), cell("10", "8", 7), cell("1", "16", 20), cell("10", "16", 20)];
    let flips = vec![flip("8", Some(10_f64.sqrt()), Some(1.0), Some(10.0)), flip("16", None, None, None)];
    let results = phases(cells, flips);
    let view = &views(&results, "phase")[0];
    assert_eq!(
        (view.name.as_str(), view.title.as_str()),
        ("phase-1-T1c-Δᶜ", "T1c-Δᶜ holds up to s₀ = 3.16, in 1 of 2 rows")
    );
    let heat = view.heat.as_ref().expect("cells");
    let texts: Vec<&str> = heat.cells.iter().map(|cell| cell.text.as_str()).collect();
    assert_eq!(texts, ["100", "35−", "100", "100"]);
    // Half-way between the two values on a logarithmic scale.
    let [flip] = heat.boundary[..] else { panic!("one flip") };
    assert!((flip.at - 1.0).abs() < 1e-9 && flip.bracket == [0.5, 1.5], "{flip:?}");
    assert_eq!(heat.cells[1].row, ["10", "8", "35 %", "17.5 % … 100 %", "7 of 20", "fails"].map(str::to_owned));
}

#[test]
fn a_map_keeps_order_and_leaves_gaps() {
    // Numbers ascend, words stay as they come; a cell without runs is empty.
    let mut gap = cell("30", "8", 0);
    (gap.runs, gap.estimate) = (0, None);
    let results = phases(vec![cell("200", "8", 20), gap, cell("0.012345", "8", 3)], Vec::new());
    let view = &views(&results, "phase")[0];
    assert_eq!(view.heat.as_ref().expect("cells").xs, ["0.0123", "30", "200"]);
    assert!(view.notes.iter().any(|note| note == "Empty: no run judged."));
    // Steps are equal and distances are not, which the axis says.
    assert!(view.x.label.ends_with(" (not to scale)") && !view.y.label.ends_with(')'), "{:?}", view.x);
}

#[test]
fn claims_over_one_parameter_share_a_drawing() {
    let mut other = [cell("1", "", 20), cell("10", "", 20)];
    other.iter_mut().for_each(|cell| {
        cell.claim = "T1a".to_owned();
        cell.threshold = Some(0.1);
    });
    let [first, second] = other;
    let results =
        phases(vec![cell("1", "", 20), cell("10", "", 7), first, second], vec![flip("", Some(-3.0), None, Some(10.0))]);
    let view = &views(&results, "curves")[0];
    assert_eq!(view.name, "phase-1");
    let names: Vec<(&str, &str)> = view.groups.iter().map(|group| (group.name.as_str(), group.note.as_str())).collect();
    assert_eq!(names, [("T1c-Δᶜ", "holds up to −3.00 [open, 10.0]"), ("T1a, threshold 0.1", "")]);
    assert_eq!(view.title, "T1c-Δᶜ holds up to s₀ = −3.00");
    assert_eq!(view.groups[0].points.iter().map(|at| at.y).collect::<Vec<_>>(), [1.0, 0.35]);
}

#[test]
fn names_of_maps_are_new_and_safe() {
    let mut cells = vec![cell("1", "8", 20), cell("1", "8", 10), cell("1", "8", 5)];
    cells.iter_mut().for_each(|cell| cell.case = "a/b c".to_owned());
    let names: Vec<String> = figures(&phases(cells, Vec::new())).into_iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["phase-1-T1c-Δᶜ-a_b_c", "phase-1-T1c-Δᶜ-a_b_c-2", "phase-1-T1c-Δᶜ-a_b_c-3"]);
}

#[test]
fn maps_without_runs_are_not_drawn_and_odd_ones_do_no_harm() {
    for y in ["", "8"] {
        let empty = PhaseRow { estimate: None, runs: 0, ..cell("1", y, 0) };
        assert_eq!(figures(&phases(vec![empty], Vec::new())), []);
        let not_a_number = PhaseRow { estimate: Some(f64::NAN), ..cell("1", y, 0) };
        assert_eq!(figures(&phases(vec![not_a_number], Vec::new())), []);
        for x in ["0", "1e308", "-1", "word", "", "NaN"] {
            let flips = vec![flip(y, Some(0.0), Some(f64::INFINITY), None), flip(y, Some(f64::NAN), None, None)];
            assert_eq!(figures(&phases(vec![cell(x, y, 0)], flips)).len(), 1, "{x}");
        }
    }
}

/// A line over d of four points: |Δ| = D = 1/d, Δ = 1/4; the fits, and terms of which the leakage is below 0.
fn sweep() -> Results {
    let slope = |figure: &str, span: &str, method: &str, slope: Option<f64>| ScalingRow {
        case: "linear".to_owned(),
        figure: figure.to_owned(),
        span: span.to_owned(),
        method: method.to_owned(),
        points: if span == "all" { 4 } else { 3 },
        slope,
        ci_low: slope.map(|slope| slope - 0.1),
        ci_high: slope.map(|slope| slope + 0.1),
        reason: if slope.is_some() { "" } else { "zero" }.to_owned(),
        ..Default::default()
    };
    let mut results = folder(4);
    results.scaling = vec![
        slope("max |Δ|", "all", "median", Some(-1.0)),
        slope("max |Δ|", "all", "least-squares", Some(-7.0)),
        slope("drift", "all", "root-mean-square", None),
        slope("drift", "last-two-octaves", "root-mean-square", Some(-0.5)),
        slope("leakage", "all", "root-mean-square", None),
    ];
    for (point, patterns) in [64, 128, 256, 512].into_iter().enumerate() {
        let (case, square) = ("linear".to_owned(), 1.0 / patterns as f64);
        let (drift_squared, noise_squared, leakage_squared) = (square, square, -square);
        let row =
            TermRow { case, point, patterns, drift_squared, noise_squared, leakage_squared, ..Default::default() };
        results.terms.push(row);
        for (expert, role, delta) in [(0, Role::Relevant, 0.25), (1, Role::Irrelevant, -square)] {
            let displacement = Some(delta.abs());
            results.runs.experts.push(DrawnExpert {
                point,
                expert,
                role,
                delta: Some(delta),
                displacement,
                ..Default::default()
            });
        }
    }
    results
}

#[test]
fn scaling_shows_points_and_fits() {
    let results = sweep();
    let [view] = &views(&results, "scaling")[..] else { panic!("one line of points") };
    assert_eq!((view.name.as_str(), view.of.as_str()), ("scaling-linear", "linear"));
    assert_eq!(view.title, "Δ of irrelevant routers falls as d⁻¹·⁰⁰ [−1.10, −0.90]");
    let notes: Vec<(&str, &str)> = view.groups.iter().map(|group| (group.name.as_str(), group.note.as_str())).collect();
    assert!(notes.contains(&("max |Δ|", "slope −1.00 [−1.10, −0.90]")), "{notes:?}");
    assert!(notes.contains(&("r.m.s. drift", "slope −0.50 [−0.60, −0.40], last two octaves")), "{notes:?}");
    // The leakage is below 0 throughout.
    assert!(notes.contains(&("r.m.s. leakage", "no slope: 0 or less")), "{notes:?}");
    assert!(view.notes.iter().any(|note| note.starts_with("Not shown")));
    let falling = view.groups.iter().find(|group| group.name == "max |Δ|").map(values);
    assert_eq!(
        falling,
        Some([(64.0, 0.015625), (128.0, 0.0078125), (256.0, 0.00390625), (512.0, 0.001953125)].to_vec())
    );
}

#[test]
fn scaling_without_data_is_not_drawn_and_odd_values_do_no_harm() {
    let scaling = |results: &Results| views(results, "scaling").len();
    assert_eq!(scaling(&Results { scaling: Vec::new(), ..sweep() }), 0);
    let mut results = Results { terms: Vec::new(), ..sweep() };
    results.runs.experts.clear();
    assert_eq!(scaling(&results), 0);
    // Points that do not fit the line.
    let mut results = sweep();
    results.runs.points.remove(&0);
    assert_eq!(scaling(&results), 0);
    for delta in [0.0, 1e-320, 1e308, f64::INFINITY, f64::NAN] {
        let mut results = Results { terms: Vec::new(), ..sweep() };
        for row in &mut results.runs.experts {
            (row.delta, row.displacement) = (Some(delta), Some(delta));
        }
        assert_eq!(scaling(&results), usize::from(delta == 1e308), "{delta}");
        assert!(figures(&results).iter().all(|figure| !figure.svg.contains("NaN")));
    }
}

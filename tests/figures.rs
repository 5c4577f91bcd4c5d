//! Figures: there is data in them, they are well-formed, and the same rows give the same bytes.

use moe_theory::measure::Role;
use moe_theory::record::{BoundaryRow, PhaseRow, ScalingRow, TermRow, TrajectoryRow};
use moe_theory::report::SweptPoint;
use moe_theory::report::figures::{Figure, MAX_POINTS, figures, for_paper, phase_figures, png, scaling_figures};
use moe_theory::report::{DrawnExpert, DrawnModel};
use moe_theory::sim::On;

const ROLES: [Role; 4] = [Role::Relevant, Role::Misaligned, Role::Irrelevant, Role::Ambiguous];

fn rows(points: usize) -> (Vec<DrawnExpert>, Vec<DrawnModel>, Vec<TrajectoryRow>) {
    let (mut experts, mut pruning, mut trajectory) = (Vec::new(), Vec::new(), Vec::new());
    for (point, run) in (0..points).flat_map(|point| (0..3_u64).map(move |run| (point, run))) {
        for (expert, role) in ROLES.into_iter().enumerate() {
            let delta = [0.5, -0.02, 1e-7, 0.0][expert] * (1.0 + run as f64);
            let displacement = Some(delta.abs());
            experts.push(DrawnExpert {
                point,
                run,
                expert,
                sign: Some(1),
                role,
                delta: Some(delta),
                displacement,
                ..Default::default()
            });
            for iteration in 0..5 {
                let delta = delta * iteration as f64 / 4.0;
                trajectory.push(TrajectoryRow { point, run, iteration, expert, delta, ..Default::default() });
            }
        }
        for (kept, finetuned) in [(4, false), (3, false), (2, false), (2, true)] {
            pruning.push(DrawnModel {
                point,
                run,
                criterion: "a<b & c".into(),
                kept,
                ratio: 1.0 - kept as f64 / 4.0,
                finetuned,
                accuracy: Some(0.5 + 0.1 * kept as f64),
                ..Default::default()
            });
        }
    }
    (experts, pruning, trajectory)
}

fn drawn(points: usize) -> Vec<Figure> {
    let (experts, pruning, trajectory) = rows(points);
    figures(&experts, &pruning, &trajectory, |_| None).expect("figures are drawn")
}

fn count(figure: &Figure, element: &str) -> usize {
    figure.svg.matches(&format!("<{element} ")).count()
}

#[test]
fn each_figure_holds_its_data() {
    let drawn = drawn(1);
    let names: Vec<&str> = drawn.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names, ["norm-change", "displacement", "delta-displacement", "pruning", "trajectory", "proficiency"]);
    for figure in &drawn {
        assert!(figure.svg.starts_with("<svg ") && figure.svg.trim_end().ends_with("</svg>"), "{}", figure.name);
        assert!(count(figure, "circle") > 0, "{}", figure.name);
    }
    // One marker an expert and run, and one of each role in the legend.
    assert_eq!(count(&drawn[2], "circle"), 4);
    // Three runs: three circles of the one relevant expert, three squares and a box of the irrelevant one.
    for figure in &drawn[..2] {
        assert_eq!(count(figure, "circle"), 3, "{}", figure.name);
        assert!(count(figure, "rect") > 3, "{}", figure.name);
    }
    assert!(drawn[3].svg.contains("1 − 2/k = 0.500"));
    assert!(drawn[3].svg.contains("γ = 0.250"));
}

#[test]
fn a_part_of_the_runs_is_called_a_part() {
    let (experts, pruning, trajectory) = rows(2);
    let part = |point| (point == 1).then(|| "first 3 of 70 runs".to_owned());
    let drawn = figures(&experts, &pruning, &trajectory, part).expect("figures are drawn");
    for figure in &drawn {
        assert_eq!(figure.svg.contains("point 1, first 3 of 70 runs"), figure.name.ends_with("-1"), "{}", figure.name);
    }
    let (scaling, terms, points, experts) = sweep();
    let drawn = scaling_figures(&scaling, &terms, &points, &experts, Some("the first 3 of 70 runs"));
    assert!(drawn.expect("a figure is drawn")[0].svg.contains("first 3 of"));
}

#[test]
fn names_from_the_rows_are_escaped() {
    let pruning = &drawn(1)[3];
    assert!(pruning.svg.contains("a&lt;b &amp; c"));
    assert!(!pruning.svg.contains("a<b"));
}

#[test]
fn without_rows_there_are_no_figures() {
    assert_eq!(figures(&[], &[], &[], |_| None).expect("nothing to draw"), []);
    // A diverged run has experts but no values.
    let [delta, p1, p2] = [f64::NAN; 3];
    let (expert, trajectory) = (DrawnExpert::default(), TrajectoryRow { delta, p1, p2, ..Default::default() });
    assert_eq!(figures(&[expert], &[DrawnModel::default()], &[trajectory], |_| None).expect("nothing to draw"), []);
}

#[test]
fn extreme_values_are_drawn() {
    for delta in [0.0, 1e-320, 1e308, -1e308, 1.0, -1.0] {
        let expert = DrawnExpert { delta: Some(delta), displacement: Some(delta.abs()), ..Default::default() };
        assert_eq!(figures(&[expert], &[], &[], |_| None).expect("figures are drawn").len(), 3, "{delta}");
    }
}

#[test]
fn same_rows_give_same_bytes() {
    assert_eq!(drawn(2), drawn(2));
    let figure = &drawn(1)[0];
    assert_eq!(png(&figure.svg).expect("a PNG"), png(&figure.svg).expect("a PNG"));
}

#[test]
fn several_points_have_a_figure_each_up_to_a_limit() {
    let drawn = drawn(MAX_POINTS + 1);
    assert_eq!(drawn.len(), 6 * MAX_POINTS);
    assert_eq!(drawn[0].name, "norm-change-point-0");
    assert_eq!(drawn[6 * MAX_POINTS - 1].name, format!("proficiency-point-{}", MAX_POINTS - 1));
}

#[test]
fn png_has_its_signature_and_size_and_text() {
    for figure in drawn(1) {
        let bytes = png(&for_paper(&figure.svg)).expect("a PNG");
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let side = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        assert_eq!((side(16), side(20)), (2103, 1272));
        assert!((10_000..1_000_000).contains(&bytes.len()), "{}", bytes.len());
    }
    // The embedded font draws the text: without it both images would be empty and equal.
    let text = |word: &str| {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="99" height="30"><text y="20" font-family="sans-serif">{word}</text></svg>"#
        );
        png(&svg).expect("a PNG")
    };
    assert_ne!(text("ρ"), text("γ"));
}

#[test]
fn what_is_not_svg_is_refused() {
    assert!(png("no figure").is_err());
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
    let cell = cell("", y, 0);
    BoundaryRow {
        map: 1,
        claim: cell.claim,
        x_key: cell.x_key,
        y_key: cell.y_key,
        y: cell.y,
        level: cell.level,
        direction: "falling".to_owned(),
        flip,
        low,
        high,
        ..Default::default()
    }
}

fn heat_map() -> Figure {
    let cells = [cell("1", "8", 20), cell("10", "8", 7), cell("1", "16", 20), cell("10", "16", 20)];
    let flips = [flip("8", Some(10_f64.sqrt()), Some(1.0), Some(10.0)), flip("16", None, None, None)];
    let mut drawn = phase_figures(&cells, &flips).expect("a figure is drawn");
    assert_eq!(drawn.len(), 1);
    drawn.remove(0)
}

/// How many pieces of text are exactly this.
fn texts(figure: &Figure, text: &str) -> usize {
    figure
        .svg
        .split('<')
        .filter(|piece| piece.starts_with("text") && piece.split('>').next_back() == Some(text))
        .count()
        + figure.svg.lines().filter(|line| *line == text).count()
}

#[test]
fn a_heat_map_has_its_cells_axes_and_boundary() {
    let map = heat_map();
    assert_eq!(map.name, "phase-1-T1c-Δᶜ");
    assert_eq!((texts(&map, "100"), texts(&map, "35 −")), (3, 1));
    for text in ["neuron_scale s₀", "experts k", "level 95 %", "20 runs a cell", "1", "10", "8", "16"] {
        assert_eq!(texts(&map, text), 1, "{text}");
    }
    // The lightest and a darker colour, the flip half-way between the two values on a logarithmic scale, and the edges
    // of the one cell below the level.
    assert_eq!(map.svg.matches("#FFEA46").count(), 3 + 1, "{}", map.svg);
    assert!(map.svg.contains(r#"<circle cx="360""#));
    assert!(map.svg.contains("360,430 360,243"));
    assert!(map.svg.contains("360,243 620,243"));
    assert_eq!(heat_map(), map);
}

#[test]
fn a_heat_map_keeps_order_and_leaves_gaps() {
    // Numbers ascend, words stay as they come; a cell without runs is empty.
    let mut gap = cell("30", "8", 0);
    (gap.runs, gap.estimate) = (0, None);
    let cells = [cell("200", "8", 20), gap, cell("0.012345", "8", 3)];
    let drawn = phase_figures(&cells, &[]).expect("a figure is drawn");
    let place = |text: &str| drawn[0].svg.find(&format!("\n{text}\n")).expect("a label");
    assert!(place("0.0123") < place("30") && place("30") < place("200"));
    assert_eq!(texts(&drawn[0], "empty: no run judged"), 1);
}

#[test]
fn one_parameter_makes_a_panel_a_claim() {
    let mut other = [cell("1", "", 20), cell("10", "", 20)];
    other.iter_mut().for_each(|cell| {
        cell.claim = "T1a".to_owned();
        cell.threshold = Some(0.1);
    });
    let cells = [cell("1", "", 20), cell("10", "", 7), other[0].clone(), other[1].clone()];
    let flips = [flip("", Some(-3.0), None, Some(10.0))];
    let drawn = phase_figures(&cells, &flips).expect("a figure is drawn");
    assert_eq!(drawn.len(), 1);
    assert_eq!(drawn[0].name, "phase-1");
    assert_eq!(count(&drawn[0], "circle"), 4);
    for text in ["T1c-Δᶜ", "T1a, threshold 0.1", "up to −3 [?, 10]", "neuron_scale s₀"] {
        assert_eq!(texts(&drawn[0], text), 1, "{text}");
    }
    assert_eq!(texts(&drawn[0], "100 %"), 2);
}

#[test]
fn names_of_maps_are_new_and_safe() {
    let mut cells = vec![cell("1", "8", 20), cell("1", "8", 10), cell("1", "8", 5)];
    cells.iter_mut().for_each(|cell| cell.case = "a/b c".to_owned());
    let names: Vec<String> =
        phase_figures(&cells, &[]).expect("figures are drawn").into_iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["phase-1-T1c-Δᶜ-a_b_c", "phase-1-T1c-Δᶜ-a_b_c-2", "phase-1-T1c-Δᶜ-a_b_c-3"]);
}

#[test]
fn maps_without_runs_are_not_drawn_and_odd_ones_do_no_harm() {
    assert_eq!(phase_figures(&[], &[]).expect("nothing to draw"), []);
    for y in ["", "8"] {
        let empty = PhaseRow { estimate: None, runs: 0, ..cell("1", y, 0) };
        assert_eq!(phase_figures(&[empty], &[]).expect("nothing to draw"), []);
        let not_a_number = PhaseRow { estimate: Some(f64::NAN), ..cell("1", y, 0) };
        assert_eq!(phase_figures(&[not_a_number], &[]).expect("nothing to draw"), []);
        for x in ["0", "1e308", "-1", "word", "", "NaN"] {
            let flips = [flip(y, Some(0.0), Some(f64::INFINITY), None), flip(y, Some(f64::NAN), None, None)];
            assert_eq!(phase_figures(&[cell(x, y, 0)], &flips).expect("a figure is drawn").len(), 1, "{x}");
        }
    }
    // Too many cells for letters.
    let many: Vec<PhaseRow> =
        (0..4000).map(|place| cell(&(place % 40).to_string(), &(place / 40).to_string(), 20)).collect();
    let drawn = phase_figures(&many, &[]).expect("a figure is drawn");
    assert_eq!(texts(&drawn[0], "100"), 0);
}

/// A line over d of four points in a case: |Δ| = D = 1/d, Δ = 1/4; the fits, and terms of which the leakage is below 0.
fn sweep() -> (Vec<ScalingRow>, Vec<TermRow>, Vec<SweptPoint>, Vec<DrawnExpert>) {
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
    let scaling = vec![
        slope("max |Δ|", "all", "median", Some(-1.0)),
        slope("max |Δ|", "all", "least-squares", Some(-7.0)),
        slope("drift", "all", "root-mean-square", None),
        slope("drift", "last-two-octaves", "root-mean-square", Some(-0.5)),
        slope("leakage", "all", "root-mean-square", None),
    ];
    let (mut terms, mut points, mut experts) = (Vec::new(), Vec::new(), Vec::new());
    for (point, patterns) in [64, 128, 256, 512].into_iter().enumerate() {
        points.push(SweptPoint { point, case: "linear".to_owned(), patterns: Some(patterns) });
        let (case, square) = ("linear".to_owned(), 1.0 / patterns as f64);
        let (drift_squared, noise_squared, leakage_squared) = (square, square, -square);
        terms.push(TermRow {
            case,
            point,
            patterns,
            drift_squared,
            noise_squared,
            leakage_squared,
            ..Default::default()
        });
        for (expert, role, delta) in [(0, Role::Relevant, 0.25), (1, Role::Irrelevant, -square)] {
            let displacement = Some(delta.abs());
            experts.push(DrawnExpert { point, expert, role, delta: Some(delta), displacement, ..Default::default() });
        }
    }
    (scaling, terms, points, experts)
}

#[test]
fn scaling_shows_points_and_fits() {
    let (scaling, terms, points, experts) = sweep();
    let drawn = scaling_figures(&scaling, &terms, &points, &experts, None).expect("a figure is drawn");
    assert_eq!(drawn.len(), 1);
    assert_eq!(drawn[0].name, "scaling-linear");
    assert_eq!(count(&drawn[0], "circle"), 4 + 1);
    for text in ["64", "512", "max |Δ|", "−1.00 [−1.10, −0.90]", "−0.50 [−0.60, −0.40]", "in the last two octaves"]
    {
        assert_eq!(texts(&drawn[0], text), 1, "{text}");
    }
    // The leakage is below 0 throughout.
    for text in ["no slope: 0 or less", "Not shown: values that are", "slope −1/2, to compare"] {
        assert_eq!(texts(&drawn[0], text), 1, "{text}");
    }
    assert_eq!(scaling_figures(&scaling, &terms, &points, &experts, None).expect("a figure is drawn"), drawn);
}

#[test]
fn lines_of_a_case_are_told_apart() {
    let (scaling, _, points, experts) = sweep();
    // Two lines, d being the slower axis: points 0, 2, 4, 6 and 1, 3, 5, 7.
    let twice =
        |line: &str| scaling.iter().map(|row| ScalingRow { line: line.to_owned(), ..row.clone() }).collect::<Vec<_>>();
    let rows: Vec<ScalingRow> = [twice("training.batch = 2"), twice("training.batch = 8")].concat();
    let spread =
        |point: &SweptPoint| [0, 1].map(|other| SweptPoint { point: 2 * point.point + other, ..point.clone() });
    let points: Vec<SweptPoint> = points.iter().flat_map(spread).collect();
    // Only the second line has runs.
    let experts: Vec<DrawnExpert> =
        experts.iter().map(|row| DrawnExpert { point: 2 * row.point + 1, ..row.clone() }).collect::<Vec<_>>();
    let drawn = scaling_figures(&rows, &[], &points, &experts, None).expect("a figure is drawn");
    assert_eq!(drawn.len(), 1);
    assert_eq!(drawn[0].name, "scaling-linear-2");
    assert_eq!(texts(&drawn[0], "Changes of routers against d, case linear, training.batch = 8"), 1);
    assert_eq!(count(&drawn[0], "circle"), 4 + 1);
}

#[test]
fn scaling_without_data_is_not_drawn_and_odd_values_do_no_harm() {
    let (scaling, terms, points, experts) = sweep();
    assert_eq!(scaling_figures(&[], &terms, &points, &experts, None).expect("nothing to draw"), []);
    assert_eq!(scaling_figures(&scaling, &terms, &[], &experts, None).expect("nothing to draw"), []);
    assert_eq!(scaling_figures(&scaling, &[], &points, &[], None).expect("nothing to draw"), []);
    // Points that do not fit the line.
    assert_eq!(scaling_figures(&scaling, &terms, &points[1..], &experts, None).expect("nothing to draw"), []);
    for delta in [0.0, 1e-320, 1e308, f64::INFINITY, f64::NAN] {
        let experts: Vec<DrawnExpert> = experts
            .iter()
            .map(|row| DrawnExpert { delta: Some(delta), displacement: Some(delta), ..row.clone() })
            .collect();
        let drawn = scaling_figures(&scaling, &[], &points, &experts, None).expect("no failure");
        assert_eq!(drawn.len(), usize::from(delta == 1e308), "{delta}");
    }
}

//! Figures: there is data in them, they are well-formed, and the same rows give the same bytes.

use moe_theory::measure::Role;
use moe_theory::record::{ExpertRow, PruningRow, TrajectoryRow};
use moe_theory::report::figures::{Figure, MAX_POINTS, figures, png};

const ROLES: [Role; 4] = [Role::Relevant, Role::Misaligned, Role::Irrelevant, Role::Ambiguous];

fn rows(points: usize) -> (Vec<ExpertRow>, Vec<PruningRow>, Vec<TrajectoryRow>) {
    let (mut experts, mut pruning, mut trajectory) = (Vec::new(), Vec::new(), Vec::new());
    for (point, run) in (0..points).flat_map(|point| (0..3_u64).map(move |run| (point, run))) {
        for (expert, role) in ROLES.into_iter().enumerate() {
            let delta = [0.5, -0.02, 1e-7, 0.0][expert] * (1.0 + run as f64);
            let displacement = Some(delta.abs());
            experts.push(ExpertRow {
                point,
                run,
                expert,
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
            pruning.push(PruningRow {
                point,
                run,
                criterion: "a<b & c".to_owned(),
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
    figures(&experts, &pruning, &trajectory).expect("figures are drawn")
}

fn count(figure: &Figure, element: &str) -> usize {
    figure.svg.matches(&format!("<{element} ")).count()
}

#[test]
fn each_figure_holds_its_data() {
    let drawn = drawn(1);
    let names: Vec<&str> = drawn.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names, ["norm-change", "displacement", "pruning", "trajectory"]);
    for figure in &drawn {
        assert!(figure.svg.starts_with("<svg ") && figure.svg.trim_end().ends_with("</svg>"), "{}", figure.name);
        assert!(count(figure, "circle") > 0, "{}", figure.name);
    }
    // Three runs: three circles of the one relevant expert, three squares and a box of the irrelevant one.
    for figure in &drawn[..2] {
        assert_eq!(count(figure, "circle"), 3, "{}", figure.name);
        assert!(count(figure, "rect") > 3, "{}", figure.name);
    }
    assert!(drawn[2].svg.contains("1 − 2/k = 0.500"));
    assert!(drawn[2].svg.contains("γ = 0.250"));
}

#[test]
fn names_from_the_rows_are_escaped() {
    let pruning = &drawn(1)[2];
    assert!(pruning.svg.contains("a&lt;b &amp; c"));
    assert!(!pruning.svg.contains("a<b"));
}

#[test]
fn without_rows_there_are_no_figures() {
    assert_eq!(figures(&[], &[], &[]).expect("nothing to draw"), []);
    // A diverged run has experts but no values.
    let (expert, trajectory) = (ExpertRow::default(), TrajectoryRow { delta: f64::NAN, ..Default::default() });
    assert_eq!(figures(&[expert], &[PruningRow::default()], &[trajectory]).expect("nothing to draw"), []);
}

#[test]
fn extreme_values_are_drawn() {
    for delta in [0.0, 1e-320, 1e308, -1e308, 1.0, -1.0] {
        let expert = ExpertRow { delta: Some(delta), displacement: Some(delta.abs()), ..Default::default() };
        assert_eq!(figures(&[expert], &[], &[]).expect("figures are drawn").len(), 2, "{delta}");
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
    assert_eq!(drawn.len(), 4 * MAX_POINTS);
    assert_eq!(drawn[0].name, "norm-change-point-0");
    assert_eq!(drawn[4 * MAX_POINTS - 1].name, format!("trajectory-point-{}", MAX_POINTS - 1));
}

#[test]
fn png_has_its_signature_and_size_and_text() {
    for figure in drawn(1) {
        let bytes = png(&figure.svg).expect("a PNG");
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let side = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        assert_eq!((side(16), side(20)), (1720, 1040));
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

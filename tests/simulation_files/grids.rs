//! Grids: lists, ranges, the order of points, lines of points.

use crate::{accepted, refused, swept};
use moe_theory::sim::parameters::Basis;
use moe_theory::sim::{MOST_POINTS, Point, lines};
use proptest::prelude::*;

#[test]
fn a_grid_is_walked_with_its_last_key_fastest() {
    let (_, points) = accepted("[grid]\n\"data.patterns\" = [64, 128]\n\"training.router_rate\" = [0.1, 0.2]", &[]);
    assert_eq!(swept(&points, "patterns"), ["64", "64", "128", "128"]);
    assert_eq!(swept(&points, "router_rate"), ["0.1", "0.2", "0.1", "0.2"]);
    assert_eq!(points.iter().map(|point| point.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(points[3].parameters.training.router_rate, 0.2);
}

#[test]
fn ranges_have_exact_ends_and_clean_values_between_them() {
    let range = |text: &str| {
        let (_, points) = accepted(&format!("[grid]\n{text}"), &[]);
        points.iter().map(|point| point.swept[0].1.clone()).collect::<Vec<_>>()
    };
    let log = r#""data.patterns" = { from = 64, to = 1024, steps = 5, scale = "log" }"#;
    assert_eq!(range(log), ["64", "128", "256", "512", "1024"]);
    assert_eq!(
        range(r#""training.router_rate" = { from = 0.1, to = 0.5, steps = 5 }"#).join(" "),
        "0.1 0.2 0.3 0.4 0.5"
    );
    let falling = r#""training.router_rate" = { from = 1, to = 0.01, steps = 3, scale = "log" }"#;
    assert_eq!(range(falling), ["1", "0.1", "0.01"]);
}

#[test]
fn keys_of_every_kind_can_be_swept() {
    let text = r#"[grid]
"data.basis" = ["canonical", "haar"]
"data.replacement" = [true, false]
"training.batch" = ["patterns", 64]
"pruning.finetune_kept" = ["all", [4, 8], []]
"#;
    let (_, points) = accepted(text, &[]);
    assert_eq!(points.len(), 24);
    assert_eq!(points[12].parameters.data.basis, Basis::Haar);
    assert_eq!(swept(&points[..3], "finetune_kept"), ["all", "[4, 8]", "[]"]);
    assert_eq!(points[0].parameters.pruning.finetune_kept.numbers(3), [3, 2, 1]);
    assert_eq!(points[1].swept[2], ("batch".into(), "128".into()));
}

#[test]
fn fails_on_a_grid_that_cannot_be_read() {
    let shape = "must be a list of 1 to 100000 values";
    for (text, problem) in [
        ("\"data.patterns\" = [3]", "= 3: must be an integer from 4 to 65536".to_string()),
        ("\"data.patterns\" = 64", format!("= 64: {shape} or {{ from, to, steps, scale }}")),
        ("\"data.patterns\" = []", format!("= []: {shape} or {{ from, to, steps, scale }}")),
        (
            "\"data.patterns\" = [64, 64]",
            "= 64: must differ from 64 on the same axis: both are 64, so that points 0 and 1 have the same runs; integers \
             are rounded"
                .into(),
        ),
        (
            "\"data.patterns\" = { from = 20, to = 22, steps = 5 }",
            "= 21: must differ from 21 on the same axis: both are 21, so that points 1 and 2 have the same runs; integers \
             are rounded"
                .into(),
        ),
        ("\"data.patterns\" = { from = 1, to = 6, steps = 2 }", "= 1: must be an integer from 4 to 65536".into()),
    ] {
        assert_eq!(refused(&format!("[grid]\n{text}"), &[]), format!("sims/x.toml: grid: data.patterns {problem}"));
    }
    assert_eq!(
        refused("[grid]\n\"data.basis\" = { from = 1 }", &[]),
        format!("sims/x.toml: grid: data.basis = {{…}}: {shape}")
    );
    assert_eq!(
        refused("[grid]\n\"data.patterns\" = [64]\ndata.patterns = [32]", &[]),
        "sims/x.toml: data.patterns: is set twice"
    );
}

#[test]
fn fails_on_a_range_that_cannot_be_read() {
    for (range, problem) in [
        ("to = 6, steps = 2", "from is missing: must be a number"),
        ("from = 4, steps = 2", "to is missing: must be a number"),
        ("from = 4, to = 6", "steps is missing: must be an integer from 2 to 100000"),
        ("from = 4, to = 6, steps = 1", "steps = 1: must be an integer from 2 to 100000"),
        ("from = 4, to = 6, steps = 1e9", "steps = 1000000000.0: must be an integer from 2 to 100000"),
        ("from = 0, to = 6, steps = 2, scale = \"log\"", "from = 0: must be a number above 0 on a log scale"),
        ("from = nan, to = 6, steps = 2", "from = nan: must be a number"),
        ("from = 4, to = 6, steps = 2, scale = \"lin\"", "scale = \"lin\": must be one of \"linear\", \"log\""),
    ] {
        assert_eq!(
            refused(&format!("[grid]\n\"data.patterns\" = {{ {range} }}"), &[]),
            format!("sims/x.toml: grid: data.patterns: {problem}")
        );
    }
}

#[test]
fn fails_on_more_points_than_one_simulation_may_have() {
    let range = |key| format!("\"{key}\" = {{ from = 0.1, to = 1, steps = 1000 }}\n");
    let text = format!("[grid]\n{}{}", range("training.router_rate"), range("training.expert_rate"));
    assert_eq!(refused(&text, &[]), format!("sims/x.toml: the grid has 1000000 points: must be at most {MOST_POINTS}"));
}

#[test]
fn a_point_knows_its_place_on_every_axis() {
    let text = "[grid]\n\"data.patterns\" = [64, 128]\n\"training.batch\" = [\"patterns/4\", 8]\n\
                \"data.basis\" = [\"haar\", \"canonical\"]";
    let (_, points) = accepted(text, &[]);
    let places = |point: &Point| point.grid.iter().map(|value| value.place).collect::<Vec<_>>();
    assert_eq!(points.iter().map(places).collect::<Vec<_>>()[2..5], [[0, 1, 0], [0, 1, 1], [1, 0, 0]]);
    let shown: Vec<_> = points[4].grid.iter().map(|value| (value.path, value.text.as_str(), value.value)).collect();
    let batch = ("training.batch", "\"patterns/4\"", Some(32.0));
    assert_eq!(shown, [("data.patterns", "128", Some(128.0)), batch, ("data.basis", "haar", None)]);
    assert!(accepted("", &[]).1[0].grid.is_empty());
}

/// The numbers of the points of every line.
fn line_numbers(points: &[Point], axis: &str) -> Vec<Vec<usize>> {
    let all: Vec<&Point> = points.iter().collect();
    lines(&all, axis).iter().map(|line| line.iter().map(|point| point.index).collect()).collect()
}

#[test]
fn a_line_follows_one_axis_and_keeps_its_place_on_the_others() {
    let (_, points) =
        accepted("[grid]\n\"data.patterns\" = [128, 64, 96]\n\"training.batch\" = [\"patterns\", 8]", &[]);
    assert_eq!(line_numbers(&points, "data.patterns"), [[0, 2, 4], [1, 3, 5]]);
    assert_eq!(line_numbers(&points, "training.batch"), [[0, 1], [2, 3], [4, 5]]);
    assert!(line_numbers(&points, "data.noise").is_empty());
    // The order of the axis, whatever the order of the points; a point alone is no line.
    let some = [&points[4], &points[3], &points[0]];
    let found = lines(&some, "data.patterns");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].iter().map(|point| point.index).collect::<Vec<_>>(), [0, 4]);
}

/// A file with two cases, each with axes of its own of these lengths; 0: the key is not swept there.
fn two_cases(common: usize, own: [[usize; 2]; 2]) -> String {
    let list = |length: usize| (0..length).map(|value| (20 + 2 * value).to_string()).collect::<Vec<_>>().join(", ");
    let axis =
        |path: &str, length| if length > 0 { format!("\"{path}\" = [{}]\n", list(length)) } else { String::new() };
    let case = |name: &str, [patterns, batch]: [usize; 2]| {
        let axes = axis("data.patterns", patterns) + &axis("training.batch", batch);
        format!("[[case]]\nname = \"{name}\"\n[case.grid]\n{axes}")
    };
    format!("[grid]\n{}{}{}", axis("training.iterations", common), case("a", own[0]), case("b", own[1]))
}

proptest! {
    #[test]
    fn two_points_share_a_line_if_they_differ_on_its_axis_alone(
        common in 0..4usize,
        a in prop::array::uniform2(0..4usize),
        b in prop::array::uniform2(0..4usize),
        axis in prop::sample::select(vec!["data.patterns", "training.batch", "training.iterations"]),
    ) {
        let (_, points) = accepted(&two_cases(common, [a, b]), &[]);
        let product = |own: [usize; 2]| own.map(|length| length.max(1)).iter().product::<usize>();
        prop_assert_eq!(points.len(), common.max(1) * (product(a) + product(b)));
        prop_assert!(points.iter().enumerate().all(|(index, point)| point.index == index));
        let lines = line_numbers(&points, axis);
        let on_line = |index: usize| lines.iter().position(|line| line.contains(&index));
        let others = |point: &Point| {
            let rest = point.grid.iter().filter(|value| value.path != axis);
            (point.case.clone(), rest.map(|value| (value.path, value.place)).collect::<Vec<_>>())
        };
        let has = |point: &Point| point.grid.iter().any(|value| value.path == axis);
        for (first, second) in points.iter().flat_map(|first| points[first.index + 1..].iter().map(move |second| (first, second))) {
            let expected = has(first) && has(second) && others(first) == others(second);
            let together = on_line(first.index).is_some() && on_line(first.index) == on_line(second.index);
            prop_assert_eq!(together, expected, "{} {}", first.index, second.index);
        }
        prop_assert!(lines.iter().all(|line| line.len() > 1 && line.is_sorted()));
    }
}

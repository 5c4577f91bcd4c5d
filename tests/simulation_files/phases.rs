//! Maps of where claims hold: which claims, over which axes, at which points.

use crate::{accepted, refused};
use moe_theory::sim::{On, PhaseAxis, PhaseMap, RoleSource};

const GRID: &str = "[grid]\n\"data.patterns\" = [20, 24]\n\"training.batch\" = [8, 16, 32]\n";

/// A map of T2a in a file with this text before it.
fn map(before: &str, lines: &str) -> String {
    format!("{before}[[phase]]\nclaims = [{{ id = \"T2a\" }}]\n{lines}")
}

/// Case, axes and numbers of the points of a map.
type Shown = (Option<String>, &'static str, Option<PhaseAxis>, Vec<usize>);

/// What the maps of a file's only table show.
fn shown(text: &str) -> Vec<Shown> {
    let (simulation, points) = accepted(text, &[]);
    let show = |map: &PhaseMap| {
        (map.case.map(String::from), map.x, map.y, map.points.iter().map(|point| point.index).collect())
    };
    simulation.phases[0].maps(&points).iter().map(show).collect()
}

#[test]
fn a_map_has_claims_with_their_thresholds_and_defaults_of_its_own() {
    let text = format!(
        "{GRID}[pruning]\nfinetune_kept = [3]\n[[phase]]\nclaims = [{{ id = \"T1a\", threshold = 0.1 }}, {{ id = \"T1b\", \
         threshold = 1e6, level = 0.9 }}, {{ id = \"T1b\", threshold = 2 }}, {{ id = \"T1c-DeltaC\" }}, {{ id = \"T2b\", \
         threshold = 3 }}]\n[[phase]]\nclaims = [{{ id = \"T0\" }}]\non = \"met\"\nroles = \"measured\"\n[[claim]]\nid = \"T0\""
    );
    let (simulation, _) = accepted(&text, &[]);
    let [first, second] = &simulation.phases[..] else { panic!("two tables") };
    let claims: Vec<_> = first.claims.iter().map(|claim| (claim.id.name(), claim.threshold(), claim.level)).collect();
    let expected = [
        ("T1a", Some(0.1), 0.95),
        ("T1b", Some(1e6), 0.9),
        ("T1b", Some(2.0), 0.95),
        ("T1c-Δᶜ", None, 0.95),
        ("T2b", Some(3.0), 0.95),
    ];
    assert_eq!(claims, expected);
    assert!(first.claims.iter().all(|claim| (claim.on, claim.roles) == (On::All, RoleSource::Built)));
    assert!(first.claims.iter().all(|claim| claim.slope.is_none() && claim.expect.is_none()));
    assert_eq!((second.claims[0].on, second.claims[0].roles), (On::Met, RoleSource::Measured));
    assert_eq!(simulation.claims.len(), 1);
}

#[test]
fn axes_that_a_table_leaves_open_are_the_swept_keys_in_their_order() {
    let all = || (0..6).collect::<Vec<usize>>();
    let (patterns, batch) = ("data.patterns", "training.batch");
    let key = |path| Some(PhaseAxis::Key(path));
    for (lines, x, y) in [
        ("", patterns, batch),
        ("x = \"training.batch\"", batch, patterns),
        ("x = \"data.patterns\"", patterns, batch),
        ("y = \"data.patterns\"", batch, patterns),
        ("y = \"training.batch\"", patterns, batch),
        ("x = \"training.batch\"\ny = \"data.patterns\"", batch, patterns),
    ] {
        assert_eq!(shown(&map(GRID, lines)), [(None, x, key(y), all())], "{lines}");
    }
    let one = "[grid]\n\"data.noise\" = [0, 0.1]\n";
    assert_eq!(shown(&map(one, "")), [(None, "data.noise", None, vec![0, 1])]);
    assert_eq!(shown(&map(one, "y = \"ratio\"")), [(None, "data.noise", Some(PhaseAxis::Ratio), vec![0, 1])]);
    assert_eq!((PhaseAxis::Ratio.name(), PhaseAxis::Key(patterns).name()), ("ratio", patterns));
}

const CASES: &str = r#"
[grid]
"data.noise" = [0, 0.1]
[[case]]
name = "a"
grid = { "data.patterns" = [20, 24] }
[[case]]
name = "b"
[[case]]
name = "c"
grid = { "training.batch" = [8, 16] }
"#;

#[test]
fn every_case_has_a_map_unless_the_table_names_one() {
    let key = |path| Some(PhaseAxis::Key(path));
    let of = |case: &str, y, points: std::ops::Range<usize>| (Some(case.into()), "data.noise", y, points.collect());
    let maps = [of("a", key("data.patterns"), 0..4), of("b", None, 4..6), of("c", key("training.batch"), 6..10)];
    assert_eq!(shown(&map(CASES, "")), maps);
    assert_eq!(shown(&map(CASES, "case = \"c\"")), maps[2..]);
    let turned = shown(&map(CASES, "case = \"a\"\nx = \"data.patterns\""));
    assert_eq!(turned, [(Some("a".into()), "data.patterns", key("data.noise"), vec![0, 1, 2, 3])]);
}

#[test]
fn fails_on_axes_that_make_no_map() {
    let three = format!("{GRID}\"data.tokens\" = [5, 6]\n");
    let path = "must be the path of a swept key";
    let ratio = "[grid]\n\"data.noise\" = [0]\n[[phase]]\ny = \"ratio\"\nclaims = [{ id = \"T2a\" }, { id = \"T0\" }]";
    for (text, problem) in [
        (map("", ""), "phase 1: needs a key that is swept at its points".to_string()),
        (
            map(&three, ""),
            "phase 1: data.tokens is swept too, beside x = data.patterns and y = training.batch: a map has two axes".into(),
        ),
        (
            map(&three, "x = \"data.tokens\"\ny = \"training.batch\""),
            "phase 1: data.patterns is swept too, beside x = data.tokens and y = training.batch: a map has two axes".into(),
        ),
        (
            map(GRID, "y = \"ratio\""),
            "phase 1: training.batch is swept too, beside x = data.patterns and y = ratio: a map has two axes".into(),
        ),
        (
            map("[grid]\n\"data.noise\" = [0]\n", "y = \"data.noise\""),
            "phase 1: y = data.noise leaves no swept key for x".into(),
        ),
        (
            map(GRID, "x = \"data.tokens\""),
            "phase 1: x = \"data.tokens\": must be a key that is swept at the map's points: data.patterns, training.batch; \
             the nearest is data.patterns"
                .into(),
        ),
        (
            map(CASES, "y = \"training.batch\""),
            "phase 1: y = \"training.batch\": must be a key that is swept at the map's points: data.noise, \
             data.patterns; in case \"a\""
                .into(),
        ),
        (
            map(&format!("[grid]\n\"training.iterations\" = [1]\n{}", CASES.replace("[grid]\n", "")), ""),
            "phase 1: data.patterns is swept too, beside x = training.iterations and y = data.noise: a map has two \
             axes, in case \"a\""
                .into(),
        ),
        (map(GRID, "x = 3"), format!("phase 1: x = 3: {path}, such as \"data.patterns\"")),
        (
            map(GRID, "x = \"ratio\""),
            format!("phase 1: x = \"ratio\": {path}, such as \"data.patterns\""),
        ),
        (
            map(GRID, "y = \"paterns\""),
            format!(
                "phase 1: y = \"paterns\": {path} or \"ratio\", such as \"data.patterns\"; the nearest key is data.patterns"
            ),
        ),
        (
            map(GRID, "x = \"data.patterns\"\ny = \"data.patterns\""),
            "phase 1: y = \"data.patterns\": must be another key than x".into(),
        ),
        (ratio.into(), "phase 1: y = \"ratio\": claim T0 has no pruning ratio: only T2a has one".into()),
    ] {
        assert_eq!(refused(&text, &[]), format!("sims/x.toml: {problem}"), "{text}");
    }
}

#[test]
fn fails_on_mapped_claims_that_cannot_be_read() {
    let list = "must be a list of one or more claims { id, threshold, level }";
    let ids = "must be one of T0, T0x, T1a, T1b, T1c, T1c-D, T1c-Δᶜ, T2a, T2ax, T2b";
    let largest = "(C, which √d times the largest |norm change| of an irrelevant expert must not exceed)";
    for (claims, problem) in [
        ("[]", format!("claims = []: {list}")),
        ("\"T0\"", format!("claims = \"T0\": {list}")),
        ("[\"T0\"]", "claim 1 = \"T0\": must be a table".into()),
        ("[{ level = 0.9 }]", format!("claim 1: id is missing: {ids}")),
        ("[{ id = \"T1\" }]", format!("claim 1: id = \"T1\": {ids}; the nearest is T1a")),
        ("[{ id = \"T1d\" }]", format!("claim 1: id = \"T1d\": {ids}; claim T1d is no property of one run, so it has no map")),
        ("[{ id = \"S3\" }]", format!("claim 1: id = \"S3\": {ids}; claim S3 is no property of one run, so it has no map")),
        ("[{ id = \"T0\", threshold = 1 }]", "claim T0: threshold = 1: claim T0 takes no threshold".into()),
        (
            "[{ id = \"T1b\" }]",
            format!("claim T1b: threshold is missing: must be a number above 0 and at most 1000000 {largest}"),
        ),
        (
            "[{ id = \"T1b\", threshold = 2e6 }]",
            format!("claim T1b: threshold = 2000000.0: must be a number above 0 and at most 1000000 {largest}"),
        ),
        ("[{ id = \"T0\", level = 1 }]", "claim T0: level = 1: must be a number above 0.5 and below 1".into()),
        ("[{ id = \"T0\" }, { id = \"T0\" }]", "claim 2: T0 is already claim 1 of this table; change id".into()),
        (
            "[{ id = \"T1a\", threshold = 1 }, { id = \"T1a\", threshold = 1.0, level = 0.9 }]",
            "claim 2: T1a is already claim 1 of this table; change id or threshold".into(),
        ),
        (
            "[{ id = \"T2b\", threshold = 3 }]",
            "claim T2b: threshold = 3: must be less than 2, because pretrained.relevant_per_class = 1; at patterns = 20, \
             batch = 8"
                .into(),
        ),
    ] {
        let text = format!("[pretrained]\nrelevant_per_class = 1\n{GRID}[[phase]]\nclaims = {claims}");
        assert_eq!(refused(&text, &[]), format!("sims/x.toml: phase 1: {problem}"));
    }
    assert_eq!(
        refused(&format!("{GRID}[[phase]]\nclaims = [{{ id = \"T0\", slope = 1 }}]"), &[]),
        "sims/x.toml: unknown key slope in phase 1: claim 1"
    );
}

#[test]
fn fails_on_a_table_that_cannot_be_read() {
    for (lines, problem) in [
        ("", "claims is missing: must be a list of one or more claims { id, threshold, level }"),
        ("on = \"any\"", "on = \"any\": must be one of \"met\", \"all\""),
        ("roles = \"bilt\"", "roles = \"bilt\": must be one of \"measured\", \"built\""),
        ("case = \"a\"", "case = \"a\": the file has no [[case]]"),
    ] {
        assert_eq!(refused(&format!("{GRID}[[phase]]\n{lines}"), &[]), format!("sims/x.toml: phase 1: {problem}"));
    }
    let second = map(&map(CASES, ""), "case = \"bb\"");
    assert_eq!(refused(&second, &[]), "sims/x.toml: phase 2: case = \"bb\": there is no such case");
}

//! Claims with a slope part: its threshold, and the lines of points that it needs.

use crate::claims::{claim, refused_claim};
use crate::{accepted, refused};
use moe_theory::sim::CLAIM_KEYS;

#[test]
fn slopes_are_read_for_claims_that_have_one_alone() {
    for key in CLAIM_KEYS {
        if key.slope.is_none() {
            let expected = format!("sims/x.toml: claim {0}: slope = 1: claim {0} takes no slope", key.id);
            assert_eq!(refused_claim(key.id.name(), "slope = 1"), expected);
            continue;
        }
        assert_eq!(claim(key.id.name(), "slope = -1").slope, Some(-1.0));
        for wrong in ["10.5", "-11", "nan", "\"1\""] {
            let expected = format!("sims/x.toml: claim {}: slope = {wrong}: must be a number from -10 to 10", key.id);
            assert_eq!(refused_claim(key.id.name(), &format!("slope = {wrong}")), expected);
        }
    }
}

#[test]
fn claims_on_slopes_need_a_line_of_points() {
    let needs = |id: &str, found: &str| {
        let least = if id == "T1b" { 4 } else { 3 };
        format!(
            "sims/x.toml: claim {id}: needs a line of points with at least {least} values of data.patterns, alike in \
             every other swept key: {found}"
        )
    };
    let file =
        |id: &str, grid: &str| format!("[record]\nhalf_batches = true\n[grid]\n{grid}\n[[claim]]\nid = \"{id}\"\n");
    for (id, shorter, long_enough) in [("T1b", "20, 24, 28", "20, 24, 28, 32"), ("T1d", "20, 24", "20, 24, 28")] {
        let sweep = |values: &str| file(id, &format!("\"data.noise\" = [0, 1]\n\"data.patterns\" = [{values}]"));
        accepted(&sweep(long_enough), &[]);
        let longest = format!("the longest has {}", shorter.matches(',').count() + 1);
        assert_eq!(refused(&sweep(shorter), &[]), needs(id, &longest));
        assert_eq!(refused(&sweep(long_enough), &["data.patterns=64"]), needs(id, "there is none"));
        assert_eq!(refused(&file(id, "\"data.tokens\" = [8, 9, 10, 11]"), &[]), needs(id, "there is none"));
    }
}

const LINE_IN_ONE_CASE: &str = r#"
[[case]]
name = "point"
[[case]]
name = "line"
grid = { "data.patterns" = [20, 24, 28, 32] }
[[claim]]
id = "T1b"
"#;

#[test]
fn a_claim_on_slopes_needs_a_line_in_one_of_its_cases() {
    accepted(LINE_IN_ONE_CASE, &[]);
    accepted(&format!("{LINE_IN_ONE_CASE}case = \"line\""), &[]);
    let found = refused(&format!("{LINE_IN_ONE_CASE}case = \"point\""), &[]);
    assert!(found.starts_with("sims/x.toml: claim T1b: needs a line") && found.ends_with("there is none"), "{found}");
}

#[test]
fn claim_t1d_needs_half_batches_at_its_points() {
    let text = r#"
[grid]
"data.patterns" = [20, 24, 28]
[[case]]
name = "halves"
set = { "record.half_batches" = true }
[[case]]
name = "whole"
[[claim]]
id = "T1d"
"#;
    accepted(&format!("{text}case = \"halves\""), &[]);
    assert_eq!(
        refused(text, &[]),
        "sims/x.toml: record.half_batches = false: must be true, because claim T1d is judged here; at case \"whole\", \
         patterns = 20"
    );
}

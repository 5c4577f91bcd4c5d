//! Claims: constants, slopes, and what they need of their points.

use crate::{accepted, refused};
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::{CLAIM_KEYS, ClaimId, ClaimSpec, Constants, Verdict};

#[test]
fn a_claim_is_named_by_an_alias_and_given_once_for_each_role_and_case() {
    let text = r#"
[[case]]
name = "a"
[[claim]]
id = "T1c-DeltaC"
[[claim]]
id = "T1c-centred"
on = "all"
[[claim]]
id = "T1c-Δᶜ"
on = "all"
roles = "built"
case = "a"
level = 0.9
expect = "REFUTED"
"#;
    let (simulation, _) = accepted(text, &[]);
    assert!(simulation.claims.iter().all(|claim| claim.id == ClaimId::T1cCentred));
    assert!(simulation.claims[2].applies_to(Some("a")) && !simulation.claims[2].applies_to(Some("b")));
    assert!(simulation.claims[0].applies_to(None));
}

/// Lines that the claim cannot do without.
fn constants(id: &str) -> &'static str {
    match id {
        "T1a" | "T2b" => "threshold = 3\n",
        "S3" => "range = 0.5\nlambda = 0.02\n",
        "C1" | "C2" => "against = \"random\"\n",
        "Q1" | "Q3" => "threshold = 0.5\non = \"all\"\n",
        "Q2" | "Q4" => "on = \"all\"\n",
        _ => "",
    }
}

/// Settings at which every claim of the theory can be judged.
pub const JUDGED: [&str; 5] = [
    "pruning.finetune_kept=[3]",
    "pruning.criteria=[\"random\"]",
    "record.half_batches=true",
    "certificate.nodes=1",
    "data.patterns=[20, 24, 28, 32]",
];

/// Settings at which claims about rare features can be judged.
const RARE: [&str; 3] = ["data.features=2", "data.rare_share=0.1", "pruning.fewest_bits=true"];

fn judged(id: &str) -> &'static [&'static str] {
    if id.starts_with('Q') { &RARE } else { &JUDGED }
}

/// The claim of this name with these lines besides what it cannot do without.
pub fn claim(id: &str, lines: &str) -> ClaimSpec {
    let (simulation, _) = accepted(&format!("[[claim]]\nid = \"{id}\"\n{}{lines}", constants(id)), judged(id));
    simulation.claims[0].clone()
}

/// The message for the same.
pub fn refused_claim(id: &str, lines: &str) -> String {
    refused(&format!("[[claim]]\nid = \"{id}\"\n{}{lines}", constants(id)), judged(id))
}

#[test]
fn every_claim_id_is_read_and_has_the_slope_of_the_theory() {
    let read: Vec<(String, Option<f64>)> =
        CLAIM_KEYS.iter().map(|key| claim(key.id.name(), "")).map(|c| (c.id.to_string(), c.slope)).collect();
    let expected = [
        ("T0", None),
        ("T0x", None),
        ("T1a", Some(-0.1)),
        ("T1b", Some(-0.45)),
        ("T1c", None),
        ("T1c-D", None),
        ("T1c-Δᶜ", None),
        ("T1d", Some(-0.2)),
        ("T1d-λ", Some(-0.2)),
        ("T2a", None),
        ("T2ax", None),
        ("T2b", Some(0.1)),
        ("S3", None),
        ("C1", None),
        ("C2", None),
        ("Q1", None),
        ("Q2", None),
        ("Q3", None),
        ("Q4", None),
    ];
    assert_eq!(read, expected.map(|(id, slope)| (id.to_string(), slope)));
}

#[test]
fn range_and_lambda_belong_to_s3() {
    let s3 = claim("S3", "level = 0.9");
    assert_eq!((s3.constants, s3.level), (Constants::Range { range: 0.5, lambda: 0.02 }, 0.9));
    for key in CLAIM_KEYS.iter().filter(|key| key.id != ClaimId::S3) {
        for constant in ["range", "lambda"] {
            let expected = format!("sims/x.toml: claim {0}: {constant} = 1: claim {0} takes no {constant}", key.id);
            assert_eq!(refused_claim(key.id.name(), &format!("{constant} = 1")), expected);
        }
    }
    let range = "must be a number above 0 and at most 1000 (R, the bound on the activation ranges R_s)";
    let lambda = "must be a number from 0 to 1 (Λ, the bound on λ₁ and λ₂)";
    for (lines, problem) in [
        ("", format!("range is missing: {range}")),
        ("range = 1", format!("lambda is missing: {lambda}")),
        ("range = 0\nlambda = 0", format!("range = 0: {range}")),
        ("range = 1001\nlambda = 0", format!("range = 1001: {range}")),
        ("range = 1\nlambda = 1.1", format!("lambda = 1.1: {lambda}")),
        ("range = 1\nlambda = 1\nthreshold = 1", "threshold = 1: claim S3 takes no threshold".into()),
    ] {
        assert_eq!(
            refused(&format!("[[claim]]\nid = \"S3\"\n{lines}"), &[]),
            format!("sims/x.toml: claim S3: {problem}")
        );
    }
}

#[test]
fn constants_that_a_claim_lacks_are_not_written() {
    let keys = |id| match serde_json::to_value(claim(id, "")) {
        Ok(serde_json::Value::Object(fields)) => fields.keys().skip(7).cloned().collect::<Vec<_>>(),
        other => panic!("no object: {other:?}"),
    };
    assert_eq!(keys("T0"), [""; 0]);
    assert_eq!((keys("T1a"), keys("S3")), (vec!["slope".into()], vec!["range".into(), "lambda".into()]));
    for key in CLAIM_KEYS {
        let written = serde_json::to_string(&claim(key.id.name(), "")).unwrap_or_default();
        assert_eq!(serde_json::from_str::<ClaimSpec>(&written).ok(), Some(claim(key.id.name(), "")), "{written}");
    }
}

#[test]
fn one_claim_may_be_judged_with_two_thresholds_or_slopes() {
    let claims = |second: &str| {
        format!(
            "[[claim]]\nid = \"T1a\"\nthreshold = 0.1\n[[claim]]\nid = \"T1a\"\n{second}\nlevel = 0.9\nexpect = \"REFUTED\""
        )
    };
    assert_eq!(accepted(&claims("threshold = 0.2"), &[]).0.claims.len(), 2);
    assert_eq!(accepted(&claims("threshold = 0.1\nslope = 0"), &[]).0.claims.len(), 2);
    for second in ["threshold = 0.1", "threshold = 0.1\nslope = -0.1"] {
        assert_eq!(
            refused(&claims(second), &[]),
            "sims/x.toml: claim 2: T1a on met by measured roles is already claim 1; change id, case, on, roles, \
             threshold or slope"
        );
    }
    let twice = "[[claim]]\nid = \"T1b\"\n".repeat(2);
    let expected = "sims/x.toml: claim 2: T1b on met by measured roles is already claim 1; change id, case, on, roles \
                    or slope";
    assert_eq!(refused(&twice, &JUDGED), expected);
}

#[test]
fn verdicts_are_upper_case_words_for_people_and_files() {
    for (verdict, word) in
        [(Verdict::Supported, "SUPPORTED"), (Verdict::Refuted, "REFUTED"), (Verdict::Inconclusive, "INCONCLUSIVE")]
    {
        assert_eq!(verdict.to_string(), word);
        assert_eq!(serde_json::to_value(verdict).ok(), Some(word.into()));
        assert_eq!(serde_json::from_value(word.into()).ok(), Some(verdict));
    }
}

#[test]
fn fails_on_a_claim_that_cannot_be_read() {
    let ids = "must be one of T0, T0x, T1a, T1b, T1c, T1c-D, T1c-Δᶜ, T1d, T1d-λ, T2a, T2ax, T2b, S3, C1, C2, Q1, Q2, \
               Q3, Q4";
    let meaning = "c₁, which the smallest norm change of a relevant expert must reach";
    for (claim, problem) in [
        ("on = \"all\"", format!("claim 1: id is missing: {ids}")),
        ("id = 3", format!("claim 1: id = 3: {ids}")),
        ("id = \"T1q\"", format!("claim 1: id = \"T1q\": {ids}; the nearest is T1a")),
        ("id = \"T1c-Delta\"", format!("claim 1: id = \"T1c-Delta\": {ids}; the nearest is T1c-Δᶜ")),
        ("id = \"theorem\"", format!("claim 1: id = \"theorem\": {ids}")),
        (
            "id = \"T1a\"",
            format!("claim T1a: threshold is missing: must be a number above 0 and at most 1000 ({meaning})"),
        ),
        (
            "id = \"T1a\"\nthreshold = 0",
            format!("claim T1a: threshold = 0: must be a number above 0 and at most 1000 ({meaning})"),
        ),
        ("id = \"T0\"\nthreshold = 1", "claim T0: threshold = 1: claim T0 takes no threshold".into()),
        (
            "id = \"T1b\"\nthreshold = 1",
            "claim T1b: threshold = 1: claim T1b takes no threshold outside [[phase]]".into(),
        ),
        ("id = \"T1d\"\nthreshold = 1", "claim T1d: threshold = 1: claim T1d takes no threshold".into()),
        ("id = \"T0\"\nlevel = 0.5", "claim T0: level = 0.5: must be a number above 0.5 and below 1".into()),
        ("id = \"T0\"\nlevel = nan", "claim T0: level = nan: must be a number above 0.5 and below 1".into()),
        ("id = \"T0\"\non = \"some\"", "claim T0: on = \"some\": must be one of \"met\", \"all\"".into()),
        ("id = \"T0\"\nroles = 1", "claim T0: roles = 1: must be one of \"measured\", \"built\"".into()),
        (
            "id = \"T0\"\nexpect = \"supported\"",
            "claim T0: expect = \"supported\": must be one of \"SUPPORTED\", \"REFUTED\", \"INCONCLUSIVE\"".into(),
        ),
        ("id = \"T0\"\ncase = \"a\"", "claim T0: case = \"a\": the file has no [[case]]".into()),
    ] {
        assert_eq!(refused(&format!("[[claim]]\n{claim}"), &[]), format!("sims/x.toml: {problem}"));
    }
    assert_eq!(
        refused("[[case]]\nname = \"frozen\"\n[[claim]]\nid = \"T0\"\ncase = \"frosen\"", &[]),
        "sims/x.toml: claim T0: case = \"frosen\": there is no such case; the nearest is frozen"
    );
    assert_eq!(
        refused("[[claim]]\nid = \"T0\"\n[[claim]]\nid = \"T2a\"\n[[claim]]\nid = \"T0\"\nlevel = 0.9", &[]),
        "sims/x.toml: claim 3: T0 on met by measured roles is already claim 1; change id, case, on or roles"
    );
}

#[test]
fn fails_on_claim_t2b_without_the_measurements_that_it_needs() {
    let claim = |threshold| format!("[[claim]]\nid = \"T2b\"\nthreshold = {threshold}\n");
    let kept = "pruning.finetune_kept=[2, 8]";
    for (threshold, set, problem) in [
        (
            "4",
            vec![kept],
            "sims/x.toml: claim T2b: threshold = 4: must be less than 4, because pretrained.relevant_per_class = 2",
        ),
        (
            "1.5",
            vec![kept],
            "sims/x.toml: claim T2b: threshold = 1.5: must be an integer from 1 to 4096 (c, the number of experts kept that must suffice)",
        ),
        (
            "2",
            vec![],
            "sims/x.toml: pruning.finetune_kept = []: must hold a number of at least 2, because claim T2b has threshold = 2",
        ),
        (
            "3",
            vec!["pruning.finetune_kept=[2]"],
            "--set pruning.finetune_kept = [2]: must hold a number of at least 3, because claim T2b has threshold = 3",
        ),
        (
            "2",
            vec![kept, "pruning.finetune_iterations=0"],
            "--set pruning.finetune_iterations = 0: must be at least 1, because claim T2b has threshold = 2",
        ),
    ] {
        assert_eq!(refused(&claim(threshold), &set), problem);
    }
    accepted(&claim("2"), &["pruning.finetune_kept=all"]);
}

#[test]
fn claim_t2b_is_checked_at_the_points_of_its_case_alone() {
    let text = r#"
[pruning]
finetune_kept = [2]
[[case]]
name = "none"
set = { "pretrained.relevant_per_class" = 1 }
[[case]]
name = "two"
[[claim]]
id = "T2b"
threshold = 2
"#;
    accepted(&format!("{text}case = \"two\""), &[]);
    assert_eq!(
        refused(text, &[]),
        "sims/x.toml: claim T2b: threshold = 2: must be less than 2, because pretrained.relevant_per_class = 1; at case \
         \"none\""
    );
}

#[test]
fn a_comparison_needs_a_criterion_that_is_computed_and_another_one() {
    let refused = |lines: &str, set: &[&str]| refused(&format!("[[claim]]\nid = \"C1\"\n{lines}"), set);
    assert!(refused("", &[]).contains("claim C1: against is missing: must be one of \"router-norm-change\""));
    let unknown = refused("against = \"reep\"", &[]);
    assert!(unknown.contains("against = \"reep\"") && unknown.ends_with("the nearest is reap"), "{unknown}");
    let missing = refused("against = \"reap\"", &["pruning.criteria=[\"mass\"]"]);
    assert!(
        missing.contains("pruning.criteria = [mass]: must hold reap, because claim C1 compares with it"),
        "{missing}"
    );
    let itself = refused("against = \"reap\"", &["pruning.criteria=all", "pruning.criterion=reap"]);
    assert!(itself.contains("claim C1: against = reap: must differ from pruning.criterion"), "{itself}");
    assert!(refused("against = \"reap\"\nmargin = 2", &[]).contains("margin = 2: must be a number from 0 to 1"));
    let others = refused_claim("T0", "against = \"reap\"");
    assert!(others.contains("claim T0 takes no against"), "{others}");
    let two = "[[claim]]\nid = \"C1\"\nagainst = \"reap\"\n[[claim]]\nid = \"C1\"\nagainst = \"mass\"";
    let (simulation, points) = accepted(two, &["pruning.criteria=all"]);
    assert_eq!(simulation.claims[0].comparison().map(|asked| asked.margin), Some(0.01));
    assert_eq!(points[0].parameters.pruning.criteria.of(16).len(), Criterion::ALL.len());
    assert_eq!(points[0].parameters.pruning.criteria.of(18).len(), Criterion::ALL.len() - 1);
}

#[test]
fn claims_about_rare_features_need_them_and_the_bits() {
    let refused = |id: &str, set: &[&str]| {
        let lines = constants(id).replace("on = \"all\"\n", "");
        refused(&format!("[[claim]]\nid = \"{id}\"\non = \"all\"\n{lines}"), set)
    };
    let [features, share, bits] = RARE;
    assert!(refused("Q1", &[]).contains("data.features = 1: must be at least 2, because claim Q1"));
    for none in ["data.rare_share=0", "data.rare_share=1"] {
        assert!(refused("Q3", &[features, none, bits]).contains("must be above 0 and below 1, because claim Q3"));
    }
    let unmeasured = refused("Q2", &[features, share]);
    assert!(unmeasured.contains("pruning.fewest_bits = false: must be true, because claim Q2"), "{unmeasured}");
    let built = refused_claim("Q4", "roles = \"built\"");
    assert!(built.contains("roles = built: must be \"measured\""), "{built}");
    assert!(claim("Q1", "roles = \"built\"").threshold() == Some(0.5));
    assert!(refused_claim("Q3", "feature = \"rare\"").contains("claim Q3 takes no feature"));
    let compared =
        |lines: &str| crate::refused(&format!("[[claim]]\nid = \"C1\"\nagainst = \"random\"\n{lines}"), &JUDGED);
    assert!(compared("feature = \"seldom\"").contains("must be one of \"common\", \"rare\""));
    assert!(compared("feature = \"rare\"").contains("data.features = 1: must be at least 2, because claim C1"));
    // One claim on all samples, one on those of either kind.
    let of = |feature: &str| format!("[[claim]]\nid = \"C1\"\nagainst = \"random\"\non = \"all\"\n{feature}\n");
    let three = ["", "feature = \"common\"", "feature = \"rare\""].map(of).concat();
    accepted(&three, &[features, share, "pruning.criteria=[\"random\"]"]);
}

#[test]
fn criteria_removal_and_schedule_that_do_not_fit_are_refused() {
    let refused = |set: &[&str]| refused("", set);
    let oracle = refused(&["model.experts=32", "pruning.criteria=[\"oracle\"]"]);
    assert!(oracle.contains("pruning.criteria = oracle: needs model.experts of at most 16, and it is 32"), "{oracle}");
    let word = refused(&["pruning.criteria=[\"oracel\"]"]);
    assert!(word.contains("must be \"all\" or a list of \"router-norm-change\""), "{word}");
    let half_way = refused(&["pruning.schedule=half-way"]);
    assert!(half_way.contains("pruning.finetune_kept = []: must hold a number"), "{half_way}");
    let routed = ["model.routing=token-choice", "model.experts_per_token=2", "pruning.schedule=iterative"];
    let novices = refused(&[&routed[..], &["pruning.removal=novice"]].concat());
    assert!(
        novices.contains("pruning.removal = novice: must be zero-slot or drop, because pruning.schedule = iter"),
        "{novices}"
    );
    accepted("", &routed);
    let merged = refused(&["certificate.nodes=1", "pruning.removal=merge-nearest"]);
    assert!(merged.contains("certificate.nodes = 1: must be 0"), "{merged}");
}

//! Folders and files that another version, or somebody else, has made.

use crate::cli_common::{Bench, TINY};
use crate::made;
use moe_theory::record::journal::frame;
use moe_theory::record::manifest::sha256;

/// Characters that clear a screen, colour it, move the cursor, or turn a line round.
const HIDDEN: [(&str, char); 6] = [
    ("\\u001b", '\u{1b}'),
    ("\\u0007", '\u{7}'),
    ("\\u007f", '\u{7f}'),
    ("\\u009b", '\u{9b}'),
    ("\\u202e", '\u{202e}'),
    ("\\u2066", '\u{2066}'),
];

/// No character of [`HIDDEN`] is in a text.
fn is_clean(text: &str) -> bool {
    HIDDEN.iter().all(|(_, c)| !text.contains(*c))
}

#[test]
fn a_manifest_of_another_format_is_refused_by_every_reader() {
    let bench = made();
    bench.succeeds("run tiny.toml --shard 1/2 --out shards/1");
    bench.succeeds("run tiny.toml --shard 2/2 --out shards/2");
    for path in ["made/manifest.json", "shards/2/manifest.json"] {
        bench.tamper(path, "\"format\": 1", "\"format\": 2");
        // What the next format calls things, nobody knows.
        bench.tamper(path, "\"master_seed\": 0", "\"seed\": 0");
    }
    for (arguments, path) in [
        ("judge made", "made/manifest.json"),
        ("judge made --against tiny.toml", "made/manifest.json"),
        ("report made", "made/manifest.json"),
        ("criteria made", "made/manifest.json"),
        ("verify made", "made/manifest.json"),
        ("run tiny.toml --out made", "made/manifest.json"),
        ("run tiny.toml --out made --resume", "made/manifest.json"),
        ("merge shards --out new", "shards/2/manifest.json"),
        ("verify shards/2", "shards/2/manifest.json"),
    ] {
        assert_eq!(
            bench.refuses(arguments),
            format!(
                "{path}: format = 2: must be 1: another version of the program wrote it, and its files may mean \
                 something else"
            )
        );
    }
}

#[test]
fn a_journal_of_another_format_is_refused() {
    let bench = made();
    let manifest: serde_json::Value = serde_json::from_str(&bench.read("made/manifest.json")).expect("JSON");
    for (journal, format, problem) in
        [(2, 1, "journal = 2: must be 1: another version"), (1, 2, "format = 2: must be 1: another version")]
    {
        let mut manifest = manifest.clone();
        manifest["format"] = format.into();
        let header = serde_json::json!({ "journal": journal, "manifest": manifest, "news": 1 });
        let name = format!("next{journal}");
        bench.write(&format!("{name}/.partial/journal"), frame(header.to_string().as_bytes()).expect("a frame"));
        let line = bench.refuses(&format!("run tiny.toml --out {name} --resume"));
        assert!(line.starts_with(&format!("{name}/.partial/journal: ")) && line.contains(problem), "{line}");
    }
}

#[test]
fn report_refuses_what_judge_refuses_and_leaves_the_page_as_it_was() {
    let claims_hash = |manifest: &serde_json::Value| {
        sha256(&serde_json::to_vec(&(&manifest["claims"], &manifest["phases"])).expect("JSON"))
    };
    type Change<'a> = &'a dyn Fn(&mut serde_json::Value);
    let changes: [(Change, &str); 7] = [
        (&|manifest| manifest["claims"][1]["threshold"] = 0.05.into(), "the claims have changed since the run"),
        (&|manifest| manifest["claims"][0]["level"] = 0.5.into(), "the claims have changed since the run"),
        (
            &|manifest| {
                manifest["claims"][0]["level"] = 0.5.into();
                manifest["claims_sha256"] = claims_hash(manifest).into();
            },
            "not what its simulation says: claim T0 is ",
        ),
        (
            &|manifest| {
                let text = manifest["simulation"].as_str().expect("a text").replace("seeds = 6", "seeds = 7");
                manifest["simulation"] = text.into();
            },
            "the simulation text has changed since the run",
        ),
        (&|manifest| manifest["aims"] = "Proves everything".into(), "not what its simulation says: aims is "),
        (&|manifest| manifest["name"] = "other".into(), "not what its simulation says: name is "),
        (&|manifest| manifest["files_sha256"] = serde_json::json!({}), "has no SHA-256 of runs.csv"),
    ];
    let bench = made();
    let text = bench.read("made/manifest.json");
    for (change, problem) in changes {
        let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        change(&mut manifest);
        bench.write("made/manifest.json", manifest.to_string());
        let line = bench.refuses("report made");
        assert!(line.starts_with(&format!("made/manifest.json: {problem}")), "{line}");
        assert_eq!(bench.refuses("judge made"), line);
        bench.write("made/manifest.json", &text);
    }
    for table in ["runs.csv", "experts.csv", "trajectory.csv", "pruning.csv", "claims.csv"] {
        let path = format!("made/{table}");
        let whole = bench.read(&path);
        bench.write(&path, whole.replacen("0,", "1,", 1));
        assert_eq!(
            bench.refuses("report made"),
            format!("{path}: changed since the run (its SHA-256 is not the manifest's)")
        );
        bench.write(&path, whole);
    }
    bench.succeeds("report made");
}

#[test]
fn a_simulation_file_has_no_text_that_can_not_be_shown() {
    let bench = Bench::new();
    for (written, c) in HIDDEN.into_iter().chain([("\\n", '\n'), ("\\r", '\r'), ("\\t", '\t')]) {
        let shown = c.escape_default();
        for (from, to, key) in [
            ("aims = \"", format!("aims = \"x{written}[2J"), "aims"),
            ("name = \"", format!("name = \"x{written}"), "name"),
            ("id = \"T1a", format!("roles_or = \"a{written}\"\nid = \"T1a"), "claim 2: roles_or"),
            ("batch = 20", format!("batch = [\"1{written}\"]"), "training: batch 1"),
        ] {
            bench.write("bad.toml", TINY.replacen(from, &to, 1));
            let line = bench.refuses("run bad.toml --out made");
            assert!(line.starts_with(&format!("bad.toml: {key} = \"")), "{line}");
            assert!(line.contains(&shown.to_string()), "{line}");
            assert!(line.ends_with(": must be one line without control characters"), "{line}");
        }
    }
    // What TOML itself refuses of these, it refuses with line and column too.
    for (_, c) in HIDDEN {
        bench.write("bad.toml", format!("{TINY}# a comment {c}\n"));
        let line = bench.refuses("run bad.toml --out made");
        let number = TINY.lines().count() + 1;
        assert!(line.starts_with(&format!("bad.toml:{number}:")) && is_clean(&line), "{line:?}");
    }
    bench.write("good.toml", TINY.replace('\n', "\r\n").replacen("Every", "Every γ, Δᶜ and 漢", 1));
    bench.succeeds("run good.toml --out good");
}

#[test]
fn an_argument_that_can_not_be_shown_is_refused() {
    let bench = Bench::new();
    for (_, c) in HIDDEN.into_iter().chain([("", '\n')]) {
        for arguments in [
            vec!["run".to_owned(), "tiny.toml".to_owned(), "--out".to_owned(), format!("a{c}b")],
            vec!["run".to_owned(), "tiny.toml".to_owned(), "--set".to_owned(), format!("training.batch=20#{c}")],
            vec!["explain".to_owned(), format!("T2a{c}")],
            vec![format!("--{c}")],
        ] {
            let before = bench.files();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let done = bench.simulate_with(&arguments);
            assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{arguments:?}");
            assert!(done.stderr.starts_with("simulate: argument \""), "{done:?}");
            assert!(done.stderr.ends_with(": must be one line without control characters\n"), "{done:?}");
            assert!(is_clean(&done.stderr) && done.stderr.matches('\n').count() == 1, "{done:?}");
            assert!(bench.files() == before);
        }
    }
}

#[test]
fn texts_of_a_folder_reach_neither_terminal_nor_page_as_control_characters() {
    let bench = made();
    let text = bench.read("made/manifest.json");
    for (written, c) in HIDDEN {
        for key in ["version", "revision", "generator", "engine", "aims", "name"] {
            let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            manifest[key] = format!("x{c}[2Jy").into();
            bench.write("made/manifest.json", manifest.to_string().replace(c, written));
            for verb in ["judge", "report", "criteria", "verify", "run tiny.toml --out"] {
                let line = bench.refuses(&format!("{verb} made"));
                assert!(line.starts_with(&format!("made/manifest.json: {key} = \"x\\u{{")), "{line}");
            }
        }
        bench.write("made/manifest.json", &text);
        for (table, from) in
            [("runs.csv", ",finished,"), ("pruning.csv", ",router-norm-change,"), ("claims.csv", ",built,")]
        {
            let path = format!("made/{table}");
            let whole = bench.read(&path);
            bench.tamper(&path, from, &format!(",x{c},"));
            let (old, new) = (sha256(whole.as_bytes()), sha256(bench.read(&path).as_bytes()));
            bench.tamper("made/manifest.json", &old, &new);
            let line = bench.refuses("report made");
            assert!(line.starts_with(&format!("{path}: ")) && is_clean(&line), "{line:?}");
            assert!(line.ends_with("a cell must be one line without control characters"), "{line:?}");
            for verb in ["judge", "verify"] {
                let done = bench.simulate(&format!("{verb} made"));
                assert!(done.status != Some(0) && is_clean(&done.stdout) && is_clean(&done.stderr), "{done:?}");
            }
            bench.write(&path, whole);
            bench.write("made/manifest.json", &text);
        }
        // A file that nobody has hashed: shown, but harmless.
        bench.write("made/falsify-T0.toml", format!("# a{c}b\nname = \"x\"\n"));
        bench.succeeds("report made");
        let page = bench.read("made/report.html");
        assert!(is_clean(&page) && page.contains(&format!("# a{}b\nname", c.escape_default())));
        std::fs::remove_file(bench.path("made/falsify-T0.toml")).expect("a file");
    }
}

//! What the program depends on: from crates.io alone, under licences that are allowed, and each with a reason.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

/// The words of the list `allow` in deny.toml.
fn allowed() -> BTreeSet<String> {
    let table: toml::Table = read("deny.toml").parse().expect("TOML");
    let words = table["licenses"]["allow"].as_array().expect("a list");
    words.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

/// Whether one of the alternatives consists of allowed licences: `A OR B`, `(A OR B) AND C`, `A/B`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let normal = expression.replace('/', " OR ").replace(" or ", " OR ");
    let all = normal.split(" AND ").map(|part| part.trim().trim_matches(['(', ')']).to_owned());
    all.into_iter()
        .all(|part| part.split(" OR ").any(|licence| allowed.contains(licence.trim().trim_matches(['(', ')']))))
}

#[test]
fn everything_comes_from_crates_io_under_an_allowed_licence() {
    let (metadata, allowed) = (metadata(), allowed());
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100);
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        match package["source"].as_str() {
            None => assert!(["moe-pruning-theory", "proofs-check"].contains(&name), "{name}"),
            Some(source) => assert_eq!(source, "registry+https://github.com/rust-lang/crates.io-index", "{name}"),
        }
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence, &allowed), "{name}: {licence}");
    }
    assert!(!is_allowed("GPL-3.0", &allowed) && !is_allowed("MIT AND GPL-3.0", &allowed) && !is_allowed("", &allowed));
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let metadata = metadata();
    let document = read("docs/change/dependencies.md");
    let packages = metadata["packages"].as_array().expect("packages");
    let own = packages.iter().filter(|package| package["source"].is_null());
    let direct: BTreeSet<&str> = own
        .flat_map(|package| package["dependencies"].as_array().expect("dependencies"))
        .map(|dependency| dependency["name"].as_str().expect("a name"))
        .filter(|name| *name != "moe-pruning-theory")
        .collect();
    let listed = |name: &&&str| document.contains(&format!("`{name}`"));
    let missing: Vec<&&str> = direct.iter().filter(|name| !listed(name)).collect();
    assert!(missing.is_empty(), "not in docs/change/dependencies.md: {missing:?}");
    assert!(direct.contains("anyhow") && direct.contains("proptest"), "{direct:?}");
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let table: toml::Table = read("Cargo.toml").parse().expect("TOML");
    assert_eq!(table["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for manifest in ["Cargo.toml", "proofs-check/Cargo.toml"] {
        let table: toml::Table = read(manifest).parse().expect("TOML");
        assert_eq!(table["lints"]["workspace"].as_bool(), Some(true), "{manifest}");
    }
}

//! Tables of the documents are those that the program prints.

use crate::cli_common::Bench;

/// The pages of the book that hold tables.
const DOCUMENTS: [(&str, &str); 8] = [
    ("keys.md", include_str!("../../docs/reference/keys.md")),
    ("columns.md", include_str!("../../docs/reference/columns.md")),
    ("claims.md", include_str!("../../docs/reference/claims.md")),
    ("assumptions.md", include_str!("../../docs/reference/assumptions.md")),
    ("criteria.md", include_str!("../../docs/reference/criteria.md")),
    ("systems.md", include_str!("../../docs/reference/systems.md")),
    ("simulations.md", include_str!("../../docs/reference/simulations.md")),
    ("symbols.md", include_str!("../../docs/reference/symbols.md")),
];

const KINDS: [&str; 8] = ["keys", "columns", "claims", "assumptions", "criteria", "systems", "simulations", "symbols"];

/// The parts between comments of a text that name this kind.
fn tables<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let command = format!(": `simulate explain --markdown {kind}` -->");
    let blocks =
        text.split("<!-- ").filter(|block| block.lines().next().is_some_and(|first| first.ends_with(&command)));
    blocks.map(str::trim_end).collect()
}

#[test]
fn documents_hold_every_table_as_it_is_printed() {
    let bench = Bench::new();
    for kind in KINDS {
        let printed = bench.succeeds(&format!("explain --markdown {kind}"));
        let printed = tables(&printed, kind);
        let of_document = |(_, text): &(&str, &'static str)| tables(text, kind);
        let held: Vec<&str> = DOCUMENTS.iter().flat_map(of_document).collect();
        assert_eq!(
            held, printed,
            "{kind}: `simulate explain --markdown {kind}` prints what a page must hold; docs/refresh.py --write writes it"
        );
        assert!(!printed.is_empty());
        assert!(printed.iter().all(|table| table.lines().count() > 4), "{kind}");
    }
}

#[test]
fn every_generated_table_ends_and_is_of_a_known_kind() {
    for (name, text) in DOCUMENTS {
        let all = text.matches(": `simulate explain --markdown ").count();
        let known: usize = KINDS.iter().map(|kind| tables(text, kind).len()).sum();
        assert_eq!(all, known, "{name}");
        assert_eq!(text.matches("<!-- end -->").count(), known, "{name}");
    }
}

//! Tables of the documents are those that the program prints.

use crate::cli_common::Bench;

/// The tables that the documents hold, by the document.
const DOCUMENTS: [(&str, &str); 4] = [
    ("FORMAT.md", include_str!("../../FORMAT.md")),
    ("METHODOLOGY.md", include_str!("../../METHODOLOGY.md")),
    ("CLAIMS.md", include_str!("../../CLAIMS.md")),
    ("CRITERIA.md", include_str!("../../CRITERIA.md")),
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
        assert_eq!(held, printed, "{kind}: `simulate explain --markdown {kind}` prints what a document must hold");
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

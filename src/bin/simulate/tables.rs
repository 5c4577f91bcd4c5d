//! Tables of the documents, printed from what they are about. A document holds a table between two comments, of which the
//! first names it and the command that prints it.

use crate::explain::thresholds;
use crate::glossary::WORDS;
use crate::output;
use clap::ValueEnum;
use moe_theory::claims::assumptions::Assumption;
use moe_theory::claims::catalogue::{DEFINITIONS, Definition};
use moe_theory::record::columns::{self, Column, shown};
use moe_theory::sim::parameters::{Criterion, System};
use moe_theory::sim::{CLAIM_KEYS, ConstantRule, KEYS, Key, Kind, Overrides, SHIPPED, Simulation};
use std::io::Write;

/// What tables there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tables {
    /// The keys of a simulation file
    Keys,
    /// The columns of every CSV file
    Columns,
    /// The claims
    Claims,
    /// The assumptions of claims
    Assumptions,
    /// The criteria
    Criteria,
    /// The systems
    Systems,
    /// The shipped simulations
    Simulations,
    /// The symbols
    Symbols,
}

/// One table.
struct Table {
    /// What it shows.
    of: String,
    heads: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

/// Prints tables as the documents hold them.
pub fn markdown(tables: Tables) -> std::io::Result<()> {
    let mut out = output::stdout();
    let command = tables.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    for table in tables.all() {
        writeln!(out, "<!-- {}: `simulate explain --markdown {command}` -->\n", table.of)?;
        writeln!(out, "| {} |\n|{}", table.heads.join(" | "), "---|".repeat(table.heads.len()))?;
        for row in table.rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        writeln!(out, "\n<!-- end -->\n")?;
    }
    Ok(())
}

impl Tables {
    fn all(self) -> Vec<Table> {
        let one = |of: &str, heads, rows| vec![Table { of: of.to_owned(), heads, rows }];
        match self {
            Tables::Keys => one("keys", &["key", "symbol", "legal", "default", "meaning"], keys()),
            Tables::Columns => columns::by_file().iter().map(|columns| of_file(columns)).collect(),
            Tables::Claims => {
                let heads = &["id", "says", "holds in a run if", "constants", "assumes", "from"];
                one("claims", heads, claims())
            }
            Tables::Assumptions => {
                one("assumptions", &["id", "met if", "default threshold", "assumed by"], assumptions())
            }
            Tables::Criteria => one("criteria", &["criterion", "score", "needs", "from"], criteria()),
            Tables::Systems => {
                let heads = &["system", "what it is", "keys that it reads", "removals", "lost of the theory's setting"];
                one("systems", heads, systems())
            }
            Tables::Simulations => one("simulations", &["simulation", "aims"], simulations()),
            Tables::Symbols => one("symbols", &["symbol", "meaning", "key or column"], symbols()),
        }
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

/// The text, or that there is none.
fn or_dash(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}

fn keys() -> Vec<Vec<String>> {
    let row = |key: &Key| {
        let default = match key.kind {
            Kind::Flag => code(key.default),
            // A word, or an expression.
            _ if key.default.starts_with(|first: char| first.is_ascii_alphabetic()) => quoted(key.default),
            _ if key.default.contains('(') => quoted(key.default),
            _ => code(key.default),
        };
        vec![code(key.path), or_dash(key.symbol.to_owned()), legal(key.kind), default, key.doc.to_owned()]
    };
    KEYS.iter().map(row).collect()
}

/// What a key of this kind may be.
fn legal(kind: Kind) -> String {
    match kind {
        Kind::Choice(words) if words == Criterion::NAMES => "a criterion".to_owned(),
        Kind::WordList(words) if words == Criterion::NAMES => "`\"all\"` or a list of criteria".to_owned(),
        Kind::Choice(words) => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "),
        Kind::WordOrPath(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("{}, or a path", words.join(", "))
        }
        _ => kind.legal().trim_start_matches("must be ").replace("\"all\"", "`\"all\"`"),
    }
}

/// A text of a simulation file, with its quotes.
fn quoted(text: &str) -> String {
    code(&format!("\"{text}\""))
}

/// The columns of a file. Columns side by side of which the same is said share a line.
fn of_file(columns: &[Column]) -> Table {
    let said = |column: &Column| (column.kind, column.meaning, column.empty);
    let row = |alike: &[Column]| {
        let values = match alike[0].kind {
            columns::Kind::Word(words) => codes(shown(words)),
            kind => kind.in_words(),
        };
        let names = codes(alike.iter().map(|column| column.name));
        vec![names, values, alike[0].meaning.to_owned(), alike[0].empty.to_owned()]
    };
    Table {
        of: format!("columns of {}", columns[0].file),
        heads: &["column", "values", "meaning", "empty"],
        rows: columns.chunk_by(|a, b| said(a) == said(b)).map(row).collect(),
    }
}

fn claims() -> Vec<Vec<String>> {
    let row = |(place, claim): (usize, &Definition)| {
        let key = &CLAIM_KEYS[place];
        let constants = match key.constants {
            ConstantRule::Threshold { meaning, .. } => format!("`threshold`: {meaning}"),
            ConstantRule::Range => "`range`, `lambda`".to_owned(),
            ConstantRule::Comparison => "`against`, `margin`, `ratio`, `feature`".to_owned(),
            ConstantRule::None => String::new(),
        };
        let slope = key.slope.map(|slope| format!("`slope` {slope}"));
        let constants: Vec<String> = Some(constants).filter(|text| !text.is_empty()).into_iter().chain(slope).collect();
        let assumed: Vec<&str> = claim.assumptions.iter().map(|assumption| assumption.name()).collect();
        vec![
            claim.id.to_string(),
            claim.statement.to_owned(),
            claim.holds_if.to_owned(),
            or_dash(constants.join("; ")),
            or_dash(assumed.join(", ")),
            claim.source.to_owned(),
        ]
    };
    DEFINITIONS.iter().enumerate().map(row).collect()
}

fn assumptions() -> Vec<Vec<String>> {
    let row = |assumption: Assumption| {
        let thresholds: Vec<String> =
            thresholds(assumption).map(|key| format!("`{}` {}", key.path, key.default)).collect();
        let claims = DEFINITIONS.iter().filter(|claim| claim.assumptions.contains(&assumption));
        let claims: Vec<&str> = claims.map(|claim| claim.id.name()).collect();
        vec![
            assumption.name().to_owned(),
            assumption.statement().to_owned(),
            or_dash(thresholds.join(", ")),
            claims.join(", "),
        ]
    };
    Assumption::ALL.into_iter().map(row).collect()
}

fn criteria() -> Vec<Vec<String>> {
    let row = |criterion: &Criterion| {
        let importance = criterion.importance();
        let first = if importance.is_descending() { " (largest first)" } else { "" };
        let needs: Vec<&str> = importance.needs().iter().map(|need| need.word()).collect();
        let source = importance.source();
        vec![
            format!("`{}`{first}", criterion.name()),
            criterion.formula().to_owned(),
            or_dash(needs.join(", ")),
            format!("[{}] {}", source.tag, source.text),
        ]
    };
    Criterion::ALL.iter().map(row).collect()
}

fn systems() -> Vec<Vec<String>> {
    let row = |system: &System| {
        let traits = system.traits();
        let keys = codes(traits.keys.iter().copied());
        vec![
            code(system.name()),
            system.meaning().to_owned(),
            if keys.is_empty() { "all".to_owned() } else { keys },
            codes(traits.removals().map(|removal| removal.name())),
            or_dash(traits.loses.iter().map(|property| property.name()).collect::<Vec<_>>().join(", ")),
        ]
    };
    System::ALL.iter().map(row).collect()
}

fn simulations() -> Vec<Vec<String>> {
    let aims = |text, file| Simulation::parse(file, text, &Overrides::default()).map(|simulation| simulation.aims);
    SHIPPED.iter().map(|own| vec![code(own.name), aims(own.text, own.file).unwrap_or_default()]).collect()
}

/// The letters of the theory: those of the glossary, then those of keys.
fn symbols() -> Vec<Vec<String>> {
    let is_symbol = |name: &&str| name.chars().count() == 1 || !name.is_ascii();
    let of_words = WORDS.iter().filter(|word| is_symbol(&word.names[0])).map(|word| {
        let symbols: Vec<&str> = word.names.iter().copied().filter(is_symbol).collect();
        let column = if word.column.is_empty() { String::new() } else { code(word.column) };
        vec![symbols.join(", "), word.meaning.to_owned(), or_dash(column)]
    });
    let of_keys = KEYS.iter().filter(|key| !key.symbol.is_empty());
    of_words.chain(of_keys.map(|key| vec![key.symbol.to_owned(), key.doc.to_owned(), code(key.path)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_the_glossary_are_there() {
        let columns: Vec<String> =
            columns::all().iter().map(|column| format!("{}:{}", column.file, column.name)).collect();
        for word in WORDS.iter().filter(|word| !word.column.is_empty()) {
            assert!(columns.iter().any(|column| column == word.column), "{}", word.column);
        }
    }
}

//! Checks the lemmas on random runs of both engines and prints a table; exit code 1 if one is violated.

use anyhow::Result;
use clap::Parser;
use proofs_check::lemmas::SlackOf;
use proofs_check::suite::{Row, check_runs};
use std::io::Write;
use std::process::ExitCode;

/// Checks the lemmas on training runs of random legal configurations, with both engines.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Number of configurations, and of tiny ones beside them.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    runs: u64,
    /// Which family of configurations.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let rows = check_runs(arguments.runs, arguments.seed)?;
    write_table(&mut std::io::stdout().lock(), &rows)?;
    let violated = rows.iter().any(|row| row.tally.violations > 0);
    Ok(if violated { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// At most 80 columns wide, but for the description of a violation.
fn write_table(out: &mut impl Write, rows: &[Row]) -> std::io::Result<()> {
    writeln!(out, "{:<34}{:<8}{:>6}{:>12}{:>9}  verdict", "lemma", "engine", "runs", "comparisons", "slack")?;
    for row in rows {
        let name = format!("{} {}", row.lemma.id, row.lemma.name);
        let slack = match row.lemma.slack_of {
            SlackOf::Tolerance => format!("{} t", short(row.tally.worst_equality)),
            SlackOf::Bound => format!("{} b", short(row.tally.worst_bound)),
            SlackOf::None => "-".into(),
        };
        let (engine, verdict) = (row.engine.word(), row.verdict());
        writeln!(out, "{name:<34}{engine:<8}{:>6}{:>12}{slack:>9}  {verdict}", row.runs, row.tally.comparisons)?;
    }
    writeln!(out, "slack: largest share used, t: of the tolerance for rounding, b: of the bound.")?;
    for row in rows {
        if let Some(first) = &row.tally.first {
            let (id, engine, count) = (row.lemma.id, row.engine.word(), row.tally.violations);
            writeln!(out, "{id} {engine}: {count} violations, the first: {first}")?;
        }
    }
    Ok(())
}

fn short(share: f64) -> String {
    if share > 0.0 && share < 1e-3 { format!("{share:.0e}") } else { format!("{share:.3}") }
}

//! `simulate list` and `simulate explain`.

use crate::failure::Failure;
use crate::load::hint;
use crate::output;
use moe_theory::claims::assumptions::Assumption;
use moe_theory::claims::catalogue::{DEFINITIONS, Definition, definition};
use moe_theory::claims::lemmas::LEMMAS;
use moe_theory::record::columns::{self, Column};
use moe_theory::report::WIDTH;
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::{ConstantRule, KEYS, Key, Overrides, SHIPPED, Shipped, Simulation};
use std::io::Write;

/// Prints what there is.
pub fn list() -> Result<(), Failure> {
    let mut out = output::stdout();
    writeln!(out, "Simulations (simulate run NAME)")?;
    for shipped in SHIPPED {
        let aims = Simulation::parse(shipped.file, shipped.text, &Overrides::default()).map(|parsed| parsed.aims);
        line(&mut out, shipped.name, &aims.unwrap_or_default())?;
    }
    writeln!(out, "\nClaims")?;
    for claim in &DEFINITIONS {
        line(&mut out, claim.id.name(), claim.statement)?;
    }
    writeln!(out, "\nAssumptions")?;
    for assumption in Assumption::ALL {
        line(&mut out, assumption.name(), assumption.statement())?;
    }
    writeln!(out, "\nLemmas")?;
    for lemma in LEMMAS {
        line(&mut out, lemma.id, lemma.statement)?;
    }
    writeln!(out, "\nCriteria")?;
    for criterion in Criterion::ALL {
        line(&mut out, criterion.name(), criterion.importance().formula())?;
    }
    writeln!(out, "\nKeys of a simulation file")?;
    for key in KEYS {
        line(&mut out, key.path, key.doc)?;
    }
    writeln!(out, "\nColumns of the result files")?;
    let columns = columns::all();
    for file in columns.chunk_by(|a, b| a.file == b.file) {
        let names: Vec<&str> = file.iter().map(|column| column.name.as_str()).collect();
        line(&mut out, &file[0].file, &names.join(", "))?;
    }
    writeln!(out, "\n`simulate explain NAME` tells more of each; a column is also FILE:COLUMN.")?;
    Ok(())
}

/// A name and its meaning, wrapped to the terminal's width.
fn line(out: &mut impl Write, name: &str, meaning: &str) -> std::io::Result<()> {
    const COLUMN: usize = 38;
    let gap = if name.chars().count() < 20 { 22 } else { COLUMN };
    let padded = format!("  {name:<width$}", width = gap - 2);
    let indent = " ".repeat(gap);
    let options = textwrap::Options::new(WIDTH).initial_indent(&padded).subsequent_indent(&indent);
    writeln!(out, "{}", textwrap::fill(meaning, options))
}

/// Prints all there is to say of one name.
pub fn explain(id: &str) -> Result<(), Failure> {
    let mut out = output::stdout();
    if let Some(claim) = definition(id) {
        explain_claim(&mut out, claim)?;
    } else if let Some(assumption) = Assumption::ALL.iter().find(|assumption| assumption.name() == id) {
        explain_assumption(&mut out, *assumption)?;
    } else if let Some(lemma) = LEMMAS.iter().find(|lemma| lemma.id == id) {
        paragraph(&mut out, &format!("{}: {}", lemma.id, lemma.statement))?;
        line(&mut out, "checked", &format!("on real trajectories by `{}`", lemma.checked_by))?;
        line(&mut out, "source", "METHODOLOGY.md, Lemmas: statement, proof, scope")?;
    } else if let Some(criterion) = Criterion::ALL.iter().find(|criterion| criterion.name() == id) {
        explain_criterion(&mut out, *criterion)?;
    } else if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.name == id) {
        explain_simulation(&mut out, shipped)?;
    } else if let Some(key) = find_key(id) {
        explain_key(&mut out, key)?;
        explain_columns(&mut out, &columns::find(id))?;
    } else if columns::all().iter().any(|column| column.file == id) {
        let columns: Vec<Column> = columns::all().into_iter().filter(|column| column.file == id).collect();
        explain_file(&mut out, id, &columns)?;
    } else if !columns::find(id).is_empty() {
        explain_columns(&mut out, &columns::find(id))?;
    } else {
        let known = names();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(Failure::Usage(format!(
            "{id}: no simulation, claim, assumption, lemma, criterion, key or column{}; `simulate list` shows all",
            hint(id, &known)
        )));
    }
    Ok(())
}

fn names() -> Vec<String> {
    let simulations = SHIPPED.iter().map(|shipped| shipped.name);
    let claims = DEFINITIONS.iter().map(|claim| claim.id.name());
    let assumptions = Assumption::ALL.iter().map(|assumption| assumption.name());
    let lemmas = LEMMAS.iter().map(|lemma| lemma.id);
    let criteria = Criterion::NAMES.iter().copied();
    let keys = KEYS.iter().map(|key| key.path);
    let names = simulations.chain(claims).chain(assumptions).chain(lemmas).chain(criteria).chain(keys);
    names.map(str::to_owned).chain(columns::all().into_iter().map(|column| column.name)).collect()
}

fn find_key(id: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == id || key.path.rsplit('.').next() == Some(id))
}

fn paragraph(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    writeln!(out, "{}", textwrap::fill(text, WIDTH))
}

fn explain_claim(out: &mut impl Write, claim: &Definition) -> std::io::Result<()> {
    paragraph(out, &format!("{}: {}.", claim.id, claim.statement))?;
    writeln!(out)?;
    line(out, "holds in a run if", claim.holds_if)?;
    if let ConstantRule::Threshold { meaning, kind } = claim.id.key().constants {
        line(out, "threshold", &format!("{meaning}; {}; no default", kind.legal()))?;
    }
    for part in claim.slopes {
        line(out, part.name, &part.in_words())?;
    }
    let assumptions: Vec<&str> = claim.assumptions.iter().map(|assumption| assumption.name()).collect();
    let assumptions = if assumptions.is_empty() { "nothing".to_owned() } else { assumptions.join(", ") };
    line(out, "assumes", &assumptions)?;
    line(out, "decision", &decision(claim))?;
    line(out, "runs", "on = \"met\": runs that meet the assumptions; on = \"all\": every run.")?;
    line(out, "source", claim.source)
}

/// How the verdict on a claim follows from its runs, by the tests that this claim has.
fn decision(claim: &Definition) -> String {
    let mut rules = Vec::new();
    // The rule of a comparison is a part of its definition.
    if claim.judges_probabilities() {
        rules.push(
            "SUPPORTED if the exact binomial test rejects that it holds in a run with a probability of at most 0.95 \
             (`level`), REFUTED if it rejects that it holds with at least that probability.",
        );
    }
    if !claim.slopes.is_empty() {
        rules.push(
            "Slopes: SUPPORTED if a t test rejects that the slope lies beyond its threshold (`slope`), REFUTED if it \
             rejects that it lies within; standard errors by a cluster bootstrap.",
        );
    }
    rules.push(
        "INCONCLUSIVE otherwise. Holm's correction at 0.05 over both tests of every part of every claim of the \
         simulation.",
    );
    rules.join(" ")
}

fn explain_assumption(out: &mut impl Write, assumption: Assumption) -> std::io::Result<()> {
    paragraph(out, &format!("{}: {}.", assumption.name(), assumption.statement()))?;
    let claims: Vec<&str> = DEFINITIONS
        .iter()
        .filter(|claim| claim.assumptions.contains(&assumption))
        .map(|claim| claim.id.name())
        .collect();
    line(out, "assumed by", &claims.join(", "))?;
    let threshold =
        |key: &&Key| matches!(key.section(), "assumptions" | "roles") && assumption.statement().contains(key.name());
    for key in KEYS.iter().filter(threshold) {
        let (legal, default) = (key.legal(), key.default);
        line(out, "threshold", &format!("{} = {default}, {}", key.path, legal.trim_start_matches("must be ")))?;
    }
    line(out, "source", "ours; METHODOLOGY.md, Assumptions")
}

fn explain_criterion(out: &mut impl Write, criterion: Criterion) -> std::io::Result<()> {
    let importance = criterion.importance();
    paragraph(out, &format!("{}: {}.", criterion.name(), importance.formula()))?;
    let needs: Vec<&str> = importance.needs().iter().map(|need| need.word()).collect();
    line(out, "needs", if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") }.as_str())?;
    let first = match (criterion.is_set(), importance.is_descending()) {
        (true, _) => "what is not in the set for that number of experts",
        (false, true) => "the largest score",
        (false, false) => "the smallest score",
    };
    line(out, "goes first", first)?;
    if criterion.most_experts() < usize::MAX {
        line(out, "experts", &format!("at most {}", criterion.most_experts()))?;
    }
    if criterion.is_moved_by_gauge() {
        line(
            out,
            "token choice",
            "a vector added to all routers changes this score, but nothing that the model does (lemma L12)",
        )?;
    }
    let source = importance.source();
    let known = match source.tag {
        'P' => "the authors' text or code was read",
        'S' => "abstract or secondary notes only",
        _ => "our reconstruction, or ours",
    };
    line(out, "source", &format!("{} [{}: {known}]", source.text, source.tag))
}

fn explain_key(out: &mut impl Write, key: &Key) -> std::io::Result<()> {
    paragraph(out, &format!("{} ({}): {}", key.path, key.symbol, key.doc))?;
    line(out, "legal", key.legal().trim_start_matches("must be "))?;
    line(out, "default", key.default)?;
    line(out, "source", key.source)
}

/// The columns of a file, each in one line.
fn explain_file(out: &mut impl Write, file: &str, columns: &[Column]) -> std::io::Result<()> {
    paragraph(out, &format!("{file}: {} columns", columns.len()))?;
    columns.iter().try_for_each(|column| line(out, &column.name, &column.meaning))
}

/// A column, in each file that has one of this name.
fn explain_columns(out: &mut impl Write, columns: &[Column]) -> std::io::Result<()> {
    for column in columns {
        paragraph(out, &format!("{} ({}): {}", column.name, column.file, column.meaning))?;
        line(out, "values", column.range())?;
        line(out, "empty", &column.empty)?;
        line(out, "source", "FORMAT.md; METHODOLOGY.md says what the quantities mean")?;
    }
    Ok(())
}

fn explain_simulation(out: &mut impl Write, shipped: &Shipped) -> std::io::Result<()> {
    writeln!(out, "# {}, embedded in the program", shipped.file)?;
    write!(out, "{}", shipped.text)
}

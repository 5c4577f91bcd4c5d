//! `simulate list` and `simulate explain`.

use crate::failure::Failure;
use crate::glossary::{self, WORDS, Word, folded};
use crate::kind::Kind;
use crate::load::hint;
use crate::output;
use clap::ValueEnum;
use moe_theory::claims::assumptions::Assumption;
use moe_theory::claims::catalogue::{DEFINITIONS, Definition};
use moe_theory::claims::lemmas::{LEMMAS, Lemma};
use moe_theory::language::Known;
use moe_theory::record::columns::{self, Column};
use moe_theory::report::WIDTH;
use moe_theory::sim::parameters::Criterion;
use moe_theory::sim::{CLAIM_KEYS, ConstantRule, KEYS, Key, Overrides, SHIPPED, Shipped, Simulation};
use std::io::Write;

impl Kind {
    /// Names with their meanings.
    fn entries(self) -> Vec<(String, String)> {
        let entry = |name: &str, meaning: &str| (name.to_owned(), meaning.to_owned());
        match self {
            Kind::Simulations => {
                let aims = |shipped: &Shipped| {
                    Simulation::parse(shipped.file, shipped.text, &Overrides::default()).map(|parsed| parsed.aims)
                };
                SHIPPED.iter().map(|shipped| entry(shipped.name, &aims(shipped).unwrap_or_default())).collect()
            }
            Kind::Claims => DEFINITIONS.iter().map(|claim| entry(claim.id.name(), claim.statement)).collect(),
            Kind::Assumptions => {
                Assumption::ALL.iter().map(|assumption| entry(assumption.name(), assumption.statement())).collect()
            }
            Kind::Lemmas => LEMMAS.iter().map(|lemma| entry(lemma.id, lemma.statement)).collect(),
            Kind::Criteria => {
                Criterion::ALL.iter().map(|criterion| entry(criterion.name(), criterion.formula())).collect()
            }
            Kind::Words => WORDS.iter().map(|word| entry(word.names[0], word.meaning)).collect(),
            Kind::Keys => KEYS.iter().map(|key| entry(key.path, key.doc)).collect(),
            Kind::Columns => {
                let names = |file: &[Column]| file.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
                columns::by_file().iter().map(|file| entry(file[0].file, &names(file))).collect()
            }
        }
    }
}

/// Prints what there is, of one kind or of all.
pub fn list(kind: Option<Kind>) -> Result<(), Failure> {
    let mut out = output::stdout();
    let kinds = kind.as_ref().map_or(Kind::value_variants(), std::slice::from_ref);
    for (place, kind) in kinds.iter().enumerate() {
        writeln!(out, "{}{}", if place > 0 { "\n" } else { "" }, kind.title())?;
        for (name, meaning) in kind.entries() {
            line(&mut out, &name, &meaning)?;
        }
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

/// What a name can stand for.
enum Topic {
    Claim(&'static Definition),
    Assumption(Assumption),
    Lemma(&'static Lemma),
    Criterion(Criterion),
    Simulation(&'static Shipped),
    /// A word, the keys that have it as name, symbol, section or legal value, and the columns of that name.
    Word(Option<&'static Word>, Vec<&'static Key>, Vec<Column>),
    /// The columns of a file.
    File(&'static str, Vec<Column>),
}

impl Topic {
    /// What this name stands for as it is written, or else whatever the case of its letters and the height of its digits.
    fn find(id: &str) -> Option<Self> {
        Self::find_by(&|name| name == id).or_else(|| {
            let wanted = folded(id);
            Self::find_by(&|name| folded(name) == wanted)
        })
    }

    fn find_by(is_it: &dyn Fn(&str) -> bool) -> Option<Self> {
        if let Some(claim) = CLAIM_KEYS
            .iter()
            .find(|key| is_it(key.id.name()) || key.aliases.iter().any(|alias| is_it(alias)))
            .map(|key| Definition::of(key.id))
        {
            return Some(Topic::Claim(claim));
        }
        if let Some(assumption) = Assumption::ALL.into_iter().find(|assumption| is_it(assumption.name())) {
            return Some(Topic::Assumption(assumption));
        }
        if let Some(lemma) = LEMMAS.iter().find(|lemma| is_it(lemma.id)) {
            return Some(Topic::Lemma(lemma));
        }
        if let Some(criterion) = Criterion::ALL.iter().find(|criterion| is_it(criterion.name())) {
            return Some(Topic::Criterion(*criterion));
        }
        if let Some(shipped) = SHIPPED.iter().find(|shipped| is_it(shipped.name)) {
            return Some(Topic::Simulation(shipped));
        }
        let columns = columns::all();
        let of_file: Vec<Column> = columns.iter().filter(|column| is_it(column.file)).copied().collect();
        if let Some(first) = of_file.first() {
            return Some(Topic::File(first.file, of_file));
        }
        let qualified = |column: &Column| format!("{}:{}", column.file, column.name);
        let columns: Vec<Column> =
            columns.into_iter().filter(|column| is_it(column.name) || is_it(&qualified(column))).collect();
        let named = |key: &&Key| is_it(key.path) || is_it(key.name()) || (!key.symbol.is_empty() && is_it(key.symbol));
        let keys: Vec<&Key> = KEYS.iter().filter(named).collect();
        let keys = if keys.is_empty() { KEYS.iter().filter(|key| is_it(key.section())).collect() } else { keys };
        let takes = |key: &&Key| key.words().iter().any(|word| is_it(word));
        let keys = if keys.is_empty() { KEYS.iter().filter(takes).collect() } else { keys };
        let word = glossary::find(is_it);
        (word.is_some() || !keys.is_empty() || !columns.is_empty()).then_some(Topic::Word(word, keys, columns))
    }
}

/// Prints all there is to say of one name.
pub fn explain(id: &str) -> Result<(), Failure> {
    let mut out = output::stdout();
    match Topic::find(id) {
        Some(Topic::Claim(claim)) => explain_claim(&mut out, claim)?,
        Some(Topic::Assumption(assumption)) => explain_assumption(&mut out, assumption)?,
        Some(Topic::Lemma(lemma)) => explain_lemma(&mut out, lemma)?,
        Some(Topic::Criterion(criterion)) => explain_criterion(&mut out, criterion)?,
        Some(Topic::Simulation(shipped)) => explain_simulation(&mut out, shipped)?,
        Some(Topic::File(file, columns)) => explain_file(&mut out, file, &columns)?,
        Some(Topic::Word(word, keys, columns)) => {
            if let Some(word) = word {
                explain_word(&mut out, word)?;
            }
            match keys.as_slice() {
                [] => {}
                [key] => explain_key(&mut out, key)?,
                several => {
                    paragraph(&mut out, &format!("{id}: {} keys of a simulation file", several.len()))?;
                    several.iter().try_for_each(|key| line(&mut out, key.path, key.doc))?;
                }
            }
            explain_columns(&mut out, &columns)?;
        }
        None => {
            let known = names();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(Failure::Usage(format!(
                "{id}: no simulation, claim, assumption, lemma, criterion, word, key or column{}; `simulate list` shows all",
                hint(id, &known)
            )));
        }
    }
    Ok(())
}

/// Whether there is anything to say of a name.
#[cfg(test)]
pub fn is_known(id: &str) -> bool {
    Topic::find(id).is_some()
}

/// Every name that is listed, and every column.
fn names() -> Vec<String> {
    let kinds = Kind::value_variants().iter().flat_map(|kind| kind.entries()).map(|(name, _)| name);
    kinds.chain(columns::all().into_iter().map(|column| column.name.to_owned())).collect()
}

fn explain_word(out: &mut impl Write, word: &Word) -> std::io::Result<()> {
    let also = match word.names {
        [_] | [] => String::new(),
        [_, others @ ..] => format!(" ({})", others.join(", ")),
    };
    paragraph(out, &format!("{}{also}: {}", word.names[0], word.meaning))?;
    if !word.column.is_empty() {
        line(out, "column", word.column)?;
    }
    line(out, "source", word.source)
}

fn explain_lemma(out: &mut impl Write, lemma: &Lemma) -> std::io::Result<()> {
    paragraph(out, &format!("{}: {}", lemma.id, lemma.statement))?;
    line(out, "checked", &format!("on real trajectories by `{}`", lemma.checked_by))?;
    line(out, "source", &format!("{}: statement, proof, scope", lemma.page))
}

fn paragraph(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    writeln!(out, "{}", textwrap::fill(text, WIDTH))
}

fn explain_claim(out: &mut impl Write, claim: &Definition) -> std::io::Result<()> {
    paragraph(out, &format!("{}: {}.", claim.id, claim.statement))?;
    writeln!(out)?;
    line(out, "holds in a run if", claim.holds_if)?;
    match (claim.expressions(), claim.compared_conditions()) {
        (Some([holds, figure]), _) => {
            line(out, "as an expression", holds)?;
            line(out, "its figure", figure)?;
        }
        (None, Some([worse, better])) => {
            line(out, "other better if", &worse)?;
            line(out, "file's better if", &better)?;
        }
        (None, None) => line(out, "as an expression", "there is none: a function of the program decides it")?,
    }
    if let ConstantRule::Threshold { meaning, kind } = claim.id.key().constants {
        line(out, "threshold", &format!("{meaning}; {}; no default", kind.legal()))?;
    }
    for part in claim.slopes {
        line(out, part.name.name(), &part.in_words())?;
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
    for key in thresholds(assumption) {
        let (legal, default) = (key.legal(), key.default);
        line(out, "threshold", &format!("{} = {default}, {}", key.path, legal.trim_start_matches("must be ")))?;
    }
    line(out, "source", "ours; docs/reference/assumptions.md")
}

/// The keys that an assumption compares with.
pub fn thresholds(assumption: Assumption) -> impl Iterator<Item = &'static Key> {
    let is_one = move |key: &&Key| {
        matches!(key.section(), "assumptions" | "roles") && assumption.statement().contains(key.name())
    };
    KEYS.iter().filter(is_one)
}

fn explain_criterion(out: &mut impl Write, criterion: Criterion) -> std::io::Result<()> {
    let importance = criterion.importance();
    paragraph(out, &format!("{}: {}.", criterion.name(), criterion.formula()))?;
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

/// A text of the documents without the backticks that mark words of files.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// The columns of a file, each in one line.
fn explain_file(out: &mut impl Write, file: &str, columns: &[Column]) -> std::io::Result<()> {
    paragraph(out, &format!("{file}: {} columns", columns.len()))?;
    columns.iter().try_for_each(|column| line(out, column.name, &plain(column.meaning)))
}

/// The assumption that a column `meets_…` is about.
fn audited(column: &str) -> Option<Assumption> {
    let own = |assumption: &Assumption| assumption.name().strip_prefix("A-") == column.strip_prefix("meets_");
    Assumption::ALL.into_iter().find(own)
}

/// A column, in each file that has one of this name.
fn explain_columns(out: &mut impl Write, columns: &[Column]) -> std::io::Result<()> {
    for column in columns {
        paragraph(out, &format!("{} ({}): {}", column.name, column.file, plain(column.meaning)))?;
        line(out, "values", &column.kind.in_words())?;
        if column.known == Known::AtStart {
            line(out, "known", "at t = 0: an assumption may read it")?;
        }
        line(out, "empty", &plain(column.empty))?;
        if let Some(assumption) = audited(column.name) {
            explain_assumption(out, assumption)?;
            continue;
        }
        line(out, "source", "docs/reference/columns.md; docs/theory/roles.md says how they are measured")?;
    }
    Ok(())
}

fn explain_simulation(out: &mut impl Write, shipped: &Shipped) -> std::io::Result<()> {
    writeln!(out, "# {}, embedded in the program", shipped.file)?;
    write!(out, "{}", shipped.text)
}

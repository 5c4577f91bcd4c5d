//! `simulate prune`: a real checkpoint with fewer experts.

use crate::args::{PruneArguments, SemanticsArgument, TieBreakArgument};
use crate::failure::Failure;
use crate::inspect::{choice, refused};
use crate::output;
use moe_theory::checkpoint::{
    CheckpointFiles, FamilyChoice, Keep, Order, PerLayer, Provenance, PrunePlan, PruneReport, PruneRequest, Ranking,
    RowCriterion, Semantics, TieBreak,
};
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::Path;

/// Decides, writes, and says what was done.
pub fn command(arguments: &PruneArguments) -> Result<(), Failure> {
    let choice = choice(&arguments.family)?;
    let request = request(arguments)?;
    let after = CheckpointFiles::open(&arguments.finetuned).map_err(refused)?;
    let ranking = ranking(arguments, &request, &after, &choice)?;
    let plan = PrunePlan::new(&after, ranking.as_ref(), &choice, &request).map_err(refused)?;
    let provenance = Provenance {
        program: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        command: std::env::args().skip(1).collect(),
        pretrained: ranking.as_ref().map(|ranking| ranking.pretrained.clone()),
        finetuned: arguments.finetuned.display().to_string(),
        tie_break: request.tie_break,
        seed: request.seed,
    };
    let report = plan.write(&arguments.out, provenance).map_err(refused)?;
    show(arguments, &report)
}

/// The ranking, where anything is ranked: a list of experts, scores made elsewhere and a random order need none.
fn ranking(
    arguments: &PruneArguments,
    request: &PruneRequest,
    after: &CheckpointFiles,
    choice: &FamilyChoice,
) -> Result<Option<Ranking>, Failure> {
    let criterion = match (&request.keep, &request.order) {
        (Keep::Gap, Order::Criterion(criterion)) => *criterion,
        (Keep::Gap, Order::Scores(_)) => RowCriterion::RouterNormChange,
        (Keep::List(_), _) | (_, Order::Scores(_) | Order::Criterion(RowCriterion::Random)) => return Ok(None),
        (_, Order::Criterion(criterion)) => *criterion,
    };
    let before = CheckpointFiles::open(&arguments.pretrained).map_err(refused)?;
    Ranking::of(&before, after, choice, criterion, false).map(Some).map_err(refused)
}

fn show(arguments: &PruneArguments, report: &PruneReport) -> Result<(), Failure> {
    let mut out = output::stdout();
    for layer in &report.layers {
        let pruned: Vec<String> = layer.pruned.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "{}: {} experts stay, pruned by {}: {}",
            layer.site,
            layer.kept.len(),
            layer.by,
            pruned.join(" ")
        )?;
    }
    let PruneReport { bytes_before, bytes, parameters_before, parameters, .. } = report;
    writeln!(out, "bytes {bytes_before} → {bytes}: −{}", bytes_before - bytes)?;
    writeln!(out, "parameters {parameters_before} → {parameters}: −{}", parameters_before - parameters)?;
    for note in &report.notes {
        writeln!(out, "note: {note}")?;
    }
    writeln!(out, "{}: Δ never measures a loss: evaluate it", arguments.out.display())?;
    Ok(())
}

fn request(arguments: &PruneArguments) -> Result<PruneRequest, Failure> {
    let order = match &arguments.scores {
        Some(path) => Order::Scores(per_layer(path)?),
        None => Order::Criterion(arguments.by),
    };
    Ok(PruneRequest {
        keep: keep(arguments)?,
        order,
        semantics: match arguments.semantics {
            SemanticsArgument::Delete => Semantics::Delete,
            SemanticsArgument::Zero => Semantics::Zero,
        },
        tie_break: match arguments.tie_break {
            TieBreakArgument::Index => TieBreak::Index,
            TieBreakArgument::Random => TieBreak::Random,
        },
        seed: arguments.seed,
        layers: arguments.layers.as_deref().map(layers).transpose()?,
        ungroup: arguments.ungroup,
        lower_top_k: arguments.lower_top_k,
        drop_mtp: arguments.drop_mtp,
    })
}

fn keep(arguments: &PruneArguments) -> Result<Keep, Failure> {
    if let Some(text) = &arguments.keep {
        let (kept, of) = match text.split_once('/') {
            Some((kept, of)) => (kept, Some(of)),
            None => (text.as_str(), None),
        };
        let bad = || Failure::Usage(format!("--keep {text}: must be a number of experts, or two such as 6/8"));
        let number = |text: &str| text.parse::<u64>().ok().filter(|&number| number > 0).ok_or_else(bad);
        return Ok(Keep::Count { kept: number(kept)?, of: of.map(number).transpose()? });
    }
    if let Some(ratio) = arguments.ratio {
        return match (0.0..1.0).contains(&ratio) {
            true => Ok(Keep::AllBut(ratio)),
            false => Err(Failure::Usage(format!("--ratio {ratio}: must be from 0 to below 1"))),
        };
    }
    match &arguments.keep_list {
        Some(path) => Ok(Keep::List(per_layer(path)?)),
        None => Ok(Keep::Gap),
    }
}

fn per_layer<T: DeserializeOwned>(path: &Path) -> Result<PerLayer<T>, Failure> {
    let shown = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    PerLayer::parse(&shown, &text).map_err(refused)
}

/// Reads `0-3,7`.
fn layers(text: &str) -> Result<Vec<u32>, Failure> {
    let bad = || Failure::Usage(format!("--layers {text}: must be numbers and ranges such as 0-3,7"));
    let part = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.parse::<u16>(), last.parse::<u16>()) {
            (Ok(first), Ok(last)) if first <= last => Ok((u32::from(first)..=u32::from(last)).collect::<Vec<_>>()),
            _ => Err(bad()),
        }
    };
    Ok(text.split(',').map(part).collect::<Result<Vec<_>, _>>()?.concat())
}

//! `simulate rank`: the experts of a real checkpoint by what fine-tuning did to their routers.

use crate::args::RankArguments;
use crate::failure::Failure;
use crate::inspect::{choice, refused};
use crate::output;
use moe_theory::checkpoint::{CheckpointFiles, Ranking, RowCriterion, SiteRanking};
use std::io::Write;
use std::path::Path;

/// Prints orders and audit, and writes what else was asked for.
pub fn command(arguments: &RankArguments) -> Result<(), Failure> {
    let choice = choice(&arguments.family)?;
    let by = arguments.by;
    let before = CheckpointFiles::open(&arguments.pretrained).map_err(refused)?;
    let after = CheckpointFiles::open(&arguments.finetuned).map_err(refused)?;
    let ranking = Ranking::of(&before, &after, &choice, by, arguments.experts).map_err(refused)?;
    // First, as it is the only one that can be refused.
    if let Some(path) = &arguments.scores {
        write(path, &serde_json::to_vec_pretty(&ranking.scores(by).map_err(refused)?)?)?;
    }
    if let Some(path) = &arguments.csv {
        let mut writer = csv::Writer::from_writer(Vec::new());
        ranking.rows(by).into_iter().try_for_each(|row| writer.serialize(row))?;
        write(path, &writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?)?;
    }
    if let Some(path) = &arguments.json {
        write(path, &serde_json::to_vec_pretty(&ranking)?)?;
    }
    if let Some(path) = &arguments.page {
        write(path, ranking.page(by).as_bytes())?;
    }
    let mut out = output::stdout();
    writeln!(out, "{} → {}: {}", ranking.pretrained, ranking.finetuned, ranking.model_type)?;
    writeln!(out, "experts by {}, the first to be pruned first", by.word())?;
    for layer in &ranking.layers {
        writeln!(out, "  {}: {}\n    {}", layer.site, order(layer, by), layer.audit.line())?;
    }
    for key in &ranking.without_partner {
        writeln!(out, "  {key}: has no partner in the pre-trained checkpoint")?;
    }
    writeln!(out, "What the theorem says here")?;
    for sentence in ranking.sentences().iter().chain(&ranking.notes) {
        writeln!(
            out,
            "{}",
            textwrap::fill(sentence, textwrap::Options::new(80).initial_indent("- ").subsequent_indent("  "))
        )?;
    }
    Ok(())
}

fn order(layer: &SiteRanking, by: RowCriterion) -> String {
    match layer.order(by) {
        Some(order) => order.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        None => format!("{} is not known here", by.word()),
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::Running(anyhow::anyhow!("{}: {error}", path.display())))
}

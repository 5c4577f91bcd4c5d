//! `simulate inspect`: what a real checkpoint is, from its headers alone.

use crate::args::{FamilyArguments, InspectArguments};
use crate::failure::Failure;
use crate::output;
use moe_theory::checkpoint::{CheckpointError, CheckpointFiles, Families, FamilyChoice, LayerSummary, Summary};
use std::io::Write;

/// Prints the summary of a checkpoint.
pub fn command(arguments: &InspectArguments) -> Result<(), Failure> {
    let choice = choice(&arguments.family)?;
    let files = CheckpointFiles::open(&arguments.checkpoint).map_err(refused)?;
    let summary = Summary::of(&files, &choice).map_err(refused)?;
    let mut out = output::stdout();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&summary)?)?;
        return Ok(());
    }
    let Summary { checkpoint, model_type, files, tensors, bytes, .. } = &summary;
    writeln!(out, "{checkpoint}: {model_type}, {files} files, {tensors} tensors, {bytes} bytes")?;
    let of = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
    writeln!(
        out,
        "  experts a layer {}, experts a token {}; {}",
        of(summary.experts),
        of(summary.top_k),
        summary.effect.words()
    )?;
    if let Some(groups) = summary.groups {
        writeln!(out, "  chosen within {} groups, of which a token uses {}", groups.groups, groups.kept)?;
    }
    for layer in &summary.layers {
        writeln!(out, "  {}", line(layer))?;
    }
    for note in &summary.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

fn line(layer: &LayerSummary) -> String {
    let LayerSummary { site, experts, hidden, router_dtype, stored, expert_bytes, .. } = layer;
    let zero =
        if layer.zero_experts > 0 { format!(" and {} without weights", layer.zero_experts) } else { String::new() };
    let shared = if layer.shared { ", and one that all tokens use" } else { "" };
    format!(
        "{site}: router {router_dtype} of {hidden} columns, {experts} experts{zero} ({stored}, {}), {expert_bytes} bytes each{shared}",
        layer.expert_dtypes.join(" ")
    )
}

/// The families that are known here.
pub fn choice(arguments: &FamilyArguments) -> Result<FamilyChoice, Failure> {
    let mut families = Families::known().map_err(refused)?;
    if let Some(path) = &arguments.family {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
        families = families.with(Families::parse(&shown, &text).map_err(refused)?);
    }
    Ok(FamilyChoice { families, router_pattern: arguments.router_pattern.clone() })
}

/// What is wrong with a checkpoint is the user's to mend; what the disk refuses is not.
pub fn refused(error: CheckpointError) -> Failure {
    match error {
        CheckpointError::Refused { .. } => Failure::usage(error),
        other => Failure::Running(other.into()),
    }
}

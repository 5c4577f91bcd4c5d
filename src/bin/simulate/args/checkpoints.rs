//! Arguments of the commands for real checkpoints.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use moe_theory::checkpoint::RowCriterion;
use std::path::PathBuf;

/// Reads a criterion; the help has all of them with their meanings.
fn criterion() -> impl TypedValueParser<Value = RowCriterion> {
    let known =
        RowCriterion::ALL.iter().map(|criterion| PossibleValue::new(criterion.word()).help(criterion.meaning()));
    PossibleValuesParser::new(known).try_map(|word| {
        RowCriterion::ALL.iter().copied().find(|criterion| criterion.word() == word).ok_or("not a criterion")
    })
}

/// What a checkpoint is, where its configuration does not say.
#[derive(Debug, Args)]
pub struct FamilyArguments {
    /// A file of further families, as data/families.toml of the sources has them. Example: --family my.toml
    #[arg(long, value_name = "FILE")]
    pub family: Option<PathBuf>,
    /// The name of the router in a model of no known family, with {l} for the layer.
    /// Example: --router-pattern layers.{l}.mlp.gate.weight
    #[arg(long, value_name = "NAME")]
    pub router_pattern: Option<String>,
}

#[derive(Debug, Args)]
pub struct InspectArguments {
    /// A folder as save_pretrained writes it, or a file
    pub checkpoint: PathBuf,
    #[command(flatten)]
    pub family: FamilyArguments,
    /// Print JSON. Example: simulate inspect models/mixtral --json
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RankArguments {
    /// The checkpoint before fine-tuning
    pub pretrained: PathBuf,
    /// The checkpoint after fine-tuning, or a LoRA adapter of the first
    pub finetuned: PathBuf,
    #[command(flatten)]
    pub family: FamilyArguments,
    /// What the order is by. Example: --by router-displacement
    #[arg(long, value_parser = criterion(), value_name = "CRITERION", default_value = RowCriterion::RouterNormChange.word())]
    pub by: RowCriterion,
    /// Read all weights of the experts too, for their change and magnitude; slow. Example: simulate rank a b --experts
    #[arg(long)]
    pub experts: bool,
    /// Write one row an expert. Example: --csv rank.csv
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write scores and audit. Example: --json rank.json
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the scores of --by for `prune --scores`, which then prunes another checkpoint than the one that was ranked: the
    /// last by an early one, or a merged one by its adapter. Example: --scores early.json
    #[arg(long, value_name = "FILE")]
    pub scores: Option<PathBuf>,
    /// Write a page with the audit and a figure for every router. Example: --page rank.html
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("kept").required(true)))]
pub struct PruneArguments {
    /// The checkpoint before fine-tuning
    pub pretrained: PathBuf,
    /// The checkpoint after fine-tuning, which is pruned
    pub finetuned: PathBuf,
    #[command(flatten)]
    pub family: FamilyArguments,
    /// Keep so many experts a layer, of so many that there must be. Example: --keep 6/8
    #[arg(long, value_name = "N[/E]", group = "kept")]
    pub keep: Option<String>,
    /// Prune this share of the experts of each layer. Example: --ratio 0.25
    #[arg(long, value_name = "SHARE", group = "kept")]
    pub ratio: Option<f64>,
    /// Prune below the gap of Δ, which every layer must have. Example: simulate prune a b --gap --out c
    #[arg(long, group = "kept")]
    pub gap: bool,
    /// Keep these: a JSON object of layers and lists of experts. Example: --keep-list keep.json
    #[arg(long, value_name = "FILE", group = "kept")]
    pub keep_list: Option<PathBuf>,
    /// The new folder. Example: --out models/pruned
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What goes first. Example: --by router-displacement
    #[arg(long, value_parser = criterion(), value_name = "CRITERION", default_value = RowCriterion::RouterNormChange.word())]
    pub by: RowCriterion,
    /// Scores made elsewhere, small ones go first: a JSON object of layers and lists of numbers. Example: --scores reap.json
    #[arg(long, value_name = "FILE", conflicts_with = "by")]
    pub scores: Option<PathBuf>,
    /// delete: rows and weights go, the router chooses among those that stay, as after a mask of −∞. zero: the paper's
    /// removal: the router chooses among all, and a pruned expert gives 0; nothing is saved. Example: --semantics zero
    #[arg(long, value_enum, value_name = "MEANING", default_value_t = SemanticsArgument::Delete)]
    pub semantics: SemanticsArgument,
    /// Layers, in place of all. Example: simulate prune a b --keep 6 --semantics zero --layers 0-3,7 --out c
    #[arg(long, value_name = "LAYERS")]
    pub layers: Option<String>,
    /// Which of two experts of equal score goes first. Example: --tie-break random
    #[arg(long, value_enum, value_name = "RULE", default_value_t = TieBreakArgument::Index)]
    pub tie_break: TieBreakArgument,
    /// Seed of random orders. Example: --seed 7
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Choose among all experts in place of within groups; the model then routes differently.
    /// Example: simulate prune a b --keep 6 --ungroup --out c
    #[arg(long)]
    pub ungroup: bool,
    /// Lower the experts a token uses to the number that stays. Example: simulate prune a b --keep 1 --lower-top-k --out c
    #[arg(long)]
    pub lower_top_k: bool,
    /// Drop the heads that predict several tokens. Example: simulate prune a b --keep 6 --drop-mtp --out c
    #[arg(long)]
    pub drop_mtp: bool,
}

/// What pruned means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SemanticsArgument {
    /// Rows and weights go
    Delete,
    /// The last weights become 0
    Zero,
}

/// What decides between equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TieBreakArgument {
    /// The smaller number goes first
    Index,
    /// A seeded draw
    Random,
}

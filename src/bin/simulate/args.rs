//! The command line.

mod checkpoints;

pub use checkpoints::{
    FamilyArguments, InspectArguments, PruneArguments, RankArguments, SemanticsArgument, TieBreakArgument,
};

use crate::kind::Kind;
use crate::shard::{self, ShardArgument};
use crate::tables::Tables;
use clap::{Args, Parser, Subcommand, ValueEnum};
use moe_theory::record::Design;
use moe_theory::sgd::EngineChoice;
use std::path::PathBuf;

/// Trains simplified mixtures of experts from scratch, prunes them by router norm change, and judges the theorems.
///
/// Without a command: runs the simulation `default`.
#[derive(Debug, Parser)]
#[command(name = "simulate", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run simulations: train, prune, measure, judge. Example: simulate run theorem1 --seeds 500
    Run(RunArguments),
    /// Shipped simulations, claims, assumptions, lemmas, criteria, words, keys and columns. Example: simulate list claims
    List {
        /// One kind of them, in place of all. Example: criteria
        #[arg(value_enum)]
        what: Option<Kind>,
    },
    /// One of them in full. Example: simulate explain T2a
    Explain {
        /// A simulation, claim, assumption, lemma, criterion, word, symbol, key, section of keys, column or file.
        /// Example: gamma
        #[arg(required_unless_present = "markdown")]
        id: Option<String>,
        /// Print a table as the book holds it. Example: --markdown keys
        #[arg(long, value_name = "WHAT", conflicts_with = "id")]
        markdown: Option<Tables>,
    },
    /// Reads a simulation file and says what each of its claims will test; nothing is run.
    /// Example: simulate check sims/theorem1.toml
    Check {
        /// A shipped simulation, or a file
        sim: String,
    },
    /// Verdicts again from the CSVs of a result folder, without training. Example: simulate judge results/default
    Judge {
        /// A result folder
        dir: PathBuf,
        /// Refuse if the folder's configuration or claims are not those of this simulation.
        /// Example: --against sims/default.toml
        #[arg(long, value_name = "SIM")]
        against: Option<String>,
        /// What was claimed, every part of a claim, exponents and terms beside the summary.
        /// Example: simulate judge results/default --verbose
        #[arg(long)]
        verbose: bool,
    },
    /// Runs of a result folder, drawn at random, trained again and compared with its CSVs cell by cell.
    /// Example: simulate verify results/default --sample 50
    Verify(VerifyArguments),
    /// The page report.html of a result folder again from its CSVs, without training. Example: simulate report results/default
    Report {
        /// A result folder
        dir: PathBuf,
    },
    /// Shards into one result, the same bytes as from a run that was never split.
    /// Example: simulate merge results/default.shards --out results/default
    Merge(MergeArguments),
    /// A simulation as a job array with a dependent merge. Example: simulate submit theorem1 --engine slurm --shards 64
    Submit(SubmitArguments),
    /// One run, complete, as safetensors: every number needed to replay it.
    /// Example: simulate trace default --seed 7 --out run.safetensors
    Trace(TraceArguments),
    /// Proves that a trained model makes no error, refutes it by an input, or leaves it open.
    /// Example: simulate certify run.safetensors
    Certify(CertifyArguments),
    /// The table of all criteria, as Markdown, from the CSVs of a run with `pruning.criteria`.
    /// Example: simulate criteria results/criteria
    Criteria {
        /// A result folder
        dir: PathBuf,
        /// Leave out the measured cost, the only number that differs from run to run
        #[arg(long)]
        no_cost: bool,
    },
    /// The table of systems, as Markdown, from the CSVs of several runs: verdicts, and how well scores tell roles.
    /// Example: simulate systems results/system-vmoe results/system-mov
    Systems {
        /// Result folders
        #[arg(required = true)]
        dirs: Vec<PathBuf>,
    },
    /// Searches parameters within a claim's assumptions for a setting that breaks it, shrinks it, writes a file that
    /// replays it. Example: simulate falsify T1c --budget 60s
    Falsify(FalsifyArguments),
    /// A real checkpoint from its headers alone: family, routers, experts, top-k, groups, types, bytes.
    /// Example: simulate inspect models/mixtral
    Inspect(InspectArguments),
    /// Ranks the experts of a fine-tuned checkpoint by what fine-tuning did to their routers, and audits the premise.
    /// Example: simulate rank models/base models/tuned
    Rank(RankArguments),
    /// Prunes experts of a fine-tuned checkpoint; everything is checked before anything is written.
    /// Example: simulate prune models/base models/tuned --keep 6/8 --out models/pruned
    Prune(PruneArguments),
    /// Completions for a shell. Example: simulate completions bash > ~/.local/share/bash-completion/completions/simulate
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The man page, to read it with `simulate man | man -l -`
    Man {
        /// Write a page for the program and one for each command into this folder. Example: --out man
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// Which runs are asked for, of `run` and of `submit`.
#[derive(Clone, Debug, Default, Args)]
pub struct AskedRuns {
    /// Runs per grid point, in place of the file's. Example: --seeds 200
    #[arg(long, value_name = "N")]
    pub seeds: Option<u64>,
    /// Master seed: with the configuration it fixes every number. Example: --seed 7
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Set a key (repeatable); a list spans a grid. Example: --set training.batch=64
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Fill the column `seconds` of runs.csv, the only one that differs from run to run. Example: --timings
    #[arg(long)]
    pub timings: bool,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    /// Shipped names or TOML files. Example: default controls
    #[arg(value_name = "SIM", default_value = "default")]
    pub sims: Vec<String>,
    #[command(flatten)]
    pub asked: AskedRuns,
    /// Result folder, in place of results/SIM; with several simulations the folder that holds them.
    /// Example: --out results/check
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads, in place of RAYON_NUM_THREADS or one a core; changes no result. More than one a run, or four a core, are
    /// not started. Example: --threads 2
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Go on with an interrupted simulation: finished runs are not computed again. Example: simulate run default --resume
    #[arg(long)]
    pub resume: bool,
    /// Do one of N equal parts of the runs; `merge` puts them together. auto/N takes I from the scheduler, as does a job
    /// array of several elements without --shard; none does all runs. Example: --shard 2/8
    #[arg(long, value_name = "I/N", value_parser = shard::parse)]
    pub shard: Option<ShardArgument>,
    /// Exit 3 if a verdict is not the one that the file expects. Example: simulate run controls --check
    #[arg(long)]
    pub check: bool,
    /// No progress and no table: only errors and, with --check, what differs. Example: simulate run smoke --quiet
    #[arg(long)]
    pub quiet: bool,
    /// What was claimed, every part of a claim, exponents and terms beside the summary. Example: simulate run smoke --verbose
    #[arg(long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Show grid, runs, time and memory from a measured probe, and the seeds that each claim needs; write nothing.
    /// Example: simulate run default --dry-run
    #[arg(long)]
    pub dry_run: bool,
    /// Stop as soon as every claim is decided, by tests that stay valid when looked at after every 25 runs.
    /// Example: simulate run default --until-decided
    #[arg(long)]
    pub until_decided: bool,
    /// The engine that trains. Example: --engine dense
    #[arg(long, value_enum, default_value_t = EngineArgument::Auto)]
    pub engine: EngineArgument,
    /// Write the drawings of the page into DIR/figures as files. Example: --figures svg
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub figures: Option<FigureFormat>,
}

/// Runs a point between two looks with `--until-decided`.
const BLOCK: u64 = 25;

impl RunArguments {
    /// How runs are collected.
    pub fn design(&self) -> Design {
        if self.until_decided { Design::Sequential { block: BLOCK } } else { Design::Fixed }
    }
}

impl Default for RunArguments {
    fn default() -> Self {
        Self {
            sims: vec!["default".to_owned()],
            asked: AskedRuns::default(),
            out: None,
            threads: None,
            resume: false,
            shard: None,
            check: false,
            quiet: false,
            verbose: false,
            dry_run: false,
            until_decided: false,
            engine: EngineArgument::Auto,
            figures: None,
        }
    }
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// A result folder, or a shard's
    pub dir: PathBuf,
    /// How many runs are trained again, or all. Example: --sample all
    #[arg(long, value_name = "N", default_value = "20", value_parser = sample)]
    pub sample: u64,
    /// Seed of the draw, in place of one that nobody can know beforehand. Example: --seed 7
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Threads, in place of one a core. Example: --threads 2
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Reads `--sample`; `all` is more than there can be.
fn sample(text: &str) -> Result<u64, String> {
    match text.parse() {
        _ if text == "all" => Ok(u64::MAX),
        Ok(runs) if runs > 0 => Ok(runs),
        _ => Err("must be a whole number from 1 on, or all".to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct MergeArguments {
    /// The shards' folders, or a folder that holds them. Example: results/default.shards
    #[arg(value_name = "DIR", required = true)]
    pub dirs: Vec<PathBuf>,
    /// The result folder to write. Example: --out results/default
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Exit 3 if a verdict is not the one that the file expects. Example: simulate merge a b --out both --check
    #[arg(long)]
    pub check: bool,
    /// No table: only errors and, with --check, what differs. Example: simulate merge a b --out both --quiet
    #[arg(long)]
    pub quiet: bool,
    /// What was claimed and every part of a claim beside the summary. Example: simulate merge a b --out both --verbose
    #[arg(long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Draw figures into DIR/figures, as `run` does. Example: --figures svg
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub figures: Option<FigureFormat>,
}

#[derive(Debug, Args)]
pub struct SubmitArguments {
    /// A shipped name or a TOML file. Example: theorem1
    pub sim: String,
    /// What runs the shards. Example: --engine local
    #[arg(long, value_enum, default_value_t = ClusterEngine::Slurm)]
    pub engine: ClusterEngine,
    /// Shards, in place of as many as have 30 s of work each, by a measured probe. Example: --shards 64
    #[arg(long, value_name = "N")]
    pub shards: Option<u64>,
    /// Further arguments of sbatch (repeatable), for array and merge. Example: --sbatch-args "--partition=long --time=8:00:00"
    #[arg(long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub sbatch_args: Vec<String>,
    /// Print the scripts and commands; write and submit nothing. Example: simulate submit default --dry-run
    #[arg(long)]
    pub dry_run: bool,
    /// Result folder, in place of results/SIM; the shards' stands beside it. Example: --out results/check
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads of a shard. Example: --threads 4
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: u16,
    /// Shards that run at once with --engine local, in place of as many as there are cores for. Example: --jobs 2
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub jobs: Option<u64>,
    #[command(flatten)]
    pub asked: AskedRuns,
    /// The merge exits with 3 if a verdict is not the one that the file expects. Example: --check
    #[arg(long)]
    pub check: bool,
    /// The engine that trains, `--engine` of `run`. Example: --train-engine dense
    #[arg(long, value_enum, default_value_t = EngineArgument::Auto)]
    pub train_engine: EngineArgument,
}

/// What runs the shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClusterEngine {
    /// A Slurm job array, by sbatch
    Slurm,
    /// Processes on this machine
    Local,
}

#[derive(Debug, Args)]
pub struct TraceArguments {
    /// A shipped name or a TOML file. Example: default
    pub sim: String,
    /// Master seed, as in `run`. Example: --seed 7
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Index of the run at its point, the column `run` of runs.csv. Example: --run 3
    #[arg(long, value_name = "I", default_value_t = 0)]
    pub run: u64,
    /// Number of the grid point, the column `point` of runs.csv. Example: --point 1
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub point: usize,
    /// The file to write. Example: --out run.safetensors
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Set a key (repeatable). Example: --set training.iterations=50
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The engine that trains. Example: --engine dense
    #[arg(long, value_enum, default_value_t = EngineArgument::Auto)]
    pub engine: EngineArgument,
}

#[derive(Debug, Args)]
pub struct FalsifyArguments {
    /// The claim. Example: T2a
    pub claim: String,
    /// Time that the search and the shrinking may take. Example: --budget 5m
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub budget: String,
    /// A file that fixes keys and ranges of the search. Example: --within assumptions.toml
    #[arg(long, value_name = "FILE")]
    pub within: Option<PathBuf>,
    /// Seed of the search. Example: --seed 7
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// The file to write, in place of falsify-CLAIM.toml. Example: --out broken.toml
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CertifyArguments {
    /// A trace, or a safetensors file with the tensors signs, routers_t, neurons_t and, if any, basis
    pub model: PathBuf,
    /// Nodes of the search, for each class. Example: --nodes 5000
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub nodes: usize,
    /// Go on until the proven margin exceeds this, or the nodes are used up. Example: --target 0.3
    #[arg(long, value_name = "M", default_value_t = 0.0)]
    pub target: f64,
    /// Experts that stay, in place of all. Example: --keep 0,1,2,3
    #[arg(long, value_name = "EXPERTS", value_delimiter = ',')]
    pub keep: Option<Vec<usize>>,
    /// Certify also that every subset of these experts can be pruned. Example: --irrelevant 4,5,6
    #[arg(long, value_name = "EXPERTS", value_delimiter = ',')]
    pub irrelevant: Option<Vec<usize>>,
    /// Every token may be off by a vector of this length. Example: --noise-radius 0.01
    #[arg(long, value_name = "R", conflicts_with = "noise")]
    pub noise_radius: Option<f64>,
    /// Gaussian token noise of this ξ, up to an event of the probability --failure. Example: --noise 0.05
    #[arg(long, value_name = "XI")]
    pub noise: Option<f64>,
    /// Probability of the event that a certificate with --noise leaves out. Example: --failure 1e-9
    #[arg(long, value_name = "P", default_value_t = 1e-6)]
    pub failure: f64,
    /// n, if the file does not say. Example: --tokens 16
    #[arg(long, value_name = "N")]
    pub tokens: Option<usize>,
    /// l, if the file does not say. Example: --tokens-per-expert 4
    #[arg(long, value_name = "L")]
    pub tokens_per_expert: Option<usize>,
    /// Exit 3 unless the model is certified. Example: simulate certify run.safetensors --check
    #[arg(long)]
    pub check: bool,
}

/// The engine that trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineArgument {
    /// The pattern engine where it applies (no token noise), else the dense one
    Auto,
    /// The pattern engine: noise-free data, cost independent of m and d
    Pattern,
    /// The dense engine: the reference, any data
    Dense,
}

impl EngineArgument {
    /// The library's name for it.
    pub fn choice(self) -> EngineChoice {
        match self {
            EngineArgument::Auto => EngineChoice::Auto,
            EngineArgument::Pattern => EngineChoice::Pattern,
            EngineArgument::Dense => EngineChoice::Dense,
        }
    }

    /// The word in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            EngineArgument::Auto => "auto",
            EngineArgument::Pattern => "pattern",
            EngineArgument::Dense => "dense",
        }
    }
}

impl FigureFormat {
    /// The word of `--figures`, which is the ending of the files too.
    pub fn word(self) -> &'static str {
        match self {
            FigureFormat::Svg => "svg",
        }
    }
}

/// File format of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FigureFormat {
    /// Vector graphics; docs/reference/files.md says how to make pixels of them
    Svg,
}

#[cfg(test)]
mod tests;

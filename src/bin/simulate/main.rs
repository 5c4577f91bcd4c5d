//! `simulate`: trains, prunes and judges the theorem. Arguments, terminal and disk live here; the rest is the library.

mod args;
mod certify;
mod check;
mod collector;
mod command_line;
mod criteria;
mod dry_run;
mod explain;
mod failure;
mod falsify;
mod figures;
mod folder;
mod glossary;
mod inspect;
mod interrupt;
mod journal;
mod judge;
mod kind;
mod load;
mod manual;
mod merge;
mod output;
mod probe;
mod progress;
mod prune;
mod rank;
mod report;
mod run;
mod shard;
mod shortage;
mod space;
mod submit;
mod systems;
mod tables;
mod terminal;
mod threads;
mod trace;
mod verify;

use args::{Arguments, Command, RunArguments};
use clap::Parser;
use failure::Failure;
use moe_theory::printable::{LEGAL, escaped, is_one_line, one_line};
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = check_arguments().and_then(|()| command(Arguments::parse()));
    match done.and_then(|()| output::complete()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(format!("simulate: {}", escaped(&failure.to_string())));
            ExitCode::from(failure.status())
        }
    }
}

/// Refuses arguments that can't be shown: names of folders and settings come back in messages, tables and pages.
fn check_arguments() -> Result<(), Failure> {
    let mut arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    match arguments.find(|argument| !is_one_line(argument)) {
        Some(argument) => Err(Failure::Usage(format!("argument \"{}\": {LEGAL}", one_line(&argument)))),
        None => Ok(()),
    }
}

fn command(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command.unwrap_or_else(|| Command::Run(RunArguments::default())) {
        Command::Run(arguments) => run::command(&arguments),
        Command::List { what } => explain::list(what),
        Command::Explain { id, markdown: None } => explain::explain(&id.unwrap_or_default()),
        Command::Explain { markdown: Some(tables), .. } => Ok(tables::markdown(tables)?),
        Command::Check { sim } => check::command(&sim),
        Command::Judge { dir, against, verbose } => judge::command(&dir, against.as_deref(), run::detail(verbose)),
        Command::Verify(arguments) => verify::command(&arguments),
        Command::Report { dir } => report::command(&dir),
        Command::Merge(arguments) => merge::command(&arguments),
        Command::Submit(arguments) => submit::command(&arguments),
        Command::Trace(arguments) => trace::command(&arguments),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { out } => manual::man(out.as_deref()),
        Command::Certify(arguments) => certify::command(&arguments),
        Command::Criteria { dir, no_cost } => criteria::command(&dir, no_cost),
        Command::Systems { dirs } => systems::command(&dirs),
        Command::Falsify(arguments) => falsify::command(&arguments),
        Command::Inspect(arguments) => inspect::command(&arguments),
        Command::Rank(arguments) => rank::command(&arguments),
        Command::Prune(arguments) => prune::command(&arguments),
    }
}

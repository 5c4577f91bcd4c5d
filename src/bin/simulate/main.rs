//! `simulate`: trains, prunes and judges the theorem. Arguments, terminal and disk live here; the rest is the library.

mod args;
mod certify;
mod collector;
mod command_line;
mod criteria;
mod dry_run;
mod explain;
mod failure;
mod falsify;
mod figures;
mod folder;
mod interrupt;
mod journal;
mod judge;
mod load;
mod manual;
mod merge;
mod output;
mod probe;
mod progress;
mod report;
mod run;
mod shard;
mod space;
mod submit;
mod terminal;
mod threads;
mod trace;

use args::{Arguments, Command, RunArguments};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command.unwrap_or_else(|| Command::Run(RunArguments::default())) {
        Command::Run(arguments) => run::command(&arguments),
        Command::List => explain::list(),
        Command::Explain { id } => explain::explain(&id),
        Command::Judge { dir, against } => judge::command(&dir, against.as_deref()),
        Command::Report { dir } => report::command(&dir),
        Command::Merge(arguments) => merge::command(&arguments),
        Command::Submit(arguments) => submit::command(&arguments),
        Command::Trace(arguments) => trace::command(&arguments),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { out } => manual::man(out.as_deref()),
        Command::Certify(arguments) => certify::command(&arguments),
        Command::Criteria { dir, no_cost } => criteria::command(&dir, no_cost),
        Command::Falsify(arguments) => falsify::command(&arguments),
    };
    match done.and_then(|()| output::complete()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(format!("simulate: {failure}"));
            ExitCode::from(failure.status())
        }
    }
}

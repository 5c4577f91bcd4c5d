//! Every example of the help is a legal command line.

use super::*;
use crate::load::load;
use clap::CommandFactory;

/// The examples that the help gives, each as a whole command line.
fn examples() -> Vec<String> {
    let mut found = Vec::new();
    let mut program = Arguments::command();
    program.build();
    for command in program.get_subcommands() {
        let example = |text: Option<&clap::builder::StyledStr>| {
            let text = text?.to_string();
            Some(text.split_once("Example: ")?.1.split(" > ").next()?.trim().to_owned())
        };
        found.extend(example(command.get_long_about().or(command.get_about())));
        for argument in command.get_arguments() {
            let Some(example) = example(argument.get_long_help().or(argument.get_help())) else { continue };
            if example.starts_with("simulate ") {
                found.push(example);
                continue;
            }
            // What else the command needs.
            let others = command.get_arguments().filter(|other| other.is_required_set() && *other != argument);
            let others = others.map(|other| other.get_long().map_or("x".to_owned(), |long| format!("--{long} x")));
            // Of alternatives one must be given.
            let groups = command.get_groups().filter(|group| group.is_required_set());
            let groups = groups.filter(|group| !group.get_args().any(|alternative| alternative == argument.get_id()));
            let alternatives = groups.filter_map(|group| Some(format!("--{} x", group.get_args().next()?)));
            let others: Vec<String> = others.chain(alternatives).collect();
            found.push(format!("simulate {} {example} {}", command.get_name(), others.join(" ")));
        }
    }
    found
}

/// The words of a command line; quotes keep spaces together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        match place % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[test]
fn every_example_of_the_help_is_legal_and_its_simulations_exist() {
    let examples = examples();
    assert!(examples.len() > 50, "{examples:#?}");
    for example in examples {
        let parsed = Arguments::try_parse_from(words(&example));
        let parsed = parsed.unwrap_or_else(|error| panic!("{example}: {error}"));
        let (sims, set) = match parsed.command {
            Some(Command::Run(run)) => (run.sims, run.asked.set),
            Some(Command::Submit(submit)) if submit.sim != "x" => (vec![submit.sim], submit.asked.set),
            Some(Command::Trace(trace)) if trace.sim != "x" => (vec![trace.sim], trace.set),
            Some(Command::Judge { against: Some(sim), .. }) => (vec![sim], Vec::new()),
            Some(Command::Explain { id: Some(id), .. }) => {
                assert!(crate::explain::is_known(&id), "{example}");
                continue;
            }
            _ => continue,
        };
        for sim in sims {
            assert!(load(&sim, &set, None).is_ok(), "{example}");
        }
    }
}

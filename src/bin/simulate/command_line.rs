//! Command lines that a shell takes as they are.

use crate::args::{AskedRuns, RunArguments};
use std::ffi::{OsStr, OsString};

/// A word as a shell reads it. What would not reach a terminal as it is stands as `$'…'`, which bash, zsh and ksh know.
pub fn quoted(word: &OsStr) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '=' | ',' | ':' | '+');
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => {
            let escaped = |&byte: &u8| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            };
            format!("$'{}'", word.as_encoded_bytes().iter().map(escaped).collect::<String>())
        }
    }
}

/// Words as one line.
pub fn line<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> String {
    words.into_iter().map(|word| quoted(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// Collects the words of a command.
#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    fn flag(&mut self, name: &str, given: bool) {
        self.0.extend(given.then(|| name.into()));
    }

    /// A flag with its value; in one word if the value looks like a flag itself.
    fn value(&mut self, name: &str, value: Option<impl Into<OsString>>) {
        match value.map(Into::into) {
            None => {}
            Some(value) if value.as_encoded_bytes().starts_with(b"-") => {
                let mut word = OsString::from(format!("{name}="));
                word.push(value);
                self.0.push(word);
            }
            Some(value) => self.0.extend([name.into(), value]),
        }
    }

    fn asked(&mut self, asked: &AskedRuns) {
        self.value("--seeds", asked.seeds.map(|seeds| seeds.to_string()));
        self.value("--seed", (asked.seed != 0).then(|| asked.seed.to_string()));
        asked.set.iter().for_each(|set| self.value("--set", Some(set)));
        self.flag("--timings", asked.timings);
    }
}

/// The flags of the runs that are asked for.
pub fn asked(asked: &AskedRuns) -> Vec<OsString> {
    let mut words = Words::default();
    words.asked(asked);
    words.0
}

/// What `program` is to be called with so that an interrupted `run` goes on. `variables` are those of a scheduler that have
/// chosen the shard.
pub fn resuming(program: &OsStr, arguments: &RunArguments, variables: &[(&'static str, String)]) -> String {
    let mut words = Words::default();
    words.0.extend([program.to_owned(), "run".into()]);
    // A file whose name looks like a flag.
    words.0.extend(arguments.sims.iter().map(|sim| match sim.starts_with('-') {
        true => format!("./{sim}").into(),
        false => sim.into(),
    }));
    words.asked(&arguments.asked);
    words.value("--out", arguments.out.as_ref());
    words.value("--threads", arguments.threads.map(|threads| threads.to_string()));
    words.value("--shard", arguments.shard.map(|shard| shard.to_string()));
    words.flag("--check", arguments.check);
    words.flag("--quiet", arguments.quiet);
    words.flag("--verbose", arguments.verbose);
    words.flag("--until-decided", arguments.until_decided);
    words.value("--engine", Some(arguments.engine.word()).filter(|word| *word != "auto"));
    words.value("--figures", arguments.figures.map(|format| format.word()));
    words.flag("--resume", true);
    let set = variables.iter().map(|(name, value)| format!("{name}={} ", quoted(value.as_ref())));
    set.chain([line(words.0)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command};
    use clap::Parser;

    /// The command that goes on after the given one, by the words that a shell makes of the line.
    fn resumed(words: &[&str]) -> (String, RunArguments) {
        let parse = |words: Vec<String>| match Arguments::parse_from(words).command {
            Some(Command::Run(arguments)) => arguments,
            _ => RunArguments::default(),
        };
        let line = resuming("simulate".as_ref(), &parse(words.iter().map(|&word| word.to_owned()).collect()), &[]);
        let split = std::process::Command::new("bash").args(["-c", &format!("printf '%s\\0' {line}")]).output();
        let split = String::from_utf8(split.expect("bash").stdout).expect("UTF-8");
        (line, parse(split.split_terminator('\0').map(str::to_owned).collect()))
    }

    #[test]
    fn the_command_that_goes_on_asks_for_the_same_runs_in_the_same_place() {
        let words = [
            "simulate",
            "run",
            "it's mine.toml",
            "b",
            "--seeds",
            "9",
            "--seed",
            "7",
            "--set",
            "training.batch=[32, 48]",
            "--set",
            "data.noise=\t0.1",
            "--timings",
            "--out=-a $HOME",
            "--threads",
            "3",
            "--shard",
            "auto/4",
            "--check",
            "--quiet",
            "--until-decided",
            "--engine",
            "dense",
            "--figures",
            "svg",
        ];
        let (line, again) = resumed(&words);
        let Some(Command::Run(first)) = Arguments::parse_from(words).command else { panic!("a run") };
        let expected = RunArguments { resume: true, ..first };
        assert_eq!(format!("{again:?}"), format!("{expected:?}"), "{line}");
        assert!(line.ends_with(" --resume") && !line.contains(char::is_control), "{line}");
    }

    #[test]
    fn what_is_not_given_is_not_said() {
        assert_eq!(resumed(&["simulate"]).0, "simulate run default --resume");
        let variables = [("SLURM_ARRAY_TASK_ID", "3".to_owned()), ("SLURM_ARRAY_TASK_COUNT", "8".to_owned())];
        let line = resuming("./simulate".as_ref(), &RunArguments::default(), &variables);
        assert_eq!(line, "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=8 ./simulate run default --resume");
    }
}

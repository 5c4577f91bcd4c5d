//! What can go wrong, and the exit status it has.

use std::fmt;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// Bad usage, configuration or input; nothing was written. Exit status 2.
    Usage(String),
    /// Something failed while running. Exit status 1.
    Running(anyhow::Error),
    /// `--check` found verdicts that are not the expected ones. Exit status 3.
    Check(String),
}

impl Failure {
    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Failure::Running(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Check(_) => 3,
        }
    }

    /// The error behind it, where what was refused was to be found out by the program itself.
    pub fn into_error(self) -> anyhow::Error {
        match self {
            Failure::Running(error) => error,
            other => anyhow::anyhow!("{other}"),
        }
    }

    /// A usage failure from anything that can be shown.
    pub fn usage(message: impl fmt::Display) -> Self {
        Failure::Usage(message.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(message) | Failure::Check(message) => formatter.write_str(message),
            Failure::Running(error) => write!(formatter, "{error:#}"),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Running(error.into())
    }
}

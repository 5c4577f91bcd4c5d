//! Where commands print. A reader may go at any time, as `head` does: neither what a command does nor the status with which
//! it ends depends on its readers.

use crate::failure::Failure;
use std::fmt::Display;
use std::io::{Error, ErrorKind, Result, Write};
use std::sync::OnceLock;

/// Why nothing can be printed any more.
static LOST: OnceLock<Error> = OnceLock::new();

/// Standard output as long as it takes anything. After its first error everything is dropped: no write fails.
pub struct Output;

/// Standard output.
pub fn stdout() -> Output {
    Output
}

impl Output {
    /// The value of a call, or `otherwise` if standard output is lost.
    fn attempt<T>(otherwise: T, call: impl FnOnce(&mut std::io::Stdout) -> Result<T>) -> Result<T> {
        if LOST.get().is_some() {
            return Ok(otherwise);
        }
        match call(&mut std::io::stdout()) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                // Another thread may have met the same error just before.
                let _ = LOST.set(error);
                Ok(otherwise)
            }
            done => done,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Self::attempt(bytes.len(), |stdout| stdout.write(bytes))
    }

    fn flush(&mut self) -> Result<()> {
        Self::attempt((), Write::flush)
    }
}

/// Ends a command that has done its work: a reader who has gone is no failure, a full disk below the output is one.
pub fn complete() -> std::result::Result<(), Failure> {
    Output.flush()?;
    match LOST.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Running(anyhow::anyhow!("stdout: {error}: what was printed is lost, all else is done")))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error. One that is closed leaves nobody to tell.
pub fn tell(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

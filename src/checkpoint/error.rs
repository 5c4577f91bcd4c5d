//! What can be wrong with a checkpoint.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// Why a checkpoint is refused, or could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Input that is wrong, or a request that its checkpoint can't fulfil. Nothing was written.
    #[error("{place}: {problem}")]
    Refused {
        /// The file, tensor or key.
        place: String,
        /// What is wrong, with the value and what would be right.
        problem: String,
    },
    /// A file can't be read or written.
    #[error("{place}: {source}")]
    Io {
        /// The file.
        place: String,
        /// What the system said.
        source: io::Error,
    },
}

/// The result of anything that reads a checkpoint.
pub(crate) type Result<T> = std::result::Result<T, CheckpointError>;

/// A refusal.
pub(crate) fn refused(place: impl Display, problem: impl Display) -> CheckpointError {
    CheckpointError::Refused { place: place.to_string(), problem: problem.to_string() }
}

/// Names the file of an input or output error.
pub(crate) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    move |source| CheckpointError::Io { place: path.display().to_string(), source }
}

/// At most `most` items of a list for a message, and how many more there are.
pub(crate) fn listed<T: Display>(items: &[T], most: usize) -> String {
    let shown: Vec<String> = items.iter().take(most).map(ToString::to_string).collect();
    match items.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

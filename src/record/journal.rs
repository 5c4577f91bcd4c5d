//! A file that only grows, frame by frame, and that may be cut off at any byte.
//!
//! A frame is the length of its content (4 bytes, little endian), a check (the first 8 bytes of the SHA-256 of length and
//! content), and the content. The first frame is a [`JournalHeader`], each further one a finished run. What follows the last whole
//! frame is a torn tail: the frame that was being written when the program was killed or the disk was full.

use super::manifest::{JOURNAL, Manifest, ManifestError, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Bytes of a frame before its content.
const PREFIX: usize = 12;

/// What the runs of a journal are runs of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalHeader {
    /// Version of the journal's format.
    pub journal: u32,
    /// The manifest as it is before the first run.
    pub manifest: Manifest,
    /// Whether the column `seconds` is filled.
    pub timings: bool,
    /// Columns of each table.
    pub columns: Vec<Vec<String>>,
}

/// The first things to read of a header: all else depends on them.
#[derive(Deserialize)]
struct Start {
    journal: u64,
    manifest: Version,
}

impl JournalHeader {
    /// Reads the content of a journal's first frame.
    ///
    /// # Errors
    /// Another format of the journal or of the manifest, whatever else it holds, and what is no header.
    pub fn parse(content: &[u8]) -> Result<Self, ManifestError> {
        let Start { journal, manifest } = serde_json::from_slice(content)?;
        if journal != u64::from(JOURNAL) {
            return Err(ManifestError::Journal(journal));
        }
        manifest.check()?;
        Ok(serde_json::from_slice(content)?)
    }

    /// Why runs of this journal can't stand beside runs of `here`; `None` if they can.
    pub fn difference(&self, here: &JournalHeader) -> Option<String> {
        let programs = || self.manifest.program_difference(&here.manifest);
        let word = |timings: bool| if timings { "on" } else { "off" };
        let timings = || format!("--timings is {} there and {} here", word(self.timings), word(here.timings));
        self.manifest
            .difference(&here.manifest)
            .or_else(programs)
            .or_else(|| (self.timings != here.timings).then(timings))
            .or_else(|| (self.columns != here.columns).then(|| "the tables have other columns".to_owned()))
    }
}

/// A frame with this content.
///
/// # Errors
/// A content of 4 GiB or more.
pub fn frame(content: &[u8]) -> io::Result<Vec<u8>> {
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a frame of 4 GiB or more");
    let length = u32::try_from(content.len()).map_err(too_long)?.to_le_bytes();
    let mut frame = Vec::with_capacity(PREFIX + content.len());
    frame.extend(length);
    frame.extend(check(length, content));
    frame.extend(content);
    Ok(frame)
}

fn check(length: [u8; 4], content: &[u8]) -> [u8; 8] {
    let digest = Sha256::new().chain_update(length).chain_update(content).finalize();
    std::array::from_fn(|place| digest[place])
}

/// The next frame's content; `None` if what follows is no whole frame.
///
/// # Errors
/// What the input reports.
pub fn read_frame(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; PREFIX];
    if read_up_to(input, &mut prefix)? < PREFIX {
        return Ok(None);
    }
    let [a, b, c, d, expected @ ..] = prefix;
    let length = [a, b, c, d];
    let bytes = u32::from_le_bytes(length);
    // Memory grows with what is there, not with what a damaged length promises.
    let mut content = Vec::new();
    input.take(u64::from(bytes)).read_to_end(&mut content)?;
    let whole = content.len() == bytes as usize && check(length, &content) == expected;
    Ok(whole.then_some(content))
}

fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The whole frames of a journal, each with the place where it starts.
pub struct Frames<R> {
    input: R,
    /// Bytes of the whole frames so far.
    pub length: u64,
}

impl<R: Read> Frames<R> {
    /// The frames of `input`.
    pub fn new(input: R) -> Self {
        Self { input, length: 0 }
    }
}

impl<R: Read> Iterator for Frames<R> {
    type Item = io::Result<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.length;
        match read_frame(&mut self.input) {
            Err(error) => Some(Err(error)),
            Ok(None) => None,
            Ok(Some(content)) => {
                self.length += (PREFIX + content.len()) as u64;
                Some(Ok((start, content)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contents() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8)
    }

    fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let mut frames = Frames::new(bytes);
        let found = frames.by_ref().map(|frame| frame.expect("memory does not fail").1).collect();
        (found, frames.length)
    }

    proptest! {
        /// Cut at every byte.
        #[test]
        fn a_cut_journal_gives_every_whole_frame_and_nothing_else(contents in contents()) {
            let frames: Vec<Vec<u8>> = contents.iter().map(|content| frame(content).expect("short")).collect();
            let whole = frames.concat();
            for cut in 0..=whole.len() {
                let mut expected = 0;
                let mut bytes = 0;
                while expected < frames.len() && bytes + frames[expected].len() <= cut {
                    bytes += frames[expected].len();
                    expected += 1;
                }
                let (found, length) = read(&whole[..cut]);
                prop_assert_eq!(&found[..], &contents[..expected]);
                prop_assert_eq!(length, bytes as u64);
            }
        }

        #[test]
        fn a_changed_byte_ends_the_journal_before_its_frame(
            contents in contents().prop_filter("something to change", |contents| !contents.is_empty()),
            place in any::<prop::sample::Index>(),
            change in 1u8..,
        ) {
            let frames: Vec<Vec<u8>> = contents.iter().map(|content| frame(content).expect("short")).collect();
            let mut bytes = frames.concat();
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            let mut before = 0;
            let intact = frames.iter().take_while(|frame| { before += frame.len(); before <= place }).count();
            prop_assert_eq!(&read(&bytes).0[..], &contents[..intact]);
        }
    }

    #[test]
    fn a_length_beyond_the_end_takes_no_memory() {
        let (found, length) = read(&[0xff; 20]);
        assert_eq!((found.len(), length), (0, 0));
    }
}

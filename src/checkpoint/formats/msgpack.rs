//! MessagePack, token by token, from a file by position or from memory. Payloads are skipped, not read.

use super::super::error::{Result, refused};
use super::super::pread::PositionedFile;

/// Bytes of a file that are read at once.
const WINDOW: u64 = 1 << 16;

/// One value, or the beginning of one. Lengths are in bytes, for arrays in values, for maps in pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token {
    Nil,
    Bool,
    Integer(i128),
    Float,
    Text(u64),
    Bytes(u64),
    Array(u64),
    Map(u64),
    Extension(i8, u64),
}

/// Where tokens come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    File(&'a PositionedFile),
    Memory(&'a [u8]),
}

/// Reads tokens one after another.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    source: Source<'a>,
    position: u64,
    end: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl<'a> Tokens<'a> {
    /// Tokens from the beginning.
    pub(crate) fn new(source: Source<'a>) -> Self {
        let end = match source {
            Source::File(file) => file.length(),
            Source::Memory(bytes) => bytes.len() as u64,
        };
        Self { source, position: 0, end, window: Vec::new(), window_start: 0 }
    }

    /// The next byte's place.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Whether nothing follows.
    pub(crate) fn is_at_end(&self) -> bool {
        self.position == self.end
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Result<Token> {
        let marker = self.byte()?;
        Ok(match marker {
            0x00..=0x7f => Token::Integer(i128::from(marker)),
            0x80..=0x8f => Token::Map(u64::from(marker & 0x0f)),
            0x90..=0x9f => Token::Array(u64::from(marker & 0x0f)),
            0xa0..=0xbf => Token::Text(u64::from(marker & 0x1f)),
            0xc0 => Token::Nil,
            0xc1 => return Err(self.bad("the byte 0xc1 begins no value")),
            0xc2 | 0xc3 => Token::Bool,
            0xc4..=0xc6 => Token::Bytes(self.unsigned(1 << (marker - 0xc4))?),
            0xc7..=0xc9 => {
                let length = self.unsigned(1 << (marker - 0xc7))?;
                Token::Extension(self.byte()? as i8, length)
            }
            0xca => self.skipped(4, Token::Float)?,
            0xcb => self.skipped(8, Token::Float)?,
            0xcc..=0xcf => Token::Integer(i128::from(self.unsigned(1 << (marker - 0xcc))?)),
            0xd0..=0xd3 => {
                let bytes = 1 << (marker - 0xd0);
                let shift = 64 - 8 * bytes;
                // The sign bit goes to the top and comes back as all higher bits.
                Token::Integer(i128::from((self.unsigned(bytes)? << shift) as i64 >> shift))
            }
            0xd4..=0xd8 => Token::Extension(self.byte()? as i8, 1 << (marker - 0xd4)),
            0xd9..=0xdb => Token::Text(self.unsigned(1 << (marker - 0xd9))?),
            0xdc | 0xdd => Token::Array(self.unsigned(2 << (marker - 0xdc))?),
            0xde | 0xdf => Token::Map(self.unsigned(2 << (marker - 0xde))?),
            0xe0..=0xff => Token::Integer(i128::from(marker as i8)),
        })
    }

    /// Passes over bytes of a payload.
    pub(crate) fn skip(&mut self, bytes: u64) -> Result<()> {
        match self.position.checked_add(bytes).filter(|&end| end <= self.end) {
            Some(end) => {
                self.position = end;
                Ok(())
            }
            None => Err(self.bad("ends within a value")),
        }
    }

    /// Passes over a whole value.
    pub(crate) fn skip_value(&mut self) -> Result<()> {
        let mut open = 1u64;
        while open > 0 {
            open -= 1;
            match self.next()? {
                Token::Text(length) | Token::Bytes(length) | Token::Extension(_, length) => self.skip(length)?,
                Token::Array(length) => open = open.saturating_add(length),
                Token::Map(length) => open = open.saturating_add(length.saturating_mul(2)),
                Token::Nil | Token::Bool | Token::Integer(_) | Token::Float => {}
            }
        }
        Ok(())
    }

    /// Payload bytes, at most 64 KiB of them: names and shapes, never weights.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<Vec<u8>> {
        if bytes > WINDOW {
            return Err(self.bad(format!("a name or a shape of {bytes} bytes")));
        }
        let start = self.position;
        self.skip(bytes)?;
        self.fill(start, bytes)?;
        let from = (start - self.window_start) as usize;
        Ok(self.window[from..from + bytes as usize].to_vec())
    }

    /// A text, which a writer may also have stored as bytes.
    pub(crate) fn text(&mut self) -> Result<String> {
        match self.next()? {
            Token::Text(length) | Token::Bytes(length) => {
                String::from_utf8(self.take(length)?).map_err(|_| self.bad("a name is no UTF-8"))
            }
            other => Err(self.bad(format!("{other:?} in place of a name"))),
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&mut self) -> Result<u64> {
        match self.next()? {
            Token::Integer(number) => {
                u64::try_from(number).map_err(|_| self.bad(format!("{number}: must not be negative")))
            }
            other => Err(self.bad(format!("{other:?} in place of a number"))),
        }
    }

    /// The length of an array.
    pub(crate) fn array(&mut self) -> Result<u64> {
        match self.next()? {
            // Each value takes a byte at least.
            Token::Array(length) if length <= self.end - self.position => Ok(length),
            other => Err(self.bad(format!("{other:?} in place of an array"))),
        }
    }

    /// The numbers of an array.
    pub(crate) fn numbers(&mut self) -> Result<Vec<u64>> {
        (0..self.array()?).map(|_| self.number()).collect()
    }

    /// A refusal that names the place.
    pub(crate) fn bad(&self, problem: impl std::fmt::Display) -> super::super::CheckpointError {
        let place = match self.source {
            Source::File(file) => file.path().display().to_string(),
            Source::Memory(_) => "an entry of MessagePack".to_owned(),
        };
        refused(place, format!("at byte {}: {problem}", self.position))
    }

    fn skipped(&mut self, bytes: u64, token: Token) -> Result<Token> {
        self.skip(bytes)?;
        Ok(token)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.unsigned(1)? as u8)
    }

    /// A big-endian number of so many bytes.
    fn unsigned(&mut self, bytes: u64) -> Result<u64> {
        Ok(self.take(bytes)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// Puts a range of the source into the window.
    fn fill(&mut self, start: u64, bytes: u64) -> Result<()> {
        let held = self.window_start..self.window_start + self.window.len() as u64;
        if held.start <= start && start + bytes <= held.end {
            return Ok(());
        }
        let count = WINDOW.min(self.end - start);
        self.window = match self.source {
            Source::File(file) => file.bytes_at(start, count)?,
            Source::Memory(memory) => memory[start as usize..(start + count) as usize].to_vec(),
        };
        self.window_start = start;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(bytes: &[u8]) -> Tokens<'_> {
        Tokens::new(Source::Memory(bytes))
    }

    #[test]
    fn every_kind_of_token() {
        // The examples of the MessagePack specification.
        for (bytes, token) in [
            (&[0x7f][..], Token::Integer(127)),
            (&[0xe0], Token::Integer(-32)),
            (&[0xcd, 1, 0], Token::Integer(256)),
            (&[0xd0, 0x80], Token::Integer(-128)),
            (&[0xd1, 0xff, 0xfe], Token::Integer(-2)),
            (&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Token::Integer(u64::MAX as i128)),
            (&[0xca, 0, 0, 0, 0], Token::Float),
            (&[0xc0], Token::Nil),
            (&[0xc3], Token::Bool),
            (&[0xa1, b'a'], Token::Text(1)),
            (&[0xd9, 1, b'a'], Token::Text(1)),
            (&[0xc5, 0, 1, 7], Token::Bytes(1)),
            (&[0x91, 0], Token::Array(1)),
            (&[0xdc, 0, 1, 0], Token::Array(1)),
            (&[0x81, 0, 0], Token::Map(1)),
            (&[0xdf, 0, 0, 0, 1, 0, 0], Token::Map(1)),
            (&[0xd4, 5, 9], Token::Extension(5, 1)),
            (&[0xc8, 0, 1, 0xff, 9], Token::Extension(-1, 1)),
        ] {
            assert_eq!(tokens(bytes).next().expect("legal"), token, "{bytes:02x?}");
            let mut all = tokens(bytes);
            all.skip_value().expect("legal");
            assert!(all.is_at_end(), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_ends_too_early_is_refused() {
        for bytes in [&[][..], &[0xcd, 1], &[0xa2, b'a'], &[0x92, 0], &[0xdd, 0xff, 0xff, 0xff, 0xff], &[0xc1]] {
            assert!(tokens(bytes).skip_value().is_err(), "{bytes:02x?}");
        }
        assert!(tokens(&[0xdd, 0xff, 0xff, 0xff, 0xff]).array().is_err());
    }
}

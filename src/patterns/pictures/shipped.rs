//! The pictures that are part of the program: gzipped tables of a label and grey values, embedded.

use super::Pictures;
use crate::sim::parameters::Shipped;
use flate2::read::GzDecoder;

/// Pixels of a side of a texture.
const TEXTURE: usize = 128;

/// The table of these pictures.
fn table(shipped: Shipped) -> &'static [u8] {
    match shipped {
        Shipped::None => &[],
        Shipped::Digits => include_bytes!("../../../data/pictures/digits.csv.gz"),
        Shipped::Fashion => include_bytes!("../../../data/pictures/fashion.csv.gz"),
        Shipped::Textures => include_bytes!("../../../data/pictures/textures.csv.gz"),
    }
}

/// Label and grey values of every row.
fn rows(shipped: Shipped) -> Result<Vec<(usize, Vec<u8>)>, String> {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(table(shipped)));
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| error.to_string())?;
        let mut cells = record.iter();
        let label = cells.next().unwrap_or_default().parse().map_err(|_| "a label is no number".to_owned())?;
        let pixels = cells.map(|cell| cell.parse().map_err(|_| format!("{cell} is no grey value")));
        Ok((label, pixels.collect::<Result<Vec<u8>, String>>()?))
    };
    reader.records().map(row).collect()
}

/// Whole pictures, every fifth of a class held out.
pub(super) fn pictures(shipped: Shipped) -> Result<Pictures, String> {
    let rows = rows(shipped)?;
    let mut pictures =
        Pictures { side: rows.first().map_or(0, |(_, pixels)| pixels.len().isqrt()), ..Pictures::default() };
    rows.into_iter().for_each(|(label, pixels)| pictures.push(label, pixels, false));
    pictures.hold_out();
    Ok(pictures)
}

/// Patches of textures, each of p × p pixels and half a patch from the next: those of the left half are for training, those
/// of the right half held out. None lies in both.
pub(super) fn textures(patch_side: usize) -> Result<Pictures, String> {
    let step = (patch_side / 2).max(1);
    let last = (TEXTURE / 2).checked_sub(patch_side).ok_or("its textures have halves of 64 × 128 pixels")?;
    let mut pictures = Pictures { side: patch_side, ..Pictures::default() };
    for (label, pixels) in rows(Shipped::Textures)? {
        for held_out in [false, true] {
            let left = if held_out { TEXTURE / 2 } else { 0 };
            for row in (0..=TEXTURE - patch_side).step_by(step) {
                for column in (left..=left + last).step_by(step) {
                    let line = |line: usize| &pixels[(row + line) * TEXTURE + column..][..patch_side];
                    pictures.push(label, (0..patch_side).flat_map(line).copied(), held_out);
                }
            }
        }
    }
    Ok(pictures)
}

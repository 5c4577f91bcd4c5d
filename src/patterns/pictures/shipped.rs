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
    if patch_side > TEXTURE / 2 {
        return Err("its textures have halves of 64 × 128 pixels".to_owned());
    }
    let mut pictures = Pictures { side: patch_side, ..Pictures::default() };
    for (label, pixels) in rows(Shipped::Textures)? {
        for held_out in [false, true] {
            for (row, column) in corners(patch_side, held_out) {
                let line = |line: usize| &pixels[(row + line) * TEXTURE + column..][..patch_side];
                pictures.push(label, (0..patch_side).flat_map(line).copied(), held_out);
            }
        }
    }
    Ok(pictures)
}

/// Row and column of the first pixel of every patch of a half.
fn corners(patch_side: usize, held_out: bool) -> impl Iterator<Item = (usize, usize)> {
    let step = (patch_side / 2).max(1);
    let left = if held_out { TEXTURE / 2 } else { 0 };
    let columns = move || (left..=left + TEXTURE / 2 - patch_side).step_by(step);
    (0..=TEXTURE - patch_side).step_by(step).flat_map(move |row| columns().map(move |column| (row, column)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The pixels that patches of a half are made of.
    fn covered(patch_side: usize, held_out: bool) -> BTreeSet<(usize, usize)> {
        let pixels = |(row, column)| {
            (row..row + patch_side).flat_map(move |row| (column..column + patch_side).map(move |column| (row, column)))
        };
        corners(patch_side, held_out).flat_map(pixels).collect()
    }

    #[test]
    fn no_pixel_of_a_texture_is_in_training_patches_and_in_held_out_ones() {
        for patch_side in [1, 2, 5, 8, 13, 32, 64] {
            let [training, held_out] = [false, true].map(|part| covered(patch_side, part));
            assert!(training.is_disjoint(&held_out), "{patch_side}");
            assert!(training.iter().chain(&held_out).all(|&(row, column)| row < TEXTURE && column < TEXTURE));
        }
        assert_eq!([false, true].map(|part| covered(8, part).len()), [TEXTURE * TEXTURE / 2; 2]);
    }

    #[test]
    fn a_patch_of_a_texture_is_what_its_corner_says() {
        let textures = rows(Shipped::Textures).expect("textures");
        let pictures = super::textures(8).expect("patches");
        let corners: Vec<_> = [false, true].into_iter().flat_map(|part| corners(8, part)).collect();
        assert_eq!(pictures.labels.len(), textures.len() * corners.len());
        for (number, patch) in pictures.pixels.chunks_exact(64).enumerate() {
            let ((label, pixels), (row, column)) = (&textures[number / corners.len()], corners[number % corners.len()]);
            assert_eq!((pictures.labels[number], pictures.held_out[number]), (*label, column >= TEXTURE / 2));
            let expected = (0..64).map(|pixel| pixels[(row + pixel / 8) * TEXTURE + column + pixel % 8]);
            assert!(patch.iter().copied().eq(expected), "{number}");
        }
    }
}

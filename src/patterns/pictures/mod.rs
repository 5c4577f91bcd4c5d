//! Pictures, cut into square patches.
//!
//! Pictures of a class fall into two parts, one for training and one that is held out: of pictures every fifth of its class
//! is held out, of textures the right half, and of CIFAR the batches whose names begin with `test`, if there are any. A
//! patch is centred, by taking off the mean training patch of its place, and scaled to length 1; one without contrast is 0.

use crate::sim::parameters::{Images, Shipped};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

mod cifar;
mod shipped;

/// One picture of this many is held out.
const HELD_OUT: usize = 5;

/// Which pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Those that training and everything before the test may see.
    Training,
    /// Those that only tests see.
    HeldOut,
}

/// Square pictures with classes.
#[derive(Debug, Default)]
struct Pictures {
    /// Pixels of a side.
    side: usize,
    /// Grey values, picture after picture, row by row.
    pixels: Vec<u8>,
    labels: Vec<usize>,
    /// Whether each is held out.
    held_out: Vec<bool>,
}

impl Pictures {
    /// Adds one.
    fn push(&mut self, label: usize, pixels: impl IntoIterator<Item = u8>, held_out: bool) {
        self.pixels.extend(pixels);
        self.labels.push(label);
        self.held_out.push(held_out);
    }

    /// Holds out every fifth picture of each class.
    fn hold_out(&mut self) {
        let mut seen = BTreeMap::new();
        for (label, held_out) in self.labels.iter().zip(&mut self.held_out) {
            let number: &mut usize = seen.entry(*label).or_default();
            *held_out = *number % HELD_OUT == HELD_OUT - 1;
            *number += 1;
        }
    }
}

/// Pictures, cut into patches of p × p pixels.
#[derive(Debug)]
pub(crate) struct Cut {
    pictures: Pictures,
    /// p.
    patch_side: usize,
    /// The pictures of each part and class.
    by_class: [Vec<Vec<usize>>; 2],
    /// The mean training patch of each place, `[places, p²]`.
    means: Vec<f64>,
}

impl Cut {
    fn new(pictures: Pictures, patch_side: usize) -> Result<Self, String> {
        let side = pictures.side;
        if patch_side == 0 || !side.is_multiple_of(patch_side) {
            return Err(format!(
                "its pictures of {side} × {side} pixels can't be cut into squares of data.patterns pixels"
            ));
        }
        let classes = pictures.labels.iter().max().map_or(0, |largest| largest + 1);
        let mut by_class = [vec![Vec::new(); classes], vec![Vec::new(); classes]];
        for (picture, (&label, &held_out)) in pictures.labels.iter().zip(&pictures.held_out).enumerate() {
            by_class[usize::from(held_out)][label].push(picture);
        }
        if let Some(empty) = (0..classes).find(|&class| by_class.iter().any(|part| part[class].is_empty())) {
            return Err(format!("its class {empty} needs a picture for training and one that is held out"));
        }
        if classes < 3 {
            return Err("it needs pictures of three classes or more".to_owned());
        }
        let places = (side / patch_side).pow(2);
        let mut cut = Self { pictures, patch_side, by_class, means: vec![0.0; places * patch_side * patch_side] };
        cut.means = cut.mean_patches();
        Ok(cut)
    }

    /// Classes of pictures.
    pub(crate) fn classes(&self) -> usize {
        self.by_class[0].len()
    }

    /// Patches of a picture.
    pub(crate) fn places(&self) -> usize {
        (self.pictures.side / self.patch_side).pow(2)
    }

    /// The pictures of a part and class.
    pub(crate) fn pictures(&self, part: Part, class: usize) -> &[usize] {
        &self.by_class[usize::from(part == Part::HeldOut)][class]
    }

    /// The centred patch of a picture at a place, scaled to length 1; 0 if it is no other than the mean.
    pub(crate) fn patch(&self, picture: usize, place: usize, patch: &mut Vec<f64>) {
        let means = &self.means[place * self.patch_side * self.patch_side..];
        patch.clear();
        patch.extend(self.pixels(picture, place).zip(means).map(|(pixel, mean)| pixel - mean));
        let length = patch.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            patch.iter_mut().for_each(|value| *value /= length);
        }
    }

    /// The grey values of a patch.
    fn pixels(&self, picture: usize, place: usize) -> impl Iterator<Item = f64> {
        let (side, p) = (self.pictures.side, self.patch_side);
        let (row, column) = (place / (side / p) * p, place % (side / p) * p);
        let first = picture * side * side + row * side + column;
        (0..p).flat_map(move |line| &self.pictures.pixels[first + line * side..][..p]).map(|&pixel| f64::from(pixel))
    }

    fn mean_patches(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.means.len()];
        let training: Vec<usize> = self.by_class[0].concat();
        for (place, sum) in sums.chunks_exact_mut(self.patch_side * self.patch_side).enumerate() {
            for &picture in &training {
                sum.iter_mut().zip(self.pixels(picture, place)).for_each(|(sum, pixel)| *sum += pixel);
            }
        }
        sums.into_iter().map(|sum| sum / training.len() as f64).collect()
    }
}

/// Pictures in patches, by what they are and p.
type Cuts = BTreeMap<(Images, usize), Arc<Cut>>;

/// What has been cut so far, by the pictures and p: samplers are made many times a run.
static CUTS: LazyLock<Mutex<Cuts>> = LazyLock::new(Mutex::default);

/// The pictures, cut into patches of d pixels; `None` if there are none to be cut. They are read once a process.
pub(crate) fn cut(images: &Images, patterns: usize) -> Option<Result<Arc<Cut>, String>> {
    if !images.are_some() {
        return None;
    }
    let p = patterns.isqrt();
    if p * p != patterns {
        return Some(Err("data.patterns must be the square of a whole number, the pixels of a patch".to_owned()));
    }
    let key = (images.clone(), p);
    // Whoever panics under the lock leaves nothing half done.
    let mut cuts = CUTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cut) = cuts.get(&key) {
        return Some(Ok(Arc::clone(cut)));
    }
    let made = read(images, p).and_then(|pictures| Cut::new(pictures, p)).map(Arc::new);
    if let Ok(cut) = &made {
        cuts.insert(key, Arc::clone(cut));
    }
    Some(made)
}

fn read(images: &Images, patch_side: usize) -> Result<Pictures, String> {
    match images {
        Images::Cifar(path) => cifar::read(path.as_ref()),
        Images::Shipped(Shipped::Textures) => shipped::textures(patch_side),
        Images::Shipped(shipped) => shipped::pictures(*shipped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(pictures: Shipped, patterns: usize) -> Arc<Cut> {
        cut(&Images::Shipped(pictures), patterns).expect("there are pictures").expect("they can be cut")
    }

    #[test]
    fn the_programs_pictures_have_their_classes_places_and_parts() {
        for (pictures, patterns, classes, places) in [
            (Shipped::Digits, 64, 10, 1),
            (Shipped::Digits, 16, 10, 4),
            (Shipped::Fashion, 49, 10, 4),
            (Shipped::Textures, 64, 8, 1),
        ] {
            let cut = shipped(pictures, patterns);
            assert_eq!((cut.classes(), cut.places()), (classes, places), "{pictures}");
            for class in 0..classes {
                let [training, held_out] = [Part::Training, Part::HeldOut].map(|part| cut.pictures(part, class));
                assert!(training.len() >= 100 && held_out.len() >= 30, "{pictures} {class}");
                assert!(training.iter().all(|picture| !held_out.contains(picture)), "{pictures} {class}");
            }
        }
    }

    #[test]
    fn patches_have_length_1_or_0_and_the_training_ones_no_common_mean() {
        let cut = shipped(Shipped::Digits, 16);
        let mut patch = Vec::new();
        let mut mean = [0.0; 16];
        for class in 0..10 {
            for &picture in cut.pictures(Part::Training, class) {
                cut.patch(picture, 2, &mut patch);
                let length = patch.iter().map(|value| value * value).sum::<f64>();
                assert!((length - 1.0).abs() < 1e-12 || length == 0.0);
                mean.iter_mut().zip(cut.pixels(picture, 2)).for_each(|(mean, pixel)| *mean += pixel);
            }
        }
        let pictures: usize = (0..10).map(|class| cut.pictures(Part::Training, class).len()).sum();
        for (pixel, (mean, taken_off)) in mean.iter().zip(&cut.means[2 * 16..]).enumerate() {
            assert!((mean / pictures as f64 - taken_off).abs() < 1e-9, "{pixel}");
        }
    }

    #[test]
    fn patches_of_a_picture_are_its_pixels() {
        let mut pictures = Pictures { side: 4, ..Pictures::default() };
        (0..6).for_each(|label| pictures.push(label / 2, (0..16).map(|pixel| pixel + label as u8), label % 2 == 1));
        let cut = Cut::new(pictures, 2).expect("three classes");
        assert_eq!(cut.pixels(1, 2).collect::<Vec<_>>(), [9.0, 10.0, 13.0, 14.0]);
        assert_eq!(cut.pixels(0, 1).collect::<Vec<_>>(), [2.0, 3.0, 6.0, 7.0]);
    }

    #[test]
    fn what_can_not_be_cut_is_refused() {
        assert!(cut(&Images::Shipped(Shipped::Digits), 50).is_some_and(|cut| cut.is_err()));
        assert!(cut(&Images::Shipped(Shipped::Digits), 9).is_some_and(|cut| cut.is_err()));
        assert!(cut(&Images::default(), 9).is_none());
    }
}

//! The Gram matrix of a set of pictures: mean inner products of tokens.

use crate::patterns::pictures::{Cut, Part, cut};
use crate::record::GramRow;
use crate::sim::Point;
use std::collections::BTreeSet;

/// The mean inner products of all pairs of classes, in either part, of the pictures that points show: each set of pictures
/// and size of patches once. They are of the patches themselves, at τ = 1.
pub(crate) fn gram(points: &[Point]) -> Vec<GramRow> {
    let data = points.iter().map(|point| &point.parameters.data);
    let shown: BTreeSet<_> = data.map(|data| (&data.images, data.patterns)).collect();
    let cut = |(images, patterns)| match cut(images, patterns) {
        Some(Ok(cut)) => rows(&cut, images.text(), patterns),
        _ => Vec::new(),
    };
    shown.into_iter().flat_map(cut).collect()
}

/// The rows of one set of pictures.
fn rows(cut: &Cut, images: &str, patterns: usize) -> Vec<GramRow> {
    let mut rows = Vec::new();
    for (part, name) in [(Part::Training, "training"), (Part::HeldOut, "held-out")] {
        let means: Vec<Vec<f64>> = (0..cut.classes()).map(|class| mean_patch(cut, part, class, patterns)).collect();
        for (class, mean) in means.iter().enumerate() {
            for (other, of_other) in means.iter().enumerate() {
                rows.push(GramRow {
                    images: images.to_owned(),
                    patterns,
                    part: name.to_owned(),
                    class,
                    other,
                    inner_product: mean.iter().zip(of_other).map(|(a, b)| a * b).sum(),
                });
            }
        }
    }
    rows
}

/// The mean of all patches of a class. The inner product of two such means is the mean over pairs of patches.
fn mean_patch(cut: &Cut, part: Part, class: usize, patterns: usize) -> Vec<f64> {
    let (mut sum, mut patch) = (vec![0.0; patterns], Vec::new());
    let pictures = cut.pictures(part, class);
    for &picture in pictures {
        for place in 0..cut.places() {
            cut.patch(picture, place, &mut patch);
            sum.iter_mut().zip(&patch).for_each(|(sum, value)| *sum += value);
        }
    }
    let patches = (pictures.len() * cut.places()) as f64;
    sum.into_iter().map(|value| value / patches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::parameters::{Images, Shipped};

    /// All patches of a part's pictures of a class.
    fn patches(cut: &Cut, part: Part, class: usize) -> Vec<Vec<f64>> {
        let mut found = Vec::new();
        for &picture in cut.pictures(part, class) {
            for place in 0..cut.places() {
                let mut patch = Vec::new();
                cut.patch(picture, place, &mut patch);
                found.push(patch);
            }
        }
        found
    }

    /// Pair by pair, in both parts: a row that is another part's, class's or an ideal's would differ.
    #[test]
    fn every_inner_product_is_the_mean_over_the_pairs_of_its_own_part_and_classes() {
        let images = Images::Shipped(Shipped::Digits);
        let cut = cut(&images, 16).expect("pictures").expect("cut");
        let rows = rows(&cut, "digits", 16);
        assert_eq!(rows.len(), 2 * 10 * 10);
        for row in rows.iter().filter(|row| row.class < 3 && row.other < 3) {
            let part = if row.part == "training" { Part::Training } else { Part::HeldOut };
            let [own, other] = [row.class, row.other].map(|class| patches(&cut, part, class));
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let sum: f64 = own.iter().flat_map(|a| other.iter().map(move |b| product(a, b))).sum();
            let mean = sum / (own.len() * other.len()) as f64;
            assert!((row.inner_product - mean).abs() < 1e-9, "{row:?} {mean}");
        }
    }
}

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
    let mut rows = Vec::new();
    for (images, patterns) in shown {
        let Some(Ok(cut)) = cut(images, patterns) else { continue };
        for (part, name) in [(Part::Training, "training"), (Part::HeldOut, "held-out")] {
            let means: Vec<Vec<f64>> =
                (0..cut.classes()).map(|class| mean_patch(&cut, part, class, patterns)).collect();
            for (class, mean) in means.iter().enumerate() {
                for (other, of_other) in means.iter().enumerate() {
                    rows.push(GramRow {
                        images: images.text().to_owned(),
                        patterns,
                        part: name.to_owned(),
                        class,
                        other,
                        inner_product: mean.iter().zip(of_other).map(|(a, b)| a * b).sum(),
                    });
                }
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

//! The rows of a router as numbers.

use super::dtype::{Rounding, decode};
use super::error::{Result, refused};
use super::family::Family;
use super::files::{CheckpointFiles, Tensor};
use super::site::Site;
use safetensors::Dtype;

/// The largest router that is read: 4,096 experts of width 65,536 in F32.
const LARGEST: u64 = 1 << 30;

/// Rows of a router, one an expert.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RouterRows {
    /// `[E, H]`.
    pub values: Vec<f64>,
    /// H.
    pub hidden: usize,
    /// How far each number may be from what was rounded.
    pub rounding: Rounding,
}

impl RouterRows {
    /// Reads the rows of the experts that have weights.
    ///
    /// # Errors
    /// Types that hold no floating-point numbers; numbers that are not finite; FP8 without a scale that is known.
    pub(crate) fn read(files: &CheckpointFiles, site: &Site) -> Result<Self> {
        let tensor = &files.tensors[&site.router];
        let rounding = Rounding::of(tensor.dtype).ok_or_else(|| not_numbers(&site.router, tensor))?;
        let mut values = read_values(files, &site.router, tensor)?;
        let (experts, hidden) = (site.experts as usize, site.hidden as usize);
        if site.axis == 1 {
            let rows = site.rows as usize;
            values = (0..experts * hidden).map(|entry| values[entry % hidden * rows + entry / hidden]).collect();
        }
        values.truncate(experts * hidden);
        Ok(Self { values, hidden, rounding })
    }

    /// The rows, in the order of the experts.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.hidden)
    }

    /// The mean over experts, removed from every row: what a vector added to all rows can't change (L12).
    pub(crate) fn less_mean(&self) -> Self {
        let experts = self.rows().len() as f64;
        let mut mean = vec![0.0; self.hidden];
        for row in self.rows() {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / experts);
        }
        let values = self.rows().flat_map(|row| row.iter().zip(&mean).map(|(value, mean)| value - mean)).collect();
        Self { values, ..self.clone() }
    }

    /// What multiplies the normalised input: w ⊙ γ, less its mean over coordinates where the layer removes the input's.
    pub(crate) fn folded(&self, gamma: &[f64], family: &Family) -> Self {
        let offset = f64::from(family.norm_offset);
        let fold = |row: &[f64]| {
            let folded: Vec<f64> = row.iter().zip(gamma).map(|(value, gamma)| value * (gamma + offset)).collect();
            let mean = if family.norm_centres { folded.iter().sum::<f64>() / folded.len() as f64 } else { 0.0 };
            folded.into_iter().map(|value| value - mean).collect::<Vec<_>>()
        };
        Self { values: self.rows().flat_map(fold).collect(), ..self.clone() }
    }
}

/// γ of a site; `None` where its name is not known or the tensor is of another shape.
pub(crate) fn gamma(files: &CheckpointFiles, site: &Site) -> Result<Option<Vec<f64>>> {
    let Some(name) = &site.norm else { return Ok(None) };
    let tensor = &files.tensors[name];
    match tensor.shape == [site.hidden] && Rounding::of(tensor.dtype).is_some() {
        true => read_values(files, name, tensor).map(Some),
        false => Ok(None),
    }
}

/// The numbers of a whole tensor, scaled where it is FP8.
pub(crate) fn read_values(files: &CheckpointFiles, name: &str, tensor: &Tensor) -> Result<Vec<f64>> {
    if tensor.bytes > LARGEST {
        return Err(refused(name, format!("{} bytes: must be at most {LARGEST} for a router", tensor.bytes)));
    }
    let mut values = decode(tensor.dtype, &files.bytes(tensor)?).ok_or_else(|| not_numbers(name, tensor))?;
    if matches!(tensor.dtype, Dtype::F8_E4M3 | Dtype::F8_E5M2) {
        scale(files, name, tensor, &mut values)?;
    }
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(refused(name, "holds numbers that are not finite")),
    }
}

/// Suffixes of the tensors that scale an FP8 tensor: the stored numbers times the scale are the weights.
const SCALES: [&str; 3] = ["_scale_inv", "_scale", ".scale"];

/// Sides of the squares that share a scale.
const BLOCK: usize = 128;

/// Multiplies FP8 numbers by their scale: one for all, one a row, or one a square of 128 × 128.
pub(crate) fn scale(files: &CheckpointFiles, name: &str, tensor: &Tensor, values: &mut [f64]) -> Result<()> {
    let stem = name.strip_suffix(".weight").unwrap_or(name);
    let names = SCALES
        .iter()
        .map(|suffix| if suffix.starts_with('.') { format!("{stem}{suffix}") } else { format!("{name}{suffix}") });
    let found = names.into_iter().find_map(|name| files.tensors.get(&name).map(|tensor| (name, tensor)));
    let (scale_name, scale) =
        found.ok_or_else(|| refused(name, "is FP8, and no scale of it was found: its numbers mean nothing"))?;
    let scales = decode(scale.dtype, &files.bytes(scale)?).ok_or_else(|| not_numbers(&scale_name, scale))?;
    let (rows, columns) = match tensor.shape.as_slice() {
        [rows, columns] => (*rows as usize, *columns as usize),
        _ => (1, values.len()),
    };
    let blocks = columns.div_ceil(BLOCK);
    let at = |row: usize, column: usize| match scales.len() {
        1 => Some(0),
        count if count == rows => Some(row),
        count if count == rows.div_ceil(BLOCK) * blocks => Some(row / BLOCK * blocks + column / BLOCK),
        _ => None,
    };
    for (entry, value) in values.iter_mut().enumerate() {
        let place = at(entry / columns, entry % columns).ok_or_else(|| {
            refused(&scale_name, format!("shape {:?} scales no tensor of shape {:?}", scale.shape, tensor.shape))
        })?;
        *value *= scales[place];
    }
    Ok(())
}

fn not_numbers(name: &str, tensor: &Tensor) -> super::CheckpointError {
    refused(name, format!("is {:?}, which is no floating-point number: it can't be ranked", tensor.dtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f64], hidden: usize) -> RouterRows {
        let rounding = Rounding::of(Dtype::F32).expect("floating");
        RouterRows { values: values.to_vec(), hidden, rounding }
    }

    #[test]
    fn the_mean_over_experts_is_removed() {
        assert_eq!(rows(&[1.0, 2.0, 3.0, 6.0], 2).less_mean().values, [-1.0, -2.0, 1.0, 2.0]);
    }

    #[test]
    fn gamma_multiplies_columns() {
        let router = rows(&[1.0, 2.0, 3.0, 6.0], 2);
        let plain = Family::default();
        assert_eq!(router.folded(&[2.0, 0.5], &plain).values, [2.0, 1.0, 6.0, 3.0]);
        let offset = Family { norm_offset: 1, ..Family::default() };
        assert_eq!(router.folded(&[1.0, -0.5], &offset).values, [2.0, 1.0, 6.0, 3.0]);
        let centred = Family { norm_centres: true, ..Family::default() };
        assert_eq!(router.folded(&[2.0, 0.5], &centred).values, [0.5, -0.5, 1.5, -1.5]);
    }
}

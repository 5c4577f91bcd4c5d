//! Scores of the experts' own weights, read piece by piece.

use super::dtype::{decode, decode_mxfp4};
use super::error::{Result, refused};
use super::files::{CheckpointFiles, Place, Tensor};
use super::neurons::{Neurons, Sums, WeightScores, WeightSums};
use super::rows::scale;
use super::site::{Cut, Member, Role, Site};
use safetensors::Dtype;
use std::collections::BTreeMap;

/// Bytes that are read at once: a whole number of entries of every type.
const PIECE: u64 = 1 << 20;

/// The scores of the weights of every expert.
///
/// # Errors
/// Weights that are stored differently in the two checkpoints, or that are quantised in a way that is not known.
pub(crate) fn weight_scores(
    (before_files, before): (&CheckpointFiles, &Site),
    (after_files, after): (&CheckpointFiles, &Site),
) -> Result<Vec<WeightScores>> {
    let partners: BTreeMap<&str, &Member> =
        before.members.iter().map(|member| (before.relative(&member.name), member)).collect();
    let mut experts = vec![WeightSums::default(); after.experts as usize];
    for member in after.members.iter().filter(|member| member.role != Role::Router && !is_scale(&member.name)) {
        let tensor = &after_files.tensors[&member.name];
        let partner = partners
            .get(after.relative(&member.name))
            .filter(|partner| before_files.tensors[&partner.name].shape == tensor.shape);
        let Some(partner) = partner else {
            let problem = "has no partner of its name and shape in the pre-trained checkpoint: the change of experts can't be read";
            return Err(refused(&member.name, problem));
        };
        let neurons = Neurons::of(member, tensor, after);
        let numbers = match member.cut {
            Cut::Numbered { expert, .. } => expert..expert + 1,
            Cut::Axis { .. } => 0..after.experts,
        };
        for expert in numbers {
            let mut old = Pieces::of(before_files, partner, expert, after.experts)?;
            let mut new = Pieces::of(after_files, member, expert, after.experts)?;
            let mut sums = Sums::of(neurons);
            loop {
                // Pieces of two types hold differently many numbers.
                let (before, after) = (old.rest()?, new.rest()?);
                let count = before.len().min(after.len());
                if count == 0 {
                    break;
                }
                sums.add(&before[..count], &after[..count]);
                old.taken += count;
                new.taken += count;
            }
            experts[expert as usize].add(sums);
        }
    }
    Ok(experts.iter().map(WeightSums::scores).collect())
}

/// Scales are part of the numbers that they scale.
fn is_scale(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|word| word.contains("scale"))
}

/// The weights of one expert in one tensor, piece by piece.
struct Pieces<'a> {
    files: &'a CheckpointFiles,
    name: &'a str,
    tensor: &'a Tensor,
    /// Bytes of the tensor that are to be read.
    next: u64,
    end: u64,
    /// The numbers of the last piece, and how many of them have been taken.
    values: Vec<f64>,
    taken: usize,
}

impl<'a> Pieces<'a> {
    fn of(files: &'a CheckpointFiles, member: &'a Member, expert: u64, experts: u64) -> Result<Self> {
        let tensor = &files.tensors[&member.name];
        let (next, end) = match member.cut {
            Cut::Numbered { .. } => (0, tensor.bytes),
            Cut::Axis { axis: 0, .. } => (tensor.bytes / experts * expert, tensor.bytes / experts * (expert + 1)),
            Cut::Axis { .. } => return Err(refused(&member.name, "experts that stand in columns can't be read")),
        };
        Ok(Self { files, name: &member.name, tensor, next, end, values: Vec::new(), taken: 0 })
    }

    /// The numbers that have not been taken, of the next piece where there were none; nothing at the end.
    fn rest(&mut self) -> Result<&[f64]> {
        if self.taken == self.values.len() && self.next < self.end {
            (self.values, self.taken) = (self.piece()?, 0);
        }
        Ok(&self.values[self.taken..])
    }

    fn piece(&mut self) -> Result<Vec<f64>> {
        let whole = matches!(self.tensor.dtype, Dtype::F8_E4M3 | Dtype::F8_E5M2);
        let count = if whole { self.end - self.next } else { PIECE.min(self.end - self.next) };
        let bytes = self.read(self.tensor, self.next, count)?;
        let unreadable =
            || refused(self.name, format!("is {:?}: the change of experts can't be read", self.tensor.dtype));
        let values = match self.tensor.dtype {
            Dtype::U8 => {
                let scales = self.name.strip_suffix("_blocks").map(|stem| format!("{stem}_scales"));
                let scales = scales.and_then(|name| self.files.tensors.get(&name)).ok_or_else(unreadable)?;
                let scales = self.read(scales, self.next / 16, count / 16)?;
                decode_mxfp4(&bytes, &scales).ok_or_else(unreadable)?
            }
            dtype => {
                let mut values = decode(dtype, &bytes).ok_or_else(unreadable)?;
                if whole {
                    scale(self.files, self.name, self.tensor, &mut values)?;
                }
                values
            }
        };
        self.next += count;
        Ok(values)
    }

    fn read(&self, tensor: &Tensor, from: u64, count: u64) -> Result<Vec<u8>> {
        match tensor.place {
            Place::File { file, start } => self.files.files[file].bytes_at(start + from, count),
            Place::Foreign(_) => {
                let bytes = self.files.bytes(tensor)?;
                let range = from as usize..(from + count) as usize;
                bytes.get(range).map(<[u8]>::to_vec).ok_or_else(|| refused(self.name, "is shorter than its shape says"))
            }
        }
    }
}

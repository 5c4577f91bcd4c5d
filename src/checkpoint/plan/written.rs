//! What becomes of each tensor.

use crate::checkpoint::error::{Result, refused};
use crate::checkpoint::files::Tensor;
use crate::checkpoint::keep::Chosen;
use crate::checkpoint::renumber::{NewName, Renumbering};
use crate::checkpoint::site::{Cut, Member, Role, Site};
use safetensors::Dtype;

/// What is written of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Copy,
    /// Entries of kept experts along an axis; `experts` were there, of `entries` each.
    Cut {
        axis: usize,
        entries: u64,
        experts: u64,
        kept: Vec<u64>,
    },
    /// The same bytes with 0 for these experts of so many.
    Zero {
        experts: u64,
        pruned: Vec<u64>,
    },
}

/// A tensor of the pruned checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub name: String,
    pub action: Action,
}

impl Written {
    /// The shape that is written.
    pub(crate) fn shape(&self, old: &Tensor) -> Vec<u64> {
        let mut shape = old.shape.clone();
        if let Action::Cut { axis, entries, experts, kept } = &self.action {
            shape[*axis] -= entries * (experts - kept.len() as u64);
        }
        shape
    }

    /// The bytes that are written.
    pub(crate) fn bytes(&self, old: &Tensor) -> u64 {
        match &self.action {
            Action::Cut { axis, entries, experts, kept } => {
                old.bytes / old.shape[*axis] * (old.shape[*axis] - entries * (experts - kept.len() as u64))
            }
            Action::Copy | Action::Zero { .. } => old.bytes,
        }
    }
}

/// What becomes of a tensor whose experts are deleted; `None` if it goes.
pub(super) fn cut(member: &Member, site: &Site, chosen: &Chosen, renumbering: &Renumbering<'_>) -> Option<Written> {
    match &member.cut {
        Cut::Numbered { .. } => match renumbering.name(&member.name) {
            NewName::Same => Some(Written { name: member.name.clone(), action: Action::Copy }),
            NewName::Renamed(name) => Some(Written { name, action: Action::Copy }),
            NewName::Gone => None,
        },
        Cut::Axis { axis, entries } => {
            let action =
                Action::Cut { axis: *axis, entries: *entries, experts: site.experts, kept: chosen.kept.clone() };
            Some(Written { name: member.name.clone(), action })
        }
    }
}

/// What becomes of a tensor whose experts say nothing.
pub(super) fn zeroed(member: &Member, tensor: &Tensor, site: &Site, chosen: &Chosen) -> Result<Option<Written>> {
    let copy = Written { name: member.name.clone(), action: Action::Copy };
    let last = member.name.rsplit(['.', '/']).next().unwrap_or_default();
    if member.role != Role::Output || last.contains("scale") {
        return Ok(Some(copy));
    }
    let pruned = match member.cut {
        Cut::Numbered { expert, .. } if chosen.kept.contains(&expert) => return Ok(Some(copy)),
        Cut::Numbered { .. } => Action::Zero { experts: 1, pruned: vec![0] },
        Cut::Axis { axis: 0, .. } => Action::Zero { experts: site.experts, pruned: chosen.pruned.clone() },
        Cut::Axis { .. } => {
            return Err(refused(&member.name, "experts stand in columns: --semantics zero can't be done"));
        }
    };
    // In MXFP4 the byte 0 is two zeros. In other packed types it need not be.
    let is_zero = !matches!(
        tensor.dtype,
        Dtype::BOOL
            | Dtype::I8
            | Dtype::I16
            | Dtype::U16
            | Dtype::I32
            | Dtype::U32
            | Dtype::I64
            | Dtype::U64
            | Dtype::F8_E8M0
    ) && (tensor.dtype != Dtype::U8 || last.ends_with("_blocks"));
    match is_zero {
        true => Ok(Some(Written { action: pruned, ..copy })),
        false => {
            let problem =
                format!("is {:?}, packed in a way that is not known: --semantics zero can't be done", tensor.dtype);
            Err(refused(&member.name, problem))
        }
    }
}

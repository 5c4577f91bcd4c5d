//! A router and its experts: which tensors hold something of every expert, and along which axis.

use super::error::{Result, listed, refused};
use super::family::Family;
use super::files::{CheckpointFiles, Tensor};
use super::pattern::{leading_number, matches};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

/// Which router of a model: the same in two checkpoints whatever prefix their names have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SiteKey {
    /// Whether it belongs to a head that predicts several tokens, which most programs don't load.
    pub mtp: bool,
    /// `encoder`, `decoder`, `attention`, or nothing.
    pub kind: &'static str,
    /// The layer's number.
    pub layer: u32,
}

impl fmt::Display for SiteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mtp = if self.mtp { "mtp " } else { "" };
        let space = if self.kind.is_empty() { "" } else { " " };
        write!(formatter, "{mtp}{}{space}layer {}", self.kind, self.layer)
    }
}

/// How a tensor is cut when experts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is of one expert, whose number stands at these letters of its name.
    Numbered { expert: u64, letters: Range<usize> },
    /// Along an axis every expert has as many entries, in the experts' order; what follows the last expert's stays.
    Axis { axis: usize, entries: u64 },
}

/// A tensor that holds something of one expert or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub name: String,
    pub cut: Cut,
    pub role: Role,
}

/// What a tensor is to its expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It decides who is chosen: the router and what is added to its scores.
    Router,
    /// Weights of the expert.
    Weight,
    /// Its last weights: with 0 in them the expert says nothing.
    Output,
}

/// A router and its experts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub key: SiteKey,
    /// What stands before the block's name.
    pub prefix: String,
    /// The router's tensor.
    pub router: String,
    /// Along which of its axes experts are counted.
    pub axis: usize,
    /// E: experts that have weights.
    pub experts: u64,
    /// Rows of the router: E and those of experts without weights.
    pub rows: u64,
    /// H: the length of a row.
    pub hidden: u64,
    /// All tensors that are cut, the router among them.
    pub members: Vec<Member>,
    /// The weight that multiplies the router's input.
    pub norm: Option<String>,
    /// A table of experts by number, in place of a choice.
    pub table: Option<String>,
    /// Tensors that can't be cut, and why.
    pub problems: Vec<(String, String)>,
    /// Whether there is an expert that every token uses.
    pub shared: bool,
    /// Whether stacked weights are [E, in, out], where their shape does not tell.
    pub is_transposed: bool,
}

impl Site {
    /// Takes the tensors of a block apart; `block` has names relative to it. `None` if there is no router among them.
    pub(crate) fn new(
        key: SiteKey,
        prefix: &str,
        block: &BTreeMap<&str, &str>,
        files: &CheckpointFiles,
        family: &Family,
        zero_experts: u64,
    ) -> Result<Option<Self>> {
        let Some(router) = family.router.iter().find_map(|router| block.get(router.as_str())) else { return Ok(None) };
        let tensor = &files.tensors[*router];
        let axis = family.router_axis;
        let (Some(&rows), Some(&hidden), 2) = (tensor.shape.get(axis), tensor.shape.get(1 - axis), tensor.shape.len())
        else {
            return Err(refused(router, format!("shape {:?}: a router has two axes", tensor.shape)));
        };
        let Some(experts) = rows.checked_sub(zero_experts).filter(|&experts| experts > 0 && hidden > 0) else {
            let problem = format!(
                "shape {:?}: must have more rows than the {zero_experts} experts without weights",
                tensor.shape
            );
            return Err(refused(router, problem));
        };
        let members =
            vec![Member { name: (*router).to_owned(), cut: Cut::Axis { axis, entries: 1 }, role: Role::Router }];
        let mut site = Self {
            key,
            prefix: prefix.to_owned(),
            router: (*router).to_owned(),
            axis,
            experts,
            rows,
            hidden,
            members,
            norm: None,
            table: None,
            problems: Vec::new(),
            shared: false,
            is_transposed: family.transposed,
        };
        for (rest, name) in block.iter().filter(|(_, name)| *name != router) {
            site.add(rest, name, &files.tensors[*name], family);
        }
        Ok(Some(site))
    }

    /// Finds out what a tensor of the block is.
    fn add(&mut self, rest: &str, name: &str, tensor: &Tensor, family: &Family) {
        let is = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, rest));
        let output =
            family.outputs.iter().any(|word| rest.split(['.', '/']).any(|part| part.starts_with(word.as_str())));
        let weight = if output { Role::Output } else { Role::Weight };
        if let Some((expert, letters)) = numbered(family, rest, name) {
            self.members.push(Member { name: name.to_owned(), cut: Cut::Numbered { expert, letters }, role: weight });
        } else if is(&family.vectors) || is(&family.columns) {
            self.add_axis(name, tensor, usize::from(is(&family.columns)), self.rows, Role::Router);
        } else if is(&family.row_blocks) {
            self.add_axis(name, tensor, 0, self.experts, weight);
        } else if is(&family.stacked) {
            let is_common = tensor.shape.iter().all(|&side| side == 1) && self.experts > 1;
            let is_whole = tensor.shape.first() == Some(&self.experts);
            match is_common || is_whole {
                true if is_common => {}
                true => self.add_axis(name, tensor, 0, self.experts, weight),
                false => self.problem(name, tensor, 0, self.experts),
            }
        } else if is(&family.table) {
            self.table = Some(name.to_owned());
        } else if rest.starts_with("shared") {
            self.shared = true;
        } else if self.is_stranger(rest, tensor) && !is(&family.norm) {
            let problem = format!(
                "has one entry for each of {} experts and no pattern names it; a family of your own can (--family)",
                self.rows
            );
            self.problems.push((name.to_owned(), problem));
        }
    }

    /// Adds a tensor with equally many entries along an axis for each of `parts`.
    fn add_axis(&mut self, name: &str, tensor: &Tensor, axis: usize, parts: u64, role: Role) {
        match tensor.shape.get(axis) {
            Some(&length) if length > 0 && length % parts == 0 => {
                let cut = Cut::Axis { axis, entries: length / parts };
                self.members.push(Member { name: name.to_owned(), cut, role });
            }
            _ => self.problem(name, tensor, axis, parts),
        }
    }

    fn problem(&mut self, name: &str, tensor: &Tensor, axis: usize, parts: u64) {
        let problem = format!(
            "shape {:?}: axis {axis} must have {parts} entries, as many as the router has experts",
            tensor.shape
        );
        self.problems.push((name.to_owned(), problem));
    }

    /// Whether a tensor looks as if it had an entry an expert.
    fn is_stranger(&self, rest: &str, tensor: &Tensor) -> bool {
        let sides: Vec<u64> = tensor.shape.iter().copied().filter(|&side| side != 1).collect();
        let speaks = ["gate", "router", "expert", "score", "bias", "moe"].iter().any(|word| rest.contains(word));
        speaks && sides == [self.rows] && self.rows != self.hidden
    }

    /// Refuses a site whose experts are not all there, or of which something is not understood.
    pub(crate) fn check_members(&self) -> Result<()> {
        let place = || format!("{} ({})", self.key, self.router);
        if let Some((name, problem)) = self.problems.first() {
            return Err(refused(name, problem));
        }
        let mut tails: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for member in &self.members {
            if let Cut::Numbered { expert, letters } = &member.cut {
                if *expert >= self.experts {
                    let problem = format!("expert {expert}, but the router has {} rows", self.experts);
                    return Err(refused(&member.name, problem));
                }
                tails.entry(*expert).or_default().insert(&member.name[letters.end..]);
            }
        }
        let all: BTreeSet<&str> = tails.values().flatten().copied().collect();
        for expert in (0..self.experts).filter(|_| !tails.is_empty()) {
            let own = tails.get(&expert);
            let lacking: Vec<&&str> = all.iter().filter(|tail| !own.is_some_and(|own| own.contains(*tail))).collect();
            if !lacking.is_empty() {
                let problem =
                    format!("expert {expert} lacks {}, which others have; incomplete download?", listed(&lacking, 3));
                return Err(refused(place(), problem));
            }
        }
        let stacked =
            self.members.iter().any(|member| member.role == Role::Output && matches!(member.cut, Cut::Axis { .. }));
        match tails.is_empty() && !stacked {
            true => Err(refused(
                place(),
                "has a router, but its experts were not found; a family of your own can name them (--family)",
            )),
            false => Ok(()),
        }
    }

    /// Whether each expert has tensors of its own.
    pub(crate) fn is_numbered(&self) -> bool {
        self.members.iter().any(|member| matches!(member.cut, Cut::Numbered { .. }))
    }

    /// The name without what stands before the block: the same in two checkpoints whatever their prefixes.
    pub(crate) fn relative<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(self.prefix.as_str()).unwrap_or(name)
    }

    /// Bytes of one expert's weights, without its row of the router.
    pub(crate) fn expert_bytes(&self, files: &CheckpointFiles) -> u64 {
        let members = self.members.iter().filter(|member| member.role != Role::Router);
        let bytes = members.map(|member| match member.cut {
            Cut::Numbered { expert: 0, .. } => files.tensors[&member.name].bytes,
            Cut::Numbered { .. } => 0,
            Cut::Axis { .. } => files.tensors[&member.name].bytes / self.experts,
        });
        bytes.sum()
    }
}

/// The number of the expert in a name, and where it stands in the whole name.
fn numbered(family: &Family, rest: &str, name: &str) -> Option<(u64, Range<usize>)> {
    let offset = name.len() - rest.len();
    family.numbered.iter().find_map(|pattern| {
        let head = pattern.strip_suffix("{e}")?;
        let after = rest.strip_prefix(head)?;
        let (expert, tail) = leading_number(after)?;
        let start = offset + head.len();
        tail.starts_with(['.', '/']).then(|| (u64::from(expert), start..start + after.len() - tail.len()))
    })
}

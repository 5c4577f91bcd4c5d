//! What a checkpoint is, from its headers alone.

use super::error::Result;
use super::family::Effect;
use super::files::CheckpointFiles;
use super::formats::Format;
use super::layout::{FamilyChoice, Groups, Layout};
use super::site::{Role, Site, SiteKey};
use serde::Serialize;

/// A checkpoint's shape.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The folder or file.
    pub checkpoint: String,
    /// Its format.
    pub format: Format,
    /// Files of tensors.
    pub files: usize,
    /// Number of tensors.
    pub tensors: usize,
    /// Bytes of all tensors.
    pub bytes: u64,
    /// Numbers in all tensors, as they are stored.
    pub parameters: u64,
    /// The word of config.json.
    pub model_type: String,
    /// Experts a layer, where all layers have equally many.
    pub experts: Option<u64>,
    /// K: experts that a token uses.
    pub top_k: Option<u64>,
    /// Only where experts are chosen within groups.
    pub groups: Option<Groups>,
    /// What deleting does to the gates of those that stay.
    pub effect: Effect,
    /// Routers that belong to a head that predicts several tokens.
    pub mtp: usize,
    /// One entry a router.
    pub layers: Vec<LayerSummary>,
    /// What is odd but no error.
    pub notes: Vec<String>,
}

/// One router and its experts.
#[derive(Clone, Debug, Serialize)]
pub struct LayerSummary {
    /// Which one.
    #[serde(flatten)]
    pub site: SiteKey,
    /// Experts with weights.
    pub experts: u64,
    /// Rows of the router beyond those: experts without weights.
    pub zero_experts: u64,
    /// Length of a router's row.
    pub hidden: u64,
    /// The router's tensor.
    pub router: String,
    /// Its type.
    pub router_dtype: String,
    /// `numbered`: tensors of their own; `stacked`: one tensor of all.
    pub stored: &'static str,
    /// The types of the experts' tensors.
    pub expert_dtypes: Vec<String>,
    /// Bytes of one expert.
    pub expert_bytes: u64,
    /// Whether there is an expert that every token uses.
    pub shared: bool,
}

impl Summary {
    /// Reads the headers of a checkpoint.
    ///
    /// # Errors
    /// As [`CheckpointFiles::open`]; an unknown or refused family; experts that are not all there.
    pub fn of(files: &CheckpointFiles, choice: &FamilyChoice) -> Result<Self> {
        let layout = Layout::of(files, choice)?;
        let mut notes = files.notes.clone();
        notes.extend(layout.family.note.clone());
        notes.extend(layout.missing_mtp(files));
        for site in layout.sites.values() {
            site.check_members()?;
            if let Some(table) = &site.table {
                notes.push(format!("{}: routed by a table of tokens ({table}), not by its router", site.key));
            }
        }
        if layout.experts().is_none() {
            notes.push("layers have different numbers of experts, which few programs load".to_owned());
        }
        Ok(Self {
            checkpoint: files.shown(),
            format: files.format,
            files: files.files.len(),
            tensors: files.tensors.len(),
            bytes: files.total_bytes(),
            parameters: files.parameters(),
            experts: layout.experts(),
            top_k: layout.top_k,
            groups: layout.groups,
            effect: layout.effect,
            mtp: layout.sites.keys().filter(|key| key.mtp).count(),
            layers: layout.sites.values().map(|site| LayerSummary::of(site, files)).collect(),
            model_type: layout.model_type,
            notes,
        })
    }
}

impl LayerSummary {
    fn of(site: &Site, files: &CheckpointFiles) -> Self {
        let dtype = |name: &String| format!("{:?}", files.tensors[name].dtype);
        let mut expert_dtypes: Vec<String> = site
            .members
            .iter()
            .filter(|member| member.role != Role::Router)
            .map(|member| dtype(&member.name))
            .collect();
        expert_dtypes.sort();
        expert_dtypes.dedup();
        Self {
            site: site.key,
            experts: site.experts,
            zero_experts: site.rows - site.experts,
            hidden: site.hidden,
            router_dtype: dtype(&site.router),
            router: site.router.clone(),
            stored: if site.is_numbered() { "numbered" } else { "stacked" },
            expert_dtypes,
            expert_bytes: site.expert_bytes(files),
            shared: site.shared,
        }
    }
}

//! Adapters: routers of a model whose change is stored apart from it (PEFT).

use super::config::Config;
use super::error::{Result, refused};
use super::files::CheckpointFiles;
use super::rows::{RouterRows, read_values};
use super::site::{Role, Site};
use serde_json::Value;
use std::path::Path;

/// The name of an adapter's configuration.
const CONFIG: &str = "adapter_config.json";

/// Letters that make a key of `alpha_pattern` more than a name.
const REGULAR: &[char] = &['\\', '*', '+', '?', '(', ')', '[', ']', '|', '^', '$', '{', '}'];

/// An adapter, open.
#[derive(Debug)]
pub(crate) struct Adapter<'a> {
    files: &'a CheckpointFiles,
    config: Config,
}

impl<'a> Adapter<'a> {
    /// The adapter in a folder; `None` if it holds a whole model.
    pub(crate) fn of(files: &'a CheckpointFiles) -> Result<Option<Self>> {
        let dir = if files.place.is_dir() { &files.place } else { files.place.parent().unwrap_or(Path::new("")) };
        let path = dir.join(CONFIG);
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read(&path).map_err(|error| refused(path.display(), error))?;
        let config = Config::parse(path.display().to_string(), text)?;
        match config.value.get("peft_type").and_then(Value::as_str) {
            Some("LORA") => Ok(Some(Self { files, config })),
            other => {
                let shown = other.unwrap_or("nothing");
                Err(refused(&config.place, format!("peft_type = {shown}: must be LORA; merge other adapters first")))
            }
        }
    }

    /// The rows of a router with the adapter in them; `None` if the adapter does not change it.
    ///
    /// LoRA is W + s·B·A with s = α/r, or α/√r for rsLoRA. DoRA gives every row the stored norm. A module of
    /// `modules_to_save` is stored whole.
    pub(crate) fn rows(&self, base: &RouterRows, site: &Site) -> Result<Option<RouterRows>> {
        let module = site.relative(&site.router);
        let module = module.strip_suffix(".weight").unwrap_or(module);
        if let Some(name) = self.find(module, site.key.mtp, &["weight", "modules_to_save.weight"]) {
            let values = read_values(self.files, name, &self.files.tensors[name])?;
            return match values.len() == base.values.len() {
                true => Ok(Some(RouterRows { values, ..base.clone() })),
                false => Err(refused(name, format!("{} numbers: the router has {}", values.len(), base.values.len()))),
            };
        }
        let Some(a_name) = self.find(module, site.key.mtp, &["lora_A.weight"]) else { return Ok(None) };
        let b_name = a_name.replace(".lora_A.", ".lora_B.");
        let b_tensor =
            self.files.tensors.get(&b_name).ok_or_else(|| refused(a_name, format!("{b_name} is missing")))?;
        let a_tensor = &self.files.tensors[a_name];
        let experts = base.rows().len();
        let rank = match (a_tensor.shape.as_slice(), b_tensor.shape.as_slice()) {
            ([rank, hidden], [rows, inner])
                if *hidden == base.hidden as u64 && *rows == experts as u64 && rank == inner && *rank > 0 =>
            {
                *rank as usize
            }
            (a, b) => {
                let problem = format!(
                    "shapes {a:?} and {b:?} of lora_A and lora_B: must be [r, {}] and [{experts}, r]",
                    base.hidden
                );
                return Err(refused(a_name, problem));
            }
        };
        let a = read_values(self.files, a_name, a_tensor)?;
        let b = read_values(self.files, &b_name, b_tensor)?;
        let scale = self.scale(module, rank)?;
        let mut merged = base.clone();
        for (row, b) in merged.values.chunks_exact_mut(base.hidden).zip(b.chunks_exact(rank)) {
            for (b, a) in b.iter().zip(a.chunks_exact(base.hidden)) {
                row.iter_mut().zip(a).for_each(|(value, a)| *value += scale * b * a);
            }
        }
        if let Some(name) = self.find(module, site.key.mtp, &["lora_magnitude_vector", "lora_magnitude_vector.weight"])
        {
            let magnitudes = read_values(self.files, name, &self.files.tensors[name])?;
            if magnitudes.len() != experts {
                return Err(refused(
                    name,
                    format!("{} numbers: must be one for each of {experts} experts", magnitudes.len()),
                ));
            }
            for (row, magnitude) in merged.values.chunks_exact_mut(base.hidden).zip(magnitudes) {
                let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
                row.iter_mut().for_each(|value| *value *= magnitude / norm);
            }
        }
        Ok(Some(merged))
    }

    /// Whether it changes experts that are stored in one tensor: which rows of A and columns of B are whose then depends on
    /// the program that wrote it.
    pub(crate) fn changes_stacked_experts(&self, site: &Site) -> bool {
        let stacked = |member: &&super::site::Member| member.role != Role::Router && !site.is_numbered();
        let experts = site.members.iter().find(stacked).map(|member| site.relative(&member.name));
        let block = experts.and_then(|name| name.rsplit_once('.')).map(|(block, _)| format!("{block}."));
        block.is_some_and(|block| self.files.tensors.keys().any(|name| name.contains(&block) && name.contains("lora_")))
    }

    /// s.
    fn scale(&self, module: &str, rank: usize) -> Result<f64> {
        let patterns = self.config.value.get("alpha_pattern").and_then(Value::as_object);
        let mut alpha = self.config.value.get("lora_alpha");
        for (pattern, value) in patterns.into_iter().flatten() {
            if pattern.contains(REGULAR) {
                let problem =
                    format!("alpha_pattern = {pattern:?}: regular expressions are not read; merge the adapter first");
                return Err(refused(&self.config.place, problem));
            }
            if ends_with_words(module, pattern) {
                alpha = Some(value);
            }
        }
        let alpha = alpha.and_then(Value::as_f64).filter(|alpha| alpha.is_finite());
        let alpha = alpha.ok_or_else(|| refused(&self.config.place, "lora_alpha: must be a number"))?;
        let is_rank_stabilised = self.config.value.get("use_rslora").and_then(Value::as_bool) == Some(true);
        let rank = rank as f64;
        Ok(alpha / if is_rank_stabilised { rank.sqrt() } else { rank })
    }

    /// The tensor of a module with one of these ends.
    fn find(&self, module: &str, mtp: bool, ends: &[&str]) -> Option<&'a String> {
        let is_of = |name: &&String| {
            let stem = ends.iter().find_map(|end| name.strip_suffix(end)?.strip_suffix('.'));
            let is_mtp = name.split('.').any(|word| word.starts_with("mtp"));
            stem.is_some_and(|stem| ends_with_words(stem, module)) && (is_mtp == mtp || !is_mtp)
        };
        self.files.tensors.keys().find(is_of)
    }
}

/// Whether a name ends with whole words.
fn ends_with_words(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

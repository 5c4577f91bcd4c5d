//! Families of models: under which names their tensors stand. The families are data; a user can add one.

use super::config::Config;
use super::error::{Result, refused};
use super::pattern::BlockPattern;
use serde::Deserialize;

/// The families that are known.
const KNOWN: &str = include_str!("../../data/families.toml");

/// What deleting rows of the router does to the gates of the experts that stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Gates are normalised over the K that are chosen: only who is chosen changes.
    Renormalised,
    /// Softmax over all experts, not normalised again: gates of those that stay grow by 1/(1 − p of the pruned).
    Softmax,
    /// Each expert's gate is a function of its own row.
    Independent,
}

impl Effect {
    /// The effect in words.
    pub fn words(self) -> &'static str {
        match self {
            Effect::Renormalised => "gates are normalised over the chosen experts: deleting changes only who is chosen",
            Effect::Softmax => "softmax over all experts: deleting makes the gates of those that stay larger",
            Effect::Independent => "each gate is its own row's: deleting changes only who is chosen",
        }
    }
}

/// One entry of the table, as its file has it. Names of tensors are relative to the block; a `*` at the end stands for
/// anything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Family {
    /// The `model_type`s of config.json.
    pub model_type: Vec<String>,
    /// Why such models can't be ranked or pruned.
    pub refuse: Option<String>,
    /// Keys of the number of experts; all that are there change.
    pub experts: Vec<String>,
    /// Keys of K.
    pub top_k: Vec<String>,
    /// The part of a layer that has the router and the experts, with `{l}` for the layer's number.
    pub block: Vec<String>,
    /// The router, one row an expert; the first that is there.
    pub router: Vec<String>,
    /// Along which axis of the router experts are counted.
    pub router_axis: usize,
    /// Further tensors with one entry an expert along axis 0.
    pub vectors: Vec<String>,
    /// Tensors of shape [1, E].
    pub columns: Vec<String>,
    /// Where numbered experts stand, before the number.
    pub numbered: Vec<String>,
    /// Tensors of all experts, stacked along axis 0.
    pub stacked: Vec<String>,
    /// Whether stacked tensors are [E, in, out]; others are [E, out, in]. Only tensors with two equal sides need it.
    pub transposed: bool,
    /// Tensors whose axis 0 holds several rows of each expert.
    pub row_blocks: Vec<String>,
    /// The last tensors of an expert, by a word of their names: with 0 in them an expert says nothing.
    pub outputs: Vec<String>,
    /// The weight that multiplies the router's input, relative to the block or to what holds it.
    pub norm: Vec<String>,
    /// What is added to that weight before it multiplies: 1 where a model stores γ − 1.
    pub norm_offset: i32,
    /// Whether that layer also removes the mean of its input (LayerNorm), so that a row's mean has no effect.
    pub norm_centres: bool,
    /// What deleting does.
    pub effect: Effect,
    /// A key that, if true, makes `effect` renormalised.
    pub renormalised_if: Option<String>,
    /// The key of experts that have a row of the router, the last rows, and no weights.
    pub zero_experts: Option<String>,
    /// Keys of the number of groups that experts are chosen from.
    pub groups: Vec<String>,
    /// Keys of how many groups a token may use.
    pub groups_kept: Vec<String>,
    /// `KEY=WORD` without which the number of groups means nothing.
    pub groups_if: Option<String>,
    /// Whether the number of experts may be a list, one number a layer.
    pub count_per_layer: bool,
    /// The fewest experts that the model's code works with.
    pub least: u64,
    /// Whether the model's code counts on the K that it has.
    pub fixed_top_k: bool,
    /// Tensors of the block that name experts by number, so that no expert of the layer can be deleted.
    pub table: Vec<String>,
    /// Numbers of experts for which kernels exist, if only for some.
    pub supported: Vec<u64>,
    /// What else a user must know.
    pub note: Option<String>,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    family: Vec<Family>,
}

/// All families: those of the user first, then those that are known.
#[derive(Clone, Debug)]
pub struct Families(Vec<Family>);

impl Families {
    /// The families that are known.
    pub fn known() -> Result<Self> {
        Self::parse("families.toml", KNOWN)
    }

    /// Reads a file of `[[family]]` entries.
    ///
    /// # Errors
    /// Unknown keys, keys of the wrong type, and blocks without `{l}`.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let table: Table = toml::from_str(text).map_err(|error| refused(place, error.to_string().trim_end()))?;
        for family in &table.family {
            let name = family.model_type.first().ok_or_else(|| refused(place, "a family without model_type"))?;
            let problem = match () {
                () if family.refuse.is_some() => continue,
                () if family.block.is_empty() => "block = []: must name at least one".to_owned(),
                () if family.router.is_empty() => "router = []: must name at least one".to_owned(),
                () if family.router_axis > 1 => format!("router_axis = {}: must be 0 or 1", family.router_axis),
                () => match family.block.iter().find(|block| BlockPattern::parse(block).is_none()) {
                    Some(block) => format!("block = {block:?}: must hold {{l}} once, in place of the layer's number"),
                    None => match family.numbered.iter().find(|pattern| !pattern.ends_with("{e}")) {
                        Some(pattern) => format!("numbered = {pattern:?}: must end with {{e}}"),
                        None => continue,
                    },
                },
            };
            return Err(refused(place, format!("family {name}: {problem}")));
        }
        Ok(Self(table.family))
    }

    /// Puts a user's families before the known ones.
    pub fn with(mut self, mut own: Self) -> Self {
        own.0.append(&mut self.0);
        own
    }

    /// The model types that are known, in the order of the table.
    pub fn model_types(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|family| &family.model_type).map(String::as_str)
    }

    /// The family of a type.
    pub(crate) fn get(&self, model_type: &str) -> Option<&Family> {
        self.0.iter().find(|family| family.model_type.iter().any(|name| name == model_type))
    }

    /// The family of a configuration: that of the innermost type that is known, for a model with a text model in it.
    pub(crate) fn of(&self, config: &Config) -> Option<(String, &Family)> {
        config.model_types().into_iter().rev().find_map(|name| self.get(&name).map(|family| (name, family)))
    }
}

impl Family {
    /// A family that a router's pattern defines: `layers.{l}.mlp.gate.weight` has the block `layers.{l}.mlp`.
    pub(crate) fn of_router(pattern: &str, config: Option<&Config>) -> Result<Self> {
        let bad = || {
            refused(
                format!("--router-pattern {pattern}"),
                "must be the router's name with {l} for the layer's number, for example layers.{l}.mlp.gate.weight",
            )
        };
        let (before, after) = pattern.split_once("{l}").ok_or_else(bad)?;
        let after = after.strip_prefix('.').ok_or_else(bad)?;
        let (part, router) = after.split_once('.').ok_or_else(bad)?;
        let counts = config.map(Config::expert_counts).unwrap_or_default();
        let keys = counts.into_iter().map(|(path, _)| path.rsplit('.').next().unwrap_or(&path).to_owned());
        let mut keys: Vec<String> = keys.collect();
        keys.sort();
        keys.dedup();
        let block = format!("{before}{{l}}.{part}");
        BlockPattern::parse(&block).ok_or_else(bad)?;
        Ok(Self {
            model_type: vec!["--router-pattern".to_owned()],
            experts: keys,
            block: vec![block],
            router: vec![router.to_owned()],
            ..Self::default()
        })
    }

    /// The blocks' patterns.
    pub(crate) fn blocks(&self) -> Vec<BlockPattern> {
        self.block.iter().filter_map(|block| BlockPattern::parse(block)).collect()
    }
}

impl Default for Family {
    /// What an entry has that names nothing.
    fn default() -> Self {
        Self {
            model_type: Vec::new(),
            refuse: None,
            experts: Vec::new(),
            top_k: words(&["num_experts_per_tok"]),
            block: Vec::new(),
            router: words(&["gate.weight"]),
            router_axis: 0,
            vectors: Vec::new(),
            columns: Vec::new(),
            numbered: words(&["experts.{e}", "experts.expert_{e}"]),
            stacked: words(&["experts.*"]),
            transposed: false,
            row_blocks: Vec::new(),
            outputs: words(&["down_proj", "w2", "wo", "fc2", "output_linear"]),
            norm: words(&["post_attention_layernorm.weight"]),
            norm_offset: 0,
            norm_centres: false,
            effect: Effect::Softmax,
            renormalised_if: None,
            zero_experts: None,
            groups: words(&["n_group", "num_expert_group"]),
            groups_kept: words(&["topk_group"]),
            groups_if: None,
            count_per_layer: false,
            least: 1,
            fixed_top_k: false,
            table: Vec::new(),
            supported: Vec::new(),
            note: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_legal_and_names_no_type_twice() {
        let families = Families::known().expect("legal");
        let mut types: Vec<&str> = families.model_types().collect();
        assert!(types.len() > 40);
        types.sort_unstable();
        assert!(types.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_users_family_comes_first_and_its_errors_are_named() {
        let own = Families::parse("my.toml", "[[family]]\nmodel_type = [\"mixtral\"]\nblock = [\"h.{l}.moe\"]\n");
        let families = Families::known().expect("legal").with(own.expect("legal"));
        assert_eq!(families.get("mixtral").expect("known").block, ["h.{l}.moe"]);
        let problem = |text: &str| Families::parse("my.toml", text).map(|_| ()).expect_err("refused").to_string();
        assert!(problem("[[family]]\nmodel_type = [\"a\"]\nblocks = []\n").contains("unknown field `blocks`"));
        assert_eq!(
            problem("[[family]]\nmodel_type = [\"a\"]\nblock = [\"layers.mlp\"]\n"),
            "my.toml: family a: block = \"layers.mlp\": must hold {l} once, in place of the layer's number"
        );
    }

    #[test]
    fn a_pattern_defines_a_family() {
        let family = Family::of_router("layers.{l}.moe.score.weight", None).expect("legal");
        assert_eq!((family.block[0].as_str(), family.router[0].as_str()), ("layers.{l}.moe", "score.weight"));
        assert!(Family::of_router("gate.weight", None).is_err());
    }
}

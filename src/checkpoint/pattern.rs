//! Patterns of tensor names: a literal with the number of a layer or of an expert in it.

use std::fmt;

/// `BEFORE{l}AFTER`, for example `layers.{l}.mlp`: matches whole words anywhere in a name, whatever stands before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockPattern {
    before: String,
    after: String,
}

/// A name that matches a block's pattern, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InBlock<'a> {
    /// All before the pattern: `model.`, `model.language_model.`, `mtp.` or nothing.
    pub prefix: &'a str,
    /// The number of the layer.
    pub layer: u32,
    /// The name within the block: `gate.weight`.
    pub rest: &'a str,
}

impl BlockPattern {
    /// Reads a pattern; `None` unless it holds `{l}` once.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (before, after) = text.split_once("{l}")?;
        (!after.contains("{l}")).then(|| Self { before: before.to_owned(), after: after.to_owned() })
    }

    /// Takes a name apart; `None` if the pattern does not occur in it.
    pub(crate) fn find<'a>(&self, name: &'a str) -> Option<InBlock<'a>> {
        let starts = name.match_indices(self.before.as_str()).map(|(start, _)| start);
        starts.filter(|&start| is_boundary(&name[..start])).find_map(|start| {
            let (layer, rest) = leading_number(&name[start + self.before.len()..])?;
            let rest = rest.strip_prefix(self.after.as_str())?;
            let rest = rest.strip_prefix(['.', '/'])?;
            Some(InBlock { prefix: &name[..start], layer, rest })
        })
    }

    /// What tells several routers of one layer apart: `encoder`, `decoder`, `attention`; empty where there is one.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            _ if self.before.starts_with("encoder.") => "encoder",
            _ if self.before.starts_with("decoder.") => "decoder",
            _ if self.after.contains("attention") => "attention",
            _ => "",
        }
    }
}

impl fmt::Display for BlockPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{{l}}{}", self.before, self.after)
    }
}

/// Whether a word can begin behind this text.
fn is_boundary(before: &str) -> bool {
    before.is_empty() || before.ends_with(['.', '/'])
}

/// The number at the beginning of a text, and what follows it. Leading zeros would be another name: they match nothing.
pub(crate) fn leading_number(text: &str) -> Option<(u32, &str)> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, rest) = text.split_at(digits);
    let canonical = number == "0" || !number.starts_with('0');
    number.parse().ok().filter(|_| canonical).map(|number| (number, rest))
}

/// Whether a name is the pattern, in which a `*` at the end stands for anything.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => name.starts_with(head),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_behind_any_prefix_and_at_whole_words() {
        let pattern = BlockPattern::parse("layers.{l}.mlp").expect("legal");
        let found =
            |name| pattern.find(name).map(|block| (block.prefix.to_owned(), block.layer, block.rest.to_owned()));
        let expected = |prefix: &str, layer, rest: &str| Some((prefix.to_owned(), layer, rest.to_owned()));
        assert_eq!(found("model.layers.12.mlp.gate.weight"), expected("model.", 12, "gate.weight"));
        assert_eq!(found("layers.0.mlp.gate.weight"), expected("", 0, "gate.weight"));
        assert_eq!(found("mtp.layers.0.mlp.gate.weight"), expected("mtp.", 0, "gate.weight"));
        for other in
            ["model.sublayers.1.mlp.gate", "model.layers.1.mlp2.gate", "model.layers.01.mlp.gate", "layers.1.mlp"]
        {
            assert_eq!(found(other), None, "{other}");
        }
        let flax = BlockPattern::parse("Encoder/encoderblock_{l}/Moe").expect("legal");
        let block = flax.find("params/Encoder/encoderblock_3/Moe/Router/dense/kernel").expect("found");
        assert_eq!((block.prefix, block.layer, block.rest), ("params/", 3, "Router/dense/kernel"));
        assert_eq!(BlockPattern::parse("layers.mlp"), None);
    }

    #[test]
    fn a_star_stands_for_any_end() {
        assert!(matches("experts.down_proj*", "experts.down_proj_blocks"));
        assert!(!matches("experts.down_proj", "experts.down_proj_blocks"));
    }
}

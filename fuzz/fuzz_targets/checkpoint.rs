//! A letter that says which file it is, and that file of a checkpoint whose other files are right (of V-MoE's format an index
//! and its shards): its summary and its ranking against itself, or a refusal. So `inspect`, `rank` and `prune` read headers,
//! indices, configurations, trees and archives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::checkpoint::{CheckpointFiles, Families, FamilyChoice, Ranking, RowCriterion, Summary};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

static CHOICE: LazyLock<FamilyChoice> =
    LazyLock::new(|| FamilyChoice { families: Families::known().expect("legal"), router_pattern: None });

/// The right files, for those that are not fuzzed.
const RIGHT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/checkpoints/mixtral_bf16_sharded/pretrained");

fuzz_target!(|bytes: &[u8]| {
    let Some((letter, mut content)) = bytes.split_first() else { return };
    let dir = std::env::temp_dir().join(format!("fuzz-checkpoint-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder");
    let copy = |name: &str| fs::copy(Path::new(RIGHT).join(name), dir.join(name)).map(|_| ()).expect("a file");
    let shards = || (1..=3).for_each(|shard| copy(&format!("model-{shard:05}-of-00003.safetensors")));
    let name = match letter {
        b'h' => {
            copy("config.json");
            "model.safetensors"
        }
        b'i' => {
            copy("config.json");
            shards();
            "model.safetensors.index.json"
        }
        b'c' => {
            shards();
            copy("model.safetensors.index.json");
            "config.json"
        }
        b'm' => "model.msgpack",
        b'v' => {
            // Two lengths, then an index and its two shards.
            let Some((lengths, rest)) = content.split_first_chunk::<4>() else { return };
            let length = |low: usize| usize::from(u16::from_le_bytes([lengths[low], lengths[low + 1]]));
            let (index, shards) = rest.split_at(length(0).min(rest.len()));
            let (first, second) = shards.split_at(length(2).min(shards.len()));
            for (name, bytes) in [("model.index", index), ("model.data-00000-of-00002", first)] {
                fs::write(dir.join(name), bytes).expect("a file");
            }
            content = second;
            "model.data-00001-of-00002"
        }
        b'z' => "model.npz",
        _ => return,
    };
    fs::write(dir.join(name), content).expect("a file");
    let Ok(files) = CheckpointFiles::open(&dir) else { return };
    let _ = Summary::of(&files, &CHOICE);
    let _ = Ranking::of(&files, &files, &CHOICE, RowCriterion::ExpertChange, true);
});

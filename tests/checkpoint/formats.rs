//! Formats of JAX and NumPy: the same routers give the same ranking, however they are stored.

use crate::Lab;
use crate::cli_common::Bench;
use crate::fixtures::{Cut, HIDDEN, Model, Tensor, growth};
use safetensors::Dtype;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::Path;

/// V-MoE's names: routers [H, E] in blocks 1 and 3, and an optimiser that has the same names.
fn vmoe() -> Model {
    let mut model = Model::new(json!({}), 8);
    for block in [1, 3] {
        let prefix = format!("params/Encoder/encoderblock_{block}");
        model.router(format!("{prefix}/Moe/Router/dense/kernel"), Dtype::F32, 8, 1);
        model.add(format!("{prefix}/Moe/Mlp/Dense_0/kernel"), Dtype::F32, &[8, HIDDEN, 6], Cut::Axis(0, 1));
        model.add(format!("{prefix}/Moe/Mlp/Dense_0/bias"), Dtype::F32, &[8, 6], Cut::Axis(0, 1));
        model.add(format!("{prefix}/Moe/Mlp/Dense_1/kernel"), Dtype::F32, &[8, 6, HIDDEN], Cut::Axis(0, 1));
        model.add(format!("{prefix}/Moe/Mlp/Dense_1/bias"), Dtype::F32, &[8, HIDDEN], Cut::Axis(0, 1));
        model.add(format!("{prefix}/LayerNorm_1/scale"), Dtype::F32, &[HIDDEN], Cut::Whole);
    }
    model
}

fn with_optimiser(model: &Model) -> Vec<Tensor> {
    let mut tensors = model.tensors.clone();
    for tensor in &model.tensors {
        tensors.push(Tensor { name: tensor.name.replacen("params/", "opt_state/mu/", 1), ..tensor.clone() });
    }
    tensors
}

/// MessagePack as its writers make it, by hand.
mod pack {
    pub fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![0xde];
        bytes.extend((entries.len() as u16).to_be_bytes());
        for (key, value) in entries {
            bytes.extend(text(key));
            bytes.extend(value);
        }
        bytes
    }

    pub fn text(text: &str) -> Vec<u8> {
        let mut bytes = vec![0xd9, text.len() as u8];
        bytes.extend(text.as_bytes());
        bytes
    }

    pub fn bytes(content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xc6];
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend(content);
        bytes
    }

    pub fn list(items: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0xdc];
        bytes.extend((items.len() as u16).to_be_bytes());
        items.iter().for_each(|item| bytes.extend(item));
        bytes
    }

    pub fn number(number: usize) -> Vec<u8> {
        let mut bytes = vec![0xce];
        bytes.extend((number as u32).to_be_bytes());
        bytes
    }

    pub fn extension(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xc9];
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.push(kind);
        bytes.extend(content);
        bytes
    }

    pub fn array(shape: &[usize], content: &[u8]) -> Vec<u8> {
        let shape: Vec<Vec<u8>> = shape.iter().map(|&side| number(side)).collect();
        extension(1, &list(&[list(&shape), text("float32"), bytes(content)]))
    }
}

/// A tree of names with slashes, its leaves by a function.
fn tree(tensors: &[Tensor], prefix: &str, leaf: &dyn Fn(&Tensor) -> Vec<u8>) -> Vec<u8> {
    let mut keys: Vec<&str> = Vec::new();
    for tensor in tensors {
        if let Some(rest) = tensor.name.strip_prefix(prefix) {
            let key = rest.split('/').next().expect("a word");
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    // In the reverse order, so that a reader that does not sort is found out.
    keys.sort_unstable();
    keys.reverse();
    let entries: Vec<(&str, Vec<u8>)> = keys
        .into_iter()
        .map(|key| {
            let path = format!("{prefix}{key}");
            let own = tensors.iter().find(|tensor| tensor.name == path);
            (key, own.map_or_else(|| tree(tensors, &format!("{path}/"), leaf), leaf))
        })
        .collect();
    pack::map(&entries)
}

fn write_flax(path: &Path, model: &Model) {
    let leaf = |tensor: &Tensor| pack::array(&tensor.shape, &tensor.bytes);
    fs::write(path, tree(&with_optimiser(model), "", &leaf)).expect("a file");
}

/// `PREFIX.index` and two shards; each array is cut in two along its first axis, and its halves into pieces.
fn write_index(dir: &Path, model: &Model) {
    fs::create_dir_all(dir).expect("a folder");
    let tensors = with_optimiser(model);
    let slice = |low: usize, up: usize| pack::bytes(&pack::list(&[pack::number(low), pack::number(up), vec![0xc0]]));
    let shard_box = |tensor: &Tensor, half: usize| {
        let middle = tensor.shape[0] / 2;
        let bounds = if half == 0 { (0, middle) } else { (middle, tensor.shape[0]) };
        let rest = tensor.shape[1..].iter().map(|&side| slice(0, side));
        pack::list(&std::iter::once(slice(bounds.0, bounds.1)).chain(rest).collect::<Vec<_>>())
    };
    let info = |tensor: &Tensor| {
        let shape: Vec<Vec<u8>> = tensor.shape.iter().map(|&side| pack::number(side)).collect();
        let shaped = pack::list(&[pack::list(&shape), pack::text("float32"), vec![0xc2], pack::map(&[])]);
        let boxes = pack::list(&[pack::bytes(&shard_box(tensor, 0)), pack::bytes(&shard_box(tensor, 1))]);
        pack::extension(8, &pack::list(&[pack::bytes(&shaped), boxes, pack::list(&[pack::number(0), pack::number(1)])]))
    };
    let index = pack::map(&[
        ("shard_count", pack::number(2)),
        ("index", tree(&tensors, "", &info)),
        ("version", pack::text("20220622")),
    ]);
    fs::write(dir.join("ckpt.index"), index).expect("a file");
    let mut sorted: Vec<&Tensor> = tensors.iter().collect();
    sorted.sort_by_key(|tensor| tensor.name.split('/').map(str::to_owned).collect::<Vec<_>>());
    for half in 0..2 {
        let mut entries = vec![("__msgpack_array_chunk_a87ca2__".to_owned(), vec![0xc3])];
        for (number, tensor) in sorted.iter().enumerate() {
            let (first, second) = tensor.bytes.split_at(tensor.bytes.len() / tensor.shape[0] * (tensor.shape[0] / 2));
            let own = if half == 0 { first } else { second };
            let pieces: Vec<Vec<u8>> = own.chunks(40).map(|piece| pack::array(&[piece.len() / 4], piece)).collect();
            let chunk = pack::list(&[pack::list(&pieces), pack::extension(6, &shard_box(tensor, half))]);
            entries.push((number.to_string(), pack::list(&[chunk])));
        }
        let entries: Vec<(&str, Vec<u8>)> = entries.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        fs::write(dir.join(format!("ckpt.data-{half:05}-of-00002")), pack::map(&entries)).expect("a file");
    }
}

fn write_npz(path: &Path, model: &Model, method: zip::CompressionMethod) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).expect("a file"));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for tensor in with_optimiser(model) {
        archive.start_file(format!("{}.npy", tensor.name), options).expect("a member");
        let shape: Vec<String> = tensor.shape.iter().map(|side| format!("{side},")).collect();
        let mut head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", shape.join(" "));
        head += &" ".repeat((64 - (head.len() + 11) % 64) % 64);
        head.push('\n');
        archive.write_all(b"\x93NUMPY\x01\x00").expect("a head");
        archive.write_all(&(head.len() as u16).to_le_bytes()).expect("a head");
        archive.write_all(head.as_bytes()).expect("a head");
        archive.write_all(&tensor.bytes).expect("numbers");
    }
    archive.finish().expect("an archive");
}

fn ranked(lab: &Lab, arguments: &str) -> crate::cli_common::Rows {
    lab.does(&format!("rank {arguments} --csv rank.csv"));
    lab.bench.rows("rank.csv")
}

#[test]
fn every_format_of_one_model_gives_the_same_scores() {
    let lab = Lab { bench: Bench::new() };
    let model = vmoe();
    model.write_pair(&lab.bench.path(""));
    for name in ["base", "tuned"] {
        fs::remove_file(lab.bench.path(name).join("config.json")).expect("a file");
    }
    let expected = ranked(&lab, "base tuned");
    assert_eq!(expected.len(), 16);
    for row in &expected {
        let expert: usize = row["expert"].parse().expect("a number");
        let delta: f64 = row["delta"].parse().expect("a number");
        assert!((delta - f64::from(growth(expert)) + 1.0).abs() < 1e-6, "{row:?}");
        assert!(!row["delta_folded"].is_empty());
    }
    for (name, model) in [("a", model.clone()), ("b", model.finetuned())] {
        write_flax(&lab.bench.path(&format!("{name}.msgpack")), &model);
        write_index(&lab.bench.path(name), &model);
        write_npz(&lab.bench.path(&format!("{name}-stored.npz")), &model, zip::CompressionMethod::Stored);
        write_npz(&lab.bench.path(&format!("{name}-deflated.npz")), &model, zip::CompressionMethod::Deflated);
    }
    for pair in [
        "a.msgpack b.msgpack",
        "a/ckpt.index b/ckpt.index",
        "a b",
        "a-stored.npz b-stored.npz",
        "a-deflated.npz b-deflated.npz",
        "a.msgpack b-stored.npz",
    ] {
        assert_eq!(ranked(&lab, pair), expected, "{pair}");
    }
    for pair in ["a b", "a.msgpack b.msgpack", "a-stored.npz b-deflated.npz"] {
        assert!(
            lab.refuses(&format!("prune {pair} --keep 4 --out out")).contains("only safetensors can be pruned"),
            "{pair}"
        );
    }
    lab.does("prune base tuned --keep 4/8 --out out");
    let kept = model.kept(4);
    let written = crate::fixtures::read(&lab.bench.path("out"));
    for (name, tensor) in model.finetuned().pruned(&kept) {
        assert_eq!(written[&name], (tensor.dtype, tensor.shape, tensor.bytes), "{name}");
    }
}

#[test]
fn damaged_files_of_other_formats_are_refused() {
    let lab = Lab { bench: Bench::new() };
    write_index(&lab.bench.path("a"), &vmoe());
    fs::remove_file(lab.bench.path("a/ckpt.data-00001-of-00002")).expect("a file");
    assert!(lab.refuses("inspect a").contains("ckpt.data-00001-of-00002: shard is missing"));
    write_flax(&lab.bench.path("a.msgpack"), &vmoe());
    let whole = fs::read(lab.bench.path("a.msgpack")).expect("a file");
    lab.bench.write("half.msgpack", &whole[..whole.len() / 2]);
    assert!(lab.refuses("inspect half.msgpack").contains("half.msgpack"));
    lab.bench.write("deep.msgpack", [0x91; 100_000]);
    assert!(lab.refuses("inspect deep.msgpack").contains("more than 64 levels"));
    write_npz(&lab.bench.path("a.npz"), &vmoe(), zip::CompressionMethod::Stored);
    let whole = fs::read(lab.bench.path("a.npz")).expect("a file");
    lab.bench.write("half.npz", &whole[..whole.len() / 2]);
    assert!(lab.refuses("inspect half.npz").contains("half.npz"));
}

#[test]
fn a_shard_that_lacks_a_piece_is_incomplete_and_not_zero() {
    let lab = Lab { bench: Bench::new() };
    let model = vmoe();
    write_index(&lab.bench.path("a"), &model);
    let mut tuned = model.finetuned();
    write_index(&lab.bench.path("b"), &tuned);
    // The second shard of another model, which has only one block.
    tuned.tensors.retain(|tensor| tensor.name.contains("encoderblock_1"));
    write_index(&lab.bench.path("c"), &tuned);
    fs::copy(lab.bench.path("c/ckpt.data-00001-of-00002"), lab.bench.path("b/ckpt.data-00001-of-00002"))
        .expect("a file");
    let done = lab.bench.simulate("rank a b");
    assert_eq!(done.status, Some(2), "{}", done.stdout);
    assert!(
        done.stderr.contains("incomplete download?")
            || done.stderr.contains("not as long as its box")
            || done.stderr.contains("outside of it"),
        "{}",
        done.stderr
    );
}

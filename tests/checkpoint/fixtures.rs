//! Tiny checkpoints with the names, shapes and types of every family, made here: random numbers, no weights of anybody.
//!
//! Each tensor says how it is cut when experts go, so that a test can compute the pruned checkpoint on its own.

use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Columns of a router.
pub const HIDDEN: usize = 12;

/// Width of an expert.
const WIDTH: usize = 6;

/// How a tensor is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// Not at all.
    Whole,
    /// It is of this expert.
    Expert(usize),
    /// Along this axis, with so many entries an expert.
    Axis(usize, usize),
}

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
    pub cut: Cut,
    pub is_router: bool,
}

/// A checkpoint.
#[derive(Clone, Debug)]
pub struct Model {
    pub config: Value,
    pub tensors: Vec<Tensor>,
    pub experts: usize,
}

/// Where experts stand in the order of Δ: the place of expert s is `ORDER[s % 8]`, and the first goes first.
pub const ORDER: [usize; 8] = [3, 0, 6, 1, 7, 2, 5, 4];

/// Numbers that look random and are the same everywhere.
fn number(name: &str, entry: usize) -> f32 {
    let seed = name.bytes().fold(entry as u64 + 1, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let mixed = (seed ^ seed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 40) as f32 / (1 << 24) as f32 - 0.5) * 2.0
}

/// Little-endian bytes of numbers.
pub fn encode(dtype: Dtype, values: &[f32]) -> Vec<u8> {
    match dtype {
        Dtype::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Dtype::BF16 => values.iter().flat_map(|value| ((value.to_bits() >> 16) as u16).to_le_bytes()).collect(),
        Dtype::U8 | Dtype::F8_E4M3 => values.iter().map(|value| (value.abs() * 100.0) as u8).collect(),
        Dtype::I64 => values.iter().flat_map(|value| (*value as i64).to_le_bytes()).collect(),
        other => panic!("{other:?} is not written here"),
    }
}

/// Numbers of little-endian bytes.
pub fn decode(dtype: Dtype, bytes: &[u8]) -> Vec<f32> {
    match dtype {
        Dtype::F32 => bytes.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::BF16 => bytes.chunks(2).map(|b| f32::from_le_bytes([0, 0, b[0], b[1]])).collect(),
        other => panic!("{other:?} is not read here"),
    }
}

impl Model {
    pub fn new(config: Value, experts: usize) -> Self {
        Self { config, tensors: Vec::new(), experts }
    }

    /// Adds a tensor of random numbers.
    pub fn add(&mut self, name: impl Into<String>, dtype: Dtype, shape: &[usize], cut: Cut) -> &mut Self {
        let name = name.into();
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|entry| number(&name, entry)).collect();
        let bytes = encode(dtype, &values);
        self.tensors.push(Tensor { name, dtype, shape: shape.to_vec(), bytes, cut, is_router: false });
        self
    }

    /// Adds a router of this many rows, or columns with `axis` 1; each row has norm 1.
    pub fn router(&mut self, name: impl Into<String>, dtype: Dtype, rows: usize, axis: usize) -> &mut Self {
        let name = name.into();
        let mut values = vec![0.0; rows * HIDDEN];
        for row in 0..rows {
            let own: Vec<f32> = (0..HIDDEN).map(|column| number(&name, row * HIDDEN + column)).collect();
            let norm = own.iter().map(|value| value * value).sum::<f32>().sqrt();
            for (column, value) in own.iter().enumerate() {
                values[if axis == 0 { row * HIDDEN + column } else { column * rows + row }] = value / norm;
            }
        }
        let shape = if axis == 0 { vec![rows, HIDDEN] } else { vec![HIDDEN, rows] };
        let bytes = encode(dtype, &values);
        self.tensors.push(Tensor { name, dtype, shape, bytes, cut: Cut::Axis(axis, 1), is_router: true });
        self
    }

    /// Experts with tensors of their own, by the names of (gate, up) and down.
    fn numbered(&mut self, block: &str, inner: &[&str], outer: &str) {
        for expert in 0..self.experts {
            for name in inner {
                self.add(format!("{block}.{expert}.{name}.weight"), Dtype::F32, &[WIDTH, HIDDEN], Cut::Expert(expert));
            }
            self.add(format!("{block}.{expert}.{outer}.weight"), Dtype::F32, &[HIDDEN, WIDTH], Cut::Expert(expert));
        }
    }

    fn gate_up_down(&mut self, block: &str) {
        self.numbered(block, &["gate_proj", "up_proj"], "down_proj");
    }

    fn w1_w3_w2(&mut self, block: &str) {
        self.numbered(block, &["w1", "w3"], "w2");
    }

    /// Experts in two tensors, [E, 2I, H] and [E, H, I], or transposed.
    fn stacked(&mut self, names: [String; 2], transposed: bool) {
        let experts = self.experts;
        let [first, second] =
            if transposed { [[HIDDEN, 2 * WIDTH], [WIDTH, HIDDEN]] } else { [[2 * WIDTH, HIDDEN], [HIDDEN, WIDTH]] };
        let [first_name, second_name] = names;
        self.add(first_name, Dtype::F32, &[experts, first[0], first[1]], Cut::Axis(0, 1));
        self.add(second_name, Dtype::F32, &[experts, second[0], second[1]], Cut::Axis(0, 1));
    }

    /// What stands in every layer beside its experts.
    fn frame(&mut self, layer: &str, norm: &str) {
        self.add(format!("{layer}.self_attn.q_proj.weight"), Dtype::F32, &[HIDDEN, HIDDEN], Cut::Whole);
        self.add(format!("{layer}.{norm}.weight"), Dtype::F32, &[HIDDEN], Cut::Whole);
    }

    fn vector(&mut self, name: String) {
        let experts = self.experts;
        self.add(name, Dtype::F32, &[experts], Cut::Axis(0, 1));
    }

    /// The model after fine-tuning: the row of expert s is 1 + (place + 1)/20 times as long.
    pub fn finetuned(&self) -> Self {
        let mut model = self.clone();
        for tensor in model.tensors.iter_mut().filter(|tensor| tensor.is_router) {
            let mut values = decode(tensor.dtype, &tensor.bytes);
            let axis = usize::from(tensor.cut == Cut::Axis(1, 1));
            let rows = tensor.shape[axis];
            for (entry, value) in values.iter_mut().enumerate() {
                let row = if axis == 0 { entry / HIDDEN } else { entry % rows };
                *value *= growth(row);
            }
            tensor.bytes = encode(tensor.dtype, &values);
        }
        model
    }

    /// The experts that Δ keeps.
    pub fn kept(&self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.experts).collect();
        order.sort_by(|&a, &b| growth(b).total_cmp(&growth(a)).then(b.cmp(&a)));
        let mut kept = order[..count].to_vec();
        kept.sort_unstable();
        kept
    }

    /// The tensors once only these experts are left, by name.
    pub fn pruned(&self, kept: &[usize]) -> BTreeMap<String, Tensor> {
        let cut = |tensor: &Tensor| match tensor.cut {
            Cut::Whole => Some(tensor.clone()),
            Cut::Expert(expert) => {
                let place = kept.iter().position(|&other| other == expert)?;
                let (old, new) = (format!(".{expert}."), format!(".{place}."));
                let (before, after) = tensor.name.split_once("expert").expect("the name of an expert");
                // The first number behind the word is the expert's; some families write expert_3.
                let after = after.replacen(&old, &new, 1).replacen(
                    &format!("expert_{expert}."),
                    &format!("expert_{place}."),
                    1,
                );
                Some(Tensor { name: format!("{before}expert{after}"), ..tensor.clone() })
            }
            Cut::Axis(axis, entries) => Some(tensor.take(axis, entries, self.experts, kept)),
        };
        self.tensors.iter().filter_map(cut).map(|tensor| (tensor.name.clone(), tensor)).collect()
    }

    /// Writes a folder with one file, or with shards.
    pub fn write(&self, dir: &Path, shards: usize) {
        fs::create_dir_all(dir).expect("a folder");
        fs::write(dir.join("config.json"), serde_json::to_vec_pretty(&self.config).expect("JSON")).expect("a file");
        if shards == 1 {
            write_file(&dir.join("model.safetensors"), &self.tensors, Some("pt"));
            return;
        }
        let mut map = serde_json::Map::new();
        let size = self.tensors.len().div_ceil(shards);
        for (number, part) in self.tensors.chunks(size).enumerate() {
            let name = format!("model-{:05}-of-{shards:05}.safetensors", number + 1);
            write_file(&dir.join(&name), part, Some("pt"));
            map.extend(part.iter().map(|tensor| (tensor.name.clone(), json!(name))));
        }
        let total: usize = self.tensors.iter().map(|tensor| tensor.bytes.len()).sum();
        let index = json!({"metadata": {"total_size": total}, "weight_map": map});
        fs::write(dir.join("model.safetensors.index.json"), index.to_string()).expect("a file");
    }

    /// Writes `base` and `tuned`.
    pub fn write_pair(&self, dir: &Path) {
        self.write(&dir.join("base"), 1);
        self.finetuned().write(&dir.join("tuned"), 1);
    }
}

/// The growth of a row.
pub fn growth(row: usize) -> f32 {
    // From the ninth expert on rows grow more, so that no two are equal.
    1.0 + (ORDER[row % 8] + 1) as f32 / 20.0 + (row / 8) as f32 / 500.0
}

impl Tensor {
    /// The entries of kept experts along an axis, and what stands behind all experts.
    fn take(&self, axis: usize, entries: usize, experts: usize, kept: &[usize]) -> Self {
        let outer: usize = self.shape[..axis].iter().product();
        let row = self.bytes.len() / outer;
        let entry = row / self.shape[axis];
        let mut bytes = Vec::new();
        for row in self.bytes.chunks(row) {
            for place in 0..self.shape[axis] {
                if place >= experts * entries || kept.contains(&(place / entries)) {
                    bytes.extend(&row[place * entry..(place + 1) * entry]);
                }
            }
        }
        let mut shape = self.shape.clone();
        shape[axis] -= (experts - kept.len()) * entries;
        Self { shape, bytes, ..self.clone() }
    }
}

/// Writes a safetensors file by hand: length, header, tensors in the order given.
pub fn write_file(path: &Path, tensors: &[Tensor], format: Option<&str>) {
    let mut header = serde_json::Map::new();
    if let Some(format) = format {
        header.insert("__metadata__".to_owned(), json!({"format": format}));
    }
    let mut start = 0;
    for tensor in tensors {
        let end = start + tensor.bytes.len();
        let entry = json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [start, end]});
        header.insert(tensor.name.clone(), entry);
        start = end;
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    tensors.iter().for_each(|tensor| file.extend(&tensor.bytes));
    fs::write(path, file).expect("a file");
}

/// All tensors of a folder, by the reference implementation.
pub fn read(dir: &Path) -> BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "safetensors") {
            let bytes = fs::read(&path).expect("a file");
            let file = SafeTensors::deserialize(&bytes).expect("a legal file");
            for (name, view) in file.tensors() {
                found.insert(name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()));
            }
        }
    }
    found
}

/// One layer's worth of a family.
type Layer = fn(&mut Model, usize);

/// A family: its name, its configuration, what a layer holds.
pub fn families() -> Vec<(&'static str, Model)> {
    let make = |config: Value, experts: usize, layer: Layer| {
        let mut model = Model::new(config, experts);
        model.add("model.embed_tokens.weight", Dtype::BF16, &[5, HIDDEN], Cut::Whole);
        (0..2).for_each(|number| layer(&mut model, number));
        model
    };
    let simple = |word: &str, count: &str, top_k: &str| json!({"model_type": word, count: 8, top_k: 2, "num_hidden_layers": 2, "hidden_size": HIDDEN});
    let tok = "num_experts_per_tok";
    let mlp: Layer = |model, l| {
        model.frame(&format!("model.layers.{l}"), "post_attention_layernorm");
        model.router(format!("model.layers.{l}.mlp.gate.weight"), Dtype::F32, model.experts, 0);
        model.gate_up_down(&format!("model.layers.{l}.mlp.experts"));
    };
    let with_shared: Layer = |model, l| {
        let p = format!("model.layers.{l}");
        model.frame(&p, "post_attention_layernorm");
        model.router(format!("{p}.mlp.gate.weight"), Dtype::F32, model.experts, 0);
        model.gate_up_down(&format!("{p}.mlp.experts"));
        model.add(format!("{p}.mlp.shared_expert.down_proj.weight"), Dtype::F32, &[HIDDEN, WIDTH], Cut::Whole);
        model.add(format!("{p}.mlp.shared_expert_gate.weight"), Dtype::F32, &[1, HIDDEN], Cut::Whole);
    };
    let block_sparse: Layer = |model, l| {
        let p = format!("model.layers.{l}");
        model.frame(&p, "post_attention_layernorm");
        model.router(format!("{p}.block_sparse_moe.gate.weight"), Dtype::BF16, model.experts, 0);
        model.w1_w3_w2(&format!("{p}.block_sparse_moe.experts"));
    };
    let corrected: Layer = |model, l| {
        let p = format!("model.layers.{l}");
        model.frame(&p, "post_attention_layernorm");
        model.router(format!("{p}.mlp.gate.weight"), Dtype::BF16, model.experts, 0);
        model.vector(format!("{p}.mlp.gate.e_score_correction_bias"));
        model.gate_up_down(&format!("{p}.mlp.experts"));
        model.add(format!("{p}.mlp.shared_experts.down_proj.weight"), Dtype::F32, &[HIDDEN, WIDTH], Cut::Whole);
    };
    let mut found = vec![
        ("mixtral", make(simple("mixtral", "num_local_experts", tok), 8, block_sparse)),
        ("minimax", make(simple("minimax", "num_local_experts", tok), 8, block_sparse)),
        ("qwen2_moe", make(simple("qwen2_moe", "num_experts", tok), 8, with_shared)),
        ("qwen3_moe", make(simple("qwen3_moe", "num_local_experts", tok), 8, mlp)),
        ("qwen3_next", make(simple("qwen3_next", "num_experts", tok), 8, with_shared)),
        ("olmoe", make(simple("olmoe", "num_experts", tok), 8, mlp)),
        ("flex_olmo", make(simple("flex_olmo", "num_experts", tok), 8, mlp)),
        ("deepseek_v2", make(simple("deepseek_v2", "n_routed_experts", tok), 8, mlp)),
        ("deepseek_v3", make(simple("deepseek_v3", "n_routed_experts", tok), 8, corrected)),
        ("glm4_moe", make(simple("glm4_moe", "n_routed_experts", tok), 8, corrected)),
        ("dots1", make(simple("dots1", "n_routed_experts", tok), 8, corrected)),
    ];
    let fused = |model: &mut Model, l: usize, transposed: bool| {
        let p = format!("model.language_model.layers.{l}");
        model.frame(&p, "post_attention_layernorm");
        model.router(format!("{p}.mlp.gate.weight"), Dtype::F32, model.experts, 0);
        let names = ["gate_up_proj", "down_proj"].map(|name| format!("{p}.mlp.experts.{name}"));
        model.stacked(names, transposed);
    };
    let nested = |outer: &str, inner: Value| json!({"model_type": outer, "text_config": inner, "vision_config": {"num_experts": 3, "num_hidden_layers": 1}});
    for (word, transposed) in [("qwen3_5_moe", false), ("qwen3_vl_moe", true)] {
        let config = nested(word, simple(&format!("{word}_text"), "num_experts", tok));
        let mut model = make(config, 8, |_, _| {});
        (0..2).for_each(|l| fused(&mut model, l, transposed));
        found.push((word, model));
    }
    found.push((
        "llama4",
        make(nested("llama4", simple("llama4_text", "num_local_experts", tok)), 8, |model, l| {
            let p = format!("language_model.model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.feed_forward.router.weight"), Dtype::F32, model.experts, 0);
            model.stacked(["gate_up_proj", "down_proj"].map(|name| format!("{p}.feed_forward.experts.{name}")), true);
            model.add(
                format!("{p}.feed_forward.shared_expert.down_proj.weight"),
                Dtype::F32,
                &[HIDDEN, WIDTH],
                Cut::Whole,
            );
        }),
    ));
    found.push((
        "gpt_oss",
        make(simple("gpt_oss", "num_local_experts", tok), 8, |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.mlp.router.weight"), Dtype::BF16, model.experts, 0);
            model.vector(format!("{p}.mlp.router.bias"));
            let e = model.experts;
            for (name, rows) in [("gate_up_proj", 2 * WIDTH), ("down_proj", HIDDEN)] {
                let name = format!("{p}.mlp.experts.{name}");
                model.add(format!("{name}_blocks"), Dtype::U8, &[e, rows, 1, 16], Cut::Axis(0, 1));
                model.add(format!("{name}_scales"), Dtype::U8, &[e, rows, 1], Cut::Axis(0, 1));
                model.add(format!("{name}_bias"), Dtype::BF16, &[e, rows], Cut::Axis(0, 1));
            }
        }),
    ));
    for word in ["granitemoe", "granitemoeshared", "granitemoehybrid"] {
        let layer: Layer = |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.block_sparse_moe.router.layer.weight"), Dtype::F32, model.experts, 0);
            model.stacked(
                ["input_linear", "output_linear"].map(|name| format!("{p}.block_sparse_moe.{name}.weight")),
                false,
            );
        };
        found.push((word, make(simple(word, "num_local_experts", tok), 8, layer)));
    }
    found.push((
        "jetmoe",
        make(simple("jetmoe", "num_local_experts", tok), 8, |model, l| {
            for block in ["mlp", "self_attention.experts"] {
                let p = format!("model.layers.{l}.{block}");
                model.router(format!("{p}.router.layer.weight"), Dtype::F32, model.experts, 0);
                model.stacked(["input_linear", "output_linear"].map(|name| format!("{p}.{name}.weight")), false);
                model.add(format!("{p}.bias"), Dtype::F32, &[HIDDEN], Cut::Whole);
            }
        }),
    ));
    found.push(("phimoe", make(simple("phimoe", "num_local_experts", tok), 8, block_sparse)));
    found.push((
        "jamba",
        make(simple("jamba", "num_experts", tok), 8, |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "pre_ff_layernorm");
            model.router(format!("{p}.feed_forward.router.weight"), Dtype::F32, model.experts, 0);
            model.gate_up_down(&format!("{p}.feed_forward.experts"));
        }),
    ));
    let dbrx = json!({"model_type": "dbrx", "n_layers": 2, "ffn_config": {"moe_num_experts": 8, "moe_top_k": 2}});
    found.push((
        "dbrx",
        make(dbrx, 8, |model, l| {
            let p = format!("transformer.blocks.{l}");
            model.add(format!("{p}.norm_attn_norm.norm_2.weight"), Dtype::F32, &[HIDDEN], Cut::Whole);
            model.router(format!("{p}.ffn.router.layer.weight"), Dtype::F32, model.experts, 0);
            for name in ["w1", "v1", "w2"] {
                let rows = model.experts * WIDTH;
                model.add(format!("{p}.ffn.experts.mlp.{name}"), Dtype::F32, &[rows, HIDDEN], Cut::Axis(0, WIDTH));
            }
        }),
    ));
    found.push((
        "switch_transformers",
        make(json!({"model_type": "switch_transformers", "num_experts": 8, "expert_capacity": 64}), 8, |model, l| {
            for (stack, part) in [("encoder", 1), ("decoder", 2)] {
                let p = format!("{stack}.block.{l}.layer.{part}");
                model.add(format!("{p}.layer_norm.weight"), Dtype::F32, &[HIDDEN], Cut::Whole);
                model.router(format!("{p}.mlp.router.classifier.weight"), Dtype::F32, model.experts, 0);
                for e in 0..model.experts {
                    model.add(
                        format!("{p}.mlp.experts.expert_{e}.wi.weight"),
                        Dtype::F32,
                        &[WIDTH, HIDDEN],
                        Cut::Expert(e),
                    );
                    model.add(
                        format!("{p}.mlp.experts.expert_{e}.wo.weight"),
                        Dtype::F32,
                        &[HIDDEN, WIDTH],
                        Cut::Expert(e),
                    );
                }
            }
        }),
    ));
    found.push((
        "nllb-moe",
        make(json!({"model_type": "nllb-moe", "num_experts": 8}), 8, |model, l| {
            for stack in ["encoder", "decoder"] {
                let p = format!("model.{stack}.layers.{l}");
                model.add(format!("{p}.ff_layer_norm.weight"), Dtype::F32, &[HIDDEN], Cut::Whole);
                model.router(format!("{p}.ffn.router.classifier.weight"), Dtype::F32, model.experts, 0);
                for e in 0..model.experts {
                    for (name, shape) in [
                        ("fc1.weight", vec![WIDTH, HIDDEN]),
                        ("fc1.bias", vec![WIDTH]),
                        ("fc2.weight", vec![HIDDEN, WIDTH]),
                        ("fc2.bias", vec![HIDDEN]),
                    ] {
                        model.add(format!("{p}.ffn.experts.expert_{e}.{name}"), Dtype::F32, &shape, Cut::Expert(e));
                    }
                }
            }
        }),
    ));
    let ernie = json!({"model_type": "ernie4_5_moe", "moe_num_experts": 8, "moe_k": 2, "num_hidden_layers": 2, "moe_capacity": [8, 8, 8]});
    found.push((
        "ernie4_5_moe",
        make(ernie, 8, |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.mlp.gate.weight"), Dtype::F32, model.experts, 0);
            let experts = model.experts;
            model.add(
                format!("{p}.mlp.moe_statics.e_score_correction_bias"),
                Dtype::F32,
                &[1, experts],
                Cut::Axis(1, 1),
            );
            model.gate_up_down(&format!("{p}.mlp.experts"));
        }),
    ));
    for (word, block, bias, count, top_k) in [
        ("minimax_m2", "block_sparse_moe", "e_score_correction_bias", "num_local_experts", tok),
        ("kimi_linear", "block_sparse_moe", "gate.e_score_correction_bias", "num_experts", "num_experts_per_token"),
        ("lfm2_moe", "feed_forward", "expert_bias", "num_experts", tok),
    ] {
        let mut model = make(simple(word, count, top_k), 8, |_, _| {});
        for l in 0..2 {
            let p = format!("model.layers.{l}");
            model.frame(&p, if word == "lfm2_moe" { "ffn_norm" } else { "post_attention_layernorm" });
            model.router(format!("{p}.{block}.gate.weight"), Dtype::F32, 8, 0);
            model.vector(format!("{p}.{block}.{bias}"));
            model.w1_w3_w2(&format!("{p}.{block}.experts"));
        }
        found.push((word, model));
    }
    let hunyuan =
        json!({"model_type": "hunyuan_v1_moe", "num_experts": [8, 8], "moe_topk": [2, 2], "num_hidden_layers": 2});
    found.push((
        "hunyuan_v1_moe",
        make(hunyuan, 8, |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.mlp.gate.wg.weight"), Dtype::F32, model.experts, 0);
            model.gate_up_down(&format!("{p}.mlp.experts"));
            model.add(format!("{p}.mlp.shared_mlp.down_proj.weight"), Dtype::F32, &[HIDDEN, WIDTH], Cut::Whole);
        }),
    ));
    for word in ["hy_v3", "afmoe"] {
        let layer: Layer = |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "pre_mlp_layernorm");
            model.router(format!("{p}.mlp.router.gate.weight"), Dtype::F32, model.experts, 0);
            model.vector(format!("{p}.mlp.expert_bias"));
            model.gate_up_down(&format!("{p}.mlp.experts"));
        };
        found.push((word, make(simple(word, "num_experts", tok), 8, layer)));
    }
    for (word, bias) in [("exaone_moe", "mlp.e_score_correction_bias"), ("bailing_moe_v2", "mlp.gate.expert_bias")] {
        let mut model = make(simple(word, "num_experts", tok), 8, |_, _| {});
        for l in 0..2 {
            let p = format!("model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.mlp.gate.weight"), Dtype::F32, 8, 0);
            model.vector(format!("{p}.{bias}"));
            model.gate_up_down(&format!("{p}.mlp.experts"));
        }
        found.push((word, model));
    }
    found.push((
        "nemotron_h",
        make(simple("nemotron_h", "n_routed_experts", tok), 8, |model, l| {
            let p = format!("backbone.layers.{l}");
            model.frame(&p, "norm");
            model.router(format!("{p}.mixer.gate.weight"), Dtype::F32, model.experts, 0);
            model.vector(format!("{p}.mixer.gate.e_score_correction_bias"));
            model.numbered(&format!("{p}.mixer.experts"), &["up_proj"], "down_proj");
        }),
    ));
    let longcat = json!({"model_type": "longcat_flash", "n_routed_experts": 8, "zero_expert_num": 3, "moe_topk": 2, "num_layers": 2});
    found.push((
        "longcat_flash",
        make(longcat, 8, |model, l| {
            let p = format!("model.layers.{l}");
            model.router(format!("{p}.mlp.router.classifier.weight"), Dtype::F32, model.experts + 3, 0);
            let rows = model.experts + 3;
            model.add(format!("{p}.mlp.router.classifier.bias"), Dtype::F32, &[rows], Cut::Axis(0, 1));
            model.gate_up_down(&format!("{p}.mlp.experts"));
        }),
    ));
    found.push((
        "gemma4_text",
        make(simple("gemma4_text", "num_experts", "top_k_experts"), 8, |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.router.proj.weight"), Dtype::F32, model.experts, 0);
            model.add(format!("{p}.router.scale"), Dtype::F32, &[HIDDEN], Cut::Whole);
            model.vector(format!("{p}.router.per_expert_scale"));
            model.stacked(["gate_up_proj", "down_proj"].map(|name| format!("{p}.experts.{name}")), false);
        }),
    ));
    found.push((
        "aria_text",
        make(simple("aria_text", "moe_num_experts", "moe_topk"), 8, |model, l| {
            let p = format!("language_model.model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.mlp.router.weight"), Dtype::F32, model.experts, 0);
            model.stacked(["fc1", "fc2"].map(|name| format!("{p}.mlp.experts.{name}.weight")), true);
        }),
    ));
    found.push((
        "step3p7",
        make(simple("step3p7", "moe_num_experts", "moe_top_k"), 8, |model, l| {
            let p = format!("model.layers.{l}");
            model.frame(&p, "post_attention_layernorm");
            model.router(format!("{p}.moe.gate.weight"), Dtype::F32, model.experts, 0);
            model.vector(format!("{p}.moe.router_bias"));
            let e = model.experts;
            model.add(format!("{p}.moe.gate_proj.weight"), Dtype::F32, &[e, WIDTH, HIDDEN], Cut::Axis(0, 1));
            model.add(format!("{p}.moe.up_proj.weight"), Dtype::F32, &[e, WIDTH, HIDDEN], Cut::Axis(0, 1));
            model.add(format!("{p}.moe.down_proj.weight"), Dtype::F32, &[e, HIDDEN, WIDTH], Cut::Axis(0, 1));
        }),
    ));
    found.push((
        "deepseek_v4",
        make(simple("deepseek_v4", "n_routed_experts", tok), 8, |model, l| {
            let p = format!("layers.{l}");
            model.add(format!("{p}.ffn_norm.weight"), Dtype::F32, &[HIDDEN], Cut::Whole);
            model.router(format!("{p}.ffn.gate.weight"), Dtype::BF16, model.experts, 0);
            model.vector(format!("{p}.ffn.gate.bias"));
            for e in 0..model.experts {
                for (name, shape) in [("w1", [WIDTH, HIDDEN]), ("w3", [WIDTH, HIDDEN]), ("w2", [HIDDEN, WIDTH])] {
                    model.add(format!("{p}.ffn.experts.{e}.{name}.weight"), Dtype::F8_E4M3, &shape, Cut::Expert(e));
                    model.add(format!("{p}.ffn.experts.{e}.{name}.scale"), Dtype::F32, &[1, 1], Cut::Expert(e));
                }
            }
        }),
    ));
    found
}

/// One family.
pub fn family(word: &str) -> Model {
    let found = families().into_iter().find(|(name, _)| *name == word);
    found.unwrap_or_else(|| panic!("{word}: no such fixture")).1
}

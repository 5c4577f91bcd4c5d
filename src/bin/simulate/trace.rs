//! `simulate trace`: one run, complete, as safetensors.

use crate::args::TraceArguments;
use crate::failure::Failure;
use crate::load::{check_engine, load};
use crate::output;
use anyhow::Context;
use moe_theory::run::trace::{MOST_BYTES, TensorData, trace, trace_bytes};
use moe_theory::sim::Property;
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use serde_json::{Map, Value};
use std::io::Write;

/// Traces one run and writes it.
pub fn command(arguments: &TraceArguments) -> Result<(), Failure> {
    let loaded = load(&arguments.sim, &arguments.set, None)?;
    check_engine(arguments.engine, &loaded.points)?;
    let Some(point) = loaded.points.get(arguments.point) else {
        return Err(Failure::Usage(format!(
            "--point {}: must be from 0 to {}",
            arguments.point,
            loaded.points.len() - 1
        )));
    };
    if let Some((key, value)) = point.parameters.lost(Property::ReluExperts) {
        return Err(Failure::Usage(format!(
            "{}: {key} = {value} has no trace: its tensors are those of ReLU experts",
            arguments.sim
        )));
    }
    let bytes = trace_bytes(point);
    if bytes > MOST_BYTES {
        return Err(Failure::Usage(format!(
            "{}: the trace would take {bytes} bytes, more than {MOST_BYTES}; reduce training.iterations or training.batch",
            arguments.sim
        )));
    }
    let shown = arguments.out.display();
    if arguments.out.exists() {
        return Err(Failure::Usage(format!("{shown}: exists already; nothing was written")));
    }
    let folder = arguments.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::Usage(format!("{shown}: there is no folder {}", folder.display())));
    }
    let trace = trace(point, arguments.run, arguments.seed, arguments.engine.choice());
    let buffers: Vec<(&str, Dtype, Vec<usize>, Vec<u8>)> = trace
        .tensors
        .iter()
        .map(|(name, tensor)| {
            let dtype = match tensor.data {
                TensorData::F64(_) => Dtype::F64,
                TensorData::I32(_) => Dtype::I32,
            };
            (*name, dtype, tensor.shape.clone(), tensor.data.bytes())
        })
        .collect();
    let views = buffers
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let file = sort_header(&serialize(views, Some(trace.metadata.into_iter().collect()))?)?;
    std::fs::write(&arguments.out, file).map_err(|error| anyhow::anyhow!("{shown}: {error}"))?;
    writeln!(output::stdout(), "{shown}: run {} of {}, {}", arguments.run, arguments.sim, trace.stop.name())?;
    Ok(())
}

/// Puts the metadata of a safetensors file in the order of its keys: the library writes them in the order of a hash map,
/// which would make every file different. Length and everything else stay.
fn sort_header(file: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (length, rest) = file.split_first_chunk::<8>().context("a safetensors file starts with its header's length")?;
    let (header, numbers) = rest.split_at(usize::try_from(u64::from_le_bytes(*length))?);
    let mut header: Map<String, Value> = serde_json::from_slice(header)?;
    if let Some(Value::Object(metadata)) = header.get_mut("__metadata__") {
        metadata.sort_keys();
    }
    let mut sorted = serde_json::to_vec(&header)?;
    // The library pads the header with spaces so that the numbers are aligned.
    sorted.resize(rest.len() - numbers.len(), b' ');
    Ok([length.as_slice(), &sorted, numbers].concat())
}

//! `simulate trace`: one run, complete, as safetensors.

use crate::args::TraceArguments;
use crate::failure::Failure;
use crate::load::{check_engine, load};
use moe_theory::run::trace::{MOST_BYTES, TensorData, trace, trace_bytes};
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
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
    let file = serialize(views, Some(trace.metadata.clone()))?;
    std::fs::write(&arguments.out, file).map_err(|error| anyhow::anyhow!("{shown}: {error}"))?;
    writeln!(std::io::stdout(), "{shown}: run {} of {}, {}", arguments.run, arguments.sim, trace.stop.word())?;
    Ok(())
}

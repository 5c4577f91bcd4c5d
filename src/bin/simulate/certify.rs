//! `simulate certify`: whether a trained model makes no error, proved, refuted or left open.

use crate::args::CertifyArguments;
use crate::failure::Failure;
use crate::output;
use moe_theory::certify::evaluate::has_ties;
use moe_theory::certify::noise::{bounded, gaussian};
use moe_theory::certify::{
    Budget, Certificate, Enclosure, Given, Input, ModelFile, ModelTable, Sampled, Support, Verdict, certify,
    certify_subsets,
};
use std::io::Write;

/// Inputs that are sampled when the search leaves a model undecided.
const SAMPLES: u64 = 100_000;

/// Certifies a model file.
pub fn command(arguments: &CertifyArguments) -> Result<(), Failure> {
    check_numbers(arguments)?;
    let shown = arguments.model.display().to_string();
    let ModelFile { stored, data, noise: traced } = read(arguments)?;
    let (model, radii) = stored.model().map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    let kept = kept(arguments, model.experts())?;
    let support = Support::of(&data);
    let none = || {
        Failure::Usage(format!(
            "{shown}: a weight is not a finite number or so large that rounding decides the gates, so there is nothing to certify"
        ))
    };
    let mut table = ModelTable::new(&model, &support, radii).ok_or_else(none)?;
    let noise = match (arguments.noise_radius, arguments.noise) {
        (Some(radius), _) => Some((bounded(&model, radius), format!("with noise of length ≤ {radius} on every token"))),
        (None, Some(noise)) => {
            let failure = arguments.failure;
            let effects = gaussian(&model, data.tokens, noise, failure);
            Some((effects, format!("outside an event of probability ≤ {failure}, with Gaussian noise ξ = {noise}")))
        }
        (None, None) => None,
    };
    let where_ = noise.as_ref().map(|(_, words)| format!(", {words}")).unwrap_or_default();
    if let Some((effects, _)) = &noise {
        table = table.with_noise(effects);
    }
    let budget = Budget { target: arguments.target, ..Budget::nodes(arguments.nodes) };
    let certificate = certify(&table, &support, &kept, budget);
    let mut out = output::stdout();
    let order = if data.replacement { "with" } else { "without" };
    writeln!(
        out,
        "{shown}: d = {}, n = {}, k = {} of {}, l = {}, {order} replacement",
        data.patterns,
        data.tokens,
        kept.len(),
        model.experts(),
        model.tokens_per_expert
    )?;
    writeln!(out, "{}", certificate.verdict.name())?;
    match certificate.verdict {
        Verdict::Certified => {
            writeln!(out, "  y f(x) ≥ {:e} for every input{where_}", certificate.margin_lower)?;
        }
        Verdict::Counterexample => {
            if let Some((input, enclosure)) = &certificate.worst {
                let Enclosure { low, high } = enclosure;
                if *high <= 0.0 {
                    writeln!(out, "  y f(x) in [{low:e}, {high:e}] for this input:")?;
                    show_input(&mut out, input, &input.class.label().to_string())?;
                } else {
                    writeln!(out, "  f(x) in [{low:e}, {high:e}], an error under one of its two labels:")?;
                    show_input(&mut out, input, "1 or -1")?;
                }
            }
        }
        Verdict::Undecided => {
            writeln!(out, "  y f(x) ≥ {:e} for every input{where_}", certificate.margin_lower)?;
            if noise.is_none() {
                show_open(&mut out, &table, &kept, &certificate)?;
                show_sampled(&mut out, Sampled::of(&table, &kept, &data, SAMPLES))?;
            }
        }
    }
    if traced > 0.0 && noise.is_none() {
        writeln!(
            out,
            "  The run of this file had token noise ξ = {traced}, which is not counted; --noise {traced} counts it."
        )?;
    }
    show_rest(&mut out, &certificate, arguments.target)?;
    if let Some(irrelevant) = &arguments.irrelevant {
        let mut flags = vec![false; model.experts()];
        for &expert in irrelevant {
            *flags.get_mut(expert).ok_or_else(|| unknown(expert, model.experts()))? = true;
        }
        let subsets = certify_subsets(&table, &support, &flags, budget);
        writeln!(out, "every subset of the {} experts pruned: {}", irrelevant.len(), subsets.verdict.name())?;
        writeln!(out, "  y f(x) ≥ {:e} for every input and subset{where_}", subsets.margin_lower)?;
    }
    if arguments.check && certificate.verdict != Verdict::Certified {
        return Err(Failure::Check(format!("{shown}: {}", certificate.verdict.name())));
    }
    Ok(())
}

/// Refuses numbers that mean nothing.
fn check_numbers(arguments: &CertifyArguments) -> Result<(), Failure> {
    let least = |name: &str, value: f64| match (0.0..=1e6).contains(&value) {
        true => Ok(()),
        false => Err(Failure::Usage(format!("--{name} {value}: must be a number from 0 to 1000000"))),
    };
    least("target", arguments.target)?;
    least("noise-radius", arguments.noise_radius.unwrap_or(0.0))?;
    least("noise", arguments.noise.unwrap_or(0.0))?;
    match (1e-300..1.0).contains(&arguments.failure) {
        true => Ok(()),
        false => Err(Failure::Usage(format!("--failure {}: must be from 1e-300 and below 1", arguments.failure))),
    }
}

fn show_input(out: &mut impl Write, input: &Input, label: &str) -> std::io::Result<()> {
    let tokens: Vec<String> = input.tokens.iter().map(ToString::to_string).collect();
    writeln!(out, "  label {label}, patterns {}", tokens.join(" "))
}

/// The input of smallest margin that was met, if rounding does not decide it.
fn show_open(
    out: &mut impl Write,
    table: &ModelTable,
    kept: &[usize],
    certificate: &Certificate,
) -> std::io::Result<()> {
    let Some((input, Enclosure { low, high })) = &certificate.worst else { return Ok(()) };
    if *low > 0.0 {
        return Ok(());
    }
    let what = if has_ties(table, kept, input) { "where rounding decides a tie" } else { "which is rounding" };
    writeln!(out, "  y f(x) in [{low:e}, {high:e}], {what}, for this input:")?;
    show_input(out, input, &input.class.label().to_string())
}

fn show_sampled(out: &mut impl Write, sampled: Sampled) -> std::io::Result<()> {
    let Sampled { samples, errors, undecided } = sampled;
    let open = if undecided > 0 { format!(", {undecided} not decided by rounding") } else { String::new() };
    let rate = sampled.rate(0.05);
    writeln!(
        out,
        "  {errors} errors in {samples} samples{open}: an error rate from {:.1e} to {:.1e} (95 %)",
        rate.low, rate.high
    )
}

fn show_rest(out: &mut impl Write, certificate: &Certificate, target: f64) -> std::io::Result<()> {
    if target > 0.0 && certificate.margin_lower <= target && certificate.verdict != Verdict::Counterexample {
        writeln!(out, "  the target {target} was not reached")?;
    }
    writeln!(out, "  sum bound alone {:e}; nodes {}", certificate.sum_bound, certificate.nodes)?;
    if let Some((_, enclosure)) = &certificate.worst
        && certificate.verdict != Verdict::Counterexample
    {
        writeln!(out, "  smallest margin met without noise {:e}", enclosure.high)?;
    }
    Ok(())
}

fn unknown(expert: usize, experts: usize) -> Failure {
    Failure::Usage(format!("expert {expert}: experts are numbered from 0 to {}", experts - 1))
}

fn kept(arguments: &CertifyArguments, experts: usize) -> Result<Vec<usize>, Failure> {
    let Some(keep) = &arguments.keep else { return Ok((0..experts).collect()) };
    let mut kept = keep.clone();
    kept.sort_unstable();
    kept.dedup();
    match kept.iter().find(|&&expert| expert >= experts) {
        Some(&expert) => Err(unknown(expert, experts)),
        None => Ok(kept),
    }
}

/// Reads a trace, or any file with the tensors `signs`, `routers_t` and `neurons_t`.
fn read(arguments: &CertifyArguments) -> Result<ModelFile, Failure> {
    let bad = |problem: String| Failure::Usage(format!("{}: {problem}", arguments.model.display()));
    let bytes = std::fs::read(&arguments.model).map_err(|error| bad(error.to_string()))?;
    let given = Given { tokens: arguments.tokens, tokens_per_expert: arguments.tokens_per_expert };
    ModelFile::read(&bytes, given).map_err(|error| bad(error.to_string()))
}

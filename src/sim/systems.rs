//! Checks of what a simulation asks of its system.

use super::contradiction::Contradiction;
use super::key::Key;
use super::keys::KEYS;
use super::parameters::{Gate, Merging, Parameters, Placement, Property};
use super::seed::resolved_keys;
use super::setting::Setting;

/// Sections whose keys a system may leave unread.
const SECTIONS: [&str; 3] = ["model", "pretrained", "training"];

/// Checks that nothing is set which the system does not read, and that nothing is asked which it does not have.
pub(super) fn check(parameters: &Parameters) -> Result<(), Contradiction> {
    let system = parameters.model.system.traits();
    let refuse = |key: &Key, value: &str, legal: &str| {
        let legal = format!("{legal}, because model.system = {}", parameters.model.system);
        Err(Contradiction { key: key.path, value: value.to_owned(), legal })
    };
    for (key, (_, value)) in KEYS.iter().zip(resolved_keys(parameters)) {
        let is_unread = SECTIONS.contains(&key.section()) && !system.reads(key.path);
        if is_unread && is_other_than_default(key, &value) {
            return refuse(key, &value, &format!("must be left at {}, because it is not read", key.default));
        }
        let pruning = &parameters.pruning;
        let has = |property| parameters.has(property);
        match key.path {
            "pruning.removal" if !system.removals().any(|removal| removal == pruning.removal) => {
                let names: Vec<&str> = system.removals().map(|removal| removal.name()).collect();
                return refuse(key, &value, &format!("must be {}", names.join(" or ")));
            }
            "pruning.fewest_bits" if pruning.fewest_bits && !has(Property::ReluExperts) => {
                return refuse(key, &value, "must be false");
            }
            _ => {}
        }
    }
    (system.check)(parameters)
}

/// A system that asks nothing else.
pub(super) fn nothing(_: &Parameters) -> Result<(), Contradiction> {
    Ok(())
}

fn conflict(key: &'static str, value: impl ToString, legal: String) -> Result<(), Contradiction> {
    Err(Contradiction { key, value: value.to_string(), legal })
}

/// A grid of product keys is square, with relevant experts that fit.
pub(super) fn grid(Parameters { model, pretrained, .. }: &Parameters) -> Result<(), Contradiction> {
    let (columns, experts) = (model.grid_columns, model.experts);
    if columns > 1 && columns * columns != experts {
        let root = experts.isqrt();
        let legal = match root * root == experts {
            true => format!("must be 1 or {root}, because model.experts = {experts}"),
            false => format!("must be 1, because model.experts = {experts} is no square"),
        };
        return conflict("model.grid_columns", columns, legal);
    }
    if model.experts_per_token < 2 {
        let legal =
            "must be at least 2, because with one chosen expert its gate is constant and the router never moves";
        return conflict("model.experts_per_token", model.experts_per_token, legal.into());
    }
    let relevant = 2 * pretrained.relevant_per_class;
    if relevant > experts / columns {
        let because = format!("the grid has {} rows", experts / columns);
        let legal = format!("must be from 0 to {}, because {because}", experts / columns / 2);
        return conflict("pretrained.relevant_per_class", pretrained.relevant_per_class, legal);
    }
    if columns == 1 && pretrained.placement != Placement::Diagonal {
        let legal = "must be diagonal, because model.grid_columns = 1".into();
        return conflict("pretrained.placement", pretrained.placement, legal);
    }
    Ok(())
}

/// Segments before a segment exist where they are read.
pub(super) fn segments(Parameters { data, model, .. }: &Parameters) -> Result<(), Contradiction> {
    if model.merging != Merging::Own && data.segments < 2 {
        let legal = format!("must be at least 2, because model.merging = {}", model.merging);
        return conflict("data.segments", data.segments, legal);
    }
    Ok(())
}

/// Two layers have as many experts each, of both signs, and room for the relevant ones.
pub(super) fn layers(Parameters { data, model, pretrained, .. }: &Parameters) -> Result<(), Contradiction> {
    let experts = model.experts;
    if !experts.is_multiple_of(4) {
        let legal = "must be a multiple of 4, because each of two layers has as many experts of either sign".into();
        return conflict("model.experts", experts, legal);
    }
    let relevant = 2 * (pretrained.relevant_per_class + (data.features - 1) * pretrained.rare_per_class);
    if relevant > experts / 2 {
        let legal = format!("must be at least {}, because layer 1 has {relevant} relevant experts", 2 * relevant);
        return conflict("model.experts", experts, legal);
    }
    Ok(())
}

/// The attentive gate lets all experts run, and samples have pairs to compare.
pub(super) fn attention(Parameters { model, training, .. }: &Parameters) -> Result<(), Contradiction> {
    if model.gate == Gate::Hash {
        return conflict(
            "model.gate",
            model.gate,
            "must be ordinary or attentive, because model.system = attentive-gate".into(),
        );
    }
    if model.gate == Gate::Attentive && model.experts_per_token != 1 {
        let legal = "must be left at 1, because with model.gate = attentive all experts run".into();
        return conflict("model.experts_per_token", model.experts_per_token, legal);
    }
    if training.similarity_loss != 0.0 && training.batch < 2 {
        let legal = "must be at least 2, because training.similarity_loss compares samples".into();
        return conflict("training.batch", training.batch, legal);
    }
    Ok(())
}

/// The teacher has the neurons that the experts are made of.
pub(super) fn split(Parameters { model, .. }: &Parameters) -> Result<(), Contradiction> {
    if model.gate == Gate::Attentive {
        return conflict("model.gate", model.gate, "must be ordinary or hash, because model.system = moebert".into());
    }
    if model.shared_neurons > model.neurons {
        let legal = format!("must be from 0 to {}, because model.neurons = {}", model.neurons, model.neurons);
        return conflict("model.shared_neurons", model.shared_neurons, legal);
    }
    let needed = model.shared_neurons + model.experts / 2 * (model.neurons - model.shared_neurons);
    if model.teacher_neurons < needed {
        let legal = format!(
            "must be at least {needed}, because model.experts / 2 = {} experts of a sign share {} of their \
             model.neurons = {} neurons",
            model.experts / 2,
            model.shared_neurons,
            model.neurons
        );
        return conflict("model.teacher_neurons", model.teacher_neurons, legal);
    }
    Ok(())
}

/// Whether the value differs from a default that is fixed. One that is an expression moves with other keys.
fn is_other_than_default(key: &Key, value: &str) -> bool {
    matches!(key.default_setting(), Ok(Setting::Fixed(default)) if default.text() != value)
}

//! Checks of the keys beyond the theory: features, spurious patterns, routing, groups, upstream tasks.

use super::contradiction::Contradiction;
use super::parameters::{CapacityRounding, Gates, MemberLoss, Parameters, Property};
use super::value::shortest;

fn refuse(key: &'static str, value: impl ToString, legal: String) -> Result<(), Contradiction> {
    Err(Contradiction { key, value: value.to_string(), legal })
}

/// Checks keys, each inside its legal range, against each other.
pub(super) fn check(parameters: &Parameters) -> Result<(), Contradiction> {
    check_features(parameters)?;
    check_groups(parameters)?;
    check_routing(parameters)?;
    check_fewer_choices(parameters)?;
    check_noise(parameters)?;
    check_upstream(parameters)
}

/// Patterns that are left for irrelevant tokens.
fn check_features(Parameters { data, .. }: &Parameters) -> Result<(), Contradiction> {
    if data.features == 1 && data.rare_share > 0.0 {
        let legal = "must be 0, because data.features = 1 leaves no rare feature".into();
        return refuse("data.rare_share", shortest(data.rare_share), legal);
    }
    let taken = data.first_ordinary();
    let needed = if data.replacement { 1 } else { data.tokens - 1 };
    if taken > 2 && data.patterns < taken + needed {
        let legal = format!(
            "must be at least {}, because data.features = {}, data.spurious = {}, data.tokens = {} and \
             data.replacement = {}",
            taken + needed,
            data.features,
            shortest(data.spurious),
            data.tokens,
            data.replacement
        );
        return refuse("data.patterns", data.patterns, legal);
    }
    Ok(())
}

/// Groups of equal size with half of their experts of each sign.
fn check_groups(Parameters { model, training, .. }: &Parameters) -> Result<(), Contradiction> {
    if !model.experts.is_multiple_of(2 * model.groups) {
        let legal = format!(
            "must divide half of model.experts = {}: groups are of equal size, with half of each sign",
            model.experts
        );
        return refuse("model.groups", model.groups, legal);
    }
    if training.member_loss == MemberLoss::Own && model.groups == 1 {
        let legal = "must be mean, because model.groups = 1 is one member alone".into();
        return refuse("training.member_loss", training.member_loss, legal);
    }
    Ok(())
}

fn check_routing(Parameters { model, training, pretrained, .. }: &Parameters) -> Result<(), Contradiction> {
    if model.capacity_rounding != CapacityRounding::Nearest && model.capacity == 0.0 {
        let legal = "must be nearest, because model.capacity = 0 sets no limit".into();
        return refuse("model.capacity_rounding", model.capacity_rounding, legal);
    }
    if !model.tokens_choose() {
        let because = format!("because model.routing = {} gives every expert the same number of tokens", model.routing);
        for (key, coefficient) in [
            ("training.load_balance", training.load_balance),
            ("training.importance_loss", training.importance_loss),
            ("training.load_loss", training.load_loss),
        ] {
            if coefficient > 0.0 {
                return refuse(key, shortest(coefficient), format!("must be 0, {because}"));
            }
        }
        if pretrained.gauge_class != 0.0 {
            let legal =
                format!("must be 0, because with model.routing = {} it changes which tokens are chosen", model.routing);
            return refuse("pretrained.gauge_class", shortest(pretrained.gauge_class), legal);
        }
        if model.capacity > 0.0 {
            return refuse("model.capacity", shortest(model.capacity), format!("must be 0, {because}"));
        }
        return Ok(());
    }
    let most = model.experts / model.groups;
    if model.experts_per_token > most {
        let legal = format!("must be from 1 to {most}, the experts of a group");
        return refuse("model.experts_per_token", model.experts_per_token, legal);
    }
    if model.gates == Gates::Renormalised && model.experts_per_token == 1 {
        let legal = "must be at least 2, because with model.gates = renormalised one gate is constant and the router \
                     never moves";
        return refuse("model.experts_per_token", 1, legal.into());
    }
    Ok(())
}

/// What follows pruning may leave a token fewer choices than it had.
fn check_fewer_choices(parameters: &Parameters) -> Result<(), Contradiction> {
    let Parameters { model, pruning, .. } = parameters;
    let last = pruning.final_experts_per_token;
    let refuse = |legal: String| refuse("pruning.final_experts_per_token", last, legal);
    if last == 0 {
        return Ok(());
    }
    if !model.tokens_choose() || !parameters.has(Property::ReluExperts) {
        let because = match model.tokens_choose() {
            true => format!("model.system = {} knows one number", model.system),
            false => format!("with model.routing = {} experts choose", model.routing),
        };
        return refuse(format!("must be 0, because {because}"));
    }
    let least = if model.gates == Gates::Renormalised { 2 } else { 1 };
    if !(least..=model.experts_per_token).contains(&last) {
        let because =
            format!("model.experts_per_token = {} and model.gates = {}", model.experts_per_token, model.gates);
        return refuse(format!("must be 0 or from {least} to {}, because {because}", model.experts_per_token));
    }
    Ok(())
}

/// Only the engines of the theory's setting keep token noise.
fn check_noise(parameters: &Parameters) -> Result<(), Contradiction> {
    match parameters.lost(Property::TokenNoise) {
        Some((key, value)) if parameters.data.noise > 0.0 => {
            let legal = format!("must be 0, because {key} = {value}");
            refuse("data.noise", shortest(parameters.data.noise), legal)
        }
        _ => Ok(()),
    }
}

/// Upstream tasks fit the vocabulary and hold the downstream one.
fn check_upstream(Parameters { data, pretrained, .. }: &Parameters) -> Result<(), Contradiction> {
    if !pretrained.kind.traits().has_tasks {
        return Ok(());
    }
    let tasks = pretrained.upstream_tasks;
    let irrelevant = if data.replacement { 1 } else { data.tokens - 1 };
    let most = data.patterns.saturating_sub(irrelevant) / 2;
    if tasks > most || tasks < data.features {
        let legal = format!(
            "must be from {} to {most}, because data.features = {}, data.patterns = {} and data.tokens = {}",
            data.features, data.features, data.patterns, data.tokens
        );
        return refuse("pretrained.upstream_tasks", tasks, legal);
    }
    Ok(())
}

//! Checks of the keys beyond the theory: features, spurious patterns, routing, groups, upstream tasks.

use super::contradiction::Contradiction;
use super::parameters::{CapacityRounding, Gates, MemberLoss, Parameters, Property, Shipped};
use super::value::shortest;
use crate::patterns::dictionary::most_coherence;
use crate::patterns::pictures::cut;

fn refuse(key: &'static str, value: impl ToString, legal: String) -> Result<(), Contradiction> {
    Err(Contradiction { key, value: value.to_string(), legal })
}

/// Checks keys, each inside its legal range, against each other.
pub(super) fn check(parameters: &Parameters) -> Result<(), Contradiction> {
    check_features(parameters)?;
    check_topics(parameters)?;
    check_groups(parameters)?;
    check_routing(parameters)?;
    check_fewer_choices(parameters)?;
    check_noise(parameters)?;
    check_dictionary(parameters)?;
    check_pictures(parameters)?;
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

/// Topics share features and irrelevant patterns evenly, and segments are read by something.
fn check_topics(parameters: &Parameters) -> Result<(), Contradiction> {
    let Parameters { data, model, pretrained, .. } = parameters;
    let (topics, segments) = (data.topics, data.segments);
    if !data.tokens.is_multiple_of(segments) {
        return refuse("data.segments", segments, format!("must divide data.tokens = {}", data.tokens));
    }
    if segments > 1 && topics == 1 && !model.system.traits().reads("model.merging") {
        let legal = "must be 1, because nothing reads it with data.topics = 1 and this model.system".into();
        return refuse("data.segments", segments, legal);
    }
    if data.topic_stay != 1.0 && (topics == 1 || segments == 1) {
        let legal = "must be 1, because data.topics = 1 or data.segments = 1 leaves no second topic".into();
        return refuse("data.topic_stay", shortest(data.topic_stay), legal);
    }
    if topics == 1 {
        return Ok(());
    }
    let because = format!("because data.topics = {topics}");
    if !data.features.is_multiple_of(topics) {
        let legal = format!("must be a multiple of data.topics = {topics}: a topic has features of its own");
        return refuse("data.features", data.features, legal);
    }
    if data.patterns < data.first_irrelevant() + topics {
        let legal = format!("must be at least {}, {because}", data.first_irrelevant() + topics);
        return refuse("data.patterns", data.patterns, legal);
    }
    if !data.replacement {
        return refuse(
            "data.replacement",
            false,
            format!("must be true, {because}: a topic's patterns are drawn anew"),
        );
    }
    if data.rare_share != 0.0 || data.rare_decay != 1.0 {
        let (key, value, default) = match data.rare_share {
            0.0 => ("data.rare_decay", data.rare_decay, 1),
            share => ("data.rare_share", share, 0),
        };
        return refuse(
            key,
            shortest(value),
            format!("must be {default}, {because}: a topic's features are equally likely"),
        );
    }
    if data.spurious != 0.0 {
        return refuse("data.spurious", shortest(data.spurious), format!("must be 0, {because}"));
    }
    if pretrained.kind.traits().has_tasks {
        return refuse("data.topics", topics, format!("must be 1, because pretrained.kind = {}", pretrained.kind));
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

/// Only the engines of the theory's setting know tokens that are not their patterns.
fn check_noise(parameters: &Parameters) -> Result<(), Contradiction> {
    let data = &parameters.data;
    let Some((key, value)) = parameters.lost(Property::TokenNoise) else { return Ok(()) };
    let zero = format!("must be 0, because {key} = {value}");
    for (own, number) in
        [("data.noise", data.noise), ("data.coherence", data.coherence), ("data.likeness", data.likeness)]
    {
        if number > 0.0 {
            return refuse(own, shortest(number), zero);
        }
    }
    match data.images.are_some() {
        true => refuse("data.images", data.images.text(), format!("must be \"none\", because {key} = {value}")),
        false => Ok(()),
    }
}

/// A dictionary has a Gram matrix that is positive definite, and room for faded relatives.
fn check_dictionary(Parameters { data, .. }: &Parameters) -> Result<(), Contradiction> {
    let most = most_coherence(data.gram, data.patterns);
    if data.coherence > most {
        let legal = format!(
            "must be at most {}, because data.gram = {} and data.patterns = {}: the Gram matrix is to be positive definite",
            shortest(most),
            data.gram,
            data.patterns
        );
        return refuse("data.coherence", shortest(data.coherence), legal);
    }
    if data.likeness == 0.0 {
        return Ok(());
    }
    let most = (data.patterns - 2) / 2;
    if data.relatives > most {
        let legal = format!("must be from 1 to {most}, because data.patterns = {}", data.patterns);
        return refuse("data.relatives", data.relatives, legal);
    }
    if data.first_ordinary() > 2 {
        let legal = "must be 0, because relatives take the place of the first irrelevant patterns, and data.features or \
                     data.spurious takes it too";
        return refuse("data.likeness", shortest(data.likeness), legal.into());
    }
    Ok(())
}

/// Pictures can be read and cut, and there are enough classes of them.
fn check_pictures(Parameters { data, .. }: &Parameters) -> Result<(), Contradiction> {
    let images = data.images.text();
    let cut = match cut(&data.images, data.patterns) {
        None => return Ok(()),
        Some(Ok(cut)) => cut,
        Some(Err(error)) => {
            let words = Shipped::NAMES.join("\", \"");
            let legal = format!("must be one of \"{words}\", or a path of pictures that can be cut: {error}");
            return refuse("data.images", images, legal);
        }
    };
    let because = format!("data.images = {images}");
    for (key, number) in
        [("data.noise", data.noise), ("data.coherence", data.coherence), ("data.likeness", data.likeness)]
    {
        if number > 0.0 {
            return refuse(key, shortest(number), format!("must be 0, because {because}"));
        }
    }
    if data.first_ordinary() > 2 {
        return refuse("data.features", data.features, format!("must be 1 and data.spurious 0, because {because}"));
    }
    if data.patterns < cut.classes() {
        let legal = format!("must be at least {}, the classes of pictures, because {because}", cut.classes());
        return refuse("data.patterns", data.patterns, legal);
    }
    if data.tokens < cut.places() {
        let legal = format!("must be at least {}, the patches of a picture, because {because}", cut.places());
        return refuse("data.tokens", data.tokens, legal);
    }
    if !data.replacement && data.tokens > cut.classes() - 1 {
        let legal =
            format!("must be true, because {because} has {} classes and data.tokens = {}", cut.classes(), data.tokens);
        return refuse("data.replacement", false, legal);
    }
    Ok(())
}

/// Upstream tasks fit the vocabulary and hold the downstream one.
fn check_upstream(Parameters { data, pretrained, .. }: &Parameters) -> Result<(), Contradiction> {
    if !pretrained.kind.traits().has_tasks {
        return Ok(());
    }
    let tasks = pretrained.upstream_tasks;
    let irrelevant = if data.replacement { 1 } else { data.tokens - 1 };
    // Of pictures the two downstream classes are in no upstream task.
    let (patterns, named) = match cut(&data.images, data.patterns) {
        Some(Ok(cut)) => (cut.classes() - 2, format!("data.images = {}", data.images.text())),
        _ => (data.patterns, format!("data.patterns = {}", data.patterns)),
    };
    let most = patterns.saturating_sub(irrelevant) / 2;
    if tasks > most || tasks < data.features {
        let legal = format!(
            "must be from {} to {most}, because data.features = {}, {named} and data.tokens = {}",
            data.features, data.features, data.tokens
        );
        return refuse("pretrained.upstream_tasks", tasks, legal);
    }
    Ok(())
}

//! Keys that are legal one by one and contradict each other.

use super::claim_name::ClaimName;
use super::claim_words::RoleSource;
use super::contradiction::Contradiction;
use super::grid::Point;
use super::parameters::{
    Basis, Criteria, Criterion, Kept, Parameters, Property, Ranking, Removal, RemovalTraits, Training,
};
use super::{extensions, systems};

/// Largest estimated size of one run's state, and of one dense array beside it.
pub(crate) const MEMORY_LIMIT: u64 = 8 << 30;

/// Checks keys, each inside its legal range, against each other.
pub(crate) fn check(parameters: &Parameters) -> Result<(), Contradiction> {
    check_shape(parameters)?;
    systems::check(parameters)?;
    extensions::check(parameters)?;
    check_roles(parameters)?;
    check_kept(parameters)?;
    check_criteria(parameters)?;
    check_half_batches(parameters)?;
    check_certificates(parameters)?;
    check_memory(parameters)
}

fn refuse(key: &'static str, value: impl ToString, legal: String) -> Result<(), Contradiction> {
    Err(Contradiction { key, value: value.to_string(), legal })
}

/// Samples, tokens and experts.
fn check_shape(Parameters { data, model, .. }: &Parameters) -> Result<(), Contradiction> {
    if !model.experts.is_multiple_of(2) {
        return refuse("model.experts", model.experts, "must be even, half of each sign".into());
    }
    if model.tokens_per_expert > data.tokens {
        let legal = format!("must be from 2 to {}, because data.tokens = {}", data.tokens, data.tokens);
        return refuse("model.tokens_per_expert", model.tokens_per_expert, legal);
    }
    if !data.replacement && data.patterns <= data.tokens && data.first_ordinary() == 2 {
        let least = data.tokens + 1;
        let because = format!("data.tokens = {} and data.replacement = false", data.tokens);
        return refuse("data.patterns", data.patterns, format!("must be at least {least}, because {because}"));
    }
    Ok(())
}

/// Experts that are built to specialise.
fn check_roles(Parameters { data, model, pretrained, .. }: &Parameters) -> Result<(), Contradiction> {
    let (experts, relevant) = (model.experts, pretrained.relevant_per_class);
    if 2 * relevant > experts {
        let legal = format!("must be from 0 to {}, because model.experts = {experts}", experts / 2);
        return refuse("pretrained.relevant_per_class", relevant, legal);
    }
    let rare = 2 * pretrained.rare_per_class * (data.features - 1);
    if 2 * relevant + rare > experts {
        let most = (experts - 2 * relevant) / (2 * (data.features - 1));
        let because = format!(
            "pretrained.relevant_per_class = {relevant}, data.features = {} and model.experts = {experts}",
            data.features
        );
        let legal = format!("must be from 0 to {most}, because {because}");
        return refuse("pretrained.rare_per_class", pretrained.rare_per_class, legal);
    }
    for (key, per_class) in
        [("pretrained.relevant_per_class", relevant), ("pretrained.rare_per_class", pretrained.rare_per_class)]
    {
        if !per_class.is_multiple_of(pretrained.copies) {
            let legal = format!("must divide {key} = {per_class}");
            return refuse("pretrained.copies", pretrained.copies, legal);
        }
    }
    let rest = experts - 2 * relevant - rare;
    if pretrained.misaligned > rest {
        let because = format!("pretrained.relevant_per_class = {relevant} and model.experts = {experts}");
        let legal = format!("must be from 0 to {rest}, because {because}");
        return refuse("pretrained.misaligned", pretrained.misaligned, legal);
    }
    let room = (rest - pretrained.misaligned) / 2;
    if pretrained.twins > room {
        let legal = format!("must be from 0 to {room}, the pairs that other roles leave of {experts} experts");
        return refuse("pretrained.twins", pretrained.twins, legal);
    }
    let irrelevant = data.patterns.saturating_sub(data.first_irrelevant());
    if pretrained.special_patterns > irrelevant {
        let legal = format!("must be from 0 to {irrelevant}, because data.patterns = {}", data.patterns);
        return refuse("pretrained.special_patterns", pretrained.special_patterns, legal);
    }
    Ok(())
}

fn check_kept(Parameters { model, pruning, .. }: &Parameters) -> Result<(), Contradiction> {
    if let Kept::Listed(listed) = &pruning.finetune_kept
        && listed.iter().any(|kept| !(1..=model.experts).contains(kept))
    {
        let experts = model.experts;
        let legal = format!("must hold numbers from 1 to {experts}, because model.experts = {experts}");
        return refuse("pruning.finetune_kept", format!("{listed:?}"), legal);
    }
    Ok(())
}

/// Criteria, removal and schedule.
fn check_criteria(parameters: &Parameters) -> Result<(), Contradiction> {
    let Parameters { model, pruning, certificate, .. } = parameters;
    let experts = model.experts;
    let too_many = |criterion: &Criterion| experts > criterion.most_experts();
    if too_many(&pruning.criterion) {
        let most = pruning.criterion.most_experts();
        let legal = format!("needs model.experts of at most {most}, and it is {experts}");
        return refuse("pruning.criterion", pruning.criterion.name(), legal);
    }
    if let (true, Some(why)) = (pruning.criterion.reads_routers(), parameters.delta_undefined()) {
        let legal = format!("must be a criterion that reads no router, because Δ is {why}");
        return refuse("pruning.criterion", pruning.criterion.name(), legal);
    }
    if let (Criterion::RouterNormChangeCentred, Some((key, value))) =
        (pruning.criterion, parameters.lost(Property::PatternCoordinates))
    {
        let legal = format!("must be a criterion that needs no mean over patterns, because {key} = {value}");
        return refuse("pruning.criterion", pruning.criterion.name(), legal);
    }
    if let Criteria::Listed(listed) = &pruning.criteria
        && let Some(criterion) = listed.iter().find(|criterion| too_many(criterion))
    {
        let most = criterion.most_experts();
        let legal = format!("needs model.experts of at most {most}, and it is {experts}");
        return refuse("pruning.criteria", criterion.name(), legal);
    }
    let mut asked = std::iter::once(pruning.criterion).chain(pruning.criteria.of(experts));
    if pruning.ranking == Ranking::PerGroup
        && let Some(set) = asked.find(|criterion| criterion.is_set())
    {
        let legal = format!("must be global, because the criterion {} chooses sets of all experts", set.name());
        return refuse("pruning.ranking", pruning.ranking.name(), legal);
    }
    check_removal(parameters)?;
    let is_beside = pruning.schedule.traits().training == Training::Beside;
    if is_beside && pruning.finetune_kept.numbers(experts).is_empty() {
        let legal = "must hold a number, because pruning.schedule trains a model for each".into();
        return refuse("pruning.finetune_kept", "[]", legal);
    }
    let only_removes = pruning.removal.traits().only_removes;
    if certificate.nodes > 0 && (pruning.trains_with_fewer() || !only_removes || pruning.criterion.is_set()) {
        let removals = removals(|removal| removal.only_removes);
        let legal = format!(
            "must be 0: certificates are of the experts that one order of pruning leaves as they are, with \
             pruning.removal {removals}"
        );
        return refuse("certificate.nodes", certificate.nodes, legal);
    }
    Ok(())
}

/// What becomes of pruned experts agrees with what follows.
fn check_removal(parameters: &Parameters) -> Result<(), Contradiction> {
    let Parameters { model, pruning, .. } = parameters;
    let refuse = |legal: String, because: String| {
        refuse("pruning.removal", pruning.removal.name(), format!("must be {legal}, because {because}"))
    };
    let removal = pruning.removal.traits();
    if removal.merges && model.groups > 1 {
        return refuse(removals(|removal| !removal.merges), format!("model.groups = {}", model.groups));
    }
    let trains = pruning.trains_with_fewer();
    let scores_again = pruning.schedule.traits().scores_again && !parameters.has(Property::IndependentExperts);
    if (trains || scores_again) && !removal.only_removes {
        let schedule = pruning.schedule.name();
        let because = match trains {
            true => format!("pruning.schedule = {schedule} trains with fewer experts"),
            false => format!("pruning.schedule = {schedule} scores experts by what is left of token choice"),
        };
        return refuse(removals(|removal| removal.only_removes), because);
    }
    Ok(())
}

/// The removals of which this is true: `a, b or c`.
fn removals(is_one: impl Fn(&RemovalTraits) -> bool) -> String {
    let names: Vec<&str> = Removal::ALL.iter().filter(|r| is_one(r.traits())).map(|removal| removal.name()).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// Two half-batches are of equal size, and the terms that they tell apart are those of the theory.
fn check_half_batches(parameters: &Parameters) -> Result<(), Contradiction> {
    let Parameters { training, record, .. } = parameters;
    if let (true, Some((key, value))) = (record.half_batches, parameters.lost(Property::Theory)) {
        return refuse("record.half_batches", true, format!("must be false, because {key} = {value}"));
    }
    if record.half_batches && !training.batch.is_multiple_of(2) {
        return refuse("training.batch", training.batch, "must be even, because record.half_batches = true".into());
    }
    Ok(())
}

/// A certificate is about the support of one feature a class under expert choice.
fn check_certificates(parameters: &Parameters) -> Result<(), Contradiction> {
    match (parameters.certificate.nodes, parameters.lost(Property::Certificates)) {
        (1.., Some((key, value))) => {
            let legal = format!("must be 0, because {key} = {value}");
            refuse("certificate.nodes", parameters.certificate.nodes, legal)
        }
        _ => Ok(()),
    }
}

/// Checks that a claim is judged by the theory's assumptions only in the theory's setting.
pub(crate) fn check_setting_for(claim: &ClaimName, parameters: &Parameters) -> Result<(), Contradiction> {
    match parameters.lost(Property::Theory) {
        None => Ok(()),
        Some((key, value)) => {
            let because = format!("{key} = {value} is outside the theorems' setting and claim {claim} is judged here");
            refuse("on", "met", format!("must be \"all\", because {because}"))
        }
    }
}

/// Checks that a claim about the noise and drift of routers is judged in the theory's setting.
pub(crate) fn check_lemma_for(claim: &ClaimName, parameters: &Parameters) -> Result<(), Contradiction> {
    match parameters.lost(Property::Theory) {
        None => Ok(()),
        Some((key, value)) => {
            let legal = format!("must not be judged at {key} = {value}: the lemma is about the theory's setting");
            refuse("id", claim, legal)
        }
    }
}

/// Checks that experts have roles where a claim is about them.
pub(crate) fn check_roles_for(
    claim: &ClaimName,
    roles: RoleSource,
    parameters: &Parameters,
) -> Result<(), Contradiction> {
    if let Some((key, value)) = parameters.lost(Property::Roles) {
        let legal = format!("must not be judged at {key} = {value}: its experts have no roles");
        return refuse("id", claim, legal);
    }
    match parameters.lost(Property::MeasuredRoles) {
        Some((key, value)) if roles == RoleSource::Measured => {
            let legal = format!("must be \"built\", because {key} = {value} sends every token to every expert");
            refuse("roles", "measured", legal)
        }
        _ => Ok(()),
    }
}

/// Checks that experts have routers of their own where a claim is about their norms.
pub(crate) fn check_routers_for(claim: &ClaimName, parameters: &Parameters) -> Result<(), Contradiction> {
    match parameters.delta_undefined() {
        None => Ok(()),
        Some(why) => refuse("id", claim, format!("must not be judged: Δ is {why}")),
    }
}

/// Checks that there are built roles to judge by.
pub(crate) fn check_built_roles(parameters: &Parameters) -> Result<(), Contradiction> {
    if !parameters.pretrained.kind.traits().builds_roles {
        let because = format!("pretrained.kind = {} builds no roles", parameters.pretrained.kind);
        return refuse("roles", "built", format!("must be \"measured\", because {because}"));
    }
    Ok(())
}

/// Bytes of one run's state: weights of every neuron at the start, now and in the gradient, and eight numbers for
/// each pair of expert and pattern.
pub fn state_bytes(Parameters { data, model, .. }: &Parameters) -> u64 {
    product(&[8, 3, model.experts, model.neurons, data.patterns]).saturating_add(product(&[
        8,
        8,
        model.experts,
        data.patterns,
    ]))
}

/// Bytes of the noise of one batch, for every token and dimension.
pub fn noise_bytes(Parameters { data, training, .. }: &Parameters) -> u64 {
    // A finite training set is kept, with its noise.
    let samples = training.batch.saturating_add(training.training_set);
    if data.tokens_are_patterns() { 0 } else { product(&[8, samples, data.tokens, data.patterns]) }
}

/// Bytes of the pattern numbers of one batch, for training or for a block of samples.
fn batch_bytes(Parameters { data, training, .. }: &Parameters) -> u64 {
    product(&[4, training.batch, data.tokens])
}

/// Bytes of the trajectory of one run, of eight numbers for each expert and recorded iteration, in memory and as text; 0
/// if none is recorded.
fn trajectory_bytes(Parameters { model, training, record, .. }: &Parameters) -> u64 {
    match (record.trajectory_runs, record.record_every) {
        // Eight to a factor of ten are never many.
        (0, _) | (_, 0) => 0,
        (_, every) => product(&[160, model.experts, training.iterations / every]),
    }
}

fn basis_bytes(Parameters { data, .. }: &Parameters) -> u64 {
    if data.basis == Basis::Haar { product(&[8, data.patterns, data.patterns]) } else { 0 }
}

fn product(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor as u64))
}

fn check_memory(parameters: &Parameters) -> Result<(), Contradiction> {
    let Parameters { data, model, training, .. } = parameters;
    let within = |what: &str, bytes: u64, because: String| {
        let gibibytes = bytes as f64 / (1u64 << 30) as f64;
        format!("must leave {what} within 8 GiB (it would take {gibibytes:.1} GiB), because {because}")
    };
    let (state, noise, basis) = (state_bytes(parameters), noise_bytes(parameters), basis_bytes(parameters));
    if state > MEMORY_LIMIT {
        let because = format!("model.experts = {} and data.patterns = {}", model.experts, data.patterns);
        return refuse("model.neurons", model.neurons, within("the state of one run", state, because));
    }
    if noise > MEMORY_LIMIT {
        let because = format!(
            "data.tokens = {}, data.patterns = {} and data.noise = {}",
            data.tokens,
            data.patterns,
            super::value::shortest(data.noise)
        );
        return refuse("training.batch", training.batch, within("the noise of one batch", noise, because));
    }
    let (batch, trajectory) = (batch_bytes(parameters), trajectory_bytes(parameters));
    if batch > MEMORY_LIMIT {
        let because = format!("data.tokens = {}", data.tokens);
        return refuse("training.batch", training.batch, within("one batch", batch, because));
    }
    if trajectory > MEMORY_LIMIT {
        let because = format!("training.iterations = {} and model.experts = {}", training.iterations, model.experts);
        return refuse(
            "record.record_every",
            parameters.record.record_every,
            within("the trajectory of one run", trajectory, because),
        );
    }
    let set = product(&[4, training.training_set, data.tokens]);
    if set > MEMORY_LIMIT {
        let because = format!("data.tokens = {}", data.tokens);
        return refuse("training.training_set", training.training_set, within("the training set", set, because));
    }
    if basis > MEMORY_LIMIT {
        let because = "data.basis = haar".into();
        return refuse("data.patterns", data.patterns, within("the basis", basis, because));
    }
    Ok(())
}

/// Checks what claims need that tell drift, leakage and noise apart.
pub(crate) fn check_half_batches_for(
    claim: &ClaimName,
    Parameters { record, .. }: &Parameters,
) -> Result<(), Contradiction> {
    if !record.half_batches {
        return refuse("record.half_batches", false, format!("must be true, because claim {claim} is judged here"));
    }
    Ok(())
}

/// Checks what claims need that are decided by certificates.
pub(crate) fn check_certificates_for(claim: &ClaimName, parameters: &Parameters) -> Result<(), Contradiction> {
    if parameters.certificate.nodes == 0 {
        return refuse("certificate.nodes", 0, format!("must be at least 1, because claim {claim} is judged here"));
    }
    if parameters.data.noise > 0.0 {
        let noise = super::value::shortest(parameters.data.noise);
        return refuse("data.noise", noise, format!("must be 0, because claim {claim} is judged here"));
    }
    Ok(())
}

/// Checks what claims need that are decided by certificates of pruned models.
pub(crate) fn check_pruned_certificates_for(claim: &ClaimName, parameters: &Parameters) -> Result<(), Contradiction> {
    if !parameters.certificate.pruned {
        return refuse("certificate.pruned", false, format!("must be true, because claim {claim} is judged here"));
    }
    Ok(())
}

/// Checks what claims need that tell samples with the common feature from those with a rare one.
pub(crate) fn check_rare_for(claim: &ClaimName, Parameters { data, .. }: &Parameters) -> Result<(), Contradiction> {
    let share = super::value::shortest(data.rare_share);
    if data.features < 2 {
        let legal = format!("must be at least 2, because claim {claim} is about rare features");
        return refuse("data.features", data.features, legal);
    }
    if !(data.rare_share > 0.0 && data.rare_share < 1.0) {
        let legal = format!("must be above 0 and below 1, because claim {claim} is about common and rare features");
        return refuse("data.rare_share", share, legal);
    }
    Ok(())
}

/// Checks what claims need that are about the fewest bits, which are looked for by measured roles.
pub(crate) fn check_bits_for(
    claim: &ClaimName,
    roles: RoleSource,
    Parameters { pruning, .. }: &Parameters,
) -> Result<(), Contradiction> {
    if !pruning.fewest_bits {
        return refuse("pruning.fewest_bits", false, format!("must be true, because claim {claim} is judged here"));
    }
    if roles == RoleSource::Built {
        let legal = format!("must be \"measured\", because the bits of claim {claim} are those of measured roles");
        return refuse("roles", "built", legal);
    }
    Ok(())
}

/// Checks what claims need that compare the file's criterion with another.
pub(crate) fn check_against(claim: &ClaimName, other: Criterion, parameters: &Parameters) -> Result<(), Contradiction> {
    let (model, pruning) = (&parameters.model, &parameters.pruning);
    if other == pruning.criterion {
        let legal = format!("must differ from pruning.criterion, or claim {claim} compares nothing");
        return refuse("against", other.name(), legal);
    }
    let criteria = pruning.criteria.of(model.experts);
    if !criteria.contains(&other) {
        let value = format!("[{}]", criteria.iter().map(|criterion| criterion.name()).collect::<Vec<_>>().join(", "));
        let legal = format!("must hold {}, because claim {claim} compares with it", other.name());
        return refuse("pruning.criteria", value, legal);
    }
    Ok(())
}

/// Checks that every run of a point has the trajectory that a claim reads.
pub(crate) fn check_trajectories_for(claim: &ClaimName, point: &Point) -> Result<(), Contradiction> {
    let (recorded, seeds) = (point.parameters.record.trajectory_runs, point.seeds);
    if (recorded as u64) < seeds {
        let legal = format!("must be at least {seeds}, the seeds, because claim {claim} reads trajectories");
        return refuse("record.trajectory_runs", recorded, legal);
    }
    Ok(())
}

/// Checks that models are pruned by a criterion that a claim reads.
pub(crate) fn check_measured_for(
    claim: &ClaimName,
    criterion: Criterion,
    parameters: &Parameters,
) -> Result<(), Contradiction> {
    let (model, pruning) = (&parameters.model, &parameters.pruning);
    let criteria = pruning.criteria.of(model.experts);
    if criterion == pruning.criterion || criteria.contains(&criterion) {
        return Ok(());
    }
    let value = format!("[{}]", criteria.iter().map(|criterion| criterion.name()).collect::<Vec<_>>().join(", "));
    refuse("pruning.criteria", value, format!("must hold {}, because claim {claim} reads it", criterion.name()))
}

/// Checks what claim T2b needs, that `sufficient` experts kept are enough with further fine-tuning: fewer than the
/// relevant experts, and measured at least once. The key `threshold` is the claim's.
pub(crate) fn check_finetuning_for(sufficient: f64, parameters: &Parameters) -> Result<(), Contradiction> {
    let Parameters { model, pretrained, pruning, .. } = parameters;
    let relevant = pretrained.relevant_per_class;
    let builds = pretrained.kind.traits().builds_roles && parameters.has(Property::Roles);
    if builds && sufficient >= 2.0 * relevant as f64 {
        let because = format!("pretrained.relevant_per_class = {relevant}");
        let legal = format!("must be less than {}, because {because}", 2 * relevant);
        return refuse("threshold", sufficient, legal);
    }
    if !pruning.finetune_kept.numbers(model.experts).iter().any(|kept| *kept as f64 >= sufficient) {
        let legal =
            format!("must hold a number of at least {sufficient}, because claim T2b has threshold = {sufficient}");
        let value = match &pruning.finetune_kept {
            Kept::All => "all".into(),
            Kept::Listed(listed) => format!("{listed:?}"),
        };
        return refuse("pruning.finetune_kept", value, legal);
    }
    if pruning.finetune_iterations == 0 {
        let legal = format!("must be at least 1, because claim T2b has threshold = {sufficient}");
        return refuse("pruning.finetune_iterations", 0, legal);
    }
    Ok(())
}

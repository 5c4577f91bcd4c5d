//! The claims that a simulation file makes, with thresholds and outcomes that are fixed before the run.

use super::claim_key::{CLAIM_KEYS, ClaimId, ClaimKey, ConstantRule, LAMBDA, MARGIN, RANGE, RATIO, SLOPE, find_claim};
use super::claim_name::ClaimName;
use super::claim_words::{Feature, On, RoleSource, Verdict};
use super::error::{Place, SimulationError, one_line};
use super::fields::Fields;
use super::key::Kind;
use super::own_claim::{AssumedTexts, OwnClaim, OwnTexts};
use super::own_claim_fields::{is_own, is_own_id, read_own};
use super::parameters::Criterion;
use super::value::Value;
use crate::similarity::nearest_word;
use serde::{Deserialize, Serialize};

/// One `[[claim]]` of a simulation file, or one claim that a `[[phase]]` maps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct ClaimSpec {
    /// The claim.
    pub id: ClaimName,
    /// Its constants: those that it has where it stands, in a `[[claim]]` or in a map.
    pub constants: Constants,
    /// The probability with which the claim must hold.
    pub level: f64,
    /// The runs that it is judged on.
    pub on: On,
    /// The roles that it takes experts to have.
    pub roles: RoleSource,
    /// The case whose points it is judged at; every point if there is none.
    pub case: Option<String>,
    /// The outcome written down before the run.
    pub expect: Option<Verdict>,
    /// The threshold of the claim's slope part: always there in a `[[claim]]` that has one, never in a map.
    pub slope: Option<f64>,
}

/// The constants of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constants {
    /// It has none.
    None,
    /// The constant of the claim.
    Threshold(f64),
    /// Those of S3.
    Range {
        /// R, above 0: the bound on the activation ranges R_s.
        range: f64,
        /// Λ, from 0 to 1: the bound on λ₁ and λ₂.
        lambda: f64,
    },
    /// Those of C1 and C2.
    Comparison(CriterionComparison),
}

/// What the file's criterion is compared with, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CriterionComparison {
    /// The other criterion.
    pub against: Criterion,
    /// The difference of accuracies beyond which one is better.
    pub margin: f64,
    /// The largest pruning ratio that is compared, in place of γ.
    pub ratio: Option<f64>,
    /// The samples that accuracies are compared on, in place of all.
    pub feature: Option<Feature>,
}

/// The probability with which a claim must hold, where it says nothing.
const DEFAULT_LEVEL: f64 = 0.95;

/// The difference of accuracies beyond which one is better, where a claim says nothing.
const DEFAULT_MARGIN: f64 = 0.01;

impl ClaimSpec {
    /// A claim of the theory that has no constant, on every run, where no file asks for it.
    pub(crate) fn without_constant(id: ClaimId, roles: RoleSource) -> Self {
        Self {
            id: id.into(),
            constants: Constants::None,
            level: DEFAULT_LEVEL,
            on: On::All,
            roles,
            case: None,
            expect: None,
            slope: None,
        }
    }

    /// Whether the claim is judged at the points of `case`.
    pub fn applies_to(&self, case: Option<&str>) -> bool {
        self.case.is_none() || self.case.as_deref() == case
    }

    /// The constant of the claim, if it has one.
    pub fn threshold(&self) -> Option<f64> {
        if let Constants::Threshold(threshold) = self.constants { Some(threshold) } else { None }
    }

    /// What it compares, if it does.
    pub fn comparison(&self) -> Option<&CriterionComparison> {
        if let Constants::Comparison(comparison) = &self.constants { Some(comparison) } else { None }
    }

    /// Reads claim `number` (from 1) of a file with these cases.
    pub(crate) fn read(
        file: &str,
        number: usize,
        value: toml::Value,
        cases: &[&str],
        assumptions: &[AssumedTexts],
    ) -> Result<Self, SimulationError> {
        if is_own(&value) {
            return read_own(file, number, value, cases, assumptions);
        }
        const KNOWN: &[&str] = &[
            "id",
            "threshold",
            "level",
            "on",
            "roles",
            "case",
            "expect",
            "slope",
            "range",
            "lambda",
            "against",
            "margin",
            "ratio",
            "feature",
        ];
        let place = Place::File(file.into());
        let mut fields = Fields::of_value(place, format!("claim {number}"), value, KNOWN)?;
        let claim = read_id(&mut fields)?;
        fields.rename(format!("claim {}", claim.id));
        Ok(Self {
            id: claim.id.into(),
            constants: read_constants(&mut fields, claim, claim.constants)?,
            level: read_level(&mut fields)?,
            on: fields.word("on", On::ALL)?.unwrap_or(On::Met),
            roles: fields.word("roles", RoleSource::ALL)?.unwrap_or(RoleSource::Measured),
            case: read_case(&mut fields, cases)?,
            expect: fields.word("expect", Verdict::ALL)?,
            slope: match claim.slope {
                Some(slope) => Some(read_number(&mut fields, "slope", SLOPE)?.unwrap_or(slope)),
                None => refuse_constant(&mut fields, claim, "slope").map(|()| None)?,
            },
        })
    }

    /// The claim as a key of messages: `claim T1a`.
    pub(crate) fn label(&self) -> String {
        format!("claim {}", self.id)
    }

    /// Whether both are one claim, up to level and expectation.
    fn is_same(&self, other: &Self) -> bool {
        let words = |claim: &Self| (claim.id.name().to_owned(), claim.case.clone(), claim.on, claim.roles);
        // One id is one claim of the file, whatever it says.
        if self.id.own().is_some() && self.id.name() == other.id.name() {
            return true;
        }
        words(self) == words(other) && (self.constants, self.slope) == (other.constants, other.slope)
    }
}

/// Refuses a claim that stands twice.
pub(crate) fn check_distinct(file: &str, claims: &[ClaimSpec]) -> Result<(), SimulationError> {
    for (number, claim) in claims.iter().enumerate() {
        if let Some(first) = claims[..number].iter().position(|other| other.is_same(claim)) {
            let change = match (claim.constants, claim.slope) {
                (Constants::Comparison(_), _) => "id, case, on, roles, against, margin, ratio or feature",
                (Constants::Range { .. }, _) => "id, case, on, roles, range or lambda",
                (Constants::Threshold(_), Some(_)) => "id, case, on, roles, threshold or slope",
                (Constants::Threshold(_), None) => "id, case, on, roles or threshold",
                (Constants::None, Some(_)) => "id, case, on, roles or slope",
                (Constants::None, None) => "id, case, on or roles",
            };
            return Err(SimulationError::Conflict {
                place: Place::File(file.into()),
                key: format!("claim {}", number + 1),
                problem: format!(
                    "{} on {} by {} roles is already claim {}; change {change}",
                    claim.id,
                    claim.on,
                    claim.roles,
                    first + 1
                ),
            });
        }
    }
    Ok(())
}

/// Takes `id`, which must be a claim's.
pub(crate) fn read_id(fields: &mut Fields) -> Result<&'static ClaimKey, SimulationError> {
    read_id_among(fields, |_| true)
}

/// Takes `id`, which must be that of a claim that is `allowed`.
pub(crate) fn read_id_among(
    fields: &mut Fields,
    allowed: impl Fn(&ClaimKey) -> bool,
) -> Result<&'static ClaimKey, SimulationError> {
    let allowed: Vec<&'static ClaimKey> = CLAIM_KEYS.iter().filter(|claim| allowed(claim)).collect();
    let ids: Vec<&str> = allowed.iter().map(|claim| claim.id.name()).collect();
    let legal = format!("must be one of {}", ids.join(", "));
    let Some(id) = fields.text("id", &legal)? else { return Err(fields.missing("id", legal)) };
    if let Some(claim) = find_claim(&id).filter(|claim| ids.contains(&claim.id.name())) {
        return Ok(claim);
    }
    let words = allowed.iter().flat_map(|claim| claim.aliases.iter().copied().chain([claim.id.name()]));
    let nearest = nearest_word(&id, words).and_then(find_claim);
    let hint = match find_claim(&id) {
        Some(claim) => Some(format!("claim {} is no property of one run, so it has no map", claim.id)),
        None => nearest.map(|claim| format!("the nearest is {}", claim.id)),
    };
    Err(fields.refuse("id", &toml::Value::String(id), legal).or_hint(|| hint))
}

/// Takes the constants of `rule`, which is the claim's in claims or in maps, and refuses all others.
pub(crate) fn read_constants(
    fields: &mut Fields,
    claim: &ClaimKey,
    rule: ConstantRule,
) -> Result<Constants, SimulationError> {
    let constants = match rule {
        ConstantRule::None => Constants::None,
        ConstantRule::Threshold { kind, meaning } => {
            Constants::Threshold(read_must(fields, "threshold", kind, meaning)?)
        }
        ConstantRule::Range => Constants::Range {
            range: read_must(fields, "range", RANGE, "R, the bound on the activation ranges R_s")?,
            lambda: read_must(fields, "lambda", LAMBDA, "Λ, the bound on λ₁ and λ₂")?,
        },
        ConstantRule::Comparison => Constants::Comparison(CriterionComparison {
            against: read_against(fields)?,
            margin: read_number(fields, "margin", MARGIN)?.unwrap_or(DEFAULT_MARGIN),
            ratio: read_number(fields, "ratio", RATIO)?,
            feature: fields.word("feature", Feature::ALL)?,
        }),
    };
    // What the rule takes is taken by now.
    let others = ["threshold", "range", "lambda", "against", "margin", "ratio", "feature"];
    others.iter().try_for_each(|key| refuse_constant(fields, claim, key))?;
    Ok(constants)
}

/// Refuses a constant that the claim does not have.
fn refuse_constant(fields: &mut Fields, claim: &ClaimKey, key: &str) -> Result<(), SimulationError> {
    let Some(value) = fields.take(key) else { return Ok(()) };
    // T1b has none over a sweep and needs one in a map.
    let in_maps = key == "threshold" && matches!(claim.in_maps, Some(ConstantRule::Threshold { .. }));
    let outside = if in_maps { " outside [[phase]]" } else { "" };
    Err(fields.refuse(key, &value, format!("claim {} takes no {key}{outside}", claim.id)))
}

/// Takes `level`.
pub(crate) fn read_level(fields: &mut Fields) -> Result<f64, SimulationError> {
    let Some(value) = fields.take("level") else { return Ok(DEFAULT_LEVEL) };
    match super::value::number(&value) {
        Some(level) if level > 0.5 && level < 1.0 => Ok(level),
        _ => Err(fields.refuse("level", &value, "must be a number above 0.5 and below 1".into())),
    }
}

/// Takes `case`, which must be the name of one of these cases.
pub(crate) fn read_case(fields: &mut Fields, cases: &[&str]) -> Result<Option<String>, SimulationError> {
    let Some(name) = fields.text("case", "must be the name of a case")? else { return Ok(None) };
    if cases.contains(&name.as_str()) {
        return Ok(Some(name));
    }
    let legal = if cases.is_empty() { "the file has no [[case]]" } else { "there is no such case" };
    let hint = nearest_word(&name, cases.iter().copied()).map(|near| format!("the nearest is {}", one_line(near)));
    Err(fields.refuse("case", &toml::Value::String(name), legal.into()).or_hint(|| hint))
}

/// Takes `against`, which must be there.
fn read_against(fields: &mut Fields) -> Result<Criterion, SimulationError> {
    let legal = format!("must be one of \"{}\"", Criterion::NAMES.join("\", \""));
    let Some(value) = fields.take("against") else { return Err(fields.missing("against", legal)) };
    let named = Criterion::ALL.iter().find(|criterion| Some(criterion.name()) == value.as_str());
    named.copied().ok_or_else(|| {
        let near = value.as_str().and_then(|word| nearest_word(word, Criterion::NAMES.iter().copied()));
        fields.refuse("against", &value, legal).or_hint(|| near.map(|near| format!("the nearest is {near}")))
    })
}

/// Takes a number that may be there.
fn read_number(fields: &mut Fields, key: &str, kind: Kind) -> Result<Option<f64>, SimulationError> {
    let Some(value) = fields.take(key) else { return Ok(None) };
    match kind.read_fixed(&value).as_ref().and_then(Value::number) {
        Some(number) => Ok(Some(number)),
        None => Err(fields.refuse(key, &value, kind.legal())),
    }
}

/// Takes a constant that must be there.
fn read_must(fields: &mut Fields, key: &str, kind: Kind, meaning: &str) -> Result<f64, SimulationError> {
    let legal = format!("{} ({meaning})", kind.legal());
    let Some(value) = fields.take(key) else { return Err(fields.missing(key, legal)) };
    match kind.read_fixed(&value).as_ref().and_then(Value::number) {
        Some(number) => Ok(number),
        None => Err(fields.refuse(key, &value, legal)),
    }
}

/// A claim as a manifest holds it.
#[derive(Serialize, Deserialize)]
struct Written {
    id: String,
    threshold: Option<f64>,
    level: f64,
    on: On,
    roles: RoleSource,
    case: Option<String>,
    expect: Option<Verdict>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slope: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lambda: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    against: Option<Criterion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    margin: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature: Option<Feature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<OwnTexts>,
}

impl From<ClaimSpec> for Written {
    fn from(claim: ClaimSpec) -> Self {
        let bounds = match claim.constants {
            Constants::Range { range, lambda } => Some((range, lambda)),
            _ => None,
        };
        let comparison = claim.comparison().copied();
        Self {
            id: claim.id.name().to_owned(),
            own: claim.id.own().map(OwnClaim::texts),
            threshold: claim.threshold(),
            level: claim.level,
            on: claim.on,
            roles: claim.roles,
            expect: claim.expect,
            slope: claim.slope,
            range: bounds.map(|(range, _)| range),
            lambda: bounds.map(|(_, lambda)| lambda),
            against: comparison.map(|comparison| comparison.against),
            margin: comparison.map(|comparison| comparison.margin),
            ratio: comparison.and_then(|comparison| comparison.ratio),
            feature: comparison.and_then(|comparison| comparison.feature),
            case: claim.case,
        }
    }
}

impl TryFrom<Written> for ClaimSpec {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { ref id, threshold, range, lambda, against, margin, ratio, feature, .. } = written;
        let constants = match (threshold, range.zip(lambda), against.zip(margin)) {
            (None, None, None) => Constants::None,
            (Some(threshold), None, None) => Constants::Threshold(threshold),
            (None, Some((range, lambda)), None) => Constants::Range { range, lambda },
            (None, None, Some((against, margin))) => {
                Constants::Comparison(CriterionComparison { against, margin, ratio, feature })
            }
            _ => return Err(format!("claim {id} has constants of two kinds")),
        };
        let Written { id, level, on, roles, case, expect, slope, own, .. } = written;
        let id = match own {
            None => find_claim(&id).ok_or_else(|| format!("claim {id} is none"))?.id.into(),
            Some(texts) if is_own_id(&id) => {
                let own = OwnClaim::new(id, &texts);
                ClaimName::Own(own.map_err(|misread| misread.problem.message)?.into())
            }
            Some(_) => return Err(format!("claim {id} is no claim of a file")),
        };
        Ok(Self { id, constants, level, on, roles, case, expect, slope })
    }
}

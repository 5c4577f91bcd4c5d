//! Reading the claims and assumptions that a file makes itself.

use super::claim_key::{SLOPE, find_claim};
use super::claim_name::ClaimName;
use super::claim_spec::{ClaimSpec, Constants, read_case, read_level};
use super::claim_words::{On, RoleSource, Verdict};
use super::error::{Place, SimulationError};
use super::fields::Fields;
use super::formula::Misread;
use super::own_claim::{AssumedTexts, Missing, OwnAssumption, OwnClaim, OwnTexts, SlopeTexts};
use crate::claims::assumptions::Assumption;
use crate::similarity::nearest_word;
use toml::Value;

/// The keys that only a claim of the file's own has.
const OWN: [&str; 5] = ["holds", "figure", "statement", "assumes", "missing"];

const ID_LEGAL: &str = "must be 1 to 32 of A-Z a-z 0-9 - and begin with a letter";

/// Range of a threshold: any number.
fn is_threshold(number: f64) -> bool {
    number.is_finite()
}

/// Whether a `[[claim]]` is one of the file's own.
pub(super) fn is_own(claim: &Value) -> bool {
    let slope_is_own = claim.get("slope").is_some_and(Value::is_table);
    slope_is_own || OWN.iter().any(|key| claim.get(key).is_some())
}

/// Whether a text can be the id of a claim of a file.
pub(crate) fn is_own_id(id: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=32).contains(&id.len()) && id.starts_with(|c: char| c.is_ascii_alphabetic()) && id.chars().all(is_legal)
}

/// Reads claim `number` (from 1), which is one of the file's own.
pub(super) fn read_own(
    file: &str,
    number: usize,
    value: Value,
    cases: &[&str],
    assumptions: &[AssumedTexts],
) -> Result<ClaimSpec, SimulationError> {
    const KNOWN: &[&str] = &[
        "id",
        "statement",
        "holds",
        "threshold",
        "level",
        "figure",
        "slope",
        "assumes",
        "missing",
        "on",
        "roles",
        "case",
        "expect",
    ];
    let place = Place::File(file.into());
    let mut fields = Fields::of_value(place.clone(), format!("claim {number}"), value, KNOWN)?;
    let id = read_id(&mut fields)?;
    if find_claim(&id).is_some() {
        let legal = "is a claim of the theory, which no file defines; choose another id";
        return Err(fields.refuse("id", &Value::String(id), legal.into()));
    }
    fields.rename(format!("claim {id}"));
    let (slope, slope_threshold) = read_slope(&mut fields)?.unzip();
    let text = |fields: &mut Fields, key| fields.text(key, "must be an expression, as a string");
    let texts = OwnTexts {
        statement: fields.text("statement", "must be a string")?.unwrap_or_default(),
        holds: text(&mut fields, "holds")?,
        figure: text(&mut fields, "figure")?,
        slope,
        assumes: read_assumes(&mut fields, assumptions)?,
        missing: fields.word("missing", Missing::ALL)?.unwrap_or(Missing::Fails),
    };
    if texts.holds.is_none() && texts.slope.is_none() {
        return Err(
            fields.missing("holds", "a claim of your own says what has to be true of a run, or has a slope".into())
        );
    }
    let own = OwnClaim::new(id.clone(), &texts).map_err(|misread| at(place, format!("claim {id}"), misread))?;
    let constants = read_threshold(&mut fields, &own)?;
    Ok(ClaimSpec {
        id: ClaimName::Own(own.into()),
        constants,
        level: read_level(&mut fields)?,
        on: fields.word("on", On::ALL)?.unwrap_or(On::Met),
        roles: fields.word("roles", RoleSource::ALL)?.unwrap_or(RoleSource::Measured),
        case: read_case(&mut fields, cases)?,
        expect: fields.word("expect", Verdict::ALL)?,
        slope: slope_threshold,
    })
}

/// Reads `[[assumption]]` number `number` (from 1).
pub(super) fn read_assumption(file: &str, number: usize, value: Value) -> Result<AssumedTexts, SimulationError> {
    let place = Place::File(file.into());
    let what = format!("assumption {number}");
    let mut fields = Fields::of_value(place.clone(), what, value, &["id", "statement", "met"])?;
    let id = read_id(&mut fields)?;
    if Assumption::of_name(&id).is_some() {
        let legal = "is an assumption of the theory, which no file defines; choose another id";
        return Err(fields.refuse("id", &Value::String(id), legal.into()));
    }
    fields.rename(format!("assumption {id}"));
    let legal = "must be an expression, as a string";
    let Some(met) = fields.text("met", legal)? else { return Err(fields.missing("met", legal.into())) };
    let statement = fields.text("statement", "must be a string")?.unwrap_or_default();
    let own = OwnAssumption::new(id.clone(), statement, &met);
    own.map(|own| own.texts()).map_err(|misread| at(place, format!("assumption {id}"), misread))
}

/// Takes the threshold of a claim or of a map of it, which must be there if the claim names it, and only then.
pub(super) fn read_threshold(fields: &mut Fields, own: &OwnClaim) -> Result<Constants, SimulationError> {
    let is_named = own.formulas().any(|(_, formula)| formula.names("threshold"));
    match fields.take("threshold") {
        None if is_named => Err(fields.missing("threshold", "the claim names it, so that it must be a number".into())),
        None => Ok(Constants::None),
        Some(value) if !is_named => {
            Err(fields.refuse("threshold", &value, "no formula of the claim names threshold".into()))
        }
        Some(value) => match super::value::number(&value).filter(|number| is_threshold(*number)) {
            Some(threshold) => Ok(Constants::Threshold(threshold)),
            None => Err(fields.refuse("threshold", &value, "must be a number".into())),
        },
    }
}

fn read_id(fields: &mut Fields) -> Result<String, SimulationError> {
    match fields.text("id", ID_LEGAL)? {
        None => Err(fields.missing("id", ID_LEGAL.into())),
        Some(id) if is_own_id(&id) || find_claim(&id).is_some() => Ok(id),
        Some(id) => Err(fields.refuse("id", &Value::String(id), ID_LEGAL.into())),
    }
}

/// Takes `slope = { of = "…", on = "…", at_least = 0.5 }`: its texts and its threshold.
fn read_slope(fields: &mut Fields) -> Result<Option<(SlopeTexts, f64)>, SimulationError> {
    let legal = "must be { of = \"log(figure)\", on = \"log(patterns)\", at_least = 0.5 } or the same with at_most";
    let Some(value) = fields.take("slope") else { return Ok(None) };
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let number =
        |key: &str| value.get(key).and_then(super::value::number).and_then(|number| SLOPE.value_of(number)?.number());
    let known = value.as_table().is_some_and(|table| {
        table.len() == 3 && table.keys().all(|key| ["of", "on", "at_least", "at_most"].contains(&key.as_str()))
    });
    let found = match (text("of"), text("on"), number("at_least"), number("at_most")) {
        (Some(of), Some(on), Some(least), None) => Some((SlopeTexts { of, on, at_least: true }, least)),
        (Some(of), Some(on), None, Some(most)) => Some((SlopeTexts { of, on, at_least: false }, most)),
        _ => None,
    };
    match found.filter(|_| known) {
        Some(found) => Ok(Some(found)),
        None => Err(fields.refuse("slope", &value, legal.into())),
    }
}

/// Takes `assumes`: ids of assumptions of the theory and of the file.
fn read_assumes(fields: &mut Fields, own: &[AssumedTexts]) -> Result<Vec<AssumedTexts>, SimulationError> {
    let names = || Assumption::ALL.iter().map(|known| known.name()).chain(own.iter().map(|own| own.id.as_str()));
    let legal = format!("must be a list of {}", names().collect::<Vec<_>>().join(", "));
    let items = fields.array("assumes", &legal)?;
    let mut assumes: Vec<AssumedTexts> = Vec::new();
    for item in items {
        let known =
            |id: &str| Assumption::of_name(id).map(|_| AssumedTexts { id: id.to_owned(), statement: None, met: None });
        let id = item.as_str().unwrap_or_default();
        let found = own.iter().find(|own| own.id == id).cloned().or_else(|| known(id));
        match found {
            Some(found) if !assumes.contains(&found) => assumes.push(found),
            Some(_) => return Err(fields.refuse("assumes", &item, "stands twice".into())),
            None => {
                let near = nearest_word(id, names()).map(|near| format!("the nearest is {near}"));
                return Err(fields.refuse("assumes", &item, legal.clone()).or_hint(|| near));
            }
        }
    }
    Ok(assumes)
}

/// The error of an expression.
fn at(place: Place, what: String, misread: Misread) -> SimulationError {
    let Misread { key, text, problem } = misread;
    SimulationError::Expression {
        place,
        key: format!("{what}: {key}"),
        pointed: problem.pointed_at(&text),
        problem: problem.message,
    }
}

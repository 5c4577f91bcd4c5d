//! Maps of the probability that a claim holds, over one or two parameters. They are no part of the verdicts.

use super::claim_key::{ClaimId, ConstantRule};
use super::claim_spec::{ClaimSpec, Constants, read_case, read_constants, read_id_among, read_level};
use super::claim_words::{On, RoleSource};
use super::error::{Place, SimulationError};
use super::fields::Fields;
use super::keys::{KEYS, find, nearest};
use super::own_claim_fields::read_threshold;
use serde::{Deserialize, Serialize};
use toml::Value;

/// The word of a file for the pruning ratio ρ as second axis.
pub(crate) const RATIO: &str = "ratio";

/// One `[[phase]]` of a simulation file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseSpec {
    /// The mapped claims, in file order, at least one; each has the table's case, runs and roles.
    pub claims: Vec<ClaimSpec>,
    /// The case that is mapped; `None`: every case has a map of its own.
    pub case: Option<String>,
    /// Path of the first axis, if the file gives it.
    pub x: Option<String>,
    /// Path of the second axis, or `ratio`, if the file gives it.
    pub y: Option<String>,
}

impl PhaseSpec {
    /// Whether the table maps the points of `case`.
    pub(crate) fn applies_to(&self, case: Option<&str>) -> bool {
        self.case.is_none() || self.case.as_deref() == case
    }

    /// Reads table `number` (from 1) of a file with these cases.
    pub(crate) fn read(
        file: &str,
        number: usize,
        value: Value,
        cases: &[&str],
        own: &[ClaimSpec],
    ) -> Result<Self, SimulationError> {
        const KNOWN: &[&str] = &["claims", "on", "roles", "case", "x", "y"];
        let mut fields = Fields::of_value(Place::File(file.into()), label(number), value, KNOWN)?;
        let on = fields.word("on", On::ALL)?.unwrap_or(On::All);
        let roles = fields.word("roles", RoleSource::ALL)?.unwrap_or(RoleSource::Built);
        let case = read_case(&mut fields, cases)?;
        let legal = "must be a list of one or more claims { id, threshold, level }";
        let claims = match fields.take("claims") {
            None => return Err(fields.missing("claims", legal.into())),
            Some(Value::Array(items)) if !items.is_empty() => items,
            Some(other) => return Err(fields.refuse("claims", &other, legal.into())),
        };
        let read = |(index, value)| {
            let claim = read_claim(file, &format!("{}: claim", label(number)), index + 1, value, own)?;
            Ok(ClaimSpec { on, roles, case: case.clone(), ..claim })
        };
        let claims = claims.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        check_claims(file, number, &claims)?;
        let x = read_axis(&mut fields, "x", false)?;
        let y = read_axis(&mut fields, "y", true)?;
        if x.is_some() && x == y {
            let text = Value::String(y.unwrap_or_default());
            return Err(fields.refuse("y", &text, "must be another key than x".into()));
        }
        if let Some(claim) = claims.iter().find(|claim| y.as_deref() == Some(RATIO) && claim.id != ClaimId::T2a) {
            let legal = format!("claim {} has no pruning ratio: only T2a has one", claim.id);
            return Err(fields.refuse("y", &Value::String(RATIO.into()), legal));
        }
        Ok(Self { claims, case, x, y })
    }
}

/// The table as messages name it.
pub(crate) fn label(number: usize) -> String {
    format!("phase {number}")
}

/// Reads one mapped claim. Case, runs and roles are left at what a map has where its file says nothing.
fn read_claim(
    file: &str,
    what: &str,
    number: usize,
    value: Value,
    own: &[ClaimSpec],
) -> Result<ClaimSpec, SimulationError> {
    const KNOWN: &[&str] = &["id", "threshold", "level"];
    let mut fields = Fields::of_value(Place::File(file.into()), format!("{what} {number}"), value, KNOWN)?;
    let id = fields.peek("id").and_then(Value::as_str);
    if let Some(claim) = own.iter().find(|claim| claim.id.own().is_some() && Some(claim.id.name()) == id) {
        fields.take("id");
        fields.rename(format!("{what} {}", claim.id));
        return read_own(&mut fields, claim);
    }
    let key = read_id_among(&mut fields, |claim| claim.in_maps.is_some())?;
    fields.rename(format!("{what} {}", key.id));
    // Claims without a map are not among those that were read.
    let constants = read_constants(&mut fields, key, key.in_maps.unwrap_or(ConstantRule::None))?;
    Ok(ClaimSpec {
        id: key.id.into(),
        constants,
        level: read_level(&mut fields)?,
        on: On::All,
        roles: RoleSource::Built,
        case: None,
        expect: None,
        slope: None,
    })
}

/// Reads the map of a claim of the file's own, which has the claim's threshold and level where it gives none.
fn read_own(fields: &mut Fields, claim: &ClaimSpec) -> Result<ClaimSpec, SimulationError> {
    let Some(own) = claim.id.own().filter(|own| own.holds.is_some()) else {
        let id = Value::String(claim.id.name().to_owned());
        return Err(fields.refuse("id", &id, "is no property of one run, so it has no map: it has no holds".into()));
    };
    let constants = if fields.peek("threshold").is_some() { read_threshold(fields, own)? } else { claim.constants };
    let level = if fields.peek("level").is_some() { read_level(fields)? } else { claim.level };
    Ok(ClaimSpec {
        constants,
        level,
        on: On::All,
        roles: RoleSource::Built,
        case: None,
        expect: None,
        slope: None,
        ..claim.clone()
    })
}

/// Refuses a claim that one table maps twice.
fn check_claims(file: &str, number: usize, claims: &[ClaimSpec]) -> Result<(), SimulationError> {
    for (index, claim) in claims.iter().enumerate() {
        let is_same = |other: &ClaimSpec| other.id == claim.id && other.constants == claim.constants;
        if let Some(first) = claims[..index].iter().position(is_same) {
            let change = if claim.constants != Constants::None { "id or threshold" } else { "id" };
            let problem = format!("{} is already claim {} of this table; change {change}", claim.id, first + 1);
            let key = format!("{}: claim {}", label(number), index + 1);
            return Err(SimulationError::Conflict { place: Place::File(file.into()), key, problem });
        }
    }
    Ok(())
}

/// Takes `x` or `y`, the path of a key or, if `ratio` is legal, that word.
fn read_axis(fields: &mut Fields, name: &str, ratio: bool) -> Result<Option<String>, SimulationError> {
    let or = if ratio { " or \"ratio\"" } else { "" };
    let legal = format!("must be the path of a swept key{or}, such as \"{}\"", KEYS[0].path);
    let Some(path) = fields.text(name, &legal)? else { return Ok(None) };
    if find(&path).is_some() || (ratio && path == RATIO) {
        return Ok(Some(path));
    }
    let hint = nearest(&path).map(|key| format!("the nearest key is {}", key.path));
    Err(fields.refuse(name, &Value::String(path), legal).or_hint(|| hint))
}

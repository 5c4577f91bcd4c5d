//! Checks of what a simulation asks of its system.

use super::contradiction::Contradiction;
use super::key::Key;
use super::keys::KEYS;
use super::parameters::{Parameters, Property};
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
    if system.keys.is_empty() {
        return Ok(());
    }
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
    Ok(())
}

/// Whether the value differs from a default that is fixed. One that is an expression moves with other keys.
fn is_other_than_default(key: &Key, value: &str) -> bool {
    matches!(key.default_setting(), Ok(Setting::Fixed(default)) if default.text() != value)
}

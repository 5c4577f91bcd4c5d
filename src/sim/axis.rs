//! One swept key of a grid: a list, or a range with equal steps in the value or in its logarithm.

use super::error::SimulationError;
use super::fields::Fields;
use super::key::Key;
use super::keys::KEYS;
use super::resolve::{Assigned, Origin};
use super::setting::Setting;
use super::value::{refused, shortest, whole};
use toml::Value;

/// A swept key with its values, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    /// Index of the key in the table.
    pub(crate) key: usize,
    pub(crate) values: Vec<Assigned>,
}

/// Most values of one axis.
pub(crate) const MOST_VALUES: usize = 100_000;

#[derive(Clone, Copy, PartialEq)]
enum Scale {
    Linear,
    Log,
}

impl std::fmt::Display for Scale {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if *self == Scale::Log { "log" } else { "linear" })
    }
}

impl Axis {
    /// The swept key.
    pub(crate) fn key(&self) -> &'static Key {
        &KEYS[self.key]
    }

    /// Reads what `[grid]` or `--set` says of the key with this index.
    pub(crate) fn read(file: &str, key: usize, value: Value, origin: Origin) -> Result<Self, SimulationError> {
        let known = &KEYS[key];
        let values = match value {
            Value::Array(items) if (1..=MOST_VALUES).contains(&items.len()) => {
                let read = |item: &Value| Assigned::read(file, known, item, origin.clone());
                items.iter().map(read).collect::<Result<Vec<_>, _>>()?
            }
            Value::Table(table) if known.kind.is_numeric() => read_range(file, known, table, &origin)?,
            other => {
                let shape = if known.kind.is_numeric() { " or { from, to, steps, scale }" } else { "" };
                let legal = format!("must be a list of 1 to {MOST_VALUES} values{shape}");
                return Err(origin.refuse(file, known.path, refused(&other), legal));
            }
        };
        Ok(Self { key, values })
    }
}

fn read_range(file: &str, key: &Key, table: toml::Table, origin: &Origin) -> Result<Vec<Assigned>, SimulationError> {
    let what = origin.label(key.path);
    let mut fields = Fields::new(origin.place(file), what, table, &["from", "to", "steps", "scale"])?;
    let scale = fields.word("scale", &[Scale::Linear, Scale::Log])?.unwrap_or(Scale::Linear);
    let from = read_end(&mut fields, "from", scale)?;
    let to = read_end(&mut fields, "to", scale)?;
    let legal = || format!("must be an integer from 2 to {MOST_VALUES}");
    let Some(value) = fields.take("steps") else { return Err(fields.missing("steps", legal())) };
    let steps = whole(&value).and_then(|steps| usize::try_from(steps).ok());
    let Some(steps) = steps.filter(|steps| (2..=MOST_VALUES).contains(steps)) else {
        return Err(fields.refuse("steps", &value, legal()));
    };
    let assign = |number: f64| match key.kind.value_of(number) {
        Some(value) => Ok(Assigned { setting: Setting::Fixed(value), origin: origin.clone() }),
        None => Err(origin.refuse(file, key.path, shortest(number), key.legal())),
    };
    (0..steps).map(|step| assign(range_value(from, to, steps, step, scale))).collect()
}

fn read_end(fields: &mut Fields, name: &str, scale: Scale) -> Result<f64, SimulationError> {
    let legal = if scale == Scale::Log { "must be a number above 0 on a log scale" } else { "must be a number" };
    let Some(value) = fields.take(name) else { return Err(fields.missing(name, legal.into())) };
    match super::value::number(&value) {
        Some(number) if scale == Scale::Linear || number > 0.0 => Ok(number),
        _ => Err(fields.refuse(name, &value, legal.into())),
    }
}

/// Value number `step` of a range: the ends exactly, between them with 12 significant digits, so that tenths are
/// tenths.
fn range_value(from: f64, to: f64, steps: usize, step: usize, scale: Scale) -> f64 {
    if step == 0 {
        return from;
    }
    if step + 1 == steps {
        return to;
    }
    let share = step as f64 / (steps - 1) as f64;
    let exact = match scale {
        Scale::Linear => from * (1.0 - share) + to * share,
        Scale::Log => libm::exp(libm::log(from) * (1.0 - share) + libm::log(to) * share),
    };
    format!("{exact:.11e}").parse().unwrap_or(exact)
}

//! From settings, some of them expressions, to the value of every key.

use super::error::{Place, SimulationError};
use super::key::Key;
use super::keys::KEYS;
use super::setting::Setting;
use super::value::{Value, shortest};

/// Who gave a key its setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The table of keys or the simulation file.
    File,
    /// The `[grid]` of the simulation file.
    Grid,
    /// The case of this name, in its `set`.
    Case(String),
    /// The case of this name, in its `grid`.
    CaseGrid(String),
    /// An argument `--set`.
    Set,
}

impl Origin {
    /// Where messages say that the setting stands.
    pub(crate) fn place(&self, file: &str) -> Place {
        match self {
            Origin::Set => Place::Set,
            _ => Place::File(file.into()),
        }
    }

    /// The key as messages name it: `case "x": data.patterns`.
    pub(crate) fn label(&self, path: &str) -> String {
        match self {
            Origin::Grid => format!("grid: {path}"),
            Origin::Case(name) => format!("case \"{name}\": {path}"),
            Origin::CaseGrid(name) => format!("case \"{name}\": grid: {path}"),
            Origin::File | Origin::Set => path.into(),
        }
    }

    /// The error for a value that this origin gave to the key at `path`.
    pub(crate) fn refuse(&self, file: &str, path: &str, value: String, legal: String) -> SimulationError {
        SimulationError::Value { place: self.place(file), key: self.label(path), value, legal, hint: None }
    }
}

/// A setting with its origin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assigned {
    pub(crate) setting: Setting,
    pub(crate) origin: Origin,
}

impl Assigned {
    /// Reads what `origin` gives to `key`.
    pub(crate) fn read(file: &str, key: &Key, value: &toml::Value, origin: Origin) -> Result<Self, SimulationError> {
        match key.read(value) {
            Ok(setting) => Ok(Self { setting, origin }),
            Err(legal) => Err(origin.refuse(file, key.path, super::value::refused(value), legal)),
        }
    }
}

/// The value of every key, in the order of the table, where `assigned` has the same order.
pub(crate) fn resolve(file: &str, assigned: &[&Assigned]) -> Result<Vec<Value>, SimulationError> {
    let mut resolver = Resolver { file, assigned, known: vec![None; assigned.len()], open: Vec::new() };
    (0..assigned.len()).map(|key| resolver.value(key)).collect()
}

/// Depth-first evaluation that follows the variables of expressions.
struct Resolver<'a> {
    file: &'a str,
    assigned: &'a [&'a Assigned],
    known: Vec<Option<Value>>,
    /// Keys whose expressions are being evaluated, outermost first.
    open: Vec<usize>,
}

impl Resolver<'_> {
    fn value(&mut self, key: usize) -> Result<Value, SimulationError> {
        if let Some(value) = &self.known[key] {
            return Ok(value.clone());
        }
        if let Some(start) = self.open.iter().position(|open| *open == key) {
            return Err(self.cycle(start));
        }
        let value = match &self.assigned[key].setting {
            Setting::Fixed(value) => value.clone(),
            Setting::Expression(expression) => {
                self.open.push(key);
                let mut numbers = vec![f64::NAN; self.assigned.len()];
                for variable in expression.variables() {
                    numbers[variable] = self.value(variable)?.number().ok_or_else(|| {
                        let (own, assigned) = (&KEYS[key], self.assigned[key]);
                        let legal = format!("must name numbers only, and {} is none", KEYS[variable].path);
                        assigned.origin.refuse(self.file, own.path, assigned.setting.text(), legal)
                    })?;
                }
                self.open.pop();
                self.number(key, expression.evaluate(|variable| numbers[variable]))?
            }
        };
        self.known[key] = Some(value.clone());
        Ok(value)
    }

    /// The value of a key whose expression gave `number`.
    fn number(&self, key: usize, number: f64) -> Result<Value, SimulationError> {
        let (key, assigned) = (&KEYS[key], self.assigned[key]);
        key.kind.value_of(number).ok_or_else(|| {
            let value = format!("{} = {}", assigned.setting.text(), shortest(number));
            assigned.origin.refuse(self.file, key.path, value, key.legal())
        })
    }

    /// The error for expressions that need each other, from the open key at `start` back to itself.
    fn cycle(&self, start: usize) -> SimulationError {
        let mut names: Vec<&str> = self.open[start..].iter().map(|key| KEYS[*key].name()).collect();
        let first = self.open[start];
        names.push(KEYS[first].name());
        let legal = format!("the expressions form a cycle: {}", names.join(" -> "));
        let assigned = self.assigned[first];
        assigned.origin.refuse(self.file, KEYS[first].path, assigned.setting.text(), legal)
    }
}

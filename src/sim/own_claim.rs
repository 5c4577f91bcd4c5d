//! Claims and assumptions that a file makes itself, in the language: `[[claim]]` with `holds` or `slope`, `[[assumption]]`.

use super::formula::{Formula, Misread, Wanted};
use super::keys::KEYS;
use super::words::words;
use crate::claims::assumptions::Assumption;
use crate::language::{Known, Problem};
use crate::record::vocabulary::vocabulary;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A claim that a file makes.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnClaim {
    /// Its id.
    pub id: String,
    /// What it says, in the author's words.
    pub statement: String,
    /// What has to be true of a run; `None` if it speaks of a slope alone.
    pub holds: Option<Formula>,
    /// The figure that it is about.
    pub figure: Option<Formula>,
    /// The slope that it speaks of.
    pub slope: Option<OwnSlope>,
    /// What it assumes.
    pub assumes: Vec<Assumed>,
    /// What becomes of a run in which `holds` has no value.
    pub missing: Missing,
}

/// A slope of a number of the runs over a swept key.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnSlope {
    /// The number of a run.
    pub of: Formula,
    /// The abscissa of a point.
    pub on: Formula,
    /// The path of the key that `on` reads.
    pub key: &'static str,
    /// Whether it is claimed to be at least its threshold; else at most.
    pub at_least: bool,
}

/// What a claim of a file assumes.
#[derive(Clone, Debug, PartialEq)]
pub enum Assumed {
    /// An assumption of the theory.
    Known(Assumption),
    /// One of the file.
    Own(Arc<OwnAssumption>),
}

/// An assumption that a file makes: a function of the configuration and of the model at t = 0.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnAssumption {
    /// Its id.
    pub id: String,
    /// What it says, in the author's words; may be empty.
    pub statement: String,
    /// What has to be true of a run.
    pub met: Formula,
}

words! {
    /// What becomes of a run in which a claim has no value.
    pub enum Missing {
        /// The claim fails in it.
        Fails = "fails",
        /// It is set aside.
        SetAside = "set-aside",
    }
}

/// A claim of a file as texts: what a file and a manifest hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OwnTexts {
    pub statement: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<SlopeTexts>,
    pub assumes: Vec<AssumedTexts>,
    pub missing: Missing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SlopeTexts {
    pub of: String,
    pub on: String,
    pub at_least: bool,
}

/// An assumption by its id, and what it is if the file makes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AssumedTexts {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<String>,
}

impl OwnClaim {
    /// Reads the texts of a claim.
    pub(crate) fn new(id: String, texts: &OwnTexts) -> Result<Self, Misread> {
        let read = |key, text: &str, wanted, figure| Formula::read(key, text, wanted, Known::AtEnd, figure);
        let figure = texts.figure.as_ref().map(|text| read("figure", text, Wanted::Number, None)).transpose()?;
        let figure_named = figure.as_ref();
        let holds =
            texts.holds.as_ref().map(|text| read("holds", text, Wanted::Condition, figure_named)).transpose()?;
        let slope = texts.slope.as_ref().map(|slope| OwnSlope::new(slope, figure_named)).transpose()?;
        let assumes = texts.assumes.iter().map(Assumed::new).collect::<Result<_, _>>()?;
        Ok(Self { id, statement: texts.statement.clone(), holds, figure, slope, assumes, missing: texts.missing })
    }

    /// The texts of the claim.
    pub(crate) fn texts(&self) -> OwnTexts {
        let text = |formula: &Formula| formula.text().to_owned();
        OwnTexts {
            statement: self.statement.clone(),
            holds: self.holds.as_ref().map(text),
            figure: self.figure.as_ref().map(text),
            slope: self.slope.as_ref().map(|slope| SlopeTexts {
                of: text(&slope.of),
                on: text(&slope.on),
                at_least: slope.at_least,
            }),
            assumes: self.assumes.iter().map(Assumed::texts).collect(),
            missing: self.missing,
        }
    }

    /// Its formulas: what is read of a run, each with its key.
    pub(crate) fn formulas(&self) -> impl Iterator<Item = (&'static str, &Formula)> {
        let slope = self.slope.as_ref().map(|slope| ("slope.of", &slope.of));
        let own =
            [self.holds.as_ref().map(|holds| ("holds", holds)), self.figure.as_ref().map(|own| ("figure", own)), slope];
        own.into_iter().flatten()
    }
}

impl OwnSlope {
    fn new(texts: &SlopeTexts, figure: Option<&Formula>) -> Result<Self, Misread> {
        let of = Formula::read("slope.of", &texts.of, Wanted::Number, Known::AtEnd, figure)?;
        let on = Formula::read("slope.on", &texts.on, Wanted::Number, Known::AtStart, None)?;
        let keys: Option<Vec<usize>> = on.program.reads().iter().map(|cell| vocabulary().key(*cell)).collect();
        match keys.as_deref() {
            Some([key]) => Ok(Self { of, on, key: KEYS[*key].path, at_least: texts.at_least }),
            _ => {
                let message = "a slope is over one key, such as log(patterns)".to_owned();
                let problem = Problem { at: 0..texts.on.len(), message };
                Err(Misread { key: "slope.on", text: texts.on.clone(), problem })
            }
        }
    }
}

impl Assumed {
    fn new(texts: &AssumedTexts) -> Result<Self, Misread> {
        let AssumedTexts { id, statement, met } = texts;
        let Some(met) = met else {
            return Assumption::of_name(id).map(Assumed::Known).ok_or_else(|| Misread {
                key: "assumes",
                text: id.clone(),
                problem: Problem { at: 0..id.len(), message: "no assumption of the theory".to_owned() },
            });
        };
        let own = OwnAssumption::new(id.clone(), statement.clone().unwrap_or_default(), met)?;
        Ok(Assumed::Own(Arc::new(own)))
    }

    fn texts(&self) -> AssumedTexts {
        match self {
            Assumed::Known(known) => AssumedTexts { id: known.name().to_owned(), statement: None, met: None },
            Assumed::Own(own) => own.texts(),
        }
    }

    /// Its id.
    pub fn name(&self) -> &str {
        match self {
            Assumed::Known(known) => known.name(),
            Assumed::Own(own) => &own.id,
        }
    }
}

impl OwnAssumption {
    /// Reads what has to be true.
    pub(crate) fn new(id: String, statement: String, met: &str) -> Result<Self, Misread> {
        let met = Formula::read("met", met, Wanted::Condition, Known::AtStart, None)?;
        Ok(Self { id, statement, met })
    }

    /// The texts of the assumption.
    pub(crate) fn texts(&self) -> AssumedTexts {
        AssumedTexts {
            id: self.id.clone(),
            statement: Some(self.statement.clone()).filter(|text| !text.is_empty()),
            met: Some(self.met.text().to_owned()),
        }
    }
}

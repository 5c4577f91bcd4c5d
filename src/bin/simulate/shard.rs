//! Which shard of a simulation this process runs: from `--shard`, or from the scheduler that started it.

use crate::failure::Failure;
use crate::output;
use moe_theory::record::Shard;
use std::fmt;
use std::path::{Path, PathBuf};

/// `--shard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardArgument {
    /// `none`: the whole simulation, whatever the scheduler says.
    Whole,
    /// `I/N`.
    Given(Shard),
    /// `auto/N`: I from the scheduler.
    OfCount(u64),
}

impl fmt::Display for ShardArgument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShardArgument::Whole => formatter.write_str("none"),
            ShardArgument::Given(shard) => shard.fmt(formatter),
            ShardArgument::OfCount(count) => write!(formatter, "auto/{count}"),
        }
    }
}

/// Reads `--shard`.
pub fn parse(text: &str) -> Result<ShardArgument, String> {
    if text == "none" {
        return Ok(ShardArgument::Whole);
    }
    let legal = |error: String| format!("{error}; or auto/N, or none");
    match text.strip_prefix("auto/") {
        Some(count) => {
            let shard = Shard::new(1, count.parse().unwrap_or(0)).map_err(legal)?;
            Ok(ShardArgument::OfCount(shard.count))
        }
        None => text.parse().map(ShardArgument::Given).map_err(legal),
    }
}

/// The shard to run; none for all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    pub shard: Option<Shard>,
    /// A scheduler's variables that have chosen it, with their values; none if `--shard` has.
    pub variables: Vec<(&'static str, String)>,
    /// What a scheduler says if its array has one element, so that all runs are done.
    pub only_element: Option<String>,
}

/// The shard to run. What a scheduler's variables decide is said on stderr.
pub fn choose(argument: Option<ShardArgument>) -> Result<Chosen, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let (chosen, note) = decide(argument, &variable).map_err(Failure::Usage)?;
    note.iter().for_each(|note| output::tell(format!("simulate: {note}")));
    Ok(chosen)
}

/// The name of a shard's folder where the program chooses it.
pub fn folder_name(shard: Shard) -> String {
    format!("{}-of-{}", shard.index, shard.count)
}

fn of_folder_name(path: &Path) -> Option<Shard> {
    let (index, count) = path.file_name()?.to_str()?.split_once("-of-")?;
    Shard::new(index.parse().ok()?, count.parse().ok()?).ok()
}

impl Chosen {
    /// Refuses a target beside shards of another number of shards: an element of an array that is submitted again alone
    /// does not know how many there were.
    pub fn check_siblings(&self, target: &Path) -> Result<(), Failure> {
        let refuse = |sibling: &Path, count: u64, what: String| {
            Err(Failure::Usage(format!(
                "{}: a shard of {count} stands there, and {what}; nothing was written; --shard I/{count} does a shard of \
                 that set, --out DIR writes elsewhere",
                sibling.display()
            )))
        };
        let counted = |folder: &Path| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            let mut shards: Vec<(PathBuf, u64)> = entries
                .filter_map(|entry| of_folder_name(&entry.path()).map(|shard| (entry.path(), shard.count)))
                .collect();
            shards.sort();
            shards
        };
        if let Some(own) = self.shard.filter(|own| target.file_name().is_some_and(|name| *name == *folder_name(*own))) {
            let siblings = counted(target.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")));
            return match siblings.iter().find(|(_, count)| *count != own.count) {
                Some((sibling, count)) => refuse(sibling, *count, format!("this is shard {own}")),
                None => Ok(()),
            };
        }
        let Some(said) = &self.only_element else { return Ok(()) };
        let beside = target.file_name().map(|name| target.with_file_name(format!("{}.shards", name.display())));
        let siblings = beside.iter().map(PathBuf::as_path).chain([target]).flat_map(counted);
        match siblings.into_iter().find(|(_, count)| *count > 1) {
            Some((sibling, count)) => refuse(&sibling, count, format!("{said} would do all runs")),
            None => Ok(()),
        }
    }
}

/// A process's place among others, as a scheduler's variables tell it.
struct Place {
    /// From 0.
    index: u64,
    /// Absent where the scheduler does not say.
    count: Option<u64>,
    /// The variables with their values, as they are told.
    said: String,
    variables: Vec<(&'static str, String)>,
}

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

fn decide(argument: Option<ShardArgument>, variable: Variable) -> Result<(Chosen, Option<String>), String> {
    let given = |shard| Ok((Chosen { shard, ..Chosen::default() }, None));
    let of_scheduler = |Place { index, said, variables, .. }: Place, count: u64| {
        let shard =
            Shard::new(index + 1, count).map_err(|_| format!("{said}: not one of {count} shards; give --shard I/N"))?;
        let note = format!("{said}: shard {shard} (--shard I/N chooses another, --shard none all runs)");
        Ok((Chosen { shard: Some(shard), variables, ..Chosen::default() }, Some(note)))
    };
    match (argument, place(variable)?) {
        (Some(ShardArgument::Given(shard)), _) => given(Some(shard)),
        (Some(ShardArgument::Whole), _) | (None, None) => given(None),
        (Some(ShardArgument::OfCount(count)), None) => Err(format!(
            "--shard auto/{count}: no scheduler says which (SLURM_ARRAY_TASK_ID, HQ_TASK_ID, OMPI_COMM_WORLD_RANK)"
        )),
        // Elements of an array of N that are submitted again know neither N nor where its numbers began.
        (Some(ShardArgument::OfCount(count)), Some(Place { count: Some(other), said, .. })) if other != count => {
            Err(format!(
                "--shard auto/{count}: {said}: not an array of {count}, so which shard it is can't be told; give --shard I/{count}"
            ))
        }
        (Some(ShardArgument::OfCount(count)), Some(place)) => of_scheduler(place, count),
        (None, Some(Place { count: Some(1), said, .. })) => {
            let note = format!("{said}: the only element, all runs are done; --shard I/N does one of N");
            Ok((Chosen { only_element: Some(said), ..Chosen::default() }, Some(note)))
        }
        (None, Some(place @ Place { count: Some(count), .. })) => of_scheduler(place, count),
        (None, Some(Place { count: None, said, .. })) => {
            let note =
                format!("{said}: the number of shards is not known, all runs are done; --shard auto/N does one of N");
            Ok((Chosen::default(), Some(note)))
        }
    }
}

fn place(variable: Variable) -> Result<Option<Place>, String> {
    let number = |name: &'static str| -> Result<Option<u64>, String> {
        let Some(text) = variable(name) else { return Ok(None) };
        let legal = || format!("{name}={text}: must be a whole number; --shard none ignores it");
        text.parse().map(Some).map_err(|_| legal())
    };
    let values = |names: &[&'static str]| -> Vec<(&'static str, String)> {
        names.iter().filter_map(|&name| variable(name).map(|value| (name, value))).collect()
    };
    let said = |names: &[&'static str]| {
        values(names).iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    };
    if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
        let count = number("SLURM_ARRAY_TASK_COUNT")?;
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(1);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let said = said(&["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"]);
        let variables =
            ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"];
        let offset = id.checked_sub(first).filter(|offset| offset.is_multiple_of(step));
        let offset = offset.ok_or_else(|| format!("{said}: the array has no regular steps; give --shard I/N"))?;
        return Ok(Some(Place { index: offset / step, count, said, variables: values(&variables) }));
    }
    if let Some(id) = number("HQ_TASK_ID")? {
        let said = said(&["HQ_TASK_ID"]);
        let index = id.checked_sub(1).ok_or_else(|| format!("{said}: must be at least 1; give --shard I/N"))?;
        return Ok(Some(Place { index, count: None, said, variables: values(&["HQ_TASK_ID"]) }));
    }
    if let Some(index) = number("OMPI_COMM_WORLD_RANK")? {
        let count = number("OMPI_COMM_WORLD_SIZE")?;
        let names = ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"];
        return Ok(Some(Place { index, count, said: said(&names), variables: values(&names) }));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(argument: Option<&str>, variables: &[(&str, &str)]) -> Result<(Option<String>, String), String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let argument = argument.map(|text| parse(text).expect("legal"));
        let (chosen, note) = decide(argument, &variable)?;
        Ok((chosen.shard.map(|shard| shard.to_string()), note.unwrap_or_default()))
    }

    fn shard(argument: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        decided(argument, variables).expect("a decision").0
    }

    #[test]
    fn an_argument_beats_every_scheduler() {
        let slurm = [("SLURM_ARRAY_TASK_ID", "2"), ("SLURM_ARRAY_TASK_COUNT", "5")];
        assert_eq!(shard(Some("3/4"), &slurm), Some("3/4".to_owned()));
        assert_eq!(shard(Some("none"), &slurm), None);
        assert_eq!(shard(None, &slurm), Some("2/5".to_owned()));
        assert_eq!(shard(Some("auto/5"), &slurm), Some("2/5".to_owned()));
        assert_eq!(shard(None, &[]), None);
        assert!(decided(Some("auto/9"), &[]).is_err());
    }

    #[test]
    fn slurm_arrays_may_start_anywhere_and_have_steps() {
        let array = |id, first, step| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", "4"),
                ("SLURM_ARRAY_TASK_MIN", first),
                ("SLURM_ARRAY_TASK_STEP", step),
            ]
        };
        assert_eq!(shard(None, &array("0", "0", "1")), Some("1/4".to_owned()));
        assert_eq!(shard(None, &array("16", "10", "2")), Some("4/4".to_owned()));
        // --array=1,2,5,7
        assert!(decided(None, &array("7", "1", "1")).is_err());
        assert!(decided(None, &array("11", "10", "2")).is_err());
    }

    #[test]
    fn ranks_count_from_0_hyperqueue_from_1_and_it_does_not_say_how_many() {
        let ranks = [("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "3")];
        assert_eq!(shard(None, &ranks), Some("1/3".to_owned()));
        assert_eq!(shard(Some("auto/8"), &[("HQ_TASK_ID", "8")]), Some("8/8".to_owned()));
        assert!(decided(Some("auto/8"), &[("HQ_TASK_ID", "0")]).is_err());
        let (whole, note) = decided(None, &[("HQ_TASK_ID", "7")]).expect("a decision");
        assert_eq!(whole, None);
        assert!(note.contains("HQ_TASK_ID=7"), "{note}");
    }

    #[test]
    fn what_a_scheduler_decides_is_said_and_a_bad_value_is_an_error() {
        let (_, note) =
            decided(None, &[("SLURM_ARRAY_TASK_ID", "2"), ("SLURM_ARRAY_TASK_COUNT", "5")]).expect("a shard");
        assert!(note.starts_with("SLURM_ARRAY_TASK_ID=2, SLURM_ARRAY_TASK_COUNT=5: shard 2/5"), "{note}");
        let refused = decided(None, &[("SLURM_ARRAY_TASK_ID", "two")]).expect_err("no number");
        assert!(refused.starts_with("SLURM_ARRAY_TASK_ID=two: must be a whole number"), "{refused}");
    }

    #[test]
    fn an_element_that_is_submitted_again_is_no_silent_other_shard() {
        let array = |id, count, first, step| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_MIN", first),
                ("SLURM_ARRAY_TASK_STEP", step),
            ]
        };
        // --array=3, once 1-8: all runs, and it is said.
        let (whole, note) = decided(None, &array("3", "1", "3", "1")).expect("a decision");
        assert_eq!(whole, None);
        let said = "SLURM_ARRAY_TASK_ID=3, SLURM_ARRAY_TASK_COUNT=1: the only element, all runs are done";
        assert!(note.starts_with(said), "{note}");
        // --array=3, and --array=3,7: neither is shard 1/8.
        for again in [array("3", "1", "3", "1"), array("3", "2", "3", "4")] {
            let refused = decided(Some("auto/8"), &again).expect_err("an unknown shard");
            assert!(refused.ends_with("which shard it is can't be told; give --shard I/8"), "{refused}");
        }
        let (one, note) =
            decided(None, &[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")]).expect("a decision");
        assert!(one.is_none() && note.contains("all runs"), "{note}");
    }

    #[test]
    fn illegal_shards_are_refused() {
        for wrong in ["", "0/3", "4/3", "auto/0", "auto", "auto/x", "None"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

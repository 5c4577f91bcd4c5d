//! Which shard of a simulation this process runs: from `--shard`, or from the scheduler that started it.

use crate::failure::Failure;
use moe_theory::record::Shard;
use std::io::Write;

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

/// The shard, and whether it came from the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub shard: Option<Shard>,
    pub by_scheduler: bool,
}

/// The shard to run. What a scheduler's variables decide is said on stderr.
pub fn choose(argument: Option<ShardArgument>) -> Result<Chosen, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let (chosen, note) = decide(argument, &variable).map_err(Failure::Usage)?;
    if let Some(note) = note {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(std::io::stderr(), "simulate: {note}");
    }
    Ok(chosen)
}

/// A process's place among others, as a scheduler's variables tell it.
struct Place {
    /// From 0.
    index: u64,
    /// Absent where the scheduler does not say.
    count: Option<u64>,
    /// The variables with their values.
    said: String,
}

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

fn decide(argument: Option<ShardArgument>, variable: Variable) -> Result<(Chosen, Option<String>), String> {
    let given = |shard| Ok((Chosen { shard, by_scheduler: false }, None));
    let of_scheduler = |index: u64, count: u64, said: &str| {
        let shard =
            Shard::new(index + 1, count).map_err(|_| format!("{said}: not one of {count} shards; give --shard I/N"))?;
        let note = format!("{said}: shard {shard} (--shard I/N chooses another, --shard none all runs)");
        Ok((Chosen { shard: Some(shard), by_scheduler: true }, Some(note)))
    };
    match (argument, place(variable)?) {
        (Some(ShardArgument::Given(shard)), _) => given(Some(shard)),
        (Some(ShardArgument::Whole), _) | (None, None) => given(None),
        (Some(ShardArgument::OfCount(count)), None) => Err(format!(
            "--shard auto/{count}: no scheduler says which (SLURM_ARRAY_TASK_ID, HQ_TASK_ID, OMPI_COMM_WORLD_RANK)"
        )),
        (Some(ShardArgument::OfCount(count)), Some(place)) => of_scheduler(place.index, count, &place.said),
        (None, Some(Place { count: Some(1), .. })) => given(None),
        (None, Some(Place { index, count: Some(count), said })) => of_scheduler(index, count, &said),
        (None, Some(Place { count: None, said, .. })) => {
            let note =
                format!("{said}: the number of shards is not known, all runs are done; --shard auto/N does one of N");
            Ok((Chosen { shard: None, by_scheduler: false }, Some(note)))
        }
    }
}

fn place(variable: Variable) -> Result<Option<Place>, String> {
    let number = |name: &'static str| -> Result<Option<u64>, String> {
        let Some(text) = variable(name) else { return Ok(None) };
        let legal = || format!("{name}={text}: must be a whole number; --shard none ignores it");
        text.parse().map(Some).map_err(|_| legal())
    };
    if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
        let count = number("SLURM_ARRAY_TASK_COUNT")?;
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(1);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let of = count.map(|count| format!(", SLURM_ARRAY_TASK_COUNT={count}")).unwrap_or_default();
        let said = format!("SLURM_ARRAY_TASK_ID={id}{of}");
        let offset = id.checked_sub(first).filter(|offset| offset.is_multiple_of(step));
        let offset = offset.ok_or_else(|| format!("{said}: the array has no regular steps; give --shard I/N"))?;
        return Ok(Some(Place { index: offset / step, count, said }));
    }
    if let Some(id) = number("HQ_TASK_ID")? {
        return Ok(Some(Place { index: id, count: None, said: format!("HQ_TASK_ID={id}") }));
    }
    if let Some(rank) = number("OMPI_COMM_WORLD_RANK")? {
        let count = number("OMPI_COMM_WORLD_SIZE")?;
        let of = count.map(|count| format!(", OMPI_COMM_WORLD_SIZE={count}")).unwrap_or_default();
        return Ok(Some(Place { index: rank, count, said: format!("OMPI_COMM_WORLD_RANK={rank}{of}") }));
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
        assert_eq!(shard(Some("auto/9"), &slurm), Some("2/9".to_owned()));
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
    fn ranks_count_from_zero_and_hyperqueue_does_not_say_how_many() {
        let ranks = [("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "3")];
        assert_eq!(shard(None, &ranks), Some("1/3".to_owned()));
        assert_eq!(shard(Some("auto/8"), &[("HQ_TASK_ID", "7")]), Some("8/8".to_owned()));
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
        // An array of one element, or one process, is the whole simulation.
        assert_eq!(shard(None, &[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")]), None);
    }

    #[test]
    fn illegal_shards_are_refused() {
        for wrong in ["", "0/3", "4/3", "auto/0", "auto", "auto/x", "None"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

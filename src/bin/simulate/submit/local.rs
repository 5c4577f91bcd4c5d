//! Shards as processes on this machine.

use super::{LOGS, Plan};
use crate::args::SubmitArguments;
use crate::failure::Failure;
use crate::interrupt::termination_flag;
use crate::output;
use crate::threads::MOST_A_PROCESSOR;
use anyhow::Context;
use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Runs the shards, a few at a time, then the merge.
pub fn run(plan: &Plan, arguments: &SubmitArguments) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let own = (cores / u64::from(plan.threads)).max(1);
    let at_once = arguments.jobs.map_or(own, |jobs| jobs.min(own * MOST_A_PROCESSOR as u64));
    let terminated = termination_flag()?;
    let mut waiting = 1..=plan.shards;
    let mut running = Running::default();
    let mut failed = Vec::new();
    loop {
        while (running.0.len() as u64) < at_once
            && let Some(index) = waiting.next()
        {
            running.0.push((index, start(plan, index)?));
        }
        if running.0.is_empty() {
            break;
        }
        for (index, status) in running.ended()? {
            if !status.success() {
                failed.push(format!("shard {index}/{} ({status}; {LOGS}/{index}.log)", plan.shards));
            }
        }
        if let status @ 1.. = terminated.load(Ordering::SeqCst) {
            drop(running);
            output::tell("\nsimulate: interrupted: finished runs are kept; the same command goes on");
            std::process::exit(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    if !failed.is_empty() {
        let shown = plan.folder.display();
        return Err(anyhow::anyhow!("{shown}: failed: {}; the same command goes on", failed.join(", ")).into());
    }
    let merged =
        Command::new(&plan.program).args(&plan.merge).current_dir(&plan.folder).status().context("the merge")?;
    match merged.code() {
        Some(0) => Ok(()),
        Some(3) => Err(Failure::Check(format!("{}: verdicts not as expected", plan.name))),
        _ => Err(anyhow::anyhow!("{}: the merge failed ({merged})", plan.folder.display()).into()),
    }
}

fn start(plan: &Plan, index: u64) -> anyhow::Result<Child> {
    let log = plan.folder.join(LOGS).join(format!("{index}.log"));
    let file = File::options().create(true).append(true).open(&log).with_context(|| log.display().to_string())?;
    let output = file.try_clone()?;
    let mut command = Command::new(&plan.program);
    command.args(plan.shard_arguments(index)).current_dir(&plan.folder);
    command.stdin(Stdio::null()).stdout(output).stderr(file).spawn().context("a shard can't be started")
}

/// Shards that are running. If this process ends before them, they end too: their journals keep what is finished.
#[derive(Default)]
struct Running(Vec<(u64, Child)>);

impl Running {
    /// Takes those out that have ended.
    fn ended(&mut self) -> anyhow::Result<Vec<(u64, ExitStatus)>> {
        let mut ended = Vec::new();
        let mut place = 0;
        while place < self.0.len() {
            match self.0[place].1.try_wait()? {
                None => place += 1,
                Some(status) => ended.push((self.0.remove(place).0, status)),
            }
        }
        Ok(ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            // One that has ended already is no concern.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

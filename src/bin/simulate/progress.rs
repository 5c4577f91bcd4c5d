//! How far the runs of a simulation are, and how long the others will take.

use crate::terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use moe_theory::report::Labels;
use moe_theory::sim::Point;
use std::io::IsTerminal;
use std::time::Instant;

/// Runs and their work, in the unit of `Parameters::work`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    pub runs: u64,
    pub work: f64,
}

impl Amount {
    /// Adds one run at a point.
    pub fn add(&mut self, point: &Point) {
        self.runs += 1;
        self.work += point.parameters.work();
    }
}

/// A bar on stderr with rate, time left and the current point; hidden if stderr is no terminal.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
    /// What this process has done and has to do. Runs that were finished before it began are in neither.
    done: Amount,
    planned: Amount,
    labels: Labels,
}

impl Progress {
    /// For the `planned` runs of this process beside `finished` ones.
    pub fn new(finished: u64, planned: Amount, labels: Labels, quiet: bool) -> Self {
        let bar = ProgressBar::new(finished + planned.runs).with_position(finished);
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{bar:16} {pos}/{len} runs  {prefix}  {wide_msg}");
        // A template that can't be read is no reason to stop.
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, began: Instant::now(), done: Amount::default(), planned, labels }
    }

    /// A run of this process is there.
    pub fn advance(&mut self, point: &Point) {
        self.done.add(point);
        if !self.bar.is_hidden() {
            self.bar.set_prefix(pace(self.done, self.planned, self.began.elapsed().as_secs_f64()));
            self.bar.set_message(self.labels.words(point.index));
        }
        self.bar.inc(1);
    }

    /// Takes the bar away; how many runs this process has made.
    pub fn finish(self) -> u64 {
        self.bar.finish_and_clear();
        self.done.runs
    }
}

/// Rate and time left by what was done in `seconds`: points differ in the work of a run.
fn pace(done: Amount, planned: Amount, seconds: f64) -> String {
    let left = (planned.work - done.work).max(0.0) * seconds / done.work;
    let left = if left.is_finite() { terminal::time(left) } else { "unknown time".to_owned() };
    format!("{}  {left} left", rate(done.runs as f64 / seconds))
}

/// Runs a second, or seconds a run where that says more.
fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 1.0 {
        format!("{:.1} s a run", 1.0 / per_second)
    } else {
        format!("{per_second:.0}/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_in_proportion_to_the_work_of_this_process() {
        let amount = |runs, work| Amount { runs, work };
        // 10 of 100 runs, but the heavier ones are to come: a twentieth of the work in 2 s.
        assert_eq!(pace(amount(10, 5.0), amount(100, 100.0), 2.0), "5/s  about 38 s left");
        assert_eq!(pace(amount(1, 1.0), amount(3, 3.0), 8.0), "8.0 s a run  about 16 s left");
        assert_eq!(pace(amount(3, 3.0), amount(3, 3.0), 3.0), "1/s  less than 1 s left");
    }

    #[test]
    fn runs_that_were_finished_before_are_counted_and_have_no_speed() {
        let planned = Amount { runs: 100, work: 100.0 };
        let progress = Progress::new(900, planned, Labels::default(), true);
        assert_eq!((progress.bar.position(), progress.bar.length()), (900, Some(1000)));
        assert_eq!((progress.done, progress.planned), (Amount::default(), planned));
        assert_eq!(progress.finish(), 0);
    }

    #[test]
    fn rates_are_short() {
        assert_eq!([rate(140.2), rate(0.5), rate(0.0)], ["140/s", "2.0 s a run", "0/s"]);
    }
}

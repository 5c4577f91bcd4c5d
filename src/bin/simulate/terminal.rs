//! What is special about a terminal: colour, progress, and how long it will take.

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use moe_theory::sim::Point;
use std::io::{IsTerminal, Write};

/// The verdicts with their colours. The words alone tell them apart.
const PAINTS: [(&str, AnsiColor); 3] =
    [("SUPPORTED", AnsiColor::Green), ("REFUTED", AnsiColor::Red), ("INCONCLUSIVE", AnsiColor::Yellow)];

/// Writes to stdout, verdicts in colour if it is a terminal and neither `NO_COLOR` nor `TERM=dumb` is set.
pub fn print(text: &str) -> std::io::Result<()> {
    anstream::stdout().write_all(painted(text).as_bytes())
}

fn painted(text: &str) -> String {
    let mut painted = text.to_owned();
    for (word, colour) in PAINTS {
        let style = Style::new().fg_color(Some(colour.into())).bold();
        painted = painted.replace(word, &format!("{style}{word}{style:#}"));
    }
    painted
}

/// A bar on stderr with rate, time left and the current point; hidden if stderr is no terminal.
pub fn progress(runs: u64, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(runs);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:20} {pos}/{len} runs  {rate}  {eta} left  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // A progress bar that can't be drawn is no reason to stop.
            let _ = out.write_str(&rate(state.per_sec()));
        });
    bar.with_style(style)
}

/// Runs a second, or seconds a run where that says more.
fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 1.0 {
        format!("{:.1} s a run", 1.0 / per_second)
    } else {
        format!("{per_second:.0}/s")
    }
}

/// The current point for a progress bar, which cuts off what has no room.
pub fn describe(point: &Point) -> String {
    let swept: Vec<String> = point.swept.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if swept.is_empty() {
        format!("point {}", point.index)
    } else {
        format!("point {}: {}", point.index, swept.join(", "))
    }
}

/// A time in words: `about 7 s`, `about 3 min`, `about 2.0 h`.
pub fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 1.0 => "less than 1 s".to_owned(),
        seconds if seconds < 90.0 => format!("about {seconds:.0} s"),
        seconds if seconds < 5400.0 => format!("about {:.0} min", seconds / 60.0),
        seconds => format!("about {:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verdicts_are_painted_and_no_letter_is_lost() {
        let text = "T0      SUPPORTED   100 %\nT1a     INCONCLUSIVE (too few)\n";
        let painted = painted(text);
        assert_eq!(painted.matches("\u{1b}[").count() % 2, 0, "{painted:?}");
        assert!(painted.contains("m SUPPORTED") || painted.contains("mSUPPORTED"), "{painted:?}");
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), text);
    }

    #[test]
    fn times_and_rates_are_short() {
        let shown = [0.3, 7.2, 600.0, 9000.0].map(time);
        assert_eq!(shown, ["less than 1 s", "about 7 s", "about 10 min", "about 2.5 h"]);
        assert_eq!([rate(140.2), rate(0.5), rate(0.0)], ["140/s", "2.0 s a run", "0/s"]);
    }
}

//! Words for people at a terminal: verdicts in colour, points, times.

use crate::output;
use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use std::io::Write;

/// The verdicts with their colours. The words alone tell them apart.
const PAINTS: [(&str, AnsiColor); 3] =
    [("SUPPORTED", AnsiColor::Green), ("REFUTED", AnsiColor::Red), ("INCONCLUSIVE", AnsiColor::Yellow)];

/// Writes to stdout, verdicts in colour if it is a terminal and neither `NO_COLOR` nor `TERM=dumb` is set.
pub fn print(text: &str) -> std::io::Result<()> {
    match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => output::stdout().write_all(text.as_bytes()),
        _ => output::stdout().write_all(painted(text).as_bytes()),
    }
}

fn painted(text: &str) -> String {
    let mut painted = text.to_owned();
    for (word, colour) in PAINTS {
        let style = Style::new().fg_color(Some(colour.into())).bold();
        painted = painted.replace(word, &format!("{style}{word}{style:#}"));
    }
    painted
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
    fn times_are_short() {
        let shown = [0.3, 7.2, 600.0, 9000.0].map(time);
        assert_eq!(shown, ["less than 1 s", "about 7 s", "about 10 min", "about 2.5 h"]);
    }
}

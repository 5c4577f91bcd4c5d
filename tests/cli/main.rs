//! The program as a user meets it: what it prints, writes and refuses, and with which exit status.

mod bounds;
mod certifying;
#[path = "../cli_common/mod.rs"]
mod cli_common;
mod documents;
mod folders;
mod foreign;
mod judging;
mod printing;
mod proving;
mod readers;
mod refusals;
mod writing;

use cli_common::{Bench, Done, Files, TINY};

impl Bench {
    fn files(&self) -> Files {
        self.files_below("")
    }

    /// The header of a CSV.
    fn header(&self, name: &str) -> Vec<String> {
        let text = self.read(name);
        text.lines().next().unwrap_or_default().split(',').map(str::to_owned).collect()
    }

    /// Runs the program, which must refuse in one line, with status 2, without output or any change on the disk; the
    /// line.
    fn refuses(&self, arguments: &str) -> String {
        let before = self.files();
        let Done { status, stdout, stderr } = self.simulate(arguments);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{arguments}: {stderr}");
        assert!(self.files() == before, "{arguments} wrote something");
        let line = stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {stderr:?}"));
        assert!(!line.contains('\n'), "{stderr}");
        line.strip_prefix("simulate: ").unwrap_or_else(|| panic!("{line:?}")).to_owned()
    }

    /// `tiny.toml` with a piece of its text replaced, under another file name.
    fn variant(&self, name: &str, from: &str, to: &str) {
        assert!(TINY.contains(from), "{from}");
        self.write(name, TINY.replace(from, to));
    }

    /// Replaces a piece of a file's text.
    fn tamper(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name}: {from}");
        self.write(name, text.replacen(from, to, 1));
    }
}

/// A bench with the results of `tiny.toml` in `made`.
fn made() -> Bench {
    let bench = Bench::new();
    bench.succeeds("run tiny.toml --out made");
    bench
}

fn too_wide(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.chars().count() > 80).collect()
}

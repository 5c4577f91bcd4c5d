//! Real checkpoints as a user meets them: inspected, ranked, pruned, refused. Tests are named after what must happen.

#[path = "../cli_common/mod.rs"]
mod cli_common;
mod configs;
mod criteria;
mod families;
mod fixtures;
mod formats;
mod inspecting;
mod pairs;
mod pruning;
mod ranking;
mod space;

use cli_common::{Bench, Done};

/// The program on a pair of checkpoints, in a folder of its own.
pub struct Lab {
    /// The folder, and the program in it.
    pub bench: Bench,
}

impl Lab {
    /// A folder with `base` and `tuned` of a model.
    pub fn of(model: &fixtures::Model) -> Self {
        let lab = Self { bench: Bench::new() };
        model.write_pair(&lab.bench.path(""));
        lab
    }

    /// Runs the program and expects success.
    pub fn does(&self, arguments: &str) -> String {
        let done = self.bench.simulate(arguments);
        assert_eq!(done.status, Some(0), "{arguments}: {}", done.stderr);
        done.stdout
    }

    /// Runs the program and expects a refusal with exit status 2 that leaves nothing behind.
    pub fn refuses(&self, arguments: &str) -> String {
        let before = self.bench.files_below("");
        let Done { status, stderr, .. } = self.bench.simulate(arguments);
        assert_eq!(status, Some(2), "{arguments}: {stderr}");
        assert_eq!(before, self.bench.files_below(""), "{arguments}: something was written");
        stderr.trim_end().to_owned()
    }

    /// Prunes into `out`.
    pub fn prunes(&self, arguments: &str) -> String {
        self.does(&format!("prune base tuned --out out {arguments}"))
    }

    /// What `prune` says when it refuses.
    pub fn refuses_to_prune(&self, arguments: &str) -> String {
        self.refuses(&format!("prune base tuned --out out {arguments}"))
    }

    /// A JSON file.
    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.bench.read(name)).expect("JSON")
    }

    /// What `inspect --json` says.
    pub fn inspected(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.does(&format!("inspect {name} --json"))).expect("JSON")
    }
}

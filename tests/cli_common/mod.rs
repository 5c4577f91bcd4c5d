//! A folder to run the program in, and what it left there.

use assert_cmd::cargo::cargo_bin_cmd;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A simulation that takes milliseconds; its claims are judged on every run.
pub const TINY: &str = r#"name = "tiny"
aims = "Every part of the program in milliseconds"
seeds = 6
[data]
patterns = 20
tokens = 5
[model]
experts = 6
neurons = 4
tokens_per_expert = 2
[pretrained]
relevant_per_class = 1
[training]
batch = 20
iterations = 30
expert_rate = 0.4
[pruning]
finetune_iterations = 5
finetune_kept = [3, 2]
[roles]
proficiency_samples = 20
[evaluation]
samples = 50
[record]
trajectory_runs = 2
[[claim]]
id = "T0"
on = "all"
roles = "built"
[[claim]]
id = "T1a"
threshold = 0.1
on = "all"
roles = "built"
"#;

/// Every file below a folder with its bytes; folders have none.
#[allow(dead_code, reason = "not every suite looks at files")]
pub type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// Rows of a CSV by column name.
pub type Rows = Vec<BTreeMap<String, String>>;

/// What the program did.
#[derive(Debug)]
pub struct Done {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A temporary folder with `tiny.toml`, in which the program runs.
pub struct Bench {
    dir: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let bench = Self { dir: TempDir::new().expect("a temporary folder") };
        bench.write("tiny.toml", TINY);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    #[allow(dead_code, reason = "not every suite reads files")]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs the program with these arguments, split at spaces.
    pub fn simulate(&self, arguments: &str) -> Done {
        self.simulate_with(&arguments.split(' ').collect::<Vec<_>>())
    }

    /// Runs the program with these arguments.
    pub fn simulate_with(&self, arguments: &[&str]) -> Done {
        let output = cargo_bin_cmd!("simulate").current_dir(self.dir.path()).args(arguments).output();
        let output = output.expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Done { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs the program, which must succeed in silence on stderr; what it printed.
    pub fn succeeds(&self, arguments: &str) -> String {
        let done = self.simulate(arguments);
        assert_eq!((done.status, done.stderr.as_str()), (Some(0), ""), "{arguments}");
        done.stdout
    }

    /// Every file below `name`, hidden ones included.
    #[allow(dead_code, reason = "not every suite looks at files")]
    pub fn files_below(&self, name: &str) -> Files {
        fn walk(root: &Path, dir: &Path, found: &mut Files) {
            for entry in fs::read_dir(dir).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.strip_prefix(root).expect("below the root").to_owned();
                if path.is_dir() {
                    found.insert(name, None);
                    walk(root, &path, found);
                } else {
                    found.insert(name, Some(fs::read(&path).expect("a file")));
                }
            }
        }
        let root = self.path(name);
        let mut found = Files::new();
        walk(&root, &root, &mut found);
        found
    }

    /// The rows of a CSV.
    #[allow(dead_code, reason = "not every suite reads rows")]
    pub fn rows(&self, name: &str) -> Rows {
        let mut reader = csv::Reader::from_path(self.path(name)).expect(name);
        reader.deserialize().collect::<Result<Rows, _>>().expect(name)
    }
}

/// One column of a CSV.
#[allow(dead_code, reason = "not every suite reads rows")]
pub fn column<'a>(rows: &'a Rows, name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[name].as_str()).collect()
}

//! Disks that are full, and names that are not plain.

mod cli_common;

use cli_common::{Bench, Files};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const SWEEP: &str = "smoke --seeds 120 --set training.iterations=60";

fn reference(arguments: &str) -> Files {
    let bench = Bench::new();
    bench.succeeds(&format!("run {arguments} --out made"));
    bench.files_below("made")
}

/// A small disk in memory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with a message, where no disk can be mounted (it needs Linux and root).
    #[expect(clippy::print_stdout, reason = "that a test is skipped is to be seen")]
    fn new(bench: &Bench, kilobytes: u32) -> Option<Self> {
        let path = bench.path("disk");
        fs::create_dir_all(&path).expect("a folder");
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(path)),
            _ => {
                println!("skipped: no tmpfs can be mounted here");
                None
            }
        }
    }

    fn grow(&self, kilobytes: u32) {
        let size = format!("remount,size={kilobytes}k");
        let done = Command::new("mount").args(["-o", &size]).arg(&self.0).status().expect("mount");
        assert!(done.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: nothing holds the folder up, and the temporary one around it goes next.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Sizes at which the journal, a table in the making, or the last files find no room.
#[test]
fn a_full_disk_ends_with_1_and_resumes_when_there_is_room() {
    let expected = reference(SWEEP);
    // The page is about as large however few runs there are: it is counted apart, where the tables find room.
    let kilobytes = |page: bool| {
        let own = expected.iter().filter(|(path, _)| path.ends_with("report.html") == page);
        own.filter_map(|(_, bytes)| bytes.as_ref()).map(Vec::len).sum::<usize>() as u32 / 1000
    };
    let (whole, page) = (kilobytes(false), kilobytes(true));
    let mut kept_some = 0;
    for tenths in [2, 5, 9, 12, 16, 19, 21] {
        let bench = Bench::new();
        let Some(disk) = SmallDisk::new(&bench, whole * tenths / 10 + if tenths < 19 { 0 } else { 2 * page }) else {
            return;
        };
        let done = bench.simulate(&format!("run {SWEEP} --out disk/made"));
        // A little more than twice the results is enough.
        if done.status == Some(0) {
            assert!(tenths >= 19);
            continue;
        }
        assert_eq!(done.status, Some(1), "{tenths}: {}", done.stderr);
        let last = done.stderr.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("simulate: disk/made: stopped; finished runs are kept, `")
                && last.contains(
                    " run smoke --seeds 120 --set training.iterations=60 --out disk/made --resume` goes on: "
                )
                && last.contains("No space left on device"),
            "{tenths}: {}",
            done.stderr
        );
        assert!(done.stderr.contains("warning: disk/made/.partial: the results take about "), "{}", done.stderr);
        assert!(!bench.path("disk/made/manifest.json").exists());
        disk.grow(whole * 4 + 2 * page);
        let done = bench.simulate(&format!("run {SWEEP} --out disk/made --resume"));
        assert_eq!(done.status, Some(0), "{tenths}: {}", done.stderr);
        kept_some += u32::from(done.stderr.contains("runs were finished"));
        assert!(bench.files_below("disk/made") == expected, "{tenths}");
    }
    assert!(kept_some >= 4, "{kept_some}");
}

#[test]
fn a_disk_without_any_room_is_refused_before_the_work_starts() {
    let bench = Bench::new();
    let Some(_disk) = SmallDisk::new(&bench, 64) else { return };
    let _ = fs::write(bench.path("disk/filler"), vec![1; 1 << 20]);
    let done = bench.simulate(&format!("run {SWEEP} --out disk/made"));
    assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{}", done.stderr);
    assert!(
        done.stderr.contains("No space left on device") && done.stderr.ends_with("; nothing was written\n"),
        "{}",
        done.stderr
    );
    assert!(!bench.path("disk/made").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_the_work_starts() {
    // Not even root makes folders there.
    for out in ["/proc/simulate", "/sys/simulate"] {
        let done = Bench::new().simulate(&format!("run tiny.toml --out {out}"));
        assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{}", done.stderr);
        assert!(done.stderr.starts_with(&format!("simulate: {out}: ")), "{}", done.stderr);
        assert!(done.stderr.ends_with("; nothing was written\n"), "{}", done.stderr);
    }
}

#[test]
fn a_later_simulation_that_cannot_be_written_stops_all_before_the_first_one() {
    let bench = Bench::new();
    bench.write("other.toml", cli_common::TINY.replace("name = \"tiny\"", "name = \"other\""));
    bench.write("all/other/.partial", "in the way");
    let before = bench.files_below("");
    let done = bench.simulate("run tiny.toml other.toml --out all");
    assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{}", done.stderr);
    assert!(bench.files_below("") == before);
}

#[test]
fn names_with_spaces_and_unicode_are_names() {
    let expected = reference("tiny.toml");
    for name in ["a name", "ein Köder 実験", "-dash", "quote'\"s", "per%cent $HOME"] {
        let bench = Bench::new();
        let file = format!("{name}/sim ü.toml");
        bench.write(&file, cli_common::TINY);
        let file = format!("./{file}");
        let out = format!("{name}/out ✓");
        let run = |arguments: &[&str]| {
            let done = bench.simulate_with(arguments);
            assert_eq!(done.status, Some(0), "{name}: {}", done.stderr);
        };
        let out = format!("--out=./{out}");
        run(&["run", &file, &out]);
        run(&["run", &file, &out, "--resume"]);
        assert!(bench.files_below(&format!("{name}/out ✓")) == expected, "{name}");
        let shards = format!("--out=./{name}/shards of it");
        run(&["submit", &file, "--engine", "local", "--shards", "2", &shards]);
        assert!(bench.files_below(&format!("{name}/shards of it")) == expected, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_followed_and_kept() {
    use std::os::unix::fs::symlink;
    let expected = reference("tiny.toml");
    let bench = Bench::new();
    fs::create_dir_all(bench.path("far/away")).expect("a folder");
    symlink("far/away", bench.path("link")).expect("a link");
    symlink("tiny.toml", bench.path("link.toml")).expect("a link");
    bench.succeeds("run link.toml --out link");
    bench.succeeds("run link.toml --out link --resume");
    assert!(bench.files_below("far/away") == expected);
    assert!(bench.path("link").is_symlink());
    symlink("nowhere", bench.path("dangling")).expect("a link");
    let done = bench.simulate("run tiny.toml --out dangling");
    assert_eq!((done.status, done.stdout.as_str()), (Some(2), ""), "{}", done.stderr);
    assert!(!bench.path("nowhere").exists());
}

/// A name that is a folder's can't lead out of it.
#[test]
fn a_simulation_writes_in_its_own_folder_alone() {
    for name in ["..", "../x", "a/b", "/tmp/x", ".hidden", "", "a\\b", "x\u{0}", "ü"] {
        let bench = Bench::new();
        let text = toml::Value::String(name.to_owned()).to_string();
        bench.write("other.toml", cli_common::TINY.replace("\"tiny\"", &text));
        let before = bench.files_below("");
        let done = bench.simulate("run other.toml");
        assert_eq!(done.status, Some(2), "{name}");
        // What can't be shown is refused before it is looked at as a name.
        let legal = match name.contains('\u{0}') {
            true => "must be one line without control characters",
            false => "must be 1 to 64 of A-Z a-z 0-9 . _ - and not start with a dot",
        };
        assert!(done.stderr.contains(legal), "{}", done.stderr);
        assert!(bench.files_below("") == before);
    }
}

//! Disks that are full, at once or on the way.

use crate::Lab;
use crate::fixtures::{Cut, Tensor, family};
use safetensors::Dtype;
use std::fs;

#[test]
fn what_the_disk_has_no_space_for_is_not_begun() {
    let lab = Lab::of(&family("mixtral"));
    // A tensor that is larger than what is free, in a file of holes.
    let free = fs4::available_space(lab.bench.path("")).expect("a number");
    let size = free + (1 << 32);
    let path = lab.bench.path("tuned/model.safetensors");
    let bytes = fs::read(&path).expect("a file");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"));
    let (header, data) = bytes[8..].split_at(length as usize);
    let header = String::from_utf8(header.to_vec()).expect("UTF-8");
    let end = data.len() as u64 + size;
    let entry =
        format!(r#","lm_head.weight":{{"dtype":"U8","shape":[{size}],"data_offsets":[{},{end}]}}}}"#, data.len());
    let header = header.trim_end().strip_suffix('}').expect("an object").to_owned() + &entry;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    fs::write(&path, &file).expect("a file");
    let sparse = fs::OpenOptions::new().write(true).open(&path).expect("a file");
    sparse.set_len(file.len() as u64 + size).expect("a file of holes");
    for out in ["out", "new/folder/out"] {
        let done = lab.bench.simulate(&format!("prune base tuned --keep 4 --out {out}"));
        let expected = format!("{out}: needs ");
        assert!(
            done.stderr.contains(&expected) && done.stderr.contains(" are free; nothing was written"),
            "{}",
            done.stderr
        );
        assert_eq!(done.status, Some(2));
        assert!(!lab.bench.path(out).exists() && !lab.bench.path("new").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_on_the_way_leaves_nothing() {
    let mut model = family("mixtral");
    let size = 4_000_000;
    model.tensors.push(Tensor {
        name: "lm_head.weight".to_owned(),
        dtype: Dtype::U8,
        shape: vec![size],
        bytes: vec![1; size],
        cut: Cut::Whole,
        is_router: false,
    });
    let lab = Lab::of(&model);
    let before = lab.bench.files_below("");
    // Files may have 1,024 blocks of 512 bytes, and the signal that says so is ignored, as a full disk sends none.
    let program = assert_cmd::cargo::cargo_bin!("simulate");
    let script =
        format!("trap '' XFSZ; ulimit -f 1024; exec '{}' prune base tuned --keep 4 --out out", program.display());
    let done = std::process::Command::new("sh").args(["-c", &script]).current_dir(lab.bench.path("")).output();
    let done = done.expect("a shell");
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("model.safetensors"), "{stderr}");
    assert_eq!(before, lab.bench.files_below(""));
}

//! A journal: its frames, and the runs that they hold. The first byte says whether what follows is a file or the content
//! of one frame, which no fuzzer would find the hash of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::record::journal::{Frames, JournalHeader, frame};
use moe_theory::record::{Headers, RunLines};

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    let headers = Headers::new(&[]);
    let file = if kind % 2 == 0 { bytes.to_vec() } else { frame(bytes).expect("short") };
    let mut frames = Frames::new(file.as_slice());
    for content in frames.by_ref() {
        let (_, content) = content.expect("memory does not fail");
        let _ = JournalHeader::parse(&content);
        if let Some(lines) = RunLines::from_bytes(&content) {
            assert_eq!(lines.to_bytes(), content);
            let _ = lines.record(&headers);
        }
    }
    assert!(frames.length <= file.len() as u64);
});

//! A result folder as `report` reads it, its files separated by zero bytes: a page, figures and bars, or a refusal. Text
//! of others never becomes part of the page's own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moe_theory::record::RunReader;
use moe_theory::record::manifest::{Manifest, Provenance};
use moe_theory::record::tables;
use moe_theory::report::gathering::Gathering;
use moe_theory::report::{Results, charts, glance, page};
use moe_theory::sim::{Overrides, Simulation};
use std::sync::LazyLock;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let text = include_str!("../simulation.toml");
    let simulation = Simulation::parse("simulation.toml", text, &Overrides { set: &[], seeds: None }).expect("legal");
    let points = simulation.points().expect("points");
    let provenance = Provenance {
        text: text.to_owned(),
        overrides: Vec::new(),
        engine: "auto".to_owned(),
        master_seed: 0,
        seeds_given: None,
        revision: "unknown".to_owned(),
        design: moe_theory::record::design::Design::Fixed,
        shard: None,
    };
    Manifest::new(&simulation, &points, &provenance)
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|&byte| byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let inputs = [(); 4].map(|()| next());
    let [claims, scaling, terms, phase, boundary, name, found] = [(); 7].map(|()| next());
    let (name, found) = (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(found).into_owned());
    let manifest = Manifest { name, aims: found.clone(), ..MANIFEST.clone() };
    let Ok(claims) = tables::read(claims) else { return };
    let Ok(scaling) = tables::read(scaling) else { return };
    let Ok(terms) = tables::read(terms) else { return };
    let Ok(phase) = tables::read(phase) else { return };
    let Ok(boundary) = tables::read(boundary) else { return };
    let Ok(mut reader) = RunReader::new(inputs, &manifest.swept, 1 << 12) else { return };
    let mut gathering = Gathering::new(&manifest, &claims);
    loop {
        match reader.next_run_with(|(point, _)| gathering.wanted(point)) {
            Err(_) => return,
            Ok(None) => break,
            Ok(Some(lines)) if gathering.add(&lines, reader.headers()).is_err() => return,
            Ok(Some(_)) => {}
        }
    }
    let runs = gathering.finish();
    let falsified = vec![("falsify-<script>.toml".to_owned(), found)];
    let results = Results { manifest, runs, claims, scaling, terms, phase, boundary, falsified };
    let page = page::page(&results);
    // One script, whatever the folder holds.
    assert_eq!(page.matches("<script").count(), 1);
    glance::glance(&results);
    // The page holds every drawing as its file does.
    assert!(charts::figures(&results).iter().all(|figure| page.contains(&figure.svg)));
});

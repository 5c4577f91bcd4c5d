//! A run's rows as lines of its tables, and the tables read run by run.

use moe_theory::record::BadLines;
use moe_theory::record::{Headers, RunLines, RunReader, RunRecord, RunTable, TABLES, check_record};
use moe_theory::run::replay::{TIMING, compare};
use moe_theory::run::run;
use moe_theory::sgd::EngineChoice;
use moe_theory::sim::{Overrides, Point, Simulation};
use proptest::prelude::*;

/// Two points of tiny runs with every kind of row.
fn points() -> Vec<Point> {
    let set = [
        "data.patterns=[20,24]",
        "data.tokens=5",
        "model.experts=4",
        "model.tokens_per_expert=2",
        "training.iterations=20",
        "training.batch=20",
        "pretrained.relevant_per_class=1",
        "record.trajectory_runs=1",
        "pruning.finetune_kept=[2]",
    ];
    let simulation =
        Simulation::parse("x", "name = \"x\"", &Overrides { set: &set.map(str::to_owned), seeds: Some(3) });
    simulation.and_then(|simulation| simulation.points()).expect("points")
}

fn headers() -> Headers {
    Headers::new(&["patterns".to_owned()])
}

fn runs() -> Vec<RunLines> {
    let points = points();
    let tasks = points.iter().flat_map(|point| (0..point.seeds).map(move |index| (point, index)));
    tasks.map(|(point, index)| RunLines::new(&run(point, index, 0, EngineChoice::Auto)).expect("lines")).collect()
}

fn tables(runs: &[RunLines]) -> [Vec<u8>; 4] {
    let header = |table| headers().line(table).expect("a header");
    std::array::from_fn(|table| {
        let lines = runs.iter().flat_map(|lines| lines.tables[table].iter().copied());
        header(RunTable::ALL[table]).into_iter().chain(lines).collect()
    })
}

fn read(tables: &[Vec<u8>; 4]) -> Result<Vec<RunLines>, BadLines> {
    let mut reader = RunReader::new(tables.each_ref().map(Vec::as_slice), &["patterns".to_owned()], 64)?;
    std::iter::from_fn(|| reader.next_run().transpose()).collect()
}

#[test]
fn the_runs_of_tables_come_back_byte_by_byte() {
    let runs = runs();
    assert!(runs[0].tables.iter().all(|lines| !lines.is_empty()) && runs[1].tables[2].is_empty());
    assert_eq!(read(&tables(&runs)), Ok(runs));
}

#[test]
fn rows_that_do_not_fit_together_are_refused() {
    let runs = runs();
    let refused = |tables: &[Vec<u8>; 4]| read(tables).expect_err("refused").to_string();
    let [whole, fewer, doubled] = [&runs[..], &runs[..5], &[&runs[..1], &runs[..]].concat()].map(tables);
    let mix = |table: usize, other: &[Vec<u8>; 4]| {
        let mut mixed = whole.clone();
        mixed[table].clone_from(&other[table]);
        mixed
    };
    assert_eq!(refused(&mix(0, &fewer)), "experts.csv: has rows of run 2 of point 1, which runs.csv has not there");
    assert_eq!(refused(&doubled), "runs.csv: has run 0 of point 0 twice");
    let mut other = whole.clone();
    other[3] = [b"x", whole[3].as_slice()].concat();
    assert_eq!(refused(&other), "pruning.csv: does not begin with the columns point and run");
    // An experts.csv that lacks a run: its record has no experts.
    let lines = read(&mix(1, &fewer)).expect("rows in order");
    let record = lines[5].record(&headers()).expect("a record");
    assert_eq!(
        check_record(&record, &points()).expect_err("no experts").to_string(),
        "experts.csv: run 2 of point 1: its experts are not 0 to 3"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Damage anywhere gives an answer: the same runs, other ones that fit together, or one refusal.
    #[test]
    fn damaged_tables_are_read_or_refused(
        table in 0usize..4,
        place in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'"'), Just(b'\n'), 48u8..58], 0..4),
        removed in 0usize..40,
    ) {
        let mut tables = tables(&runs()[..3]);
        let place = place.index(tables[table].len());
        let end = (place + removed).min(tables[table].len());
        tables[table].splice(place..end, bytes);
        let points = points();
        for lines in read(&tables).unwrap_or_default() {
            if let Ok(record) = lines.record(&headers()) {
                let _ = check_record(&record, &points);
            }
        }
    }
}

fn record() -> (RunRecord, Headers) {
    let points = points();
    let headers = Headers::new(&["patterns".to_owned()]);
    (run(&points[1], 0, 0, EngineChoice::Auto), headers)
}

#[test]
fn a_record_comes_back_from_its_lines_and_bytes() {
    let (record, headers) = record();
    assert!(!record.trajectory.is_empty() && !record.pruning.is_empty());
    let lines = RunLines::new(&record).expect("lines");
    let back = RunLines::from_bytes(&lines.to_bytes()).expect("the same bytes");
    assert_eq!(back, lines);
    assert_eq!(back.record(&headers), Ok(record));
}

#[test]
fn lines_of_another_run_are_refused() {
    let (mut record, headers) = record();
    record.pruning[1].run = 7;
    let lines = RunLines::new(&record).expect("lines");
    let refused = lines.record(&headers).expect_err("a foreign row");
    assert_eq!(refused.to_string(), "pruning.csv: the lines are not those of run 0 of point 1");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_come_back_changed(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(lines) = RunLines::from_bytes(&bytes) {
            prop_assert_eq!(lines.to_bytes(), bytes);
        }
    }

    #[test]
    fn cut_or_changed_bytes_are_no_run_or_a_refused_one(cut in 0usize..3000, at in 0usize..3000, byte in any::<u8>()) {
        let (record, headers) = record();
        let whole = RunLines::new(&record).expect("lines").to_bytes();
        prop_assert_eq!(RunLines::from_bytes(&whole[..cut.min(whole.len() - 1)]), None);
        let mut changed = whole.clone();
        let place = at % whole.len();
        changed[place] = byte;
        if let Some(lines) = RunLines::from_bytes(&changed) {
            // Whatever the answer is, it comes.
            let _ = lines.record(&headers);
        }
    }
}

fn rows(lines: &[u8]) -> Vec<csv::StringRecord> {
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(lines);
    reader.into_records().map(|row| row.expect("CSV")).collect()
}

#[test]
fn a_run_equals_itself_and_every_cell_of_every_table_is_looked_at() {
    let (stored, headers) = (runs().remove(3), headers());
    let same = compare(&stored, [2; 4], &stored, &headers).expect("CSV");
    assert_eq!(same.differences, []);
    let mut cells = 0;
    for (table, columns) in headers.columns.iter().enumerate() {
        let original = rows(&stored.tables[table]);
        assert!(!original.is_empty(), "{}", TABLES[table]);
        for row in 0..original.len() {
            for (place, column) in columns.iter().enumerate().filter(|(_, column)| *column != TIMING) {
                cells += 1;
                let mut changed = stored.clone();
                let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
                for (number, record) in original.iter().enumerate() {
                    let change = |at: usize| number == row && at == place;
                    let texts = record.iter().enumerate();
                    let texts = texts.map(|(at, text)| if change(at) { format!("{text}1") } else { text.to_owned() });
                    writer.write_record(texts).expect("CSV");
                }
                changed.tables[table] = writer.into_inner().expect("CSV");
                let found = compare(&changed, [2; 4], &stored, &headers).expect("CSV").differences;
                let places: Vec<_> = found.iter().map(|cell| (cell.table, cell.line, cell.column.as_str())).collect();
                assert_eq!(places, [(TABLES[table], 2 + row as u64, column.as_str())]);
            }
        }
    }
    assert_eq!(same.cells, cells);
}

#[test]
fn a_row_that_is_missing_or_too_many_differs() {
    let (stored, headers) = (runs().remove(3), headers());
    let mut short = stored.clone();
    let last = short.tables[3].iter().rposition(|&byte| byte == b'\n').expect("a line");
    let end = short.tables[3][..last].iter().rposition(|&byte| byte == b'\n').expect("two lines");
    short.tables[3].truncate(end + 1);
    let columns = headers.columns[3].len();
    for (here, there) in [(&short, &stored), (&stored, &short)] {
        let found = compare(here, [9; 4], there, &headers).expect("CSV").differences;
        assert_eq!(found.len(), columns);
        assert!(found.iter().all(|cell| cell.stored.is_none() != cell.computed.is_none()));
    }
}

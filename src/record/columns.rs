//! Every column of every CSV file, as FORMAT.md describes it: the one place where columns are explained.

/// The text of FORMAT.md.
const FORMAT: &str = include_str!("../../FORMAT.md");

/// One column of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The file, such as `runs.csv`.
    pub file: String,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub meaning: String,
    /// When a cell is empty.
    pub empty: String,
}

impl Column {
    /// The values that it can have, by its kind.
    pub fn range(&self) -> &'static str {
        let name = self.name.as_str();
        let starts = |heads: &[&str]| heads.iter().any(|head| name.starts_with(head));
        if starts(&["meets_"]) || matches!(name, "learned" | "finetuned") {
            "true, false"
        } else if starts(&["accuracy", "lambda", "p1", "p2", "p_"]) || matches!(name, "gamma" | "ratio" | "level") {
            "a number, 0 … 1"
        } else if starts(&["norm_", "max_", "displacement", "dominance_", "bound_d", "bound_l", "bound_n"])
            || matches!(name, "norm" | "seconds" | "noise_squared" | "standard_error" | "noise_error" | "drift_error")
        {
            "a number, at least 0"
        } else if matches!(
            name,
            "point"
                | "run"
                | "seed"
                | "expert"
                | "iteration"
                | "iterations"
                | "kept"
                | "errors"
                | "samples"
                | "runs"
                | "set_aside"
                | "holds"
                | "number"
                | "map"
                | "points"
                | "patterns"
                | "batch"
        ) {
            "an integer, at least 0"
        } else if name == "sign" {
            "1, -1"
        } else if self.is_text() {
            "a text"
        } else {
            "a number"
        }
    }

    fn is_text(&self) -> bool {
        const WORDS: [&str; 29] = [
            "case",
            "stop_reason",
            "error",
            "certificate",
            "certificate_subsets",
            "built_role",
            "role",
            "roles",
            "criterion",
            "claim",
            "part",
            "on",
            "verdict",
            "expected",
            "missed",
            "line",
            "figure",
            "span",
            "method",
            "reason",
            "binding",
            "bound_binding",
            "x_key",
            "x",
            "y_key",
            "y",
            "state",
            "direction",
            "remark",
        ];
        WORDS.contains(&self.name.as_str())
    }
}

/// All columns, file by file, in the order of FORMAT.md.
pub fn all() -> Vec<Column> {
    let mut columns = Vec::new();
    let mut file = None;
    for line in FORMAT.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            file = title.split(':').next().filter(|name| name.ends_with(".csv")).map(str::to_owned);
        } else if let (Some(file), Some([names, meaning, empty])) = (&file, cells(line)) {
            let names = names.split('`').skip(1).step_by(2);
            let plain = |text: &str| text.replace('`', "");
            columns.extend(names.map(|name| Column {
                file: file.clone(),
                name: name.to_owned(),
                meaning: plain(&meaning),
                empty: plain(&empty),
            }));
        }
    }
    columns
}

/// The columns of this name, in whatever file; `experts.csv:delta` names one of one file.
pub fn find(id: &str) -> Vec<Column> {
    let own = |column: &Column| column.name == id || format!("{}:{}", column.file, column.name) == id;
    all().into_iter().filter(own).collect()
}

/// The three cells of a line of a table; `\|` is a bar within a cell.
fn cells(line: &str) -> Option<[String; 3]> {
    let line = line.strip_prefix('|')?.strip_suffix('|')?.replace("\\|", "\u{0}");
    let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect();
    <[String; 3]>::try_from(cells).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tables::{columns, run_columns};
    use crate::record::{BoundaryRow, ClaimRow, ExpertRow, PhaseRow, PruningRow, ScalingRow, TermRow, TrajectoryRow};

    #[test]
    fn every_column_of_every_file_is_explained_and_no_other() {
        let files = [
            ("runs.csv", run_columns(&["case".to_owned()])),
            ("experts.csv", columns(&ExpertRow::default())),
            ("trajectory.csv", columns(&TrajectoryRow::default())),
            ("pruning.csv", columns(&PruningRow::default())),
            ("claims.csv", columns(&ClaimRow::default())),
            ("scaling.csv", columns(&ScalingRow::default())),
            ("terms.csv", columns(&TermRow::default())),
            ("phase.csv", columns(&PhaseRow::default())),
            ("boundary.csv", columns(&BoundaryRow::default())),
        ];
        let explained = all();
        for (file, names) in files {
            let names = names.expect("a header");
            let own: Vec<&str> =
                explained.iter().filter(|column| column.file == file).map(|column| column.name.as_str()).collect();
            let missing: Vec<&String> = names.iter().filter(|name| !own.contains(&name.as_str())).collect();
            assert!(missing.is_empty(), "FORMAT.md does not explain {missing:?} of {file}");
            let unknown: Vec<&&str> = own.iter().filter(|name| !names.iter().any(|other| other == **name)).collect();
            assert!(unknown.is_empty(), "FORMAT.md explains {unknown:?}, which {file} has not");
        }
    }

    #[test]
    fn a_bar_within_a_cell_is_no_border() {
        let found = find("max_abs_delta_irrelevant");
        assert_eq!(found[0].meaning, "max |Δ| over irrelevant experts (measured role)");
        assert_eq!(find("experts.csv:delta").len(), 1);
        assert!(find("delta").len() > 1);
    }
}

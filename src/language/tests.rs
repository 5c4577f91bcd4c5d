//! Tests of the language on small tables of its own.

use super::*;
use proptest::prelude::*;

const ROLES: &[&str] = &["relevant", "irrelevant"];
const CRITERIA: &[&str] = &["change", "reap", "soft-count"];

fn schema() -> Schema {
    let column = |table: &str, name: &'static str, values: Type, known: Known| Column {
        name: name.into(),
        path: format!("{table}.{name}"),
        values,
        known,
        refused: (name == "criterion").then_some("rows are those of the file's criterion"),
    };
    let (start, end) = (Known::AtStart, Known::AtEnd);
    let table = |name: &'static str, has_one_row: bool, others: &'static [&'static str], columns: Vec<Column>| Table {
        name,
        has_one_row,
        others,
        columns,
    };
    Schema {
        tables: vec![
            table(
                "keys",
                true,
                &[],
                vec![
                    column("model", "experts", Type::Number, start),
                    column("training", "iterations", Type::Number, start),
                    column("data", "share", Type::Number, start),
                ],
            ),
            table(
                "runs.csv",
                true,
                &[],
                vec![
                    column("runs", "iterations", Type::Number, end),
                    column("runs", "stop", Type::Word(&["finished", "diverged"]), end),
                    column("runs", "gap", Type::Number, end),
                ],
            ),
            table(
                "experts.csv",
                false,
                &[],
                vec![
                    column("experts", "delta", Type::Number, end),
                    column("experts", "norm", Type::Number, start),
                    column("experts", "role", Type::Word(ROLES), start),
                    column("experts", "relevant", Type::Truth, start),
                ],
            ),
            table(
                "pruning.csv",
                false,
                CRITERIA,
                vec![
                    column("pruning", "kept", Type::Number, end),
                    column("pruning", "errors", Type::Number, end),
                    column("pruning", "accuracy", Type::Number, end),
                    column("pruning", "criterion", Type::Word(CRITERIA), end),
                ],
            ),
            table("trajectory.csv", false, &[], vec![column("trajectory", "delta", Type::Number, end)]),
        ],
    }
}

/// A run of four experts, the last of which has no Δ; three pruned models by `change`, of which two have one by `reap`
/// beside them; no trajectory.
struct Run;

const DELTA: [Option<f64>; 4] = [Some(0.5), Some(-0.25), Some(0.125), None];
const NORM: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
/// Of 2000 samples.
const ERRORS: [u64; 5] = [0, 20, 40, 10, 2000];

impl Rows for Run {
    fn count(&self, table: usize) -> usize {
        [1, 1, 4, 3, 0][table]
    }

    fn number(&self, cell: Cell, row: usize) -> Option<Number> {
        match (cell.table, cell.column) {
            (0, 0) => Some(Number::whole(4)),
            (0, 1) => Some(Number::whole(300)),
            (0, 2) => Number::decimal(0.1),
            (1, 0) => Some(Number::whole(250)),
            (1, 2) => None,
            (2, 0) => Number::measured(DELTA[row]?),
            (2, 1) => Number::measured(NORM[row]),
            (3, 0) => Some(Number::whole([4, 3, 2, 4, 3][row])),
            (3, 1) => Some(Number::whole(ERRORS[row] as i64)),
            (3, 2) => Number::share(1.0 - ERRORS[row] as f64 / 2000.0, 2000 - ERRORS[row], 2000),
            _ => None,
        }
    }

    fn truth(&self, _: Cell, row: usize) -> Option<bool> {
        Some(row == 0 || row == 2)
    }

    fn word(&self, cell: Cell, row: usize) -> Option<&str> {
        Some(if cell.table == 1 { "finished" } else { ROLES[row % 2] })
    }

    fn beside(&self, _: usize, row: usize, other: usize) -> Option<usize> {
        match other {
            0 => Some(row),
            1 => Some(row + 3).filter(|row| *row < 5),
            _ => None,
        }
    }
}

fn program(text: &str) -> Result<Program, String> {
    let schema = schema();
    let scope = Scope::new(&schema).with("threshold", &Expression::parse("50").expect("a number"));
    Expression::parse(text).and_then(|expression| expression.program(&scope)).map_err(|problem| problem.message)
}

fn truth(text: &str) -> Option<bool> {
    let program = program(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    assert_eq!(program.values(), Type::Truth, "{text}");
    program.truth(&Run)
}

fn number(text: &str) -> Option<f64> {
    let program = program(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    assert_eq!(program.values(), Type::Number, "{text}");
    program.number(&Run).map(Number::float)
}

fn refusal(text: &str) -> String {
    match program(text) {
        Ok(_) => panic!("{text} is accepted"),
        Err(problem) => problem,
    }
}

#[test]
fn numbers_bind_as_in_mathematics() {
    for (text, value) in [
        ("2+3*4", 14.0),
        ("8-2-2", 4.0),
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("max(1, min(5, 3), 2) + log2(8)", 6.0),
        ("round(2.5) - floor(-0.5) + ceil(0.1) + abs(−1)", 6.0),
        ("log(exp(2)) · 2", 4.0),
        ("experts / 4", 1.0),
        ("training.iterations - runs.iterations", 50.0),
    ] {
        assert_eq!(number(text), Some(value), "{text}");
    }
}

#[test]
fn conditions_bind_as_in_mathematics() {
    for (text, value) in [
        ("1 < 2 and not 2 <= 1 or false", true),
        ("true or true and false", true),
        ("not true or true", true),
        ("1 ≤ 1 and 1 ≠ 2 and 2 ≥ 2", true),
        ("1 + 1 = 2", true),
        ("(1 < 2) = (3 < 4)", true),
        ("stop = 'finished' and stop != \"diverged\"", true),
    ] {
        assert_eq!(truth(text), Some(value), "{text}");
    }
}

#[test]
fn counts_and_decimals_compare_exactly() {
    // Each of these is false in floats.
    for text in [
        "1 - 0.99 = 0.01",
        "0.9 * 0.1 <= 0.09",
        "0.1 + 0.2 = 0.3",
        "share + 0.2 = 0.3",
        "max(1 - accuracy) = 0.02",
        "any(accuracy of change - accuracy of reap = 0.995 where kept = 3) or any(accuracy - accuracy of reap = 0.99 where kept = 3)",
        "mean(errors / 2000) * 3 = 0.03",
    ] {
        assert_eq!(truth(text), Some(true), "{text}");
    }
    assert_eq!(number("0.1 + 0.2"), Some(0.1 + 0.2), "the figure itself is a float");
}

#[test]
fn aggregates_go_over_the_rows_of_one_table() {
    for (text, value) in [
        ("max(delta where relevant)", 0.5),
        ("min(abs(delta) where known(delta))", 0.125),
        ("sum(norm)", 10.0),
        ("mean(norm where not relevant)", 3.0),
        ("median(norm)", 2.5),
        ("median(norm where norm < 4)", 2.0),
        ("quantile(norm, 0.25)", 1.75),
        ("count(relevant)", 2.0),
        ("count(norm > 1 where relevant)", 1.0),
        ("share(relevant)", 0.5),
        ("count(role = 'relevant')", 2.0),
        ("sum(norm where norm > 9)", 0.0),
        ("count(norm > 9)", 0.0),
        // An aggregate inside another one stands for one number.
        ("count(norm > mean(norm))", 2.0),
        ("max(errors where kept >= count(relevant))", 40.0),
        ("sum(errors of reap where kept > 2)", 2010.0),
        ("min(threshold, max(norm))", 4.0),
    ] {
        assert_eq!(number(text), Some(value), "{text}");
    }
    assert_eq!(truth("all(errors <= 40) and any(errors = 0 where kept = experts)"), Some(true));
}

#[test]
fn what_is_missing_stays_missing_unless_something_else_decides() {
    for text in [
        "max(delta) > 0",
        "gap > 0",
        "gap = gap",
        "not gap > 0",
        "gap > 0 and true",
        "gap > 0 or false",
        "max(norm where norm > 9) > 0",
        "mean(norm where norm > 9) > 0",
        "share(relevant where norm > 9) >= 0",
        "all(relevant where norm > 9)",
        "any(relevant where norm > 9)",
        "count(norm > 0 where delta > 0) > 0",
        "count(delta > 0) > 0",
        "all(delta > -1)",
        "log(-1) < 0",
        "0/0 = 0/0",
        "quantile(norm, 2) > 0",
        "all(errors of reap <= 2000)",
        "all(errors of soft-count <= 0)",
        // The table has no rows.
        "count(trajectory.delta > 0) = 0",
        "sum(trajectory.delta) = 0",
    ] {
        assert_eq!(truth(text), None, "{text}");
    }
    for (text, value) in [
        ("gap > 0 and false", false),
        ("false and gap > 0", false),
        ("gap > 0 or true", true),
        ("true or gap > 0", true),
        ("any(delta > 0.4)", true),
        ("all(delta > 0)", false),
        ("known(gap) or not known(max(delta))", true),
        ("known(norm)", true),
    ] {
        if text == "known(norm)" {
            assert!(program(text).is_err());
        } else {
            assert_eq!(truth(text), Some(value), "{text}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    for (text, problem) in [
        ("", "the expression ends where a number, a name or a parenthesis was expected"),
        ("2*", "the expression ends where a number, a name or a parenthesis was expected"),
        ("(1", "the expression ends where \")\" was expected"),
        ("1)", "the expression has \")\" where an operator was expected"),
        ("2 experts", "the expression has \"experts\" where an operator was expected"),
        (".", ". is no number"),
        ("1 § 2", "an expression has no \"§\""),
        ("1 == 1", "equality is written =, not =="),
        ("1 < 2 < 3", "comparisons do not chain: a < b < c is a < b and b < c"),
        ("role = 'rel", "the text behind ' has no end: ' is missing"),
        ("count(where relevant)", "where stands behind the arguments of an aggregate, as in min(delta where relevant)"),
        ("expert + 1", "unknown variable expert; the nearest is experts"),
        (
            "max(detla where relevant)",
            "unknown variable detla; the nearest is delta; columns of experts.csv: delta, norm, role, relevant",
        ),
        ("zzzzzz", "unknown variable zzzzzz"),
        ("sqr(2)", "unknown function sqr; the nearest is sqrt"),
        ("iterations > 1", "iterations is training.iterations or runs.iterations: write which"),
        ("delta > 0", "delta has a value in each row of experts.csv: say which, as in max(delta) or all(delta …)"),
        (
            "max(delta - errors)",
            "max goes over the rows of one table; delta is a column of experts.csv, errors of pruning.csv",
        ),
        (
            "max(experts)",
            "max goes over the rows of experts.csv, pruning.csv, trajectory.csv, and names no column of them",
        ),
        ("max(delta where norm)", "`where` needs a condition; this is a number"),
        ("count(delta)", "count needs a condition; this is a number"),
        ("sum(relevant)", "sum is of numbers; this is a condition"),
        ("sqrt(norm where relevant)", "where belongs to an aggregate over rows, and sqrt here is none"),
        ("sqrt(1, 2)", "sqrt takes one argument; there are 2"),
        ("count(relevant, relevant)", "count takes one argument; there are 2"),
        ("quantile(delta)", "quantile takes two arguments, as in quantile(delta, 0.9); there are 1"),
        ("1 and true", "and stands between conditions; this is a number"),
        ("1 + true", "+ stands between numbers; this is a condition"),
        ("not 1", "not needs a condition behind it; this is a number"),
        ("-true", "- needs a number behind it; this is a condition"),
        ("true < false", "only numbers have an order; this is a condition"),
        ("1 = true", "two values of one kind can be compared; the left one is a number, the right one a condition"),
        ("any(role = 'relevent')", "'relevent' is none of 'relevant', 'irrelevant'; the nearest is 'relevant'"),
        ("max(accuracy of reep)", "unknown criterion reep; the nearest is reap"),
        ("max(delta of reap)", "delta has no value of a criterion: only columns of pruned models do"),
        ("any(criterion = 'reap')", "criterion: rows are those of the file's criterion"),
        ("max(delta of )", "the name of a criterion must follow \"of\""),
    ] {
        assert_eq!(refusal(text), problem, "{text}");
    }
}

#[test]
fn a_caret_points_at_what_is_wrong() {
    let schema = schema();
    let pointed = |text: &str| {
        let found = Expression::parse(text).and_then(|expression| expression.condition(&Scope::new(&schema)));
        found.expect_err("wrong").pointed_at(text)
    };
    assert_eq!(pointed("max(detla) ≥ 1"), "  max(detla) ≥ 1\n      ^^^^^");
    assert_eq!(
        pointed("1 ≥ 1 and max(delta where norm) > 0"),
        "  1 ≥ 1 and max(delta where norm) > 0\n                            ^^^^"
    );
    assert_eq!(pointed("1 <"), "  1 <\n     ^");
    assert_eq!(pointed("1 + 1"), "  1 + 1\n  ^^^^^");
}

#[test]
fn what_is_known_only_at_the_end_is_no_assumption() {
    let schema = schema();
    let scope = Scope::at_start(&schema);
    let assumed = |text: &str| Expression::parse(text).and_then(|expression| expression.condition(&scope));
    assert!(assumed("max(norm where relevant) <= 2 and training.iterations >= 100").is_ok());
    let problem = assumed("max(norm) <= 2 and min(delta) > 0").expect_err("known at T");
    assert_eq!(
        problem.message,
        "delta (experts.csv) is known only at T: an assumption is a function of the configuration and of the model at t = 0"
    );
    assert!(assumed("runs.iterations > 1").is_err());
}

#[test]
fn a_bound_name_stands_for_its_expression() {
    let schema = schema();
    let figure = Expression::parse("max(norm) / experts").expect("figure");
    let scope =
        Scope::new(&schema).with("figure", &figure).with("threshold", &Expression::parse("-1.5").expect("a number"));
    let value = |text: &str| Expression::parse(text).expect("parsed").program(&scope).expect("checked");
    assert_eq!(value("figure - threshold").number(&Run).map(Number::float), Some(2.5));
    assert_eq!(value("all(norm <= 4 * figure)").truth(&Run), Some(true));
}

#[test]
fn endless_expressions_are_refused_before_the_stack_ends() {
    let parse = |text: &str| Expression::parse(text).map(|_| ()).map_err(|problem| problem.message);
    for deep in ["(", "-", "not ", "abs(", "2^"] {
        assert_eq!(parse(&deep.repeat(100)), Err("an expression may be nested at most 50 deep".into()), "{deep}");
    }
    assert_eq!(parse(&"1+".repeat(1000)), Err("an expression may have at most 1000 bytes".into()));
    assert_eq!(number(&format!("{}1", "1+".repeat(499))), Some(500.0));
}

/// Texts that are mostly expressions.
fn texts() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "1",
        "0.1",
        "2e3",
        "delta",
        "norm",
        "experts",
        "errors",
        "accuracy",
        "relevant",
        "role",
        "'relevant'",
        "gap",
        "kept",
        "threshold",
        "true",
        "+",
        "-",
        "*",
        "/",
        "^",
        "<",
        "<=",
        "=",
        "!=",
        "and",
        "or",
        "not",
        "where",
        "of",
        "reap",
        "(",
        ")",
        ",",
        "min(",
        "max(",
        "count(",
        "all(",
        "quantile(",
        "known(",
        "sqrt(",
        "≥",
        "§",
        "'",
    ]);
    prop::collection::vec(word, 0..30).prop_map(|words| words.join(" "))
}

/// Numbers that are expressions, from parts.
fn sums() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "0.25",
        "7",
        "experts",
        "max(norm)",
        "count(relevant)",
        "min(delta where relevant)",
        "max(delta)",
        "gap",
        "threshold",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "^"]);
        let function = prop::sample::select(vec!["sqrt", "log", "abs", "round", "exp"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (function, inner.clone()).prop_map(|(function, a)| format!("{function}({a})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("min({a}, {b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_anything_panic(text in prop_oneof![texts(), r"\PC{0,60}".prop_map(String::from)]) {
        let found = Expression::parse(&text).and_then(|expression| expression.program(&Scope::new(&schema())));
        match found {
            Ok(program) => { let _ = (program.number(&Run), program.truth(&Run)); }
            Err(problem) => prop_assert!(problem.pointed_at(&text).contains('^') && !problem.message.is_empty()),
        }
    }

    #[test]
    fn a_program_has_one_value(text in sums()) {
        prop_assume!(text.len() <= LONGEST);
        let bits = || number(&text).map(f64::to_bits);
        prop_assert_eq!(bits(), bits());
    }

    #[test]
    fn relations_are_those_of_one_order(a in sums(), b in sums()) {
        prop_assume!(a.len() + b.len() + 4 <= LONGEST);
        let holds = |relation: &str| truth(&format!("{a} {relation} {b}"));
        if number(&a).is_none() || number(&b).is_none() {
            prop_assert_eq!(holds("<"), None);
        } else {
            let [less, equal, more] = ["<", "=", ">"].map(|relation| holds(relation) == Some(true));
            prop_assert_eq!(u8::from(less) + u8::from(equal) + u8::from(more), 1);
            prop_assert_eq!(holds("<="), Some(less || equal));
            prop_assert_eq!(holds(">="), Some(more || equal));
            prop_assert_eq!(holds("!="), Some(!equal));
        }
    }

    #[test]
    fn two_numbers_combine_as_in_rust(a in -1e3..1e3f64, b in 1e-3..1e3f64) {
        prop_assert_eq!(number(&format!("({a})*{b}-{b}/({a})")), Some(a * b - b / a));
    }
}

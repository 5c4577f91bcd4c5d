//! Certificates of many pruned models at once.
//!
//! Pruning an expert that votes against a class raises every margin of that class, pruning one that votes for it lowers
//! it. So a bound for one number of experts kept is a bound for others: on a pruning path only the *valleys* need a search,
//! the models from which an expert that votes for the class was pruned last and one that votes against it is pruned next.
//! And of all subsets of the irrelevant experts the worst for a class is the one that prunes exactly those that vote for it:
//! every subset can be pruned without an error iff that model has none (lemma L10, made exact).

use super::evaluate::{Enclosure, Input, margin};
use super::local::{descend, rounded};
use super::relaxation::Prices;
use super::search::{Budget, Certificate, Verdict, certify_class};
use super::support::Support;
use super::table::ModelTable;
use crate::patterns::Class;

/// The certificate of the model that keeps the experts `kept`, for all of the support.
pub fn certify(table: &ModelTable, support: &Support, kept: &[usize], budget: Budget) -> Certificate {
    if support.contradictory {
        return contradicted(table, kept);
    }
    let of_class = |&class: &Class| certify_class(table, kept, class, &mut Prices::none(table, kept, class), budget);
    Certificate::join(support.classes.iter().map(of_class))
}

/// Every subset of `irrelevant` experts pruned: for each class the certificate of the worst one, joined.
pub fn certify_subsets(table: &ModelTable, support: &Support, irrelevant: &[bool], budget: Budget) -> Certificate {
    if support.contradictory {
        return contradicted(table, &(0..table.experts.len()).collect::<Vec<_>>());
    }
    let of_class = |&class: &Class| certify_worst_subset(table, irrelevant, class, budget);
    Certificate::join(support.classes.iter().map(of_class))
}

/// The worst subset for one class: all irrelevant experts that vote for it are pruned.
fn certify_worst_subset(table: &ModelTable, irrelevant: &[bool], class: Class, budget: Budget) -> Certificate {
    let stays = |&expert: &usize| !irrelevant[expert] || table.experts[expert].vote(class) < 0.0;
    let kept: Vec<usize> = (0..table.experts.len()).filter(stays).collect();
    certify_class(table, &kept, class, &mut Prices::none(table, &kept, class), budget)
}

/// The smallest y f(x) of the inputs that a search for `certificate` met or that a local search finds; `None` if labels can be
/// either. The smallest margin of all inputs lies between the proven bound and this.
pub(crate) fn smallest_met(
    table: &ModelTable,
    support: &Support,
    kept: &[usize],
    certificate: &Certificate,
) -> Option<f64> {
    if support.contradictory {
        return None;
    }
    let found = support.classes.iter().map(|&class| margin(table, kept, &descend_greedily(table, kept, class)));
    found
        .chain(certificate.worst.iter().map(|(_, enclosure)| *enclosure))
        .map(|enclosure| enclosure.high)
        .reduce(f64::min)
}

/// Descends from the irrelevant patterns that speak most against the class, each by itself.
fn descend_greedily(table: &ModelTable, kept: &[usize], class: Class) -> Input {
    let mut against = vec![0.0; table.irrelevant];
    for &expert in kept {
        let own = &table.experts[expert];
        for (rank, &pattern) in own.patterns.iter().enumerate() {
            against[pattern as usize] -= own.vote(class) * own.weights[rank] * own.activations[rank];
        }
    }
    let copies = if table.replacement { 0.5 } else { 1.0 };
    // Whole numbers above 1 would stand for copies.
    let largest = against.iter().fold(f64::MIN_POSITIVE, |largest: f64, value| largest.max(value.abs()));
    against.iter_mut().for_each(|value| *value *= copies / largest);
    descend(table, kept, class, &rounded(table, &against))
}

/// A label that can be either for the same input: whatever the model says of it is an error for one of them.
fn contradicted(table: &ModelTable, kept: &[usize]) -> Certificate {
    let judged = |from: usize| mislabelled(table, kept, from);
    // Where rounding hides the sign of f the wrong label is not known, and another input may show it.
    let worst = (0..table.irrelevant).map(judged).find(|(_, enclosure)| enclosure.high <= 0.0);
    Certificate {
        verdict: Verdict::Counterexample,
        margin_lower: f64::NEG_INFINITY,
        sum_bound: f64::NEG_INFINITY,
        worst: worst.or_else(|| Some(judged(0))),
        nodes: 0,
    }
}

/// An input with the token of class One and the irrelevant patterns from this one on, under the label that the model does not say,
/// if the sign of f is certain.
fn mislabelled(table: &ModelTable, kept: &[usize], from: usize) -> (Input, Enclosure) {
    let tokens: Vec<u32> = (from..from + table.tokens - 1).map(|token| (token % table.irrelevant) as u32).collect();
    let mut input = super::local::input(Class::One, &tokens);
    let Enclosure { low, high } = margin(table, kept, &input);
    if low < 0.0 {
        return (input, Enclosure { low, high });
    }
    input.class = Class::Two;
    (input, Enclosure { low: -high, high: -low })
}

/// The certificates of the models that keep the first k, k − 1, …, `fewest` experts of `keep_first`, in this order.
pub fn certify_path(
    table: &ModelTable,
    support: &Support,
    keep_first: &[usize],
    fewest: usize,
    budget: Budget,
) -> Vec<Certificate> {
    let sizes: Vec<usize> = (fewest.max(1)..=keep_first.len()).rev().collect();
    if support.contradictory {
        return sizes.iter().map(|&size| contradicted(table, &keep_first[..size])).collect();
    }
    let by_class: Vec<Vec<Certificate>> =
        support.classes.iter().map(|&class| path_of_class(table, keep_first, &sizes, class, budget)).collect();
    (0..sizes.len()).map(|row| Certificate::join(by_class.iter().map(|rows| rows[row].clone()))).collect()
}

fn path_of_class(
    table: &ModelTable,
    keep_first: &[usize],
    sizes: &[usize],
    class: Class,
    budget: Budget,
) -> Vec<Certificate> {
    // Whether the expert that is pruned after row r votes for the class.
    let votes_for: Vec<bool> =
        sizes[1..].iter().map(|&size| table.experts[keep_first[size]].vote(class) > 0.0).collect();
    let mut rows: Vec<Option<Certificate>> = vec![None; sizes.len()];
    let mut prices = Prices::none(table, keep_first, class);
    let mut priced = keep_first.len();
    let mut inputs: Vec<Input> = Vec::new();
    let valleys =
        (0..sizes.len()).filter(|&row| (row == 0 || votes_for[row - 1]) && (row + 1 == sizes.len() || !votes_for[row]));
    // The unpruned model is of interest by itself; then the valleys, then what they leave open.
    let order: Vec<usize> = std::iter::once(0).chain(valleys).chain(0..sizes.len()).collect();
    for row in order {
        if rows[row].is_some() {
            continue;
        }
        let kept = &keep_first[..sizes[row]];
        if let Some(known) = inputs.iter().find_map(|input| refuted_by(table, kept, class, input)) {
            rows[row] = Some(known);
            continue;
        }
        if priced < sizes[row] {
            prices = Prices::none(table, kept, class);
            priced = sizes[row];
        }
        while priced > sizes[row] {
            priced -= 1;
            prices = prices.without(priced);
        }
        let certificate = certify_class(table, kept, class, &mut prices, budget);
        if certificate.verdict == Verdict::Counterexample {
            inputs.extend(certificate.worst.iter().map(|(input, _)| input.clone()));
        }
        rows[row] = Some(certificate);
        spread(&mut rows, &votes_for, row);
    }
    rows.into_iter().flatten().collect()
}

/// A counterexample that was found for another model of the path, if it is one for this.
fn refuted_by(table: &ModelTable, kept: &[usize], class: Class, input: &Input) -> Option<Certificate> {
    let enclosure = margin(table, kept, input);
    let sum_bound = super::extremes::sum_bound(table, kept, class);
    (enclosure.high <= 0.0).then(|| Certificate {
        verdict: Verdict::Counterexample,
        margin_lower: sum_bound,
        sum_bound,
        worst: Some((input.clone(), enclosure)),
        nodes: 0,
    })
}

/// Hands a certified bound to the rows that can only have larger margins.
fn spread(rows: &mut [Option<Certificate>], votes_for: &[bool], row: usize) {
    let Some(certificate) = rows[row].clone().filter(|certificate| certificate.verdict == Verdict::Certified) else {
        return;
    };
    let inherited = || Some(Certificate { worst: None, nodes: 0, ..certificate.clone() });
    // Towards more experts as long as those that come back vote for the class.
    for earlier in (0..row).rev() {
        if !votes_for[earlier] {
            break;
        }
        if rows[earlier].as_ref().is_none_or(|known| known.verdict != Verdict::Certified) {
            rows[earlier] = inherited();
        }
    }
    // Towards fewer as long as those that go vote against it.
    for later in row + 1..rows.len() {
        if votes_for[later - 1] {
            break;
        }
        if rows[later].as_ref().is_none_or(|known| known.verdict != Verdict::Certified) {
            rows[later] = inherited();
        }
    }
}

//! Words and symbols of the theory, the verdicts and the simulation file that are no name of anything listed elsewhere.

/// A word that people type, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The word and what else it is called; the first is the name.
    pub names: &'static [&'static str],
    /// What it means, in full sentences.
    pub meaning: &'static str,
    /// Where more stands.
    pub source: &'static str,
    /// The column that holds it, `FILE:COLUMN`; empty if there is none.
    pub column: &'static str,
}

const fn word(names: &'static [&'static str], meaning: &'static str, source: &'static str) -> Word {
    Word { names, meaning, source, column: "" }
}

impl Word {
    const fn in_column(self, column: &'static str) -> Self {
        Self { column, ..self }
    }
}

const MEASUREMENTS: &str = "docs/theory/roles.md";
const ROLES: &str = "docs/theory/roles.md";
const DECISION: &str = "docs/judge/decision-rule.md";
const FILE: &str = "docs/use/simulation.md";
const TABLE: &str = "docs/measured, and `simulate criteria DIR`";
const PROOFS: &str = "docs/theory/certificates.md";

/// The words, by what they are about.
pub static WORDS: &[Word] = &[
    word(
        &["Δ", "delta", "Delta_s"],
        "Norm change of a router: Δ_s = ‖w_s^T‖ − ‖w_s⁰‖, at the end of fine-tuning against its start. The paper prunes the experts with the smallest Δ.",
        MEASUREMENTS,
    )
    .in_column("experts.csv:delta"),
    word(
        &["Δᶜ", "delta_c", "delta-centred"],
        "Δ after the mean over patterns is removed from both routers, so that a constant added to a router changes nothing.",
        MEASUREMENTS,
    )
    .in_column("experts.csv:delta_centred"),
    word(&["D", "D_s"], "Displacement of a router: D_s = ‖w_s^T − w_s⁰‖. |Δ_s| ≤ D_s (lemma L6).", MEASUREMENTS)
    .in_column("experts.csv:displacement"),
    word(
        &["γ", "gamma"],
        "Share of irrelevant experts among all k. Theorem 2 (claim T2a) says that pruning up to it costs no accuracy.",
        ROLES,
    )
    .in_column("runs.csv:gamma"),
    word(&["ρ", "rho", "pruning-ratio"], "Pruning ratio: ρ = 1 − kept/k.", ROLES)
    .in_column("pruning.csv:ratio"),
    word(
        &["λ", "lambda", "lambda_v", "λ₁", "λ₂"],
        "λ_v = P[o_v is among the l tokens that an expert chooses | the sample has o_v]: how often it sees the pattern of class v at all.",
        MEASUREMENTS,
    )
    .in_column("experts.csv:lambda1_0"),
    word(
        &["p", "p_v", "p₁", "p₂", "proficiency"],
        "p_v = P[o_v is among the l chosen tokens with a gate of at least 1/l | the sample has o_v]: how often the expert attends to the pattern of class v.",
        MEASUREMENTS,
    )
    .in_column("experts.csv:p1_0"),
    word(
        &["o", "o_v", "o₁", "o₂", "pattern"],
        "A token is one of d orthonormal patterns; o₁ and o₂ are those of the classes +1 and −1.",
        "docs/theory/model.md",
    ),
    word(&["c₁", "c1", "c_1"], "Threshold of claim T1a: min Δ over relevant experts must be at least c₁.", DECISION)
    .in_column("claims.csv:threshold"),
    word(
        &["w", "w_s", "router"],
        "The vector with which expert s scores tokens; it chooses those of the largest ⟨w_s, x⟩. w⁰ is before fine-tuning, w^T after it.",
        "docs/theory/model.md",
    ),
    word(&["y", "label"], "A sample's label, +1 or −1. An error is y·f(x) ≤ 0.", "docs/theory/model.md"),
    word(
        &["relevant"],
        "An expert whose proficiency, at t = 0, for the class that its sign votes for is at least roles.relevant_min.",
        ROLES,
    ),
    word(
        &["misaligned"],
        "An expert that is not relevant, and whose proficiency for the other class is at least roles.relevant_min at t = 0.",
        ROLES,
    ),
    word(
        &["irrelevant"],
        "An expert that is neither relevant nor misaligned, and whose λ₁ and λ₂ are at most roles.irrelevant_max at t = 0.",
        ROLES,
    ),
    word(&["ambiguous"], "An expert that is neither relevant nor misaligned nor irrelevant.", ROLES),
    word(
        &["measured"],
        "roles = \"measured\": a claim takes the roles that experts have at t = 0 by their λ and p. The other is \"built\".",
        ROLES,
    ),
    word(
        &["built"],
        "roles = \"built\": a claim takes the roles that the experts of the pre-trained model were built for.",
        ROLES,
    ),
    word(
        &["verdict"],
        "What the tests say of a claim: SUPPORTED, REFUTED or INCONCLUSIVE. It speaks of the configurations that were run.",
        DECISION,
    ),
    word(
        &["SUPPORTED"],
        "The opposite of the claim is rejected: that it holds with a probability of at most 0.95 (`level`), or that a slope is on the wrong side of its threshold. No proof.",
        DECISION,
    ),
    word(
        &["REFUTED"],
        "It is rejected that the claim holds with a probability of at least 0.95 (`level`), or that a slope is on its right side. A claim of several points is refuted by one of them.",
        DECISION,
    ),
    word(
        &["INCONCLUSIVE"],
        "Neither the claim nor its opposite is rejected. (too few): no outcome of so few runs could have decided it. (zero): a slope of logarithms meets a value that is not above 0.",
        DECISION,
    ),
    word(
        &["Holm"],
        "The correction over all tests of a simulation together: with a probability of at least 0.95 no verdict is wrong for chance alone.",
        DECISION,
    ),
    word(
        &["claim", "claims"],
        "A table [[claim]] of a simulation file: `id`, and by claim `threshold`, `level`, `slope`, `on`, `roles`, `case`, `expect`. `simulate list claims` shows the ids.",
        FILE,
    ),
    word(
        &["expect", "expected"],
        "Of a claim: the verdict that the file's author expects, \"SUPPORTED\", \"REFUTED\" or \"INCONCLUSIVE\". With --check another one gives the exit status 3.",
        FILE,
    ),
    word(&["level"], "Of a claim: the probability with which it must hold in a run.", FILE),
    word(
        &["threshold"],
        "Of a claim: the number that it compares with, such as c₁ of T1a; `simulate explain T1a` says which.",
        FILE,
    ),
    word(
        &["met"],
        "on = \"met\": a claim is judged on the runs that meet its assumptions; on = \"all\": on every run.",
        DECISION,
    ),
    word(
        &["seeds"],
        "Runs per grid point, of the file or of a case; --seeds replaces it. --seed is the master seed, from which every run's own seed comes.",
        FILE,
    ),
    word(
        &["seed", "master_seed"],
        "Every run has its own 64-bit seed, from the master seed (--seed), the point's keys and the run's number. The same three give the same numbers.",
        "docs/judge/reproducibility.md",
    ),
    word(&["name"], "Of a simulation, and so of its result folder; of a case.", FILE),
    word(&["aims"], "What a simulation is for, in a line.", FILE),
    word(
        &["grid"],
        "The table of a simulation file that gives keys several values: every combination is a grid point.",
        FILE,
    ),
    word(&["case"], "A table [[case]] of a simulation file: a named variant of its settings.", FILE),
    word(
        &["phase", "map"],
        "A table [[phase]] of a simulation file: a map of where claims hold over one or two keys. It has no part in the verdicts.",
        "docs/judge/maps.md",
    ),
    word(
        &["run"],
        "One model trained, measured and pruned, from one seed: a row of runs.csv. `simulate run` makes them.",
        FILE,
    ),
    word(
        &["shard"],
        "One of N equal parts of a simulation's runs: --shard I/N; `simulate merge` puts them together.",
        "docs/use/shards.md",
    ),
    word(
        &["assumption", "assumptions"],
        "What a claim assumes, checked for every run: the columns meets_… of runs.csv. `simulate list assumptions` shows all.",
        "docs/reference/assumptions.md",
    ),
    word(
        &["criterion", "criteria"],
        "What orders experts for pruning. `simulate list criteria` shows all.",
        "docs/theory/criteria.md",
    ),
    word(
        &["lemma", "lemmas"],
        "What is proved of the model, and checked on real trajectories. `simulate list lemmas` shows all.",
        "docs/theory/lemmas.md",
    ),
    word(
        &["AUC"],
        "Of a criterion: the probability that it ranks a relevant expert above an irrelevant one, a tie counted half; mean over runs.",
        TABLE,
    ),
    word(
        &["knee"],
        "Of a criterion: the largest pruning ratio up to which the mean accuracy stays within 0.01 of the unpruned model's.",
        TABLE,
    ),
    word(
        &["regret"],
        "Of a criterion: how much lower its accuracy is than the oracle's, the best set of that size; mean over runs and ratios.",
        TABLE,
    ),
    word(&["CERTIFIED"], "It is proved that y·f(x) > 0 for every input: no error is possible.", PROOFS),
    word(&["COUNTEREXAMPLE"], "An input was found that the model gets wrong.", PROOFS),
    word(&["UNDECIDED"], "Neither a proof nor a counterexample was found within certificate.nodes.", PROOFS),
];

/// The word one of whose names it is.
pub fn find(is_it: &dyn Fn(&str) -> bool) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.names.iter().any(|name| is_it(name)))
}

/// A name without upper case, with plain digits and letters for raised and lowered ones, and `-` for `_`.
pub fn folded(name: &str) -> String {
    let plain = |c: char| match c {
        '₀'..='₉' => char::from(b'0' + (c as u32 - '₀' as u32) as u8),
        '⁰' => '0',
        '¹' => '1',
        'ᶜ' => 'c',
        '_' => '-',
        other => other,
    };
    name.chars().map(plain).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_two_words() {
        let names: Vec<&str> = WORDS.iter().flat_map(|word| word.names.iter().copied()).collect();
        let mut distinct = names.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn letters_and_digits_are_folded_and_nothing_else() {
        let folds = [("c₁", "c1"), ("Γ", "γ"), ("SUPPORTED", "supported"), ("w⁰", "w0"), ("Δᶜ", "δc"), ("a_b", "a-b")];
        for (name, plain) in folds {
            assert_eq!(folded(name), plain);
        }
    }
}

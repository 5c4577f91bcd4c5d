//! A run's seed: a hash of what the run depends on, never of the point's number, so that a run alone is the run of a
//! sweep.

use super::key::Key;
use super::keys::{KEYS, find};
use super::parameters::Parameters;
use sha2::{Digest, Sha256};

/// Sections that a run's training depends on, and with it its seed.
pub(crate) const SEED_SECTIONS: [&str; 4] = ["data", "model", "pretrained", "training"];

/// The seed of run number `run` of the point with these parameters: the first 8 bytes, little endian, of the SHA-256
/// of a text of lines: `master=…`, one sorted `path=value` for each key of `SEED_SECTIONS`, `run=…`. Keys with
/// [`Key::unseeded_default`](super::key::Key::unseeded_default) have a line only where they differ from their default.
pub fn run_seed(master: u64, parameters: &Parameters, run: u64) -> u64 {
    let text = format!("master={master}\n{}run={run}\n", canonical_text(parameters, &SEED_SECTIONS));
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).rev().fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

/// One line `path=value` for each key of these sections, sorted by path, but for keys with
/// [`Key::unseeded_default`](super::key::Key::unseeded_default) at their default.
pub(crate) fn canonical_text(parameters: &Parameters, sections: &[&str]) -> String {
    let chosen = |path: &str| path.split_once('.').is_some_and(|(section, _)| sections.contains(&section));
    let mut keys = resolved_keys(parameters);
    keys.retain(|(path, value)| chosen(path) && !is_unseeded(path, value));
    keys.sort();
    keys.iter().map(|(path, value)| format!("{path}={value}\n")).collect()
}

/// Whether the key is left out of a seed's text at this value.
fn is_unseeded(path: &str, value: &str) -> bool {
    let default = |key: &Key| key.default_setting().is_ok_and(|setting| setting.text() == value);
    find(path).is_some_and(|key| key.unseeded_default && default(key))
}

/// Every key with the shortest text of its value, in the order of the sections.
pub fn resolved_keys(parameters: &Parameters) -> Vec<(String, String)> {
    KEYS.iter().zip(parameters.values()).map(|(key, value)| (key.path.to_owned(), value.text())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Simulation, SimulationError};
    use super::*;

    fn parameters(set: &[&str]) -> Result<Parameters, SimulationError> {
        let set: Vec<String> = set.iter().map(ToString::to_string).collect();
        let points = Simulation::parse("x.toml", "name = \"x\"", &Overrides { set: &set, seeds: None })?.points()?;
        Ok(points[0].parameters.clone())
    }

    #[test]
    fn two_seeds_are_pinned() -> Result<(), SimulationError> {
        // From hashlib.sha256 of the text that run_seed documents, in Python. A change here changes every result:
        // CHANGELOG, "results change".
        assert_eq!(run_seed(0, &parameters(&[])?, 0), 7_237_331_281_516_692_267);
        assert_eq!(
            run_seed(7, &parameters(&["data.patterns=64", "training.batch=64"])?, 12),
            10_234_512_176_490_339_694
        );
        Ok(())
    }

    #[test]
    fn the_seed_depends_on_master_run_and_training_and_on_nothing_else() -> Result<(), SimulationError> {
        let default = parameters(&[])?;
        let seed = run_seed(1, &default, 2);
        assert_ne!(seed, run_seed(2, &default, 2));
        assert_ne!(seed, run_seed(1, &default, 1));
        assert_ne!(seed, run_seed(1, &parameters(&["training.iterations=301"])?, 2));
        assert_eq!(seed, run_seed(1, &parameters(&["pruning.criterion=random", "evaluation.samples=9"])?, 2));
        assert_eq!(seed, run_seed(1, &parameters(&["training.batch=patterns"])?, 2));
        Ok(())
    }

    /// The keys that the first seeds were made of.
    const FIRST_KEYS: [&str; 30] = [
        "data.basis",
        "data.class_share",
        "data.label_noise",
        "data.labels",
        "data.noise",
        "data.patterns",
        "data.replacement",
        "data.tokens",
        "model.experts",
        "model.neurons",
        "model.routing",
        "model.signs",
        "model.tokens_per_expert",
        "pretrained.gauge_relevant",
        "pretrained.kind",
        "pretrained.misaligned",
        "pretrained.neuron_scale",
        "pretrained.neuron_scale_misaligned",
        "pretrained.neuron_scale_relevant",
        "pretrained.relevant_per_class",
        "pretrained.router_noise",
        "pretrained.router_scale",
        "pretrained.router_scale_relevant",
        "pretrained.special_patterns",
        "pretrained.specialisation",
        "training.batch",
        "training.expert_rate",
        "training.iterations",
        "training.router_rate",
        "training.zero_loss_window",
    ];

    #[test]
    fn younger_keys_at_their_defaults_move_no_seed_and_elsewhere_each_moves_it() -> Result<(), SimulationError> {
        let keys = |text: &str| -> Vec<String> {
            text.lines().filter_map(|line| line.split_once('=')).map(|(path, _)| path.to_owned()).collect()
        };
        assert_eq!(keys(&canonical_text(&parameters(&[])?, &SEED_SECTIONS)), FIRST_KEYS);
        let base = run_seed(0, &parameters(&[])?, 0);
        for key in KEYS.iter().filter(|key| key.unseeded_default) {
            assert!(SEED_SECTIONS.contains(&key.section()) && !FIRST_KEYS.contains(&key.path), "{}", key.path);
            // Written out, a default is the default.
            let written = format!("{}={}", key.path, key.default);
            assert_eq!(run_seed(0, &parameters(&[&written])?, 0), base, "{written}");
        }
        for settings in [
            &["data.features=2"][..],
            &["data.spurious=0.5"],
            &["model.experts_per_token=2"],
            &["model.gates=renormalised"],
            &["model.groups=2"],
            &["pretrained.twins=1"],
            &["training.training_set=100"],
            &["training.entropy=0.1"],
        ] {
            let text = canonical_text(&parameters(settings)?, &SEED_SECTIONS);
            assert!(text.contains(settings[0]), "{text}");
            assert_ne!(run_seed(0, &parameters(settings)?, 0), base, "{settings:?}");
        }
        Ok(())
    }

    #[test]
    fn equal_numbers_written_differently_have_one_seed() -> Result<(), SimulationError> {
        let written = |text: &str| parameters(&[text]).map(|parameters| run_seed(1, &parameters, 0));
        assert_eq!(written("pretrained.gauge_relevant=-0.0")?, written("pretrained.gauge_relevant=0")?);
        assert_eq!(written("training.router_rate=2e-1")?, written("training.router_rate=0.2")?);
        let mut negative = parameters(&[])?;
        negative.pretrained.gauge_relevant = -0.0;
        assert_eq!(run_seed(1, &negative, 0), run_seed(1, &parameters(&[])?, 0));
        Ok(())
    }

    #[test]
    fn resolved_keys_are_the_table_of_keys_in_its_order() -> Result<(), SimulationError> {
        let resolved = resolved_keys(&parameters(&["pruning.finetune_kept=[4, 8]"])?);
        let paths: Vec<&str> = resolved.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, KEYS.iter().map(|key| key.path).collect::<Vec<_>>());
        let value = |path| resolved.iter().find(|(key, _)| key == path).map(|(_, value)| value.as_str());
        assert_eq!(value("pretrained.router_noise"), Some("0.05"));
        assert_eq!(value("pretrained.router_scale"), Some("1"));
        assert_eq!(value("data.replacement"), Some("false"));
        assert_eq!(value("pruning.criterion"), Some("router-norm-change"));
        assert_eq!(value("pruning.finetune_kept"), Some("[4, 8]"));
        Ok(())
    }

    #[test]
    fn the_canonical_text_is_sorted_and_holds_the_sections_asked_for() -> Result<(), SimulationError> {
        let text = canonical_text(&parameters(&[])?, &["training", "data"]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.is_sorted() && lines.len() == 13, "{text}");
        assert_eq!((lines[0], lines[12]), ("data.basis=canonical", "training.zero_loss_window=0"));
        Ok(())
    }
}

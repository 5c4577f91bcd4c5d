//! The simulations that are embedded in the program.

/// A shipped simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its name.
    pub name: &'static str,
    /// The name of its file, for messages.
    pub file: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(Shipped {
            name: $name,
            file: concat!("sims/", $name, ".toml"),
            text: include_str!(concat!("../../sims/", $name, ".toml")),
        }),*]
    };
}

/// Every shipped simulation; the first is what `simulate` runs without arguments.
pub static SHIPPED: &[Shipped] = shipped![
    "default",
    "smoke",
    "theorem1",
    "theorem2",
    "controls",
    "boundary",
    "certificates",
    "prototypes",
    "ablation",
    "phase-loudness",
    "phase-pruning",
    "phase-batch",
    "phase-travel",
    "phase-capacity",
    "phase-misaligned",
    "phase-gauge",
    "upstream",
    "world-aligned",
    "world-twins",
    "world-rotated",
    "world-unlearned",
    "world-duplicates",
    "world-rare",
    "world-shifted",
    "world-load-balance",
    "world-soft",
    "phase-certificates",
    "criteria",
    "tension",
    "system-mov",
    "system-peer",
    "system-smear",
    "system-attentive-gate",
    "system-moebert",
    "system-vmoe",
    "system-windowed",
    "system-seer",
    "system-merge",
    "system-stack",
    "orders",
    "orthogonality",
    "textures",
    "digits",
    "fashion",
    "losses",
];

/// The shipped simulation of this name.
pub fn shipped(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|simulation| simulation.name == name)
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Simulation};
    use super::*;

    #[test]
    fn every_shipped_simulation_is_legal_and_named_like_its_file() {
        for shipped in SHIPPED {
            let parsed = Simulation::parse(shipped.file, shipped.text, &Overrides::default());
            assert_eq!(parsed.map(|simulation| simulation.name).as_deref(), Ok(shipped.name));
            assert_eq!(shipped.file, format!("sims/{}.toml", shipped.name));
        }
    }
}

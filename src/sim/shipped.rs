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

/// Every shipped simulation; the first is what `simulate` runs without arguments.
pub static SHIPPED: &[Shipped] = &[
    Shipped { name: "default", file: "sims/default.toml", text: include_str!("../../sims/default.toml") },
    Shipped { name: "smoke", file: "sims/smoke.toml", text: include_str!("../../sims/smoke.toml") },
    Shipped { name: "boundary", file: "sims/boundary.toml", text: include_str!("../../sims/boundary.toml") },
    Shipped { name: "controls", file: "sims/controls.toml", text: include_str!("../../sims/controls.toml") },
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

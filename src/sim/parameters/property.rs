//! What holds in the theory's setting and may be lost outside it.

use crate::sim::words::words;

words! {
    /// What holds in the theory's setting and may be lost outside it.
    pub enum Property {
        /// Lemmas, bounds, half-batches and the theorems' assumptions speak of the setting.
        Theory = "theory",
        /// Trained models are of the family that certificates are about, however they were trained.
        Certificates = "certificates",
        /// λ_v has a closed form: noise-free data, expert choice, and irrelevant tokens that are alike.
        ExactLambda = "exact-lambda",
        /// The dense and the pattern engine train it.
        SpecialisedEngines = "specialised-engines",
        /// Tokens may be noisy.
        TokenNoise = "token-noise",
        /// Experts are ReLU neurons over patterns with a fixed sign: a [`crate::moe::Model`].
        ReluExperts = "relu-experts",
        /// Experts have roles: they vote for one class.
        Roles = "roles",
        /// A role can be measured: tokens are routed to some experts and not to others.
        MeasuredRoles = "measured-roles",
        /// f is the sum of what experts say, and of a pruned one whose router stays what it said is missing.
        AdditiveExperts = "additive-experts",
        /// Every expert has a router of its own, whose norm change is Δ.
        Routers = "routers",
        /// A router's coordinates are its scores of patterns.
        PatternCoordinates = "pattern-coordinates",
        /// What an expert says does not depend on which others there are.
        IndependentExperts = "independent-experts",
    }
}

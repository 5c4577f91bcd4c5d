//! The dense engine.

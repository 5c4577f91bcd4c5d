//! Trains the simplified mixture of experts of the theory from scratch, prunes it by router norm change, and judges
//! the theorems on thousands of seeded runs.
//!
//! The modules, in the order in which the data walks through them ([`prelude`] has the names to start with):
//!
//! - [`sim`]: simulation file → checked simulation → grid of points → seeds
//! - [`patterns`]: the vocabulary and the sampler, (x, y) ~ D
//! - [`moe`]: routing, experts, the model, pre-trained models
//! - [`sgd`]: the engines of the paper's model, one training loop, observers, stop reasons
//! - [`prune`]: criteria, and which experts stay
//! - [`systems`]: what kind of mixture is trained and pruned: the paper's, or another
//! - [`measure`]: norms, proficiency, roles, accuracy
//! - [`certify`]: proofs and counterexamples of "no error"
//! - [`run`]: one run from seed to rows, many runs in parallel, runs of a folder computed again
//! - [`simd`]: vector code for whatever the processor has
//! - [`stats`]: exact tests, intervals, corrections, sequential tests
//! - [`language`]: expressions over the rows of a run: claims, figures, assumptions, and the numbers of keys
//! - [`claims`]: claims and assumptions as data; rows → verdicts, exponents, terms, phase maps
//! - [`falsify`]: a search for settings that break a claim within its assumptions
//! - [`record`]: rows ↔ CSV, the manifest, shards, the journal of finished runs
//! - [`report`]: verdicts and rows → text, figures and a page
//! - [`checkpoint`]: checkpoints of real models: their routers ranked, their experts pruned
//! - [`printable`]: which texts can be shown
//!
//! # One model: trained, then pruned
//!
//! ```
//! use moe_theory::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = shipped("smoke").ok_or("it is shipped")?;
//! let points = Simulation::parse(file.file, file.text, &Overrides::default())?.points()?;
//! let parameters = &points[0].parameters;
//! let seed = run_seed(0, parameters, 0); // master seed 0, run 0
//!
//! let before = Pretrained::constructed(parameters, seed).model;
//! let mut engine = PatternEngine::new(&before, Rates::from(&parameters.training));
//! let mut batches = Sampler::training(&parameters.data, seed);
//! train(&mut engine, &mut batches, Schedule::training(parameters), &mut []);
//! let after = engine.model();
//!
//! // Δ of every expert, and the experts in the order in which they are kept.
//! let d = parameters.data.patterns;
//! let routers = before.routers.chunks(d).zip(after.routers.chunks(d));
//! let changes: Vec<f64> = routers.map(|(old, new)| RouterChange::between(old, new).delta).collect();
//! let plan = Plan::ranked(&changes, PruningOrder::SmallestFirst, &vec![0.0; changes.len()]);
//!
//! // Half of the experts are enough: the relevant ones are among them.
//! let mut kept = plan.kept(before.experts() / 2).to_vec();
//! kept.sort_unstable();
//! let mut pruned = PatternEngine::new(&after.subset(&kept), Rates::from(&parameters.training));
//! let mut samples = Sampler::evaluation(&parameters.data, seed);
//! assert_eq!(accuracy::errors(&mut pruned, &mut samples, 500).errors, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Many runs: a claim judged
//!
//! ```
//! use moe_theory::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"
//!     name = "mine"
//!     seeds = 100
//!     [data]
//!     patterns = 32
//!     tokens = 8
//!     [model]
//!     experts = 8
//!     [training]
//!     batch = 32
//!     iterations = 100
//!     [[claim]]
//!     id = "T1a"
//!     threshold = 0.05
//!     on = "all"
//! "#;
//! let simulation = Simulation::parse("mine.toml", text, &Overrides::default())?;
//! let points = simulation.points()?;
//! let mut analysis = Analysis::new(&simulation, &points, Design::Fixed);
//! for index in 0..points[0].seeds {
//!     let record = run(&points[0], index, 7, EngineChoice::Auto); // master seed 7
//!     analysis.add(0, index, &record.run.body, &record.experts, &record.pruning, &record.trajectory);
//! }
//! let verdict = &analysis.findings().claims[0];
//! assert_eq!((verdict.claim.as_str(), verdict.runs), ("T1a", 100));
//! assert_eq!(verdict.verdict.verdict(), Verdict::Supported);
//! # Ok(())
//! # }
//! ```

mod catalogue;
pub mod certify;
pub mod checkpoint;
pub mod claims;
pub mod falsify;
pub mod language;
pub mod measure;
pub mod moe;
pub mod patterns;
pub mod prelude;
pub mod printable;
pub mod prune;
pub mod record;
pub mod report;
pub mod run;
pub mod sgd;
pub mod sim;
pub mod simd;
mod similarity;
pub mod stats;
pub mod systems;

//! How long runs take: measured on runs that are cut short, so that the measurement ends soon whatever is asked for.

use crate::args::EngineArgument;
use moe_theory::run::run;
use moe_theory::sim::{Parameters, Point};
use std::time::Instant;

/// At most this many points are probed; the time of the others is taken in proportion to their work.
const POINTS: usize = 8;

/// A run is cut to a share of 1 / 8⁸ at first; then the share grows by this factor until nothing is cut.
const STEP: u8 = 8;
const FIRST_POWER: i32 = 8;

/// How often a short measurement is repeated; the least counts.
const AGAIN: usize = 2;

/// The work of all runs of these points.
pub fn work(points: &[Point]) -> f64 {
    points.iter().map(|point| point.seeds as f64 * point.parameters.work()).sum()
}

/// Seconds on one thread for a unit of work, from runs at some of the points; takes about `limit` seconds.
pub fn seconds_for_work(points: &[Point], engine: EngineArgument, seed: u64, limit: f64) -> f64 {
    let stride = points.len().div_ceil(POINTS).max(1);
    let probed: Vec<&Point> = points.iter().step_by(stride).collect();
    let each = limit / probed.len() as f64;
    let seconds: f64 = probed.iter().map(|point| seconds(point, engine, seed, each)).sum();
    seconds / probed.iter().map(|point| point.parameters.work()).sum::<f64>()
}

/// Seconds of one run at a point: a whole run if it takes less than about `limit`, else what shorter ones predict.
fn seconds(point: &Point, engine: EngineArgument, seed: u64, limit: f64) -> f64 {
    let mut steps: Vec<(f64, Parameters)> = Vec::new();
    for power in (0..=FIRST_POWER).rev() {
        let share = 1.0 / f64::from(STEP).powi(power);
        let short = shortened(&point.parameters, share);
        match steps.last_mut() {
            // A share that changes nothing.
            Some((last, same)) if *same == short => *last = share,
            _ => steps.push((share, short)),
        }
    }
    let shares: Vec<f64> = steps.iter().map(|(share, _)| *share).collect();
    // The last run: the first ones may have their trajectories recorded.
    let last = point.seeds.saturating_sub(1);
    predict(&shares, limit, |step| {
        let short = Point { parameters: steps[step].1.clone(), ..point.clone() };
        let start = Instant::now();
        run(&short, last, seed, engine.choice());
        start.elapsed().as_secs_f64()
    })
}

/// The time at the last of the shares of something whose time is a constant plus a multiple of the share. They are measured
/// one after the other until what the first one does not have is plain, and the next one would take more than `limit`.
fn predict(shares: &[f64], limit: f64, mut measure: impl FnMut(usize) -> f64) -> f64 {
    // On a busy machine a run of milliseconds may stand still for much longer; a small share would make that days.
    let mut least = |step: usize| {
        let first = measure(step);
        let again = if first < limit { AGAIN } else { 0 };
        (0..again).map(|_| measure(step)).fold(first, f64::min)
    };
    let (constant, whole) = (least(0), shares[shares.len() - 1]);
    let mut seconds = constant;
    for (step, share) in shares.iter().enumerate().skip(1) {
        seconds = least(step);
        let more = seconds - constant;
        // Half of the constant: what is less may be noise, which a small share would make endless.
        if more > 0.5 * constant && constant + f64::from(STEP) * more > limit {
            return constant + more * (whole - shares[0]) / (share - shares[0]);
        }
    }
    seconds
}

/// The same model with a share of the samples and of the nodes that its run takes.
fn shortened(parameters: &Parameters, share: f64) -> Parameters {
    let part = |amount: usize, share: f64| ((amount as f64 * share).ceil() as usize).clamp(amount.min(1), amount);
    let mut short = parameters.clone();
    short.training.iterations = part(parameters.training.iterations, share);
    // Where one iteration is more than the share, its batch is cut too; it stays even for half-batches.
    let batch = part(parameters.training.batch, (share * parameters.training.iterations as f64).min(1.0));
    short.training.batch = batch.next_multiple_of(2).min(parameters.training.batch);
    short.pretrained.upstream_iterations = part(parameters.pretrained.upstream_iterations, share);
    let batch = (share * parameters.pretrained.upstream_iterations as f64).min(1.0);
    short.pretrained.upstream_batch = part(parameters.pretrained.upstream_batch, batch);
    short.pruning.finetune_iterations = part(parameters.pruning.finetune_iterations, share);
    short.pruning.calibration_samples = part(parameters.pruning.calibration_samples, share);
    short.roles.proficiency_samples = part(parameters.roles.proficiency_samples, share);
    short.evaluation.samples = part(parameters.evaluation.samples, share);
    short.certificate.nodes = part(parameters.certificate.nodes, share);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use moe_theory::sim::{Overrides, Simulation, shipped};

    #[test]
    fn a_straight_line_is_predicted_and_the_measurement_ends_soon() {
        let shares: Vec<f64> = (0..=FIRST_POWER).rev().map(|power| 1.0 / f64::from(STEP).powi(power)).collect();
        for (constant, slope) in [(0.0, 1e-6), (0.01, 0.1), (0.001, 3600.0), (0.05, 1e6), (2.0, 1e3), (2.0, 1e9)] {
            // Every other measurement is a tenth longer.
            let mut spent = 0.0;
            let seconds = predict(&shares, 0.5, |step| {
                let seconds = (constant + slope * shares[step]) * if step % 2 == 1 { 1.1 } else { 1.0 };
                spent += seconds;
                seconds
            });
            let truth = constant + slope;
            assert!((0.8..1.5).contains(&(seconds / truth)), "{seconds} in place of {truth}");
            // Nine times the constant and half, a last step from half of it, and what grows to the limit, each thrice if it is
            // short.
            assert!(spent <= 1.2 * (3.0 * 20.0 * constant + 2.5) + 10.0 * slope * shares[0], "{spent} s");
        }
    }

    #[test]
    fn a_pause_of_the_machine_is_not_extrapolated() {
        let shares: Vec<f64> = (0..=FIRST_POWER).rev().map(|power| 1.0 / f64::from(STEP).powi(power)).collect();
        for paused in 0..12 {
            let mut measured = 0;
            let seconds = predict(&shares, 0.05, |step| {
                measured += 1;
                0.001 + 0.5 * shares[step] + if measured - 1 == paused { 0.04 } else { 0.0 }
            });
            assert!((0.3..0.8).contains(&seconds), "{seconds} s with a pause in measurement {paused}");
        }
    }

    #[test]
    fn every_shortened_run_of_the_shipped_simulations_runs() {
        for shipped in moe_theory::sim::SHIPPED {
            let simulation = Simulation::parse(shipped.file, shipped.text, &Overrides::default()).expect("shipped");
            let points = simulation.points().expect("points");
            let last = points.last().expect("a point");
            let short = Point { parameters: shortened(&last.parameters, 1e-9), ..last.clone() };
            assert_eq!(short.parameters.training.iterations, 1);
            let record = run(&short, 0, 0, EngineArgument::Auto.choice());
            assert_eq!(record.experts.len(), last.parameters.model.experts);
        }
    }

    #[test]
    fn a_whole_share_changes_nothing() {
        let file = shipped("upstream").expect("shipped");
        let simulation = Simulation::parse(file.file, file.text, &Overrides::default()).expect("shipped");
        let parameters = &simulation.points().expect("points")[0].parameters;
        assert_eq!(&shortened(parameters, 1.0), parameters);
        let quarter = shortened(parameters, 0.25);
        assert_eq!(quarter.training.iterations, parameters.training.iterations.div_ceil(4));
        assert_eq!(quarter.training.batch, parameters.training.batch);
        assert_eq!(quarter.evaluation.samples, parameters.evaluation.samples.div_ceil(4));
    }
}

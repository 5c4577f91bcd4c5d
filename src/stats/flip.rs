//! Where, along a scan of one parameter, the probability of holding crosses a level.
//!
//! The probability is assumed to be monotone in the parameter; nothing here tests that, but a scan
//! that contradicts it is reported. The estimate comes from the isotonic fit, which is the maximum
//! likelihood of binomial probabilities under the order (Ayer, Brunk, Ewing, Reid and Silverman
//! (1955), Annals of Mathematical Statistics 26:641–647). It is a point of the fit, with no
//! guarantee: a straight line between two scanned points. The bracket rests on pointwise 95 %
//! Clopper–Pearson intervals. Under monotonicity each end is wrong with probability at most 0.025
//! per scanned point on its side, not simultaneously over the scan.

use super::interval::clopper_pearson;

/// One minus the confidence of the intervals behind the bracket.
const ALPHA: f64 = 0.05;

/// The counts at one point of a scan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScanPoint {
    /// The parameter.
    pub x: f64,
    /// Runs in which the claim holds.
    pub holds: u64,
    /// Runs judged, at least `holds`.
    pub runs: u64,
}

/// Whether the probability rises or falls with the parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// It rises.
    Increasing,
    /// It falls.
    Decreasing,
}

/// Where the probability crosses the level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flip {
    /// Where the isotonic fit crosses the level; `None` if it does not.
    pub estimate: Option<f64>,
    /// The last `x` before the crossing whose 95 % interval excludes the level; `None` without one.
    pub low: Option<f64>,
    /// The first `x` after the crossing whose 95 % interval excludes the level; `None` without one.
    pub high: Option<f64>,
    /// The direction whose isotonic fit has the larger likelihood; `None` if both fit alike.
    pub direction: Option<Direction>,
    /// False if two scanned points, each with an interval that excludes the level, lie on the wrong sides of one
    /// another: the probability is not monotone, and there is no bracket.
    pub monotone: bool,
}

impl Flip {
    const NONE: Flip = Flip { estimate: None, low: None, high: None, direction: None, monotone: true };
}

/// The crossing of `level` in a scan, its points in ascending order of `x`.
///
/// `logarithmic` interpolates in `ln x`, if all `x > 0`. A stretch of the fit that lies exactly on
/// the level counts with its middle. Range: `x` finite and strictly ascending, `1 <= runs`,
/// `holds <= runs`, `level` in (0, 1); else, and with no point, an answer without estimate,
/// bracket and direction. Error: a few roundings beside that of [`clopper_pearson`]. Limits and
/// sources: the file's head.
pub(crate) fn crossing_bracket(points: &[ScanPoint], level: f64, logarithmic: bool) -> Flip {
    let legal = |p: &ScanPoint| p.x.is_finite() && p.runs > 0 && p.holds <= p.runs;
    let ascending = points.windows(2).all(|pair| pair[0].x < pair[1].x);
    if !(level > 0.0 && level < 1.0 && points.iter().all(legal) && ascending) {
        return Flip::NONE;
    }
    let Some((direction, fit)) = better_fit(points) else {
        return Flip::NONE;
    };
    // Seen from the level, a falling probability is a rising one.
    let sign = if direction == Direction::Increasing { 1.0 } else { -1.0 };
    let heights: Vec<f64> = fit.iter().map(|p| sign * (p - level)).collect();
    let sides: Vec<f64> = points.iter().map(|p| sign * side(p, level)).collect();
    let low = sides.iter().rposition(|&s| s < 0.0);
    let high = sides.iter().position(|&s| s > 0.0);
    let monotone = !matches!((low, high), (Some(low), Some(high)) if low > high);
    let end = |index: Option<usize>| index.filter(|_| monotone).map(|i| points[i].x);
    Flip {
        estimate: zero(points, &heights, logarithmic),
        low: end(low),
        high: end(high),
        direction: Some(direction),
        monotone,
    }
}

/// Non-decreasing fit of least weighted squares, by pooling adjacent violators.
///
/// Range: as many positive weights as values, all finite. Error: a few roundings. Source: Ayer et
/// al. (1955); `scipy.optimize.isotonic_regression`.
pub fn isotonic(values: &[f64], weights: &[f64]) -> Vec<f64> {
    // Blocks of (mean, weight, length) with rising means.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (&value, &weight) in values.iter().zip(weights) {
        let mut block = (value, weight, 1);
        while let Some(&(mean, before, length)) = blocks.last() {
            if mean < block.0 {
                break;
            }
            blocks.pop();
            let total = before + block.1;
            block = ((mean * before + block.0 * block.1) / total, total, length + block.2);
        }
        blocks.push(block);
    }
    blocks.iter().flat_map(|&(mean, _, length)| std::iter::repeat_n(mean, length)).collect()
}

/// The direction of larger likelihood and its fit; `None` if neither is larger.
fn better_fit(points: &[ScanPoint]) -> Option<(Direction, Vec<f64>)> {
    let rates: Vec<f64> = points.iter().map(|p| p.holds as f64 / p.runs as f64).collect();
    let weights: Vec<f64> = points.iter().map(|p| p.runs as f64).collect();
    let rising = isotonic(&rates, &weights);
    let mirrored: Vec<f64> = rates.iter().map(|rate| -rate).collect();
    let falling: Vec<f64> = isotonic(&mirrored, &weights).iter().map(|p| -p).collect();
    let (up, down) = (log_likelihood(points, &rising), log_likelihood(points, &falling));
    let tie = 1e-12 * (up.abs() + down.abs());
    if (up - down).abs() <= tie {
        None
    } else if up > down {
        Some((Direction::Increasing, rising))
    } else {
        Some((Direction::Decreasing, falling))
    }
}

/// `sum of holds ln p + (runs - holds) ln(1 - p)`, with `0 ln 0 = 0`.
fn log_likelihood(points: &[ScanPoint], fit: &[f64]) -> f64 {
    let term = |count: u64, p: f64| if count == 0 { 0.0 } else { count as f64 * libm::log(p) };
    points.iter().zip(fit).map(|(point, &p)| term(point.holds, p) + term(point.runs - point.holds, 1.0 - p)).sum()
}

/// -1 if the 95 % interval lies below the level, 1 if above, 0 if it holds the level.
fn side(point: &ScanPoint, level: f64) -> f64 {
    let interval = clopper_pearson(point.holds, point.runs, ALPHA);
    if interval.high < level {
        -1.0
    } else if interval.low > level {
        1.0
    } else {
        0.0
    }
}

/// Where non-decreasing `heights` pass from below to above zero.
fn zero(points: &[ScanPoint], heights: &[f64], logarithmic: bool) -> Option<f64> {
    let left = heights.iter().rposition(|&h| h < 0.0)?;
    let right = heights.iter().position(|&h| h > 0.0)?;
    let logarithmic = logarithmic && points[0].x > 0.0;
    let scale = |x: f64| if logarithmic { libm::log(x) } else { x };
    let at = if right == left + 1 {
        let (from, to) = (scale(points[left].x), scale(points[right].x));
        from + (to - from) * (-heights[left] / (heights[right] - heights[left]))
    } else {
        (scale(points[left + 1].x) + scale(points[right - 1].x)) / 2.0
    };
    Some(if logarithmic { libm::exp(at) } else { at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(counts: &[(f64, u64)]) -> Vec<ScanPoint> {
        counts.iter().map(|&(x, holds)| ScanPoint { x, holds, runs: 100 }).collect()
    }

    #[test]
    fn a_rising_and_a_falling_scan_by_hand() {
        let flip = crossing_bracket(&scan(&[(1.0, 0), (2.0, 10), (4.0, 40), (8.0, 60), (16.0, 100)]), 0.5, false);
        assert_eq!((flip.estimate, flip.low, flip.high), (Some(6.0), Some(2.0), Some(16.0)));
        assert_eq!((flip.direction, flip.monotone), (Some(Direction::Increasing), true));
        let flip = crossing_bracket(&scan(&[(1.0, 100), (4.0, 60), (16.0, 40), (64.0, 0)]), 0.5, true);
        assert!(flip.estimate.is_some_and(|x| (x - 8.0).abs() < 1e-14), "{flip:?}");
        assert_eq!((flip.low, flip.high, flip.direction), (Some(1.0), Some(64.0), Some(Direction::Decreasing)));
    }

    #[test]
    fn violators_are_pooled() {
        assert_eq!(isotonic(&[1.0, 3.0, 2.0, 4.0], &[1.0, 1.0, 3.0, 1.0]), vec![1.0, 2.25, 2.25, 4.0]);
        assert_eq!(isotonic(&[3.0, 2.0, 1.0], &[1.0; 3]), vec![2.0; 3]);
        let flip = crossing_bracket(&scan(&[(0.0, 20), (1.0, 60), (2.0, 40), (3.0, 80)]), 0.5, false);
        // The two middle points pool to exactly the level: the middle of their stretch.
        assert_eq!(flip.estimate, Some(1.5));
    }

    #[test]
    fn a_scan_on_one_side_has_no_estimate_and_one_end() {
        let flip = crossing_bracket(&scan(&[(0.0, 90), (1.0, 95), (2.0, 100)]), 0.5, false);
        assert_eq!((flip.estimate, flip.low, flip.high), (None, None, Some(0.0)));
        let flat = crossing_bracket(&scan(&[(0.0, 100), (1.0, 100)]), 0.5, false);
        assert_eq!(flat, Flip::NONE);
    }

    #[test]
    fn a_scan_that_goes_up_and_down_again_is_not_monotone() {
        let flip = crossing_bracket(&scan(&[(0.0, 0), (1.0, 100), (2.0, 0), (3.0, 100)]), 0.5, false);
        assert_eq!((flip.low, flip.high, flip.monotone), (None, None, false));
    }

    #[test]
    fn illegal_scans_have_no_answer() {
        assert_eq!(crossing_bracket(&[], 0.5, false), Flip::NONE);
        assert_eq!(crossing_bracket(&scan(&[(1.0, 0), (1.0, 100)]), 0.5, false), Flip::NONE);
        assert_eq!(crossing_bracket(&scan(&[(1.0, 0), (2.0, 101)]), 0.5, false), Flip::NONE);
        assert_eq!(crossing_bracket(&scan(&[(1.0, 0), (2.0, 100)]), 1.0, false), Flip::NONE);
    }
}

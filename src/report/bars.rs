//! Shares as bars of one line.

/// Heights of a bar, from 0 to 1.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars for shares between 0 and 1; a blank where there is none.
pub(crate) fn sparkline(shares: impl IntoIterator<Item = Option<f64>>) -> String {
    let bar = |share: Option<f64>| match share {
        Some(share) if share.is_finite() => {
            let height = libm::round(share.clamp(0.0, 1.0) * (BARS.len() - 1) as f64) as usize;
            BARS[height.min(BARS.len() - 1)]
        }
        _ => ' ',
    };
    shares.into_iter().map(bar).collect()
}

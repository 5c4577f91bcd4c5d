//! T1: what a router moves by, relevant or not.

use super::{Definition, PLAIN, Rule};
use crate::claims::assumptions::Assumption;
use crate::claims::margin::Margin;
use crate::claims::run_figure::RunFigure;
use crate::claims::slope_parts::{Method, Side, SlopeOf, SlopePart};
use crate::sim::{ClaimId, Part};

use Assumption::{Aligned, Balance, Batch, Gauge, Labels, Rate, Roles, Travel};

const CHANGE: SlopePart<'static> = SlopePart::along_patterns(RunFigure::MinRelevantChange, Side::Above);
const DECAY: SlopePart<'static> = SlopePart::along_patterns(RunFigure::MaxChange, Side::Below);

pub(super) const CLAIMS: &[Definition] = &[
    Definition {
        id: ClaimId::T1a,
        statement: "relevant experts' router norm change is Ω(1)",
        holds_if: "min Δ over relevant experts ≥ c₁",
        figure: "min Δ over relevant experts",
        assumptions: &[Labels, Balance, Roles, Gauge, Travel, Rate],
        source: "Chowdhury et al. 2024, Theorem 1, first half",
        rule: Rule::Written { holds: "min(delta where relevant) >= threshold", figure: "min(delta where relevant)" },
        constant: "c₁ = {}",
        usual_threshold: Some(0.1),
        slopes: &[CHANGE],
        margin: Margin::AboveThreshold,
        ..PLAIN
    },
    Definition {
        id: ClaimId::T1b,
        statement: "irrelevant experts' router norm change is O(1/√d)",
        holds_if: "over a sweep of d: the slope of log max |Δ| on log d is at most `slope`, over all d and over the last two octaves; and the largest √d·max |Δ| of all runs of the lower half of the d's bounds that of a run at every d of the upper half. In a phase map: √d·max |Δ| ≤ C",
        figure: "max |Δ| over irrelevant experts",
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "Chowdhury et al. 2024, Theorem 1, second half",
        rule: Rule::Written {
            holds: "sqrt(patterns) * max(abs(delta) where irrelevant) <= threshold",
            figure: "sqrt(patterns) * max(abs(delta) where irrelevant)",
        },
        has_probability: false,
        bounded_by_smaller: true,
        slopes: &[DECAY, SlopePart { name: Part::SlopeTail, tail: true, ..DECAY }],
        ..PLAIN
    },
    Definition {
        id: ClaimId::T1c,
        statement: "Δ separates the relevant experts from all others",
        holds_if: "min Δ over relevant experts > max Δ over all others",
        figure: "min relevant Δ − max Δ of the others",
        assumptions: &[Labels, Balance, Roles, Batch, Gauge, Travel, Rate, Aligned],
        source: "Chowdhury et al. 2024, what Theorem 1 is used for",
        rule: Rule::Written {
            holds: "min(delta where relevant) > max(delta where not relevant) or all(relevant and known(delta))",
            figure: "min(delta where relevant) - max(delta where not relevant)",
        },
        ..PLAIN
    },
    Definition {
        id: ClaimId::T1cDisplacement,
        statement: "the displacement D separates the relevant experts from all others",
        holds_if: "min D over relevant experts > max D over all others",
        figure: "min relevant D − max D of the others",
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate, Aligned],
        source: "ours: T1c for a measure that no gauge changes (L11)",
        rule: Rule::Written {
            holds: "min(displacement where relevant) > max(displacement where not relevant) or all(relevant and known(displacement))",
            figure: "min(displacement where relevant) - max(displacement where not relevant)",
        },
        ..PLAIN
    },
    Definition {
        id: ClaimId::T1cCentred,
        statement: "the centred norm change Δᶜ separates the relevant experts from all others",
        holds_if: "min Δᶜ over relevant experts > max Δᶜ over all others",
        figure: "min relevant Δᶜ − max Δᶜ of the others",
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate, Aligned],
        source: "ours: T1c for a measure that no gauge changes (L11)",
        rule: Rule::Written {
            holds: "min(delta_centred where relevant) > max(delta_centred where not relevant) or all(relevant and known(delta_centred))",
            figure: "min(delta_centred where relevant) - max(delta_centred where not relevant)",
        },
        ..PLAIN
    },
    Definition {
        id: ClaimId::T1d,
        statement: "the displacement D of irrelevant experts falls with d, and so do its drift and its noise",
        holds_if: "over a sweep of d: the slopes on log d of log max D, of the root mean square of the noise, and over the last two octaves of that of the drift along irrelevant patterns, are each at most `slope`",
        figure: "max D over irrelevant experts",
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "ours: Theorem 1's second half for a measure that no gauge changes (L11)",
        rule: Rule::Sweep,
        has_probability: false,
        // The drift of small batches opposes the noise that has piled up, and its unbiased square is then below 0: it has
        // an exponent only where it outweighs that, in the last octaves.
        slopes: &[
            SlopePart { name: Part::SlopeDisplacement, figure: SlopeOf::Figure(RunFigure::MaxDisplacement), ..DECAY },
            SlopePart {
                name: Part::SlopeDriftTail,
                figure: SlopeOf::Figure(RunFigure::DriftSquared),
                method: Method::RootMeanSquare,
                tail: true,
                ..DECAY
            },
            SlopePart {
                name: Part::SlopeNoise,
                figure: SlopeOf::Figure(RunFigure::NoiseSquared),
                method: Method::RootMeanSquare,
                ..DECAY
            },
        ],
        ..PLAIN
    },
    Definition {
        id: ClaimId::T1dLeakage,
        statement: "the leakage of class patterns into irrelevant routers falls with d",
        holds_if: "over a sweep of d: the slope on log d of the root mean square of the drift along the class patterns is at most `slope`",
        figure: "mean squared leakage",
        assumptions: &[Labels, Balance, Roles, Batch, Travel, Rate],
        source: "ours: the term of lemma S1 that has to fall if D is to fall as 1/√d",
        rule: Rule::Sweep,
        has_probability: false,
        slopes: &[SlopePart {
            figure: SlopeOf::Figure(RunFigure::LeakageSquared),
            method: Method::RootMeanSquare,
            ..DECAY
        }],
        ..PLAIN
    },
];

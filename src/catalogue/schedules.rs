//! When experts are pruned: each schedule is one row, and a file of `run::pruning_schedule`.

/// Hands the table to a macro.
macro_rules! schedules {
    ($make:ident $head:tt) => {
        $make! {
            $head
            /// All at once, after training.
            OneShot = "one-shot" in one_shot, ScheduleTraits { training: Training::Over, scores_again: false };
            /// After training, one after the other: after each the others are scored again.
            Iterative = "iterative" in iterative, ScheduleTraits { training: Training::Between, scores_again: true };
            /// During training, in equal shares at the ends of windows, by the scores of the window.
            Windowed = "windowed" in windowed, ScheduleTraits { training: Training::Beside, scores_again: true };
            /// During training, all at once after half of it.
            HalfWay = "half-way" in half_way, ScheduleTraits { training: Training::Beside, scores_again: false };
            /// During training: at the ends of windows of its first half experts of a small share of the summed score go; at
            /// half of it all but the best of each sign, which train alone to the end (task-specific expert pruning).
            Eager = "eager" in eager, ScheduleTraits { training: Training::Beside, scores_again: true };
            /// The same with windows of the whole training: all but the best of each sign go at its end.
            Staged = "staged" in staged, ScheduleTraits { training: Training::Beside, scores_again: true };
            /// As staged; then the experts that are left train once more, alone, from the pre-trained model.
            TwoPass = "two-pass" in two_pass, ScheduleTraits { training: Training::Beside, scores_again: true };
        }
    };
}
pub(crate) use schedules;

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
        }
    };
}
pub(crate) use schedules;

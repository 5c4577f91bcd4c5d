//! What happens on Ctrl-C and on a request to terminate: every finished run is kept, and the process ends.

use crate::journal::Journal;
#[cfg(unix)]
use crate::output;
use moe_theory::claims::Findings;
#[cfg(unix)]
use moe_theory::report::Labels;
use moe_theory::report::text::{self, Detail};
use std::sync::atomic::AtomicI32;
#[cfg(unix)]
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// What is told of a simulation that is interrupted.
pub struct Watched {
    pub journal: Arc<Journal>,
    /// Runs that the journal will have in all.
    pub runs: u64,
    /// The command that goes on.
    pub resume: String,
    /// What the runs so far say, and how many they are.
    pub so_far: Option<SoFar>,
    /// What tells the points apart.
    pub labels: Labels,
}

/// Computes the findings of the runs so far.
pub type SoFar = Box<dyn Fn() -> Option<(Findings, u64)> + Send>;

/// The simulation that is being run, if any.
#[derive(Clone, Default)]
pub struct Interrupts {
    watched: Arc<Mutex<Option<Watched>>>,
}

impl Interrupts {
    /// Listens for both signals from now on. A second one ends the process at once.
    #[cfg(unix)]
    pub fn listen() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::flag::{register, register_conditional_shutdown};
        use signal_hook::iterator::Signals;
        use std::sync::atomic::AtomicBool;
        let interrupts = Self::default();
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
            register(signal, Arc::clone(&again))?;
        }
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let own = interrupts.clone();
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                own.end(signal);
            }
        });
        Ok(interrupts)
    }

    /// Nothing is listened for here: the system ends the process, and finished runs are kept as after a kill.
    #[cfg(not(unix))]
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self::default())
    }

    /// From now on runs are added to this journal.
    pub fn watch(&self, watched: Watched) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(watched);
    }

    /// Nothing is written any more.
    pub fn rest(&self) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Ends the process. Runs that are being computed are lost; none is half written.
    #[cfg(unix)]
    fn end(&self, signal: i32) {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Both stay locked until the end: whoever adds a run or has finished waits.
        let closed = watched.as_ref().map(|watched| (watched, watched.journal.close()));
        if let Some((watched, journal)) = &closed {
            // Who asks for an end from outside may not wait long.
            watched.tell(journal.runs(), signal == signal_hook::consts::SIGINT);
        }
        std::process::exit(128 + signal);
    }
}

#[cfg(unix)]
impl Watched {
    /// Says what is kept and how to go on, then what the runs so far say.
    fn tell(&self, kept: u64, with_findings: bool) {
        let Self { runs, resume, so_far, labels, .. } = self;
        output::tell(format!(
            "\nsimulate: interrupted: {kept} of {runs} runs are finished and kept; to go on:\n  {resume}"
        ));
        let findings = so_far.as_ref().filter(|_| with_findings).and_then(|so_far| so_far());
        if let Some((findings, collected)) = findings.filter(|(_, collected)| *collected > 0) {
            output::tell(format!(
                "\nSo far, from {collected} of {runs} runs (nothing of this is written):\n{}",
                text::findings(&findings, labels, Detail::Summary)
            ));
        }
    }
}

/// Holds 0, and from a Ctrl-C or a request to terminate on the status with which the process is to end.
#[cfg(unix)]
pub fn termination_flag() -> std::io::Result<Arc<AtomicI32>> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let flag = Arc::new(AtomicI32::new(0));
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let own = Arc::clone(&flag);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            own.store(128 + signal, Ordering::SeqCst);
        }
    });
    Ok(flag)
}

/// Nothing is listened for here.
#[cfg(not(unix))]
pub fn termination_flag() -> std::io::Result<Arc<AtomicI32>> {
    Ok(Arc::new(AtomicI32::new(0)))
}

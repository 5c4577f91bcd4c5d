//! What happens on Ctrl-C and on a request to terminate: every finished run is kept, and the process ends.

use crate::journal::Journal;
use std::sync::atomic::AtomicI32;
#[cfg(unix)]
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// A journal, and how many runs it will have in all.
type Watched = (Arc<Journal>, u64);

/// The journal that is being written, if any.
#[derive(Clone, Default)]
pub struct Interrupts {
    journal: Arc<Mutex<Option<Watched>>>,
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
                own.end(128 + signal);
            }
        });
        Ok(interrupts)
    }

    /// Nothing is listened for here: the system ends the process, and finished runs are kept as after a kill.
    #[cfg(not(unix))]
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self::default())
    }

    /// From now on runs are added to this journal, `runs` in all.
    pub fn watch(&self, journal: &Arc<Journal>, runs: u64) {
        *self.journal.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(journal), runs));
    }

    /// Nothing is written any more.
    pub fn rest(&self) {
        *self.journal.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Ends the process. Runs that are being computed are lost; none is half written.
    #[cfg(unix)]
    fn end(&self, status: i32) {
        use std::io::Write;
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((journal, runs)) = &*journal {
            let kept = journal.close();
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(
                std::io::stderr(),
                "\nsimulate: interrupted: {kept} of {runs} runs are finished and kept; --resume goes on with the rest"
            );
        }
        std::process::exit(status);
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

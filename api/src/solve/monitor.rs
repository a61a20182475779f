//! The clock, Ctrl-C and the progress shown while a plan is made.

use std::fmt::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use kwartier_engine::settings::{Progress, Watch};

/// The exit code of a process that a person interrupted.
const EXIT_INTERRUPTED: i32 = 130;

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Watches over one solve.
#[derive(Debug)]
pub struct Monitor {
    began: Instant,
    cancelled: Arc<AtomicBool>,
    spinner: ProgressBar,
}

impl Monitor {
    /// Starts the clock and listens to Ctrl-C: the first one cancels, the second ends the process. Progress is shown
    /// where standard error is a terminal, if at all.
    pub fn begin(show_progress: bool) -> Result<Self, ctrlc::Error> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cancelled);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                process::exit(EXIT_INTERRUPTED);
            }
        })?;
        let spinner = if show_progress { spinner() } else { ProgressBar::hidden() };
        Ok(Monitor { began: Instant::now(), cancelled, spinner })
    }

    /// Takes the progress off the screen.
    pub fn finish(&self) {
        self.spinner.finish_and_clear();
    }
}

/// One of several solves under one monitor: it has a clock of its own.
#[derive(Debug)]
pub struct Lap<'a> {
    began: Instant,
    monitor: &'a Monitor,
}

impl Monitor {
    /// Starts the clock of a further solve.
    pub fn lap(&self) -> Lap<'_> {
        Lap { began: Instant::now(), monitor: self }
    }
}

impl Watch for Lap<'_> {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn cancelled(&self) -> bool {
        self.monitor.cancelled()
    }

    fn progress(&self, progress: &Progress) {
        self.monitor.progress(progress);
    }
}

impl Watch for Monitor {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn progress(&self, progress: &Progress) {
        self.spinner.set_message(message(progress));
    }
}

fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
    if !spinner.is_hidden() {
        spinner.enable_steady_tick(TURN);
    }
    spinner
}

fn message(progress: &Progress) -> String {
    let mut message = progress.doing.to_owned();
    if let Some(eur) = progress.objective_eur {
        let _ = write!(message, ", cost {eur:.2} EUR");
    }
    if let Some(eur) = progress.bound_eur {
        let _ = write!(message, ", at least {eur:.2} EUR");
    }
    if let Some(gap) = progress.gap {
        let _ = write!(message, ", gap {:.3} %", 100.0 * gap);
    }
    message
}

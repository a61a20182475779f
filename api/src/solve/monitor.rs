//! The clock, Ctrl-C and the progress shown while a plan is made or a backtest runs.

use std::fmt::Write;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use kwartier_engine::settings::{Progress, Watch};
use kwartier_forecast::backtest;

/// The exit code of a process that a person interrupted.
const EXIT_INTERRUPTED: i32 = 130;

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Watches over one solve, or one backtest.
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

    /// The same with a bar for work whose end is in sight, counted in `what`.
    pub fn begin_counted(show_progress: bool, what: &str) -> Result<Self, ctrlc::Error> {
        let monitor = Monitor::begin(false)?;
        let spinner = if show_progress { bar(what) } else { ProgressBar::hidden() };
        Ok(Monitor { spinner, ..monitor })
    }

    /// So much of all the work is done.
    pub fn count(&self, done: usize, all: usize) {
        self.spinner.set_length(all as u64);
        // Reports of parallel work may come out of order; a bar goes forward.
        self.spinner.set_position(self.spinner.position().max(done as u64));
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

impl backtest::Watch for Monitor {
    fn elapsed_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn progress(&self, done: usize, all: usize) {
        self.count(done, all);
    }
}

fn bar(what: &str) -> ProgressBar {
    // Should the template be wrong, the plain bar does.
    let template = format!("{{wide_bar}} {{pos}} of {{len}} {what}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::no_length().with_style(style);
    if !bar.is_hidden() {
        bar.enable_steady_tick(TURN);
    }
    bar
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

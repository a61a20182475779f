//! Logs, on standard error. They hold no personal data and no secrets.

use std::io::stderr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::Log;

/// Logs from now on.
pub fn begin(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.level).map_err(|fault| fault.to_string())?;
    // Where nobody reads what is logged any more, that is no reason to stop: complaining about it would panic.
    let logs = fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false).log_internal_errors(false);
    let begun = if log.json { logs.json().try_init() } else { logs.compact().try_init() };
    begun.map_err(|fault| fault.to_string())
}

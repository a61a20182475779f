//! What the service manager (systemd) is told: that the service is ready, that its loop goes on, that it ends. Where there is
//! none, nobody is told.

use std::time::Instant;

use tokio::sync::watch;

/// Says that it serves; from now on, at each beat of the loop, that it goes on. A manager that hears nothing ends it and
/// starts it anew.
pub fn ready(beats: watch::Receiver<Instant>) {
    tell("READY=1");
    tokio::spawn(go_on(beats));
}

/// Says that it was told to end, and does.
pub fn stopping() {
    tell("STOPPING=1");
}

async fn go_on(mut beats: watch::Receiver<Instant>) {
    while beats.changed().await.is_ok() {
        tell("WATCHDOG=1");
    }
}

#[cfg(target_os = "linux")]
fn tell(what: &str) {
    if let Err(fault) = sd_notify::notify(&[sd_notify::NotifyState::Custom(what)]) {
        tracing::warn!(%fault, what, "the service manager cannot be told");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell(_: &str) {}

//! Long calculations on threads of their own, which give way: whatever else there is to do is done first. Fuses come before
//! prices, and on a small machine a plan takes all there is.

use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// The priority of a calculation, of 0 to 99. On Linux that is a `nice` of 10: a tenth of what a thread gets that does not give way.
const PRIORITY: u8 = 22;

/// Calculates something on a thread that gives way.
///
/// # Errors
///
/// In words, where there is no thread to be had, or it panicked.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (done, outcome) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("aside".to_owned()).spawn(move || {
        give_way();
        // Whoever waited may have given up.
        let _ = done.send(work());
    });
    thread.map_err(|fault| format!("there is no thread for it: {fault}"))?;
    outcome.await.map_err(|_| "it panicked; the log says where".to_owned())
}

fn give_way() {
    let given = ThreadPriorityValue::try_from(PRIORITY).map(ThreadPriority::Crossplatform);
    if !given.is_ok_and(|priority| set_current_thread_priority(priority).is_ok()) {
        tracing::debug!("a calculation does not give way to others here");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the system says of the thread that asks: field 19 of `proc_pid_stat(5)`.
    #[cfg(target_os = "linux")]
    fn nice() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn it_gives_way_and_nobody_else_does() {
        let before = nice();
        assert_eq!(aside(nice).await, Ok(before.max(10)));
        assert_eq!(nice(), before);
        assert_eq!(tokio::task::spawn_blocking(nice).await.unwrap(), before);
    }

    #[tokio::test]
    async fn one_that_panics_is_an_error() {
        let outcome = aside(|| assert_eq!(PRIORITY, 0, "as it is to")).await;
        assert_eq!(outcome, Err("it panicked; the log says where".to_owned()));
    }
}

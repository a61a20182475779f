//! The exact solver in a process of its own.
//!
//! A solver in C++ can hang past its time limit, crash, or fill the memory; in a process of its own it takes nothing
//! else with it. What it says is believed by nobody: the planner verifies every plan it gets.
//!
//! Three threads at most live through a solve: one feeds the request, one collects the answer, and the caller's waits
//! for whatever comes first of answer, deadline and Ctrl-C. None of them is waited for without a deadline, so a child
//! that reads nothing, says nothing, or says no end cannot block us.

use std::env;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use kwartier_engine::settings::Watch;
use kwartier_engine::solver::exact::{ExactAnswer, ExactFault, ExactRequest, ExactSolver};

use super::protocol::{self, Useless};

/// How much longer than its time limit the child may take: to start, to build the model and to word the answer.
const GRACE: Duration = Duration::from_secs(1);

/// How soon Ctrl-C and the deadline are noticed.
const LOOK: Duration = Duration::from_millis(10);

/// The longest answer that is read. A current written in full takes 20 characters, so this is room for 1,600 vehicles
/// over 2,000 slots, far beyond what an exact model is good for.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Solves in a child process.
pub struct ChildSolver<'a> {
    program: Option<PathBuf>,
    arguments: Vec<OsString>,
    watch: &'a dyn Watch,
}

impl<'a> ChildSolver<'a> {
    /// The child is this program, called as `solve-worker`.
    pub fn of_this_program(watch: &'a dyn Watch) -> Self {
        ChildSolver { program: env::current_exe().ok(), arguments: vec!["solve-worker".into()], watch }
    }

    /// The child is any program that answers as `solve-worker` does, or fails to.
    #[cfg(test)]
    pub fn of(program: &str, arguments: &[&str], watch: &'a dyn Watch) -> Self {
        ChildSolver { program: Some(program.into()), arguments: arguments.iter().map(Into::into).collect(), watch }
    }

    fn spawn(&self, request: Vec<u8>) -> Result<Running, ExactFault> {
        let program = self.program.as_ref().ok_or_else(|| not_started("the path of this program is unknown"))?;
        let mut command = Command::new(program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C at a terminal reaches the whole group of processes; when the child ends is decided here.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Running::begin(command.spawn().map_err(not_started)?, request)
    }

    /// Waits for the end of what the child says.
    fn wait_for_answer(&self, child: &Running, deadline: Option<Instant>) -> Result<Vec<u8>, ExactFault> {
        loop {
            self.go_on(deadline)?;
            match child.said.recv_timeout(LOOK) {
                Ok(said) => return said.map_err(|fault| ExactFault::Garbage(fault.to_string())),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(ExactFault::Garbage("nothing was read".to_owned())),
            }
        }
    }

    /// Waits for the end of a child that has nothing more to say.
    fn wait_for_end(&self, child: &mut Running, deadline: Option<Instant>) -> Result<ExitStatus, ExactFault> {
        loop {
            match child.process.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => thread::park_timeout(LOOK),
                Err(fault) => return Err(ExactFault::Crashed(fault.to_string())),
            }
            self.go_on(deadline)?;
        }
    }

    fn go_on(&self, deadline: Option<Instant>) -> Result<(), ExactFault> {
        if self.watch.cancelled() {
            return Err(ExactFault::Cancelled);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(ExactFault::TimedOut);
        }
        Ok(())
    }
}

impl ExactSolver for ChildSolver<'_> {
    fn solve(&self, request: &ExactRequest<'_>) -> Result<ExactAnswer, ExactFault> {
        // A time limit beyond what the clock can count is none.
        let deadline = Instant::now().checked_add(request.time_limit.saturating_add(GRACE));
        let mut child = self.spawn(protocol::request(request).map_err(not_started)?)?;
        let said = self.wait_for_answer(&child, deadline)?;
        match protocol::understand(&said) {
            Ok(answer) => Ok(answer),
            Err(Useless::Failed(why)) => Err(ExactFault::Failed(why)),
            Err(Useless::Garbage(why)) => {
                let status = self.wait_for_end(&mut child, deadline)?;
                Err(if status.success() { ExactFault::Garbage(why) } else { ExactFault::Crashed(status.to_string()) })
            }
        }
    }
}

fn not_started(why: impl Into<Box<dyn std::error::Error>>) -> ExactFault {
    ExactFault::NotStarted(why.into().to_string())
}

/// A child at work; killed when dropped.
struct Running {
    process: Child,
    /// All that the child said, once it has said everything.
    said: Receiver<io::Result<Vec<u8>>>,
    /// The child's standard input stays open as long as this lives; the worker ends when it closes, and so does not
    /// outlive us even where nobody is left to kill it.
    _wanted: Sender<()>,
}

impl Running {
    fn begin(mut process: Child, request: Vec<u8>) -> Result<Self, ExactFault> {
        let (wanted, until_unwanted) = channel::<()>();
        let (say, said) = channel();
        let pipes = process.stdin.take().zip(process.stdout.take());
        let running = Running { process, said, _wanted: wanted };
        let (mut input, output) = pipes.ok_or_else(|| not_started("no pipes to the child"))?;
        thread::spawn(move || {
            // A child that does not read is told apart by what it says or fails to say.
            let _ = input.write_all(&request).and_then(|()| input.flush());
            let _ = until_unwanted.recv();
        });
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.take(LONGEST_ANSWER).read_to_end(&mut bytes);
            // Nobody listens any more where the child was given up.
            let _ = say.send(match read {
                Ok(count) if count as u64 == LONGEST_ANSWER => Err(io::Error::other("there is no end to it")),
                read => read.map(|_| bytes),
            });
        });
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killing a process that has ended already is no fault; waiting takes it off the system's list.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

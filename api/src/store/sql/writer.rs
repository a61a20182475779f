//! The writer: all that changes anything goes through one queue to one task with one connection. What has gathered there
//! is written in one transaction, so that many small writes cost one flush of the disk; each is answered only when it is
//! durable.

use tokio::sync::{mpsc, oneshot};

use super::super::fault::Fault;
use super::connection::{Connection, Dialect};
use super::database::Database;
use super::measurements;
use super::names::Names;
use super::trouble::unavailable;
use super::write::{Answer, Write};

/// Writes that wait; who comes then waits at the door.
const QUEUE: usize = 1024;
/// Writes in a transaction at most.
const GROUP: usize = 256;
/// How often a write is tried by itself, where others may come in between (PostgreSQL: deadlocks, races for a key).
const TRIES: u32 = 4;

/// A write, and where its answer goes.
struct Asked {
    write: Write,
    answer: oneshot::Sender<Result<Answer, Fault>>,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub struct Writer(mpsc::Sender<Asked>);

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts a writer; it ends when it is told to close, or all ways to it are gone.
    pub fn start(database: Database) -> Writer {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(run(database, receiver));
        Writer(sender)
    }

    /// Has something written; returns when it is durable.
    pub async fn write(&self, write: Write) -> Result<Answer, Fault> {
        let (answer, answered) = oneshot::channel();
        let closed = || unavailable("it is closed");
        self.0.send(Asked { write, answer }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

async fn run(database: Database, mut queue: mpsc::Receiver<Asked>) {
    let mut names = Names::default();
    let mut group = Vec::new();
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let closing = group.iter().position(|asked| matches!(asked.write, Write::Close));
        let after = closing.map(|at| group.split_off(at));
        write_group(&database, &mut names, std::mem::take(&mut group)).await;
        if let Some(after) = after {
            queue.close();
            database.close().await;
            for asked in after {
                let answer = match asked.write {
                    Write::Close => Ok(Answer::Done),
                    _ => Err(unavailable("it is closed")),
                };
                // Who asked may have gone.
                let _ = asked.answer.send(answer);
            }
            break;
        }
    }
}

/// Writes a group together; where that fails, each by itself, so that one that cannot be written fails alone.
async fn write_group(database: &Database, names: &mut Names, group: Vec<Asked>) {
    if group.is_empty() {
        return;
    }
    let (writes, senders): (Vec<Write>, Vec<_>) = group.into_iter().map(|asked| (asked.write, asked.answer)).unzip();
    match transact(database, names, &writes).await {
        Ok(answers) => {
            for (sender, answer) in senders.into_iter().zip(answers) {
                let _ = sender.send(answer);
            }
        }
        Err(_) => {
            for (sender, write) in senders.into_iter().zip(&writes) {
                let _ = sender.send(alone(database, names, write).await);
            }
        }
    }
}

async fn alone(database: &Database, names: &mut Names, write: &Write) -> Result<Answer, Fault> {
    let tries = match database.dialect() {
        Dialect::Sqlite => 1,
        Dialect::Postgres => TRIES,
    };
    let mut tried = 0;
    loop {
        tried += 1;
        match transact(database, names, std::slice::from_ref(write)).await {
            Ok(mut answers) => return answers.pop().unwrap_or(Ok(Answer::Done)),
            Err(Failed::Writing(_)) if tried < tries => {}
            Err(Failed::Writing(fault) | Failed::Connecting(fault) | Failed::Committing(fault)) => return Err(fault),
        }
    }
}

/// How far a transaction came that failed.
enum Failed {
    /// There was no connection.
    Connecting(Fault),
    /// Nothing was committed.
    Writing(Fault),
    /// Whether it was committed is not known: it is not tried again.
    Committing(Fault),
}

async fn transact(
    database: &Database,
    names: &mut Names,
    writes: &[Write],
) -> Result<Vec<Result<Answer, Fault>>, Failed> {
    let mut connection = database.writer().await.map_err(Failed::Connecting)?;
    let written = match connection.command(connection.dialect().begin()).await {
        Ok(()) => in_transaction(&mut connection, names, writes).await,
        Err(fault) => Err(fault),
    };
    let failed = match written {
        Ok(answers) => match connection.command("COMMIT").await {
            Ok(()) => return Ok(answers),
            Err(fault) => Failed::Committing(fault),
        },
        Err(fault) => Failed::Writing(fault),
    };
    *names = Names::default();
    connection.discard().await;
    Err(failed)
}

/// Makes all writes. The answer to each is `Err` where it may not be made; the whole is `Err` where the database failed.
async fn in_transaction(
    connection: &mut Connection,
    names: &mut Names,
    writes: &[Write],
) -> Result<Vec<Result<Answer, Fault>>, Fault> {
    // Measurements of all who brought some go into the same statements.
    let measured: Vec<_> =
        writes.iter().filter_map(|write| if let Write::Measure(rows) = write { Some(rows) } else { None }).collect();
    if !measured.is_empty() {
        let rows: Vec<_> = measured.into_iter().flatten().collect();
        measurements::keep(connection, names, &rows).await?;
    }
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        answers.push(match write.make(connection).await {
            Ok(answer) => Ok(answer),
            Err(fault @ (Fault::Conflict { .. } | Fault::Repeated(_))) => Err(fault),
            Err(fault) => return Err(fault),
        });
    }
    Ok(answers)
}

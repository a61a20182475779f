//! A PostgreSQL of the test's own: made in a temporary folder, reached by a socket in it, ended with the test.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

/// How long to try to reach it before giving up.
const PATIENCE: usize = 300;

/// A running PostgreSQL.
pub struct Cluster {
    server: Child,
    folder: TempDir,
}

/// Somebody who is not root, whom PostgreSQL insists on.
struct Nobody {
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// Starts one that loses what it has not flushed yet should the machine stop: faster, and no less for a test. Where PostgreSQL is not installed the test says so and has to do without; on a build server it fails.
    pub fn start() -> Option<Cluster> {
        Cluster::with(&["-c", "fsync=off"])
    }

    /// One that flushes what it commits.
    pub fn durable() -> Option<Cluster> {
        Cluster::with(&[])
    }

    fn with(settings: &[&str]) -> Option<Cluster> {
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os("CI").is_none_or(|value| value != "true"),
                "PostgreSQL is not installed: run scripts/setup"
            );
            eprintln!("SKIPPED: PostgreSQL is not installed, so nothing is tested on it; run scripts/setup");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("kwartier-pg-").tempdir_in("/tmp").unwrap();
        let nobody = nobody();
        if let Some(Nobody { uid, gid }) = nobody {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"), nobody.as_ref())
            .args(["--auth=trust", "--username=kwartier", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let server = command(&programs.join("postgres"), nobody.as_ref())
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "max_connections=100"])
            .args(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Cluster { server, folder })
    }

    fn url(&self, database: &str) -> String {
        let host = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://kwartier@{host}/{database}")
    }

    /// An empty database of this name; its URL.
    pub async fn database(&self, name: &str) -> String {
        let name = name.chars().take(60).collect::<String>();
        let mut tried = 0;
        let mut connection = loop {
            match PgConnection::connect(&self.url("postgres")).await {
                Ok(connection) => break connection,
                Err(fault) if tried == PATIENCE => panic!("PostgreSQL does not answer: {fault}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
            tried += 1;
        };
        let sql = format!("CREATE DATABASE {name}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        self.url(&name)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT: it ends its clients and itself in good order.
        let pid = self.server.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.server.wait();
    }
}

/// Runs a program as somebody else where that is needed; it gets a signal when the test dies.
fn command(program: &Path, nobody: Option<&Nobody>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if let Some(Nobody { uid, gid }) = nobody {
        command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
    }
    command.arg(program).current_dir("/tmp");
    command
}

/// The folder of `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// `postgres` or `nobody`, where the test runs as root.
fn nobody() -> Option<Nobody> {
    let me = std::fs::metadata("/proc/self").ok()?;
    if std::os::unix::fs::MetadataExt::uid(&me) != 0 {
        return None;
    }
    let known = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = known.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Nobody { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user who is not root"))
}

//! How the service is set up: one TOML file, environment variables, secrets from files. None of it is needed.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How the service is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// The folder of what it keeps.
    pub data: PathBuf,
    /// Whether the demo depot runs.
    pub demo: bool,
}

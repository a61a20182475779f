//! `kwartier health`.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::config::unfit;
use super::failure::Failure;
use super::{Verdict, output};
use crate::config::{self, Arguments};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ask the service that runs on this machine how it is.
///
/// It is asked where the configuration says that it listens, and says what is wrong.
///
/// Exit codes: 0 it is ready; 1 it is not, or does not answer; 2 the configuration cannot be used.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration of the service, a TOML file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where it listens, such as 127.0.0.1:8080, in place of what the configuration says.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Ask only whether it lives. What restarts services goes by this: a full disk is not mended by a restart.
    #[arg(long)]
    alive: bool,
}

/// Asks, and says what was answered.
pub fn run(args: &Args) -> Result<Verdict, Failure> {
    let said = Arguments { file: args.config.clone(), listen: args.listen.clone(), ..Arguments::default() };
    let loaded = config::load(&said, config::variables()).map_err(|findings| unfit(&findings))?;
    let listen = loaded
        .config
        .listen
        .iter()
        .find(|listen| listen.chargers.is_none())
        .ok_or_else(|| Failure::Internal("it listens nowhere".to_owned()))?;
    let scheme = if listen.tls.is_some() { "https" } else { "http" };
    let path = if args.alive { "healthz" } else { "readyz" };
    let url = format!("{scheme}://{}/{path}", from_here(listen.address));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| Failure::Internal(fault.to_string()))?;
    match runtime.block_on(ask(&url)) {
        Ok((well, answer)) => {
            output::print(&worded(&answer))?;
            Ok(if well { Verdict::Fine } else { Verdict::Broken })
        }
        Err(fault) => {
            output::complain(&format!("{url} does not answer ({}); is the service running?", reason(&fault)));
            Ok(Verdict::Broken)
        }
    }
}

/// The address by which something that listens everywhere is reached from the same machine.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(url: &str) -> Result<(bool, String), reqwest::Error> {
    // An error means that it was said before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The certificate is made out to the name that others use, not to this address; nothing secret is sent, and what is
    // answered is believed by nobody but who asked.
    let client =
        reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().timeout(PATIENCE).build()?;
    let response = client.get(url).send().await?;
    Ok((response.status().is_success(), response.text().await?))
}

/// The innermost cause: what is around it repeats the address.
fn reason(fault: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = fault;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// An answer as people read it: the JSON of `/readyz` in lines, anything else as it is.
fn worded(answer: &str) -> String {
    let Ok(Value::Object(readiness)) = serde_json::from_str(answer) else {
        return format!("{}\n", answer.trim_end());
    };
    let ready = if readiness.get("ready") == Some(&Value::Bool(true)) { "ready" } else { "not ready" };
    let sites = readiness.get("sites").and_then(Value::as_u64).unwrap_or_default();
    let mut text = format!("{ready}, {sites} sites\n");
    for wrong in readiness.get("wrong").and_then(Value::as_array).into_iter().flatten() {
        let said = |name: &str| wrong.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let _ = writeln!(text, "  {}: {}", said("with"), said("text"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_worded_and_what_is_none_is_shown_as_it_is() {
        let answer = r#"{"ready":false,"wrong":[{"with":"store","text":"the disk is full"}],"sites":3}"#;
        assert_eq!(worded(answer), "not ready, 3 sites\n  store: the disk is full\n");
        assert_eq!(worded(r#"{"ready":true,"wrong":[],"sites":1}"#), "ready, 1 sites\n");
        assert_eq!(worded("ok\n"), "ok\n");
    }

    #[test]
    fn what_listens_everywhere_is_asked_at_this_machine() {
        let asked = |address: &str| from_here(address.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8443"), "127.0.0.1:8443");
        assert_eq!(asked("[::]:8443"), "[::1]:8443");
        assert_eq!(asked("192.0.2.7:443"), "192.0.2.7:443");
    }
}

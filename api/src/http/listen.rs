//! The sockets: plain HTTP on this machine, TLS everywhere else. A certificate that changes on disk is read again.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Listen, Tls};

/// How often a certificate is looked at for changes.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(10);

/// How long connections may go on after the service was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How a request came; an extension of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Whether it was encrypted on its way to this process.
    pub tls: bool,
}

/// A certificate that cannot be used: what is wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}; {remedy}")]
pub struct BadCertificate {
    /// What is wrong.
    pub wrong: String,
    /// What to do.
    pub remedy: &'static str,
}

/// A socket that is listened on.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    /// The certificate; `None`, plain HTTP.
    pub certificate: Option<Certificate>,
    /// Where, with the port that was given when 0 was asked for.
    pub address: SocketAddr,
}

/// A certificate in use, and what its files held when it was read. Clones are of the same one.
#[derive(Debug, Clone)]
pub struct Certificate {
    files: Tls,
    read: Arc<Mutex<Vec<u8>>>,
    used: RustlsConfig,
}

impl Bound {
    /// Its address as a browser writes it.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// Listens everywhere, before anything else starts; `Err` is one line for people.
pub fn bind(config: &Config) -> Result<Vec<Bound>, String> {
    // What this process encrypts with from now on, also as a client. An error means that it was said before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    config.listen.iter().map(bind_one).collect()
}

/// A socket of this machine for what this process asks of itself.
pub fn own() -> Result<Bound, String> {
    bind_one(&Listen { address: SocketAddr::from(([127, 0, 0, 1], 0)), tls: None })
}

fn bind_one(listen: &Listen) -> Result<Bound, String> {
    let address = listen.address;
    let certificate = match &listen.tls {
        Some(tls) => Some(Certificate::read(tls).map_err(|error| format!("{address}: {error}"))?),
        None => None,
    };
    let bound = TcpListener::bind(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = bound.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there; end it, or choose another port with --listen",
            io::ErrorKind::PermissionDenied => "this user may not; choose a port above 1023 with --listen",
            _ => "choose an address of this machine with --listen",
        };
        format!("{address} cannot be listened on ({error}); {remedy}")
    })?;
    Ok(Bound { listener, certificate, address })
}

/// Serves on all of them until it is told to stop; then what is under way has ten seconds.
pub async fn serve(bound: Vec<Bound>, router: Router, stop: CancellationToken) -> io::Result<()> {
    let mut servers = tokio::task::JoinSet::new();
    for Bound { listener, certificate, .. } in bound {
        let handle = Handle::new();
        let link = Link { tls: certificate.is_some() };
        let service = router.clone().layer(Extension(link)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(end(stop.clone(), handle.clone()));
        match certificate {
            Some(certificate) => {
                let server = axum_server::from_tcp_rustls(listener, certificate.used.clone())?.handle(handle);
                tokio::spawn(certificate.keep_fresh(stop.clone()));
                servers.spawn(server.serve(service));
            }
            None => {
                servers.spawn(axum_server::from_tcp(listener)?.handle(handle).serve(service));
            }
        }
    }
    while let Some(ended) = servers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}

async fn end(stop: CancellationToken, handle: Handle<SocketAddr>) {
    stop.cancelled().await;
    handle.graceful_shutdown(Some(GRACE));
}

/// What a certificate's files make of the listener.
pub fn certified(files: &Tls) -> Result<Arc<ServerConfig>, BadCertificate> {
    let certificate = bytes(&files.certificate)?;
    let key = bytes(&files.key)?;
    server(files, &certificate, &key)
}

impl Certificate {
    fn read(files: &Tls) -> Result<Certificate, BadCertificate> {
        let (certificate, key) = (bytes(&files.certificate)?, bytes(&files.key)?);
        let used = RustlsConfig::from_config(server(files, &certificate, &key)?);
        let read = Arc::new(Mutex::new([certificate, key].concat()));
        Ok(Certificate { files: files.clone(), read, used })
    }

    /// Reads the files again; whether there was something new. A pair that does not work changes nothing: it may be half
    /// written.
    pub fn refresh(&self) -> Result<bool, BadCertificate> {
        let (certificate, key) = (bytes(&self.files.certificate)?, bytes(&self.files.key)?);
        let now = [certificate.as_slice(), key.as_slice()].concat();
        let mut read = self.read.lock();
        if now == *read {
            return Ok(false);
        }
        self.used.reload_from_config(server(&self.files, &certificate, &key)?);
        *read = now;
        Ok(true)
    }

    async fn keep_fresh(self, stop: CancellationToken) {
        let mut told = None;
        while stop.run_until_cancelled(tokio::time::sleep(CERTIFICATE_EVERY)).await.is_some() {
            let file = self.files.certificate.display().to_string();
            let certificate = self.clone();
            let Ok(outcome) = tokio::task::spawn_blocking(move || certificate.refresh()).await else { return };
            match outcome {
                Ok(true) => tracing::info!(file, "the certificate has changed and was read again"),
                Ok(false) => {}
                Err(ref error) if told.as_ref() != Some(error) => {
                    tracing::error!(file, %error, "the certificate has changed and cannot be used; the old one goes on");
                }
                Err(_) => {}
            }
            told = outcome.err();
        }
    }
}

fn bytes(file: &std::path::Path) -> Result<Vec<u8>, BadCertificate> {
    std::fs::read(file).map_err(|error| BadCertificate {
        wrong: format!("{} cannot be read: {error}", file.display()),
        remedy: "name a PEM file that is there and may be read",
    })
}

fn server(files: &Tls, certificate: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, BadCertificate> {
    let bad = |file: &std::path::Path, why: &str, remedy| BadCertificate {
        wrong: format!("{} {why}", file.display()),
        remedy,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<_, _>>()
        .map_err(|_| bad(&files.certificate, "is no PEM file", "name the certificate's PEM file"))?;
    if chain.is_empty() {
        let remedy = "name the PEM file with BEGIN CERTIFICATE in it";
        return Err(bad(&files.certificate, "holds no certificate", remedy));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
        let remedy = "name the PEM file with BEGIN PRIVATE KEY in it, without a password on it";
        bad(&files.key, "holds no private key that can be used", remedy)
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(|error| {
        let remedy = "name the certificate and the key that belong together";
        bad(&files.certificate, &format!("and {} do not work together: {error}", files.key.display()), remedy)
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

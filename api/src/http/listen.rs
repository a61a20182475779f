//! The sockets: plain HTTP on this machine, TLS everywhere else. A certificate that changes on disk is read again.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Listen, Tls};
use crate::ocpp::Authority;

/// How often a certificate is looked at for changes.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(10);

/// How long connections may go on after the service was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How a request came; an extension of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Whether it was encrypted on its way to this process.
    pub tls: bool,
    /// The security profile of the chargers that this listener is for.
    pub profile: Option<u8>,
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
    /// The security profile of the chargers that it is for; `None`, it is for everybody.
    pub profile: Option<u8>,
}

/// What is served.
#[derive(Debug, Clone)]
pub struct Routers {
    /// Where everybody comes.
    pub all: Router,
    /// Where chargers alone come.
    pub chargers: Router,
}

/// Whose certificates clients must have.
#[derive(Debug, Clone)]
struct Clients {
    own: CertificateDer<'static>,
    others: Option<PathBuf>,
}

/// A certificate in use, and what its files held when it was read. Clones are of the same one.
#[derive(Debug, Clone)]
pub struct Certificate {
    files: Tls,
    clients: Option<Clients>,
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
    let authority = Authority::at(&config.data);
    config.listen.iter().map(|listen| bind_one(listen, &authority)).collect()
}

/// A socket of this machine for what this process asks of itself.
pub fn own(config: &Config) -> Result<Bound, String> {
    let listen = Listen { address: SocketAddr::from(([127, 0, 0, 1], 0)), tls: None, chargers: None };
    bind_one(&listen, &Authority::at(&config.data))
}

fn bind_one(listen: &Listen, authority: &Authority) -> Result<Bound, String> {
    let address = listen.address;
    let profile = listen.chargers.as_ref().map(|chargers| chargers.profile);
    let clients = match &listen.chargers {
        Some(chargers) if chargers.profile == 3 => {
            let own = authority.root().map_err(|error| format!("{address}: {error}"))?;
            Some(Clients { own, others: chargers.authorities.clone() })
        }
        _ => None,
    };
    let certificate = match &listen.tls {
        Some(tls) => Some(Certificate::read(tls, clients).map_err(|error| format!("{address}: {error}"))?),
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
    Ok(Bound { listener, certificate, address, profile })
}

/// Serves on all of them until it is told to stop; then what is under way has ten seconds.
pub async fn serve(bound: Vec<Bound>, routers: Routers, stop: CancellationToken) -> io::Result<()> {
    let mut servers = tokio::task::JoinSet::new();
    for Bound { listener, certificate, profile, .. } in bound {
        let handle = Handle::new();
        let link = Link { tls: certificate.is_some(), profile };
        let router = if profile.is_some() { &routers.chargers } else { &routers.all };
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
    server(files, &certificate, &key, None)
}

/// The certificates of a file.
pub fn certificates(file: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, BadCertificate> {
    let bad = |why: &str, remedy| BadCertificate { wrong: format!("{} {why}", file.display()), remedy };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes(file)?).collect();
    let found = found.map_err(|_| bad("is no PEM file", "name a PEM file with certificates"))?;
    if found.is_empty() {
        return Err(bad("holds no certificate", "name the PEM file with BEGIN CERTIFICATE in it"));
    }
    Ok(found)
}

impl Clients {
    /// Who asks clients for a certificate that one of these has given.
    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, BadCertificate> {
        let mut roots = RootCertStore::empty();
        let others = self.others.as_ref().map(|file| certificates(file)).transpose()?.unwrap_or_default();
        let remedy = "name a PEM file with the certificates of authorities";
        let bad = |error: &dyn std::fmt::Display| {
            let file = self.others.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
            BadCertificate { wrong: format!("{file} holds what is no authority: {error}"), remedy }
        };
        for root in std::iter::once(self.own.clone()).chain(others) {
            roots.add(root).map_err(|error| bad(&error))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        built.map_err(|error| bad(&error))
    }
}

impl Certificate {
    fn read(files: &Tls, clients: Option<Clients>) -> Result<Certificate, BadCertificate> {
        let (certificate, key) = (bytes(&files.certificate)?, bytes(&files.key)?);
        let used = RustlsConfig::from_config(server(files, &certificate, &key, clients.as_ref())?);
        let read = Arc::new(Mutex::new(Certificate::all(&certificate, &key, clients.as_ref())?));
        Ok(Certificate { files: files.clone(), clients, read, used })
    }

    /// All that the files hold.
    fn all(certificate: &[u8], key: &[u8], clients: Option<&Clients>) -> Result<Vec<u8>, BadCertificate> {
        let others = clients.and_then(|clients| clients.others.as_ref());
        let others = others.map(|file| bytes(file)).transpose()?.unwrap_or_default();
        Ok([certificate, key, &others].concat())
    }

    /// Reads the files again; whether there was something new. A pair that does not work changes nothing: it may be half
    /// written.
    pub fn refresh(&self) -> Result<bool, BadCertificate> {
        let (certificate, key) = (bytes(&self.files.certificate)?, bytes(&self.files.key)?);
        let now = Certificate::all(&certificate, &key, self.clients.as_ref())?;
        let mut read = self.read.lock();
        if now == *read {
            return Ok(false);
        }
        self.used.reload_from_config(server(&self.files, &certificate, &key, self.clients.as_ref())?);
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
                Err(ref error) if told.as_ref() != Some(error) => {
                    tracing::error!(file, %error, "the certificate has changed and cannot be used; the old one goes on");
                }
                Ok(false) | Err(_) => {}
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

fn server(
    files: &Tls,
    certificate: &[u8],
    key: &[u8],
    clients: Option<&Clients>,
) -> Result<Arc<ServerConfig>, BadCertificate> {
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
    let verifier = clients.map(Clients::verifier).transpose()?;
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.and_then(|config| match verifier {
        Some(verifier) => config.with_client_cert_verifier(verifier).with_single_cert(chain, key),
        None => config.with_no_client_auth().with_single_cert(chain, key),
    });
    let mut config = config.map_err(|error| {
        let remedy = "name the certificate and the key that belong together";
        bad(&files.certificate, &format!("and {} do not work together: {error}", files.key.display()), remedy)
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

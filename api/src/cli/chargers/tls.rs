//! Whom stations trust over TLS, and what they show of themselves.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::super::failure::Failure;
use super::super::input;

/// Whom stations trust; `None`, those whom browsers trust, and they show nothing.
pub fn config(roots: Option<&Path>, certificate: Option<(&Path, &Path)>) -> Result<Option<Arc<ClientConfig>>, Failure> {
    let Some(roots) = roots else {
        return match certificate {
            Some(_) => Err(Failure::Arguments(
                "--certificate wants --roots beside it: whoever asks for a station's certificate has roots of its own"
                    .to_owned(),
            )),
            None => Ok(None),
        };
    };
    let unusable = |file: &Path, why: String, remedy: &'static str| Failure::Unreadable {
        name: file.display().to_string(),
        why,
        remedy,
    };
    let mut store = RootCertStore::empty();
    for root in certificates(roots)? {
        let remedy = "name a PEM file with certificates of authorities";
        store.add(root).map_err(|fault| unusable(roots, fault.to_string(), remedy))?;
    }
    let builder = ClientConfig::builder().with_root_certificates(store);
    let Some((certificate, key)) = certificate else { return Ok(Some(Arc::new(builder.with_no_client_auth()))) };
    let remedy = "name the PEM file with BEGIN PRIVATE KEY in it, without a password on it";
    let private = PrivateKeyDer::from_pem_slice(&input::bytes(key)?)
        .map_err(|_| unusable(key, "no private key in it".to_owned(), remedy))?;
    let remedy = "name the certificate and the key that belong together";
    let config = builder.with_client_auth_cert(certificates(certificate)?, private);
    config.map(|config| Some(Arc::new(config))).map_err(|fault| unusable(certificate, fault.to_string(), remedy))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let bytes = input::bytes(file)?;
    let read = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    read.ok().filter(|all| !all.is_empty()).ok_or_else(|| Failure::Unreadable {
        name: file.display().to_string(),
        why: "no certificate in it".to_owned(),
        remedy: "name a PEM file with BEGIN CERTIFICATE in it",
    })
}

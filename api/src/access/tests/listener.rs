//! TLS: a certificate that changes on disk, and plain HTTP that is refused.

use std::path::Path;

use crate::config::{Listen, Tls};
use crate::http::listen::certified;

/// A certificate for a name, in files.
fn write(folder: &Path, name: &str) -> Tls {
    let pair = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let tls = Tls { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    std::fs::write(&tls.certificate, pair.cert.pem()).unwrap();
    std::fs::write(&tls.key, pair.signing_key.serialize_pem()).unwrap();
    tls
}

/// Whether a client that trusts what is in the file now, and nothing else, gets an answer.
async fn answers(folder: &Path, port: u16) -> bool {
    let pem = std::fs::read(folder.join("cert.pem")).unwrap();
    let certificate = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .resolve("depot.example", ([127, 0, 0, 1], port).into())
        .build()
        .unwrap();
    let url = format!("https://depot.example:{port}/v1/login");
    client.get(url).send().await.is_ok_and(|response| response.status() == 200)
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let tls = write(folder.path(), "depot.example");
    let address = "127.0.0.1:0".parse().unwrap();
    let world =
        super::World::with(|config| config.listen = vec![Listen { address, tls: Some(tls.clone()), chargers: None }])
            .await;
    let port: u16 = world.url.rsplit(':').next().unwrap().parse().unwrap();
    assert!(world.url.starts_with("https://"));
    assert!(answers(folder.path(), port).await);
    // Half written: the old one goes on.
    let old = std::fs::read(&tls.certificate).unwrap();
    std::fs::write(&tls.key, "-----BEGIN PRIVATE").unwrap();
    assert!(world.certificates[0].refresh().is_err());
    assert!(answers(folder.path(), port).await);
    write(folder.path(), "depot.example");
    assert_ne!(std::fs::read(&tls.certificate).unwrap(), old);
    assert!(!answers(folder.path(), port).await, "the new one is not in use yet");
    assert_eq!(world.certificates[0].refresh(), Ok(true));
    assert!(answers(folder.path(), port).await);
    assert_eq!(world.certificates[0].refresh(), Ok(false));
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let tls = write(folder.path(), "depot.example");
    assert!(certified(&tls).is_ok());
    let wrong = |certificate: &Path, key: &Path| {
        let tls = Tls { certificate: certificate.to_owned(), key: key.to_owned() };
        certified(&tls).unwrap_err().to_string()
    };
    let nowhere = folder.path().join("nowhere.pem");
    assert!(wrong(&nowhere, &tls.key).contains("nowhere.pem cannot be read"));
    assert!(wrong(&tls.key, &tls.key).contains("key.pem holds no certificate"));
    assert!(wrong(&tls.certificate, &tls.certificate).contains("cert.pem holds no private key"));
}

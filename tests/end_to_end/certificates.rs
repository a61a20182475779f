//! Security profiles over real TLS: who comes to which listener, and how a charger gets a certificate and comes with it.

use std::net::TcpListener;
use std::sync::Arc;

use base64::Engine as _;
use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{Connector, connect_async_tls_with_config};

use super::Folder;
use super::ocpp::{Charger, PASSWORD, Service, runtime};

/// A service with a listener for everybody, one for profile 2 and one for profile 3.
struct World {
    folder: Folder,
    service: Service,
    /// What the listeners show.
    server: CertificateDer<'static>,
    two: String,
    three: String,
}

/// A certificate and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn port() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").to_string()
}

impl World {
    fn new() -> World {
        let folder = Folder::new();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(folder.path("cert.pem"), pair.cert.pem()).expect("a file");
        std::fs::write(folder.path("key.pem"), pair.signing_key.serialize_pem()).expect("a file");
        let (one, two, three) = (port(), port(), port());
        let tls = |address: &str, profile: u8| {
            format!(
                "[[listen]]\naddress = \"{address}\"\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\n\
                 security_profile = {profile}\n"
            )
        };
        let config = format!("{}{}[[listen]]\naddress = \"{one}\"\n", tls(&two, 2), tls(&three, 3));
        std::fs::write(folder.path("kwartier.toml"), config).expect("a file");
        let service = Service::begin(&["--config", &folder.path("kwartier.toml")], &folder.path("data"));
        service.site("a", &["CP-1", "CP-2"]);
        for id in ["CP-1", "CP-2"] {
            let ocpp = json!({ "password": PASSWORD, "security_profile": 2 });
            let body = json!({ "node": "HV", "max_a": 32.0, "ocpp": ocpp });
            let (status, answer) = service.ask("PUT", &format!("/v1/sites/a/chargers/{id}"), &body);
            assert_eq!(status, 200, "{answer}");
        }
        World { folder, service, server: pair.cert.der().clone(), two, three }
    }

    /// A charger comes to a listener, with a password or a certificate.
    async fn comes(&self, to: &str, id: &str, password: bool, identity: Option<&Identity>) -> Result<Charger, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("a configuration").with_root_certificates(roots);
        let config = match identity {
            Some(Identity { chain, key }) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
                config.with_client_auth_cert(chain.clone(), key).expect("a pair")
            }
            None => config.with_no_client_auth(),
        };
        let port = to.rsplit(':').next().unwrap_or_default();
        let mut request = format!("wss://localhost:{port}/ocpp/{id}").into_client_request().expect("a request");
        let headers = request.headers_mut();
        if password {
            let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{PASSWORD}"));
            headers.insert("Authorization", HeaderValue::from_str(&format!("Basic {basic}")).expect("a header"));
        }
        headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static("ocpp2.0.1"));
        let connector = Some(Connector::Rustls(Arc::new(config)));
        match connect_async_tls_with_config(request, None, false, connector).await {
            Ok((socket, _)) => Ok(Charger(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16().to_string()),
            Err(_) => Err("no link".to_owned()),
        }
    }
}

fn request(name: &str, key: &KeyPair) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serialize_request(key).and_then(|request| request.pem()).expect("a request")
}

/// A certificate of an authority, of which we have the key.
fn certified(ca: &str, name: &str, until: i32) -> Identity {
    let issuer = Issuer::from_ca_cert_pem(
        &ca[ca.find("-----BEGIN CERTIFICATE").expect("a certificate")..],
        KeyPair::from_pem(ca).expect("a key"),
    )
    .expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    Identity { chain: vec![certificate.der().clone()], key }
}

#[test]
fn a_charger_goes_up_from_profile_2_to_3_with_a_certificate_that_it_asked_for() {
    let world = World::new();
    runtime().block_on(async {
        let mut charger = world.comes(&world.two, "CP-1", true, None).await.expect("a link");
        let boot = json!({
            "reason": "PowerUp", "chargingStation": { "model": "M", "vendorName": "V", "serialNumber": "SN-1" },
        });
        charger.call("1", "BootNotification", boot).await.expect("an answer");
        // Somebody else's name is nobody's to have.
        let key = KeyPair::generate().expect("a key");
        let asks = |name: &str| json!({ "csr": request(name, &key), "certificateType": "ChargingStationCertificate" });
        let other = charger.call("2", "SignCertificate", asks("CP-2")).await.expect("an answer");
        assert_eq!(other[2]["status"], "Rejected", "{other}");
        let own = charger.call("3", "SignCertificate", asks("CP-1")).await.expect("an answer");
        assert_eq!(own[2]["status"], "Accepted", "{own}");
        let signed = charger.until(|frame| frame[2] == "CertificateSigned").await.expect("a certificate");
        let chain = signed[3]["certificateChain"].as_str().expect("a chain").to_owned();
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().expect("certificates");
        let identity = Identity { chain, key };
        // It comes with it, to the listener for that; another's name, or the other listener, is no use.
        assert_eq!(world.comes(&world.three, "CP-2", false, Some(&identity)).await.err().as_deref(), Some("401"));
        let mut charger = world.comes(&world.three, "CP-1", false, Some(&identity)).await.expect("a link");
        assert!(charger.call("4", "Heartbeat", json!({})).await.is_some());
        let (_, view) = world.service.ask("GET", "/v1/sites/a/chargers/CP-1", &Value::Null);
        assert_eq!((&view["ocpp"]["security_profile"], &view["ocpp"]["online"]), (&json!(3), &json!(true)), "{view}");
        // And does not come down again.
        assert_eq!(world.comes(&world.two, "CP-1", true, None).await.err().as_deref(), Some("401"));
        // Put anew, it starts again from its password, and the certificate of before is forgotten.
        let path = "/v1/sites/a/chargers/CP-1";
        assert_eq!(world.service.ask("DELETE", path, &Value::Null).0, 204);
        let ocpp = json!({ "password": PASSWORD, "security_profile": 3 });
        let body = json!({ "node": "HV", "phase_map": "RST", "max_a": 32.0, "ocpp": ocpp });
        assert_eq!(world.service.ask("PUT", path, &body).0, 201);
        assert_eq!(world.comes(&world.three, "CP-1", false, Some(&identity)).await.err().as_deref(), Some("401"));
    });
}

#[test]
fn without_a_certificate_or_with_one_that_does_not_count_there_is_no_link() {
    let world = World::new();
    runtime().block_on(async {
        let ca = std::fs::read_to_string(world.folder.path("data/charger-ca.pem")).expect("an authority");
        let foreign = {
            let key = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let own = params.self_signed(&key).expect("an authority");
            format!("{}{}", key.serialize_pem(), own.pem())
        };
        // Nobody, a stranger's, one that has run out: the handshake ends alike.
        let (expired, stranger) = (certified(&ca, "CP-1", 2021), certified(&foreign, "CP-1", 2090));
        for identity in [None, Some(&expired), Some(&stranger)] {
            let refused = world.comes(&world.three, "CP-1", true, identity).await.err();
            assert_eq!(refused.as_deref(), Some("no link"));
        }
        // One by our own authority that we never gave: the key was copied.
        let copied = certified(&ca, "CP-1", 2090);
        assert_eq!(world.comes(&world.three, "CP-1", false, Some(&copied)).await.err().as_deref(), Some("401"));
        // Chargers of another profile, and a password over the open.
        assert!(world.comes(&world.two, "CP-1", true, None).await.is_ok());
        assert_eq!(world.comes(&world.two, "CP-1", false, None).await.err().as_deref(), Some("401"));
        assert!(Charger::connect(&world.service, "CP-1", PASSWORD, "ocpp1.6").await.is_err());
    });
}

#[test]
fn a_listener_for_chargers_serves_nothing_else_and_certifies_nobody_over_the_open() {
    let world = World::new();
    world.service.site("b", &["PLAIN"]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime().block_on(async {
        let mut plain = Charger::connect(&world.service, "PLAIN", PASSWORD, "ocpp1.6").await.expect("a link");
        let boot = json!({ "chargePointModel": "M", "chargePointVendor": "V" });
        plain.call("1", "BootNotification", boot).await.expect("an answer");
        let key = KeyPair::generate().expect("a key");
        let csr = json!({ "csr": request("PLAIN", &key) });
        let answer = plain.call("2", "SignCertificate", csr).await.expect("an answer");
        assert_eq!(answer[2]["status"], "Rejected", "{answer}");
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_der(&world.server).expect("a certificate")])
            .build()
            .expect("a client");
        let port = world.two.rsplit(':').next().expect("a port");
        for path in ["v1/sites", "healthz", ""] {
            let url = format!("https://localhost:{port}/{path}");
            assert_eq!(client.get(url).send().await.expect("an answer").status(), 404, "{path}");
        }
    });
}

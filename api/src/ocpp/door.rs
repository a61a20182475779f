//! Who comes in: which charger it is, by which password, over which link, in which version.
//!
//! Who is unknown and who has the wrong password are answered alike, and as late. A charger's identity is the last segment of
//! the address and its name at its site; where several sites have one of that name, the password says which it is, and where
//! that is the same too, it is the one that was put last.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use axum_server::tls::TlsInfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::{authority, link, stays};
use crate::access::audit::{self, At, Did};
use crate::access::{self, password};
use crate::http::change::{body, kept};
use crate::http::listen::Link;
use crate::http::problem::{Problem, ProblemKind};
use crate::resource::charger::{KeptCharger, KeptOcpp};
use crate::service::Service;
use crate::store::{Change, Expect, Key, Kind, List};

/// The largest message that is taken, in bytes: a report of a device model in 2.x is the largest that is usual.
const LARGEST: usize = 256 << 10;

/// So much is read from a link at once, and kept free for each: most messages are shorter.
const READ_AT_ONCE: usize = 4 << 10;

/// What is known of who may come in is read again when it is older than this; when somebody is not let in, than this.
const STALE: Duration = Duration::from_secs(5);
const STALE_IF_REFUSED: Duration = Duration::from_millis(500);

/// A version of OCPP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// 1.6, JSON.
    #[serde(rename = "ocpp1.6")]
    V16,
    /// 2.0.1.
    #[serde(rename = "ocpp2.0.1")]
    V201,
    /// 2.1.
    #[serde(rename = "ocpp2.1")]
    V21,
}

impl Version {
    /// All, the newest first.
    const ALL: [Version; 3] = [Version::V21, Version::V201, Version::V16];

    /// Its websocket subprotocol.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Version::V16 => "ocpp1.6",
            Version::V201 => "ocpp2.0.1",
            Version::V21 => "ocpp2.1",
        }
    }
}

/// Who may come in.
#[derive(Debug, Default)]
pub struct Guests {
    known: tokio::sync::Mutex<Known>,
    /// Passwords that were right before, hashed, by what they are held against: chargers come back all the time.
    right: Mutex<HashMap<String, [u8; 32]>>,
}

#[derive(Debug, Default)]
struct Known {
    read: Option<Instant>,
    by_name: Arc<HashMap<String, Vec<(String, KeptOcpp)>>>,
}

/// The route of chargers. It is beside the API's: what limits and describes those is not made for links that stay.
pub fn routes() -> Router<Service> {
    Router::new().route("/ocpp/{charger}", get(open))
}

async fn open(
    State(service): State<Service>,
    Path(charger): Path<String>,
    Extension(link): Extension<Link>,
    tls: Option<Extension<Arc<TlsInfo>>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let detail = "chargers connect here with a websocket; give them this address as that of their central system";
        return Problem::new(ProblemKind::Header, detail).into_response();
    };
    let certificate = tls.and_then(|Extension(tls)| tls.peer_certificates.first().cloned());
    let came = Came { link, certificate, password: password_of(&headers, &charger) };
    let (site, trusted) = match admit(&service, &charger, &came).await {
        Ok(Some(admitted)) => admitted,
        Ok(None) => {
            metrics::counter!("kwartier_ocpp_refused_total").increment(1);
            // A name that nobody has put comes from outside, and is not written down.
            let known = service.guests.known(&service, STALE).await;
            if known.is_ok_and(|known| known.contains_key(&charger)) {
                let why = "a charger was not let in: not with the password or the security profile that it has here";
                tracing::warn!(charger, "{why}");
            } else {
                tracing::info!("a charger was not let in: there is none of the name that it gives");
            }
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"ocpp\"")]).into_response();
        }
        Err(problem) => return problem.into_response(),
    };
    let upgrade = upgrade
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .read_buffer_size(READ_AT_ONCE)
        .protocols(Version::ALL.map(Version::subprotocol));
    let chosen = upgrade.selected_protocol().and_then(|name| name.to_str().ok()).map(str::to_owned);
    let version = Version::ALL.into_iter().find(|version| chosen.as_deref() == Some(version.subprotocol()));
    upgrade.on_upgrade(move |socket| async move {
        match version {
            Some(version) => link::run(service, socket, Guest { site, charger, version, trusted }).await,
            None => refuse(socket).await,
        }
    })
}

/// The handshake is completed without a subprotocol and the link closed at once (OCPP-J 1.6, 3.1.2).
async fn refuse(mut socket: WebSocket) {
    let reason = "none of the subprotocols ocpp1.6, ocpp2.0.1 and ocpp2.1 was offered".into();
    let close = axum::extract::ws::CloseFrame { code: axum::extract::ws::close_code::PROTOCOL, reason };
    let _ = socket.send(axum::extract::ws::Message::Close(Some(close))).await;
}

/// How somebody comes.
struct Came {
    link: Link,
    /// The certificate that was shown, by an authority that counts.
    certificate: Option<Vec<u8>>,
    password: Option<SecretString>,
}

/// A charger that may come in.
pub struct Guest {
    /// Its site.
    pub site: String,
    /// Its name.
    pub charger: String,
    /// In which version it speaks.
    pub version: Version,
    /// Whether it has proved who it is over an encrypted link: then it may be certified.
    pub trusted: bool,
}

/// The password of a charger, as the headers say it.
fn password_of(headers: &HeaderMap, charger: &str) -> Option<SecretString> {
    basic(headers).filter(|(name, _)| name == charger).map(|(_, password)| password)
}

/// The site of a charger that may come in, and whether it is trusted.
async fn admit(service: &Service, charger: &str, came: &Came) -> Result<Option<(String, bool)>, Problem> {
    let known = service.guests.known(service, STALE).await?;
    if let Some(admitted) = find(service, &known, charger, came).await? {
        return Ok(Some(admitted));
    }
    // It may have been put a moment ago.
    let again = service.guests.known(service, STALE_IF_REFUSED).await?;
    if Arc::ptr_eq(&known, &again) {
        return Ok(None);
    }
    find(service, &again, charger, came).await
}

/// The site, among those that have a charger of the name, where it may come in this way.
async fn find(
    service: &Service,
    known: &HashMap<String, Vec<(String, KeptOcpp)>>,
    charger: &str,
    came: &Came,
) -> Result<Option<(String, bool)>, Problem> {
    let found = known.get(charger).map_or(&[][..], Vec::as_slice);
    if let Some(certificate) = &came.certificate {
        return by_certificate(service, found, charger, certificate).await;
    }
    let mut tried = false;
    for (site, ocpp) in found {
        let right = match (&ocpp.password, &came.password) {
            (Some(hash), Some(password)) => {
                tried = true;
                service.guests.is_right(Some(hash), password).await?
            }
            (None, _) => ocpp.security_profile == 0,
            (Some(_), None) => false,
        };
        if right && fits(ocpp, came.link) {
            return Ok(Some((site.clone(), ocpp.security_profile >= 2)));
        }
    }
    // It takes as long with somebody who is not known; without a password nothing is held against anything.
    if let Some(password) = came.password.as_ref().filter(|_| !tried) {
        service.guests.is_right(None, password).await?;
    }
    Ok(None)
}

/// Whether a charger may come over a link with its password (security white paper, section 2; OCPP 2.0.1 part 2, A).
fn fits(ocpp: &KeptOcpp, link: Link) -> bool {
    match (ocpp.security_profile, link.profile) {
        (0 | 1, None | Some(1)) => true,
        (2, None | Some(2)) => link.tls,
        // A certificate of its own proves who it is.
        _ => false,
    }
}

/// The site of a charger whose certificate is its own: one that we gave it and have not forgotten, or one of another authority
/// that has its name, where there is one charger of that name alone. One that came with its password before has gone up
/// to profile 3 by that, and does not come down again (A05).
async fn by_certificate(
    service: &Service,
    found: &[(String, KeptOcpp)],
    charger: &str,
    certificate: &[u8],
) -> Result<Option<(String, bool)>, Problem> {
    let ours = service.authority.gave(certificate).map_err(|fault| {
        tracing::error!(%fault, "certificates of chargers cannot be held against our own");
        Problem::internal()
    })?;
    let (shown, now) = (authority::fingerprint(certificate), Utc::now());
    let named = authority::name_of(certificate).is_some_and(|name| name == charger);
    for (site, ocpp) in found.iter().filter(|(_, ocpp)| ocpp.security_profile >= 2) {
        let own = if ours {
            let record = stays::known(service, site, charger).await.unwrap_or_default();
            record.certificates.iter().any(|given| given.sha256 == shown && given.until > now)
        } else {
            named && found.len() == 1
        };
        if own {
            if ocpp.security_profile == 2 {
                raise(service, site, charger).await?;
            }
            return Ok(Some((site.clone(), true)));
        }
    }
    Ok(None)
}

/// A charger has come with its certificate: it comes so from now on.
async fn raise(service: &Service, site: &str, charger: &str) -> Result<(), Problem> {
    let key = Key::new(Kind::Charger, site, charger);
    let Some(document) = service.store.read(&key, None).await? else { return Ok(()) };
    let mut kept: KeptCharger = kept(&document)?;
    let Some(ocpp) = &mut kept.ocpp else { return Ok(()) };
    ocpp.security_profile = 3;
    let tenant = access::named(service, site).await?.map(|site| site.tenant).unwrap_or_default();
    let at = At { tenant: &tenant, site: Some(site) };
    let changes = vec![
        audit::by_system(at, &key, Did::Put(Some(document.version))),
        Change::Put { key, body: body(&kept)?, expect: Expect::Version(document.version) },
    ];
    service.store.write(Utc::now(), changes).await?;
    service.guests.forget().await;
    Ok(())
}

impl Guests {
    /// What is known is read again before the next one comes in: to be called when a charger is put or deleted. Where several
    /// processes share a database, the others see it within five seconds.
    pub async fn forget(&self) {
        self.known.lock().await.read = None;
    }

    async fn known(
        &self,
        service: &Service,
        stale: Duration,
    ) -> Result<Arc<HashMap<String, Vec<(String, KeptOcpp)>>>, Problem> {
        let mut known = self.known.lock().await;
        if known.read.is_none_or(|read| read.elapsed() > stale) {
            let mut by_name: HashMap<String, Vec<(String, KeptOcpp)>> = HashMap::new();
            let mut documents = service.store.all(List::all(Kind::Charger)).await?;
            documents.sort_by_key(|document| std::cmp::Reverse(document.at));
            for document in documents {
                let charger: KeptCharger = kept(&document)?;
                if let Some(ocpp) = charger.ocpp {
                    by_name.entry(document.key.id).or_default().push((document.key.owner, ocpp));
                }
            }
            *known = Known { read: Some(Instant::now()), by_name: Arc::new(by_name) };
        }
        Ok(Arc::clone(&known.by_name))
    }

    /// Whether a password is the one of a hash; without one it takes as long, and is not. Chargers write theirs as it is, or in
    /// hexadecimal digits (1.6, white paper, 2.2: `AuthorizationKey`).
    async fn is_right(&self, hash: Option<&str>, tried: &SecretString) -> Result<bool, Problem> {
        let digest: [u8; 32] = Sha256::digest(tried.expose_secret()).into();
        let before = hash.and_then(|hash| self.right.lock().get(hash).copied());
        if before.is_some_and(|right| bool::from(right.ct_eq(&digest))) {
            return Ok(true);
        }
        let mut right = password::matches(tried.clone(), hash.map(str::to_owned)).await?;
        if let Some(plain) = from_hex(tried).filter(|_| !right) {
            right = password::matches(plain, hash.map(str::to_owned)).await?;
        }
        if let Some(hash) = hash.filter(|_| right) {
            self.right.lock().insert(hash.to_owned(), digest);
        }
        Ok(right)
    }
}

/// Name and password of HTTP Basic authentication (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned().into()))
}

fn from_hex(tried: &SecretString) -> Option<SecretString> {
    let digits = tried.expose_secret().as_bytes();
    let pairs = digits.chunks_exact(2);
    if digits.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect();
    String::from_utf8(bytes?).ok().map(SecretString::from)
}

//! From what was said to a [`Config`]; everything that cannot be used is told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

use super::keys::{self, KEYS, Key, Takes};
use super::read::default_of;
use super::settings::{Said, Settings, Source, Value};
use super::{Backups, Chargers, Config, Limits, Listen, Log, Logins, Oidc, OidcRole, Tls, Webhooks, feeds, secret};
use crate::access::Role;
use crate::http::listen::{certificates, certified};
use crate::store::Policy;

/// Where it listens when nobody says.
const LISTEN: &str = "127.0.0.1:8080";

/// Makes a configuration; `None`, something is missing. What is wrong stands in the settings' findings.
pub fn build(settings: &mut Settings, folder: &Path, demo: bool) -> Option<Config> {
    fill(settings);
    check_kinds(settings);
    let listen = listens(settings, folder);
    let database_url = database(settings, folder);
    let public_url = public_url(settings);
    let oidc = providers(settings, folder, public_url.is_some());
    let level = settings.text("log.level").unwrap_or_default().to_owned();
    if let Err(error) = EnvFilter::try_new(&level) {
        settings.wrong("log.level", format!("is no filter: {error}"), "write error, warn, info, debug or trace");
    }
    Some(Config {
        listen,
        data: path(settings, "data", folder)?,
        database_url,
        public_url,
        demo,
        log: Log { json: settings.text("log.format") == Some("json"), level },
        login: Logins {
            session_hours: whole(settings, "login.session_hours")?,
            attempts_per_minute: whole(settings, "login.attempts_per_minute")?,
            address_attempts_per_minute: whole(settings, "login.address_attempts_per_minute")?,
        },
        limits: Limits {
            body_bytes: usize::try_from(whole(settings, "limits.body_mib")?).ok()? << 20,
            requests_per_minute: whole(settings, "limits.requests_per_minute")?,
        },
        keep: keep(settings)?,
        backup: Backups { folder: path(settings, "backup.folder", folder), days: whole(settings, "backup.days")? },
        webhooks: Webhooks { allow_private: flag(settings, "webhooks.allow_private") },
        feeds: feeds::feeds(settings, folder, demo)?,
        oidc,
    })
}

/// How long things are kept.
fn keep(settings: &mut Settings) -> Option<Policy> {
    let days = |key: &str| Some(TimeDelta::days(i64::from(whole(settings, key)?)));
    let policy = Policy {
        seconds: days("keep.seconds_days")?,
        minutes: days("keep.minutes_days")?,
        plans: days("keep.plans_days")?,
        forecasts: days("keep.forecasts_days")?,
        setpoints: days("keep.setpoints_days")?,
        alarms: days("keep.alarms_days")?,
        deliveries: days("keep.deliveries_days")?,
        audit: days("keep.audit_days")?,
        ..Policy::default()
    };
    if policy.seconds > policy.minutes {
        settings.wrong(
            "keep.seconds_days",
            "is more than keep.minutes_days",
            "keep minutes at least as long as seconds",
        );
    }
    Some(policy)
}

/// Says every default that nobody has overridden.
fn fill(settings: &mut Settings) {
    if settings.tables("listen").is_empty() {
        let path = settings.add("listen");
        settings.say(format!("{path}.address"), Value::Text(LISTEN.to_owned()), Source::Default);
    }
    for key in &KEYS {
        for path in paths(settings, key) {
            if settings.get(&path).is_none()
                && let Some(value) = default_of(key)
            {
                settings.say(path, value, Source::Default);
            }
        }
    }
}

/// The paths that a key stands at: one, or one in each table of its list.
pub fn paths(settings: &Settings, key: &Key) -> Vec<String> {
    let tables = match key.table {
        "" => return vec![key.name.to_owned()],
        "oidc.roles" => {
            settings.tables("oidc").iter().flat_map(|oidc| settings.tables(&format!("{oidc}.roles"))).collect()
        }
        list if keys::is_list(list) => settings.tables(list),
        table => vec![table.to_owned()],
    };
    tables.into_iter().map(|table| format!("{table}.{}", key.name)).collect()
}

/// Ranges and words, the same for values from everywhere.
fn check_kinds(settings: &mut Settings) {
    for key in &KEYS {
        for path in paths(settings, key) {
            let Some(Said { value, .. }) = settings.get(&path) else { continue };
            let (wrong, remedy) = match (key.takes, value) {
                (Takes::Whole(least, most), Value::Whole(number)) if !(least..=most).contains(number) => {
                    ("is out of range", format!("write a number from {least} to {most}"))
                }
                (Takes::Word(words), Value::Text(text)) if !words.contains(&text.as_str()) => {
                    ("is not known here", format!("write one of {}", words.join(", ")))
                }
                (Takes::Path | Takes::SecretFile | Takes::Text, Value::Text(text)) if text.trim().is_empty() => {
                    ("is empty", "write what is meant, or remove the key".to_owned())
                }
                _ => continue,
            };
            settings.wrong(&path, wrong, remedy);
        }
    }
}

fn listens(settings: &mut Settings, folder: &Path) -> Vec<Listen> {
    let mut listens: Vec<Listen> = Vec::new();
    for table in settings.tables("listen") {
        let at = format!("{table}.address");
        let Some(address) = settings.text(&at).map(str::to_owned) else { continue };
        let Ok(address) = address.parse::<SocketAddr>() else {
            settings.wrong(&at, "is no address with a port", "write one as in 127.0.0.1:8080 or [::1]:8080");
            continue;
        };
        let certificate = path(settings, &format!("{table}.tls_certificate"), folder);
        let key = path(settings, &format!("{table}.tls_key"), folder);
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => {
                let tls = Tls { certificate, key };
                if let Err(error) = certified(&tls) {
                    settings.wrong(&format!("{table}.tls_certificate"), error.wrong, error.remedy);
                }
                Some(tls)
            }
            (None, None) => None,
            (Some(_), None) => {
                settings.wrong(&format!("{table}.tls_certificate"), "has no key beside it", "add tls_key");
                continue;
            }
            (None, Some(_)) => {
                settings.wrong(&format!("{table}.tls_key"), "has no certificate beside it", "add tls_certificate");
                continue;
            }
        };
        if tls.is_none() && !address.ip().is_loopback() {
            settings.wrong(
                &at,
                "would be plain HTTP, with every key readable, beyond this machine",
                "add tls_certificate and tls_key to its [[listen]], or listen on 127.0.0.1 behind a proxy that has them",
            );
        }
        let chargers = chargers(settings, &table, folder, tls.is_some());
        if listens.iter().any(|other| other.address == address && address.port() != 0) {
            settings.wrong(&at, "is listened on already", "remove one of the two");
        }
        listens.push(Listen { address, tls, chargers });
    }
    if !listens.is_empty() && listens.iter().all(|listen| listen.chargers.is_some()) {
        let remedy = "add a [[listen]] without security_profile for people and programs";
        settings.wrong("listen[0].security_profile", "leaves nothing for the API and the page", remedy);
    }
    listens
}

/// Which chargers alone come to a listener.
fn chargers(settings: &mut Settings, table: &str, folder: &Path, tls: bool) -> Option<Chargers> {
    let (at, ca) = (format!("{table}.security_profile"), format!("{table}.client_ca"));
    let authorities = path(settings, &ca, folder);
    let profile = whole(settings, &at).and_then(|profile| u8::try_from(profile).ok());
    if profile == Some(1) && tls {
        settings.wrong(
            &at,
            "is without TLS, and this listener has a certificate",
            "write 2, or remove the certificate",
        );
    } else if profile.is_some_and(|profile| profile > 1) && !tls {
        settings.wrong(&at, "needs TLS, and this listener has no certificate", "add tls_certificate and tls_key");
    }
    if let Some(file) = &authorities {
        if profile != Some(3) {
            let remedy = "add security_profile = 3, or remove client_ca";
            settings.wrong(&ca, "counts for chargers with certificates alone", remedy);
        } else if let Err(error) = certificates(file) {
            settings.wrong(&ca, error.wrong, error.remedy);
        }
    }
    profile.map(|profile| Chargers { profile, authorities })
}

fn database(settings: &mut Settings, folder: &Path) -> Option<SecretString> {
    let url = secret_of(settings, "database_url_file", folder)?;
    let text = url.expose_secret();
    if text.starts_with("postgresql://") || text.starts_with("postgres://") {
        return Some(url);
    }
    let wrong = "holds no URL of a PostgreSQL database";
    settings.wrong("database_url_file", wrong, "write postgresql://USER:PASSWORD@HOST/DATABASE into it");
    None
}

fn public_url(settings: &mut Settings) -> Option<String> {
    let text = settings.text("public_url")?.to_owned();
    let url = web_address(settings, "public_url", &text)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        settings.wrong("public_url", "has something after the host", "write scheme and host alone: https://HOST");
        return None;
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn providers(settings: &mut Settings, folder: &Path, has_public_url: bool) -> Vec<Oidc> {
    let mut providers: Vec<Oidc> = Vec::new();
    for table in settings.tables("oidc") {
        let within = |name: &str| format!("{table}.{name}");
        let Some(name) = settings.text(&within("name")).map(str::to_owned) else { continue };
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain {
            settings.wrong(&within("name"), "does not fit into an address", "use a to z, 0 to 9 and - alone");
        }
        if providers.iter().any(|other| other.name == name) {
            settings.wrong(&within("name"), "is the name of another provider already", "name each differently");
        }
        if !has_public_url {
            let remedy = "add public_url = \"https://…\" at the top: providers send people back there";
            settings.wrong(&within("name"), "cannot work without public_url", remedy);
        }
        let issuer = settings.text(&within("issuer")).map(str::to_owned);
        let issuer = issuer.filter(|issuer| web_address(settings, &within("issuer"), issuer).is_some());
        let secret = secret_of(settings, &within("client_secret_file"), folder);
        let text = |settings: &Settings, name: &str| settings.text(&within(name)).map(str::to_owned);
        let tenant = text(settings, "tenant");
        let roles = roles(settings, &within("roles"), tenant.as_deref().unwrap_or_default());
        let client_id = text(settings, "client_id");
        let (Some(issuer), Some(client_secret), Some(tenant), Some(client_id)) = (issuer, secret, tenant, client_id)
        else {
            continue;
        };
        let scopes = match settings.get(&within("scopes")) {
            Some(Said { value: Value::Texts(texts), .. }) => texts.clone(),
            _ => Vec::new(),
        };
        let groups_claim = text(settings, "groups_claim").unwrap_or_default();
        providers.push(Oidc { name, issuer, client_id, client_secret, tenant, scopes, groups_claim, roles });
    }
    providers
}

fn roles(settings: &mut Settings, list: &str, tenant: &str) -> Vec<OidcRole> {
    let tables = settings.tables(list);
    let read = |table: &String| {
        let text = |name: &str| settings.text(&format!("{table}.{name}")).map(str::to_owned);
        Some(OidcRole {
            group: text("group")?,
            role: Role::of(&text("role")?)?,
            tenant: text("tenant").unwrap_or_else(|| tenant.to_owned()),
            site: text("site"),
        })
    };
    tables.iter().filter_map(read).collect()
}

/// The web address that a text is; plain HTTP on this machine alone.
pub(super) fn web_address(settings: &mut Settings, path: &str, text: &str) -> Option<reqwest::Url> {
    let Ok(url) = reqwest::Url::parse(text) else {
        settings.wrong(path, "is no web address", "write it as in https://HOST");
        return None;
    };
    let host = url.host_str().unwrap_or_default();
    let here =
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    if !url.username().is_empty() || url.password().is_some() {
        settings.say(path, Value::Text(format!("{}://…@{host}", url.scheme())), source_of(settings, path));
        settings.wrong(path, "has a user or password in it", "remove them");
        return None;
    }
    if host.is_empty() || !(url.scheme() == "https" || url.scheme() == "http" && here) {
        settings.wrong(path, "is not https://", "write an https:// address; http:// is for this machine alone");
        return None;
    }
    Some(url)
}

fn source_of(settings: &Settings, path: &str) -> Source {
    settings.get(path).map_or(Source::Default, |said| said.source.clone())
}

pub(super) fn secret_of(settings: &mut Settings, at: &str, folder: &Path) -> Option<SecretString> {
    let file = path(settings, at, folder)?;
    match secret::read(&file) {
        Ok(secret) => Some(secret),
        Err((wrong, remedy)) => {
            settings.wrong(at, wrong, remedy);
            None
        }
    }
}

/// A path; what the file says counts from the file's folder.
fn path(settings: &Settings, at: &str, folder: &Path) -> Option<PathBuf> {
    let said = settings.get(at)?;
    let Value::Text(text) = &said.value else { return None };
    if text.trim().is_empty() {
        return None;
    }
    Some(if matches!(said.source, Source::Line(_)) { folder.join(text) } else { PathBuf::from(text) })
}

pub(super) fn whole(settings: &Settings, path: &str) -> Option<u32> {
    match settings.get(path)?.value {
        Value::Whole(number) => u32::try_from(number).ok(),
        _ => None,
    }
}

pub(super) fn flag(settings: &Settings, path: &str) -> bool {
    matches!(settings.get(path), Some(Said { value: Value::Flag(true), .. }))
}

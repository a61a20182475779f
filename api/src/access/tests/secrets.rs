//! Secrets are planted, everything is done with them that goes right and wrong, and then they are looked for in all that
//! came out: logs at the finest level, answers, the audit log, what debugging shows.

use std::io::Write;
use std::sync::Arc;

use axum::http::Method;
use chrono::Utc;
use parking_lot::Mutex;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{EMAIL, NAME, PASSWORD, Shows, World};
use crate::access::first::{demo, first_start};
use crate::config::Oidc;

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one story: every place where a secret is planted, every place where it is looked for"
)]
#[tokio::test]
async fn no_secret_and_nothing_personal_is_logged_or_answered() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter("trace").with_ansi(false).with_writer(move || writer.clone());
    // Each test has a process of its own under nextest; under cargo test the first to ask gets the log of all.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();

    let new_password = "planted new password";
    let ocpp_password = "planted-ocpp-password";
    let (oidc_secret, database_password) = ("planted-oidc-secret", "planted-database-password");
    let database = format!("postgresql://kwartier:{database_password}@127.0.0.1:1/kwartier");
    let world = World::with(|config| {
        config.database_url = Some(database.clone().into());
        config.oidc = vec![Oidc {
            name: "acme".to_owned(),
            issuer: "http://127.0.0.1:1".to_owned(),
            client_id: "kwartier".to_owned(),
            client_secret: oidc_secret.into(),
            tenant: "main".to_owned(),
            scopes: Vec::new(),
            groups_claim: "groups".to_owned(),
            roles: Vec::new(),
        }];
    })
    .await;
    let unreachable = crate::store::open(&database).await.err().expect("nobody is there").to_string();
    let link = first_start(&world.service, Utc::now()).await.unwrap().unwrap();
    let mut answers = Vec::new();
    let set_up =
        json!({"token": link.expose_secret(), "email": EMAIL, "name": NAME, "password": PASSWORD, "carry": "bearer"});
    // With a key that there is not, a wrong type, no JSON.
    let mut unknown = set_up.clone();
    unknown["admin"] = json!(true);
    answers.push(world.open("/v1/setup", unknown).await);
    let mut wrong = set_up.clone();
    wrong["email"] = json!(7);
    answers.push(world.open("/v1/setup", wrong).await);
    let ticket = world.open("/v1/setup", set_up).await.text("ticket");
    let invited = world.post("/v1/users", &ticket, json!({"email": "bob@depot.example", "name": "Bob Bos"})).await;
    let invitation = invited.text("invitation");
    let body = json!({"token": invitation, "password": "short"});
    answers.push(world.open("/v1/setup", body).await);
    let key = world.key(&ticket, "main", json!({"role": "admin", "tenant": "main"})).await;
    let begun = world.post("/v1/me/totp", &ticket, json!({"password": PASSWORD})).await;
    let totp = begun.text("secret");
    let code = crate::access::totp::code_at(&totp, Utc::now());
    let confirmed = world.post("/v1/me/totp/confirm", &ticket, json!({"code": code})).await;
    let recovery: Vec<String> = serde_json::from_value(confirmed.body["recovery_codes"].clone()).unwrap();
    answers.push(world.open("/v1/login", json!({"email": EMAIL, "password": PASSWORD})).await);
    answers.push(
        world.open("/v1/login", json!({"email": EMAIL, "password": PASSWORD, "code": recovery[0], "link": "x"})).await,
    );
    answers.push(world.open("/v1/login", json!({"email": EMAIL, "password": new_password, "code": recovery[0]})).await);
    let login = world.open("/v1/login", json!({"email": EMAIL, "password": PASSWORD, "code": recovery[0]})).await;
    let cookie = login.cookie("kwartier").unwrap();
    let full = format!("kwartier={cookie}");
    answers.push(world.call(Method::GET, "/v1/me", Shows::Cookie(&full, None), None).await);
    answers.push(world.call(Method::POST, "/v1/logout", Shows::Cookie(&full, None), None).await);
    let change = json!({"current": PASSWORD, "new": new_password});
    answers.push(world.call(Method::PUT, "/v1/me/password", Shows::Bearer(&ticket), Some(change)).await);
    for path in ["/v1/keys", "/v1/users", "/v1/tenants", "/v1/me", "/v1/keys/nowhere"] {
        answers.push(world.get(path, &key).await);
    }
    answers.push(world.get("/v1/me", &format!("{key}x")).await);
    let site =
        json!({"format": 1, "name": "Depot", "time_zone": "Europe/Amsterdam", "boards": [{"id": "A", "limit_a": 63}]});
    let put =
        |path: &'static str, body: serde_json::Value| world.call(Method::PUT, path, Shows::Bearer(&key), Some(body));
    assert_eq!(put("/v1/sites/depot", site).await.status, 201);
    let ocpp = json!({"password": ocpp_password, "security_profile": 1});
    let charger = json!({"node": "A", "phase_map": "RST", "max_a": 16, "ocpp": ocpp});
    assert!(put("/v1/sites/depot/chargers/1", charger.clone()).await.status.is_success());
    let mut wrong = charger.clone();
    wrong["max_a"] = json!("much");
    answers.push(put("/v1/sites/depot/chargers/1", wrong).await);
    let webhook = json!({"url": "https://hooks.example/kwartier", "events": ["alarm"]});
    let webhook = world.post("/v1/webhooks", &key, webhook).await;
    let webhook_secret = webhook.text("secret");
    for path in
        ["/v1/webhooks", "/v1/sites/depot", "/v1/sites/depot/chargers", "/v1/sites/depot/chargers/1", "/metrics"]
    {
        answers.push(world.get(path, &key).await);
    }
    answers.push(world.call(Method::GET, "/v1/oidc/acme/start", Shows::Nothing, None).await);
    let (_, page) = demo(&world.service, Utc::now()).await.unwrap();
    let demo_key = std::fs::read_to_string(world.folder.path().join("demo.key")).unwrap();
    answers.push(world.get("/v1/me", demo_key.trim()).await);

    let secret = |token: &str| token.trim().splitn(3, '_').nth(2).unwrap().to_owned();
    let secrets = [
        ("the set-up link", link.expose_secret().to_owned()),
        ("the link into the page", page.expose_secret().to_owned()),
        ("a password", PASSWORD.to_owned()),
        ("a new password", new_password.to_owned()),
        ("a ticket", secret(&ticket)),
        ("a cookie", secret(&cookie)),
        ("an invitation", secret(&invitation)),
        ("a key", secret(&key)),
        ("the demo's key", secret(&demo_key)),
        ("the second factor", totp),
        ("a recovery code", recovery[0].clone()),
        ("the password of a charger", ocpp_password.to_owned()),
        ("the secret of a webhook", webhook_secret),
        ("the secret at a provider", oidc_secret.to_owned()),
        ("the database's password", database_password.to_owned()),
        ("another recovery code", recovery[9].clone()),
    ];
    let log = String::from_utf8_lossy(&log.0.lock()).into_owned();
    assert!(log.contains("TRACE"), "the log is there");
    let answers: String = answers.iter().map(|answer| format!("{:?} {}\n", answer.headers, answer.body)).collect();
    let debug = format!("{:?} {:?} {unreachable}", world.service.config, world.service.gate);
    let audit = world.audit().await;
    for (what, secret) in &secrets {
        for (place, text) in [("log", &log), ("answers", &answers), ("debug", &debug), ("audit", &audit)] {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            assert!(found.is_none(), "{what} stands in {place}: {found:?}");
        }
    }
    for personal in [EMAIL, "bob@depot.example", NAME, "Bob Bos"] {
        for (place, text) in [("log", &log), ("audit", &audit), ("debug", &debug)] {
            let found = text.lines().find(|line| line.contains(personal));
            assert!(found.is_none(), "{personal} stands in {place}: {found:?}");
        }
    }
}

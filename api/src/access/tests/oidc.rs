//! Single sign-on with a real provider: npm's oidc-provider, as `tests/oidc/` sets it up.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use axum::http::Method;
use kwartier_tests::npm;
use serde_json::json;

use super::{Shows, World};
use crate::access::role::Role;
use crate::config::{Oidc, OidcRole};

const SECRET: &str = "planted-oidc-client-secret";

/// The provider's process; it ends when its standard input does.
struct Provider {
    child: Child,
    issuer: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn provider(folder: &Path, callback: &str) -> Provider {
    let mut node = Command::new("node");
    node.args(["server.js", "kwartier", SECRET, callback]).current_dir(folder);
    let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut issuer = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut issuer).unwrap();
    Provider { child, issuer: issuer.trim().to_owned() }
}

/// The service with that provider.
async fn world() -> Option<(World, Provider)> {
    let folder = npm::installed("tests/oidc", &["server.js"])?;
    let mut running = None;
    let kept = tempfile::tempdir().unwrap();
    let late = |config: &mut crate::config::Config, url: &str| {
        let provider = provider(&folder, &format!("{url}/v1/oidc/acme/callback"));
        config.public_url = Some(url.to_owned());
        let role =
            |group: &str, role| OidcRole { group: group.to_owned(), role, tenant: "acme".to_owned(), site: None };
        config.oidc = vec![Oidc {
            name: "acme".to_owned(),
            issuer: provider.issuer.clone(),
            client_id: "kwartier".to_owned(),
            client_secret: SECRET.into(),
            tenant: "acme".to_owned(),
            scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
            groups_claim: "groups".to_owned(),
            roles: vec![role("planners", Role::Operator), role("guests", Role::Viewer)],
        }];
        running = Some(provider);
    };
    let world = World::known(kept, |_| {}, late).await;
    let top = world.set_up().await;
    world.tenant(&top, "acme", "main").await;
    world.site("depot", "acme").await;
    Some((world, running.unwrap()))
}

/// A browser: it keeps cookies by host, follows where it is sent, and fills in the provider's forms.
struct Browser {
    client: reqwest::Client,
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    fn new() -> Browser {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Browser { client, cookies: BTreeMap::new() }
    }

    fn cookie(&self, url: &str) -> String {
        let origin = origin(url);
        let own = self.cookies.iter().filter(|((at, _), _)| *at == origin);
        own.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn send(&mut self, method: Method, url: &str, form: Option<&str>) -> reqwest::Response {
        let mut request = self.client.request(method, url).header("cookie", self.cookie(url));
        if let Some(form) = form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        }
        let response = request.send().await.unwrap();
        for set in response.headers().get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            let key = (origin(url), name.to_owned());
            if value.is_empty() {
                self.cookies.remove(&key)
            } else {
                self.cookies.insert(key, value)
            };
        }
        response
    }

    /// Logs in at the provider as somebody, until the browser is sent back to `until`; that address.
    async fn go(&mut self, start: &str, person: &str, until: &str) -> String {
        let mut url = start.to_owned();
        for _ in 0..20 {
            if url.starts_with(until) {
                return url;
            }
            let response = self.send(Method::GET, &url, None).await;
            let response = if response.status().is_redirection() {
                response
            } else {
                let page = response.text().await.unwrap();
                let action = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
                let action = action.unwrap_or_else(|| panic!("no form in {page}")).to_owned();
                let form = if page.contains("value=\"login\"") {
                    format!("prompt=login&login={person}&password=any")
                } else {
                    "prompt=consent".to_owned()
                };
                let action = reqwest::Url::parse(&url).unwrap().join(&action).unwrap();
                self.send(Method::POST, action.as_str(), Some(&form)).await
            };
            assert!(response.status().is_redirection(), "{url}: {}", response.status());
            let next = response.headers()["location"].to_str().unwrap();
            url = reqwest::Url::parse(&url).unwrap().join(next).unwrap().into();
        }
        panic!("sent around in circles, last to {url}");
    }
}

fn origin(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn who_is_in_a_group_comes_in_with_its_role_and_nobody_else() {
    let Some((world, _provider)) = world().await else { return };
    let callback = format!("{}/v1/oidc/acme/callback", world.url);
    let start = format!("{}/v1/oidc/acme/start", world.url);
    let mut ann = Browser::new();
    let back = ann.go(&start, "ann", &callback).await;
    let arrived = ann.send(Method::GET, &back, None).await;
    assert_eq!((arrived.status().as_u16(), arrived.headers()["location"].to_str().unwrap()), (303, "/"));
    let cookie = ann.cookie(&world.url);
    assert!(!cookie.contains("sign-on"), "{cookie}");
    let me = world.call(Method::GET, "/v1/me", Shows::Cookie(&cookie, None), None).await;
    assert_eq!(me.body["email"], "ann@depot.example");
    assert_eq!(me.body["name"], "ann of the depot");
    assert_eq!(me.body["tenant"], "acme");
    assert_eq!(me.body["scopes"], json!([{"role": "operator", "tenant": "acme"}]));
    let may = |permission: &'static str| {
        let path = format!("/test/sites/depot/{permission}");
        let cookie = cookie.clone();
        let world = &world;
        async move { world.call(Method::GET, &path, Shows::Cookie(&cookie, None), None).await.status }
    };
    assert_eq!(may("operate").await, 200);
    assert_eq!(may("install").await, 403);
    // The same person again is the same person.
    let mut again = Browser::new();
    let back = again.go(&start, "ann", &callback).await;
    again.send(Method::GET, &back, None).await;
    let second = world.call(Method::GET, "/v1/me", Shows::Cookie(&again.cookie(&world.url), None), None).await;
    assert_eq!(second.body["id"], me.body["id"]);
    // Password and second factor are the provider's.
    let csrf = me.text("csrf");
    let body = json!({"current": "any password", "new": "another long one"});
    let change = world.call(Method::PUT, "/v1/me/password", Shows::Cookie(&cookie, Some(&csrf)), Some(body)).await;
    assert_eq!(change.status, 403);

    let mut bob = Browser::new();
    let back = bob.go(&start, "bob", &callback).await;
    assert_eq!(bob.send(Method::GET, &back, None).await.status(), 403);
    assert!(!world.all_kept().await.contains("bob"), "nothing is kept of who may not come in");
}

#[tokio::test]
async fn what_the_provider_sends_back_works_once_and_in_the_browser_that_began_alone() {
    let Some((world, provider)) = world().await else { return };
    let callback = format!("{}/v1/oidc/acme/callback", world.url);
    let start = format!("{}/v1/oidc/acme/start", world.url);
    let mut ann = Browser::new();
    let sent = ann.send(Method::GET, &start, None).await;
    let to = sent.headers()["location"].to_str().unwrap().to_owned();
    assert!(to.starts_with(&provider.issuer));
    for part in ["code_challenge_method=S256", "code_challenge=", "state=", "nonce=", "response_type=code"] {
        assert!(to.contains(part), "{part} is not in {to}");
    }
    assert!(!to.contains(SECRET));
    let back = ann.go(&to, "ann", &callback).await;
    // Somebody else's browser, with the address that ann was sent back to.
    assert_eq!(Browser::new().send(Method::GET, &back, None).await.status(), 401);
    // A code for somebody else, with a state that was not sent.
    let forged = back.replace("state=", "state=x");
    assert_eq!(ann.send(Method::GET, &forged, None).await.status(), 401);
    let cookies = ann.cookies.clone();
    assert_eq!(ann.send(Method::GET, &back, None).await.status(), 303);
    ann.cookies = cookies;
    assert_eq!(ann.send(Method::GET, &back, None).await.status(), 401, "it worked twice");
    let refused = ann.send(Method::GET, &start, None).await;
    let state = refused.headers()["location"]
        .to_str()
        .unwrap()
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let url = format!("{callback}?error=access_denied&state={state}");
    assert_eq!(ann.send(Method::GET, &url, None).await.status(), 401);
    assert_eq!(ann.send(Method::GET, &start.replace("acme", "other"), None).await.status(), 404);
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_to_be() {
    let Some((world, provider)) = world().await else { return };
    drop(provider);
    let answer = world.call(Method::GET, "/v1/oidc/acme/start", Shows::Nothing, None).await;
    assert_eq!((answer.status.as_u16(), answer.text("type").as_str()), (502, "/docs/problems#sign-on"));
    assert!(!answer.body.to_string().contains(SECRET));
}

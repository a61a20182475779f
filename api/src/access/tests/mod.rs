//! Access as its users meet it: over sockets, on a real database.

mod first_start;
mod grants;
mod keys;
mod lattice;
mod listener;
mod login;
mod oidc;
mod roles;
mod second_factor;
mod secrets;
mod tenants;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode};
use chrono::Utc;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::first::first_start;
use super::role::Permission;
use super::{Caller, Gate, at_site};
use crate::app::Handle;
use crate::config::{self, Arguments, Config};
use crate::http::problem::Problem;
use crate::http::turns::Turns;
use crate::http::{self, listen};
use crate::service::Service;
use crate::store::{self, Change, Expect, Key, Kind, Stream};

const EMAIL: &str = "ann@depot.example";
const NAME: &str = "Ann Jansen";
const PASSWORD: &str = "correct horse battery";

/// The service as far as access goes, at a socket.
struct World {
    service: Service,
    url: String,
    client: reqwest::Client,
    stop: CancellationToken,
    folder: TempDir,
    certificates: Vec<listen::Certificate>,
}

/// What a request shows.
#[derive(Clone, Copy)]
enum Shows<'a> {
    Nothing,
    Bearer(&'a str),
    /// The cookies, and what the page sends against forgery.
    Cookie(&'a str, Option<&'a str>),
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {:?}", self.body)).to_owned()
    }

    /// The value of a cookie that was set.
    fn cookie(&self, name: &str) -> Option<String> {
        let begin = format!("{name}=");
        let cookies = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        cookies
            .filter_map(|cookie| cookie.strip_prefix(&begin))
            .map(|rest| rest.split(';').next().unwrap().to_owned())
            .next()
    }
}

impl World {
    async fn new() -> World {
        World::with(|_| {}).await
    }

    /// With another configuration.
    async fn with(change: impl FnOnce(&mut Config)) -> World {
        let folder = tempfile::tempdir().unwrap();
        World::at(folder, change).await
    }

    /// On a folder that is there already.
    async fn at(folder: TempDir, change: impl FnOnce(&mut Config)) -> World {
        World::known(folder, change, |_, _| {}).await
    }

    /// With what can only be said once it is known at which address it listens.
    async fn known(folder: TempDir, change: impl FnOnce(&mut Config), late: impl FnOnce(&mut Config, &str)) -> World {
        let arguments = Arguments {
            data: Some(folder.path().to_owned()),
            listen: Some("127.0.0.1:0".to_owned()),
            ..Arguments::default()
        };
        let mut config = config::load(&arguments, []).unwrap().config;
        // The tests log in more often than people do; those about that say otherwise.
        config.login.attempts_per_minute = 1000;
        config.login.address_attempts_per_minute = 1000;
        change(&mut config);
        let bound = listen::bind(&config).unwrap();
        let url = bound[0].url();
        let certificates = bound.iter().filter_map(|bound| bound.certificate.clone()).collect();
        late(&mut config, &url);
        // Where the loop would be: what it is told is heard.
        let (events, mut heard) = mpsc::channel(8);
        tokio::spawn(async move { while heard.recv().await.is_some() {} });
        let store = store::open(&folder.path().display().to_string()).await.unwrap();
        let gate = Arc::new(Gate::new(&config));
        let (tag_key, authority) = (crate::ocpp::TagKey::at(&config.data), crate::ocpp::Authority::at(&config.data));
        let service = Service {
            store,
            app: Handle::new(events, Arc::default()),
            config: Arc::new(config),
            gate,
            turns: Turns::default(),
            hub: crate::ocpp::Hub::default(),
            guests: Arc::default(),
            tag_key,
            authority,
            feeds: crate::fetch::Board::default(),
            used: crate::fetch::Used::default(),
        };
        let probe = axum::routing::get(probe).post(probe);
        let pages = axum::Router::new().route("/test/sites/{site}/{permission}", probe);
        let router = http::router(service.clone(), pages);
        let routers = listen::Routers { all: router, chargers: axum::Router::new() };
        let stop = CancellationToken::new();
        tokio::spawn(listen::serve(bound, routers, stop.clone()));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        World { service, url, client, stop, folder, certificates }
    }

    /// Ends it, and gives the folder back.
    async fn end(self) -> TempDir {
        self.stop.cancel();
        self.service.store.close().await;
        self.folder
    }

    async fn call(&self, method: Method, path: &str, shows: Shows<'_>, body: Option<Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        match shows {
            Shows::Nothing => {}
            Shows::Bearer(token) => request = request.bearer_auth(token),
            Shows::Cookie(cookie, csrf) => {
                request = request.header("cookie", cookie);
                if let Some(csrf) = csrf {
                    request = request.header("kwartier-csrf", csrf);
                }
            }
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Answer { status, headers, body }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, Shows::Bearer(token), None).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Shows::Bearer(token), Some(body)).await
    }

    async fn delete(&self, path: &str, token: &str) -> Answer {
        self.call(Method::DELETE, path, Shows::Bearer(token), None).await
    }

    async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Shows::Bearer(token), Some(body)).await
    }

    /// Without showing anything.
    async fn open(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Shows::Nothing, Some(body)).await
    }

    /// Sets up the first admin; their ticket.
    async fn set_up(&self) -> String {
        let link = first_start(&self.service, Utc::now()).await.unwrap().expect("a link");
        let body = json!({
            "token": link.expose_secret(), "email": EMAIL, "name": NAME, "password": PASSWORD, "carry": "bearer",
        });
        let answer = self.open("/v1/setup", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.text("ticket")
    }

    async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.open("/v1/login", json!({"email": email, "password": password, "carry": "bearer"})).await
    }

    /// A tenant within another.
    async fn tenant(&self, token: &str, id: &str, parent: &str) {
        let answer = self.post("/v1/tenants", token, json!({"id": id, "name": id, "parent": parent})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// A key with one role at a tenant or site.
    async fn key(&self, token: &str, tenant: &str, scope: Value) -> String {
        let body = json!({"name": "a test", "tenant": tenant, "scopes": [scope]});
        let answer = self.post("/v1/keys", token, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.text("key")
    }

    /// A person who has accepted the invitation; their id and ticket.
    async fn person(&self, token: &str, email: &str, tenant: &str, scopes: Value) -> (String, String) {
        let body = json!({"email": email, "name": "Somebody", "tenant": tenant, "scopes": scopes});
        let made = self.post("/v1/users", token, body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let body = json!({"token": made.text("invitation"), "password": PASSWORD, "carry": "bearer"});
        let answer = self.open("/v1/setup", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        (made.text("id"), answer.text("ticket"))
    }

    /// A site of a tenant, as the routes of sites make it.
    async fn site(&self, site: &str, tenant: &str) {
        let key = Key::new(Kind::Site, tenant, site);
        let changes = vec![
            super::claim(site, tenant).unwrap(),
            Change::Put { key, body: json!({"name": site}), expect: Expect::Absent },
        ];
        self.service.store.write(Utc::now(), changes).await.unwrap();
        self.service.gate.changed();
    }

    /// Whether somebody may do something at a site: 200, 403, 404; 401 for nobody.
    async fn may(&self, token: &str, site: &str, permission: Permission) -> u16 {
        let answer = self.get(&format!("/test/sites/{site}/{}", permission.name()), token).await;
        answer.status.as_u16()
    }

    /// All that is kept, as text: documents in every version, and the audit log.
    async fn all_kept(&self) -> String {
        let mut text = String::new();
        for kind in Kind::ALL {
            for document in self.service.store.list(&store::List::all(kind)).await.unwrap().items {
                for version in self.service.store.history(&document.key, None, 1000).await.unwrap() {
                    text.push_str(&format!("{:?} {:?}\n", version.key, version.body));
                }
            }
        }
        text + &self.audit().await
    }

    async fn audit(&self) -> String {
        let ask = store::LogPage { stream: Stream::Audit, tenants: None, site: None, after: 0, limit: 10_000 };
        let entries = self.service.store.log(&ask).await.unwrap();
        entries
            .iter()
            .map(|entry| format!("{} {:?} {}\n", entry.what.tenant, entry.what.site, entry.what.body))
            .collect()
    }
}

/// A route like those of sites: it asks for a permission, and does nothing.
async fn probe(
    axum::extract::State(service): axum::extract::State<Service>,
    caller: Caller,
    axum::extract::Path((site, permission)): axum::extract::Path<(String, String)>,
    _: axum::extract::ConnectInfo<SocketAddr>,
) -> Result<String, Problem> {
    let permission = Permission::ALL.into_iter().find(|known| known.name() == permission).expect("a permission");
    at_site(&service, &caller, permission, &site).await.map(|site| site.tenant)
}

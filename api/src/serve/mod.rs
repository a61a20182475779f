//! The service from its start to its end.
//!
//! It begins in the order in which things can fail on a person: sockets, then the store, then the loop with all that is
//! kept; and only then does it answer. It ends in the reverse order: no new requests, followers are let go, the loop stops,
//! what is left is written.

mod logging;
mod manager;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use crate::access::Gate;
use crate::access::first::{self, FirstFault};
use crate::app::{self, App};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::config::Config;
use crate::demo;
use crate::fetch::{self, Carrier, Network};
use crate::http::turns::Turns;
use crate::http::{self, listen};
use crate::jobs;
use crate::ocpp;
use crate::page;
use crate::service::Service;
use crate::store::{self, Store};

/// How long what works beside requests may take to end.
const LAST_WORKS: Duration = Duration::from_secs(5);

/// Serves until it is told to stop.
pub fn run(config: Config) -> Result<(), Failure> {
    logging::begin(&config.log).map_err(Failure::Internal)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| Failure::Internal(fault.to_string()))?;
    let outcome = runtime.block_on(serve(config));
    // A planner that hangs is left behind.
    runtime.shutdown_background();
    outcome
}

async fn serve(config: Config) -> Result<(), Failure> {
    let stop = stop_signal().map_err(|fault| Failure::Internal(fault.to_string()))?;
    let mut bound = listen::bind(&config).map_err(Failure::Arguments)?;
    let url = config
        .public_url
        .clone()
        .or_else(|| bound.iter().find(|bound| bound.profile.is_none()).map(listen::Bound::url))
        .unwrap_or_default();
    let store = open(&config).await?;
    let played = if config.demo {
        let own = listen::own(&config).map_err(Failure::Arguments)?;
        let address = own.address;
        bound.push(own);
        Some((prepare_demo(&*store).await?, address))
    } else {
        None
    };
    let app = app::start(Arc::clone(&store)).await.map_err(unusable)?;
    let config = Arc::new(config);
    let gate = Arc::new(Gate::new(&config));
    let (tag_key, authority) = (ocpp::TagKey::at(&config.data), ocpp::Authority::at(&config.data));
    let service = Service {
        store: Arc::clone(&store),
        app: app.handle.clone(),
        config,
        gate,
        turns: Turns::default(),
        hub: ocpp::Hub::default(),
        guests: Arc::default(),
        tag_key,
        authority,
        feeds: fetch::Board::default(),
        used: fetch::Used::default(),
    };
    let begins = greeting(&service, &url).await.and_then(|text| {
        let way = |(past, address)| demo::Way::new(address, &service.config.data).map(|way| (past, way));
        Ok((text, played.map(way).transpose().map_err(Failure::Internal)?))
    });
    let served = match begins {
        Ok((text, played)) => {
            output::note(&text);
            let demo = played.map(|(past, way)| tokio::spawn(demo::run(service.clone(), past, way, stop.clone())));
            tokio::spawn(fetching(service.clone(), stop.clone()));
            let jobs = tokio::spawn(jobs::work(service.clone(), stop.clone()));
            tokio::spawn(let_go(service.clone(), stop.clone()));
            let beats = service.app.beats();
            let chargers = ocpp::routes().with_state(service.clone());
            let routers = listen::Routers { all: http::router(service, page::routes()), chargers };
            manager::ready(beats);
            let served = listen::serve(bound, routers, stop.clone()).await;
            stop.cancel();
            for task in demo.into_iter().chain([jobs]) {
                // Vehicles of the demo leave in good order; jobs that are under way are another's later.
                if tokio::time::timeout(LAST_WORKS, task).await.is_err() {
                    tracing::warn!("something took too long to end");
                }
            }
            served.map_err(|fault| Failure::Internal(fault.to_string()))
        }
        Err(failure) => Err(failure),
    };
    end(app, &*store).await;
    served
}

/// Fetches prices and weather: the demo's from what comes with the program, all others' from the network.
async fn fetching(service: Service, stop: CancellationToken) {
    let carrier: Result<Arc<dyn Carrier>, String> = if service.config.demo {
        demo::Feeds::new().map(|feeds| Arc::new(feeds) as Arc<dyn Carrier>)
    } else {
        Network::new(service.config.feeds.allow_private).map(|network| Arc::new(network) as Arc<dyn Carrier>)
    };
    match carrier {
        Ok(carrier) => fetch::work(service, carrier, stop).await,
        Err(why) => tracing::error!(why, "neither prices nor weather are fetched"),
    }
}

/// Followers are let go as soon as it is told to stop: requests that are under way are waited for, and theirs never end.
async fn let_go(service: Service, stop: CancellationToken) {
    stop.cancelled().await;
    manager::stopping();
    service.app.let_go();
}

/// Everything is written, and the folder is free for the next one.
async fn end(app: App, store: &dyn Store) {
    app.stop().await;
    store.close().await;
    tracing::info!("ended in good order");
}

/// Opens what is kept.
async fn open(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    std::fs::create_dir_all(&config.data).map_err(|fault| Failure::Unwritable {
        name: config.data.display().to_string(),
        why: fault.to_string(),
        remedy: "name a folder that can be made and written to with --data",
    })?;
    let place = match &config.database_url {
        Some(url) => url.expose_secret().to_owned(),
        None => path(&config.data)?.to_owned(),
    };
    store::open(&place).await.map_err(unusable)
}

fn path(folder: &Path) -> Result<&str, Failure> {
    folder.to_str().ok_or_else(|| {
        let what = format!("{}: the folder's name is no text; choose another with --data", folder.display());
        Failure::Arguments(what)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn unusable(fault: store::Fault) -> Failure {
    Failure::Arguments(fault.to_string())
}

async fn prepare_demo(store: &dyn Store) -> Result<demo::Past, Failure> {
    let past = demo::Past::read().map_err(Failure::Internal)?;
    demo::prepare(store, &past, Utc::now()).await.map_err(Failure::Arguments)?;
    Ok(past)
}

/// What a person who starts it should know: where the page is, and how to get in.
async fn greeting(service: &Service, url: &str) -> Result<String, Failure> {
    let now = Utc::now();
    let refused = |fault: FirstFault| Failure::Arguments(fault.to_string());
    let link = |name: &str, secret: &SecretString| format!("{url}/#{name}={}", secret.expose_secret());
    let mut text = String::new();
    if service.config.demo {
        let (file, secret) = first::demo(service, now).await.map_err(refused)?;
        let _ = writeln!(text, "The demo depot runs. Look at it: {}", link("link", &secret));
        let _ = writeln!(
            text,
            "(the link works once; the page is {url}/, its key is in {}, the API is at {url}/docs)",
            file.display()
        );
        return Ok(text);
    }
    let _ = writeln!(text, "Kwartier listens at {url}/; the API is at {url}/docs");
    if let Some(secret) = first::first_start(service, now).await.map_err(refused)? {
        let _ = writeln!(text, "Nobody can administer it yet. Set it up within the hour: {}", link("setup", &secret));
    }
    Ok(text)
}

/// Cancelled at SIGTERM, SIGINT or Ctrl-C.
pub fn stop_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let wait = async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    };
    tokio::spawn(async move {
        wait.await;
        told.cancel();
        tracing::info!("told to stop");
    });
    Ok(stop)
}

//! `make bench-publication`: how long 1,000 sites of 10 chargers each take from the publication of a day's prices to a plan on them,
//! through the real job, store, loop and planner.

#![expect(clippy::print_stdout, reason = "a measurement by hand: it prints, and stops where it cannot go on")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use kwartier_data::compose::{QUARTER, quarter_of};
use kwartier_data::site::Site;
use tokio_util::sync::CancellationToken;

use super::publication;
use crate::access::{Gate, TOP_TENANT};
use crate::app::bench::{number, session, site};
use crate::app::{self, Event, Handle};
use crate::config::{self, Arguments};
use crate::fetch::{Board, Spot, SpotRow, Used};
use crate::http::change::body;
use crate::http::turns::Turns;
use crate::resource::feed::Source;
use crate::service::Service;
use crate::store::{self, Change, Expect, JobState, Key, Kind};

/// Looks so often.
const LOOK: Duration = Duration::from_millis(200);

fn id(k: usize) -> String {
    format!("site-{k:05}")
}

/// A day of quarter-hours from now on, dear and cheap in turns.
fn spot(now: DateTime<Utc>) -> Spot {
    let start = quarter_of(now);
    let row = |k: i32| SpotRow {
        start: start + QUARTER * k,
        minutes: 15,
        eur_kwh: 0.09 + 0.06 * (f64::from(k) / 11.0).sin(),
        doubt: None,
    };
    Spot { source: Source::EnergyCharts, rows: (0..96).map(row).collect() }
}

/// Waits until all sites have a plan; how long that took.
async fn all_planned(app: &Handle, sites: usize) -> Duration {
    let began = Instant::now();
    while (0..sites).any(|k| app.status(&id(k)).is_none_or(|status| status.plan.is_none())) {
        tokio::time::sleep(LOOK).await;
    }
    began.elapsed()
}

#[test]
#[ignore = "a measurement: make bench-publication"]
fn bench_publication() {
    let (sites, chargers) = (number("BENCH_SITES", 1000), number("BENCH_CHARGERS", 10));
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let arguments = Arguments { data: Some(folder.path().to_owned()), ..Arguments::default() };
        let config = config::load(&arguments, []).unwrap().config;
        let store = store::open(folder.path().to_str().unwrap()).await.unwrap();
        let app = app::start(Arc::clone(&store)).await.unwrap();
        let gate = Arc::new(Gate::new(&config));
        let (tag_key, authority) = (crate::ocpp::TagKey::at(&config.data), crate::ocpp::Authority::at(&config.data));
        let service = Service {
            store: Arc::clone(&store),
            app: app.handle.clone(),
            config: Arc::new(config),
            gate,
            turns: Turns::default(),
            hub: crate::ocpp::Hub::default(),
            guests: Arc::default(),
            tag_key,
            authority,
            feeds: Board::default(),
            used: Used::default(),
        };
        let what = Arc::new(Site { price_area: Some("NL".to_owned()), ..site(chargers) });
        for k in 0..sites {
            let key = Key::new(Kind::Site, TOP_TENANT, id(k));
            let put = Change::Put { key, body: body(&*what).unwrap(), expect: Expect::Absent };
            store.write(Utc::now(), vec![put]).await.unwrap();
            let (tenant, over_api) = (TOP_TENANT.to_owned(), Vec::new());
            let event = Event::Site { site: id(k), tenant, what: Arc::clone(&what), over_api };
            app.handle.tell_when_free(event).await.unwrap();
            for charger in 0..chargers {
                app.handle.tell_when_free(session(&id(k), charger)).await.unwrap();
            }
        }
        let first = all_planned(&app.handle, sites).await;
        println!("{sites} sites of {chargers} chargers: first plans of all after {:.1} s", first.as_secs_f64());
        let now = Utc::now();
        let job = publication::job("NL", now.date_naive(), spot(now), now).unwrap();
        store.write(now, vec![job]).await.unwrap();
        let stop = CancellationToken::new();
        let working = tokio::spawn(publication::work(service, stop.clone()));
        let job = loop {
            tokio::time::sleep(LOOK).await;
            let job = store.jobs(None, None, 1).await.unwrap().remove(0);
            if job.state.has_ended() {
                break job;
            }
        };
        println!("from the publication to the last plan: {}", job.result.unwrap());
        assert_eq!((job.state, job.error), (JobState::Done, None));
        stop.cancel();
        working.await.unwrap();
        app.stop().await;
        store.close().await;
    });
}

//! Jobs as they are done: receivers of webhooks that answer, fail, redirect, hang and die; solves that end and are cancelled.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::deliver::{Sender, signature};
use super::{chores, deliver, feed, publication, solve};
use crate::access::TOP_TENANT;
use crate::fetch::{Spot, SpotRow};
use crate::http::tests::bench::Bench;
use crate::resource::feed::Source;
use crate::store::{Change, Expect, Key, Kind, List};

/// How a receiver answers.
#[derive(Clone, Copy)]
enum Manner {
    /// With this, at once.
    Says(&'static str),
    /// Never.
    Hangs,
    /// By closing the connection.
    Dies,
}

const FINE: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// A receiver, and the requests that reach it.
async fn receiver(manner: Manner) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut read = Vec::new();
            let mut buffer = [0; 4096];
            while !whole(&read) {
                match socket.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => read.extend_from_slice(&buffer[..count]),
                }
            }
            // The test may have ended.
            let _ = tell.send(String::from_utf8_lossy(&read).into_owned());
            match manner {
                Manner::Says(answer) => socket.write_all(answer.as_bytes()).await.expect("written"),
                Manner::Hangs => open.push(socket),
                Manner::Dies => {}
            }
        }
    });
    (address, heard)
}

/// Whether a request has arrived with all of its body.
fn whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

/// A service whose webhooks are delivered, to this machine too.
async fn delivering() -> (Bench, CancellationToken) {
    let bench = Bench::with(|config| config.webhooks.allow_private = true).await;
    let stop = CancellationToken::new();
    let sender = Sender::new(true, Duration::from_millis(300)).expect("a client");
    tokio::spawn(feed::work(bench.service.clone(), stop.clone()));
    tokio::spawn(deliver::work(bench.service.clone(), sender, stop.clone()));
    bench.put_depot().await;
    (bench, stop)
}

/// A webhook to an address: its id and secret.
async fn webhook(bench: &Bench, address: SocketAddr) -> (String, String) {
    let body = json!({ "url": format!("http://{address}/hook"), "events": ["change"], "sites": ["depot"] });
    let made = bench.json("POST", "/v1/webhooks", body).await.expect(StatusCode::CREATED).json();
    (made["id"].as_str().expect("an id").to_owned(), made["secret"].as_str().expect("a secret").to_owned())
}

/// The attempts to deliver, when there are so many.
async fn attempts(bench: &Bench, webhook: &str, count: usize) -> Vec<Value> {
    let logged = async {
        loop {
            let log = bench.get(&format!("/v1/webhooks/{webhook}/deliveries")).await.expect(StatusCode::OK).json();
            let items = log["items"].as_array().expect("items").clone();
            if items.len() >= count {
                return items;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), logged).await.expect("attempts")
}

#[tokio::test]
async fn an_event_is_delivered_signed_and_once_more_when_asked() {
    let (bench, stop) = delivering().await;
    let (address, mut heard) = receiver(Manner::Says(FINE)).await;
    let (id, secret) = webhook(&bench, address).await;
    bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 1" })).await.expect(StatusCode::CREATED);
    let request = heard.recv().await.expect("a request");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    let event: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(
        (&event["topic"], &event["site"], &event["data"]["action"]),
        (&json!("change"), &json!("depot"), &json!("create"))
    );
    let signed = head.lines().find_map(|line| line.strip_prefix("kwartier-signature: ")).expect("a signature");
    let seconds = signed.split(',').next().and_then(|part| part.strip_prefix("t=")?.parse().ok()).expect("a time");
    let at = chrono::DateTime::from_timestamp(seconds, 0).expect("a time");
    assert_eq!(signed, signature(&secret, at, body));
    let first = attempts(&bench, &id, 1).await;
    assert_eq!((&first[0]["outcome"], &first[0]["status"]), (&json!("delivered"), &json!(204)));
    let delivery = first[0]["delivery"].as_str().expect("a delivery");
    let replay = format!("/v1/webhooks/{id}/deliveries/{delivery}/replay");
    bench.json("POST", &replay, json!({})).await.expect(StatusCode::ACCEPTED);
    let again = heard.recv().await.expect("a request");
    assert_eq!(again.split_once("\r\n\r\n").map(|(_, body)| body), Some(body), "the same event, with the same number");
    stop.cancel();
}

#[tokio::test]
async fn receivers_that_fail_redirect_hang_or_die_are_tried_again() {
    let (bench, stop) = delivering().await;
    let (elsewhere, mut never) = receiver(Manner::Says(FINE)).await;
    let redirect =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let manners = [
        (Manner::Says("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"), Some(500)),
        (Manner::Says(redirect.leak()), Some(307)),
        (Manner::Hangs, None),
        (Manner::Dies, None),
    ];
    let mut webhooks = Vec::new();
    for (manner, status) in manners {
        let (address, heard) = receiver(manner).await;
        webhooks.push((webhook(&bench, address).await.0, status, heard));
    }
    bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 1" })).await.expect(StatusCode::CREATED);
    for (id, status, _heard) in &webhooks {
        let attempts = attempts(&bench, id, 1).await;
        assert_eq!(attempts[0]["outcome"], "retried", "{attempts:?}");
        assert_eq!(attempts[0]["status"].as_u64(), *status, "{attempts:?}");
        assert!(attempts[0]["error"].as_str().is_some_and(|error| !error.contains("127.0.0.1")), "{attempts:?}");
        let delivery = attempts[0]["delivery"].as_str().expect("a delivery");
        let waits = job(&bench, &format!("/v1/jobs/{delivery}"), &["waiting", "failed"]).await;
        assert_eq!(waits["state"], "waiting", "{waits}");
    }
    assert!(never.try_recv().is_err(), "a redirect was followed");
    stop.cancel();
}

#[tokio::test]
async fn a_deleted_webhook_hears_nothing_more() {
    let (bench, stop) = delivering().await;
    let (address, mut heard) = receiver(Manner::Says(FINE)).await;
    let (id, _) = webhook(&bench, address).await;
    bench.send("DELETE", &format!("/v1/webhooks/{id}"), &[], "").await.expect(StatusCode::NO_CONTENT);
    // Another webhook, by which it is seen that events were delivered since.
    let (other, mut since) = receiver(Manner::Says(FINE)).await;
    webhook(&bench, other).await;
    bench.json("POST", "/v1/sites/depot/sessions", json!({ "charger": "Station 1" })).await.expect(StatusCode::CREATED);
    since.recv().await.expect("a request");
    assert!(heard.try_recv().is_err());
    stop.cancel();
}

/// Waits until a job is in one of some states.
async fn job(bench: &Bench, path: &str, states: &[&str]) -> Value {
    let ended = async {
        loop {
            let job = bench.get(path).await.expect(StatusCode::OK).json();
            if states.contains(&job["state"].as_str().unwrap_or_default()) {
                return job;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), ended).await.expect("an end")
}

const INSTANCE: &str = include_str!("../../../data/samples/guide-24.json");

#[tokio::test(flavor = "multi_thread")]
async fn a_small_instance_is_solved_at_once_and_the_same_as_a_job() {
    let bench = Bench::new().await;
    let json = [("content-type", "application/json")];
    let now =
        bench.send("POST", "/v1/plans?gap=0.05&explain=true", &json, INSTANCE).await.expect(StatusCode::OK).json();
    assert!(now["objective_eur"].as_f64() >= now["bound_eur"].as_f64(), "{now}");
    let instance: Value = serde_json::from_str(INSTANCE).expect("JSON");
    let vehicles = instance["sessions"].as_array().map(Vec::len);
    assert_eq!(now["sessions"].as_array().map(Vec::len), vehicles);
    assert_eq!(now["reasons"]["vehicles"].as_array().map(Vec::len), vehicles);

    let stop = CancellationToken::new();
    tokio::spawn(solve::work(bench.service.clone(), stop.clone()));
    let asked = bench.send("POST", "/v1/plans?gap=0.05&async=true", &json, INSTANCE).await.expect(StatusCode::ACCEPTED);
    let done = job(&bench, asked.header("location"), &["done", "failed"]).await;
    assert_eq!((&done["state"], &done["progress"]), (&json!("done"), &json!(1.0)), "{done}");
    assert_eq!(done["result"]["sessions"].as_array().map(Vec::len), vehicles);
    stop.cancel();
}

#[tokio::test]
async fn a_job_that_waits_is_cancelled_and_never_begun() {
    let bench = Bench::new().await;
    let json = [("content-type", "application/json")];
    let asked = bench.send("POST", "/v1/plans?async=true", &json, INSTANCE).await.expect(StatusCode::ACCEPTED);
    let path = asked.header("location");
    let cancelled = bench.send("DELETE", path, &[], "").await.expect(StatusCode::OK).json();
    assert_eq!(cancelled["state"], "cancelled");
    let listed = bench.get("/v1/jobs").await.expect(StatusCode::OK).json();
    assert_eq!(listed["items"][0]["state"], "cancelled");
    let now = chrono::Utc::now();
    let claimed = bench.service.store.claim(&["solve"], now, now + chrono::TimeDelta::minutes(1)).await;
    assert_eq!(claimed, Ok(None));
}

#[tokio::test]
async fn an_instance_that_is_wrong_is_refused_by_field() {
    let bench = Bench::new().await;
    let json = [("content-type", "application/json")];
    let wrong = INSTANCE.replacen("\"voltage_v\": 230", "\"voltage_v\": -230", 1).replacen(
        "\"voltage_v\":230",
        "\"voltage_v\":-230",
        1,
    );
    assert_ne!(wrong, INSTANCE);
    let refused = bench.send("POST", "/v1/plans", &json, wrong).await.expect(StatusCode::UNPROCESSABLE_ENTITY).json();
    assert_eq!(refused["errors"][0]["field"], "voltage_v", "{refused}");
    bench.send("POST", "/v1/plans?gap=2", &json, INSTANCE).await.expect(StatusCode::BAD_REQUEST);
}

/// The ended job of a kind, when there is one.
async fn ended(bench: &Bench, kind: &str, count: usize) -> Value {
    let looks = async {
        loop {
            let jobs = bench.get("/v1/jobs").await.expect(StatusCode::OK).json();
            let ended = |job: &&Value| job["kind"] == kind && job["state"] == "done";
            let found: Vec<&Value> = jobs["items"].as_array().expect("jobs").iter().filter(ended).collect();
            if found.len() >= count {
                let id = found[0]["id"].as_str().expect("an id");
                return bench.get(&format!("/v1/jobs/{id}")).await.expect(StatusCode::OK).json();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), looks).await.expect("it ends")
}

#[tokio::test]
async fn a_site_that_cannot_have_prices_is_named_and_holds_up_no_other() {
    let bench = Bench::with_depot().await;
    let store = &bench.service.store;
    let key = Key::new(Kind::Site, TOP_TENANT, "depot");
    let depot = store.read(&key, None).await.expect("a store").expect("the depot").body.expect("a site");
    let now = Utc::now();
    for (id, zone) in [("a-broken", "Mars/Olympus"), ("z-fine", "Europe/Amsterdam")] {
        let mut site = depot.clone();
        site["time_zone"] = json!(zone);
        let key = Key::new(Kind::Site, TOP_TENANT, id);
        store.write(now, vec![Change::Put { key, body: site, expect: Expect::Any }]).await.expect("kept");
    }
    let start = now - TimeDelta::seconds(now.timestamp().rem_euclid(3600));
    let row = SpotRow { start: start.trunc_subsecs(0), minutes: 60, eur_kwh: 0.1, doubt: None };
    let spot = Spot { source: Source::EnergyCharts, rows: vec![row] };
    let stop = CancellationToken::new();
    tokio::spawn(publication::work(bench.service.clone(), stop.clone()));
    for round in 1..=2 {
        let job = publication::job("NL", now.date_naive(), spot.clone(), now).expect("a job");
        store.write(Utc::now(), vec![job]).await.expect("kept");
        let job = ended(&bench, publication::KIND, round).await;
        let came = &job["result"];
        // The second time nothing is new: one that was interrupted goes on with those that have nothing.
        assert_eq!((&came["sites"], &came["unchanged"]), (&json!(3), &json!(if round == 1 { 0 } else { 2 })), "{job}");
        assert!(came["failed"]["a-broken"].is_string() && came["failed"].as_object().is_some_and(|all| all.len() == 1));
    }
    for site in ["depot", "z-fine"] {
        let prices = store.all(List::of(Kind::Prices, site)).await.expect("a store");
        assert_eq!(prices.len(), 1, "{site}");
    }
    stop.cancel();
}

#[tokio::test]
async fn chores_are_jobs_that_say_what_they_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let backups = folder.path().join("backups");
    let bench = Bench::with(|config| config.backup.folder = Some(backups.clone())).await;
    let stop = CancellationToken::new();
    tokio::spawn(chores::work(bench.service.clone(), stop.clone()));
    let now = Utc::now();
    let jobs = [chores::ROLL_UP, chores::BACKUP].map(|kind| Change::Enqueue(chores::job(kind, now)));
    bench.service.store.write(now, jobs.to_vec()).await.expect("kept");
    assert!(ended(&bench, chores::ROLL_UP, 1).await["result"]["rolled_up"].is_number());
    assert_eq!(ended(&bench, chores::BACKUP, 1).await["result"]["made"], true);
    assert_eq!(std::fs::read_dir(&backups).expect("a folder").count(), 1);
    stop.cancel();
}

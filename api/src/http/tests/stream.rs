//! Streams: setpoints as they come, on from where a stream was cut, and who counts as taking them.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use tokio_stream::StreamExt as _;
use tower::ServiceExt as _;

use super::bench::{Bench, request};
use crate::app::Event;

/// A stream that is read event by event.
struct Stream {
    body: BodyDataStream,
    read: String,
}

impl Stream {
    async fn open(bench: &Bench, key: &str, path: &str, last: Option<&str>) -> Stream {
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(last.map(|last| ("last-event-id", last)));
        let request = request(Some(key), "GET", path, &headers, Body::empty());
        let response = bench.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { body: response.into_body().into_data_stream(), read: String::new() }
    }

    /// The next event: its name, id and data.
    async fn next(&mut self) -> (String, String, String) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|line| line.trim_start_matches(' ').to_owned()).unwrap_or_default()
                };
                let told = (field("event:"), field("id:"), field("data:"));
                self.read = rest.to_owned();
                if !told.0.is_empty() {
                    return told;
                }
                continue;
            }
            let more = tokio::time::timeout(Duration::from_secs(20), self.body.next()).await.expect("an event");
            let more = more.expect("more").expect("bytes");
            self.read.push_str(&String::from_utf8_lossy(&more));
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.next().await.1.parse().expect("a number"));
        }
        ids
    }
}

const PATH: &str = "/v1/sites/depot/setpoints";

#[tokio::test]
async fn a_stream_goes_on_where_it_was_cut() {
    let bench = Bench::with_depot().await;
    bench.publish("depot", 11..=14);
    let mut stream = Stream::open(&bench, &bench.key, PATH, None).await;
    let (name, id, data) = stream.next().await;
    assert_eq!((name.as_str(), id.as_str()), ("setpoint", "14"), "first the last setpoint of each charger");
    let setpoint: serde_json::Value = serde_json::from_str(&data).expect("JSON");
    assert_eq!(
        (&setpoint["limit_a"], &setpoint["phases"], &setpoint["limit_w"]),
        (&16.0.into(), &3.into(), &11_040.0.into())
    );
    bench.give_out("depot", 15);
    assert_eq!(stream.ids(1).await, [15]);
    drop(stream);
    bench.give_out("depot", 16);
    bench.give_out("depot", 17);
    let mut stream = Stream::open(&bench, &bench.key, PATH, Some("15")).await;
    assert_eq!(stream.ids(2).await, [16, 17]);
    // What is no longer remembered, or of a life before this one, begins anew.
    for last in ["3", "5000", "nonsense"] {
        let mut stream = Stream::open(&bench, &bench.key, PATH, Some(last)).await;
        assert_eq!(stream.ids(1).await, [14], "{last}");
    }
}

#[tokio::test]
async fn who_may_feed_takes_setpoints_and_who_looks_does_not() {
    let bench = Bench::with_depot().await;
    bench.publish("depot", 1..=2);
    let taken = || {
        let heard = bench.heard.lock();
        let numbers = heard.iter().filter_map(|event| match event {
            Event::Taken { number, .. } => Some(*number),
            _ => None,
        });
        numbers.collect::<Vec<_>>()
    };
    let viewer = bench.key_of("main", "viewer").await;
    let looked = bench.send_as(Some(&viewer), "GET", PATH, &[], "").await.expect(StatusCode::OK).json();
    assert_eq!((&looked["number"], &looked["items"][0]["number"]), (&2.into(), &2.into()));
    bench.get(&format!("{PATH}?take=false")).await.expect(StatusCode::OK);
    bench.send_as(Some(&viewer), "GET", &format!("{PATH}?take=true"), &[], "").await.expect(StatusCode::FORBIDDEN);
    bench.told(1).await;
    assert_eq!(taken(), [0_u64; 0]);
    let service = bench.key_of("main", "service").await;
    bench.send_as(Some(&service), "GET", PATH, &[], "").await.expect(StatusCode::OK);
    bench.told(2).await;
    assert_eq!(taken(), [2]);
    let mut stream = Stream::open(&bench, &service, PATH, Some("1")).await;
    assert_eq!(stream.ids(1).await, [2]);
    bench.told(3).await;
    assert_eq!(taken().last(), Some(&2));
}

#[tokio::test]
async fn the_status_is_told_at_once_and_when_it_changes() {
    let bench = Bench::with_depot().await;
    bench.get("/v1/sites/depot/status").await.expect(StatusCode::SERVICE_UNAVAILABLE);
    bench.publish("depot", 1..=1);
    let once = bench.get("/v1/sites/depot/status").await.expect(StatusCode::OK).json();
    assert_eq!(once["steering"], "share");
    let mut stream = Stream::open(&bench, &bench.key, "/v1/sites/depot/status", None).await;
    assert_eq!(stream.next().await.0, "status");
    {
        let board = bench.board.read();
        let published = board.get("depot").expect("a site");
        let mut status = (*published.status).clone();
        status.name = "changed".to_owned();
        published.changed.send(std::sync::Arc::new(status)).expect("a follower");
    }
    assert!(stream.next().await.2.contains("\"changed\""));
}

#[tokio::test]
async fn a_stream_ends_when_its_site_is_gone() {
    let bench = Bench::with_depot().await;
    bench.publish("depot", 1..=1);
    let mut stream = Stream::open(&bench, &bench.key, PATH, None).await;
    stream.ids(1).await;
    bench.board.write().remove("depot");
    let end = tokio::time::timeout(Duration::from_secs(20), stream.body.next()).await.expect("an end");
    assert!(end.is_none());
}

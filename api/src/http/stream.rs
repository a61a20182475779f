//! Server-sent events: one bounded channel a follower, comments that keep the connection alive, and an end when the follower
//! may no longer see what it follows.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval};
use tokio_stream::wrappers::ReceiverStream;

use crate::access::{self, Caller, Permission, SiteRef};
use crate::service::Service;

/// How many events wait for a slow follower; then it is the follower that waits.
const WAITING: usize = 64;

/// How often a comment shows that the connection is alive.
const ALIVE: Duration = Duration::from_secs(10);

/// How often it is looked at whether a follower may still see.
const STILL: Duration = Duration::from_secs(30);

/// Where the events of a stream are told.
#[derive(Debug)]
pub struct Teller(mpsc::Sender<Result<Event, Infallible>>);

/// Whether an event was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is on its way.
    Sent,
    /// The follower has gone.
    Gone,
}

impl Teller {
    /// Tells an event. What cannot be written as JSON ends the stream.
    pub async fn event(&self, name: &str, id: Option<u64>, data: &impl Serialize) -> Told {
        let Ok(mut event) = Event::default().event(name).json_data(data) else { return Told::Gone };
        if let Some(id) = id {
            event = event.id(id.to_string());
        }
        if self.0.send(Ok(event)).await.is_ok() { Told::Sent } else { Told::Gone }
    }

    /// Waits until the follower has gone.
    pub async fn gone(&self) {
        self.0.closed().await;
    }
}

/// A stream, and where its events are told.
pub fn open() -> (Teller, Response) {
    let (tell, told) = mpsc::channel(WAITING);
    let alive = KeepAlive::new().interval(ALIVE).text("alive");
    let mut response = Sse::new(ReceiverStream::new(told)).keep_alive(alive).into_response();
    // Proxies that buffer would hold events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    (Teller(tell), response)
}

/// Whether a request asks for a stream.
pub fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Looks at whether a follower may still see what it follows.
pub struct Guard {
    service: Service,
    caller: Caller,
    permission: Permission,
    site: SiteRef,
    every: Interval,
}

impl Guard {
    /// A guard of somebody who follows a site.
    pub fn new(service: Service, caller: Caller, permission: Permission, site: SiteRef) -> Guard {
        let every = tokio::time::interval_at(Instant::now() + STILL, STILL);
        Guard { service, caller, permission, site, every }
    }

    /// Every now and then, whether they still may.
    pub async fn still_allowed(&mut self) -> bool {
        self.every.tick().await;
        match access::again(&self.service, &self.caller, Utc::now()).await {
            Ok(Some(caller)) => access::at_site(&self.service, &caller, self.permission, &self.site.id).await.is_ok(),
            Ok(None) => false,
            // A store that cannot be asked now is no reason to cut off who steers chargers.
            Err(_) => true,
        }
    }
}

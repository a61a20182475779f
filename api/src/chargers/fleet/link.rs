//! One station's websocket: connects, carries frames, is cut, connects again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{SinkExt, StreamExt};
use kwartier_engine::control::setup::Setup;
use kwartier_engine::plant::profiles::Edition;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use reqwest::Url;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use tokio_util::sync::CancellationToken;

use super::faults::Outage;
use super::tally::Tally;
use crate::chargers::station::{Do, Held, Seen, Station};

/// A handshake that takes longer has failed.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// How long it waits before it connects again: at first, and at most.
const RETRY: [f64; 2] = [1.0, 30.0];

/// So long may it take until a central system notices a connection that says nothing any more; from then on the station counts
/// with what it holds.
const NOTICED: Duration = Duration::from_mins(1);

/// Buffers of a socket: frames are small, and there are thousands of sockets.
const BUFFER: usize = 4 * 1024;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Something that the depot has to know of a station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// The device.
    pub device: usize,
    /// What.
    pub what: What,
}

/// What that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// It holds this.
    Holds(Held),
    /// Its connection stands, or is gone.
    Linked(bool),
}

/// What all links share.
pub struct Common {
    /// Where the central system is; the identity goes behind it.
    pub url: Url,
    /// Who is trusted, and with which certificate of its own.
    pub tls: Option<Arc<ClientConfig>>,
    /// What is counted.
    pub tally: Tally,
    /// The site.
    pub setup: Setup,
    /// Cancelled when it is over.
    pub stop: CancellationToken,
}

/// A link.
pub struct Link {
    /// What all share.
    pub common: Arc<Common>,
    /// The station.
    pub station: Station,
    /// Its place in the setup.
    pub device: usize,
    /// The password; `None`, it has none.
    pub password: Option<String>,
    /// What it sees of its connector.
    pub sees: watch::Receiver<Seen>,
    /// Where it tells what it does.
    pub tells: mpsc::Sender<Told>,
    /// When its connection is cut or its power fails.
    pub outages: Vec<Outage>,
    /// How long it waits at first, so that not all come at once.
    pub first: Duration,
    /// Chance.
    pub seed: u64,
}

/// Why a session ended.
enum Ended {
    /// It is all over.
    Stopped,
    /// It is to connect again after a while.
    Gone,
    /// Nobody hears it for so long.
    Out(Duration),
}

impl Link {
    /// Runs until it is all over.
    pub async fn run(mut self) {
        let mut chance = SmallRng::seed_from_u64(self.seed);
        let mut retry_s = RETRY[0];
        let mut wait = self.first;
        let stop = self.common.stop.clone();
        loop {
            if !self.idle(wait).await {
                return;
            }
            let Some(outcome) = stop.run_until_cancelled(Box::pin(self.connect())).await else { return };
            match outcome {
                Ok(mut socket) => {
                    self.common.tally.connected();
                    self.tell(What::Linked(true)).await;
                    let began = Utc::now();
                    let ended = self.session(&mut socket).await;
                    self.common.tally.gone();
                    self.station.cut(Utc::now());
                    self.settle_alone().await;
                    match ended {
                        Ended::Stopped => {
                            let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                            return;
                        }
                        Ended::Out(outage) => {
                            self.common.tally.cut();
                            // No frame says so, and the socket stays open: nobody can tell it from a slow one at first.
                            let unnoticed = outage.min(NOTICED);
                            if !self.idle(unnoticed).await {
                                return;
                            }
                            self.tell(What::Linked(false)).await;
                            if !self.idle(outage.saturating_sub(unnoticed)).await {
                                return;
                            }
                        }
                        Ended::Gone => {
                            drop(socket);
                            self.tell(What::Linked(false)).await;
                        }
                    }
                    if Utc::now() - began > TimeDelta::seconds(10) {
                        retry_s = RETRY[0];
                    }
                }
                Err(why) => self.common.tally.refused(why),
            }
            wait = Duration::from_secs_f64(retry_s * chance.random_range(0.5..1.5));
            retry_s = (2.0 * retry_s).min(RETRY[1]);
        }
    }

    /// Waits without a connection, and as long as the station is off. Whether it goes on.
    async fn idle(&mut self, wait: Duration) -> bool {
        let until = Utc::now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        loop {
            let now = Utc::now();
            if now >= until && self.station.powered() {
                return true;
            }
            let own = self.station.next_at().unwrap_or(DateTime::<Utc>::MAX_UTC);
            let wake = if now < until { own.min(until) } else { own };
            tokio::select! {
                () = self.common.stop.cancelled() => return false,
                seen = self.sees.changed() => {
                    if seen.is_err() {
                        return false;
                    }
                    let seen = *self.sees.borrow_and_update();
                    self.station.sees(Utc::now(), seen);
                }
                () = sleep(until_then(wake)) => self.station.due(Utc::now()),
            }
            self.settle_alone().await;
        }
    }

    async fn connect(&self) -> Result<Socket, String> {
        let request = self.request()?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let connector = self.common.tls.clone().map(Connector::Rustls);
        let connect = connect_async_tls_with_config(request, Some(config), true, connector);
        match timeout(HANDSHAKE, connect).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(tungstenite::Error::Http(response))) => Err(format!("HTTP {}", response.status())),
            Ok(Err(fault)) => Err(fault.to_string()),
            Err(_) => Err("no answer to the handshake".to_owned()),
        }
    }

    fn request(&self) -> Result<Request, String> {
        let mut url = self.common.url.clone();
        let id = &self.station.make().id;
        url.path_segments_mut().map_err(|()| "the address has no path".to_owned())?.pop_if_empty().push(id);
        let mut request = url.as_str().into_client_request().map_err(|fault| fault.to_string())?;
        let protocol = match self.station.make().edition {
            Edition::V16 => "ocpp1.6",
            Edition::V2 => "ocpp2.0.1",
        };
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
        if let Some(password) = &self.password {
            let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{password}")));
            let mut basic = HeaderValue::from_str(&basic).map_err(|fault| fault.to_string())?;
            basic.set_sensitive(true);
            request.headers_mut().insert("Authorization", basic);
        }
        Ok(request)
    }

    /// Carries frames until somebody ends it.
    async fn session(&mut self, socket: &mut Socket) -> Ended {
        let now = Utc::now();
        self.outages.retain(|outage| outage.at > now);
        self.station.connected(now);
        loop {
            if self.settle(Some(socket)).await.is_break() {
                return Ended::Gone;
            }
            let outage = self.outages.first().map(|outage| outage.at);
            let own = self.next_at().unwrap_or(DateTime::<Utc>::MAX_UTC);
            tokio::select! {
                () = self.common.stop.cancelled() => return Ended::Stopped,
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.station.heard(Utc::now(), &text),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ended::Gone,
                    Some(Ok(_)) => {}
                },
                seen = self.sees.changed() => {
                    if seen.is_err() {
                        return Ended::Stopped;
                    }
                    let seen = *self.sees.borrow_and_update();
                    self.station.sees(Utc::now(), seen);
                }
                () = sleep(until_then(own)) => {
                    self.station.due(Utc::now());
                    if outage.is_some_and(|at| at <= Utc::now()) {
                        match self.outages.remove(0).lasts {
                            Some(lasts) => return Ended::Out(lasts),
                            None => self.station.loses_power(Utc::now()),
                        }
                    }
                }
            }
        }
    }

    /// When something is due by itself.
    fn next_at(&self) -> Option<DateTime<Utc>> {
        let outage = self.outages.first().map(|outage| outage.at);
        [self.station.next_at(), outage].into_iter().flatten().min()
    }

    /// Does what the station wants done. Broken off where the connection is to be closed or is gone.
    async fn settle(&mut self, mut socket: Option<&mut Socket>) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        for what in self.station.take() {
            match what {
                Do::Send(frame) => {
                    if let Some(socket) = socket.as_mut()
                        && socket.send(Message::text(frame)).await.is_err()
                    {
                        flow = ControlFlow::Break(());
                    }
                }
                Do::Hold(held) => self.tell(What::Holds(held)).await,
                Do::Hangup => flow = ControlFlow::Break(()),
                Do::Password(password) => self.password = Some(password),
                Do::Count(count) => {
                    let node = self.common.setup.devices[self.device].node;
                    self.common.tally.count(count, node, &self.common.setup);
                }
            }
        }
        flow
    }

    /// The same without a connection, which nothing can be closed of.
    async fn settle_alone(&mut self) {
        let _ = self.settle(None).await;
    }

    async fn tell(&self, what: What) {
        let _ = self.tells.send(Told { device: self.device, what }).await;
    }
}

fn until_then(at: DateTime<Utc>) -> Duration {
    (at - Utc::now()).to_std().unwrap_or(Duration::ZERO).min(Duration::from_hours(1))
}

//! The way to the network: one client for all feeds. It connects to the internet alone, follows few redirects and looks at each,
//! takes no more than so many bytes, and waits no longer than so long, however slowly they drip. Where addresses of this machine
//! and of private networks are allowed, a feed may be there; it may not send there from elsewhere.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::feeds::MAX_BYTES;
use parking_lot::Mutex;
use reqwest::header::HeaderValue;
use reqwest::{Url, header};
use secrecy::{ExposeSecret, SecretString};

use crate::jobs::target;

/// From the first byte sent to the last one received.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often an answer may send elsewhere.
const MOST_REDIRECTS: usize = 3;

/// So many answers are remembered that need not be sent again when nothing has changed.
const MOST_TAGGED: usize = 64;

/// What a feed is asked with.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where, without what is secret.
    pub url: Url,
    /// What proves who asks.
    pub secret: Option<Secret>,
    /// JSON to be sent; `None`, nothing is, and the question is in the address.
    pub body: Option<String>,
}

/// What proves who asks, and where it stands.
#[derive(Debug, Clone)]
pub enum Secret {
    /// In a parameter of the address.
    Query(&'static str, SecretString),
    /// At the beginning of the path.
    Path(SecretString),
    /// In a header.
    Header(&'static str, SecretString),
    /// In the header for it, as whoever bears it.
    Bearer(SecretString),
}

impl Request {
    /// A question in an address that anybody may ask.
    pub fn open(url: Url) -> Request {
        Request { url, secret: None, body: None }
    }

    /// A question in an address.
    pub fn with(url: Url, secret: Option<Secret>) -> Request {
        Request { url, secret, body: None }
    }
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Its status.
    pub status: u16,
    /// Its body, which may be packed.
    pub body: Vec<u8>,
    /// Not to ask again for so long, where it says so.
    pub retry_after: Option<TimeDelta>,
}

/// Carries requests to feeds and answers back.
#[async_trait]
pub trait Carrier: Send + Sync + 'static {
    /// The answer; `Err`, why there is none. Nothing of it is secret.
    async fn carry(&self, request: &Request, now: DateTime<Utc>) -> Result<Raw, String>;
}

/// The network.
pub struct Network {
    /// Connects to what is configured.
    client: reqwest::Client,
    /// Connects to what an answer sends to.
    elsewhere: reqwest::Client,
    allow_private: bool,
    patience: Duration,
    /// Answers that carried a tag, by address.
    tagged: Mutex<HashMap<Url, (HeaderValue, Raw)>>,
}

impl Network {
    /// The network, with addresses of this machine and of private networks where they are allowed.
    ///
    /// # Errors
    ///
    /// Why there is no client.
    pub fn new(allow_private: bool) -> Result<Network, String> {
        Network::waiting(allow_private, PATIENCE)
    }

    /// The same, waiting so long for an answer.
    ///
    /// # Errors
    ///
    /// Why there is no client.
    pub fn waiting(allow_private: bool, patience: Duration) -> Result<Network, String> {
        let client = |allow_private| target::client(allow_private, patience).map_err(|why| why.to_string());
        Ok(Network {
            client: client(allow_private)?,
            elsewhere: client(false)?,
            allow_private,
            patience,
            tagged: Mutex::default(),
        })
    }

    /// The first answer, which may send elsewhere.
    async fn first(&self, url: Url, request: &Request, tag: Option<HeaderValue>) -> Result<reqwest::Response, String> {
        let mut asked = match &request.body {
            Some(body) => self.client.post(url).header(header::CONTENT_TYPE, "application/json").body(body.clone()),
            None => self.client.get(url),
        };
        if let Some(tag) = tag {
            asked = asked.header(header::IF_NONE_MATCH, tag);
        }
        match &request.secret {
            Some(Secret::Header(name, secret)) => asked = asked.header(*name, hidden(secret.expose_secret())?),
            Some(Secret::Bearer(secret)) => {
                asked = asked.header(header::AUTHORIZATION, hidden(&format!("Bearer {}", secret.expose_secret()))?);
            }
            Some(Secret::Query(..) | Secret::Path(_)) | None => {}
        }
        let asked = asked.header(header::ACCEPT_ENCODING, "gzip").send().await;
        asked.map_err(|why| self.told(why))
    }

    /// The answer from where one has sent to. Nothing secret goes there.
    async fn next(&self, client: &reqwest::Client, url: Url) -> Result<reqwest::Response, String> {
        let asked = client.get(url).header(header::ACCEPT_ENCODING, "gzip").send().await;
        asked.map_err(|why| self.told(why))
    }

    /// Why there is no answer. The address is left out: there may be a key in it.
    fn told(&self, why: reqwest::Error) -> String {
        if why.is_timeout() {
            return format!("it took longer than {} s", self.patience.as_secs());
        }
        let why = why.without_url();
        let mut text = why.to_string();
        let mut cause = std::error::Error::source(&why);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        text
    }
}

#[async_trait]
impl Carrier for Network {
    async fn carry(&self, request: &Request, now: DateTime<Utc>) -> Result<Raw, String> {
        let mut url =
            target::url(request.url.as_str(), self.allow_private).map_err(|why| format!("its address {why}"))?;
        match &request.secret {
            Some(Secret::Query(name, secret)) => {
                url.query_pairs_mut().append_pair(name, secret.expose_secret());
            }
            Some(Secret::Path(secret)) => url.set_path(&format!("/{}{}", secret.expose_secret(), request.url.path())),
            Some(Secret::Header(..) | Secret::Bearer(_)) | None => {}
        }
        let own = url.clone();
        // Two customers may send different bodies to one address.
        let shared = request.body.is_none();
        let before = if shared { self.tagged.lock().get(&request.url).cloned() } else { None };
        let tag = before.as_ref().map(|(tag, _)| tag.clone());
        let mut response = self.first(url.clone(), request, tag).await?;
        for _ in 0..MOST_REDIRECTS {
            let Some(next) = elsewhere(&response).filter(|_| request.body.is_none()) else { break };
            let next = url.join(&next).map_err(|why| format!("it sends to no address: {why}"))?;
            let stays = next.origin() == own.origin();
            url = target::url(next.as_str(), self.allow_private && stays)
                .map_err(|why| format!("where it sends {why}"))?;
            response = self.next(if stays { &self.client } else { &self.elsewhere }, url.clone()).await?;
        }
        let status = response.status().as_u16();
        if let (304, Some((_, raw))) = (status, before) {
            // Nothing has changed since.
            return Ok(raw);
        }
        let tag = response.headers().get(header::ETAG).cloned();
        let retry_after = retry_after(&response, now);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|why| format!("it broke off: {}", self.told(why)))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(format!("its answer is larger than {} MiB", MAX_BYTES >> 20));
            }
            body.extend_from_slice(&chunk);
        }
        let raw = Raw { status, body, retry_after };
        if let (200, Some(tag), true) = (status, tag, shared) {
            let mut tagged = self.tagged.lock();
            if tagged.len() >= MOST_TAGGED {
                tagged.clear();
            }
            tagged.insert(request.url.clone(), (tag, raw.clone()));
        }
        Ok(raw)
    }
}

/// A header's value that is shown to nobody. A key with a line break in it is none.
fn hidden(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text).map_err(|_| "its key holds what no key does".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where an answer sends to.
fn elsewhere(response: &reqwest::Response) -> Option<String> {
    let sends = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let place = response.headers().get(header::LOCATION).filter(|_| sends)?;
    Some(place.to_str().ok()?.to_owned())
}

/// How long not to ask, in seconds or until a date.
fn retry_after(response: &reqwest::Response, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    match text.parse::<u32>() {
        Ok(seconds) => Some(TimeDelta::seconds(i64::from(seconds))),
        Err(_) => Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now),
    }
}

//! Local servers that answer as feeds do when they are well and when they are not.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kwartier_data::feeds::Span;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fetch::subject::Subject;
use crate::resource::feed::Source;

/// What a server does with each request.
#[derive(Debug, Clone)]
pub enum Does {
    /// Answers with a status and a body.
    Answers(u16, Vec<u8>),
    /// Takes the request and never says anything.
    Hangs,
    /// Says a byte now and then, without end.
    Drips,
    /// Says half of its answer and closes the connection.
    Dies(Vec<u8>),
    /// Sends elsewhere.
    Sends(String),
    /// Sends to itself, for ever.
    Circles,
    /// Answers without end.
    Floods,
    /// Answers for any day, as the feed does whose path is asked for.
    Market,
    /// Answers once, and from then on that nothing has changed.
    Tags(Vec<u8>),
    /// Asks for patience of so many seconds.
    Later(u32),
    /// Answers as long as the request holds this, in lower case or not; otherwise that nobody may ask.
    Wants(&'static str, Vec<u8>),
}

/// A server on this machine; where it is.
pub async fn serve(does: Does) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let does = Arc::new(does);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let does = Arc::clone(&does);
            // A client that goes away ends it.
            tokio::spawn(async move { answer(stream, &does).await.ok() });
        }
    });
    format!("http://{address}")
}

/// An address where nobody listens.
pub async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn answer(mut stream: TcpStream, does: &Does) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    request.extend(body);
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{more}\r\n");
    match does {
        Does::Answers(status, body) => {
            stream.write_all(head(*status, &format!("Content-Length: {}\r\n", body.len())).as_bytes()).await?;
            stream.write_all(body).await?;
        }
        Does::Wants(wanted, body) => {
            let may = String::from_utf8_lossy(&request).to_ascii_lowercase().contains(&wanted.to_ascii_lowercase());
            let (status, body) = if may { (200, body.as_slice()) } else { (401, b"who are you".as_slice()) };
            stream.write_all(head(status, &format!("Content-Length: {}\r\n", body.len())).as_bytes()).await?;
            stream.write_all(body).await?;
        }
        Does::Hangs => std::future::pending().await,
        Does::Drips => {
            stream.write_all(head(200, "").as_bytes()).await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Does::Dies(body) => {
            stream.write_all(head(200, &format!("Content-Length: {}\r\n", body.len())).as_bytes()).await?;
            stream.write_all(&body[..body.len() / 2]).await?;
        }
        Does::Sends(to) => stream.write_all(head(302, &format!("Location: {to}\r\n")).as_bytes()).await?,
        Does::Circles => stream.write_all(head(302, "Location: /price?again\r\n").as_bytes()).await?,
        Does::Floods => {
            stream.write_all(head(200, "").as_bytes()).await?;
            let spaces = vec![b' '; 65_536];
            loop {
                stream.write_all(&spaces).await?;
            }
        }
        Does::Tags(body) if String::from_utf8_lossy(&request).contains("if-none-match: \"first\"") => {
            assert!(!body.is_empty());
            stream.write_all(head(304, "").as_bytes()).await?;
        }
        Does::Tags(body) => {
            let more = format!("ETag: \"first\"\r\nContent-Length: {}\r\n", body.len());
            stream.write_all(head(200, &more).as_bytes()).await?;
            stream.write_all(body).await?;
        }
        Does::Market => {
            let body = day(&String::from_utf8_lossy(&request)).to_string();
            stream.write_all(head(200, &format!("Content-Length: {}\r\n", body.len())).as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
        }
        Does::Later(seconds) => {
            stream.write_all(head(429, &format!("Retry-After: {seconds}\r\nContent-Length: 0\r\n")).as_bytes()).await?;
        }
    }
    stream.shutdown().await
}

/// The day that a request asks for.
fn day(request: &str) -> Value {
    let parameter =
        |name: &str| request.split(name).nth(1).map(|rest| rest.split(['&', ' ']).next().unwrap().to_owned());
    let subject = |day| Subject::Prices { area: "NL".to_owned(), day };
    match (parameter("start="), parameter("&date=")) {
        (Some(day), _) => energy_charts(&subject(day.parse().unwrap()), 0.0),
        (None, day) => energyzero(&subject(NaiveDate::parse_from_str(&day.unwrap(), "%d-%m-%Y").unwrap())),
    }
}

/// A day of an area as Energy-Charts answers it: quarter-hours, each with a price of its own, moved by `more` EUR/MWh.
pub fn energy_charts(subject: &Subject, more: f64) -> Value {
    let quarters = quarters(subject);
    let at: Vec<i64> = quarters.iter().map(|(at, _)| at.timestamp()).collect();
    let price: Vec<f64> = quarters.iter().map(|(_, price)| price + more).collect();
    json!({ "unix_seconds": at, "price": price, "unit": "EUR / MWh", "deprecated": false })
}

/// The same day as EnergyZero answers it.
pub fn energyzero(subject: &Subject) -> Value {
    let interval = |(at, price): (DateTime<Utc>, f64)| {
        let end = at + TimeDelta::minutes(15);
        json!({ "start": at, "end": end, "price": { "value": format!("{:.5}", price / 1000.0) } })
    };
    json!({ "base": quarters(subject).into_iter().map(interval).collect::<Vec<_>>() })
}

fn quarters(subject: &Subject) -> Vec<(DateTime<Utc>, f64)> {
    let Span { from, to } = subject.span(Utc::now());
    let count = i32::try_from((to - from).num_minutes() / 15).unwrap();
    let price = |k: i32| 60.0 + 40.0 * (f64::from(k) / f64::from(count) * std::f64::consts::TAU).sin().round();
    (0..count).map(|k| (from + TimeDelta::minutes(15) * k, price(k))).collect()
}

/// A day of a contract as Tibber answers it: quarter-hours with a local offset, VAT and taxes in the total.
pub fn tibber(subject: &Subject) -> Value {
    let interval = |(at, price): (DateTime<Utc>, f64)| {
        let local = at.with_timezone(&chrono_tz::Europe::Amsterdam).to_rfc3339();
        json!({ "startsAt": local, "total": (price / 1000.0 + 0.1) * 1.21, "energy": price / 1000.0, "currency": "EUR" })
    };
    let today: Vec<Value> = quarters(subject).into_iter().map(interval).collect();
    let subscription = json!({ "priceInfo": { "today": today, "tomorrow": [] } });
    json!({ "data": { "viewer": { "homes": [{ "id": "h", "currentSubscription": subscription }] } } })
}

/// The same as Octopus answers it: half-hours in pence, newest first.
pub fn octopus(subject: &Subject) -> Value {
    let rate = |pair: &[(DateTime<Utc>, f64)]| {
        let to = pair[0].0 + TimeDelta::minutes(30);
        json!({ "value_exc_vat": pair[0].1 / 5.0, "value_inc_vat": pair[0].1 / 4.76, "valid_from": pair[0].0, "valid_to": to,
                "payment_method": null })
    };
    let results: Vec<Value> = quarters(subject).chunks_exact(2).rev().map(rate).collect();
    json!({ "count": results.len(), "next": null, "previous": null, "results": results })
}

/// Hours from the last full one on.
fn hours(now: DateTime<Utc>, count: i64) -> Vec<DateTime<Utc>> {
    let first = now - TimeDelta::seconds(now.timestamp().rem_euclid(3600));
    let first = first - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
    (0..count).map(|hour| first + TimeDelta::hours(hour)).collect()
}

/// Two days of a rooftop as Solcast answers them.
pub fn solcast(now: DateTime<Utc>) -> Value {
    let interval = |at: &DateTime<Utc>| {
        let end = (*at + TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%S.0000000Z").to_string();
        json!({ "pv_estimate": 5.0, "pv_estimate10": 2.0, "pv_estimate90": 8.0, "period_end": end, "period": "PT60M" })
    };
    json!({ "forecasts": hours(now, 48).iter().map(interval).collect::<Vec<_>>() })
}

/// Two days of a plant as forecast.solar answers them.
pub fn forecast_solar(now: DateTime<Utc>) -> Value {
    let stamps: serde_json::Map<String, Value> =
        hours(now, 49).iter().map(|at| (at.to_rfc3339(), json!(4000.0))).collect();
    json!({ "result": { "watt_hours_period": stamps }, "message": { "code": 0, "type": "success", "text": "" } })
}

/// A day of carbon intensity as each of its feeds answers it.
pub fn carbon(source: Source, now: DateTime<Utc>) -> Value {
    let hours = hours(now, 24);
    match source {
        Source::EnergyCharts => {
            let at: Vec<i64> = hours.iter().map(DateTime::timestamp).collect();
            json!({ "unix_seconds": at, "co2eq": vec![Value::Null; 24], "co2eq_forecast": vec![310.0; 24] })
        }
        Source::ElectricityMaps => {
            let row = |at: &DateTime<Utc>| json!({ "carbonIntensity": 320.0, "datetime": at });
            let forecast: Vec<Value> = hours.iter().map(row).collect();
            json!({ "zone": "NL", "forecast": forecast, "temporalGranularity": "hourly" })
        }
        _ => {
            let row = |at: &DateTime<Utc>| {
                let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
                let intensity = json!({ "forecast": 150, "actual": null, "index": "moderate" });
                json!({ "from": stamp(*at), "to": stamp(*at + TimeDelta::hours(1)), "intensity": intensity })
            };
            json!({ "data": hours.iter().map(row).collect::<Vec<_>>() })
        }
    }
}

//! States who is there, as whoever knows that does: over the API. That a stay begins and ends stations tell by themselves.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kwartier_engine::control::event::Session;
use reqwest::{Client, Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::depot::Way;
use super::people::group;

/// Stays that were stated.
pub struct Stays {
    client: Client,
    way: Way,
    /// Of what is needed at the charger, the share that arrives in the battery.
    efficiency: f64,
    /// By charger, what the plant and the service call the stay there.
    there: HashMap<String, (String, String)>,
}

impl Stays {
    /// Nobody is there yet.
    pub fn new(client: Client, way: Way, efficiency: f64) -> Stays {
        Stays { client, way, efficiency, there: HashMap::new() }
    }

    /// Somebody has come.
    pub async fn begins(&mut self, charger: &str, device: usize, session: &Session, now: DateTime<Utc>) {
        if self.there.get(charger).is_some_and(|(known, _)| *known == session.id) {
            return;
        }
        let stated = json!({
            "charger": charger,
            "group": group(device),
            "arrival": now,
            "departure": session.departure,
            "need_kwh": session.need_kwh.map(|kwh| kwh * self.efficiency),
            "phases": session.phases,
            "min_a": session.min_a,
            "max_a": session.max_a,
        });
        let mut answer = self.ask(Method::POST, "sessions", &stated).await;
        if let (Ok((StatusCode::CONFLICT, _)), Some((_, before))) = (&answer, self.there.remove(charger)) {
            // Nobody has told that the one before has left.
            let _ = self.ask(Method::PATCH, &format!("sessions/{before}"), &json!({ "ended": now })).await;
            answer = self.ask(Method::POST, "sessions", &stated).await;
        }
        match answer {
            Ok((StatusCode::CREATED, body)) => {
                let id = body["id"].as_str().unwrap_or_default().to_owned();
                self.there.insert(charger.to_owned(), (session.id.clone(), id));
            }
            Ok((status, _)) => tracing::warn!(%status, "a stay at the demo depot cannot be stated"),
            Err(why) => tracing::warn!(why, "a stay at the demo depot cannot be stated"),
        }
    }

    async fn ask(&self, method: Method, what: &str, body: &Value) -> Result<(StatusCode, Value), String> {
        let url = self.way.of_site(what)?;
        let request = self.client.request(method, url).bearer_auth(self.way.key().expose_secret()).json(body);
        let answer = request.send().await.map_err(|fault| fault.to_string())?;
        let status = answer.status();
        Ok((status, answer.json().await.unwrap_or(Value::Null)))
    }
}

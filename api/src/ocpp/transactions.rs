//! What happens at a charger: it starts, transactions begin and end, something is measured.

use chrono::{DateTime, Utc};
use kwartier_engine::control;
use serde_json::Value;

use super::heard::Happened;
use super::link::Link;
use super::readings::latest;
use super::station::{Standing, Transaction};
use super::stays;
use super::tags::{Found, Occasion, Shown, Verdict};

/// Energy that is none, in kWh.
const NOTHING_KWH: f64 = 0.05;

impl Link {
    /// Something has happened; a card was shown with it that is worth `found`.
    pub(super) async fn happened(&mut self, happened: Happened, found: Option<&Found>, now: DateTime<Utc>) {
        match happened {
            Happened::Booted(identity) => {
                self.record.identity = identity;
                self.record.stored = None;
                if let Some(news) = self.record.told.booted() {
                    self.tells(news);
                }
                self.outstanding = None;
                self.booted = !self.event(|device| control::Event::Booted { device });
                let (asking, quirks) = (self.asking().await, self.quirks().await);
                if let Some(station) = &mut self.station {
                    station.wants(quirks);
                    station.booted();
                    // Where nobody knows now, it is as it was.
                    if let Some(calls) = asking {
                        station.asks(calls);
                    }
                }
                self.keep().await;
            }
            Happened::Began { connector, id, at, register_kwh } => {
                let standing = Standing::Accepted;
                let session = String::new();
                let (since, from_kwh) = (Some(at), register_kwh);
                let transaction = Transaction { id, session, since, from_kwh, from_exported_kwh: None, standing };
                self.begins(connector, transaction, found, at, now).await;
            }
            Happened::Ended { id, at, register_kwh } => {
                let Some(station) = &self.station else { return };
                if let Some(connector) = station.connector_of(&id)
                    && let Some(transaction) = station.transactions.get(&connector).cloned()
                {
                    self.finish(connector, &transaction, register_kwh, at, now).await;
                    self.keep().await;
                }
            }
            Happened::Drew { connector, values, transaction } => self.drew(connector, &values, transaction, now).await,
            Happened::Status { connector, free } => {
                if let Some(station) = &mut self.station {
                    station.has(connector);
                }
                if free {
                    self.draws_nothing();
                }
            }
            Happened::Needs { connector, needs } => {
                if let Some(station) = &mut self.station {
                    station.profile_again();
                }
                self.needs.insert(connector, needs);
                self.takes_needs(connector, now).await;
            }
        }
    }

    /// The session of a card's own transaction, where it is shown within one.
    pub(super) fn own(&self, shown: &Shown) -> Option<&str> {
        let Occasion::Within(connector, id) = &shown.occasion else { return None };
        let station = self.station.as_ref()?;
        let connector = station.connector_of(id).or(*connector)?;
        station.transactions.get(&connector).map(|known| known.session.as_str())
    }

    async fn begins(
        &mut self,
        connector: i64,
        mut transaction: Transaction,
        found: Option<&Found>,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let Some(station) = &self.station else { return };
        if let Some(connector) = station.connector_of(&transaction.id) {
            if let Some(found) = found.filter(|found| found.is_accepted()) {
                self.lets_in(connector, found, at, now).await;
            }
            return;
        }
        // The one before it at this connector has ended without a word.
        if let Some(before) = station.transactions.get(&connector).cloned() {
            self.finish(connector, &before, None, at, now).await;
        }
        // What began while nobody listened was let in by us, or by what the charger remembers.
        transaction.standing = match found.map(|found| found.verdict) {
            None | Some(Verdict::Accepted) => Standing::Accepted,
            Some(Verdict::Awaited) => Standing::Waiting,
            Some(_) => Standing::Refused,
        };
        match transaction.standing {
            Standing::Accepted => transaction.session = self.session(found, at, now).await,
            Standing::Waiting => {}
            Standing::Refused => tracing::info!(site = self.site, charger = self.charger, "a card was not let in"),
        }
        if let Some(station) = &mut self.station {
            station.begins(connector, transaction);
        }
        self.keep().await;
        self.takes_needs(connector, now).await;
    }

    /// What a vehicle needs becomes its session's, once there is one.
    async fn takes_needs(&mut self, connector: i64, now: DateTime<Utc>) {
        let Some(station) = &self.station else { return };
        let known = station.transactions.get(&connector).filter(|known| known.standing == Standing::Accepted);
        let (Some(known), Some(needs)) = (known, self.needs.get(&connector)) else { return };
        let got_kwh = station.got_kwh(connector).unwrap_or(0.0);
        stays::needs(&self.service, &self.site, &known.session, *needs, got_kwh, now).await;
        self.needs.remove(&connector);
    }

    /// A card that is let in was shown within a transaction.
    async fn lets_in(&mut self, connector: i64, found: &Found, at: DateTime<Utc>, now: DateTime<Utc>) {
        let known = self.station.as_ref().and_then(|station| station.transactions.get(&connector)).cloned();
        match known {
            Some(known) if known.standing == Standing::Accepted => {
                if let Some(card) = &found.tag {
                    stays::shows(&self.service, &self.site, &known.session, card, now).await;
                }
            }
            Some(_) => {
                let session = self.session(Some(found), at, now).await;
                if let Some(station) = &mut self.station {
                    station.lets_in(connector, session);
                }
                self.keep().await;
                self.takes_needs(connector, now).await;
            }
            None => {}
        }
    }

    /// The session of a transaction that begins.
    async fn session(&self, found: Option<&Found>, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let known = self.station.iter().flat_map(|station| station.transactions.values());
        let used: Vec<String> = known.map(|known| known.session.clone()).collect();
        let card = found.and_then(|found| found.tag.as_ref());
        stays::begin(&self.service, (&self.site, &self.charger), &used, card, at, now).await
    }

    async fn drew(&mut self, connector: i64, values: &Value, transaction: Option<Value>, now: DateTime<Utc>) {
        // In 2.x the EVSE is named in the first event of a transaction alone.
        let known = self.station.as_ref().zip(transaction.as_ref()).and_then(|(station, id)| station.connector_of(id));
        let connector = known.unwrap_or(connector);
        // A transaction that began while nobody listened shows in what it draws.
        let unknown = transaction.filter(|_| known.is_none() && connector > 0);
        let reading = latest(values, self.draws());
        if let Some(id) = unknown {
            let transaction = Transaction {
                id,
                session: String::new(),
                since: Some(now),
                from_kwh: reading.register_kwh,
                from_exported_kwh: reading.exported_kwh,
                standing: Standing::Accepted,
            };
            self.begins(connector, transaction, None, now, now).await;
        }
        let Some(station) = &mut self.station else { return };
        let session_kwh = station.measured(connector, &reading);
        let (phases_a, new) = (station.draws_now(), station.transactions != self.record.transactions);
        if let Some(phases_a) = phases_a {
            self.event(|device| control::Event::Drawn { device, phases_a, session_kwh });
        }
        if new {
            self.keep().await;
        }
    }

    fn draws_nothing(&mut self) {
        if let Some(station) = &mut self.station
            && station.transactions.is_empty()
        {
            station.draws_nothing();
            self.event(|device| control::Event::Drawn { device, phases_a: [0.0; 3], session_kwh: None });
        }
    }

    async fn finish(
        &mut self,
        connector: i64,
        transaction: &Transaction,
        register_kwh: Option<f64>,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let energy_kwh = register_kwh.zip(transaction.from_kwh).map(|(until, from)| (until - from).max(0.0));
        if let Some(station) = &mut self.station {
            station.ends(connector);
        }
        self.needs.remove(&connector);
        self.draws_nothing();
        if !transaction.session.is_empty() {
            stays::end(&self.service, &self.site, &transaction.session, energy_kwh, at, now).await;
        } else if let Some(energy_kwh) = energy_kwh.filter(|kwh| *kwh > NOTHING_KWH) {
            // As when the charger was alone and let somebody in by what it remembered.
            stays::past(&self.service, &self.site, &self.charger, transaction.since, energy_kwh, at, now).await;
        }
    }
}

//! What follows from an answer, or from none.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Follows, HIGHEST_LEVEL, MOST_CONNECTORS, MOST_PERIODS, Once, Outcome, Place, Purpose, Station};
use crate::ocpp::composite::{self, Told};
use crate::ocpp::profiles::CHARGING;

impl Station {
    /// An answer has come.
    pub fn answered(&mut self, payload: &Value) -> Vec<Follows> {
        let Some((purpose, _)) = self.outstanding.take() else { return Vec::new() };
        let accepted = payload["status"] == "Accepted";
        let profile = matches!(purpose, Purpose::Setpoint { .. } | Purpose::Maximum(_) | Purpose::Fallback(_));
        if accepted && profile {
            self.book.takes(self.form.version, &self.sent, self.form.voltage_v);
        }
        match purpose {
            Purpose::Clear => self.clear = Once::DONE,
            Purpose::Setpoint { number, holds, place, last } => {
                if accepted {
                    if let Place::Charging(connector) = place {
                        self.composites.wanted = Some(connector);
                        if holds.updates.is_some() {
                            self.book.updates(CHARGING + connector, holds.amps, holds.since);
                        }
                    }
                    self.held.insert(place, holds);
                } else if holds.updates.is_some() {
                    self.takes_no_updates();
                    return Vec::new();
                } else {
                    self.held.remove(&place);
                    self.untold.clear();
                }
                // Of several places the last one speaks for all; one that was overtaken speaks for itself.
                let overtaken = self.setpoint.as_ref().is_some_and(|latest| latest.number != number);
                if !accepted || last || overtaken {
                    return vec![Follows::Setpoint { number, accepted }];
                }
            }
            // What has changed meanwhile is still to be told.
            Purpose::Maximum(base) | Purpose::Fallback(base) if accepted && base != self.base() => {}
            Purpose::Maximum(_) => Self::settled(&mut self.maximum, accepted),
            Purpose::Fallback(_) => {
                Self::settled(&mut self.fallback, accepted);
                // In a transaction a setpoint may hold that nobody knows of: one that was not answered, or another service's.
                if accepted && self.held.is_empty() && self.transactions.is_empty() {
                    return vec![Follows::Holds(self.highest_fallback_a())];
                }
            }
            Purpose::Capabilities => {
                self.capabilities = Once::DONE;
                self.can(payload);
            }
            Purpose::Composite { connector, lapses, asked } => {
                return self.composite(payload, connector, lapses, asked);
            }
            Purpose::Stop(id) => {
                if accepted {
                    self.stops.retain(|(known, _)| *known != id);
                }
            }
            Purpose::Setting | Purpose::Trigger => {}
            Purpose::Command(ticket) => return vec![Follows::Command(ticket, Outcome::Answered(payload.clone()))],
        }
        Vec::new()
    }

    /// It refuses what can be updated, or knows it no more: it is told profiles that stand by themselves, until it starts anew.
    fn takes_no_updates(&mut self) {
        self.dynamic = false;
        self.held.retain(|_, held| held.updates.is_none());
        self.tell_again();
    }

    fn settled(what: &mut Once, accepted: bool) {
        if accepted { *what = Once::DONE } else { what.failed() }
    }

    /// A call was refused with a code.
    pub fn refused(&mut self, code: &str) -> Vec<Follows> {
        self.failed(Outcome::Refused(code.to_owned()))
    }

    /// No answer has come in time. A setpoint may have arrived: the loop assumes what is safe, and says it again.
    pub fn unanswered(&mut self) -> Vec<Follows> {
        self.failed(Outcome::NoAnswer)
    }

    fn failed(&mut self, outcome: Outcome) -> Vec<Follows> {
        let Some((purpose, _)) = self.outstanding.take() else { return Vec::new() };
        match purpose {
            Purpose::Clear => self.clear.failed(),
            Purpose::Setpoint { holds, .. } if holds.updates.is_some() && matches!(outcome, Outcome::Refused(_)) => {
                self.takes_no_updates();
            }
            Purpose::Setpoint { number, place, .. } => {
                self.held.remove(&place);
                // Of several places the last one would speak for this one too.
                self.untold.clear();
                if matches!(outcome, Outcome::Refused(_)) {
                    return vec![Follows::Setpoint { number, accepted: false }];
                }
            }
            Purpose::Maximum(_) => self.maximum.failed(),
            Purpose::Fallback(_) => self.fallback.failed(),
            Purpose::Capabilities => self.capabilities.failed(),
            Purpose::Composite { .. } => {
                // It does not know the message; without an answer it is asked again.
                if matches!(outcome, Outcome::Refused(_)) {
                    self.composites.tells = false;
                    return vec![Follows::More(None)];
                }
            }
            Purpose::Setting | Purpose::Trigger | Purpose::Stop(_) => {}
            Purpose::Command(ticket) => return vec![Follows::Command(ticket, outcome)],
        }
        Vec::new()
    }

    /// What it tells that it holds, held against what it has taken. What it holds above that is told again.
    fn composite(
        &mut self,
        answer: &Value,
        connector: i64,
        lapses: DateTime<Utc>,
        asked: DateTime<Utc>,
    ) -> Vec<Follows> {
        let Some(transaction) = self.transactions.get(&connector).map(|known| known.id.clone()) else {
            return Vec::new();
        };
        let told = Told::of(self.form.version, answer, self.form.voltage_v).filter(|_| answer["status"] == "Accepted");
        let Some(told) = told else {
            self.composites.tells = false;
            return vec![Follows::More(None)];
        };
        let more = |at: DateTime<Utc>| {
            let should_a = self.book.limit_at(connector, &transaction, at)?;
            let more_a = told.more_than(should_a, (at - asked).num_seconds())?;
            Some((more_a, should_a))
        };
        if let Some((more_a, should_a)) = more(asked) {
            self.held.remove(&Place::Charging(connector));
            self.tell_again();
            let text = format!("it tells that it holds {more_a:.1} A where it has taken {should_a:.1} A");
            return vec![Follows::Holds(more_a), Follows::More(Some(text))];
        }
        let after = more(lapses + composite::SURELY_LAPSED).map(|(more_a, should_a)| {
            format!("it tells that it goes on with {more_a:.1} A when its limit lapses, where {should_a:.1} A is its fallback")
        });
        vec![Follows::More(after)]
    }

    /// What it says of itself: units, stack levels, periods, connectors.
    fn can(&mut self, payload: &Value) {
        let said = |name: &str| -> Option<String> {
            let keys = payload["configurationKey"].as_array().into_iter().flatten();
            let from_keys = keys.filter(|key| key["key"] == name).find_map(|key| key["value"].as_str());
            let results = payload["getVariableResult"].as_array().into_iter().flatten();
            let from_results = results
                .filter(|result| result["variable"]["name"] == name)
                .find_map(|result| result["attributeValue"].as_str());
            from_keys.or(from_results).map(str::to_owned)
        };
        let number = |name: &str| said(name).and_then(|value| value.trim().parse::<i64>().ok());
        let units = said("ChargingScheduleAllowedChargingRateUnit").or_else(|| said("RateUnit"));
        if let Some(units) = units {
            let has = |names: &[&str]| units.split(',').any(|unit| names.contains(&unit.trim()));
            self.said.watts = has(&["Power", "W"]) && !has(&["Current", "A"]);
        }
        if let Some(levels) = number("ChargeProfileMaxStackLevel").or_else(|| number("ProfileStackLevel")) {
            self.said.levels = levels.clamp(0, HIGHEST_LEVEL);
        }
        if let Some(periods) = number("ChargingScheduleMaxPeriods").or_else(|| number("PeriodsPerSchedule")) {
            self.said.periods = usize::try_from(periods.max(1)).unwrap_or(1).min(MOST_PERIODS);
        }
        self.dynamic = said("SupportsDynamicProfiles").is_some_and(|can| can.trim().eq_ignore_ascii_case("true"));
        let connectors = number("NumberOfConnectors")
            .filter(|count| usize::try_from(*count).is_ok_and(|count| count <= MOST_CONNECTORS));
        (1..=connectors.unwrap_or(0)).for_each(|connector| self.has(connector));
        self.reshape();
    }
}

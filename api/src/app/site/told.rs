//! What a charger was told, and what it may hold because of it.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::site::Hourly;
use kwartier_engine::control::Event;
use kwartier_engine::control::command::{self, Why};
use kwartier_engine::control::setup::Setup;
use uuid::Uuid;

use crate::app::effect::Held;
use crate::resource::setpoint::{Setpoint, Trace};

/// What a device was told.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The last setpoint.
    pub last: Option<Setpoint>,
    /// The most that it may hold, in A per phase: the last that it confirmed, and all that it was given since; `None`, it has
    /// confirmed nothing that is known.
    pub most_a: Option<f64>,
    /// What it confirmed last, and when.
    pub confirmed: Option<(f64, DateTime<Utc>)>,
    /// What it has stored for when it is alone, in A per phase; `None`, it has not told.
    pub fallback_a: Option<Hourly>,
    /// Whether something of it has changed that is to be kept.
    pub dirty: bool,
}

impl Told {
    /// What is kept of a device from before. What has lapsed meanwhile is not held any more.
    pub fn kept(held: &Held, now: DateTime<Utc>) -> Told {
        let lapsed = now > held.valid_until + TimeDelta::seconds(LATE_S);
        Told {
            last: None,
            most_a: Some(if lapsed { 0.0 } else { held.limit_a }),
            confirmed: held.confirmed,
            fallback_a: held.fallback_a.clone(),
            dirty: false,
        }
    }

    /// It is given a setpoint.
    pub fn give(&mut self, setpoint: Setpoint) {
        self.most_a = self.most_a.map(|most_a| most_a.max(setpoint.limit_a));
        self.last = Some(setpoint);
        self.dirty = true;
    }

    /// It has confirmed a setpoint. The last one is all that it holds then.
    pub fn confirm(&mut self, number: u64, now: DateTime<Utc>) -> Option<&Setpoint> {
        let last = self.last.as_mut().filter(|last| last.number == number)?;
        last.trace.confirmed = Some(now);
        self.most_a = Some(last.limit_a);
        self.confirmed = Some((last.limit_a, now));
        self.dirty = true;
        self.last.as_ref()
    }

    /// Somebody who passes its setpoints on has taken them up to a number. Its own last number, where that was among them, and
    /// it has never confirmed anything itself.
    pub fn take(&mut self, number: u64, now: DateTime<Utc>) -> Option<u64> {
        let last = self.last.as_mut().filter(|last| last.number <= number && last.trace.taken.is_none())?;
        if self.confirmed.is_some() {
            return None;
        }
        last.trace.taken = Some(now);
        self.most_a = Some(last.limit_a);
        self.dirty = true;
        Some(last.number)
    }

    /// It says itself what it holds.
    pub fn holds(&mut self, amps: f64, now: DateTime<Utc>) {
        self.dirty |= self.most_a != Some(amps);
        self.most_a = Some(amps);
        self.confirmed = Some((amps, now));
    }

    /// It says itself what it has stored for when it is alone.
    pub fn stores(&mut self, by_hour_a: &[f64; 24]) {
        let fallback_a = Some(Hourly::of(by_hour_a));
        self.dirty |= self.fallback_a != fallback_a;
        self.fallback_a = fallback_a;
    }

    /// It may have stored this as well; at other hours, where those that are known are of another zone.
    pub fn may_store(&mut self, by_hour_a: Option<&[f64; 24]>, same_hours: bool) {
        let told = self.fallback_a.as_ref().map(Hourly::by_hour);
        let all: Vec<[f64; 24]> = told.into_iter().chain(by_hour_a.copied()).collect();
        let highest_a = |hour: usize| all.iter().map(|by_hour_a| by_hour_a[hour]).fold(0.0, f64::max);
        let mut by_hour_a: [f64; 24] = std::array::from_fn(highest_a);
        if !same_hours {
            by_hour_a = [by_hour_a.into_iter().fold(0.0, f64::max); 24];
        }
        if !all.is_empty() {
            self.stores(&by_hour_a);
        }
    }

    /// What a loop that does not know the device is told of it: it was connected, may hold so much, and has stored this.
    pub fn again(&self, device: usize) -> impl Iterator<Item = Event> + use<> {
        let holds = |amps| [Event::Link { device, up: true }, Event::Holds { device, amps: Some(amps) }];
        let stores = self.fallback_a.as_ref().map(|by_hour_a| Event::Stores { device, by_hour_a: by_hour_a.by_hour() });
        self.most_a.map(holds).into_iter().flatten().chain(stores)
    }

    /// What is to be kept of it.
    pub fn held(&self, rating_a: f64, session: Option<(String, f64)>) -> Option<Held> {
        let last = self.last.as_ref()?;
        Some(Held {
            number: last.number,
            limit_a: self.most_a.unwrap_or(rating_a),
            valid_until: last.valid_until,
            confirmed: self.confirmed,
            fallback_a: self.fallback_a.clone(),
            session,
        })
    }
}

/// A device may apply a setpoint so much later than it was given out, in s, and so hold it longer.
const LATE_S: i64 = 20;

/// A setpoint as it is given out.
pub fn setpoint(
    setup: &Setup,
    command: &command::Setpoint,
    number: u64,
    plan: Option<Uuid>,
    now: DateTime<Utc>,
) -> Setpoint {
    let device = &setup.devices[command.device];
    // Of a vehicle of which nothing is known yet nothing is chosen: as many as the charger has.
    let phases = if command.phases == 0 { u8::try_from(device.phases.len()).unwrap_or(3) } else { command.phases };
    #[expect(clippy::cast_possible_truncation, reason = "minutes")]
    let valid_until = now + TimeDelta::milliseconds((command.valid_s * 1000.0) as i64);
    Setpoint {
        number,
        charger: device.id.clone(),
        limit_a: command.amps,
        phases,
        phase: command.phase.map(|own| own + 1),
        limit_w: command.amps * setup.voltage_v * f64::from(phases),
        at: now,
        valid_until,
        then_a: device.fallback_a.map(|hours| hours[setup.hour(valid_until)]),
        trace: Trace {
            why: command.why.word().to_owned(),
            plan: plan.filter(|_| command.why == Why::Plan),
            taken: None,
            confirmed: None,
        },
    }
}

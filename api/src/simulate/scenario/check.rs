//! Numbers of a scenario that mean nothing: negative lengths, probabilities above 1, cars on seven phases. Each is refused with
//! its place and the range it may be in, before anything is played.

use std::ops::RangeInclusive;

use kwartier_engine::plant::world::{Car, Charger, MeterFault, Noise};

use super::{Building, Prices, Scenario, Sessions, SignalWhat, Source, Sun, What};
use crate::cli::failure::Failure;

/// A share, or a probability.
const SHARE: RangeInclusive<f64> = 0.0..=1.0;
/// A length in s, up to a day.
const LENGTH_S: RangeInclusive<f64> = 0.0..=86_400.0;
/// A length in s that is not nothing.
const SOME_S: RangeInclusive<f64> = 1.0..=86_400.0;
/// A current that no site is too large for, in A.
const AMPS: RangeInclusive<f64> = 0.0..=100_000.0;
/// A current in either direction, in A.
const ANY_AMPS: RangeInclusive<f64> = -100_000.0..=100_000.0;
/// How often something happens, in times a day.
const OFTEN: RangeInclusive<f64> = 0.0..=1_000.0;
/// A price in EUR/kWh.
const PRICE: RangeInclusive<f64> = -100.0..=100.0;
/// Power in kW.
const POWER_KW: RangeInclusive<f64> = 0.0..=1e6;

/// Whether all numbers of a scenario mean something.
pub fn check(scenario: &Scenario, source: &Source) -> Result<(), Failure> {
    let checks = Checks { source };
    checks.policy(scenario)?;
    checks.series(scenario)?;
    checks.visits(scenario)?;
    checks.hardware(scenario)?;
    checks.faults(scenario)?;
    checks.signals(scenario)
}

struct Checks<'a> {
    source: &'a Source,
}

impl Checks<'_> {
    fn within(&self, path: &str, value: f64, range: RangeInclusive<f64>) -> Result<(), Failure> {
        if range.contains(&value) {
            return Ok(());
        }
        let wrong = format!("is not from {} to {}; write a number within", range.start(), range.end());
        Err(self.source.wrong(path, &value.to_string(), &wrong))
    }

    fn all<const N: usize>(&self, path: &str, values: [(&str, f64, RangeInclusive<f64>); N]) -> Result<(), Failure> {
        values.into_iter().try_for_each(|(key, value, range)| self.within(&format!("{path}.{key}"), value, range))
    }

    fn each(&self, path: &str, values: &[f64], range: &RangeInclusive<f64>) -> Result<(), Failure> {
        values.iter().enumerate().try_for_each(|(k, value)| self.within(&format!("{path}[{k}]"), *value, range.clone()))
    }

    fn policy(&self, scenario: &Scenario) -> Result<(), Failure> {
        let policy = &scenario.policy;
        let control = &policy.control;
        self.all(
            "policy",
            [
                ("replan_minutes", f64::from(policy.replan_minutes), 1.0..=1440.0),
                ("horizon_h", policy.horizon_h, 1.0..=48.0),
                ("gap", policy.gap, SHARE),
                ("risk", policy.risk, 0.05..=0.95),
            ],
        )?;
        self.all(
            "policy.control",
            [
                ("margin_a", control.margin_a, 0.0..=1_000.0),
                ("meter_timeout_s", control.meter_timeout_s, SOME_S),
                ("answer_timeout_s", control.answer_timeout_s, SOME_S),
                ("renew_s", control.renew_s, SOME_S),
                ("turn_s", control.turn_s, LENGTH_S),
                ("pause_s", control.pause_s, LENGTH_S),
                ("raise_every_s", control.raise_every_s, LENGTH_S),
                ("deadband_a", control.deadband_a, 0.0..=32.0),
            ],
        )
    }

    fn series(&self, scenario: &Scenario) -> Result<(), Failure> {
        match &scenario.prices {
            Some(Prices::Hours { eur_kwh }) => self.each("prices.eur_kwh", eur_kwh, &PRICE)?,
            Some(Prices::Generated { mean_eur_kwh, spread_eur_kwh }) => self.all(
                "prices",
                [("mean_eur_kwh", *mean_eur_kwh, PRICE), ("spread_eur_kwh", *spread_eur_kwh, 0.0..=100.0)],
            )?,
            Some(Prices::File { .. }) | None => {}
        }
        for (k, building) in scenario.building.iter().enumerate() {
            let path = format!("building[{k}]");
            let noise = match building {
                Building::File { noise, .. } => noise,
                Building::Hours { l1, l2, l3, noise, .. } => {
                    let phases = [("l1", Some(l1)), ("l2", l2.as_ref()), ("l3", l3.as_ref())];
                    for (key, amps) in phases {
                        self.each(&format!("{path}.{key}"), amps.map_or(&[][..], |amps| &amps[..]), &ANY_AMPS)?;
                    }
                    noise
                }
                Building::Generated { annual_kwh, unbalance, noise, .. } => {
                    self.all(&path, [("annual_kwh", *annual_kwh, 0.0..=1e9), ("unbalance", *unbalance, -1.0..=1.0)])?;
                    noise
                }
            };
            self.noise(&path, noise)?;
        }
        for (k, sun) in scenario.pv.iter().enumerate() {
            let path = format!("pv[{k}]");
            let noise = match sun {
                Sun::File { noise, .. } => noise,
                Sun::Generated { clearness, noise, .. } => {
                    self.all(&path, [("clearness", *clearness, SHARE)])?;
                    noise
                }
            };
            self.noise(&path, noise)?;
        }
        Ok(())
    }

    fn noise(&self, path: &str, noise: &Noise) -> Result<(), Failure> {
        self.all(
            &format!("{path}.noise"),
            [
                ("sigma", noise.sigma, SHARE),
                ("correlation_s", noise.correlation_s, LENGTH_S),
                ("motors_per_h", noise.motors_per_h, 0.0..=3_600.0),
                ("motor_a", noise.motor_a, AMPS),
                ("motor_s", noise.motor_s, LENGTH_S),
            ],
        )
    }

    fn visits(&self, scenario: &Scenario) -> Result<(), Failure> {
        match &scenario.sessions {
            Sessions::Generated { per_day, .. } => self.all("sessions", [("per_day", *per_day, 0.0..=100_000.0)])?,
            Sessions::Observed { per_day, sleepers, .. } => {
                self.all("sessions", [("per_day", *per_day, 0.0..=100_000.0), ("sleepers", *sleepers, SHARE)])?;
            }
            Sessions::None | Sessions::Roster { .. } | Sessions::History { .. } => {}
        }
        let told = &scenario.told;
        self.all(
            "told",
            [
                ("phases", told.phases, SHARE),
                ("need", told.need, SHARE),
                ("need_error", told.need_error, 0.0..=3.0),
                ("departure", told.departure, SHARE),
                ("departure_error_min", told.departure_error_min, 0.0..=1_440.0),
                ("no_show", told.no_show, SHARE),
                ("early", told.early, SHARE),
                ("early_by", told.early_by, SHARE),
            ],
        )?;
        for (k, stay) in scenario.stays.iter().enumerate() {
            let path = format!("stays[{k}]");
            self.car(&format!("{path}.car"), &stay.car)?;
            let most_kwh = stay.car.capacity_kwh / stay.car.efficiency;
            self.all(&path, [("need_kwh", stay.need_kwh, 0.0..=most_kwh), ("soc", stay.soc.unwrap_or(0.0), SHARE)])?;
        }
        for (k, kind) in scenario.cars.iter().enumerate() {
            self.all(&format!("cars[{k}]"), [("share", kind.share, 0.0..=1e9)])?;
            self.car(&format!("cars[{k}].car"), &kind.car)?;
        }
        if !scenario.cars.is_empty() && scenario.cars.iter().all(|kind| kind.share <= 0.0) {
            return Err(self.source.wrong("cars", "", "are none of any kind; give at least one a share above 0"));
        }
        Ok(())
    }

    fn car(&self, path: &str, car: &Car) -> Result<(), Failure> {
        self.all(
            path,
            [
                ("phases", f64::from(car.phases), 1.0..=3.0),
                ("min_a", car.min_a, 6.0..=1_000.0),
                ("max_a", car.max_a, car.min_a..=1_000.0),
                ("capacity_kwh", car.capacity_kwh, 0.5..=5_000.0),
                ("efficiency", car.efficiency, 0.1..=1.0),
                ("own_kw", car.own_kw, 0.0..=5.0),
                ("taper_from_soc", car.taper_from_soc, SHARE),
                ("reaction_s", car.reaction_s, 0.0..=60.0),
                ("ramp_a_s", car.ramp_a_s, 0.0..=1_000.0),
                ("sleeps_after_s", car.sleeps_after_s.unwrap_or(1.0), SOME_S),
                ("wakes_at_step", car.wakes_at_step.map_or(1.0, f64::from), 1.0..=10.0),
                ("max_discharge_a", car.max_discharge_a, 0.0..=1_000.0),
            ],
        )
    }

    fn hardware(&self, scenario: &Scenario) -> Result<(), Failure> {
        for (k, entry) in scenario.chargers.iter().enumerate() {
            self.charger(&format!("chargers[{k}].behaviour"), &entry.behaviour)?;
        }
        for (k, entry) in scenario.meters.iter().enumerate() {
            let behaviour = &entry.behaviour;
            self.all(
                &format!("meters[{k}].behaviour"),
                [
                    ("clock_s", behaviour.clock_s, -86_400.0..=86_400.0),
                    ("resolution_a", behaviour.resolution_a, 0.0..=100.0),
                    ("latency_s", behaviour.latency_s, 0.0..=600.0),
                ],
            )?;
        }
        Ok(())
    }

    fn charger(&self, path: &str, charger: &Charger) -> Result<(), Failure> {
        self.all(
            path,
            [
                ("latency_s", charger.latency_s, 0.0..=3_600.0),
                ("command_loss", charger.command_loss, SHARE),
                ("answer_loss", charger.answer_loss, SHARE),
                ("reject", charger.reject, SHARE),
                ("meter_every_s", charger.meter_every_s.unwrap_or(1.0), SOME_S),
                ("overdraws_a", charger.overdraws_a, 0.0..=1_000.0),
                ("rounds_down_to_a", charger.rounds_down_to_a, 0.0..=1_000.0),
                ("expires_after_s", charger.expires_after_s.unwrap_or(1.0), SOME_S),
                ("boot_s", charger.boot_s, LENGTH_S),
            ],
        )
    }

    fn faults(&self, scenario: &Scenario) -> Result<(), Failure> {
        for (k, fault) in scenario.faults.iter().enumerate() {
            let path = format!("faults[{k}].what");
            match &fault.what {
                What::Meter { how: MeterFault::Scaled { by }, .. } => {
                    self.all(&path, [("how.scaled.by", *by, -1e6..=1e6)])?;
                }
                What::Meter { how: MeterFault::Late { by_s }, .. } => {
                    self.all(&path, [("how.late.by_s", *by_s, LENGTH_S)])?;
                }
                What::Link { noticed_after_s, .. } => {
                    self.all(&path, [("noticed_after_s", *noticed_after_s, LENGTH_S)])?;
                }
                What::Overdraws { by_a, .. } => self.all(&path, [("by_a", *by_a, 0.0..=1_000.0)])?,
                What::Slow { latency_s, .. } => self.all(&path, [("latency_s", *latency_s, 0.0..=3_600.0)])?,
                What::Building { amps, .. } => self.each(&format!("{path}.amps"), amps, &ANY_AMPS)?,
                What::Pv { share, .. } => self.all(&path, [("share", *share, SHARE)])?,
                What::Clock { jump_s, drift_ppm } => self
                    .all(&path, [("jump_s", *jump_s, -1e6..=1e6), ("drift_ppm", *drift_ppm, -100_000.0..=100_000.0)])?,
                What::Meter { .. }
                | What::Reboot { .. }
                | What::Ignores { .. }
                | What::Rejects { .. }
                | What::Restart => {}
            }
        }
        let chance = &scenario.chance;
        self.all(
            "chance",
            [
                ("minutes", chance.minutes, 0.0..=10_000.0),
                ("meter_per_day", chance.meter_per_day, OFTEN),
                ("link_per_day", chance.link_per_day, OFTEN),
                ("link_all_per_day", chance.link_all_per_day, OFTEN),
                ("reboot_per_day", chance.reboot_per_day, OFTEN),
                ("ignores_per_day", chance.ignores_per_day, OFTEN),
                ("rejects_per_day", chance.rejects_per_day, OFTEN),
                ("overdraws_per_day", chance.overdraws_per_day, OFTEN),
                ("slow_per_day", chance.slow_per_day, OFTEN),
                ("building_per_day", chance.building_per_day, OFTEN),
                ("pv_per_day", chance.pv_per_day, OFTEN),
                ("restart_per_day", chance.restart_per_day, OFTEN),
                ("clock_per_day", chance.clock_per_day, OFTEN),
            ],
        )
    }

    fn signals(&self, scenario: &Scenario) -> Result<(), Failure> {
        for (k, signal) in scenario.signals.iter().enumerate() {
            let path = format!("signals[{k}].what");
            match &signal.what {
                SignalWhat::Board { amps, kw, quarter_kw, .. } => {
                    self.each(&format!("{path}.amps"), amps.as_ref().map_or(&[][..], |amps| &amps[..]), &AMPS)?;
                    self.all(
                        &path,
                        [("kw", kw.unwrap_or(0.0), POWER_KW), ("quarter_kw", quarter_kw.unwrap_or(0.0), POWER_KW)],
                    )?;
                }
                SignalWhat::Emergency { amps, kw, .. } => {
                    self.each(&format!("{path}.amps"), amps.as_ref().map_or(&[][..], |amps| &amps[..]), &AMPS)?;
                    self.all(&path, [("kw", kw.unwrap_or(0.0), POWER_KW)])?;
                }
                SignalWhat::Devices { kw, .. } => self.all(&path, [("kw", kw.unwrap_or(0.0), POWER_KW)])?,
                SignalWhat::AtMost { amps, .. } => self.all(&path, [("amps", *amps, AMPS)])?,
                SignalWhat::Boost { .. } | SignalWhat::Stop { .. } => {}
            }
        }
        Ok(())
    }
}

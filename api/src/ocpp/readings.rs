//! Meter values of all versions: what a vehicle draws on each of its charger's phases, and the energy register.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// What meter values say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// When it was so, by the charger's clock.
    pub at: Option<DateTime<Utc>>,
    /// On the charger's own L1, L2, L3 in A, import positive.
    pub phases_a: Option<[f64; 3]>,
    /// The energy register in kWh.
    pub register_kwh: Option<f64>,
    /// The register of what was fed in, in kWh.
    pub exported_kwh: Option<f64>,
}

/// What is known of who draws, for what a charger leaves out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws {
    /// On how many phases the vehicle charges, where that is known.
    pub phases: Option<u8>,
    /// On how many the charger is connected.
    pub connected: u8,
    /// Voltage between phase and neutral in V.
    pub voltage_v: f64,
}

/// No meter shows more than this, in A and kWh.
const MOST_A: f64 = 10_000.0;
const MOST_KWH: f64 = 1e9;

/// What of all power must be in the phases named; else the rest is on those that are not.
const NAMED: f64 = 0.8;

#[derive(Debug, Default)]
struct Sums {
    amps: [Option<f64>; 3],
    watts: [Option<f64>; 3],
    volts: [Option<f64>; 3],
    each_a: Option<f64>,
    all_w: Option<f64>,
    register_wh: Option<f64>,
    phase_wh: [Option<f64>; 3],
    exported_wh: Option<f64>,
}

/// Reads the latest of an array of meter values (`meterValue`).
pub fn latest(values: &Value, draws: Draws) -> Reading {
    let mut reading = Reading::default();
    for value in values.as_array().into_iter().flatten() {
        let at = value["timestamp"].as_str().and_then(|at| at.parse().ok());
        let one = read(&value["sampledValue"], draws);
        if at < reading.at {
            continue;
        }
        reading.at = at;
        reading.phases_a = one.phases_a.or(reading.phases_a);
        reading.register_kwh = one.register_kwh.or(reading.register_kwh);
        reading.exported_kwh = one.exported_kwh.or(reading.exported_kwh);
    }
    reading
}

fn read(samples: &Value, draws: Draws) -> Reading {
    let mut sums = Sums::default();
    for sample in samples.as_array().into_iter().flatten() {
        // What stands at the grid side, inside the vehicle or in the housing is not what is drawn.
        let elsewhere = matches!(sample["location"].as_str(), Some("Inlet" | "EV" | "Body" | "Upstream"));
        if elsewhere || sample["format"] == "SignedData" {
            continue;
        }
        if let Some(value) = number(sample) {
            sums.take(sample, value);
        }
    }
    let phases_a = sums.phases_a(draws);
    let register_wh = sums.register_wh.or_else(|| {
        let known = sums.phase_wh.iter().flatten();
        (known.clone().count() > 0).then(|| known.sum())
    });
    Reading {
        at: None,
        phases_a: phases_a.filter(|amps| amps.iter().all(|amps| amps.is_finite() && amps.abs() < MOST_A)),
        register_kwh: kwh(register_wh),
        exported_kwh: kwh(sums.exported_wh),
    }
}

fn kwh(register_wh: Option<f64>) -> Option<f64> {
    register_wh.map(|wh| wh / 1000.0).filter(|kwh| (0.0..MOST_KWH).contains(kwh))
}

/// The value of a sample in A, W, V or Wh.
fn number(sample: &Value) -> Option<f64> {
    let value = match &sample["value"] {
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        other => other.as_f64()?,
    };
    let unit = sample["unit"].as_str().or_else(|| sample["unitOfMeasure"]["unit"].as_str());
    let tens = i32::try_from(sample["unitOfMeasure"]["multiplier"].as_i64().unwrap_or(0).clamp(-12, 12)).unwrap_or(0);
    let thousand = if matches!(unit, Some("kW" | "kWh" | "kVA")) { 1000.0 } else { 1.0 };
    Some(value * thousand * 10_f64.powi(tens)).filter(|value| value.is_finite())
}

impl Sums {
    fn take(&mut self, sample: &Value, value: f64) {
        let phase = match sample["phase"].as_str() {
            Some("L1" | "L1-N") => Some(0),
            Some("L2" | "L2-N") => Some(1),
            Some("L3" | "L3-N") => Some(2),
            // Of the neutral, or between two phases.
            Some(_) => return,
            None => None,
        };
        let measurand = sample["measurand"].as_str().unwrap_or("Energy.Active.Import.Register");
        match (measurand, phase) {
            ("Current.Import", Some(phase)) => add(&mut self.amps[phase], value),
            ("Current.Import", None) => self.each_a = Some(value),
            ("Current.Export", Some(phase)) if value != 0.0 => add(&mut self.amps[phase], -value),
            ("Current.Export", None) if value != 0.0 => self.each_a = Some(-value),
            ("Power.Active.Import", Some(phase)) => add(&mut self.watts[phase], value),
            ("Power.Active.Import", None) => add(&mut self.all_w, value),
            ("Power.Active.Export", Some(phase)) if value != 0.0 => add(&mut self.watts[phase], -value),
            ("Power.Active.Export", None) if value != 0.0 => add(&mut self.all_w, -value),
            ("Voltage", Some(phase)) => self.volts[phase] = Some(value).filter(|volts| *volts > 50.0),
            ("Energy.Active.Import.Register", None) => self.register_wh = Some(value),
            ("Energy.Active.Import.Register", Some(phase)) => self.phase_wh[phase] = Some(value),
            ("Energy.Active.Export.Register", None) => self.exported_wh = Some(value),
            _ => {}
        }
    }

    fn phases_a(&self, draws: Draws) -> Option<[f64; 3]> {
        let volts = |phase: usize| self.volts[phase].unwrap_or(draws.voltage_v);
        let count = usize::from(draws.phases.unwrap_or(draws.connected).clamp(1, 3));
        let mut amps = self.amps;
        if amps.iter().all(Option::is_none) {
            for phase in 0..3 {
                amps[phase] = self.watts[phase].map(|watts| watts / volts(phase));
            }
        }
        if amps.iter().any(Option::is_some) {
            let named: f64 = (0..3).filter_map(|phase| amps[phase].map(|amps| amps * volts(phase))).sum();
            let missing: Vec<usize> = (0..count).filter(|&phase| amps[phase].is_none()).collect();
            // What is in no phase that is named flows in the others.
            if let Some(all_w) = self.all_w.filter(|all_w| !missing.is_empty() && named < NAMED * all_w) {
                #[expect(clippy::cast_precision_loss, reason = "at most 3")]
                let each_w = (all_w - named) / missing.len() as f64;
                for &phase in &missing {
                    amps[phase] = Some(each_w / volts(phase));
                }
            }
            return Some(amps.map(Option::unwrap_or_default));
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 3")]
        let each_a = self.each_a.or_else(|| self.all_w.map(|all_w| all_w / (count as f64 * draws.voltage_v)))?;
        Some(std::array::from_fn(|phase| if phase < count { each_a } else { 0.0 }))
    }
}

fn add(sum: &mut Option<f64>, value: f64) {
    *sum = Some(sum.unwrap_or(0.0) + value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DRAWS: Draws = Draws { phases: None, connected: 3, voltage_v: 230.0 };

    fn reads(samples: &Value) -> Reading {
        latest(&json!([{ "timestamp": "2026-01-01T00:00:00Z", "sampledValue": samples }]), DRAWS)
    }

    #[test]
    fn currents_powers_and_registers_are_read_in_every_unit() {
        let read = reads(&json!([
            { "value": "10.5", "measurand": "Current.Import", "phase": "L1", "unit": "A" },
            { "value": 9, "measurand": "Current.Import", "phase": "L2-N" },
            { "value": "1.5", "measurand": "Energy.Active.Import.Register", "unit": "kWh" },
            { "value": "32", "measurand": "Current.Offered" },
            { "value": "3", "measurand": "Current.Import", "phase": "N" },
            { "value": "99", "measurand": "Current.Import", "phase": "L1", "location": "Inlet" },
        ]));
        assert_eq!(read.phases_a, Some([10.5, 9.0, 0.0]));
        assert_eq!(read.register_kwh, Some(1.5));
        let fed = json!([
            { "value": 2.5, "measurand": "Energy.Active.Export.Register", "unitOfMeasure": { "unit": "kWh" } },
        ]);
        assert_eq!((reads(&fed).register_kwh, reads(&fed).exported_kwh), (None, Some(2.5)));
        // What has no measurand is the register (1.6, 7.31).
        assert_eq!(reads(&json!([{ "value": "1234" }])).register_kwh, Some(1.234));
        let read =
            reads(&json!([{ "value": 6.9, "measurand": "Power.Active.Import", "unitOfMeasure": { "unit": "kW" } }]));
        assert_eq!(read.phases_a, Some([10.0; 3]));
        let power = json!({ "value": 23, "measurand": "Power.Active.Import", "phase": "L3", "unitOfMeasure": { "multiplier": 2 } });
        assert_eq!(reads(&json!([power])).phases_a, Some([0.0, 0.0, 10.0]));
    }

    #[test]
    fn what_is_in_no_phase_that_is_named_flows_in_the_others() {
        let one = json!({ "value": "10", "measurand": "Current.Import", "phase": "L1" });
        let all = json!({ "value": "6900", "measurand": "Power.Active.Import" });
        assert_eq!(reads(&json!([one, all])).phases_a, Some([10.0; 3]));
        let all = json!({ "value": "2300", "measurand": "Power.Active.Import" });
        assert_eq!(reads(&json!([one, all])).phases_a, Some([10.0, 0.0, 0.0]));
    }

    #[test]
    fn nonsense_is_no_reading() {
        for value in [json!("NaN"), json!("1e999"), json!("much"), json!(null), json!("1000000")] {
            let read = reads(&json!([{ "value": value, "measurand": "Current.Import", "phase": "L1" }]));
            assert_eq!(read.phases_a, None, "{value}");
        }
        assert_eq!(latest(&json!("no array"), DRAWS), Reading::default());
    }
}

//! What grid operators and people say, as events for the fast loop.

use chrono::{DateTime, Utc};
use kwartier_engine::control::event::{Action, Emergency, Event, Limit, Scope, Signal};
use kwartier_engine::control::setup::{Kind, Setup};

use super::scenario::{Scenario, SignalWhat, Source, Times};
use super::world::{device, devices, node};
use crate::cli::failure::Failure;

/// Least power in kW that a single point is left with (§14a `EnWG`, `BNetzA` BK6-22-300, 4.4).
const SECTION_14A_KW: f64 = 4.2;

/// All events of a scenario, in their order in time.
pub fn signals(
    scenario: &Scenario,
    source: &Source,
    setup: &Setup,
    times: Times,
    end: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Event)>, Failure> {
    let mut all = Vec::new();
    for (k, signal) in scenario.signals.iter().enumerate() {
        let path = |key: &str| format!("signals[{k}].{key}");
        let at = |key: &str, text: &String| times.at(text).map_err(|wrong| source.wrong(&path(key), text, &wrong));
        let from = at("from", &signal.from)?;
        let until = signal.until.as_ref().map(|text| at("until", text)).transpose()?;
        if let (true, Some(text)) = (until.is_some_and(|until| until <= from), &signal.until) {
            let wrong = "is not after the beginning; write +1 behind it for the day after the start";
            return Err(source.wrong(&path("until"), text, wrong));
        }
        let limit = |on, limit| Event::Signal(Signal { id: format!("signal {}", k + 1), on, limit, from, until });
        let over = |name: &str, action| {
            let device = device(source, setup, &path("what.device"), name)?;
            Ok::<Event, Failure>(Event::Override { device, action: Some(action), until: until.unwrap_or(end) })
        };
        let event = match &signal.what {
            SignalWhat::Board { board, amps, kw, quarter_kw } => {
                let height = match (amps, kw, quarter_kw) {
                    (Some(amps), None, None) => Limit::Amps(*amps),
                    (None, Some(kw), None) => Limit::Power(*kw),
                    (None, None, Some(kw)) => Limit::Quarter(*kw),
                    _ => {
                        let wrong = "names no limit, or several; write one of amps, kw and quarter_kw";
                        return Err(source.wrong(&path("what"), "", wrong));
                    }
                };
                limit(Scope::Node(node(source, setup, &path("what.board"), board)?), height)
            }
            SignalWhat::Emergency { board, amps, kw, priority } => {
                if amps.is_none() && kw.is_none() {
                    let wrong = "names no power; write kw, or amps, or both";
                    return Err(source.wrong(&path("what"), "", wrong));
                }
                let supply = Emergency::of(*amps, *kw, *priority, setup.voltage_v);
                limit(Scope::Node(node(source, setup, &path("what.board"), board)?), Limit::Emergency(supply))
            }
            SignalWhat::Devices { devices: names, kw } => {
                let devices = devices(source, setup, &path("what.devices"), names, true)?;
                let points = devices.iter().filter(|&&k| setup.devices[k].kind == Kind::Station).count();
                limit(Scope::Devices(devices), Limit::Power(kw.unwrap_or_else(|| section_14a_kw(points))))
            }
            SignalWhat::Boost { device } => over(device, Action::Boost)?,
            SignalWhat::Stop { device } => over(device, Action::Stop)?,
            SignalWhat::AtMost { device, amps } => over(device, Action::AtMost(*amps))?,
        };
        all.push((from, event));
    }
    all.sort_by_key(|(at, _)| *at);
    Ok(all)
}

/// What §14a `EnWG` leaves so many points behind one energy management system: 4.2 kW for the first, and for each other one
/// that much times a factor of simultaneity (`BNetzA` BK6-22-300, annex 1, 4.5.2): 24 points get 47.7 kW.
pub fn section_14a_kw(points: usize) -> f64 {
    let factor = match points {
        0..=2 => 0.8,
        3 => 0.75,
        4 => 0.7,
        5 => 0.65,
        6 => 0.6,
        7 => 0.55,
        8 => 0.5,
        _ => 0.45,
    };
    SECTION_14A_KW * (1.0 + points.saturating_sub(1) as f64 * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_four_points_get_47_7_kw() {
        assert!((section_14a_kw(24) - 47.67).abs() < 1e-9);
        assert!((section_14a_kw(1) - 4.2).abs() < 1e-9);
    }
}

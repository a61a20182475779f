//! What is written down while the days go by, from the truth: how near every fuse came, what went through the meter, and
//! what each fault did.

use chrono::{DateTime, TimeDelta, Utc};

use super::judge::Judges;
use super::trace::Trace;
use super::truth::{Truth, Watcher};
use super::world::Fault;
use crate::control::command::Why;
use crate::control::event::Event;
use crate::control::setup::{Kind, Setup};

/// Length of a quarter-hour in s.
const QUARTER_S: i64 = 900;

/// How long after its end a fault may still show.
pub const AFTERMATH: TimeDelta = TimeDelta::minutes(10);

/// The highest current of a phase of a board.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Peak {
    /// In A, by amount.
    pub amps: f64,
    /// When it began.
    pub at: Option<DateTime<Utc>>,
    /// For how long the phase was above its limit, in s, building alone or not.
    pub over_s: f64,
}

/// Where a phase came nearest to its limit, or went furthest beyond it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worst {
    /// Current less limit in A; below 0, so much was left.
    pub over_a: f64,
    /// The board.
    pub node: usize,
    /// The phase.
    pub phase: usize,
}

/// What was seen of a fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended.
    pub until: DateTime<Utc>,
    /// The worst while it lasted.
    pub during: Option<Worst>,
    /// The worst after it, for [`AFTERMATH`].
    pub after: Option<Worst>,
    /// Setpoints sent from its beginning to its aftermath's end.
    pub setpoints: u32,
    /// Energy that vehicles got in that time in kWh.
    pub energy_kwh: f64,
    /// When everything was as usual again.
    pub normal_at: Option<DateTime<Utc>>,
}

/// What is written down.
pub struct Record<'s> {
    setup: &'s Setup,
    start: DateTime<Utc>,
    /// By board and phase.
    pub peaks: Vec<[Peak; 3]>,
    /// The largest difference of phases by board, and when.
    pub spreads: Vec<(f64, Option<DateTime<Utc>>)>,
    /// Energy through the grid connection by quarter-hour in kWh, import positive.
    pub quarters_kwh: Vec<f64>,
    /// One for each fault.
    pub windows: Vec<Window>,
    /// All changes.
    pub trace: Trace,
    /// The setpoints sent last, by device: A per phase, and what decided them.
    pub setpoints: Vec<Option<(f64, Why)>>,
    /// How many were sent.
    pub sent: u64,
    /// How many of them changed anything.
    pub changes: u64,
    /// Who judges; handed on at the end.
    pub judges: Option<Judges>,
}

impl<'s> Record<'s> {
    /// Nothing yet.
    pub fn new(setup: &'s Setup, start: DateTime<Utc>, faults: &[Fault], judges: Judges) -> Record<'s> {
        let window = |fault: &Fault| Window {
            from: fault.from,
            until: fault.until,
            during: None,
            after: None,
            setpoints: 0,
            energy_kwh: 0.0,
            normal_at: None,
        };
        Record {
            setup,
            start,
            peaks: vec![[Peak::default(); 3]; setup.nodes.len()],
            spreads: vec![(0.0, None); setup.nodes.len()],
            quarters_kwh: Vec::new(),
            windows: faults.iter().map(window).collect(),
            trace: Trace::new(setup),
            setpoints: vec![None; setup.devices.len()],
            sent: 0,
            changes: 0,
            judges: Some(judges),
        }
    }

    /// The judges hear what the fast loop hears.
    pub fn hears(&mut self, events: &[Event]) {
        if let Some(judges) = &mut self.judges {
            judges.hear(events);
        }
    }

    /// A setpoint was sent.
    pub fn sends(&mut self, at: DateTime<Utc>, device: usize, amps: f64, why: Why) {
        self.sent += 1;
        if self.setpoints[device].is_none_or(|(before, _)| (before - amps).abs() > 1e-9) {
            self.changes += 1;
            let open = self.windows.iter_mut().filter(|window| window.from <= at && at <= window.until + AFTERMATH);
            open.for_each(|window| window.setpoints += 1);
        }
        self.setpoints[device] = Some((amps, why));
    }

    /// Everything is as usual at an instant.
    pub fn normal(&mut self, at: DateTime<Utc>) {
        let over = self.windows.iter_mut().filter(|window| window.until < at && window.normal_at.is_none());
        over.for_each(|window| window.normal_at = Some(at));
    }

    /// Whether some fault is over whose traces are not yet gone.
    pub fn waits_for_normal(&self, at: DateTime<Utc>) -> bool {
        self.windows.iter().any(|window| window.until < at && window.normal_at.is_none())
    }

    /// The highest import of a quarter-hour so far in kW.
    pub fn peak_kw(&self) -> f64 {
        self.quarters_kwh.iter().copied().fold(0.0, f64::max) * 4.0
    }

    fn through_meter(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, kw: f64) {
        let mut at = from;
        while at < until {
            let quarter = (at - self.start).num_seconds().div_euclid(QUARTER_S);
            let Ok(index) = usize::try_from(quarter) else { return };
            let next = self.start + TimeDelta::seconds((quarter + 1) * QUARTER_S);
            let end = next.min(until);
            if self.quarters_kwh.len() <= index {
                self.quarters_kwh.resize(index + 1, 0.0);
            }
            self.quarters_kwh[index] += kw * (end - at).as_seconds_f64() / 3600.0;
            at = end;
        }
    }
}

impl Watcher for Record<'_> {
    fn held(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, truth: &Truth) {
        let length_s = (until - from).as_seconds_f64();
        if length_s <= 0.0 {
            return;
        }
        if let Some(judges) = &mut self.judges {
            judges.held(from, until, truth);
        }
        self.trace.add(from, truth, &self.setpoints);
        let mut worst: Option<Worst> = None;
        for (node, flows) in truth.nodes.iter().enumerate() {
            let limit_a = self.setup.nodes[node].limit_a;
            let amps = [0, 1, 2].map(|phase| flows.total_a(phase));
            for phase in 0..3 {
                let (peak, now) = (&mut self.peaks[node][phase], amps[phase].abs());
                if now > peak.amps {
                    (peak.amps, peak.at) = (now, Some(from));
                }
                let over_a = now - limit_a[phase];
                if over_a > 0.0 {
                    peak.over_s += length_s;
                }
                if worst.is_none_or(|worst| over_a > worst.over_a) {
                    worst = Some(Worst { over_a, node, phase });
                }
            }
            let highest = amps.into_iter().fold(f64::NEG_INFINITY, f64::max);
            let spread = highest - amps.into_iter().fold(f64::INFINITY, f64::min);
            if spread > self.spreads[node].0 {
                self.spreads[node] = (spread, Some(from));
            }
        }
        let root = self.setup.root().unwrap_or(0);
        let all_a: f64 = (0..3).map(|phase| truth.nodes[root].total_a(phase)).sum();
        self.through_meter(from, until, self.setup.kw(all_a, 1));
        let stations = self.setup.devices.iter().zip(&truth.devices).filter(|(known, _)| known.kind == Kind::Station);
        let vehicles_a: f64 = stations.map(|(_, device)| device.drawn_a.iter().sum::<f64>()).sum();
        let vehicles_kw = self.setup.kw(vehicles_a, 1);
        for window in &mut self.windows {
            // A fault of a moment lasts a moment.
            let over = window.until.max(window.from + TimeDelta::seconds(1));
            let end = over + AFTERMATH;
            let inside_s = (until.min(end) - from.max(window.from)).as_seconds_f64();
            if inside_s <= 0.0 {
                continue;
            }
            window.energy_kwh += vehicles_kw * inside_s / 3600.0;
            for (seen, counts) in [(&mut window.during, from < over), (&mut window.after, until > over)] {
                if counts && worst.is_some_and(|worst| seen.is_none_or(|seen| worst.over_a > seen.over_a)) {
                    *seen = worst;
                }
            }
        }
    }
}

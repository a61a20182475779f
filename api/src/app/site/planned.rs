//! The plan of a site: when a new one is wanted, and what comes of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::compose::{QUARTER, quarter_of};
use kwartier_engine::control::setup::Kind;
use kwartier_engine::control::{Event, Stays};
use uuid::Uuid;

use super::{Moment, SiteLoop, When};
use crate::app::effect::Effect;
use crate::app::stays::{self, Origins};
use crate::planning::{Made, Request};
use crate::resource::session::{KeptSession, Origin};
use crate::simulate::people::FeedsIn;
use crate::store::{NewEntry, Stream};

/// Shortest time between two plans.
const BETWEEN: Duration = Duration::from_mins(1);

/// The same where somebody has come or gone: who has just come waits for the plan that knows of it.
const BETWEEN_VISITS: Duration = Duration::from_secs(10);

/// The same where somebody waits for one.
const BETWEEN_ASKED: Duration = Duration::from_secs(5);

/// What belongs together comes close together: a plan waits until nothing has come for so long, but no longer than that.
const QUIET: Duration = Duration::from_secs(2);
const GATHER: Duration = Duration::from_secs(10);

/// Why a plan is wanted when a session has begun, changed or ended.
pub const VISIT: &str = "session";

/// A plan that has not come after so long does not come any more.
const LOST: Duration = Duration::from_mins(2);

/// So many people may wait for a plan of a site at once.
const MOST_JOBS: usize = 64;

/// Plans are made anew each quarter-hour, spread over so many s from its beginning.
const SPREAD_S: u64 = 45;

/// Without a plan for so long, an operator should know.
const MISSING: TimeDelta = TimeDelta::minutes(2);

/// The plan of a site.
#[derive(Debug)]
pub struct Planned {
    made: Option<Arc<Made>>,
    /// Why a new one is wanted, and when that was said first and last, on the process's clock.
    wanted: Option<(&'static str, [Duration; 2])>,
    /// Since when one is being made.
    making: Option<Duration>,
    /// When one was asked for last.
    asked: Option<Duration>,
    /// When the next one is due at the latest.
    due: DateTime<Utc>,
    /// Who waits: for the one that is being made, and for the one after it.
    waiting: [Vec<Uuid>; 2],
    /// This site's place within the quarter-hour.
    offset: TimeDelta,
    /// Since when there is none.
    missing: Option<DateTime<Utc>>,
    /// The process's clock at the last event.
    run: Duration,
}

impl Planned {
    /// There is none yet, and one is wanted.
    pub fn new(site: &str, now: Moment) -> Planned {
        let mut hasher = DefaultHasher::new();
        site.hash(&mut hasher);
        #[expect(clippy::cast_possible_wrap, reason = "below a minute")]
        let offset = TimeDelta::seconds((hasher.finish() % SPREAD_S) as i64);
        Planned {
            made: None,
            wanted: Some(("start", [now.run; 2])),
            making: None,
            asked: None,
            due: next_quarter(now.wall) + offset,
            waiting: [Vec::new(), Vec::new()],
            offset,
            missing: Some(now.wall),
            run: now.run,
        }
    }

    /// The plan in force.
    pub fn made(&self) -> Option<&Arc<Made>> {
        self.made.as_ref()
    }

    /// A new one is wanted.
    pub fn want(&mut self, why: &'static str) {
        let run = self.run;
        let wanted = self.wanted.get_or_insert((why, [run; 2]));
        wanted.1[1] = run;
        if why == VISIT {
            wanted.0 = why;
        }
    }

    /// Whether there has been none for a while.
    pub fn is_missing(&self, now: DateTime<Utc>) -> bool {
        self.missing.is_some_and(|since| now - since > MISSING)
    }

    /// What it was, for a site that has changed: the plan counts until there is a new one, and who waits goes on waiting.
    pub fn take_over(&mut self, before: &Planned, stays: &Stays) {
        let all = before.waiting.iter().flatten().copied();
        self.waiting[1] = all.collect();
        self.made = before.made.as_ref().map(|made| Arc::new(made.moved(stays)));
        self.missing = before.missing;
    }

    /// Whether one is to be made now, and why.
    fn due(&mut self, now: Moment) -> Option<&'static str> {
        self.run = now.run;
        if now.wall >= self.due || self.due > now.wall + QUARTER * 2 {
            self.want("quarter");
            self.due = next_quarter(now.wall) + self.offset;
        }
        let (why, [first, last]) = self.wanted?;
        let between = match why {
            _ if !self.waiting[1].is_empty() => BETWEEN_ASKED,
            VISIT => BETWEEN_VISITS,
            _ => BETWEEN,
        };
        let passed = |since: Duration| now.run.saturating_sub(since);
        let busy = self.making.is_some_and(|since| passed(since) < LOST);
        let soon = self.asked.is_some_and(|asked| passed(asked) < between);
        let gathers = passed(last) < QUIET && passed(first) < GATHER;
        if busy || soon || gathers {
            return None;
        }
        self.wanted = None;
        self.making = Some(now.run);
        self.asked = Some(now.run);
        let next = std::mem::take(&mut self.waiting[1]);
        self.waiting[0].extend(next);
        Some(why)
    }
}

impl SiteLoop {
    /// Somebody wants a new plan. One too many for the queue is answered at once.
    pub fn plan_wanted(&mut self, job: Option<Uuid>) -> Option<Effect> {
        self.planned.want("asked");
        let job = job?;
        if self.planned.waiting[1].len() >= MOST_JOBS {
            return Some(Effect::Answered { job, outcome: Err("too many wait for a plan of this site".to_owned()) });
        }
        self.planned.waiting[1].push(job);
        None
    }

    /// A forecast was put or withdrawn.
    pub fn foreseen(&mut self) -> When {
        self.planned.want("forecast");
        When::Soon
    }

    /// A plan was made, or was not.
    pub fn planned(&mut self, number: u64, outcome: Result<Arc<Made>, String>, now: Moment) -> Vec<Effect> {
        if number != self.version {
            self.counts.dropped += 1;
            return Vec::new();
        }
        self.planned.making = None;
        let waited = std::mem::take(&mut self.planned.waiting[0]);
        let mut effects = Vec::new();
        let answer = match outcome {
            Ok(made) => {
                let id = made.kept.head.id;
                self.planned.missing = None;
                let same = self.planned.made.as_ref().is_some_and(|before| before.kept.head.id == id);
                if !same {
                    effects.extend(self.told_of(&made));
                    self.pending.push(Event::Planned(Arc::clone(&made.targets)));
                    self.planned.made = Some(made);
                }
                Ok(id)
            }
            Err(why) => {
                let covered = self.planned.made.as_ref().is_some_and(|made| made.covers(now.wall));
                if !covered {
                    self.planned.missing.get_or_insert(now.wall);
                }
                self.planned.want("again");
                Err(why)
            }
        };
        effects.extend(waited.into_iter().map(|job| Effect::Answered { job, outcome: answer.clone() }));
        effects
    }

    /// The log entry of a plan that comes into force.
    fn told_of(&self, made: &Made) -> Option<Effect> {
        let mut body = serde_json::to_value(&made.summary).ok()?;
        let fields = body.as_object_mut()?;
        fields.insert("id".to_owned(), made.kept.head.id.to_string().into());
        fields.insert("at".to_owned(), serde_json::to_value(made.kept.head.at).ok()?);
        let (tenant, site) = (self.tenant.clone(), Some(self.id.clone()));
        Some(Effect::Log(NewEntry { stream: Stream::Plan, tenant, site, body }))
    }

    /// The last plan that was kept, when the service starts.
    pub fn plan_was(&mut self, made: Made, now: DateTime<Utc>) {
        if made.covers(now) {
            self.pending.push(Event::Planned(Arc::clone(&made.targets)));
            self.planned.missing = None;
            self.planned.made = Some(Arc::new(made));
        }
    }

    fn feeds_in(&self, device: usize, kept: &KeptSession, got_kwh: f64) -> Option<FeedsIn> {
        stays::feeds_in(&self.site, &kept.stated, &self.setup.devices[device], got_kwh)
    }

    /// Orders a plan, where one is due.
    pub fn plan(&mut self, now: Moment) -> Option<Effect> {
        let reason = self.planned.due(now)?;
        let mut expected = Vec::new();
        let mut origins = Vec::new();
        let mut present = Vec::new();
        for (device, known) in self.live.devices.iter().enumerate() {
            let Some(session) = &known.session else { continue };
            if self.setup.devices[device].kind != Kind::Station {
                continue;
            }
            // Nothing can be planned for a station that may be wired anyhow: what is free is shared with it.
            if self.setup.devices[device].phases_known {
                present.push(device);
            }
            let kept = self.sessions.get(&session.id);
            let group = kept.and_then(|kept| stays::group(&self.site, &kept.stated)).map(str::to_owned);
            let of_stay = match kept {
                Some(kept) => self.expected(&session.id, kept),
                None => stays::expected(stays::Wish::default(), None, now.wall),
            };
            let feeds_in = kept.and_then(|kept| self.feeds_in(device, kept, known.energy_kwh));
            expected.extend(stays::here(device, known, group, of_stay, feeds_in, now.wall));
            origins.push(of_stay.2);
        }
        for (id, kept) in &self.sessions {
            let arrival = self.arrival(id, kept);
            let Some(device) = self.setup.device(&kept.stated.charger).filter(|_| arrival > now.wall) else { continue };
            let wish = stays::wish(&self.site, self.setup.zone, kept, arrival);
            let stay = stays::stay(&self.site, id, kept, wish, self.setup.devices[device].max_a);
            let (until, need_kwh, of_stay) = self.expected(id, kept);
            let group = stays::group(&self.site, &kept.stated).map(str::to_owned);
            let feeds_in = self.feeds_in(device, kept, 0.0);
            expected.push(stays::coming(device, stay, group, (until, need_kwh), feeds_in, arrival));
            origins.push(of_stay);
        }
        expected.sort_by(|a, b| a.from.cmp(&b.from).then_with(|| a.id.cmp(&b.id)));
        let assumed = said_of(&origins);
        Some(Effect::Plan(Box::new(Request {
            site: self.id.clone(),
            number: self.version,
            at: now.wall,
            reason,
            what: Arc::clone(&self.site),
            setup: Arc::clone(&self.setup),
            expected,
            present,
            assumed,
            prices: self.prices.values().copied().collect(),
            signals: self.live.signals.clone(),
            peak_kw: self.metering.peak_kw(),
            stored_kwh: self.metering.stored_kwh(),
            previous: self.planned.made.clone(),
        })))
    }
}

/// What plans rest on where nobody says when vehicles leave and how much they need.
fn said_of(origins: &[Origins]) -> Vec<String> {
    let before = |origin| matches!(origin, Origin::History | Origin::Group);
    let count = |holds: &dyn Fn(&Origins) -> bool| origins.iter().filter(|of| holds(of)).count();
    let said = [
        ("the departure of {} is unknown: 8 hours after arrival", count(&|of| of.departure == Origin::Assumed)),
        ("the need of {} is unknown: 15 kWh", count(&|of| of.need == Origin::Assumed)),
        ("the departure of {} is what was usual before", count(&|of| before(of.departure))),
        ("the need of {} is what was usual before", count(&|of| before(of.need))),
    ];
    let vehicles = |count: usize| if count == 1 { "1 vehicle".to_owned() } else { format!("{count} vehicles") };
    let said = said.into_iter().filter(|(_, count)| *count > 0);
    said.map(|(text, count)| text.replace("{}", &vehicles(count))).collect()
}

/// The beginning of the next quarter-hour.
fn next_quarter(now: DateTime<Utc>) -> DateTime<Utc> {
    quarter_of(now) + QUARTER
}

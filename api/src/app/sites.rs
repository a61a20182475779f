//! All sites of the loop: what is heard goes to the site that it is about, and each site steps once a second. Pure: the same
//! events at the same instants have the same effects.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use kwartier_engine::control;

use super::effect::{Effect, Held};
use super::event::Event;
use super::moment::Moment;
use super::site::{Counts, SiteLoop, Step, When};
use crate::planning::Made;
use crate::resource::price::Price;
use crate::resource::session::KeptSession;
use crate::resource::signal::Signal;
use crate::store::KeptPlan;

/// How often a site steps if nothing happens.
const EVERY: Duration = Duration::from_secs(1);

/// A site steps no sooner than so long after its last step, whatever happens.
const SOONEST: Duration = Duration::from_millis(50);

/// What is kept of a site.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub site: String,
    /// Its tenant.
    pub tenant: String,
    /// What it is.
    pub what: Arc<kwartier_data::site::Site>,
    /// The chargers that somebody else passes our setpoints on to.
    pub over_api: Vec<String>,
    /// What its chargers held, by name.
    pub held: Vec<(String, Held)>,
    /// Sessions that have not ended, by id.
    pub sessions: Vec<(String, KeptSession)>,
    /// Sessions that have ended lately.
    pub ended: Vec<KeptSession>,
    /// Prices.
    pub prices: Vec<Price>,
    /// Grid operators' limits, by id.
    pub signals: Vec<(String, Signal)>,
    /// The last plan.
    pub plan: Option<KeptPlan>,
    /// The highest quarter-hour of the month so far in kW.
    pub peak_kw: f64,
}

struct Slot {
    site: SiteLoop,
    due: Duration,
    last: Duration,
    phase: Duration,
}

/// All sites.
pub struct Sites {
    sites: HashMap<String, Slot>,
    due: BTreeSet<(Duration, String)>,
    step: Step,
    /// Events about sites that are not there.
    unknown: u64,
    /// What sites that are gone have counted.
    gone: Counts,
    /// In which state a site was when it went: one of that name that comes later is in another.
    left: HashMap<String, u64>,
}

impl Sites {
    /// None yet.
    pub fn new() -> Sites {
        Sites::stepping(control::step)
    }

    /// None yet, and steps are made in some way.
    pub fn stepping(step: Step) -> Sites {
        Sites {
            sites: HashMap::new(),
            due: BTreeSet::new(),
            step,
            unknown: 0,
            gone: Counts::default(),
            left: HashMap::new(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sites.len()
    }

    /// What all of them have counted.
    pub fn counts(&self) -> Counts {
        let all = self.sites.values().map(|slot| slot.site.counts).chain([self.gone]);
        let sum = |sum: Counts, one: Counts| Counts {
            steps: sum.steps + one.steps,
            dropped: sum.dropped + one.dropped,
            clamped: sum.clamped + one.clamped,
            panics: sum.panics + one.panics,
        };
        all.fold(Counts { dropped: self.unknown, ..Counts::default() }, sum)
    }

    /// When the next site steps, on the process's clock.
    pub fn next(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes in a site that was kept, when the service starts.
    pub fn load(&mut self, kept: Kept, now: Moment) {
        let Kept { site: id, tenant, what, over_api, held, sessions, mut ended, prices, signals, plan, peak_kw } = kept;
        let Some(mut site) = SiteLoop::new(id.clone(), tenant, what, &over_api, self.step, now) else {
            self.unknown += 1;
            return;
        };
        site.held(&held, now.wall);
        site.peak_was(peak_kw, now.wall);
        site.priced(&prices, now.wall);
        for (id, signal) in signals {
            site.signal(id, Some(&signal));
        }
        ended.sort_by_key(|kept| kept.ended);
        for kept in &ended {
            site.learn(kept, None);
        }
        for (id, kept) in sessions {
            site.session(id, kept, now.wall);
        }
        if let Some(plan) = plan {
            site.plan_kept(plan, now.wall);
        }
        self.put(id, site, now);
    }

    /// Something happened.
    pub fn on(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (id, when) = match event {
            Event::Site { site, tenant, what, over_api } => {
                self.site(site, tenant, what, &over_api, now);
                return effects;
            }
            Event::SiteGone { site } => {
                if let Some(slot) = self.sites.remove(&site) {
                    self.due.remove(&(slot.due, site.clone()));
                    let (gone, counts) = (&mut self.gone, slot.site.counts);
                    gone.steps += counts.steps;
                    gone.dropped += counts.dropped;
                    gone.clamped += counts.clamped;
                    gone.panics += counts.panics;
                    self.left.insert(site.clone(), slot.site.version());
                    effects.push(Effect::Gone { site });
                }
                return effects;
            }
            Event::Measured { site, rows } => (site.clone(), self.with(&site, |known| known.measured(&rows, now.wall))),
            Event::Reported { site, charger, report } => {
                (site.clone(), self.with(&site, |known| known.reported(&charger, &report, now)))
            }
            Event::OfCharger { site, charger, kind, text } => {
                (site.clone(), self.with(&site, |known| known.of_charger(&charger, kind, text, now.wall)))
            }
            Event::Device { site, setup, events } => {
                (site.clone(), self.with(&site, |known| known.device(setup, events, now.wall)))
            }
            Event::Session { site, id, kept } => {
                (site.clone(), self.with(&site, |known| known.session(id, kept, now.wall)))
            }
            Event::SessionGone { site, id } => {
                (site.clone(), self.with(&site, |known| known.session_gone(&id, now.wall)))
            }
            Event::Prices { site, prices } => (site.clone(), self.with(&site, |known| known.priced(&prices, now.wall))),
            Event::Foreseen { site } => (site.clone(), self.with(&site, SiteLoop::foreseen)),
            Event::Signal { site, id, signal } => {
                (site.clone(), self.with(&site, |known| known.signal(id, signal.as_ref())))
            }
            Event::Taken { site, number } => (site.clone(), self.with(&site, |known| known.taken(number, now))),
            Event::PlanWanted { site, job } => {
                let answered = self.with(&site, |known| known.plan_wanted(job));
                match (answered, job) {
                    (Some(answer), _) => effects.extend(answer),
                    (None, Some(job)) => {
                        effects.push(Effect::Answered { job, outcome: Err("the site is not there".to_owned()) });
                    }
                    (None, None) => {}
                }
                return effects;
            }
            Event::Planned { site, number, outcome } => {
                let done = self.with(&site, |known| known.planned(number, outcome, now));
                effects.extend(done.into_iter().flatten());
                (site, Some(When::Now))
            }
        };
        if when == Some(When::Now) {
            self.soon(&id, now);
        }
        effects
    }

    /// Steps one site that is due; `None`, none is. The second is by how much it is late.
    pub fn step_one(&mut self, now: Moment) -> Option<(Vec<Effect>, Duration)> {
        let (at, id) = self.due.first().filter(|(at, _)| *at <= now.run)?.clone();
        self.due.pop_first();
        let slot = self.sites.get_mut(&id)?;
        // Its own place within the second, however late it was.
        let whole = Duration::from_secs((now.run.saturating_sub(slot.phase)).as_secs());
        slot.due = whole + slot.phase + EVERY;
        slot.last = now.run;
        self.due.insert((slot.due, id));
        Some((slot.site.step(now), now.run.saturating_sub(at)))
    }

    fn with<T>(&mut self, site: &str, act: impl FnOnce(&mut SiteLoop) -> T) -> Option<T> {
        let known = self.sites.get_mut(site);
        self.unknown += u64::from(known.is_none());
        known.map(|slot| act(&mut slot.site))
    }

    fn site(
        &mut self,
        id: String,
        tenant: String,
        what: Arc<kwartier_data::site::Site>,
        over_api: &[String],
        now: Moment,
    ) {
        let before = self.sites.get(&id).filter(|slot| slot.site.tenant() == tenant);
        let site = match before {
            Some(before) if before.site.is_same(&what, over_api) => return,
            Some(before) => before.site.changed(what, over_api, self.step, now),
            None => {
                let begins = self.left.remove(&id).map_or(1, |version| version + 1);
                let new = SiteLoop::new(id.clone(), tenant, what, over_api, self.step, now);
                new.map(|site| site.counted_from(begins))
            }
        };
        match site {
            Some(site) => self.put(id, site, now),
            None => self.unknown += 1,
        }
    }

    fn put(&mut self, id: String, site: SiteLoop, now: Moment) {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let phase = Duration::from_millis(hasher.finish() % 1000);
        let slot = Slot { site, due: now.run, last: Duration::ZERO, phase };
        if let Some(before) = self.sites.insert(id.clone(), slot) {
            self.due.remove(&(before.due, id.clone()));
        }
        self.due.insert((now.run, id));
    }

    /// A site steps at once, or as soon as it may.
    fn soon(&mut self, id: &str, now: Moment) {
        let Some(slot) = self.sites.get_mut(id) else { return };
        let due = now.run.max(slot.last + SOONEST);
        if due < slot.due {
            self.due.remove(&(slot.due, id.to_owned()));
            slot.due = due;
            self.due.insert((due, id.to_owned()));
        }
    }
}

impl SiteLoop {
    /// The last plan that was kept.
    fn plan_kept(&mut self, plan: KeptPlan, now: chrono::DateTime<chrono::Utc>) {
        match Made::of(plan, self.setup(), &[]) {
            Ok(made) => self.plan_was(made, now),
            Err(why) => tracing::warn!(why, "the last plan cannot be used any more"),
        }
    }
}

//! Who comes: visits from a roster, from a history, drawn from a pattern, or one by one; and what is told of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use kwartier_data::local;
use kwartier_data::roster::{self, Roster};
use kwartier_data::sessions::{self, SessionReading};
use kwartier_data::site::Site;
use kwartier_engine::control::setup::{Kind, Setup};
use kwartier_engine::plant::population::{self, Crowd};
use kwartier_engine::plant::world::{Car, Stay, Told};

use super::dice::{Dice, Subject};
use super::patterns;
use super::scenario::{Fleet, OneStay, Scenario, Sessions, Source, Times};
use crate::cli::failure::Failure;
use crate::cli::input;

/// A visit with what the world does not hold of it.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The stay.
    pub stay: Stay,
    /// Name of the vehicle.
    pub vehicle: String,
    /// Whether planners know of it before it begins.
    pub announced: bool,
}

/// A visit before a station, a car and what is told of it are settled.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Name of the vehicle; its car goes by it.
    pub vehicle: String,
    /// The station, where that is said.
    pub station: Option<String>,
    /// When it plugs in.
    pub from: DateTime<Utc>,
    /// When it means to leave.
    pub until: DateTime<Utc>,
    /// Energy needed at the station in kWh.
    pub need_kwh: f64,
    /// Name of its group.
    pub group: Option<String>,
    /// The car, where that is said.
    pub car: Option<Car>,
    /// Energy in the battery, where that is said.
    pub soc_kwh: Option<f64>,
    /// Whether it is always announced.
    pub announced: bool,
}

/// A visit that was over before the scenario, and what had been told of it.
#[derive(Debug, Clone)]
pub struct Past {
    /// As it was.
    pub visit: Raw,
    /// What was told of it.
    pub told: Statement,
}

/// What somebody says of a visit when it begins; `None`, nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statement {
    /// Energy needed at the station in kWh.
    pub need_kwh: Option<f64>,
    /// When it will leave.
    pub departure: Option<DateTime<Utc>>,
}

/// All visits of a scenario.
#[derive(Debug, Clone, Default)]
pub struct Visits {
    /// Those of the scenario, in the order in which they begin.
    pub coming: Vec<Visit>,
    /// Those that ended before it: what forecasts know.
    pub past: Vec<Past>,
    /// The groups of vehicles that have one.
    pub groups: BTreeMap<String, String>,
    /// How many found no station free and went away again.
    pub turned_away: usize,
}

/// What visits are made from.
pub struct Context<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Where it comes from.
    pub source: &'a Source,
    /// Its site.
    pub site: &'a Site,
    /// The site as the fast loop sees it.
    pub setup: &'a Setup,
    /// Its times.
    pub times: Times,
    /// When it ends.
    pub end: DateTime<Utc>,
}

impl Context<'_> {
    /// All visits.
    pub fn visits(&self, seed: u64) -> Result<Visits, Failure> {
        let mut dice = Dice::of(seed, Subject::Visits);
        let stations = self.setup.devices.iter().filter(|device| device.kind == Kind::Station).count();
        let raw = match &self.scenario.sessions {
            Sessions::None => Vec::new(),
            Sessions::Roster { path } => {
                self.of_roster(&input::parse(&self.source.beside(path), "roster", |bytes| {
                    roster::parse(bytes, self.times.zone)
                })?)?
            }
            Sessions::History { .. } => self.of_history()?,
            Sessions::Observed { per_day, place, sleepers } => {
                let crowd = Crowd { habit: *place, per_day: *per_day, stations, sleepers: *sleepers };
                let drawn = population::draw(&crowd, self.times.zone, self.days(), seed);
                drawn.into_iter().map(|visit| self.observed(visit)).collect()
            }
            Sessions::Generated { per_day, pattern } => {
                patterns::draw(*pattern, *per_day, stations, self.times.zone, self.days(), &mut dice)
            }
        };
        let single = self.scenario.stays.iter().enumerate().map(|(k, stay)| self.single(k, stay));
        let single = single.collect::<Result<Vec<_>, _>>()?;
        let start = self.times.start;
        let (past, mut raw): (Vec<Raw>, Vec<Raw>) = raw.into_iter().partition(|raw| raw.until <= start);
        raw.retain(|raw| raw.from < self.end);
        for raw in &mut raw {
            // Who is there already has got its share so far.
            if raw.from < start {
                let left = (raw.until - start).as_seconds_f64() / (raw.until - raw.from).as_seconds_f64().max(1.0);
                raw.need_kwh *= left;
                raw.from = start;
            }
        }
        raw.sort_by(|a, b| a.from.cmp(&b.from).then_with(|| a.vehicle.cmp(&b.vehicle)));
        let mut before = Dice::of(seed, Subject::ToldBefore);
        let past = past.into_iter().map(|raw| self.past(raw, &mut before)).collect();
        let mut visits = Visits { past, ..Visits::default() };
        self.settle(raw, &mut dice, seed, &mut visits)?;
        for stay in &self.scenario.stays {
            if let Some(group) = &stay.group {
                visits.groups.insert(stay.vehicle.clone(), group.clone());
            }
        }
        visits.coming.extend(single);
        visits.coming.sort_by(|a, b| a.stay.plugs_in.cmp(&b.stay.plugs_in).then_with(|| a.stay.id.cmp(&b.stay.id)));
        Ok(visits)
    }

    /// The first and the last local day for which visits are made up.
    fn days(&self) -> (NaiveDate, NaiveDate) {
        let first = self.times.start - TimeDelta::days(i64::from(self.scenario.history_days));
        (local::day(self.times.zone, first), local::day(self.times.zone, self.end))
    }

    /// A visit as it was observed, in the scenario's cars where it names some.
    fn observed(&self, visit: population::Visit) -> Raw {
        Raw {
            vehicle: visit.vehicle,
            station: None,
            from: visit.from,
            until: visit.until,
            need_kwh: visit.need_kwh,
            group: None,
            car: Some(visit.car).filter(|_| self.scenario.cars.is_empty()),
            soc_kwh: None,
            announced: false,
        }
    }

    /// Station, car and what is told, for each.
    fn settle(&self, raw: Vec<Raw>, dice: &mut Dice, seed: u64, visits: &mut Visits) -> Result<(), Failure> {
        let mut telling = Dice::of(seed, Subject::Told);
        let usual = Fleet::usual();
        let fleet = if self.scenario.cars.is_empty() { &usual } else { &self.scenario.cars };
        let weights: Vec<f64> = fleet.iter().map(|kind| kind.share.max(0.0)).collect();
        let mut cars: BTreeMap<String, Car> = BTreeMap::new();
        let mut free_from = vec![DateTime::<Utc>::MIN_UTC; self.setup.devices.len()];
        for (k, raw) in raw.into_iter().enumerate() {
            let car = match raw.car {
                Some(car) => car,
                None => *cars.entry(raw.vehicle.clone()).or_insert_with(|| fleet[dice.weighted(&weights)].car),
            };
            let device = match &raw.station {
                Some(name) => Some(self.station(name)?).filter(|&device| free_from[device] <= raw.from),
                None => self.free(&free_from, raw.from, &raw.vehicle, dice),
            };
            let Some(device) = device else {
                visits.turned_away += 1;
                continue;
            };
            free_from[device] = raw.until;
            let stay = self.stay(format!("{}#{}", raw.vehicle, k + 1), device, &raw, car, dice, &mut telling);
            if let Some(group) = raw.group {
                visits.groups.insert(raw.vehicle.clone(), group);
            }
            let announced = raw.announced || self.scenario.told.announced;
            visits.coming.push(Visit { stay, vehicle: raw.vehicle, announced });
        }
        Ok(())
    }

    /// A free station: always the same for a vehicle where it can be, else any.
    fn free(&self, free_from: &[DateTime<Utc>], at: DateTime<Utc>, vehicle: &str, dice: &mut Dice) -> Option<usize> {
        let stations: Vec<usize> =
            (0..self.setup.devices.len()).filter(|&k| self.setup.devices[k].kind == Kind::Station).collect();
        let own = vehicle.rsplit(' ').next().and_then(|number| number.parse::<usize>().ok());
        let own = own.and_then(|number| stations.get(number.checked_sub(1)? % stations.len()).copied());
        let own = own.filter(|&device| free_from[device] <= at);
        let free: Vec<usize> = stations.into_iter().filter(|&device| free_from[device] <= at).collect();
        own.or_else(|| free.get(dice.one_of(free.len())).copied())
    }

    fn stay(&self, id: String, device: usize, raw: &Raw, car: Car, dice: &mut Dice, telling: &mut Dice) -> Stay {
        let told = &self.scenario.told;
        let room_kwh = car.capacity_kwh / car.efficiency.max(0.1);
        let need_kwh = raw.need_kwh.clamp(0.0, 0.97 * room_kwh);
        // What is in the battery leaves room for the need, and a little more: nobody stops at the last kWh.
        let spare_kwh = 0.12 * car.capacity_kwh * dice.unit();
        let soc_kwh = raw.soc_kwh.unwrap_or((car.capacity_kwh - need_kwh * car.efficiency - spare_kwh).max(0.0));
        let leaves = self.leaves(raw, telling);
        let comes = !(told.no_show > 0.0 && telling.happens(told.no_show));
        let statement = self.statement(raw, need_kwh, telling);
        let knows_phases = telling.happens(told.phases);
        let group = raw.group.as_ref().and_then(|name| self.site.groups.iter().find(|group| group.id == *name));
        let guaranteed_a = group.and_then(|group| group.guaranteed_a).unwrap_or(0.0);
        Stay {
            id,
            device,
            plugs_in: raw.from,
            leaves: leaves.max(raw.from + TimeDelta::minutes(1)),
            comes,
            car,
            soc_kwh,
            need_kwh,
            told: Told {
                phases: knows_phases.then_some(car.phases),
                need_kwh: statement.need_kwh,
                departure: statement.departure,
                priority: group.map_or(0, |group| group.priority),
                guaranteed_a: guaranteed_a.max(self.setup.devices[device].guaranteed_a),
            },
        }
    }

    /// When it really leaves.
    fn leaves(&self, raw: &Raw, telling: &mut Dice) -> DateTime<Utc> {
        let told = &self.scenario.told;
        let early = told.early > 0.0 && telling.happens(told.early);
        let by = if early { told.early_by * telling.unit() } else { 0.0 };
        raw.until - super::scenario::seconds(by * (raw.until - raw.from).as_seconds_f64())
    }

    /// What is said of it when it comes.
    fn statement(&self, raw: &Raw, need_kwh: f64, telling: &mut Dice) -> Statement {
        let told = &self.scenario.told;
        let error_s = 60.0 * told.departure_error_min * telling.normal();
        let departure = (raw.until + super::scenario::seconds(error_s)).max(raw.from + TimeDelta::minutes(15));
        let wrong = 1.0 + told.need_error * telling.normal();
        Statement {
            need_kwh: telling.happens(told.need).then_some((need_kwh * wrong).max(0.5)),
            departure: telling.happens(told.departure).then_some(departure),
        }
    }

    /// A visit of the past, which ended and was announced as those of the scenario do and are.
    fn past(&self, raw: Raw, telling: &mut Dice) -> Past {
        let until = self.leaves(&raw, telling).max(raw.from + TimeDelta::minutes(1));
        let told = self.statement(&raw, raw.need_kwh, telling);
        Past { visit: Raw { until, ..raw }, told }
    }

    fn station(&self, name: &str) -> Result<usize, Failure> {
        let known = self.setup.devices.iter().position(|device| device.kind == Kind::Station && device.id == name);
        let wrong = "is no station of the site; write the id of one of its stations";
        known.ok_or_else(|| self.source.wrong("sessions", name, wrong))
    }

    fn of_roster(&self, roster: &Roster) -> Result<Vec<Raw>, Failure> {
        let stays = roster.stays(self.times.start, self.end).map_err(|refusal| Failure::Unfit {
            what: "the roster cannot be played".to_owned(),
            findings: refusal.to_string(),
        })?;
        let defaults = &self.site.vehicle_defaults;
        let raw = stays.iter().map(|stay| {
            let entry = stay.entry;
            let known = self.site.vehicles.iter().find(|vehicle| vehicle.id == entry.vehicle);
            let facts = &entry.vehicle_facts;
            let capacity_kwh =
                facts.capacity_kwh.or(known.and_then(|car| car.capacity_kwh)).unwrap_or(defaults.capacity_kwh);
            let efficiency = facts.efficiency.or(known.and_then(|car| car.efficiency)).unwrap_or(defaults.efficiency);
            let soc_kwh = entry.soc.map(|soc| soc.kwh(capacity_kwh));
            let target_kwh = entry.target.map_or(capacity_kwh, |target| target.kwh(capacity_kwh));
            let missing_kwh = soc_kwh.map_or(0.3 * capacity_kwh, |soc| (target_kwh - soc).max(0.0)) / efficiency;
            let car = Car {
                phases: facts.phases.or(known.and_then(|car| car.phases)).unwrap_or(defaults.phases),
                min_a: facts.min_a.or(known.and_then(|car| car.min_a)).unwrap_or(defaults.min_a),
                max_a: facts.max_a.or(known.and_then(|car| car.max_a)).unwrap_or(defaults.max_a),
                capacity_kwh,
                efficiency,
                max_discharge_a: known.and_then(|car| car.v2g.as_ref()).map_or(0.0, |v2g| v2g.max_a),
                ..Car::default()
            };
            Raw {
                vehicle: entry.vehicle.clone(),
                station: Some(entry.station.clone()),
                from: stay.arrival,
                until: stay.departure,
                need_kwh: entry.need_kwh.map_or(missing_kwh, |need| need / efficiency),
                group: facts.group.clone().or_else(|| known.and_then(|car| car.group.clone())),
                car: Some(car),
                soc_kwh,
                announced: true,
            }
        });
        Ok(raw.collect())
    }

    fn of_history(&self) -> Result<Vec<Raw>, Failure> {
        let Sessions::History { path, zone, day, r#where, map } = &self.scenario.sessions else {
            return Ok(Vec::new());
        };
        let named = zone.as_ref().map(|name| {
            local::zone(name)
                .map_err(|remedy| self.source.wrong("sessions.zone", name, &format!("is no zone; {remedy}")))
        });
        let zone = named.transpose()?.or(Some(self.times.zone));
        let map: Vec<(String, String)> = map.iter().map(|(ours, theirs)| (theirs.clone(), ours.clone())).collect();
        let filter: Vec<(String, String)> = r#where.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let reading = SessionReading { zone, map: &map, filter: &filter, ..SessionReading::default() };
        let file =
            input::parse(&self.source.beside(path), "file of sessions", |bytes| sessions::read(bytes, &reading))?;
        let first = local::day(self.times.zone, self.times.start);
        let shift = match day {
            None => 0,
            Some(text) => {
                let day: NaiveDate = local::date(text).ok_or_else(|| {
                    self.source.wrong("sessions.day", text, "is no date; write it as in \"2019-03-04\"")
                })?;
                (first - day).num_days()
            }
        };
        let rows = file.rows.into_iter().filter_map(|row| {
            let (until, kwh) = (row.departure?, row.kwh?);
            Some(Raw {
                vehicle: row.vehicle.or(row.driver).unwrap_or_else(|| format!("visit {}", row.session)),
                station: row.station.filter(|name| self.setup.device(name).is_some()),
                from: row.arrival + TimeDelta::days(shift),
                until: until + TimeDelta::days(shift),
                need_kwh: kwh,
                group: row.group.filter(|name| self.site.groups.iter().any(|group| group.id == *name)),
                car: None,
                soc_kwh: None,
                announced: false,
            })
        });
        let raw: Vec<Raw> = rows.collect();
        if !raw.iter().any(|raw| raw.until > self.times.start && raw.from < self.end) {
            let (earliest, latest) = (raw.iter().map(|raw| raw.from).min(), raw.iter().map(|raw| raw.from).max());
            let range = match (earliest, latest) {
                (Some(a), Some(b)) => format!("{} to {}", a.date_naive(), b.date_naive()),
                _ => "nothing".to_owned(),
            };
            let wrong = format!("holds no session of these days, but {range}; say with day = which day of it to play");
            return Err(self.source.wrong("sessions.path", &path.display().to_string(), &wrong));
        }
        Ok(raw)
    }

    fn single(&self, k: usize, stay: &OneStay) -> Result<Visit, Failure> {
        let at = |key: &str, text: &String| {
            self.times.at(text).map_err(|wrong| self.source.wrong(&format!("stays[{k}].{key}"), text, &wrong))
        };
        let (from, until) = (at("from", &stay.from)?, at("until", &stay.until)?);
        let leaves = stay.leaves.as_ref().map(|text| at("leaves", text)).transpose()?.unwrap_or(until);
        if until <= from || leaves <= from {
            let wrong = "ends before it begins; write +1 behind a time of the day after the start";
            return Err(self.source.wrong(&format!("stays[{k}].until"), &stay.until, wrong));
        }
        let device = self.setup.device(&stay.station).filter(|&k| self.setup.devices[k].kind == Kind::Station);
        let Some(device) = device else {
            let wrong = "is no station of the site; write the id of one of its stations";
            return Err(self.source.wrong(&format!("stays[{k}].station"), &stay.station, wrong));
        };
        let group = match &stay.group {
            None => None,
            Some(name) => Some(self.site.groups.iter().find(|group| group.id == *name).ok_or_else(|| {
                let wrong = "is no group of the site; write the id of one of its groups";
                self.source.wrong(&format!("stays[{k}].group"), name, wrong)
            })?),
        };
        let car = stay.car;
        let soc_kwh = stay.soc.map_or((car.capacity_kwh - stay.need_kwh * car.efficiency).max(0.0), |soc| {
            soc.clamp(0.0, 1.0) * car.capacity_kwh
        });
        let told = Told {
            phases: Some(car.phases).filter(|_| self.scenario.told.phases >= 1.0),
            need_kwh: Some(stay.need_kwh),
            departure: Some(until),
            priority: group.map_or(0, |group| group.priority),
            guaranteed_a: group
                .and_then(|group| group.guaranteed_a)
                .unwrap_or(0.0)
                .max(self.setup.devices[device].guaranteed_a),
        };
        Ok(Visit {
            stay: Stay {
                id: format!("{}@{}", stay.vehicle, from.with_timezone(&self.times.zone).format("%d-%H:%M")),
                device,
                plugs_in: from,
                leaves,
                comes: stay.comes,
                car,
                soc_kwh,
                need_kwh: stay.need_kwh,
                told,
            },
            vehicle: stay.vehicle.clone(),
            announced: true,
        })
    }
}

/// Whether a local day is a Saturday or Sunday.
pub fn weekend(day: NaiveDate) -> bool {
    day.weekday().number_from_monday() > 5
}

//! Why a vehicle charges when it does, why it falls short, and what would help it.

use std::collections::{BTreeMap, HashMap};

use kwartier_data::instance::{Instance, PHASE_NAMES, Session};
use kwartier_data::plan::{Plan, SessionPlan};
use serde::Serialize;

use super::Span;
use super::alone::Alone;
use super::local::{LocalPrices, NOTHING};
use crate::figures::SHORT_KWH;
use crate::verify::TOLERANCE_KWH;

/// Currents below this are none, in A.
const NO_CURRENT_A: f64 = 5e-3;
/// Prices this close are the same, EUR/kWh.
const SAME_EUR: f64 = 5e-4;
/// How many limits a reason names at most.
const NAMED: usize = 3;

/// Why a vehicle does what it does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VehicleReason {
    /// The session's name.
    pub session: String,
    /// Its stay.
    pub stay: Span,
    /// When it charges, and at what price; absent where it does not.
    pub charging: Option<Charging>,
    /// When it feeds energy back.
    pub discharging: Vec<Span>,
    /// Why it falls short; absent where it does not.
    pub shortfall: Option<Shortfall>,
}

/// When a vehicle charges, and at what price.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Charging {
    /// The stretches in which it charges.
    pub spans: Vec<Span>,
    /// Energy into the battery in kWh.
    pub energy_kwh: f64,
    /// What a kWh into the battery costs in those slots on average, limits included, in EUR.
    pub paid_eur_kwh: f64,
    /// What it costs on average over the whole stay, in EUR.
    pub stay_eur_kwh: f64,
    /// The dearest slot it charges in, in EUR per kWh into the battery.
    pub dearest_eur_kwh: f64,
    /// The cheapest slot it leaves out, in EUR per kWh; absent where it charges all the time.
    pub left_out_eur_kwh: Option<f64>,
    /// When it could charge instead at the price of the dearest slot it charges in: the site pays the same.
    pub as_good: Vec<Span>,
    /// Slots that are cheaper by the tariff than the dearest it charges in, and that it leaves out because limits make them
    /// dearer.
    pub dearer: Vec<Dearer>,
}

/// A limit that makes cheap slots dear.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dearer {
    /// The limit: `UV3 L2`, `UV3 imbalance`, `peak`, or `connection` for the cap on import and the like.
    pub limit: String,
    /// When.
    pub spans: Vec<Span>,
    /// What it adds on average, in EUR per kWh into the battery.
    pub adds_eur_kwh: f64,
}

/// Why a vehicle falls short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shortfall {
    /// What is missing in kWh.
    pub short_kwh: f64,
    /// Why.
    pub cause: ShortfallCause,
    /// What would help.
    pub help: Vec<Help>,
}

/// Why energy is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShortfallCause {
    /// The battery has room for less than it needs.
    BatteryFull {
        /// The room on arrival in kWh.
        room_kwh: f64,
    },
    /// Even at full power all the time it could not have all.
    StayTooShort {
        /// What it could have in kWh.
        possible_kwh: f64,
    },
    /// Others need what is left of these limits more.
    Limits {
        /// The limits, the most costly first.
        limits: Vec<Dearer>,
    },
    /// A kWh costs more than it is worth to the vehicle.
    TooDear {
        /// The cheapest slot it leaves out, in EUR per kWh into the battery.
        eur_kwh: f64,
    },
    /// What is missing is less than the smallest step: one slot at the lowest current.
    SmallestStep {
        /// That step in kWh.
        step_kwh: f64,
    },
}

/// What would help a vehicle that falls short.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Help {
    /// To stay longer.
    StayLonger {
        /// By so much, in hours, at full power.
        hours: f64,
    },
    /// To charge faster.
    FasterCharging {
        /// So many A per phase (vehicle and charger).
        a: f64,
    },
    /// A larger limit.
    LargerLimit {
        /// Which.
        limit: String,
        /// What one more A (kW at the connection) would have saved during its stay, in EUR.
        saves_eur: f64,
    },
    /// To be worth more: a higher price of what is missing.
    HigherPriority {
        /// Above this, in EUR/kWh.
        above_eur_kwh: f64,
    },
    /// To ask for less.
    LowerNeed {
        /// So much, in kWh.
        need_kwh: f64,
    },
}

/// The reasons of all vehicles, in the order of the instance.
pub fn reasons(
    instance: &Instance,
    plan: &Plan,
    local: &LocalPrices<'_>,
    alone: &BTreeMap<Option<usize>, Vec<Alone>>,
) -> Vec<VehicleReason> {
    let by_id: HashMap<&str, &SessionPlan> = plan.sessions.iter().map(|entry| (entry.id.as_str(), entry)).collect();
    let look = |(index, session): (usize, &Session)| {
        let entry = by_id.get(session.id.as_str())?;
        let alone = alone.get(&Some(index)).map_or(&[][..], |alone| &alone[..]);
        Some(Look { instance, local, alone, session, entry }.reason())
    };
    instance.sessions.iter().enumerate().filter_map(look).collect()
}

/// A look at one vehicle.
struct Look<'a> {
    instance: &'a Instance,
    local: &'a LocalPrices<'a>,
    /// What it meets alone.
    alone: &'a [Alone],
    session: &'a Session,
    entry: &'a SessionPlan,
}

impl Look<'_> {
    fn reason(&self) -> VehicleReason {
        let running = |series: &[f64]| -> Vec<usize> {
            let on = |slot: &usize| series.get(*slot).is_some_and(|a| *a > NO_CURRENT_A);
            (self.session.arrive..self.session.depart).filter(on).collect()
        };
        let charges = running(&self.entry.charge_a);
        VehicleReason {
            session: self.session.id.clone(),
            stay: Span::of(self.instance, self.session.arrive, self.session.depart),
            charging: self.charging(&charges),
            discharging: Span::all(self.instance, &running(&self.entry.discharge_a)),
            shortfall: self.shortfall(&charges),
        }
    }

    /// Energy into the battery per ampere and slot in kWh.
    fn kwh_per_a(&self) -> f64 {
        let session = self.session;
        self.instance.kw_per_a() * session.phases as f64 * self.instance.slot_h() * session.efficiency
    }

    fn stay(&self) -> std::ops::Range<usize> {
        self.session.arrive..self.session.depart
    }

    fn kwh_eur(&self, slot: usize) -> f64 {
        self.local.kwh_eur(self.session, slot)
    }

    /// Slots of the stay in which the plan leaves it room to charge (more), the cheapest first.
    fn left_out(&self, charges: &[usize]) -> Vec<usize> {
        let mut slots: Vec<usize> = self.stay().filter(|slot| charges.binary_search(slot).is_err()).collect();
        slots.sort_by(|&a, &b| self.kwh_eur(a).total_cmp(&self.kwh_eur(b)));
        slots
    }

    fn charging(&self, charges: &[usize]) -> Option<Charging> {
        let dearest_eur_kwh = charges.iter().map(|&slot| self.kwh_eur(slot)).reduce(f64::max)?;
        let amperes: f64 = charges.iter().map(|&slot| self.entry.charge_a[slot]).sum();
        let paid: f64 = charges.iter().map(|&slot| self.entry.charge_a[slot] * self.kwh_eur(slot)).sum();
        let stay_eur: f64 = self.stay().map(|slot| self.kwh_eur(slot)).sum();
        let left_out = self.left_out(charges);
        let tempting = |slot: &usize| {
            self.local.tariff_eur(self.session, *slot) < dearest_eur_kwh - SAME_EUR
                && self.kwh_eur(*slot) > dearest_eur_kwh + SAME_EUR
        };
        let tempting: Vec<usize> = left_out.iter().copied().filter(tempting).collect();
        let same = |slot: &usize| (self.kwh_eur(*slot) - dearest_eur_kwh).abs() <= SAME_EUR;
        let mut as_good: Vec<usize> = left_out.iter().copied().filter(same).collect();
        as_good.sort_unstable();
        Some(Charging {
            spans: Span::all(self.instance, charges),
            energy_kwh: amperes * self.kwh_per_a(),
            paid_eur_kwh: paid / amperes,
            stay_eur_kwh: stay_eur / self.stay().len() as f64,
            dearest_eur_kwh,
            left_out_eur_kwh: left_out.first().map(|&slot| self.kwh_eur(slot)),
            as_good: Span::all(self.instance, &as_good),
            dearer: self.dearer(&tempting),
        })
    }

    /// The limits that have a price for this vehicle in some slots, the most costly first.
    fn dearer(&self, slots: &[usize]) -> Vec<Dearer> {
        let mut by_limit: Vec<(String, Vec<(usize, f64)>)> = Vec::new();
        let mut add = |limit: String, slot: usize, eur: f64| match by_limit.iter_mut().find(|(name, _)| *name == limit)
        {
            Some((_, found)) => found.push((slot, eur)),
            None => by_limit.push((limit, vec![(slot, eur)])),
        };
        for &slot in slots {
            let board = |node: usize, phase: usize| format!("{} {}", self.instance.nodes[node].id, PHASE_NAMES[phase]);
            for (place, eur_kwh) in self.local.on_the_way(self.session, slot) {
                let name = if place.imbalance {
                    format!("{} imbalance", self.instance.nodes[place.node].id)
                } else {
                    board(place.node, place.phase)
                };
                add(name, slot, eur_kwh);
            }
            for one in self.alone.iter().filter(|one| one.slot == slot) {
                match one.place {
                    Some((node, phase)) => {
                        add(board(node, phase), slot, one.eur / self.local.kwh_per_a(self.session));
                    }
                    None => add("connection".to_owned(), slot, one.eur / self.instance.slot_h()),
                }
            }
            let peak = self.local.peak_eur_kwh[slot];
            add("peak".to_owned(), slot, peak);
            let rest = self.local.energy_eur_kwh[slot] - self.instance.grid.import_eur_kwh[slot] - peak;
            add("connection".to_owned(), slot, rest);
        }
        let mut dearer: Vec<(f64, Dearer)> = by_limit
            .into_iter()
            .filter_map(|(limit, mut found)| {
                // A limit may count twice in a slot: by its price, and by what the vehicle meets alone.
                found.sort_by_key(|(slot, _)| *slot);
                found.dedup_by(|next, kept| {
                    let same = next.0 == kept.0;
                    if same {
                        kept.1 += next.1;
                    }
                    same
                });
                found.retain(|(_, eur)| *eur > SAME_EUR.max(NOTHING));
                let sum: f64 = found.iter().map(|(_, eur)| eur).sum();
                let spans = Span::all(self.instance, &found.iter().map(|(slot, _)| *slot).collect::<Vec<_>>());
                let adds_eur_kwh = sum / found.len() as f64 / self.session.efficiency;
                (!spans.is_empty()).then_some((sum, Dearer { limit, spans, adds_eur_kwh }))
            })
            .collect();
        dearer.sort_by(|a, b| b.0.total_cmp(&a.0));
        dearer.into_iter().take(NAMED).map(|(_, dearer)| dearer).collect()
    }

    fn shortfall(&self, charges: &[usize]) -> Option<Shortfall> {
        let short_kwh = self.entry.shortfall_kwh;
        if short_kwh <= SHORT_KWH {
            return None;
        }
        let session = self.session;
        let max_a = self.instance.session_max_a(session);
        let room_kwh = session.capacity_kwh - session.soc_kwh;
        let full_kwh = max_a * self.kwh_per_a();
        let possible_kwh = full_kwh * self.stay().len() as f64;
        let step_kwh = session.min_a * self.kwh_per_a();
        let more_hours = Help::StayLonger { hours: short_kwh / full_kwh * self.instance.slot_h() };
        if room_kwh < session.need_kwh - TOLERANCE_KWH && short_kwh <= session.need_kwh - room_kwh + TOLERANCE_KWH {
            let help = vec![Help::LowerNeed { need_kwh: room_kwh }];
            return Some(Shortfall { short_kwh, cause: ShortfallCause::BatteryFull { room_kwh }, help });
        }
        if possible_kwh < session.need_kwh - TOLERANCE_KWH && session.need_kwh - short_kwh > possible_kwh - step_kwh {
            let faster = Help::FasterCharging { a: max_a * session.need_kwh / possible_kwh };
            let cause = ShortfallCause::StayTooShort { possible_kwh };
            return Some(Shortfall { short_kwh, cause, help: vec![more_hours, faster] });
        }
        let limits = self.dearer(&self.stay().collect::<Vec<_>>());
        let cheapest = self.left_out(charges).first().map(|&slot| self.kwh_eur(slot));
        let mut help: Vec<Help> = limits.iter().map(|dearer| self.larger(dearer)).collect();
        let worth = session.shortfall_eur_kwh;
        let dear = cheapest.filter(|eur| *eur > worth - SAME_EUR);
        help.extend(dear.map(|above_eur_kwh| Help::HigherPriority { above_eur_kwh }));
        let cause = match dear {
            _ if !limits.is_empty() && short_kwh >= step_kwh => ShortfallCause::Limits { limits },
            Some(eur_kwh) if short_kwh >= step_kwh => ShortfallCause::TooDear { eur_kwh },
            _ if limits.is_empty() || short_kwh < step_kwh => ShortfallCause::SmallestStep { step_kwh },
            _ => ShortfallCause::Limits { limits },
        };
        Some(Shortfall { short_kwh, cause, help })
    }

    /// What one more ampere (kW) of a limit would have been worth during the stay.
    fn larger(&self, dearer: &Dearer) -> Help {
        let slots: usize = dearer.spans.iter().map(|span| span.to_slot - span.from_slot).sum();
        let kwh = match dearer.limit.as_str() {
            "peak" | "connection" => self.instance.slot_h(),
            _ => self.instance.kw_per_a() * self.instance.slot_h() * self.session.phases as f64,
        };
        let saves_eur = dearer.adds_eur_kwh * self.session.efficiency * kwh * slots as f64;
        Help::LargerLimit { limit: dearer.limit.clone(), saves_eur }
    }
}

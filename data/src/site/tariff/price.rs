//! The price of a kWh at an instant, with its parts.

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::check::Span;
use super::{Component, Direction, Price, Tariff, TariffFault, check};
use crate::local::{self, TimeOfDay, Weekdays};

/// A tariff that is ready to price: checked, its dates and times of day read.
#[derive(Debug, Clone)]
pub struct Pricer<'a> {
    zone: Tz,
    components: Vec<Dated<'a>>,
}

/// A part of a price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part<'a> {
    /// What people call it.
    pub name: &'a str,
    /// What it adds, VAT included where it counts, in EUR/kWh.
    pub eur_kwh: f64,
}

/// A component with all that its file writes as text read.
#[derive(Debug, Clone)]
struct Dated<'a> {
    component: &'a Component,
    span: Span,
    windows: Vec<Hours>,
    /// 1 and the VAT, where it counts.
    vat: f64,
}

/// Hours of some days of the week.
#[derive(Debug, Clone, Copy)]
struct Hours {
    days: Weekdays,
    from: TimeOfDay,
    until: TimeOfDay,
    eur_kwh: f64,
}

impl<'a> Pricer<'a> {
    /// Makes a tariff ready for a site in `zone`.
    ///
    /// # Errors
    ///
    /// Everything that [`check`] finds.
    pub fn new(tariff: &'a Tariff, zone: Tz) -> Result<Self, Vec<TariffFault>> {
        let faults = check(tariff);
        if !faults.is_empty() {
            return Err(faults);
        }
        let (vat_percent, vat_counts) = tariff.vat();
        let vat = if vat_counts { 1.0 + vat_percent / 100.0 } else { 1.0 };
        let dated = |component: &'a Component| {
            let windows = match &component.price {
                Price::TimeOfUse { windows, .. } => windows.as_slice(),
                _ => &[],
            };
            let hours = windows.iter().filter_map(|window| {
                Some(Hours {
                    days: window.days.as_deref().map_or(Some(Weekdays::DAILY), Weekdays::parse)?,
                    from: TimeOfDay::parse(&window.from)?,
                    until: TimeOfDay::parse(&window.until)?,
                    eur_kwh: window.eur_kwh,
                })
            });
            // Whoever cannot reclaim VAT does not charge it on what is fed in either.
            let vat = if component.vat && component.direction == Direction::Import { vat } else { 1.0 };
            Some(Dated { component, span: Span::of(component)?, windows: hours.collect(), vat })
        };
        Ok(Pricer { zone, components: tariff.parts().filter_map(dated).collect() })
    }

    /// Whether a price of energy in this direction is in force on a local day.
    pub fn in_force(&self, direction: Direction, day: NaiveDate) -> bool {
        self.on(direction, day).next().is_some()
    }

    /// Whether the spot price is part of the price of this direction on a local day.
    pub fn needs_spot(&self, direction: Direction, day: NaiveDate) -> bool {
        self.on(direction, day).any(|dated| matches!(dated.component.price, Price::Spot { .. }))
    }

    /// What is paid for a kW of the month's highest quarter-hour, in EUR, VAT included where it counts; 0 without a peak
    /// price on that day.
    pub fn peak_eur_kw(&self, day: NaiveDate) -> f64 {
        let peaks =
            self.components.iter().filter(|dated| dated.span.holds(day)).map(|dated| match dated.component.price {
                Price::Peak { eur_kw_month } => eur_kw_month * dated.vat,
                _ => 0.0,
            });
        peaks.sum()
    }

    /// The parts of the price at an instant, in the tariff's order.
    ///
    /// `spot_eur_kwh` is the price file's; `used_kwh` what was used this calendar year so far: the next kWh pays the
    /// rate of the bracket that this falls into.
    pub fn parts(
        &self,
        direction: Direction,
        at: DateTime<Utc>,
        spot_eur_kwh: f64,
        used_kwh: f64,
    ) -> impl Iterator<Item = Part<'a>> {
        let wall = at.with_timezone(&self.zone).naive_local();
        self.on(direction, wall.date()).map(move |dated| {
            let eur_kwh = match &dated.component.price {
                Price::Spot { factor } => spot_eur_kwh * factor,
                Price::Fixed { eur_kwh } => *eur_kwh,
                Price::Brackets { brackets } => {
                    let reached = brackets.iter().rev().find(|bracket| used_kwh >= bracket.above_kwh);
                    reached.or(brackets.first()).map_or(0.0, |bracket| bracket.eur_kwh)
                }
                Price::TimeOfUse { eur_kwh, .. } => {
                    let minute = u16::try_from(wall.hour() * 60 + wall.minute()).unwrap_or(0);
                    let hours = dated.windows.iter().find(|hours| hours.hold(wall.date(), minute));
                    hours.map_or(*eur_kwh, |hours| hours.eur_kwh)
                }
                Price::Peak { .. } => 0.0,
            };
            Part { name: &dated.component.name, eur_kwh: eur_kwh * dated.vat }
        })
    }

    /// The price at an instant, the sum of its [`parts`](Self::parts); 0 where nothing is in force, as for export
    /// without any component.
    pub fn eur_kwh(&self, direction: Direction, at: DateTime<Utc>, spot_eur_kwh: f64, used_kwh: f64) -> f64 {
        self.parts(direction, at, spot_eur_kwh, used_kwh).map(|part| part.eur_kwh).sum()
    }

    /// The mean price of a slot of whole minutes, minute by minute, so that windows may begin anywhere.
    pub fn mean_eur_kwh(
        &self,
        direction: Direction,
        (from, minutes): (DateTime<Utc>, u32),
        spot_eur_kwh: f64,
        used_kwh: f64,
    ) -> f64 {
        let price =
            |minute| self.eur_kwh(direction, from + TimeDelta::minutes(i64::from(minute)), spot_eur_kwh, used_kwh);
        let first = price(0);
        // The difference to the first keeps a price that does not change exact.
        first + (1..minutes).map(|minute| price(minute) - first).sum::<f64>() / f64::from(minutes.max(1))
    }

    fn on(&self, direction: Direction, day: NaiveDate) -> impl Iterator<Item = &Dated<'a>> {
        self.components.iter().filter(move |dated| {
            let energy = !matches!(dated.component.price, Price::Peak { .. });
            energy && dated.component.direction == direction && dated.span.holds(day)
        })
    }
}

impl Hours {
    /// Whether the window holds a minute of a local day. A window over midnight belongs to the day it begins on.
    fn hold(self, day: NaiveDate, minute: u16) -> bool {
        let (from, until) = (self.from.minutes(), self.until.minutes());
        if from < until {
            return self.days.hold(day) && (from..until).contains(&minute);
        }
        (self.days.hold(day) && minute >= from) || (self.days.hold(local::previous_day(day)) && minute < until)
    }
}

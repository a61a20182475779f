//! What a building draws that nothing is known of but its kind and size: day one.
//!
//! The shapes are round figures of ours, after what standard load profiles of suppliers have in common: when people work,
//! shop, learn or are at home, how much is left on by night, and how much more winter takes. They are meant to be better
//! than nothing for the first days. As values come, the level is theirs more and more; methods that learn take over from
//! the second day on.

use kwartier_data::forecast::{Belief, LEVELS};
use kwartier_data::history::Past;

use crate::calendar::{Moment, SUNDAY};
use crate::grid::Grid;
use crate::method::{CannotFit, Fitted, Horizon, Method};

/// What a building is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A home, or several.
    Home,
    /// Offices.
    Office,
    /// A shop, open on Saturdays.
    Shop,
    /// A school.
    School,
    /// A workshop or factory in one shift.
    Workshop,
    /// A warehouse or depot with work from early to late.
    Depot,
}

/// What is known of a building.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Building {
    /// What it is used for.
    pub usage: Use,
    /// What it draws in a year, in kWh; `None` where the first values have to tell.
    pub annual_kwh: Option<f64>,
}

/// A usual building of that kind and size.
pub fn usual_building(building: Building) -> Box<dyn Method> {
    Box::new(UsualBuilding(building))
}

struct UsualBuilding(Building);

/// The mean power of the year that was settled on, in the unit of the series.
struct FittedUsual {
    usage: Use,
    mean_kw: f64,
}

/// Hours of a year.
const YEAR_H: f64 = 8_766.0;

/// How many hours of values count as much as what is said of the year: half a day, as the days of a building differ less
/// from each other than buildings do.
const SAID_H: f64 = 12.0;

/// The quantiles of the standard normal distribution at [`LEVELS`].
const NORMAL: [f64; LEVELS.len()] = [-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645];

/// A use as numbers: what is drawn, in parts of what is drawn when all is on.
struct Shape {
    /// When all is off, that is.
    base: f64,
    /// When it is on, in hours of the day.
    hours: [f64; 2],
    /// How much of it is on, on working days, Saturdays, Sundays.
    days: [f64; 3],
    /// How much more of it winter takes, and less summer.
    winter: f64,
    /// Spread of the logarithm of what is drawn around it: buildings of a kind differ, and so do their hours.
    spread: f64,
}

impl Use {
    fn shape(self) -> Shape {
        match self {
            Use::Home => Shape { base: 0.35, hours: [16.0, 23.0], days: [1.0, 1.0, 1.0], winter: 0.20, spread: 0.6 },
            Use::Office => Shape { base: 0.30, hours: [7.5, 18.0], days: [1.0, 0.1, 0.05], winter: 0.10, spread: 0.4 },
            Use::Shop => Shape { base: 0.25, hours: [8.5, 19.0], days: [1.0, 1.0, 0.2], winter: 0.05, spread: 0.4 },
            Use::School => Shape { base: 0.30, hours: [7.5, 16.5], days: [1.0, 0.05, 0.05], winter: 0.15, spread: 0.5 },
            Use::Workshop => Shape { base: 0.15, hours: [6.5, 16.5], days: [1.0, 0.1, 0.0], winter: 0.05, spread: 0.6 },
            Use::Depot => Shape { base: 0.35, hours: [5.0, 21.0], days: [1.0, 0.6, 0.2], winter: 0.10, spread: 0.5 },
        }
    }
}

impl Shape {
    /// What is drawn at a moment, by the mean of the year.
    fn at(&self, moment: Moment) -> f64 {
        let day = self.days[match moment.class {
            SUNDAY => 2,
            class if class + 1 == SUNDAY => 1,
            _ => 0,
        }];
        let hour = moment.of_day_s as f64 / 3_600.0;
        // The year's darkest days are around its turn.
        let season = 1.0 + self.winter * (std::f64::consts::TAU * f64::from(moment.of_year) / 365.25).cos();
        season * (self.base + (1.0 - self.base) * day * self.on(hour)) / self.mean()
    }

    /// How much is on at an hour of the day: rising and falling within an hour around the times it is switched.
    fn on(&self, hour: f64) -> f64 {
        let [from, until] = self.hours;
        (hour + 0.5 - from).clamp(0.0, 1.0).min((until + 0.5 - hour).clamp(0.0, 1.0))
    }

    /// The mean over a week, seasons aside.
    fn mean(&self) -> f64 {
        let [working, saturday, sunday] = self.days;
        let share = (5.0 * working + saturday + sunday) / 7.0 * (self.hours[1] - self.hours[0]) / 24.0;
        self.base + (1.0 - self.base) * share
    }
}

impl Method for UsualBuilding {
    fn name(&self) -> &'static str {
        "usual building"
    }

    fn fit(&self, past: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
        let grid = Grid::of(past);
        let shape = self.0.usage.shape();
        let step_h = grid.step_s as f64 / 3_600.0;
        let (mut drawn_kwh, mut usual_h) = (0.0, 0.0);
        for index in 0..grid.known() {
            if let Some(kw) = grid.truth(index) {
                drawn_kwh += kw * step_h;
                usual_h += shape.at(grid.calendar.moment(index)) * step_h;
            }
        }
        let said = self.0.annual_kwh.map(|kwh| kwh / YEAR_H);
        let mean_kw = match said {
            Some(said_kw) => (SAID_H * said_kw + drawn_kwh) / (SAID_H + usual_h),
            None if usual_h > 0.0 => drawn_kwh / usual_h,
            None => {
                return Err(CannotFit {
                    method: self.name(),
                    needs: "what the building draws in a year, or some history".to_owned(),
                    has: "neither".to_owned(),
                });
            }
        };
        Ok(Box::new(FittedUsual { usage: self.0.usage, mean_kw: mean_kw.max(0.0) }))
    }
}

impl Fitted for FittedUsual {
    fn predict(&self, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
        let grid = Grid::of(past);
        let shape = self.usage.shape();
        let belief = |index: Option<usize>| {
            let kw = self.mean_kw * shape.at(grid.calendar.moment(index?));
            // The mean of what is spread like this lies above its median by half the square of the spread.
            let median_kw = kw * (-0.5 * shape.spread * shape.spread).exp();
            let quantiles = NORMAL.map(|normal| median_kw * (shape.spread * normal).exp());
            Some(Belief { mean: kw, quantiles })
        };
        grid.indices(horizon).into_iter().map(belief).collect()
    }
}

#[cfg(test)]
mod tests {

    use chrono::{DateTime, TimeDelta, Utc};
    use kwartier_data::history::History;
    use kwartier_data::series::Series;

    use super::*;

    const USES: [Use; 6] = [Use::Home, Use::Office, Use::Shop, Use::School, Use::Workshop, Use::Depot];

    fn start() -> DateTime<Utc> {
        "2023-01-01T23:00:00Z".parse().unwrap()
    }

    fn history(values: Vec<Option<f64>>) -> History {
        let series = Series { start: start(), step: TimeDelta::hours(1), values };
        History::new(series, chrono_tz::Europe::Amsterdam)
    }

    #[test]
    fn a_year_draws_what_is_said() {
        for usage in USES {
            let shape = usage.shape();
            let past_history = history(vec![None; 366 * 24]);
            let past = past_history.as_of(start() + TimeDelta::days(366));
            let grid = Grid::of(&past);
            // 52 whole weeks.
            let hours = 364 * 24;
            let sum: f64 = (0..hours).map(|index| shape.at(grid.calendar.moment(index))).sum();
            assert!((sum / f64::from(u32::try_from(hours).unwrap()) - 1.0).abs() < 0.01, "{usage:?} {sum}");
        }
    }

    #[test]
    fn an_office_works_by_day() {
        let history = history(Vec::new());
        let past = history.as_of(start());
        let office = usual_building(Building { usage: Use::Office, annual_kwh: Some(87_660.0) });
        let horizon = Horizon::from_origin(&past, TimeDelta::hours(24));
        // A Monday in January; 10 kW on average over the year.
        let beliefs: Vec<Belief> = office.fit(&past).unwrap().predict(&past, horizon).into_iter().flatten().collect();
        assert_eq!(beliefs.len(), 24);
        assert!(beliefs[3].mean < 7.0 && beliefs[11].mean > 15.0, "{beliefs:?}");
        assert!(beliefs.iter().all(|belief| belief.quantiles.is_sorted() && belief.quantiles[0] > 0.0));
        let unknown = usual_building(Building { usage: Use::Office, annual_kwh: None });
        assert!(unknown.fit(&past).is_err());
    }

    #[test]
    fn values_take_over_the_level() {
        let history = history(vec![Some(40.0); 20 * 24]);
        let past = history.as_of(start() + TimeDelta::days(20));
        let horizon = Horizon::from_origin(&past, TimeDelta::days(7));
        let mean = |annual_kwh: Option<f64>| {
            let fitted = usual_building(Building { usage: Use::Depot, annual_kwh }).fit(&past).unwrap();
            let beliefs: Vec<Belief> = fitted.predict(&past, horizon).into_iter().flatten().collect();
            beliefs.iter().map(|belief| belief.mean).sum::<f64>() / beliefs.len() as f64
        };
        assert!((mean(None) - 40.0).abs() < 2.0, "{}", mean(None));
        // Ten times too little was said, and hardly counts any more.
        assert!((mean(Some(4.0 * YEAR_H)) - 40.0).abs() < 3.0, "{}", mean(Some(4.0 * YEAR_H)));
    }
}

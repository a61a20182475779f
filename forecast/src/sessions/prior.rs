//! What is believed of visits before a site has any: from Dutch charging points, or for a depot from its working day.
//!
//! The figures of homes, public and work places are condensed from the distributions of arrival, connection time and energy
//! demand by `ElaadNL`, the Dutch knowledge centre of charging, as distributed with `EV2Gym` 2.0.0 under the MIT licence:
//!
//! > Copyright (c) 2024 Stavros Orfanoudakis. Permission is hereby granted, free of charge, to any person obtaining a copy
//! > of this software and associated documentation files (the "Software"), to deal in the Software without restriction,
//! > including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies
//! > of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
//! > The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
//! > Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED
//! > TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
//! > AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT
//! > OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

use serde::{Deserialize, Serialize};

use super::spread::{GRID, Spread};
use super::visit::{DayKind, Wall};

/// What kind of place a site is: what its visits are like until it has seen its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// At home or in the garage of a block of flats.
    Home,
    /// On the street or a public car park.
    #[default]
    Public,
    /// At work.
    Workplace,
    /// A depot: vehicles come back in the afternoon and leave in the morning. No public distribution is known to us; these
    /// are round figures of ours for vans and lorries.
    Depot,
}

/// One kind of place.
struct Figures {
    /// Quantiles of the stay at [`GRID`], in hours.
    stay_h: [f64; GRID.len()],
    /// Their mean.
    mean_stay_h: f64,
    /// Mean stay by hour of arrival.
    stay_by_hour_h: [f64; 24],
    /// Quantiles of the energy at [`GRID`], in kWh.
    kwh: [f64; GRID.len()],
    /// Their mean.
    mean_kwh: f64,
    /// Mean energy by hour of arrival.
    kwh_by_hour: [f64; 24],
    /// Share of the arrivals of a working day by hour, in percent.
    working: [f64; 24],
    /// Share of the arrivals of a day at the weekend by hour, in percent.
    weekend: [f64; 24],
}

const HOME: Figures = Figures {
    stay_h: [0.6, 1.0, 1.5, 2.5, 4.2, 8.0, 9.8, 11.0, 12.3, 13.4, 14.6, 16.7, 20.3, 29.3, 43.0],
    mean_stay_h: 11.76,
    stay_by_hour_h: [
        9.1, 8.9, 7.2, 5.7, 4.7, 4.3, 4.6, 4.5, 3.2, 3.5, 3.4, 3.8, 4.2, 4.7, 7.0, 14.9, 15.3, 14.7, 13.8, 13.0, 12.2,
        11.2, 10.2, 9.6,
    ],
    kwh: [1.0, 1.8, 3.3, 5.6, 8.2, 11.5, 15.6, 19.4, 23.7, 29.6, 35.8, 43.4, 51.4, 59.6, 68.1],
    mean_kwh: 23.86,
    kwh_by_hour: [
        31.4, 32.5, 28.0, 24.8, 21.3, 21.5, 21.1, 18.1, 13.3, 14.5, 14.6, 14.8, 15.5, 16.2, 17.9, 19.5, 21.9, 22.4,
        24.7, 27.4, 29.1, 29.1, 30.2, 30.8,
    ],
    working: [
        2.13, 0.53, 0.21, 0.12, 0.11, 0.08, 0.17, 0.57, 1.38, 1.13, 1.13, 1.54, 2.18, 2.23, 2.68, 3.65, 5.68, 12.15,
        17.02, 11.54, 9.1, 8.93, 9.12, 6.62,
    ],
    weekend: [
        4.08, 2.03, 0.77, 0.32, 0.21, 0.13, 0.13, 0.37, 0.91, 1.69, 3.04, 4.8, 6.03, 6.17, 6.16, 6.9, 8.76, 10.21,
        7.87, 6.51, 6.76, 6.22, 5.78, 4.14,
    ],
};

#[expect(clippy::approx_constant, reason = "a measured mean, not π")]
const PUBLIC: Figures = Figures {
    stay_h: [0.1, 0.3, 0.6, 1.1, 1.7, 2.3, 3.3, 4.4, 6.5, 9.4, 12.1, 14.3, 17.1, 21.7, 38.8],
    mean_stay_h: 7.86,
    stay_by_hour_h: [
        10.0, 9.9, 9.5, 8.4, 6.8, 5.6, 5.2, 5.2, 4.9, 4.0, 3.0, 2.8, 3.0, 3.0, 3.0, 3.5, 4.7, 10.9, 12.4, 11.7, 11.3,
        11.1, 10.5, 10.1,
    ],
    kwh: [0.0, 0.6, 1.6, 2.8, 4.2, 5.3, 6.4, 7.2, 8.3, 10.0, 13.8, 20.0, 29.0, 41.6, 56.0],
    mean_kwh: 11.95,
    kwh_by_hour: [
        20.9, 21.2, 21.4, 21.3, 20.1, 20.0, 18.9, 15.9, 13.0, 12.5, 12.7, 12.8, 12.9, 13.2, 14.2, 15.5, 16.5, 16.5,
        16.5, 17.7, 19.1, 20.4, 20.4, 20.5,
    ],
    working: [
        0.98, 0.45, 0.24, 0.16, 0.16, 0.22, 0.73, 3.23, 7.86, 7.72, 5.11, 4.66, 5.35, 5.35, 5.02, 5.12, 5.66, 8.34,
        10.91, 8.06, 5.05, 3.96, 3.37, 2.28,
    ],
    weekend: [
        2.04, 1.24, 0.64, 0.37, 0.28, 0.25, 0.29, 0.65, 1.73, 3.73, 5.66, 7.0, 7.88, 8.2, 8.46, 8.29, 7.98, 8.02, 7.33,
        5.76, 4.87, 3.93, 3.14, 2.25,
    ],
};

/// The source says nothing of stays and energy at work between 19:00 and 05:00: there the nearest hour it does know, and
/// nothing of weekends, which here are as working days.
const WORKPLACE: Figures = Figures {
    stay_h: [0.0, 0.6, 1.2, 1.8, 2.5, 3.1, 4.0, 4.9, 6.2, 7.7, 8.5, 9.0, 9.8, 13.2, 25.7],
    mean_stay_h: 6.34,
    stay_by_hour_h: [
        8.2, 8.2, 8.2, 8.2, 8.2, 8.2, 8.5, 8.4, 7.8, 6.2, 4.8, 4.0, 3.7, 3.2, 2.6, 2.2, 2.1, 2.6, 2.5, 2.5, 2.5, 2.5,
        2.5, 2.5,
    ],
    kwh: [0.2, 1.4, 2.7, 4.2, 5.4, 6.5, 7.7, 8.8, 10.1, 13.3, 16.7, 21.0, 26.1, 31.9, 41.0],
    mean_kwh: 12.36,
    kwh_by_hour: [
        12.2, 12.2, 12.2, 12.2, 12.2, 12.2, 12.9, 13.4, 15.5, 14.8, 14.6, 14.3, 14.8, 13.8, 12.6, 12.4, 11.5, 13.9,
        12.4, 12.4, 12.4, 12.4, 12.4, 12.4,
    ],
    working: WORKING,
    weekend: WORKING,
};

const WORKING: [f64; 24] = [
    0.03, 0.0, 0.0, 0.01, 0.13, 1.43, 4.33, 14.26, 26.66, 18.07, 7.73, 4.94, 5.4, 5.28, 3.99, 3.04, 2.04, 1.02, 0.58,
    0.5, 0.3, 0.14, 0.08, 0.04,
];

/// Back between 14:00 and 20:00, gone between 05:00 and 09:00; a few come in for an hour over the day.
const DEPOT: Figures = Figures {
    stay_h: [0.5, 1.0, 3.0, 7.0, 10.0, 11.5, 12.5, 13.0, 13.5, 14.0, 14.5, 15.5, 18.0, 38.0, 62.0],
    mean_stay_h: 14.5,
    stay_by_hour_h: [
        6.5, 5.5, 4.5, 3.5, 3.0, 2.5, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 6.0, 15.5, 15.0, 14.5, 14.0, 13.0, 12.0, 11.0,
        10.0, 9.0, 7.5,
    ],
    kwh: [3.0, 6.0, 10.0, 15.0, 20.0, 25.0, 30.0, 36.0, 42.0, 50.0, 60.0, 75.0, 100.0, 140.0, 200.0],
    mean_kwh: 47.0,
    kwh_by_hour: [47.0; 24],
    working: DEPOT_ARRIVALS,
    weekend: DEPOT_ARRIVALS,
};

const DEPOT_ARRIVALS: [f64; 24] = [
    0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 15.0, 18.0, 15.0, 9.0, 5.0, 3.0, 2.0,
    1.0, 0.5,
];

impl Place {
    fn figures(self) -> &'static Figures {
        match self {
            Place::Home => &HOME,
            Place::Public => &PUBLIC,
            Place::Workplace => &WORKPLACE,
            Place::Depot => &DEPOT,
        }
    }

    /// The stay of a vehicle that arrives at a time of day, in hours: the distribution of the place, stretched to the mean of
    /// that hour.
    pub(super) fn stay_h(self, wall: &Wall) -> Spread {
        let figures = self.figures();
        scaled(&figures.stay_h, by_hour(&figures.stay_by_hour_h, wall.hour) / figures.mean_stay_h)
    }

    /// What it takes, in kWh.
    pub(super) fn kwh(self, wall: &Wall) -> Spread {
        let figures = self.figures();
        scaled(&figures.kwh, by_hour(&figures.kwh_by_hour, wall.hour) / figures.mean_kwh)
    }

    /// The share of a day's arrivals that come in an hour of it, 0 to 1.
    pub(super) fn arrival_share(self, kind: DayKind, hour: usize) -> f64 {
        let figures = self.figures();
        let shares = if kind == DayKind::Working { &figures.working } else { &figures.weekend };
        shares.get(hour).copied().unwrap_or(0.0) / shares.iter().sum::<f64>()
    }
}

fn scaled(quantiles: &[f64; GRID.len()], factor: f64) -> Spread {
    Spread::of(quantiles.map(|quantile| quantile * factor))
}

/// The value of the hour in which a time of day is.
fn by_hour(hours: &[f64; 24], hour: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 23")]
    let index = hour.clamp(0.0, 23.0) as usize;
    hours[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_sane_figures() {
        for place in [Place::Home, Place::Public, Place::Workplace, Place::Depot] {
            let figures = place.figures();
            for quantiles in [&figures.stay_h, &figures.kwh] {
                assert!(quantiles.is_sorted(), "{place:?}");
            }
            // The mean given is near that of the quantiles.
            for (quantiles, mean) in [(&figures.stay_h, figures.mean_stay_h), (&figures.kwh, figures.mean_kwh)] {
                let of_quantiles = Spread::of(*quantiles).mean();
                assert!((of_quantiles / mean - 1.0).abs() < 0.06, "{place:?}: {of_quantiles} for {mean}");
            }
            let day: f64 = (0..24).map(|hour| place.arrival_share(DayKind::Saturday, hour)).sum();
            assert!((day - 1.0).abs() < 1e-12);
        }
    }
}

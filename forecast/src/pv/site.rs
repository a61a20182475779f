//! All that is known of a plant: where it is, how its planes lie, what shades it, what it can ever give.

use chrono::{DateTime, TimeDelta, Utc};
use kwartier_data::history::{Past, Position};
use serde::{Deserialize, Serialize};

use super::PvPlant;
use super::frame::Frame;
use super::light::{Light, clear_wm2};
use super::locate::{Located, Stamps, locate};
use super::plant::{Conditions, Plant, Sample};
use super::sun::{Instant, Sun};

/// Days that a plant is fitted on: a year holds all heights of the sun.
const DAYS: usize = 400;

/// Sine of the elevation below which nothing is fitted: about 4°.
const LEAST_UP: f64 = 0.07;

/// The least intervals with weather from which planes are fitted by it.
const LEAST_WITH_WEATHER: usize = 80;

/// The quantile of output that a clear sky gives.
const CLEAR_LEVEL: f64 = 0.9;

/// Width of the boxes of the sky in which shade is counted, in degrees of azimuth.
const BOX_DEG: f64 = 15.0;

/// Lower edges of those boxes in degrees of elevation: finer where trees stand.
const HEIGHTS_DEG: [f64; 7] = [-90.0, 5.0, 10.0, 15.0, 25.0, 40.0, 55.0];

/// Boxes around the sky.
const AROUND: usize = 24;

/// Intervals in a box at which its own ratio counts half.
const HALF_BELIEVED: f64 = 20.0;

/// What modules and inverter give at most, over kilowatt-peak: the brightest edges of clouds pass 1000 W/m² by a fifth,
/// and losses take a tenth.
const MOST_PER_PEAK: f64 = 1.1;

/// How far above the largest value ever seen the next may be.
const MARGIN: f64 = 1.05;

/// Lower edges of clear-sky output over rated output, between which the largest index is kept apart.
const BANDS: [f64; 5] = [0.0, 0.03, 0.1, 0.25, 0.5];

/// A plant as it is known.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub located: Located,
    pub plant: Plant,
    /// Factor of each box of the sky, by height, then azimuth.
    shade: Vec<[f64; AROUND]>,
    /// Nothing is above.
    most: f64,
    /// Largest index in each of [`BANDS`].
    most_index: [f64; BANDS.len()],
}

/// A site as it is kept: what is without bound is left out.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptSite {
    latitude_deg: f64,
    longitude_deg: f64,
    stamps: Stamps,
    plant: Plant,
    shade: Vec<[f64; AROUND]>,
    most: Option<f64>,
    most_index: [Option<f64>; BANDS.len()],
}

impl Site {
    /// As it is kept.
    pub(super) fn kept(&self) -> KeptSite {
        let finite = |value: f64| value.is_finite().then_some(value);
        KeptSite {
            latitude_deg: self.located.position.latitude_deg,
            longitude_deg: self.located.position.longitude_deg,
            stamps: self.located.stamps,
            plant: self.plant.clone(),
            shade: self.shade.clone(),
            most: finite(self.most),
            most_index: self.most_index.map(finite),
        }
    }

    /// What was kept; `None` where its boxes of the sky are other ones or it has no planes.
    pub(super) fn restored(kept: KeptSite) -> Option<Self> {
        let KeptSite { latitude_deg, longitude_deg, stamps, plant, shade, most, most_index } = kept;
        let position = Position { latitude_deg, longitude_deg };
        let sane = shade.len() == HEIGHTS_DEG.len() && plant.rated() > 0.0;
        let bound = |kept: Option<f64>| kept.unwrap_or(f64::INFINITY);
        let (most, most_index) = (bound(most), most_index.map(bound));
        sane.then_some(Site { located: Located { position, stamps }, plant, shade, most, most_index })
    }

    /// The plant that a past shows, as far as it shows one; `None` where neither peak nor output, or neither place nor
    /// days are known.
    pub(super) fn of(past: &Past<'_>, given: PvPlant) -> Option<Self> {
        let located = locate(past, given.position)?;
        let values = past.values();
        let per_day = usize::try_from(86_400 / past.step().num_seconds().max(1)).unwrap_or(1).max(1);
        let from = values.len().saturating_sub(DAYS * per_day);
        let seen = largest(&values[from..]);
        let peak = given.peak_kw.filter(|peak| *peak > 0.0).or(seen)?;
        let latitude_deg = located.position.latitude_deg;
        let usual = Plant::usual(peak, latitude_deg);
        let mut site = Site {
            located,
            plant: usual,
            shade: vec![[1.0; AROUND]; HEIGHTS_DEG.len()],
            most: f64::INFINITY,
            most_index: [f64::INFINITY; BANDS.len()],
        };
        if seen.is_some() {
            let frame = Frame::of(past, &site, from, values.len());
            let by_weather = if past.has_weather() { site.samples(past, &frame, values, true) } else { Vec::new() };
            let (samples, level) = if by_weather.len() >= LEAST_WITH_WEATHER {
                (by_weather, 0.5)
            } else {
                (site.samples(past, &frame, values, false), CLEAR_LEVEL)
            };
            let only: Vec<Sample> = samples.iter().map(|(_, sample)| sample.clone()).collect();
            if let Some(plant) = Plant::fit(&only, level, latitude_deg).filter(|plant| plant.rated() > 0.0) {
                site.plant = plant;
                site.shade = site.shade_of(&samples);
            }
        }
        site.limit(past, given.peak_kw, seen, from);
        Some(site)
    }

    /// What came in daylight under which light, with the sun in the middle of the interval.
    fn samples(&self, past: &Past<'_>, frame: &Frame, values: &[Option<f64>], weather: bool) -> Vec<(Sun, Sample)> {
        let mut samples = Vec::new();
        for at in 0..frame.len() {
            let sun = frame.path().middle(at);
            let Some(output) = values.get(frame.first + at).copied().flatten().filter(|_| sun.up > LEAST_UP) else {
                continue;
            };
            let under = if weather {
                frame.conditions(past, self, at)
            } else {
                let parts = frame.path().within(at).iter().map(|sun| (*sun, Light::clear(sun))).collect();
                Some(Conditions { parts, temp_c: None, wind_ms: None })
            };
            samples.extend(under.map(|under| (sun, Sample { output: output.max(0.0), under })));
        }
        samples
    }

    /// What came over what the plant without shade would have given, in each box of the sky over that in all, drawn
    /// towards 1 where little was seen.
    fn shade_of(&self, samples: &[(Sun, Sample)]) -> Vec<[f64; AROUND]> {
        let mut boxes = vec![[(0.0, 0.0, 0.0); AROUND]; HEIGHTS_DEG.len()];
        let (mut all_output, mut all_model) = (0.0, 0.0);
        for (sun, sample) in samples {
            let model = self.output(&sample.under);
            let (height, around) = sky_box(sun);
            let (output, sum, count) = &mut boxes[height][around];
            *output += sample.output;
            *sum += model;
            *count += 1.0;
            all_output += sample.output;
            all_model += model;
        }
        let overall = all_output / all_model.max(f64::MIN_POSITIVE);
        let factor = |(output, model, count): (f64, f64, f64)| {
            if model <= 0.0 || overall <= 0.0 {
                return 1.0;
            }
            let believed = count / (count + HALF_BELIEVED);
            (1.0 + believed * (output / model / overall - 1.0)).clamp(0.05, 1.5)
        };
        boxes.into_iter().map(|row| row.map(factor)).collect()
    }

    /// Finds what the plant gives at most.
    fn limit(&mut self, past: &Past<'_>, peak: Option<f64>, seen: Option<f64>, from: usize) {
        let by_peak = peak.map(|peak| peak * MOST_PER_PEAK);
        self.most = match (by_peak, seen) {
            // A plant that gives more than its peak was given another unit, or grew.
            (Some(by_peak), Some(seen)) => by_peak.max(seen),
            (Some(by_peak), None) => by_peak,
            // A winter's largest is not a summer's: what the planes are rated at may come.
            (None, Some(seen)) => (seen * MARGIN).max(self.plant.limit.unwrap_or(self.rated())),
            (None, None) => f64::INFINITY,
        };
        let mut most = [(0.0_f64, 0_usize); BANDS.len()];
        let frame = Frame::of(past, self, from, past.values().len());
        for (clear, index) in frame.clear.iter().zip(&frame.index) {
            if let Some(index) = index {
                let (largest, count) = &mut most[self.band(*clear)];
                *largest = largest.max(*index);
                *count += 1;
            }
        }
        // A hundred intervals have seen the edges of some clouds.
        self.most_index =
            most.map(|(largest, count)| if count >= 100 { (largest * MARGIN).max(1.2) } else { f64::INFINITY });
    }

    fn band(&self, clear: f64) -> usize {
        BANDS.iter().rposition(|edge| clear >= edge * self.rated()).unwrap_or(0)
    }

    /// What the plant can give at most when a clear sky gives `clear`.
    pub(super) fn most(&self, clear: f64) -> f64 {
        (clear * self.most_index[self.band(clear)]).min(self.most)
    }

    /// What the planes give together at 1000 W/m².
    pub(super) fn rated(&self) -> f64 {
        self.plant.rated()
    }

    /// Mean output under a clear sky over the parts of an interval.
    pub(super) fn clear(&self, suns: &[Sun]) -> f64 {
        let sum: f64 =
            suns.iter().map(|sun| self.plant.output(sun, &Light::clear(sun), None, None) * self.shade(sun)).sum();
        sum / suns.len().max(1) as f64
    }

    /// Mean output over the parts of an interval.
    pub(super) fn output(&self, under: &Conditions) -> f64 {
        let (temp_c, wind_ms) = (under.temp_c, under.wind_ms);
        let of = |(sun, light): &(Sun, Light)| self.plant.output(sun, light, temp_c, wind_ms) * self.shade(sun);
        under.parts.iter().map(of).sum::<f64>() / under.parts.len().max(1) as f64
    }

    fn shade(&self, sun: &Sun) -> f64 {
        let (height, around) = sky_box(sun);
        self.shade[height][around]
    }

    /// Mean clear-sky irradiance over an interval of the weather, in W/m².
    pub(super) fn mean_clear_wm2(&self, begin: DateTime<Utc>, length: TimeDelta) -> f64 {
        const PARTS: i32 = 4;
        let sum: f64 = (0..PARTS)
            .map(|k| clear_wm2(&Instant::new(begin + length * (2 * k + 1) / (2 * PARTS)).from(self.located.position)))
            .sum();
        sum / f64::from(PARTS)
    }
}

fn sky_box(sun: &Sun) -> (usize, usize) {
    let elevation = sun.elevation_deg();
    let height = HEIGHTS_DEG.iter().rposition(|edge| elevation >= *edge).unwrap_or(0);
    let azimuth = sun.azimuth_deg();
    let around = (0..AROUND).rfind(|k| azimuth >= BOX_DEG * *k as f64).unwrap_or(0);
    (height, around)
}

/// The largest value that is no fault: not above the 99.5 % quantile of the positive ones by more than a third. `None`
/// where nothing is positive.
fn largest(values: &[Option<f64>]) -> Option<f64> {
    let mut positive: Vec<f64> = values.iter().flatten().copied().filter(|value| *value > 0.0).collect();
    positive.sort_unstable_by(f64::total_cmp);
    let high = *positive.get(positive.len().saturating_sub(1 + positive.len() / 200))?;
    positive.into_iter().rfind(|value| *value <= high * 4.0 / 3.0)
}

//! A plant: planes of modules, an inverter's limit, losses; fitted to what was measured.

use serde::{Deserialize, Serialize};

use super::light::{Light, Plane};
use super::sun::Sun;

/// Share of the modules' rating that reaches the meter on day one: inverter, cables, dirt, reflection, mismatch. Usual
/// design values are 0.80 to 0.90.
const PERFORMANCE: f64 = 0.86;

/// Tilt on day one: that of an ordinary pitched roof.
const TILT_DEG: f64 = 35.0;

/// The most samples that a fit looks at: orientation shows in a few hundred hours.
const SAMPLES: usize = 2500;

/// The least samples that an orientation is fitted to: some ten days of daylight hours.
const LEAST_SAMPLES: usize = 80;

/// How much smaller the loss with two planes must be than with one.
const SECOND_PLANE: f64 = 0.96;

/// Values so near the largest count as at the limit, as a share of it.
const NEAR_LIMIT: f64 = 0.98;

/// The least share of the values in the upper half that lie at the limit where an inverter cuts.
const CUT_SHARE: f64 = 0.10;

/// Sun, light and air over an interval.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    /// Sun and light in each part of the interval.
    pub parts: Vec<(Sun, Light)>,
    /// Air temperature in °C.
    pub temp_c: Option<f64>,
    /// Wind in m/s.
    pub wind_ms: Option<f64>,
}

/// What an interval gave under which conditions.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Output, in the unit of the series.
    pub output: f64,
    /// The conditions.
    pub under: Conditions,
}

/// What a plane would give for each kilowatt-peak, mean over the parts.
fn unit(plane: &Plane, under: &Conditions) -> f64 {
    let sum: f64 = under.parts.iter().map(|(sun, light)| plane.output(sun, light, under.temp_c, under.wind_ms)).sum();
    sum / under.parts.len().max(1) as f64
}

/// Planes and limit of a plant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plant {
    /// Planes, and what each gives per 1000 W/m² at 25 °C, in the unit of the series: kilowatt-peak less losses.
    pub planes: Vec<(Plane, f64)>,
    /// What the inverter lets through at most, where a cut was seen.
    pub limit: Option<f64>,
}

impl Plant {
    /// What is assumed on day one: an ordinary roof that faces the equator, with usual losses.
    pub fn usual(peak: f64, latitude_deg: f64) -> Self {
        Plant { planes: vec![(Self::usual_plane(latitude_deg), peak * PERFORMANCE)], limit: None }
    }

    fn usual_plane(latitude_deg: f64) -> Plane {
        let azimuth_deg = if latitude_deg < 0.0 { 0.0 } else { 180.0 };
        Plane { tilt_deg: TILT_DEG.min(latitude_deg.abs()), azimuth_deg }
    }

    /// What all planes give together at 1000 W/m².
    pub fn rated(&self) -> f64 {
        self.planes.iter().map(|(_, rated)| rated).sum()
    }

    /// The output in one light, before shading.
    pub(super) fn output(&self, sun: &Sun, light: &Light, temp_c: Option<f64>, wind_ms: Option<f64>) -> f64 {
        let sum: f64 = self.planes.iter().map(|(plane, rated)| rated * plane.output(sun, light, temp_c, wind_ms)).sum();
        self.limit.map_or(sum, |limit| sum.min(limit))
    }

    /// The plant whose `level` quantile of output explains the samples: 0.5 where the light is that of the interval, a
    /// high one where it is that of a clear sky. `None` where no sample has light.
    pub(super) fn fit(samples: &[Sample], level: f64, latitude_deg: f64) -> Option<Self> {
        let stride = samples.len().div_ceil(SAMPLES).max(1);
        // A stride that shares no factor with a day's intervals keeps all times of day.
        let stride = if stride > 1 && stride.is_multiple_of(2) { stride + 1 } else { stride };
        let thinned: Vec<&Sample> = samples.iter().step_by(stride).collect();
        let limit = cut(&thinned);
        let kept: Vec<&Sample> = thinned
            .iter()
            .copied()
            .filter(|sample| limit.is_none_or(|limit| sample.output < NEAR_LIMIT * limit))
            .collect();
        let fit = Fit { samples: kept, level };
        let usual = [(Self::usual_plane(latitude_deg), 1.0)];
        let (_, scale) = fit.loss(&usual)?;
        let mut planes: Vec<(Plane, f64)> = vec![(usual[0].0, scale)];
        if fit.samples.len() >= LEAST_SAMPLES {
            planes = fit.planes()?;
        }
        // A limit that the planes would not reach by themselves is none.
        let at_limit: Vec<&Sample> = thinned
            .iter()
            .copied()
            .filter(|sample| limit.is_some_and(|limit| sample.output >= NEAR_LIMIT * limit))
            .collect();
        let without =
            |sample: &&Sample| planes.iter().map(|(plane, rated)| rated * unit(plane, &sample.under)).sum::<f64>();
        let above = at_limit.iter().map(without).sum::<f64>() / at_limit.len().max(1) as f64;
        let limit = limit.filter(|limit| above > 1.02 * limit);
        if limit.is_none() && fit.samples.len() < thinned.len() {
            let all = Fit { samples: thinned, level };
            planes = if all.samples.len() >= LEAST_SAMPLES { all.planes()? } else { planes };
        }
        Some(Plant { planes, limit })
    }
}

/// The largest output where so many lie beside it that something must cut there.
fn cut(samples: &[&Sample]) -> Option<f64> {
    let mut outputs: Vec<f64> = samples.iter().map(|sample| sample.output).collect();
    outputs.sort_unstable_by(f64::total_cmp);
    let largest = *outputs.get(outputs.len().saturating_sub(1 + outputs.len() / 500))?;
    let upper = outputs.iter().filter(|output| **output > largest / 2.0).count();
    let top = outputs.iter().filter(|output| **output >= NEAR_LIMIT * largest).count();
    (samples.len() >= LEAST_SAMPLES && top as f64 > CUT_SHARE * upper as f64).then_some(largest)
}

struct Fit<'s> {
    samples: Vec<&'s Sample>,
    level: f64,
}

impl Fit<'_> {
    /// The pinball loss of planes of given shares at the scale that makes it least, and that scale.
    fn loss(&self, shares: &[(Plane, f64)]) -> Option<(f64, f64)> {
        let units: Vec<f64> = self
            .samples
            .iter()
            .map(|sample| shares.iter().map(|(plane, share)| share * unit(plane, &sample.under)).sum())
            .collect();
        // Σ ρ(y − s·u) = Σ u·ρ(y/u − s): least at the quantile of y/u weighted by u.
        let mut ratios: Vec<(f64, f64)> = units
            .iter()
            .zip(&self.samples)
            .filter(|(unit, _)| **unit > 0.0)
            .map(|(unit, sample)| (sample.output / unit, *unit))
            .collect();
        ratios.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = self.level * ratios.iter().map(|(_, weight)| weight).sum::<f64>();
        let mut sum = 0.0;
        let (scale, _) = ratios.iter().find(|(_, weight)| {
            sum += weight;
            sum >= wanted
        })?;
        let loss = units
            .iter()
            .zip(&self.samples)
            .map(|(unit, sample)| {
                let over = sample.output - scale * unit;
                if over >= 0.0 { self.level * over } else { (self.level - 1.0) * over }
            })
            .sum();
        Some((loss, *scale))
    }

    /// One plane or two.
    fn planes(&self) -> Option<Vec<(Plane, f64)>> {
        let mut best: (f64, Vec<(Plane, f64)>) = (f64::INFINITY, Vec::new());
        let offer = |shares: Vec<(Plane, f64)>, best: &mut (f64, Vec<(Plane, f64)>)| {
            if let Some((loss, _)) = self.loss(&shares)
                && loss < best.0
            {
                *best = (loss, shares);
            }
        };
        offer(vec![(Plane { tilt_deg: 0.0, azimuth_deg: 180.0 }, 1.0)], &mut best);
        for tilt_deg in [15.0, 30.0, 45.0, 70.0] {
            for azimuth in 0..12 {
                offer(vec![(Plane { tilt_deg, azimuth_deg: f64::from(azimuth) * 30.0 }, 1.0)], &mut best);
            }
        }
        self.refine(&mut best);
        let one = best.clone();
        let mut two = (f64::INFINITY, Vec::new());
        let first = one.1.first()?.0;
        for opposite in [Plane { tilt_deg: 25.0, azimuth_deg: 90.0 }, first] {
            for azimuth in 0..8 {
                for tilt_deg in [15.0, 40.0] {
                    for share in [0.35, 0.65] {
                        let second = Plane { tilt_deg, azimuth_deg: f64::from(azimuth) * 45.0 };
                        offer(vec![(opposite, share), (second, 1.0 - share)], &mut two);
                    }
                }
            }
        }
        self.refine(&mut two);
        let best = if two.0 < SECOND_PLANE * one.0 { two.1 } else { one.1 };
        let (_, scale) = self.loss(&best)?;
        Some(best.into_iter().map(|(plane, share)| (plane, share * scale)).collect())
    }

    /// Turns, tilts and re-shares the planes in ever smaller steps while that makes the loss smaller.
    fn refine(&self, best: &mut (f64, Vec<(Plane, f64)>)) {
        for step_deg in [10.0, 5.0, 2.5, 1.2] {
            let mut better = true;
            // Each pass that goes on made the loss smaller; a few passes reach the bottom.
            for _ in 0..4 {
                if !better {
                    break;
                }
                better = false;
                for which in 0..best.1.len() {
                    for (tilt, azimuth, share) in [
                        (1.0, 0.0, 0.0),
                        (-1.0, 0.0, 0.0),
                        (0.0, 2.0, 0.0),
                        (0.0, -2.0, 0.0),
                        (0.0, 0.0, 0.01),
                        (0.0, 0.0, -0.01),
                    ] {
                        if share != 0.0 && best.1.len() < 2 {
                            continue;
                        }
                        let mut tried = best.1.clone();
                        let (plane, part) = &mut tried[which];
                        plane.tilt_deg = (plane.tilt_deg + tilt * step_deg).clamp(0.0, 90.0);
                        plane.azimuth_deg = (plane.azimuth_deg + azimuth * step_deg).rem_euclid(360.0);
                        *part = (*part + share * step_deg).max(0.02);
                        if let Some((loss, _)) = self.loss(&tried)
                            && loss < best.0
                        {
                            *best = (loss, tried);
                            better = true;
                        }
                    }
                }
            }
        }
    }
}

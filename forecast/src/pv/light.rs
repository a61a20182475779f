//! Light: under a clear sky, split into beam and diffuse, on a tilted plane; and what a plane of modules makes of it.
//!
//! Sources: clear sky by Haurwitz (1945, "Insolation in relation to cloudiness and cloud density"); diffuse share by
//! Erbs, Klein and Duffie (1982, "Estimation of the diffuse radiation fraction"); plane of array by Hay and Davies (1980,
//! "Calculation of the solar radiation incident on an inclined surface"); module temperature by Faiman (2008, "Assessing
//! the outdoor operating temperature of photovoltaic modules").

use kwartier_data::history::Sky;
use serde::{Deserialize, Serialize};

use super::sun::Sun;

/// Share of the light that the ground throws back: grass and town, as is usual.
const ALBEDO: f64 = 0.2;

/// Sine of 4°: a sun lower than that makes quotients by its height mean nothing.
const LOW_SUN: f64 = 0.07;

/// Power lost per kelvin of cells above 25 °C: crystalline silicon, −0.35 to −0.4 % on data sheets.
const PER_KELVIN: f64 = -0.0037;

/// Faiman's heat losses of a module in W/(m² K): still air, and per m/s of wind.
const FAIMAN: (f64, f64) = (25.0, 6.84);

/// Wind where none is given, in m/s: a light breeze on a roof.
const WIND_MS: f64 = 2.0;

/// Air temperature where none is given, in °C.
const TEMP_C: f64 = 15.0;

/// Irradiance at which modules are rated, in W/m².
const RATED_WM2: f64 = 1000.0;

/// The light at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the unit stands at the end of a name")]
pub(super) struct Light {
    /// On a horizontal plane, in W/m².
    pub global_wm2: f64,
    /// From the sun's disc on a plane that faces it, in W/m².
    pub beam_wm2: f64,
    /// From the rest of the sky on a horizontal plane, in W/m².
    pub diffuse_wm2: f64,
}

/// Global horizontal irradiance under a clear sky in W/m² (Haurwitz).
pub(super) fn clear_wm2(sun: &Sun) -> f64 {
    if sun.up <= 0.0 { 0.0 } else { 1098.0 * sun.up * (-0.057 / sun.up).exp() }
}

/// The diffuse share of global irradiance at a clearness `kt`, global over extraterrestrial (Erbs).
pub(super) fn diffuse_share(kt: f64) -> f64 {
    if kt <= 0.22 {
        1.0 - 0.09 * kt
    } else if kt <= 0.80 {
        0.9511 - 0.1604 * kt + 4.388 * kt.powi(2) - 16.638 * kt.powi(3) + 12.336 * kt.powi(4)
    } else {
        0.165
    }
}

impl Light {
    /// The light of a global irradiance, split by Erbs.
    pub(super) fn of_global(global_wm2: f64, sun: &Sun) -> Self {
        if sun.up <= 0.0 || global_wm2 <= 0.0 {
            return Light { global_wm2: 0.0, beam_wm2: 0.0, diffuse_wm2: 0.0 };
        }
        let kt = global_wm2 / (sun.extra_wm2 * sun.up.max(LOW_SUN));
        let diffuse_wm2 = global_wm2 * diffuse_share(kt);
        let beam_wm2 = ((global_wm2 - diffuse_wm2) / sun.up.max(LOW_SUN)).min(sun.extra_wm2);
        Light { global_wm2, beam_wm2, diffuse_wm2 }
    }

    /// The light of a clear sky.
    pub(super) fn clear(sun: &Sun) -> Self {
        Self::of_global(clear_wm2(sun), sun)
    }

    /// The light of a weather row; `share` is the clear-sky irradiance of this moment over that of the row's whole
    /// interval, so that an hour's mean rises and falls with the sun within it. What is missing is made from what is
    /// given; `None` where that is too little.
    pub(super) fn of_sky(sky: &Sky, sun: &Sun, share: f64) -> Option<Self> {
        let at_least_none = |value: Option<f64>| value.map(|value| value.max(0.0) * share);
        let (global, diffuse) = (at_least_none(sky.ghi_wm2), at_least_none(sky.dhi_wm2));
        // A sun's beam hardly changes within an hour; only its height does.
        let beam = sky.dni_wm2.map(|beam| beam.max(0.0));
        if sun.up <= 0.0 {
            return (global.is_some() || diffuse.is_some()).then(|| Self::of_global(0.0, sun));
        }
        match (global, beam, diffuse) {
            (Some(global_wm2), Some(beam_wm2), Some(diffuse_wm2)) => Some(Light { global_wm2, beam_wm2, diffuse_wm2 }),
            (Some(global_wm2), Some(beam_wm2), None) => {
                Some(Light { global_wm2, beam_wm2, diffuse_wm2: (global_wm2 - beam_wm2 * sun.up).max(0.0) })
            }
            (Some(global_wm2), None, Some(diffuse_wm2)) => {
                let beam_wm2 = ((global_wm2 - diffuse_wm2).max(0.0) / sun.up.max(LOW_SUN)).min(sun.extra_wm2);
                Some(Light { global_wm2, beam_wm2, diffuse_wm2 })
            }
            (None, Some(beam_wm2), Some(diffuse_wm2)) => {
                Some(Light { global_wm2: diffuse_wm2 + beam_wm2 * sun.up, beam_wm2, diffuse_wm2 })
            }
            (Some(global_wm2), None, None) => Some(Self::of_global(global_wm2, sun)),
            (None, _, _) => None,
        }
    }
}

/// How a plane of modules lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// Tilt from the horizontal in degrees, 0 to 90.
    pub tilt_deg: f64,
    /// Where it faces, in degrees clockwise from north.
    pub azimuth_deg: f64,
}

impl Plane {
    /// What a kilowatt-peak on this plane gives, in kW: irradiance by Hay and Davies, temperature by Faiman; no other
    /// losses.
    pub(super) fn output(&self, sun: &Sun, light: &Light, temp_c: Option<f64>, wind_ms: Option<f64>) -> f64 {
        let plane_wm2 = self.irradiance_wm2(sun, light);
        let heat_loss = FAIMAN.0 + FAIMAN.1 * wind_ms.unwrap_or(WIND_MS).max(0.0);
        let cell_c = temp_c.unwrap_or(TEMP_C) + plane_wm2 / heat_loss;
        (plane_wm2 / RATED_WM2 * (1.0 + PER_KELVIN * (cell_c - 25.0))).max(0.0)
    }

    /// Irradiance on the plane in W/m² (Hay and Davies, isotropic ground).
    pub(super) fn irradiance_wm2(&self, sun: &Sun, light: &Light) -> f64 {
        let (tilt, azimuth) = (self.tilt_deg.to_radians(), self.azimuth_deg.to_radians());
        let up = tilt.cos();
        let facing = up * sun.up + tilt.sin() * (azimuth.sin() * sun.east + azimuth.cos() * sun.north);
        let facing = facing.max(0.0);
        let circumsolar = (light.beam_wm2 / sun.extra_wm2).clamp(0.0, 1.0);
        let towards = if sun.up > 0.0 { facing / sun.up.max(LOW_SUN) } else { 0.0 };
        let sky_wm2 = light.diffuse_wm2 * (circumsolar * towards + (1.0 - circumsolar) * f64::midpoint(1.0, up));
        let ground_wm2 = light.global_wm2 * ALBEDO * (1.0 - up) / 2.0;
        light.beam_wm2 * facing + sky_wm2 + ground_wm2
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use proptest::prelude::*;

    fn sun(elevation_deg: f64, azimuth_deg: f64) -> Sun {
        let (elevation, azimuth) = (elevation_deg.to_radians(), azimuth_deg.to_radians());
        Sun {
            up: elevation.sin(),
            east: azimuth.sin() * elevation.cos(),
            north: azimuth.cos() * elevation.cos(),
            extra_wm2: 1361.0,
        }
    }

    #[test]
    fn values_of_the_papers() {
        // Haurwitz with the sun overhead: 1098 · exp(−0.057).
        assert!((clear_wm2(&sun(90.0, 180.0)) - 1037.16).abs() < 0.01);
        // Erbs at 0.5: 0.9511 − 0.0802 + 1.097 − 2.07975 + 0.771.
        assert!((diffuse_share(0.5) - 0.659_15).abs() < 1e-9);
        assert!((diffuse_share(0.1) - 0.991).abs() < 1e-12);
        assert!((diffuse_share(0.9) - 0.165).abs() < 1e-12);
        // A kilowatt at 1000 W/m², 20 °C, 1 m/s: cells at 20 + 1000 / 31.84 = 51.4 °C.
        let flat = Plane { tilt_deg: 0.0, azimuth_deg: 180.0 };
        let light = Light { global_wm2: 1000.0, beam_wm2: 800.0, diffuse_wm2: 200.0 };
        let overhead = flat.output(&sun(90.0, 180.0), &light, Some(20.0), Some(1.0));
        assert!((overhead - (1.0 - 0.0037 * (20.0 + 1000.0 / 31.84 - 25.0))).abs() < 1e-9);
    }

    #[test]
    fn what_is_missing_is_made_from_what_is_given() {
        let sun = sun(30.0, 150.0);
        let sky = |ghi: Option<f64>, dni: Option<f64>, dhi: Option<f64>| Sky {
            ghi_wm2: ghi,
            dni_wm2: dni,
            dhi_wm2: dhi,
            ..Sky::default()
        };
        let all = Light::of_sky(&sky(Some(400.0), Some(600.0), Some(100.0)), &sun, 1.0).unwrap();
        for given in [
            sky(None, Some(600.0), Some(100.0)),
            sky(Some(400.0), None, Some(100.0)),
            sky(Some(400.0), Some(600.0), None),
        ] {
            let light = Light::of_sky(&given, &sun, 1.0).unwrap();
            assert!((light.global_wm2 - all.global_wm2).abs() < 1e-9);
            assert!((light.beam_wm2 - all.beam_wm2).abs() < 1e-9);
            assert!((light.diffuse_wm2 - all.diffuse_wm2).abs() < 1e-9);
        }
        assert!(Light::of_sky(&sky(None, None, Some(100.0)), &sun, 1.0).is_none());
        assert!(Light::of_sky(&sky(None, None, None), &sun, 1.0).is_none());
    }

    proptest! {
        /// A horizontal plane gets the global irradiance, wherever the sun; and a plane towards the sun more than one away.
        #[test]
        fn planes_under_a_clear_sky(elevation in 8.0..80.0_f64, azimuth in 0.0..360.0_f64, tilt in 5.0..60.0_f64) {
            let sun = sun(elevation, azimuth);
            let light = Light::clear(&sun);
            let flat = Plane { tilt_deg: 0.0, azimuth_deg: 0.0 }.irradiance_wm2(&sun, &light);
            prop_assert!((flat - light.global_wm2).abs() < 1e-6 * light.global_wm2);
            let towards = Plane { tilt_deg: tilt, azimuth_deg: azimuth }.irradiance_wm2(&sun, &light);
            let away = Plane { tilt_deg: tilt, azimuth_deg: azimuth + 180.0 }.irradiance_wm2(&sun, &light);
            prop_assert!(towards > away && away >= 0.0);
        }
    }
}

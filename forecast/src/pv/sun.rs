//! Where the sun is, as a unit vector, over the intervals of a grid.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use kwartier_data::history::Position;
use solar_positioning::{Location, PreparedPositions, SolarPositions};

/// Irradiance on a plane that faces the sun outside the atmosphere, mean of the year, in W/m²: total solar irradiance of
/// Kopp and Lean (2011).
const SOLAR_CONSTANT_WM2: f64 = 1361.0;

/// TT − UT in seconds. It grows by about a second in two years around 70 s; ten seconds off move the sun by a twentieth
/// of a minute of arc.
const DELTA_T_S: f64 = 70.0;

/// Sub-intervals are no longer than this: within a quarter of an hour, the sun's height is as good as linear.
const SUB_S: i64 = 900;

/// The direction of the sun and its strength outside the atmosphere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sun {
    /// Component towards the zenith: the sine of the elevation.
    pub up: f64,
    /// Component towards the east.
    pub east: f64,
    /// Component towards the north.
    pub north: f64,
    /// Irradiance on a plane that faces the sun outside the atmosphere, in W/m².
    pub extra_wm2: f64,
}

impl Sun {
    /// A sun far below the horizon.
    const NONE: Sun = Sun { up: -1.0, east: 0.0, north: 0.0, extra_wm2: SOLAR_CONSTANT_WM2 };

    /// Elevation above the horizon in degrees, without refraction.
    pub(super) fn elevation_deg(&self) -> f64 {
        self.up.clamp(-1.0, 1.0).asin().to_degrees()
    }

    /// Azimuth in degrees, clockwise from north, 0 to 360.
    pub(super) fn azimuth_deg(&self) -> f64 {
        self.east.atan2(self.north).to_degrees().rem_euclid(360.0)
    }
}

/// An instant, prepared to be looked at from several places.
pub(super) struct Instant {
    prepared: Option<PreparedPositions>,
    extra_wm2: f64,
}

impl Instant {
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        let prepared = SolarPositions::grena3().for_time(&at, DELTA_T_S).ok();
        // Spencer (1971), to its first term: the Earth is nearest in the first days of January.
        let angle = std::f64::consts::TAU * f64::from(at.ordinal0()) / 365.25;
        Instant { prepared, extra_wm2: SOLAR_CONSTANT_WM2 * (1.0 + 0.033 * angle.cos()) }
    }

    /// The sun from a place, without refraction.
    pub(super) fn from(&self, place: Position) -> Sun {
        let location = Location { latitude: place.latitude_deg, longitude: place.longitude_deg };
        let Some(seen) = self.prepared.as_ref().and_then(|prepared| prepared.at(location, 0.0, None).ok()) else {
            return Sun::NONE;
        };
        let (azimuth, elevation) = (seen.azimuth().to_radians(), seen.elevation_angle().to_radians());
        Sun {
            up: elevation.sin(),
            east: azimuth.sin() * elevation.cos(),
            north: azimuth.cos() * elevation.cos(),
            extra_wm2: self.extra_wm2,
        }
    }
}

/// Where the sun is over some intervals of a grid.
#[derive(Debug, Clone)]
pub(super) struct SunPath {
    suns: Vec<Sun>,
    per_interval: usize,
}

impl SunPath {
    /// The sun over the intervals of length `step` that begin at `starts`, from `place`, in sub-intervals of at most a
    /// quarter of an hour.
    pub(super) fn over(starts: impl Iterator<Item = DateTime<Utc>>, step: TimeDelta, place: Position) -> Self {
        let step_s = step.num_seconds().max(1);
        let subs = (step_s + SUB_S - 1) / SUB_S;
        let middles: Vec<TimeDelta> =
            (0..subs).map(|sub| TimeDelta::seconds(step_s * (2 * sub + 1) / (2 * subs))).collect();
        let suns = starts
            .flat_map(|start| middles.iter().map(move |middle| start + *middle))
            .map(|at| Instant::new(at).from(place))
            .collect();
        SunPath { suns, per_interval: middles.len() }
    }

    /// The sun in the middle of each sub-interval of an interval.
    pub(super) fn within(&self, interval: usize) -> &[Sun] {
        let from = interval * self.per_interval;
        self.suns.get(from..from + self.per_interval).unwrap_or_default()
    }

    /// The sun about the middle of an interval.
    pub(super) fn middle(&self, interval: usize) -> Sun {
        let within = self.within(interval);
        within.get(within.len() / 2).copied().unwrap_or(Sun::NONE)
    }

    /// Whether the sun's centre is below the horizon over a whole interval. Its height at the ends of the interval is
    /// halfway between the parts before and after.
    pub(super) fn is_dark(&self, interval: usize) -> bool {
        let within = self.within(interval);
        let (Some(first), Some(last)) = (within.first(), within.last()) else { return true };
        let from = interval * self.per_interval;
        let before = from.checked_sub(1).and_then(|at| self.suns.get(at)).unwrap_or(first);
        let after = self.suns.get(from + self.per_interval).unwrap_or(last);
        within.iter().all(|sun| sun.up <= 0.0) && before.up + first.up <= 0.0 && last.up + after.up <= 0.0
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    const UTRECHT: Position = Position { latitude_deg: 52.09, longitude_deg: 5.12 };

    fn at(stamp: &str) -> DateTime<Utc> {
        stamp.parse().unwrap()
    }

    #[test]
    fn noon_in_utrecht_on_the_longest_day() {
        // Culmination: 12:00 UTC − 5.12° · 4 min + 1.9 min of the equation of time = 11:41 UTC, at 90 − 52.09 + 23.44°.
        let noon = Instant::new(at("2024-06-21T11:41:30Z")).from(UTRECHT);
        assert!((noon.elevation_deg() - 61.35).abs() < 0.03, "{}", noon.elevation_deg());
        assert!((noon.azimuth_deg() - 180.0).abs() < 0.5, "{}", noon.azimuth_deg());
        assert!((noon.up.powi(2) + noon.east.powi(2) + noon.north.powi(2) - 1.0).abs() < 1e-9);
        // The Earth is far from the sun in summer.
        assert!(noon.extra_wm2 < 1325.0 && noon.extra_wm2 > 1310.0);
    }

    #[test]
    fn dark_is_dark_over_the_whole_interval() {
        let start = at("2024-06-21T00:00:00Z");
        for minutes in [15, 60] {
            let step = TimeDelta::minutes(minutes);
            let steps = i32::try_from(24 * 60 / minutes).unwrap();
            let path = SunPath::over((0..steps).map(|k| start + step * k), step, UTRECHT);
            // The sun's centre passes the horizon at about 03:25 and 19:58 UTC.
            let dark: Vec<i64> = (0..i64::from(steps))
                .filter(|&k| path.is_dark(usize::try_from(k).unwrap()))
                .map(|k| k * minutes)
                .collect();
            assert!(dark.contains(&(60 * 2)) && dark.contains(&(60 * 21)));
            assert!(!dark.contains(&(if minutes == 60 { 180 } else { 210 })), "the sun rises within 03:15 to 03:30");
            assert!(!dark.contains(&(60 * 12)));
        }
    }
}

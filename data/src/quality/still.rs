//! Values that do not move: a meter that hangs, and zeros where nothing was measured.

use super::usual::{quantile, usual_peak};
use super::{Defect, Nature, Work};

/// How often chance may make a run in the whole series that is then taken for a defect.
const BY_CHANCE: f64 = 0.01;

/// Values are equal that differ by less than this share of the usual peak: sums of equal values are not quite equal.
const EQUAL: f64 = 1e-9;

/// Runs at one value, nearer than this share of the usual peak, are the same standstill coming back.
const SAME: f64 = 0.005;

/// So many other long runs at one value make it a standby, not a defect.
const COMES_BACK: usize = 2;

/// A plant at more than this share of its peak may be limited by its inverter.
const CLIPPED: f64 = 0.9;

/// A load never rests at 0, not for one interval, if its low quantile is above this share of the high one.
const BASE: f64 = 0.15;

/// It does not for hours if it is above this one.
const LITTLE_BASE: f64 = 0.03;

/// So many zeros of half the length make long ones nothing strange.
const RESTS: usize = 8;

/// Zeros for longer than three weeks are a season, a holiday or a machine that is not there yet, in hours.
const SEASON_H: i64 = 21 * 24;

/// The share of a plant's peak that an hour has to reach usually for a zero in it to be a gap.
const BRIGHT: f64 = 0.1;

/// Equal values in a row, gaps between them.
#[derive(Debug, Clone)]
struct Run {
    span: std::ops::Range<usize>,
    value: f64,
    /// How many values are known.
    known: usize,
}

/// Finds them and leaves them out.
pub(super) fn leave_out(work: &mut Work, nature: Nature) {
    let scale = usual_peak(&work.usual, work.values());
    if scale <= 0.0 {
        return;
    }
    let runs = runs(work.values(), EQUAL * scale);
    let found: Vec<(Run, Defect)> = match nature {
        Nature::Price => frozen(work, &runs, scale, 24).into_iter().map(|run| (run, Defect::Frozen)).collect(),
        Nature::Load => {
            let zeros = zeros_of_load(work, &runs);
            let still = frozen(work, &runs, scale, 3);
            let of = |runs: Vec<Run>, defect| runs.into_iter().map(move |run| (run, defect));
            of(zeros, Defect::ZeroGap).chain(of(still, Defect::Frozen)).collect()
        }
        Nature::Pv => {
            let peak = quantile(&sorted(work.values()), 0.999);
            let mut still = frozen(work, &runs, scale, 2);
            still.retain(|run| run.value < CLIPPED * peak);
            let zeros = zeros_of_pv(work, &runs, scale);
            let of = |runs: Vec<Run>, defect| runs.into_iter().map(move |run| (run, defect));
            of(zeros, Defect::ZeroGap).chain(of(still, Defect::Frozen)).collect()
        }
    };
    for (run, defect) in found {
        work.leave_out(run.span, defect);
    }
}

fn sorted(values: &[Option<f64>]) -> Vec<f64> {
    let mut known: Vec<f64> = values.iter().copied().flatten().collect();
    known.sort_by(f64::total_cmp);
    known
}

fn runs(values: &[Option<f64>], equal: f64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (k, value) in values.iter().enumerate() {
        let Some(value) = *value else { continue };
        match runs.last_mut() {
            Some(run) if (run.value - value).abs() <= equal => {
                run.span.end = k + 1;
                run.known += 1;
            }
            _ => runs.push(Run { span: k..k + 1, value, known: 1 }),
        }
    }
    runs
}

/// Runs at a value other than 0 that are longer than chance makes them, and do not come back.
fn frozen(work: &Work, runs: &[Run], scale: f64, hours: i64) -> Vec<Run> {
    let least = work.steps(hours, 4);
    let moving: Vec<&Run> = runs.iter().filter(|run| run.value != 0.0).collect();
    let long: Vec<&Run> = moving.iter().copied().filter(|run| run.known > least).collect();
    let comes_back = |run: &Run| others(&long, run, SAME * scale) >= COMES_BACK;
    let by_chance = |run: &Run| longest_by_chance(work, &moving, run);
    long.iter().copied().filter(|run| !comes_back(run) && run.known > by_chance(run)).cloned().collect()
}

/// How many other runs of at least half the length are at nearly the value of a run.
fn others(runs: &[&Run], run: &Run, near: f64) -> usize {
    let same = |other: &&&Run| {
        other.span != run.span && 2 * other.known >= run.known && (other.value - run.value).abs() <= near
    };
    runs.iter().filter(same).count()
}

/// The longest run that chance makes once in a hundred such series: by the values that are like the run's, in the weeks
/// around it, at the time of day at which they move least. Runs of more than a day do not count: they are what is looked
/// for.
fn longest_by_chance(work: &Work, runs: &[&Run], of: &Run) -> usize {
    /// Values are alike up to this factor.
    const ALIKE: f64 = 1.5;
    /// Fewest values that tell a share.
    const LEAST: usize = 60;
    let day = work.steps(24, 2);
    let around = work.usual.around(work.usual.day(of.span.start));
    let around = work.usual.intervals(around.start).start..work.usual.intervals(around.end - 1).end;
    let alike = |run: &&&Run| {
        let (less, more) = (run.value.abs().min(of.value.abs()), run.value.abs().max(of.value.abs()));
        run.span.start < around.end && run.span.end > around.start && run.known < day && more <= ALIKE * less
    };
    let mut at = [(0_usize, 0_usize); 24];
    for run in runs.iter().filter(alike) {
        for k in run.span.clone() {
            let hour = &mut at[(work.usual.time(k) * 24 / day).min(23)];
            hour.0 += usize::from(k > run.span.start);
            hour.1 += 1;
        }
    }
    let all = at.iter().fold((0, 0), |sum, hour| (sum.0 + hour.0, sum.1 + hour.1));
    let told = at.iter().chain([&all]).filter(|(_, all)| *all >= LEAST);
    let share = told.map(|(equal, all)| *equal as f64 / *all as f64).fold(0.0, f64::max);
    if share <= 0.0 {
        return 0;
    }
    let length = (BY_CHANCE / work.values().len() as f64).ln() / share.min(0.999).ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to some ten thousand")]
    let length = length.ceil() as usize;
    length
}

/// Zeros of a load that it has no habit of: all of them where it has a base, longer ones where the base is small, and where
/// it comes to 0 by itself those that last half a day.
fn zeros_of_load(work: &Work, runs: &[Run]) -> Vec<Run> {
    let zeros: Vec<&Run> = runs.iter().filter(|run| run.value == 0.0).collect();
    let hours = |hours: i64| work.steps(hours, 3);
    let is_gap = |run: &&&Run| {
        let base = base(work, run);
        let long = run.known > hours(3);
        let unusual =
            base > BASE || (long && base > LITTLE_BASE) || (run.known > hours(12) && run.known < hours(SEASON_H));
        unusual && !(long && others(&zeros, run, 0.0) >= RESTS) && !is_habit(work, run)
    };
    zeros.iter().filter(is_gap).map(|run| (*run).clone()).collect()
}

/// Whether it is 0 at that time on most days around, or in most weeks around.
fn is_habit(work: &Work, run: &Run) -> bool {
    let day = work.steps(24, 1);
    let middle = usize::midpoint(run.span.start, run.span.end - 1);
    let zeros = |distances: &mut dyn Iterator<Item = usize>| {
        let (mut all, mut zero) = (0, 0);
        for distance in distances {
            for other in [middle.checked_sub(distance), middle.checked_add(distance)].into_iter().flatten() {
                if let Some(Some(value)) = work.values().get(other).filter(|_| !run.span.contains(&other)) {
                    all += 1;
                    zero += usize::from(*value == 0.0);
                }
            }
        }
        2 * zero > all
    };
    zeros(&mut (1..=7).map(|days| days * day)) || zeros(&mut (1..=4).map(|weeks| weeks * 7 * day))
}

/// The low quantile of what a load draws in the weeks around a run, as a share of the high one.
fn base(work: &Work, run: &Run) -> f64 {
    let around = work.usual.around(work.usual.day(run.span.start));
    let around = work.usual.intervals(around.start).start..work.usual.intervals(around.end - 1).end;
    let mut known: Vec<f64> = work.values()[around].iter().copied().flatten().collect();
    let all = known.len();
    known.retain(|value| *value != 0.0);
    // What is 0 most of the time has no base.
    if 2 * known.len() < all {
        return 0.0;
    }
    known.sort_by(f64::total_cmp);
    quantile(&known, 0.02) / quantile(&known, 0.9).max(f64::MIN_POSITIVE)
}

/// Zeros of a plant for two hours or more of those that are usually bright.
fn zeros_of_pv(work: &Work, runs: &[Run], scale: f64) -> Vec<Run> {
    let least = work.steps(2, 2);
    let dark = |run: &&Run| {
        let bright = run
            .span
            .clone()
            .filter(|&k| work.usual.value(work.values(), k).is_some_and(|usual| usual > BRIGHT * scale));
        bright.take(least).count() >= least
    };
    runs.iter().filter(|run| run.value == 0.0).filter(dark).cloned().collect()
}

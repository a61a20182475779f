//! One target, stay or energy: the two methods, how they are mixed, and what their levels turned out to mean.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::boosted::Boosted;
use super::features::features;
use super::likeness::{Going, Likeness};
use super::memory::{Case, Memory, Target};
use super::prior::Place;
use super::spread::{GRID, Spread};

/// Trees are fitted on the last so many visits at most: a fit of seconds, and what is older is more alike than new.
const ROWS: usize = 6_000;

/// The first visits teach nothing: too little comes before them.
const WARM_UP: usize = 30;

/// Below this many rows there are no trees.
const FOR_TREES: usize = 150;

/// The share of the rows, the last, on which mix and levels are judged, by trees that were fitted on those before.
const JUDGED: f64 = 0.3;

/// In how many steps they are: the fewer visits the judged trees lack, the more the levels are those of the final ones.
const FOLDS: usize = 3;

/// Below this many judged visits the levels stay as they are.
const FOR_LEVELS: usize = 30;

/// A level is moved to where it was measured as if it had been right this many times before.
const RIGHT_BEFORE: f64 = 25.0;

/// Shares of the trees that are tried. Never all: where no visit is like it trees extrapolate.
const SHARES: [f64; 4] = [0.0, 0.3, 0.5, 0.75];

/// How much those who stayed as long say of energy themselves, beside how they move what was believed at arrival.
const SURVIVORS: f64 = 0.1;

/// The share of the trees where too little is known to judge.
const USUAL_SHARE: f64 = 0.5;

/// What a forecaster of one target is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Forecaster {
    likeness: Likeness,
    trees: Option<Boosted>,
    /// Share of the trees in the mix.
    share: f64,
    /// For each level of the grid, the level of the mix that is right that often.
    levels: [f64; GRID.len()],
}

/// What the most alike visits say of stay and energy at the arrival of each of the last visits, by their place in the memory.
pub(super) struct Likes(BTreeMap<usize, [Spread; 2]>);

impl Likes {
    /// Of the last [`ROWS`] cases of a memory.
    pub fn of(memory: &Memory, place: Place, likeness: [&Likeness; 2]) -> Self {
        let ended = memory.cases.iter().filter(|case| case.visit.departure.is_some()).count();
        let last: Vec<usize> = (ended.saturating_sub(ROWS)..ended).collect();
        let likes: Vec<(usize, [Spread; 2])> =
            last.into_par_iter().map(|k| (k, alike(memory, place, likeness, &memory.cases[k], memory.at))).collect();
        Likes(likes.into_iter().collect())
    }
}

/// A visit that is asked about.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The visit.
    pub case: &'a Case,
    /// What is known ends here.
    pub at: DateTime<Utc>,
    /// What is known of it while it goes on.
    pub going: Going,
    /// What [`alike`] said of it.
    pub alike: [Spread; 2],
}

/// What a forecaster learns from: one visit as it was seen at its arrival.
struct Row {
    like: Spread,
    features: Vec<f32>,
    truth: f64,
}

impl Forecaster {
    /// Fitted on all that had ended by the instant at which the memory ends.
    pub fn fit(memory: &Memory, likes: &Likes, target: Target, likeness: Likeness) -> Self {
        let mut known: Vec<(usize, [Spread; 2], f64)> = likes
            .0
            .iter()
            .filter_map(|(&k, &both)| Some((k, ordered(target, both), target.of(&memory.cases[k].visit)?)))
            .collect();
        known.sort_by_key(|&(k, ..)| memory.cases[k].visit.arrival);
        let rows: Vec<Row> = known[WARM_UP.min(known.len())..]
            .par_iter()
            .map(|&(k, [like, beside], truth)| {
                let case = &memory.cases[k];
                Row { like, features: features(memory, case, case.visit.arrival, [&like, &beside]), truth }
            })
            .collect();
        let judged = judged(target, &rows);
        let share = if rows.len() >= FOR_TREES { best_share(&judged) } else { 0.0 };
        let trees = if share > 0.0 { boost(target, &rows) } else { None };
        let levels = if judged.len() >= FOR_LEVELS { measured_levels(&judged, share) } else { GRID };
        Forecaster { likeness, trees, share, levels }
    }

    /// What is believed of a visit at an instant.
    pub fn spread(&self, memory: &Memory, place: Place, target: Target, asked: &Asked<'_>) -> Spread {
        let Asked { case, at, going, alike } = *asked;
        let floor = match target {
            Target::Stay => going.elapsed_h,
            Target::Energy => going.so_far_kwh.unwrap_or(0.0),
        };
        let [like, beside] = ordered(target, alike);
        let features = features(memory, case, case.visit.arrival.min(at), [&like, &beside]);
        let whole =
            self.trees.as_ref().map_or(like, |trees| like.toward(&trees.spread(target, &features, &like), self.share));
        let whole = Spread::of(self.levels.map(|level| whole.at(level)));
        if going.elapsed_h <= 0.0 && floor <= 0.0 {
            return whole;
        }
        // Two readings of what is left: what was believed at arrival, and those that stayed as long. The longer it stays
        // against expectation, the less what was believed at arrival is worth.
        let survivors = self.likeness.spread(memory, place, target, case, at, going);
        match target {
            Target::Stay => {
                let (rest, left) = whole.above(floor);
                rest.toward(&survivors, 1.0 - left)
            }
            // Who stays longer takes more, by as much as those most alike did.
            Target::Energy => whole.times(&survivors, &like).above(floor).0.toward(&survivors, SURVIVORS),
        }
    }

    /// How like visits are for this target.
    pub fn likeness(&self) -> &Likeness {
        &self.likeness
    }
}

/// The last visits as both methods saw them before they were known.
struct Judged {
    like: Spread,
    trees: Spread,
    truth: f64,
}

impl Judged {
    fn mixed(&self, share: f64) -> Spread {
        self.like.toward(&self.trees, share)
    }
}

/// The last rows, fold by fold, each by trees fitted on all before it; with too few rows by no trees.
fn judged(target: Target, rows: &[Row]) -> Vec<Judged> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let cut = ((1.0 - JUDGED) * rows.len() as f64) as usize;
    let size = (rows.len() - cut).div_ceil(FOLDS).max(1);
    let folds: Vec<usize> = (cut..rows.len()).step_by(size).collect();
    folds
        .par_iter()
        .flat_map_iter(|&first| {
            let trees = if rows.len() >= FOR_TREES { boost(target, &rows[..first]) } else { None };
            rows[first..rows.len().min(first + size)].iter().map(move |row| Judged {
                like: row.like,
                trees: trees.as_ref().map_or(row.like, |trees| trees.spread(target, &row.features, &row.like)),
                truth: row.truth,
            })
        })
        .collect()
}

/// The share of the trees that loses least, if that is better than the usual one by more than chance would have it.
fn best_share(judged: &[Judged]) -> f64 {
    let loss = |share: f64| -> f64 { judged.iter().map(|one| one.mixed(share).pinball(one.truth)).sum() };
    let usual = loss(USUAL_SHARE);
    SHARES
        .iter()
        .map(|&share| (loss(share), share))
        .filter(|&(lost, _)| lost < 0.99 * usual)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(USUAL_SHARE, |(_, share)| share)
}

/// Which level of the mix was right as often as each level says.
fn measured_levels(judged: &[Judged], share: f64) -> [f64; GRID.len()] {
    let mut found: Vec<f64> = judged.iter().map(|one| one.mixed(share).level_of(one.truth)).collect();
    found.sort_by(f64::total_cmp);
    let count = found.len() as f64;
    GRID.map(|level| {
        // Conformal: the rank is of one more than were seen (Vovk et al. 2005).
        let rank = (level * (count + 1.0) - 1.0).clamp(0.0, count - 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the length")]
        let below = rank as usize;
        let above = (below + 1).min(found.len() - 1);
        let measured = found[below] + (rank - below as f64) * (found[above] - found[below]);
        (count * measured + RIGHT_BEFORE * level) / (count + RIGHT_BEFORE)
    })
}

fn boost(target: Target, rows: &[Row]) -> Option<Boosted> {
    let features: Vec<Vec<f32>> = rows.iter().map(|row| row.features.clone()).collect();
    let like: Vec<Spread> = rows.iter().map(|row| row.like).collect();
    let truths: Vec<f64> = rows.iter().map(|row| row.truth).collect();
    Boosted::fit(target, &features, &like, &truths)
}

/// What the most alike visits say of stay and energy at an arrival, or at `at` of one that is yet to come.
pub(super) fn alike(
    memory: &Memory,
    place: Place,
    likeness: [&Likeness; 2],
    case: &Case,
    at: DateTime<Utc>,
) -> [Spread; 2] {
    let at = case.visit.arrival.min(at);
    let of = |target, likeness: &Likeness| likeness.spread(memory, place, target, case, at, Going::default());
    [of(Target::Stay, likeness[0]), of(Target::Energy, likeness[1])]
}

/// The target first.
fn ordered(target: Target, [stay, energy]: [Spread; 2]) -> [Spread; 2] {
    match target {
        Target::Stay => [stay, energy],
        Target::Energy => [energy, stay],
    }
}

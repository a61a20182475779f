//! How long each row of a table holds: steps that are even, that change, or that only nearly are.

/// Longest interval that is believed where rows have several lengths, in seconds: prices and meters have hours at most.
pub(super) const LONGEST_S: i64 = 3600;

/// So many equal distances in a row are no gaps but a step: a price file may go from hours to quarter-hours.
pub(super) const RUN: usize = 8;

/// How long a reading of a meter that tells when it likes is believed, in seconds.
const BELIEVED_S: i64 = 900;

/// How far a distance may be from the usual one for a clock that is not exact, as a share of it.
const JITTER: f64 = 0.1;

/// The share of distances that have to be so near.
const MOSTLY: f64 = 0.9;

/// How long each row holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    /// The shortest distance where all are multiples of it; else the usual one. In seconds.
    pub(super) step_s: i64,
    /// Whether all rows are on the grid of the step.
    pub(crate) even: bool,
    /// Whether the distances are nearly one.
    pub(super) nearly_even: bool,
    /// For how many seconds each row holds.
    pub(crate) held_s: Vec<i64>,
}

/// The layout of rows at instants in seconds; `None` for less than two, and where they do not ascend.
pub(crate) fn of(at_s: &[i64]) -> Option<Layout> {
    let distances: Vec<i64> = at_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let shortest = distances.iter().copied().min().filter(|shortest| *shortest > 0)?;
    let mut sorted = distances.clone();
    sorted.sort_unstable();
    let usual = sorted[sorted.len() / 2];
    let runs = runs(&distances);
    let count = |kept: &dyn Fn(usize) -> bool| (0..distances.len()).filter(|&k| kept(k)).count();
    let regular = count(&|k| distances[k] == shortest || runs[k]);
    let even = distances.iter().all(|d| d % shortest == 0)
        && (shortest == most_common(&sorted) || 2 * regular >= distances.len());
    let near = |d: i64| ((d - usual) as f64).abs() <= JITTER * usual as f64;
    let nearly_even = even || count(&|k| near(distances[k])) as f64 >= MOSTLY * distances.len() as f64;
    let held = |k: usize| match distances[k] {
        d if even && runs[k] => d,
        d if even => d.min(shortest),
        d if nearly_even => d.min(usual + usual / 2),
        d => d.min(BELIEVED_S),
    };
    let mut held_s: Vec<i64> = (0..distances.len()).map(held).collect();
    held_s.push(held_s.last().copied().unwrap_or(shortest).min(if even { LONGEST_S.max(shortest) } else { usual }));
    Some(Layout { step_s: if even { shortest } else { usual }, even, nearly_even, held_s })
}

/// Which distances are a step that the table keeps for a while.
fn runs(distances: &[i64]) -> Vec<bool> {
    let mut marks = vec![false; distances.len()];
    let mut begin = 0;
    for k in 1..=distances.len() {
        if k == distances.len() || distances[k] != distances[begin] {
            if k - begin >= RUN && distances[begin] <= LONGEST_S {
                marks[begin..k].fill(true);
            }
            begin = k;
        }
    }
    marks
}

/// The most common of sorted numbers, the smallest of several.
fn most_common(sorted: &[i64]) -> i64 {
    let mut best = (0, 0);
    for group in sorted.chunk_by(|a, b| a == b) {
        if group.len() > best.0 {
            best = (group.len(), group[0]);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {

    use super::*;

    fn at(distances: &[i64]) -> Vec<i64> {
        let mut at = vec![0];
        at.extend(distances.iter().scan(0, |sum, d| {
            *sum += d;
            Some(*sum)
        }));
        at
    }

    #[test]
    fn gaps_are_no_steps() {
        let layout = of(&at(&[900, 900, 1800, 900, 2700])).unwrap();
        assert!(layout.even);
        assert_eq!((layout.step_s, layout.held_s), (900, vec![900; 6]));
    }

    #[test]
    fn a_step_that_changes_is_kept() {
        let mut distances = vec![3600; 20];
        distances.extend([900; 10]);
        let layout = of(&at(&distances)).unwrap();
        assert_eq!((layout.even, layout.step_s), (true, 900));
        assert_eq!(layout.held_s.iter().sum::<i64>(), 20 * 3600 + 11 * 900);
    }

    #[test]
    fn a_clock_that_is_not_exact() {
        let layout = of(&at(&[59, 61, 60, 60, 58, 62, 60, 600, 61, 60, 60, 60, 59])).unwrap();
        assert_eq!((layout.even, layout.nearly_even, layout.step_s), (false, true, 60));
        assert_eq!((layout.held_s[0], layout.held_s[7]), (59, 90));
    }

    #[test]
    fn readings_when_something_changes() {
        let layout = of(&at(&[3, 100, 17, 41, 2000, 5, 77])).unwrap();
        assert_eq!((layout.even, layout.nearly_even), (false, false));
        assert_eq!(layout.held_s[..5], [3, 100, 17, 41, 900]);
    }

    #[test]
    fn one_row_has_no_step() {
        assert_eq!(of(&[0]), None);
    }
}

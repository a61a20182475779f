//! A site in short: each board with its limit and what the stations below it could draw together.

use serde::Serialize;

use super::Site;
use super::tree::Tree;

/// A board in the tree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoardLoad {
    /// Its name.
    pub board: String,
    /// How many boards are above it.
    pub depth: usize,
    /// Limits of L1, L2, L3 in A.
    pub limit_a: [f64; 3],
    /// Stations on it and on boards below it.
    pub stations: usize,
    /// What these stations draw at most on L1, L2, L3 together, in A. Far more than the limit is normal: that is what the
    /// planner is for.
    pub stations_a: [f64; 3],
    /// That sum divided by the limit, on the phase where it is highest.
    pub ratio: f64,
}

/// The boards from the grid connection down, each followed by those it feeds.
pub fn board_loads(site: &Site) -> Vec<BoardLoad> {
    let tree = Tree::of(site);
    // Per board: three phases, and the number of stations.
    let mut own = vec![[0.0; 4]; site.boards.len()];
    for (station, board, phases) in tree.stations() {
        let Some(board) = board else { continue };
        for phase in phases {
            own[board][phase] += station.max_a;
        }
        own[board][3] += 1.0;
    }
    let sums = tree.sums(own);
    let mut loads = Vec::with_capacity(site.boards.len());
    let mut waiting: Vec<(usize, usize)> = tree.roots().map(|root| (root, 0)).collect();
    waiting.reverse();
    while let Some((board, depth)) = waiting.pop() {
        let limit_a = site.boards[board].limit_a.phases();
        let [l1, l2, l3, count] = sums[board];
        let stations_a = [l1, l2, l3];
        let ratio = (0..3).map(|phase| stations_a[phase] / limit_a[phase].max(f64::MIN_POSITIVE)).fold(0.0, f64::max);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let stations = count as usize;
        loads.push(BoardLoad { board: site.boards[board].id.clone(), depth, limit_a, stations, stations_a, ratio });
        let mut children: Vec<(usize, usize)> = tree.children(board).iter().map(|&child| (child, depth + 1)).collect();
        children.reverse();
        waiting.extend(children);
    }
    loads
}

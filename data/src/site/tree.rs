//! The boards of a site as a tree, whatever is wrong with them: unknown parents are none, and circles are cut.

use std::collections::HashMap;

use super::rotation::Rotation;
use super::{Site, Station};
use crate::instance::PhaseIndex;

/// Boards by index, who feeds whom, and which stations hang where.
#[derive(Debug)]
pub struct Tree<'a> {
    site: &'a Site,
    boards: HashMap<&'a str, usize>,
    /// The board that feeds each board.
    parents: Vec<Option<usize>>,
    /// The boards that each board feeds, in the file's order.
    children: Vec<Vec<usize>>,
    /// All boards, each after the one that feeds it.
    downwards: Vec<usize>,
    /// Boards that stand in a circle.
    circles: Vec<Vec<usize>>,
}

impl<'a> Tree<'a> {
    /// The tree of a site.
    pub fn of(site: &'a Site) -> Self {
        let mut boards = HashMap::new();
        for (k, board) in site.boards.iter().enumerate() {
            boards.entry(board.id.as_str()).or_insert(k);
        }
        let mut parents: Vec<Option<usize>> =
            site.boards.iter().map(|board| boards.get(board.parent.as_deref()?).copied()).collect();
        let circles = circles(&parents);
        circles.iter().flatten().for_each(|&board| parents[board] = None);
        let mut children = vec![Vec::new(); parents.len()];
        let mut downwards = Vec::with_capacity(parents.len());
        for (board, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) => children[*parent].push(board),
                None => downwards.push(board),
            }
        }
        let mut next = 0;
        while let Some(&board) = downwards.get(next) {
            downwards.extend(&children[board]);
            next += 1;
        }
        Tree { site, boards, parents, children, downwards, circles }
    }

    /// The index of a board by name; the first where several share it.
    pub fn board(&self, name: &str) -> Option<usize> {
        self.boards.get(name).copied()
    }

    /// The board that feeds a board.
    pub fn parent(&self, board: usize) -> Option<usize> {
        self.parents[board]
    }

    /// The boards that feed each other in a circle, one list a circle.
    pub fn circles(&self) -> &[Vec<usize>] {
        &self.circles
    }

    /// A board and all that feed it, from below.
    pub fn chain(&self, board: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(board), |&board| self.parents[board])
    }

    /// The boards that a board feeds directly, in the file's order.
    pub fn children(&self, board: usize) -> &[usize] {
        &self.children[board]
    }

    /// The boards that nothing feeds.
    pub fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.parents.len()).filter(move |&board| self.parents[board].is_none())
    }

    /// The board of each station and the phases it loads; all three where its rotation is unknown.
    pub fn stations(&self) -> impl Iterator<Item = (&'a Station, Option<usize>, Vec<PhaseIndex>)> + '_ {
        self.site.stations.iter().map(|station| (station, self.board(&station.board), phases(station)))
    }

    /// For each board, the sum of `amount` over itself and all boards below.
    pub fn sums<const N: usize>(&self, mut amount: Vec<[f64; N]>) -> Vec<[f64; N]> {
        for &board in self.downwards.iter().rev() {
            let Some(parent) = self.parents[board] else { continue };
            let below = amount[board];
            amount[parent].iter_mut().zip(below).for_each(|(sum, below)| *sum += below);
        }
        amount
    }
}

/// The grid phases a station loads, in the order of its own; all three where its rotation is unknown.
pub fn phases(station: &Station) -> Vec<PhaseIndex> {
    let rotation = station.rotation.as_deref().and_then(|text| Rotation::parse(text).ok());
    rotation.map_or_else(|| vec![0, 1, 2], |rotation| rotation.phases().collect())
}

/// The circles among boards, each from its first board on.
fn circles(parents: &[Option<usize>]) -> Vec<Vec<usize>> {
    let mut seen_in: Vec<Option<usize>> = vec![None; parents.len()];
    let mut circles = Vec::new();
    for walk in 0..parents.len() {
        let mut next = Some(walk);
        while let Some(here) = next.filter(|&here| seen_in[here].is_none()) {
            seen_in[here] = Some(walk);
            next = parents[here];
        }
        // Met in the same walk: the walk has closed on itself.
        if let Some(met) = next.filter(|&met| seen_in[met] == Some(walk)) {
            let mut circle = vec![met];
            let mut here = parents[met];
            while let Some(member) = here.filter(|&member| member != met) {
                circle.push(member);
                here = parents[member];
            }
            let first = circle.iter().enumerate().min_by_key(|(_, board)| **board).map_or(0, |(k, _)| k);
            circle.rotate_left(first);
            circles.push(circle);
        }
    }
    circles
}

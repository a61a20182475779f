//! What the building draws and the sun gives: the series, levels that waver around them, motors that start, faults.
//!
//! Everything is constant between changes, and changes come at instants drawn from the seed, so that a quiet minute costs
//! nothing. Where the world asks for more than [`MOST_LEVELS_PER_DAY`], levels last longer by a common factor.

use super::chance::{Chance, For};
use super::queue::{Ms, ms};
use super::world::{Noise, World};

/// Changes of level per day, all nodes and plants together, above which they are thinned out: each costs a step of the fast
/// loop.
const MOST_LEVELS_PER_DAY: f64 = 3000.0;

/// Levels stay within so many standard deviations: there is a limit to what a building can draw.
const FARTHEST: f64 = 3.0;

const DAY_S: f64 = 86_400.0;

/// The wavering around one series.
#[derive(Debug)]
struct Wave {
    noise: Noise,
    chance: Chance,
    /// Factors on the series by phase.
    level: [f64; 3],
}

impl Wave {
    fn new(noise: Noise, chance: Chance) -> Wave {
        Wave { noise, chance, level: [1.0; 3] }
    }

    fn wavers(&self) -> bool {
        self.noise.sigma > 0.0 && self.noise.correlation_s > 0.0
    }

    /// Another level. Returns how long it lasts.
    fn turn(&mut self) -> Ms {
        let Wave { noise, chance, level } = self;
        *level = std::array::from_fn(|_| 1.0 + noise.sigma * chance.normal().clamp(-FARTHEST, FARTHEST))
            .map(|l: f64| l.max(0.0));
        ms(chance.exponential(noise.correlation_s)).max(1)
    }
}

#[derive(Debug)]
struct Own {
    wave: Wave,
    /// Motors that are starting now.
    starting: u32,
    /// What faults add.
    added_a: [f64; 3],
}

#[derive(Debug)]
struct Sun {
    wave: Wave,
    /// What faults leave of it.
    share: f64,
}

/// The state of all buildings and plants.
#[derive(Debug)]
pub(super) struct Building {
    step: Ms,
    series: Vec<[Vec<f64>; 3]>,
    nodes: Vec<Own>,
    plants: Vec<(super::world::Pv, Sun)>,
    a_per_kw: f64,
}

impl Building {
    /// The beginning of the world.
    pub(super) fn new(world: &World, nodes: usize, voltage_v: f64, seed: u64) -> Building {
        let series = (0..nodes).map(|k| world.building_a.get(k).cloned().unwrap_or_default()).collect::<Vec<_>>();
        let there = |node: usize| series[node].iter().flatten().any(|&amps| amps != 0.0);
        let noise = |node: usize| {
            let noise = world.noise.get(node).copied().unwrap_or_default();
            if there(node) { noise } else { Noise { sigma: 0.0, ..noise } }
        };
        let slower = slower((0..nodes).map(noise).chain(world.pv.iter().map(|plant| plant.noise)));
        let slow = |noise: Noise| Noise { correlation_s: noise.correlation_s * slower, ..noise };
        Building {
            step: Ms::from(world.step_s.max(1)) * 1000,
            nodes: (0..nodes)
                .map(|k| Own {
                    wave: Wave::new(slow(noise(k)), Chance::new(seed, For::Node(k))),
                    starting: 0,
                    added_a: [0.0; 3],
                })
                .collect(),
            plants: world
                .pv
                .iter()
                .enumerate()
                .map(|(k, plant)| {
                    let wave = Wave::new(slow(plant.noise), Chance::new(seed, For::Plant(k)));
                    (plant.clone(), Sun { wave, share: 1.0 })
                })
                .collect(),
            series,
            a_per_kw: 1000.0 / voltage_v,
        }
    }

    /// Length of a step of the series.
    pub(super) fn step(&self) -> Ms {
        self.step
    }

    /// Nodes and plants that waver.
    pub(super) fn wavering(&self) -> (Vec<usize>, Vec<usize>) {
        let nodes = (0..self.nodes.len()).filter(|&k| self.nodes[k].wave.wavers()).collect();
        (nodes, (0..self.plants.len()).filter(|&k| self.plants[k].1.wave.wavers()).collect())
    }

    /// How long until a motor starts at a node; `None`, it has none.
    pub(super) fn next_motor(&mut self, node: usize) -> Option<Ms> {
        let Wave { noise, chance, .. } = &mut self.nodes[node].wave;
        (noise.motors_per_h > 0.0 && noise.motor_a != 0.0)
            .then(|| ms(chance.exponential(3600.0 / noise.motors_per_h)).max(1))
    }

    /// A motor starts. Returns how long it takes.
    pub(super) fn motor_starts(&mut self, node: usize) -> Ms {
        self.nodes[node].starting += 1;
        ms(self.nodes[node].wave.noise.motor_s).max(1)
    }

    /// A motor runs.
    pub(super) fn motor_runs(&mut self, node: usize) {
        self.nodes[node].starting = self.nodes[node].starting.saturating_sub(1);
    }

    /// A node comes to another level. Returns how long it lasts.
    pub(super) fn waver(&mut self, node: usize) -> Ms {
        self.nodes[node].wave.turn()
    }

    /// A plant comes to another level. Returns its node and how long the level lasts.
    pub(super) fn cloud(&mut self, plant: usize) -> (usize, Ms) {
        let (pv, sun) = &mut self.plants[plant];
        let lasts = sun.wave.turn();
        sun.wave.level = [sun.wave.level[0]; 3];
        (pv.node, lasts)
    }

    /// A fault begins to add to what a node draws; with `sign` −1 it ends.
    pub(super) fn add(&mut self, node: usize, amps: [f64; 3], sign: f64) {
        for phase in 0..3 {
            self.nodes[node].added_a[phase] += sign * amps[phase];
        }
    }

    /// A fault leaves so much of a plant. Returns its node.
    pub(super) fn dim(&mut self, plant: usize, share: f64) -> Option<usize> {
        let (pv, sun) = self.plants.get_mut(plant)?;
        sun.share = share;
        Some(pv.node)
    }

    /// What a node draws itself, PV taken off, in A by phase.
    pub(super) fn own_a(&self, node: usize, now: Ms) -> [f64; 3] {
        let step = usize::try_from(now / self.step).unwrap_or(0);
        let own = &self.nodes[node];
        let motors_a = f64::from(own.starting) * own.wave.noise.motor_a;
        let mut amps: [f64; 3] = std::array::from_fn(|phase| {
            held(&self.series[node][phase], step) * own.wave.level[phase] + motors_a + own.added_a[phase]
        });
        for (pv, sun) in self.plants.iter().filter(|(pv, _)| pv.node == node && !pv.phases.is_empty()) {
            let kw = held(&pv.kw, step) * sun.wave.level[0] * sun.share;
            for &phase in &pv.phases {
                amps[phase] -= kw * self.a_per_kw / pv.phases.len() as f64;
            }
        }
        amps
    }
}

/// The value of a step; the last one goes on.
fn held(series: &[f64], step: usize) -> f64 {
    series.get(step).or(series.last()).copied().unwrap_or(0.0)
}

/// By how much levels last longer than asked for, so that there are not too many.
fn slower(all: impl Iterator<Item = Noise>) -> f64 {
    let per_day: f64 = all
        .filter(|noise| noise.sigma > 0.0 && noise.correlation_s > 0.0)
        .map(|noise| DAY_S / noise.correlation_s)
        .sum();
    (per_day / MOST_LEVELS_PER_DAY).max(1.0)
}

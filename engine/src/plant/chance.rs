//! Chance: streams that depend on the seed and on what they are for, and on nothing else, so that what one part of the
//! depot draws does not change what befalls another.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// What a stream of chance is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum For {
    /// What the building draws at a node.
    Node(usize),
    /// A photovoltaic plant.
    Plant(usize),
    /// Commands to a device.
    Device(usize),
    /// Who comes.
    Stays,
}

/// A stream of chance.
#[derive(Debug)]
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of a seed for a purpose.
    pub(super) fn new(seed: u64, purpose: For) -> Chance {
        let (kind, index) = match purpose {
            For::Node(k) => (1_u64, k),
            For::Plant(k) => (2, k),
            For::Device(k) => (3, k),
            For::Stays => (4, 0),
        };
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&kind.to_le_bytes());
        key[16..24].copy_from_slice(&(index as u64).to_le_bytes());
        Chance(ChaCha8Rng::from_seed(key))
    }

    /// Evenly between 0 and 1, without 1.
    pub(super) fn share(&mut self) -> f64 {
        self.0.random()
    }

    /// True with a probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Evenly between two values.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// A waiting time of which nothing but the mean is known.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }

    /// Normally distributed with mean 0 and standard deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

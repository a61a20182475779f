//! Chance from a seed: each subject has a stream of its own, so that one more draw for prices moves no vehicle.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Prices.
    Prices,
    /// What the building draws, by index of its entry.
    Building(usize),
    /// The sun, by index of its entry.
    Sun(usize),
    /// Visits.
    Visits,
    /// What is told of visits.
    Told,
    /// What was told of those before the scenario.
    ToldBefore,
    /// Faults.
    Faults,
}

/// A stream of chance.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of a subject.
    pub fn of(seed: u64, subject: Subject) -> Self {
        let stream = match subject {
            Subject::Prices => 0,
            Subject::Visits => 1,
            Subject::Told => 2,
            Subject::Faults => 3,
            Subject::ToldBefore => 4,
            Subject::Building(k) => 1_000 + k as u64,
            Subject::Sun(k) => 1_000_000 + k as u64,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Dice(rng)
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random_range(0.0..1.0)
    }

    /// Whether something of that probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of so many, from 0; 0 where there are none.
    pub fn one_of(&mut self, count: usize) -> usize {
        self.0.random_range(0..count.max(1))
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Exponential with mean 1.
    pub fn wait(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// The index of a weight, by weight.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (k, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return k;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// A walk that comes back: values with mean 0 and standard deviation 1, each correlated with the one before it.
    pub fn wander(&mut self, count: usize, correlation: f64) -> Vec<f64> {
        let fresh = (1.0 - correlation * correlation).sqrt();
        let mut value = self.normal();
        let step = |_| {
            let now = value;
            value = correlation * value + fresh * self.normal();
            now
        };
        (0..count).map(step).collect()
    }
}

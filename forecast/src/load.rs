//! The load of a building, and prices beyond those that are known: series with days and weeks in them.

use crate::method::Method;
use crate::naive;
use crate::series::boosted::Trees;
use crate::series::combined::Combined;
use crate::series::linear::Linear;
use crate::series::single::Single;

/// A load or a price, from its own history.
pub fn method() -> Box<dyn Method> {
    Box::new(Single(Box::new(Combined {
        members: vec![
            Box::new(naive::recipe("yesterday", naive::yesterday)),
            Box::new(naive::recipe("last week", naive::week)),
            Box::new(naive::recipe("similar days", naive::similar)),
            Box::new(Trees { rounds: 80, depth: 5, rate: 0.1, least_rows: 80.0, rows: 40_000 }),
            Box::new(Linear { days: 365 }),
        ],
    })))
}

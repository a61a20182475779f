//! The load of a building.

use crate::boost::Depth;
use crate::method::Method;
use crate::naive;
use crate::series::boosted::Trees;
use crate::series::combined::Combined;
use crate::series::linear::Linear;
use crate::series::single::Single;

/// The load of a building, from its own history.
pub fn method() -> Box<dyn Method> {
    Box::new(Single(Box::new(Combined {
        members: vec![
            Box::new(naive::recipe("yesterday", naive::yesterday)),
            Box::new(naive::recipe("last week", naive::week)),
            Box::new(naive::recipe("similar days", naive::similar)),
            Box::new(trees()),
            Box::new(linear()),
        ],
    })))
}

fn trees() -> Trees {
    Trees { depth: Depth { rounds: 80, depth: 5, rate: 0.1, least_rows: 80.0 }, rows: 40_000 }
}

fn linear() -> Linear {
    Linear { days: 365 }
}

/// One member alone, for comparison.
pub fn boosted() -> Box<dyn Method> {
    Box::new(Single(Box::new(trees())))
}

/// One member alone, for comparison.
pub fn linear_alone() -> Box<dyn Method> {
    Box::new(Single(Box::new(linear())))
}

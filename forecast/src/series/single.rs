//! A recipe as a method of its own.

use kwartier_data::forecast::Belief;
use kwartier_data::history::Past;
use serde_json::Value;

use super::{Member, Recipe};
use crate::grid::Grid;
use crate::method::{CannotFit, Fitted, Horizon, Method};
use crate::standing::Standing;

pub(crate) struct Single(pub(crate) Box<dyn Recipe>);

struct FittedSingle(Box<dyn Member>);

impl Method for Single {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn fit(&self, past: &Past<'_>) -> Result<Box<dyn Fitted>, CannotFit> {
        let grid = Grid::of(past);
        match self.0.fit(&grid, grid.known()) {
            Some(member) => Ok(Box::new(FittedSingle(member))),
            None => Err(CannotFit {
                method: self.0.name(),
                needs: format!("{} days of history", self.0.least_days()),
                has: match grid.count() {
                    0 => "none".to_owned(),
                    count => format!("{count} values in {:.1} days", grid.known() as f64 / grid.per_day as f64),
                },
            }),
        }
    }

    fn restore(&self, saved: Value) -> Result<Box<dyn Fitted>, String> {
        match self.0.restore(saved) {
            Some(member) => Ok(Box::new(FittedSingle(member))),
            None => Err(format!("it is no fit of \"{}\"", self.0.name())),
        }
    }
}

/// What a member believes of a horizon from a past.
pub(crate) fn predict(member: &dyn Member, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
    let grid = Grid::of(past);
    let wanted = grid.indices(horizon);
    let known = grid.known();
    // What is known already needs no forecast, and has no lead.
    let indices: Vec<usize> = wanted.iter().copied().flatten().filter(|&index| index >= known).collect();
    let mut beliefs = member.predict(&grid, known, &indices).into_iter();
    let one = |index: Option<usize>| {
        let index = index?;
        if index < known { grid.truth(index).map(Belief::certain) } else { beliefs.next().flatten() }
    };
    wanted.into_iter().map(one).collect()
}

impl Fitted for FittedSingle {
    fn predict(&self, past: &Past<'_>, horizon: Horizon) -> Vec<Option<Belief>> {
        predict(&*self.0, past, horizon)
    }

    fn save(&self) -> Option<Value> {
        self.0.save()
    }

    fn refresh(&mut self, past: &Past<'_>) {
        let grid = Grid::of(past);
        self.0.refresh(&grid, grid.known());
    }

    fn standing(&self) -> Option<&Standing> {
        self.0.standing()
    }
}

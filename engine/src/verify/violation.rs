//! What the verifier finds, with the facts of each case and in words a person understands.

use std::fmt;
use std::time::Duration;

use kwartier_data::instance::{Instance, PHASE_NAMES, PhaseIndex};

/// Which list of the plan an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A vehicle's stay.
    Session,
    /// A stationary battery.
    Battery,
    /// A photovoltaic plant.
    Pv,
    /// A flexible building load.
    Load,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "session",
            Self::Battery => "battery",
            Self::Pv => "PV plant",
            Self::Load => "load",
        })
    }
}

/// One entry of the plan, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which list it stands in.
    pub group: Group,
    /// Its name.
    pub id: String,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.group, self.id)
    }
}

/// A slot and the moment it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The slot.
    pub slot: usize,
    /// When it begins, as `2023-06-13 14:15 UTC`.
    pub utc: String,
}

impl Moment {
    /// The moment a slot of the instance begins.
    pub fn of(instance: &Instance, slot: usize) -> Self {
        let after = Duration::from_secs(60 * u64::from(instance.slot_minutes) * slot as u64);
        Self { slot, utc: (instance.start + after).format("%Y-%m-%d %H:%M UTC").to_string() }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (slot {})", self.utc, self.slot)
    }
}

/// What is wrong with the name of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFault {
    /// The plan has two entries of this name.
    Twice,
    /// The instance has nothing of this name.
    Unknown,
    /// The plan has no entry of this name.
    Missing,
}

/// Which side of the connection, or which end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Too much: above the upper end, import.
    Over,
    /// Too little: below the lower end, export.
    Under,
}

/// A rule that is broken. Units are in the names of the fields; `unit` names that of `value`, `low` and `high`.
#[derive(Debug, Clone, PartialEq)]
pub enum Violation {
    /// The version of the plan's format is not the one the verifier knows.
    Format {
        /// The version stated.
        found: u32,
    },
    /// Plan and instance do not name the same things.
    Id {
        /// The entry.
        item: Item,
        /// What is wrong with its name.
        fault: IdFault,
    },
    /// An array has the wrong number of values.
    Length {
        /// The entry.
        item: Item,
        /// Name of the array.
        series: &'static str,
        /// Values there are.
        found: usize,
        /// Values there should be.
        expected: usize,
    },
    /// An array holds something that is no number.
    NotFinite {
        /// The entry.
        item: Item,
        /// Name of the array.
        series: &'static str,
        /// The first such slot.
        at: Moment,
    },
    /// A value is negative; directions have their own arrays.
    Negative {
        /// The entry.
        item: Item,
        /// Name of the array.
        series: &'static str,
        /// The slot of the lowest value.
        at: Moment,
        /// The value.
        value: f64,
    },
    /// Current or power outside a stay or a window.
    OutsideWindow {
        /// The entry.
        item: Item,
        /// When.
        at: Moment,
        /// How much runs there.
        value: f64,
        /// Its unit.
        unit: &'static str,
    },
    /// A value is neither 0 nor in its range.
    OutOfRange {
        /// The entry.
        item: Item,
        /// Name of the array.
        series: &'static str,
        /// When.
        at: Moment,
        /// The value.
        value: f64,
        /// Lowest value other than 0.
        low: f64,
        /// Highest value.
        high: f64,
        /// Their unit.
        unit: &'static str,
    },
    /// A vehicle that cannot discharge does.
    CannotDischarge {
        /// The entry.
        item: Item,
        /// When.
        at: Moment,
        /// By how much.
        value_a: f64,
    },
    /// Charges and discharges in one slot.
    BothDirections {
        /// The entry.
        item: Item,
        /// When.
        at: Moment,
        /// Charging.
        charge: f64,
        /// Discharging.
        discharge: f64,
        /// Their unit.
        unit: &'static str,
    },
    /// The energy in a battery leaves its range.
    Energy {
        /// The entry.
        item: Item,
        /// At the end of which slot.
        at: Moment,
        /// Energy then.
        found_kwh: f64,
        /// The end of the range it passes.
        limit_kwh: f64,
        /// Which end.
        side: Side,
    },
    /// The shortfall stated is not the one found.
    Shortfall {
        /// The entry.
        item: Item,
        /// What the plan states.
        stated_kwh: f64,
        /// What its currents leave short.
        found_kwh: f64,
    },
    /// A phase of a board carries more than its limit, or more than the building alone makes where that is more.
    Board {
        /// Name of the board.
        node: String,
        /// The phase.
        phase: PhaseIndex,
        /// When.
        at: Moment,
        /// Current, consumption positive.
        found_a: f64,
        /// The limit that applies there, with the sign of its direction.
        limit_a: f64,
    },
    /// The phases of a board differ by more than its limit.
    Imbalance {
        /// Name of the board.
        node: String,
        /// When.
        at: Moment,
        /// Largest less smallest phase current.
        found_a: f64,
        /// The limit that applies there.
        limit_a: f64,
    },
    /// The connection imports or exports more than its cap.
    Cap {
        /// Import is [`Side::Over`], export [`Side::Under`].
        side: Side,
        /// When.
        at: Moment,
        /// Average power of the slot.
        found_kw: f64,
        /// The cap that applies there.
        cap_kw: f64,
    },
    /// The objective stated is not the one found.
    Objective {
        /// What the plan states.
        stated_eur: f64,
        /// What it costs.
        found_eur: f64,
    },
    /// The bound stated is no number, or above the objective.
    Bound {
        /// What the plan states.
        stated_eur: f64,
        /// What it costs.
        objective_eur: f64,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { found } => write!(f, "the plan is of format {found}; only format 1 is known"),
            Self::Id { item, fault } => match fault {
                IdFault::Twice => write!(f, "{item} stands in the plan twice"),
                IdFault::Unknown => write!(f, "{item} is in the plan but not in the instance"),
                IdFault::Missing => write!(f, "{item} is in the instance but not in the plan"),
            },
            Self::Length { item, series, found, expected } => {
                write!(f, "{item}: {series} holds {found} numbers, but there are {expected} slots")
            }
            Self::NotFinite { item, series, at } => write!(f, "{item}: {series} is not a number at {at}"),
            Self::Negative { item, series, at, value } => {
                write!(f, "{item}: {series} is {value} at {at}; it is never negative")
            }
            Self::OutsideWindow { item, at, value, unit } => {
                write!(f, "{item} runs at {value:.3} {unit} outside its window, at {at}")
            }
            Self::OutOfRange { item, series, at, value, low, high, unit } => {
                write!(f, "{item}: {series} is {value:.3} {unit} at {at}, neither 0 nor from {low} to {high} {unit}")
            }
            Self::CannotDischarge { item, at, value_a } => {
                write!(f, "{item} discharges {value_a:.3} A at {at} but is not able to discharge")
            }
            Self::BothDirections { item, at, charge, discharge, unit } => {
                write!(f, "{item} charges {charge:.3} {unit} and discharges {discharge:.3} {unit} at {at}")
            }
            Self::Energy { item, at, found_kwh, limit_kwh, side } => {
                let (side, by) = match side {
                    Side::Over => ("over", found_kwh - limit_kwh),
                    Side::Under => ("under", limit_kwh - found_kwh),
                };
                write!(
                    f,
                    "{item} holds {found_kwh:.3} kWh after {at}, {by:.3} kWh {side} its limit of {limit_kwh:.3} kWh"
                )
            }
            Self::Shortfall { item, stated_kwh, found_kwh } => {
                write!(
                    f,
                    "{item} states a shortfall of {stated_kwh:.3} kWh; its schedule leaves {found_kwh:.3} kWh short"
                )
            }
            Self::Board { node, phase, at, found_a, limit_a } => {
                let by = (found_a - limit_a).abs();
                let phase = PHASE_NAMES.get(*phase).copied().unwrap_or("?");
                write!(
                    f,
                    "board {node} carries {found_a:.3} A on {phase} at {at}, {by:.3} A beyond its limit of {limit_a:.3} A"
                )
            }
            Self::Imbalance { node, at, found_a, limit_a } => {
                let by = found_a - limit_a;
                write!(
                    f,
                    "the phases of board {node} differ by {found_a:.3} A at {at}, {by:.3} A more than its limit of {limit_a:.3} A"
                )
            }
            Self::Cap { side, at, found_kw, cap_kw } => {
                let (verb, by) = (if *side == Side::Over { "imports" } else { "exports" }, found_kw - cap_kw);
                write!(f, "the site {verb} {found_kw:.3} kW at {at}, {by:.3} kW over the cap of {cap_kw:.3} kW")
            }
            Self::Objective { stated_eur, found_eur } => {
                write!(f, "the plan states an objective of {stated_eur} EUR; it costs {found_eur:.5} EUR")
            }
            Self::Bound { stated_eur, objective_eur } => {
                write!(f, "the plan states a bound of {stated_eur} EUR, which no plan of {objective_eur:.5} EUR allows")
            }
        }
    }
}

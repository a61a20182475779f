//! What the checks of all kinds have in common: where a value stands, and the rules that recur.

use std::collections::HashMap;
use std::fmt::Display;

use crate::instance::{PHASE_NAMES, PhaseIndex};
use crate::refusal::{Fault, Faults, names, number, quoted};

/// The largest magnitude of any number in a file, in whatever unit.
///
/// No site has a gigaampere or a thousand gigawatts: a larger number is a mistake of units, and the solvers lose their
/// digits over it.
const LARGEST: f64 = 1e9;

/// The lowest efficiency that is believed, a fraction: a number below it is a mistake, and energy is divided by it.
const LOWEST_EFFICIENCY: f64 = 0.01;

/// Where a value stands: the object it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    /// The field of the instance that holds the object; empty for the instance itself.
    list: &'static str,
    /// The object's index, where the field is an array.
    index: Option<usize>,
    /// What such an object is called.
    kind: &'static str,
    /// The object's name.
    id: &'a str,
}

impl<'a> At<'a> {
    /// The instance itself.
    pub(super) const TOP: At<'static> = At { list: "", index: None, kind: "", id: "" };

    /// An object that is the only one of its kind.
    pub(super) fn field(list: &'static str) -> At<'static> {
        At { list, ..At::TOP }
    }

    /// The object `list[index]`, a `kind` named `id`.
    pub(super) fn item(list: &'static str, index: usize, kind: &'static str, id: &'a str) -> Self {
        At { list, index: Some(index), kind, id }
    }

    fn path(self, field: impl Display) -> String {
        let dot = if self.list.is_empty() { "" } else { "." };
        match self.index {
            Some(index) => format!("${dot}{}[{index}].{field}", self.list),
            None => format!("${dot}{}.{field}", self.list),
        }
    }

    fn subject(self) -> String {
        if self.id.is_empty() { String::new() } else { format!("{} {}", self.kind, quoted(self.id)) }
    }
}

/// Which numbers a series may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Any.
    Any,
    /// 0 and more.
    NotNegative,
}

/// The rules, with what they need to know of the instance, and the faults found so far.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) faults: Faults,
    /// Number of slots; `None` if the file's is unusable, so that nothing can be said about windows and lengths.
    pub(super) slots: Option<usize>,
    /// Index of each board by name.
    pub(super) nodes: HashMap<String, usize>,
    /// Their names, for messages.
    pub(super) node_names: String,
}

impl Rules {
    /// Notes a fault.
    pub(super) fn fault(
        &mut self,
        at: At<'_>,
        field: impl Display,
        value: impl Into<String>,
        wrong: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.faults.add(Fault {
            path: at.path(field),
            subject: at.subject(),
            value: value.into(),
            wrong: wrong.into(),
            remedy: remedy.into(),
        });
    }

    /// The names of all objects of one kind, with their indices: none empty, none twice.
    pub(super) fn ids<'a>(
        &mut self,
        list: &'static str,
        kind: &'static str,
        ids: impl Iterator<Item = &'a str>,
    ) -> HashMap<String, usize> {
        let mut known = HashMap::with_capacity(ids.size_hint().0);
        for (index, id) in ids.enumerate() {
            let at = At::item(list, index, kind, id);
            if id.trim().is_empty() {
                self.fault(at, "id", quoted(id), "is empty", format!("give every {kind} a name"));
            } else if let Some(&first) = known.get(id) {
                let wrong = format!("is the name of {list}[{first}] already");
                self.fault(at, "id", quoted(id), wrong, format!("give every {kind} a name of its own"));
            } else {
                known.insert(id.to_owned(), index);
            }
        }
        known
    }

    /// The index of the board called `node`; 0 if there is none.
    pub(super) fn node(&mut self, at: At<'_>, node: &str) -> usize {
        if let Some(&index) = self.nodes.get(node) {
            return index;
        }
        if self.nodes.is_empty() {
            return 0; // one fault says so
        }
        let remedy = format!("name one of the nodes {}", self.node_names);
        self.fault(at, "node", quoted(node), "is no node", remedy);
        0
    }

    /// Whether `x` is a number at all, and of a size that makes sense.
    pub(super) fn sane(&mut self, at: At<'_>, field: impl Display, x: f64) -> bool {
        let sane = x.abs() <= LARGEST;
        if !sane {
            let wrong = if x.is_finite() { "is larger than anything on a site" } else { "is not a finite number" };
            self.fault(at, field, number(x), wrong, "check its unit: A, V, kW, kWh, EUR");
        }
        sane
    }

    /// Whether `x` is above 0.
    pub(super) fn positive(&mut self, at: At<'_>, field: impl Display, x: f64, remedy: &str) -> bool {
        if !self.sane(at, &field, x) {
            return false;
        }
        if x <= 0.0 {
            self.fault(at, field, number(x), "is not above 0", remedy);
        }
        x > 0.0
    }

    /// Whether `x` is 0 or more.
    pub(super) fn not_negative(&mut self, at: At<'_>, field: impl Display, x: f64, remedy: &str) -> bool {
        if !self.sane(at, &field, x) {
            return false;
        }
        if x < 0.0 {
            self.fault(at, field, number(x), "is negative", remedy);
        }
        x >= 0.0
    }

    /// `x` lies between 0 and the value `most` of another field, called `bound`.
    pub(super) fn up_to(&mut self, at: At<'_>, field: impl Display, x: f64, (bound, most): (&str, f64), remedy: &str) {
        if self.not_negative(at, &field, x, remedy) && most >= 0.0 && x > most {
            self.fault(at, field, number(x), format!("is more than {bound}, {}", number(most)), remedy);
        }
    }

    /// `x` is a believable efficiency.
    pub(super) fn efficiency(&mut self, at: At<'_>, field: impl Display, x: f64) {
        if !self.sane(at, &field, x) || (LOWEST_EFFICIENCY..=1.0).contains(&x) {
            return;
        }
        let remedy = if (2.0..=100.0).contains(&x) {
            format!("give a fraction, {}", number((x * 1e4).round() / 1e6))
        } else {
            "give a fraction such as 0.92".to_owned()
        };
        let wrong = if x > 0.0 && x < 1.0 {
            format!("is below {LOWEST_EFFICIENCY}, lower than any device's efficiency")
        } else {
            "is not a fraction above 0 and at most 1".to_owned()
        };
        self.fault(at, field, number(x), wrong, remedy);
    }

    /// The length of an array over time is right, and so is each of its numbers.
    pub(super) fn series(&mut self, at: At<'_>, field: &str, series: &[f64], sign: Sign) {
        if let Some(slots) = self.slots
            && series.len() != slots
        {
            let remedy = format!("give one number for each of the {slots} slots");
            self.fault(at, field, "", format!("is of length {}, not {slots}", series.len()), remedy);
        }
        let wrong = |&x: &f64| x.is_nan() || x.abs() > LARGEST || (sign == Sign::NotNegative && x < 0.0);
        let Some(first) = series.iter().position(wrong) else { return };
        let place = format!("{field}[{first}]");
        // One fault stands for all of its kind in the series.
        match sign {
            Sign::Any => self.sane(at, place, series[first]),
            Sign::NotNegative => self.not_negative(at, place, series[first], "give 0 or more in every slot"),
        };
    }

    /// The window `[from, to)` has at least one slot and lies within the horizon. Its ends as indices; `None` if not.
    pub(super) fn window(
        &mut self,
        at: At<'_>,
        (from_name, from): (&str, u64),
        (to_name, to): (&str, u64),
    ) -> Option<(usize, usize)> {
        let slots = self.slots?;
        let ends = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(to).unwrap_or(usize::MAX));
        if from >= to {
            let wrong = format!("is not before {to_name}, {to}");
            self.fault(at, from_name, from.to_string(), wrong, "let it hold a slot at least (its end is exclusive)");
        } else if ends.1 > slots {
            let wrong = format!("is beyond the horizon, which ends at {slots}");
            self.fault(at, to_name, to.to_string(), wrong, format!("give slot numbers, {slots} for the end"));
        } else {
            return Some(ends);
        }
        None
    }

    /// The grid phases named, ascending.
    pub(super) fn phases(&mut self, at: At<'_>, names: &[String]) -> Vec<PhaseIndex> {
        let mut phases: Vec<PhaseIndex> = names.iter().filter_map(|name| phase(name)).collect();
        phases.sort_unstable();
        phases.dedup();
        if phases.is_empty() || phases.len() != names.len() {
            let wrong = "is not a choice from L1, L2, L3";
            self.fault(at, "phases", listed(names), wrong, "name one, two or three phases of the grid, each once");
        }
        phases
    }

    /// The grid phases behind a charger's own L1, L2, L3.
    pub(super) fn phase_map(&mut self, at: At<'_>, names: &[String]) -> [PhaseIndex; 3] {
        let map: Vec<PhaseIndex> = names.iter().filter_map(|name| phase(name)).collect();
        if let (&[a, b, c], 3) = (map.as_slice(), names.len())
            && a != b
            && b != c
            && c != a
        {
            return [a, b, c];
        }
        let remedy = "give the grid phase behind the charger's own L1, L2 and L3, such as [\"L2\", \"L3\", \"L1\"]";
        self.fault(at, "phase_map", listed(names), "does not name each of L1, L2, L3 once", remedy);
        [0, 1, 2]
    }
}

fn phase(name: &str) -> Option<PhaseIndex> {
    PHASE_NAMES.iter().position(|&phase| phase == name)
}

/// Names as an array.
fn listed(all: &[String]) -> String {
    format!("[{}]", names(all.iter().map(String::as_str)))
}

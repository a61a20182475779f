//! Which profiles are installed; how they replace each other and are cleared.

use super::check::Refused;
use super::{Edition, Profile, Purpose};

/// A profile and where it is installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    /// The connector (1.6) or EVSE (2.0.1); 0, the whole station.
    pub evse: u32,
    /// The profile.
    pub profile: Profile,
}

/// All profiles of a station.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Store {
    installed: Vec<Installed>,
}

/// Which profiles to clear: those that match every field that is given. With none given, all (E 3.25).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clear {
    /// By number.
    pub id: Option<i64>,
    /// By connector or EVSE.
    pub evse: Option<u32>,
    /// By purpose.
    pub purpose: Option<Purpose>,
    /// By stack level.
    pub stack_level: Option<i64>,
}

impl Clear {
    /// Whether a profile is meant.
    pub fn matches(&self, installed: &Installed) -> bool {
        let profile = &installed.profile;
        self.id.is_none_or(|id| id == profile.id)
            && self.evse.is_none_or(|evse| evse == installed.evse)
            && self.purpose.is_none_or(|purpose| purpose == profile.purpose)
            && self.stack_level.is_none_or(|level| level == profile.stack_level)
    }
}

impl Store {
    /// Installs a profile that has been checked. In 1.6 it takes the place of one with its number, or with its purpose and
    /// stack level on the same connector (3.13.2); in 2.0.1 of one with its number (K01.FR.05), and another one in its place
    /// is a reason to refuse it (K01.FR.06, FR.39).
    ///
    /// # Errors
    ///
    /// [`Refused::Duplicate`] where another one is in its place.
    pub fn install(&mut self, edition: Edition, evse: u32, profile: Profile) -> Result<(), Refused> {
        let in_its_place = |other: &Installed| {
            other.evse == evse
                && other.profile.purpose == profile.purpose
                && other.profile.stack_level == profile.stack_level
        };
        match edition {
            Edition::V16 => self.installed.retain(|other| other.profile.id != profile.id && !in_its_place(other)),
            Edition::V2 => {
                let in_the_way = |other: &&Installed| {
                    other.profile.id != profile.id && in_its_place(other) && overlap(&other.profile, &profile)
                };
                if let Some(other) = self.installed.iter().find(in_the_way) {
                    return Err(Refused::Duplicate(other.profile.id));
                }
                self.installed.retain(|other| other.profile.id != profile.id);
            }
        }
        self.installed.push(Installed { evse, profile });
        Ok(())
    }

    /// Clears what matches. Returns how many that were.
    pub fn clear(&mut self, which: Clear) -> usize {
        let before = self.installed.len();
        self.installed.retain(|installed| !which.matches(installed));
        before - self.installed.len()
    }

    /// A transaction has ended on an EVSE: its profiles go with it.
    pub fn ended(&mut self, evse: u32) {
        self.installed.retain(|installed| installed.evse != evse || installed.profile.purpose != Purpose::Tx);
    }

    /// Everything is lost.
    pub fn forget(&mut self) {
        self.installed.clear();
    }

    /// All that is installed, the oldest first.
    pub fn installed(&self) -> &[Installed] {
        &self.installed
    }
}

fn overlap(one: &Profile, other: &Profile) -> bool {
    let apart = |first: &Profile, then: &Profile| match (first.valid_to, then.valid_from) {
        (Some(to), Some(from)) => to <= from,
        _ => false,
    };
    let same_transaction = one.purpose != Purpose::Tx || one.transaction == other.transaction;
    same_transaction && !apart(one, other) && !apart(other, one)
}

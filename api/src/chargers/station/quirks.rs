//! What stations do wrong. Each was seen in the field; `docs/chargers-simulate.md` says at which.

use clap::ValueEnum;

/// Something that a station does otherwise than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Quirk {
    /// Accepts every profile and obeys none.
    IgnoresLimits,
    /// Rejects profiles with a limit of 0.
    RefusesZero,
    /// Takes stack level 0 only.
    OnlyLevelZero,
    /// Rejects the profile for the whole station.
    RefusesStationMax,
    /// Takes limits in A only.
    OnlyAmps,
    /// Takes limits in W only.
    OnlyWatts,
    /// Discards a profile for a transaction that does not name it.
    WantsTransaction,
    /// Has no profiles after a reboot.
    ForgetsAtReboot,
    /// Has no profiles after its connection was lost.
    ForgetsAtCut,
    /// After a pause at 0 A the next limit stands for none at all.
    UnlimitedAfterPause,
    /// Goes on for 30 s as before when profiles were cleared.
    SlowClear,
    /// Charges on as many phases as the vehicle can.
    IgnoresPhases,
    /// Answers after 35 s.
    AnswersLate,
    /// Never answers `SetChargingProfile`, and does not do what it says.
    NeverAnswersProfiles,
    /// Rejects `GetCompositeSchedule`.
    NoComposite,
    /// Says that it is suspended for three minutes after the limit was raised.
    LongSuspended,
    /// Measures W and no A.
    ReportsWatts,
    /// Measures by the phases of the grid rather than by its own.
    ReportsRotated,
    /// Measures its first phase only.
    ReportsOnePhase,
    /// Its clock is nine hours ahead.
    ClockOff,
    /// Its times have no zone.
    NoZone,
    /// After each connection it sends a transaction of yesterday first.
    OldTransactions,
    /// Once connected it hangs up again at once, ten times in a row.
    Storm,
    /// Sends frames that are none.
    Malformed,
    /// Uses the numbers of its messages again.
    ReusesIds,
    /// Adds fields that nobody knows.
    ExtraFields,
}

impl Quirk {
    /// All of them.
    pub fn all() -> &'static [Quirk] {
        Quirk::value_variants()
    }
}

/// The quirks of a station.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quirks(Vec<Quirk>);

impl Quirks {
    /// With these.
    pub fn new(mut all: Vec<Quirk>) -> Quirks {
        all.sort_unstable();
        all.dedup();
        Quirks(all)
    }

    /// Whether it has a quirk.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }
}

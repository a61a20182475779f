//! What a station tells of itself, and what can be changed: configuration keys of 1.6, variables of 2.0.1.

use chrono::TimeDelta;
use kwartier_engine::plant::profiles::Edition;

use super::{Make, Quirk};

/// The highest stack level.
pub(super) const MAX_STACK_LEVEL: i64 = 8;

/// The most periods of a schedule.
pub(super) const MAX_PERIODS: usize = 48;

/// The most profiles at once.
pub(super) const MAX_PROFILES: usize = 16;

/// How often it measures unless told otherwise, in s.
const SAMPLING_S: i64 = 10;

/// What of a setting can be done from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// It can be read.
    Read,
    /// It can be read and changed.
    Change,
    /// It can be changed and not read.
    Write,
}

/// A setting.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The key of 1.6, or component and variable of 2.0.1 with a point between.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) value: String,
    /// What can be done with it.
    pub(super) right: Right,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    /// It is so now.
    Done,
    /// That value makes no sense.
    Rejected,
    /// It is not to be changed.
    ReadOnly,
    /// There is no such thing.
    Unknown,
}

/// All settings of a station.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    edition: Edition,
    all: Vec<Setting>,
}

impl Settings {
    /// As delivered.
    pub(super) fn new(make: &Make) -> Settings {
        let has = |quirk| make.quirks.has(quirk);
        let level = if has(Quirk::OnlyLevelZero) { 0 } else { MAX_STACK_LEVEL };
        let named = |amps: &str, watts: &str| match (has(Quirk::OnlyWatts), has(Quirk::OnlyAmps)) {
            (true, _) => watts.to_owned(),
            (_, true) => amps.to_owned(),
            _ => format!("{amps},{watts}"),
        };
        let rotation: String = make.phases.iter().filter_map(|&phase| "RST".chars().nth(phase)).collect();
        let switches = make.switches_phases.to_string();
        let (levels, periods, profiles) = (level.to_string(), MAX_PERIODS.to_string(), MAX_PROFILES.to_string());
        let read = |name, value: String| Setting { name, value, right: Right::Read };
        let change = |name, value: &str| Setting { name, value: value.to_owned(), right: Right::Change };
        let write = |name| Setting { name, value: String::new(), right: Right::Write };
        let features =
            "Core,SmartCharging,RemoteTrigger,Reservation,LocalAuthListManagement,FirmwareManagement".to_owned();
        let all = match make.edition {
            Edition::V16 => vec![
                change("HeartbeatInterval", "300"),
                change("MeterValueSampleInterval", &SAMPLING_S.to_string()),
                change("MeterValuesSampledData", MEASURED),
                change("ConnectionTimeOut", "60"),
                change("WebSocketPingInterval", "0"),
                change("LocalAuthListEnabled", "true"),
                change("AllowOfflineTxForUnknownId", "true"),
                change("AuthorizeRemoteTxRequests", "false"),
                change("StopTransactionOnEVSideDisconnect", "true"),
                write("AuthorizationKey"),
                read("NumberOfConnectors", "1".to_owned()),
                read("SupportedFeatureProfiles", features),
                read("ChargeProfileMaxStackLevel", levels),
                read("ChargingScheduleAllowedChargingRateUnit", named("Current", "Power")),
                read("ChargingScheduleMaxPeriods", periods),
                read("MaxChargingProfilesInstalled", profiles),
                read("ConnectorSwitch3to1PhaseSupported", switches),
                read("ConnectorPhaseRotation", format!("1.{rotation}")),
                read("LocalAuthListMaxLength", "100".to_owned()),
                read("SendLocalListMaxLength", "100".to_owned()),
            ],
            Edition::V2 => vec![
                change("OCPPCommCtrlr.HeartbeatInterval", "300"),
                change("OCPPCommCtrlr.WebSocketPingInterval", "0"),
                change("SampledDataCtrlr.TxUpdatedInterval", &SAMPLING_S.to_string()),
                change("SampledDataCtrlr.TxUpdatedMeasurands", MEASURED),
                change("TxCtrlr.EVConnectionTimeOut", "60"),
                change("TxCtrlr.StopTxOnEVSideDisconnect", "true"),
                change("AuthCtrlr.OfflineTxForUnknownIdEnabled", "true"),
                change("LocalAuthListCtrlr.Enabled", "true"),
                write("SecurityCtrlr.BasicAuthPassword"),
                read("SecurityCtrlr.Identity", make.id.clone()),
                change("SmartChargingCtrlr.Enabled", "true"),
                read("SmartChargingCtrlr.Available", "true".to_owned()),
                read("SmartChargingCtrlr.ACPhaseSwitchingSupported", make.chooses_phase.to_string()),
                read("SmartChargingCtrlr.ProfileStackLevel", levels),
                read("SmartChargingCtrlr.RateUnit", named("A", "W")),
                read("SmartChargingCtrlr.PeriodsPerSchedule", periods),
                read("SmartChargingCtrlr.Entries", profiles),
                read("SmartChargingCtrlr.Phases3to1", switches),
            ],
        };
        Settings { edition: make.edition, all }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Setting] {
        &self.all
    }

    /// One of them.
    pub(super) fn get(&self, name: &str) -> Option<&Setting> {
        self.all.iter().find(|setting| setting.name.eq_ignore_ascii_case(name))
    }

    /// Changes one of them.
    pub(super) fn change(&mut self, name: &str, value: &str) -> Changed {
        let Some(setting) = self.all.iter_mut().find(|setting| setting.name.eq_ignore_ascii_case(name)) else {
            return Changed::Unknown;
        };
        if setting.right == Right::Read {
            return Changed::ReadOnly;
        }
        let fits = match setting.value.as_str() {
            "true" | "false" => matches!(value, "true" | "false"),
            number if number.parse::<u32>().is_ok() => value.parse::<u32>().is_ok(),
            _ => !value.is_empty(),
        };
        if !fits {
            return Changed::Rejected;
        }
        value.clone_into(&mut setting.value);
        Changed::Done
    }

    /// How often it says that it is there.
    pub(super) fn heartbeat(&self) -> TimeDelta {
        self.seconds(self.by_edition("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"))
    }

    /// It says so every so often from now on.
    pub(super) fn set_heartbeat(&mut self, interval: TimeDelta) {
        let name = self.by_edition("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval");
        self.change(name, &interval.num_seconds().to_string());
    }

    /// How often it measures.
    pub(super) fn sampling(&self) -> TimeDelta {
        self.seconds(self.by_edition("MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"))
    }

    /// Whether it tells a measurand.
    pub(super) fn measures(&self, measurand: &str) -> bool {
        let list = self.get(self.by_edition("MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands"));
        list.is_some_and(|list| list.value.split(',').any(|name| name.trim() == measurand))
    }

    fn by_edition(&self, v16: &'static str, v2: &'static str) -> &'static str {
        match self.edition {
            Edition::V16 => v16,
            Edition::V2 => v2,
        }
    }

    /// A length of time; 0 stands for never, which is a day here.
    fn seconds(&self, name: &str) -> TimeDelta {
        let s = self.get(name).and_then(|setting| setting.value.parse::<u32>().ok()).filter(|s| *s > 0);
        TimeDelta::seconds(s.map_or(86_400, i64::from))
    }
}

/// What it measures as delivered.
const MEASURED: &str = "Energy.Active.Import.Register,Current.Import,Power.Active.Import,Current.Offered";

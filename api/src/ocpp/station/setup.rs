//! What a charger is asked of itself, and how it is set up.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::Call;
use crate::ocpp::door::Version;

/// What is asked of a charger about itself.
pub(super) fn ask_capabilities(version: Version) -> (&'static str, Value) {
    if version == Version::V16 {
        let keys = [
            "ChargeProfileMaxStackLevel",
            "ChargingScheduleAllowedChargingRateUnit",
            "ChargingScheduleMaxPeriods",
            "NumberOfConnectors",
        ];
        return ("GetConfiguration", json!({ "key": keys }));
    }
    let variable = |name: &str| json!({ "component": { "name": "SmartChargingCtrlr" }, "variable": { "name": name } });
    let mut variables: Vec<Value> = ["ProfileStackLevel", "RateUnit", "PeriodsPerSchedule"].map(variable).into();
    if version == Version::V21 {
        variables.push(variable("SupportsDynamicProfiles"));
    }
    ("GetVariables", json!({ "getVariableData": variables }))
}

/// How a charger is set up: it tells every ten seconds what each phase draws, and where vehicles feed in, that too.
pub(super) fn settings(version: Version, feeds_in: bool) -> VecDeque<Call> {
    let measurands = if feeds_in && version == Version::V21 {
        "Current.Import,Current.Export,Energy.Active.Import.Register,Energy.Active.Export.Register,Power.Active.Import,Power.Active.Export"
    } else {
        "Current.Import,Energy.Active.Import.Register,Power.Active.Import"
    };
    if version == Version::V16 {
        let set = |key: &str, value: &str| Call {
            action: "ChangeConfiguration",
            payload: json!({ "key": key, "value": value }),
        };
        return [set("MeterValuesSampledData", measurands), set("MeterValueSampleInterval", "10")].into();
    }
    let one = |component: &str, name: &str, value: &str| json!({ "component": { "name": component }, "variable": { "name": name }, "attributeValue": value });
    let all = [
        one("SampledDataCtrlr", "TxStartedMeasurands", measurands),
        one("SampledDataCtrlr", "TxUpdatedMeasurands", measurands),
        one("SampledDataCtrlr", "TxUpdatedInterval", "10"),
        one("SampledDataCtrlr", "TxEndedMeasurands", measurands),
    ];
    [Call { action: "SetVariables", payload: json!({ "setVariableData": all }) }].into()
}

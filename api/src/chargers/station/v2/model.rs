//! The device model: variables by component.

use chrono::{DateTime, Utc};
use ocpp_types::v201;
use ocpp_types::v201::common::AttributeEnum;
use serde_json::{Value, json};

use super::super::Station;
use super::super::settings::{Changed, Right};

/// The answer to a request for variables.
pub(super) fn get(station: &Station, request: &v201::GetVariablesRequest) -> Value {
    let all = request.get_variable_data.iter().map(|wanted| {
        let (component, variable) = (wanted.component.name.as_str(), wanted.variable.name.as_str());
        let attribute = wanted.attribute_type.as_ref();
        let (status, value) = match station.settings.get(&format!("{component}.{variable}")) {
            None => (unknown(station, component), None),
            Some(setting) if setting.right == Right::Write => ("Rejected", None),
            Some(setting) => match attribute {
                None | Some(AttributeEnum::Actual) => ("Accepted", Some(setting.value.clone())),
                Some(_) => ("NotSupportedAttributeType", None),
            },
        };
        let mut one = json!({
            "attributeStatus": status,
            "component": {"name": component},
            "variable": {"name": variable},
        });
        if let Some(value) = value {
            one["attributeValue"] = json!(value);
        }
        one
    });
    json!({"getVariableResult": all.collect::<Vec<_>>()})
}

/// The answer to a request to change variables.
pub(super) fn set(station: &mut Station, now: DateTime<Utc>, request: &v201::SetVariablesRequest) -> Value {
    let mut all = Vec::new();
    for wanted in &request.set_variable_data {
        let (component, variable) = (wanted.component.name.as_str(), wanted.variable.name.as_str());
        let name = format!("{component}.{variable}");
        let status = match station.settings.change(&name, &wanted.attribute_value) {
            Changed::Done => {
                station.setting_changed(now, &name, &wanted.attribute_value);
                "Accepted"
            }
            Changed::Rejected | Changed::ReadOnly => "Rejected",
            Changed::Unknown => unknown(station, component),
        };
        all.push(json!({
            "attributeStatus": status,
            "component": {"name": component},
            "variable": {"name": variable},
        }));
    }
    json!({"setVariableResult": all})
}

fn unknown(station: &Station, component: &str) -> &'static str {
    let known = |name: &str| name.split('.').next().is_some_and(|part| part.eq_ignore_ascii_case(component));
    if station.settings.all().iter().any(|setting| known(setting.name)) {
        "UnknownVariable"
    } else {
        "UnknownComponent"
    }
}

/// All that can be read of it.
pub(super) fn report(station: &Station, request: i64, at: DateTime<Utc>) -> Value {
    let all = station.settings.all().iter().filter_map(|setting| {
        let (component, variable) = setting.name.split_once('.')?;
        let mut attribute = json!({"mutability": match setting.right {
            Right::Read => "ReadOnly",
            Right::Change => "ReadWrite",
            Right::Write => "WriteOnly",
        }});
        if setting.right != Right::Write {
            attribute["value"] = json!(setting.value);
        }
        let kind = match setting.value.as_str() {
            "true" | "false" => "boolean",
            number if number.parse::<i64>().is_ok() => "integer",
            _ => "string",
        };
        let mut characteristics = json!({"dataType": kind, "supportsMonitoring": false});
        if setting.name == "SmartChargingCtrlr.Entries" {
            characteristics["maxLimit"] = json!(super::super::settings::MAX_PROFILES);
        }
        Some(json!({
            "component": {"name": component},
            "variable": {"name": variable},
            "variableAttribute": [attribute],
            "variableCharacteristics": characteristics,
        }))
    });
    json!({
        "requestId": request,
        "generatedAt": station.stamp(at),
        "tbc": false,
        "seqNo": 0,
        "reportData": all.collect::<Vec<_>>(),
    })
}

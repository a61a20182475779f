//! What people want a charger to do once, in the words of each version.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::certificates;
use super::door::Version;
use super::link::Record;
use super::profiles::stamp;

/// Something that a charger is to do once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Start anew: `soft` ends transactions in good order first.
    Reset {
        /// At once, without that.
        #[serde(default)]
        hard: bool,
    },
    /// Release the plug of a connector.
    Unlock {
        /// Which.
        #[serde(default = "first")]
        connector: i64,
    },
    /// Begin a transaction as if a card had been shown.
    Start {
        /// At which connector.
        #[serde(default = "first")]
        connector: i64,
        /// The card's number.
        tag: String,
    },
    /// End the transaction at a connector.
    Stop {
        /// Which.
        #[serde(default = "first")]
        connector: i64,
    },
    /// Send a message now, such as `StatusNotification`, `MeterValues` or `BootNotification`.
    Trigger {
        /// Which.
        message: String,
    },
    /// Take a connector out of service or put it back; 0, all of them.
    Availability {
        /// Which.
        #[serde(default)]
        connector: i64,
        /// Whether it may be used.
        operative: bool,
    },
    /// Keep a connector for a card.
    Reserve {
        /// Number of the reservation.
        reservation: i64,
        /// Which.
        #[serde(default = "first")]
        connector: i64,
        /// The card's number.
        tag: String,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Give up a reservation.
    CancelReservation {
        /// Its number.
        reservation: i64,
    },
    /// Set something up: a configuration key in 1.6, a component's variable in 2.x.
    Configure {
        /// The component; in 2.x alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        component: Option<String>,
        /// The key or variable.
        key: String,
        /// What it is to be.
        value: String,
    },
    /// Tell how something is set up: configuration keys in 1.6, `Component.Variable` in 2.x. Without any, all there are.
    Configuration {
        /// Which.
        #[serde(default)]
        keys: Vec<String>,
    },
    /// Forget the cards that were accepted before.
    ClearCache,
    /// Put the list of cards that are accepted without asking in place of the one that is there.
    LocalList {
        /// Its number, higher than that of the one before.
        version: i64,
        /// Cards.
        tags: Vec<String>,
    },
    /// Tell the number of that list.
    LocalListVersion,
    /// Upload what it has written down about itself.
    Diagnostics {
        /// Where to.
        location: String,
        /// What it has written down of its security in place of that.
        #[serde(default)]
        security: bool,
    },
    /// Load and install a firmware. One that is signed is checked by the charger; its certificate and its signature go together.
    Firmware {
        /// Where from.
        location: String,
        /// When.
        at: DateTime<Utc>,
        /// The certificate that it was signed with, PEM.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<String>,
        /// Its signature, base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// Something that its maker has thought of (`DataTransfer`).
    DataTransfer {
        /// Who: `vendorId`.
        vendor: String,
        /// What: `messageId`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// With what. In 1.6 it is text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// Ask to be certified, for security profile 3.
    Certificate,
    /// Tell which authorities it trusts.
    InstalledCertificates {
        /// Those that certify whom: `central_system`, or the makers of its `firmware`.
        #[serde(default)]
        of: Trusted,
    },
    /// Trust an authority no more.
    DeleteCertificate {
        /// Which, as `installed_certificates` tells it (`certificateHashData`).
        hash: Value,
    },
    /// Trust an authority that certifies central systems.
    InstallCertificate {
        /// Its certificate, PEM; absent, that of the authority which certifies chargers here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<String>,
    },
    /// Know another way to connect; in 2.x alone. `configure` and `reset` have it used.
    NetworkProfile {
        /// In which slot.
        slot: i64,
        /// Where to, without the charger's name.
        url: String,
        /// In which security profile.
        security_profile: u8,
    },
    /// Tell what it is to draw by all that it holds.
    CompositeSchedule {
        /// At which connector; 0, all together.
        #[serde(default)]
        connector: i64,
        /// For how long, in s.
        duration_s: i64,
    },
}

/// Whom an authority certifies that a charger trusts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trusted {
    /// Central systems.
    #[default]
    CentralSystem,
    /// Makers of firmware.
    Firmware,
}

fn first() -> i64 {
    1
}

/// A firmware's certificate and signature: `None`, it is not signed.
fn signed<'a>(
    certificate: Option<&'a String>,
    signature: Option<&'a String>,
) -> Result<Option<(&'a String, &'a String)>, (&'static str, String)> {
    match (certificate, signature) {
        (Some(certificate), Some(signature)) => Ok(Some((certificate, signature))),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(("signature", "is missing; a certificate needs the signature that goes with it".to_owned()))
        }
        (None, Some(_)) => {
            Err(("certificate", "is missing; a signature needs the certificate that goes with it".to_owned()))
        }
    }
}

/// A component's variable by its name: `Component.Variable`, where an instance stands in brackets after either.
fn variable(key: &str) -> Result<Value, (&'static str, String)> {
    let named = |name: &str| match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((name, instance)) => json!({ "name": name, "instance": instance }),
        None => json!({ "name": name }),
    };
    let parts = key.split_once('.').filter(|(component, variable)| !component.is_empty() && !variable.is_empty());
    let (component, variable) = parts.ok_or_else(|| {
        (
            "keys",
            format!(
                "{key:?} is no variable of OCPP 2; write its component too, such as \"SmartChargingCtrlr.RateUnit\""
            ),
        )
    })?;
    Ok(json!({ "component": named(component), "variable": named(variable) }))
}

/// What `GetLog` says: in 1.6 as its security extensions have it.
fn log(kind: &str, location: &str, now: DateTime<Utc>) -> Value {
    json!({ "logType": kind, "requestId": request_id(now), "log": { "remoteLocation": location } })
}

fn transfer(vendor: &str, message: Option<&String>, data: Option<Value>) -> Value {
    let mut payload = json!({ "vendorId": vendor });
    if let Some(message) = message {
        payload["messageId"] = json!(message);
    }
    if let Some(data) = data {
        payload["data"] = data;
    }
    payload
}

/// Another way for a charger to connect.
fn network(version: Version, url: &str, security_profile: u8) -> Value {
    json!({
        "ocppVersion": if version == Version::V21 { "OCPP21" } else { "OCPP20" },
        "ocppTransport": "JSON", "ocppInterface": "Wired0", "ocppCsmsUrl": url, "messageTimeout": 30,
        "securityProfile": security_profile,
    })
}

/// A number for what a charger answers to in later messages.
fn request_id(now: DateTime<Utc>) -> i64 {
    now.timestamp() & 0x7fff_ffff
}

impl Command {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Reset { .. } => "reset",
            Command::Unlock { .. } => "unlock",
            Command::Start { .. } => "start",
            Command::Stop { .. } => "stop",
            Command::Trigger { .. } => "trigger",
            Command::Availability { .. } => "availability",
            Command::Reserve { .. } => "reserve",
            Command::CancelReservation { .. } => "cancel_reservation",
            Command::Configure { .. } => "configure",
            Command::Configuration { .. } => "configuration",
            Command::ClearCache => "clear_cache",
            Command::LocalList { .. } => "local_list",
            Command::LocalListVersion => "local_list_version",
            Command::Diagnostics { .. } => "diagnostics",
            Command::Firmware { .. } => "firmware",
            Command::DataTransfer { .. } => "data_transfer",
            Command::Certificate => "certificate",
            Command::InstalledCertificates { .. } => "installed_certificates",
            Command::DeleteCertificate { .. } => "delete_certificate",
            Command::InstallCertificate { .. } => "install_certificate",
            Command::NetworkProfile { .. } => "network_profile",
            Command::CompositeSchedule { .. } => "composite_schedule",
        }
    }

    /// The message that says it; an error names the field and why it cannot be said.
    pub fn message(
        &self,
        version: Version,
        record: &Record,
        now: DateTime<Utc>,
    ) -> Result<(&'static str, Value), (&'static str, String)> {
        if version == Version::V16 { self.in_v16(record, now) } else { self.in_v2(version, record, now) }
    }

    fn transaction(record: &Record, connector: i64) -> Result<Value, (&'static str, String)> {
        let known = record.transactions.get(&connector).map(|transaction| transaction.id.clone());
        known.ok_or_else(|| ("connector", format!("{connector} has no transaction; name one that has")))
    }

    fn certificate(certificate: Option<&String>) -> Result<&String, (&'static str, String)> {
        certificate.ok_or_else(|| ("certificate", "is missing; send the authority's certificate, PEM".to_owned()))
    }

    fn in_v16(&self, record: &Record, now: DateTime<Utc>) -> Result<(&'static str, Value), (&'static str, String)> {
        Ok(match self {
            Command::Reset { hard } => ("Reset", json!({ "type": if *hard { "Hard" } else { "Soft" } })),
            Command::Unlock { connector } => ("UnlockConnector", json!({ "connectorId": connector })),
            Command::Start { connector, tag } => {
                ("RemoteStartTransaction", json!({ "connectorId": connector, "idTag": tag }))
            }
            Command::Stop { connector } => {
                let id = Self::transaction(record, *connector)?;
                ("RemoteStopTransaction", json!({ "transactionId": id }))
            }
            Command::Trigger { message } => ("TriggerMessage", json!({ "requestedMessage": message })),
            Command::Availability { connector, operative } => {
                let kind = if *operative { "Operative" } else { "Inoperative" };
                ("ChangeAvailability", json!({ "connectorId": connector, "type": kind }))
            }
            Command::Reserve { reservation, connector, tag, until } => {
                let until = stamp(*until);
                let payload = json!({ "connectorId": connector, "expiryDate": until, "idTag": tag, "reservationId": reservation });
                ("ReserveNow", payload)
            }
            Command::CancelReservation { reservation } => {
                ("CancelReservation", json!({ "reservationId": reservation }))
            }
            Command::Configure { component: Some(_), .. } => {
                return Err(("component", "is of OCPP 2; this charger speaks 1.6: leave it out".to_owned()));
            }
            Command::Configure { component: None, key, value } => {
                ("ChangeConfiguration", json!({ "key": key, "value": value }))
            }
            Command::Configuration { keys } if keys.is_empty() => ("GetConfiguration", json!({})),
            Command::Configuration { keys } => ("GetConfiguration", json!({ "key": keys })),
            Command::ClearCache => ("ClearCache", json!({})),
            Command::LocalList { version, tags } => {
                let list: Vec<Value> =
                    tags.iter().map(|tag| json!({ "idTag": tag, "idTagInfo": { "status": "Accepted" } })).collect();
                let payload = json!({ "listVersion": version, "updateType": "Full", "localAuthorizationList": list });
                ("SendLocalList", payload)
            }
            Command::LocalListVersion => ("GetLocalListVersion", json!({})),
            Command::Diagnostics { location, security: false } => ("GetDiagnostics", json!({ "location": location })),
            Command::Diagnostics { location, security: true } => ("GetLog", log("SecurityLog", location, now)),
            Command::Firmware { location, at, certificate, signature } => {
                match signed(certificate.as_ref(), signature.as_ref())? {
                    None => ("UpdateFirmware", json!({ "location": location, "retrieveDate": stamp(*at) })),
                    Some((certificate, signature)) => {
                        let firmware = json!({
                            "location": location, "retrieveDateTime": stamp(*at),
                            "signingCertificate": certificate, "signature": signature,
                        });
                        ("SignedUpdateFirmware", json!({ "requestId": request_id(now), "firmware": firmware }))
                    }
                }
            }
            Command::DataTransfer { vendor, message, data } => {
                let text = data.as_ref().map(|data| data.as_str().map_or_else(|| data.to_string(), str::to_owned));
                ("DataTransfer", transfer(vendor, message.as_ref(), text.map(Value::from)))
            }
            Command::Certificate => {
                let call = certificates::request(Version::V16);
                (call.action, call.payload)
            }
            Command::InstallCertificate { certificate } => {
                let certificate = Self::certificate(certificate.as_ref())?;
                let payload = json!({ "certificateType": "CentralSystemRootCertificate", "certificate": certificate });
                ("InstallCertificate", payload)
            }
            Command::InstalledCertificates { of } => {
                let kind = match of {
                    Trusted::CentralSystem => "CentralSystemRootCertificate",
                    Trusted::Firmware => "ManufacturerRootCertificate",
                };
                ("GetInstalledCertificateIds", json!({ "certificateType": kind }))
            }
            Command::DeleteCertificate { hash } => ("DeleteCertificate", json!({ "certificateHashData": hash })),
            Command::NetworkProfile { .. } => {
                let detail = "is of OCPP 2; this charger speaks 1.6: configure SecurityProfile in its place";
                return Err(("command", detail.to_owned()));
            }
            Command::CompositeSchedule { connector, duration_s } => {
                ("GetCompositeSchedule", json!({ "connectorId": connector, "duration": duration_s }))
            }
        })
    }

    fn in_v2(
        &self,
        version: Version,
        record: &Record,
        now: DateTime<Utc>,
    ) -> Result<(&'static str, Value), (&'static str, String)> {
        let card = |tag: &str| json!({ "idToken": tag, "type": "ISO14443" });
        Ok(match self {
            Command::Reset { hard } => ("Reset", json!({ "type": if *hard { "Immediate" } else { "OnIdle" } })),
            Command::Unlock { connector } => ("UnlockConnector", json!({ "evseId": connector, "connectorId": 1 })),
            Command::Start { connector, tag } => {
                let payload = json!({ "evseId": connector, "idToken": card(tag), "remoteStartId": request_id(now) });
                ("RequestStartTransaction", payload)
            }
            Command::Stop { connector } => {
                let id = Self::transaction(record, *connector)?;
                ("RequestStopTransaction", json!({ "transactionId": id }))
            }
            Command::Trigger { message } => ("TriggerMessage", json!({ "requestedMessage": message })),
            Command::Availability { connector, operative } => {
                let status = if *operative { "Operative" } else { "Inoperative" };
                let mut payload = json!({ "operationalStatus": status });
                if *connector > 0 {
                    payload["evse"] = json!({ "id": connector });
                }
                ("ChangeAvailability", payload)
            }
            Command::Reserve { reservation, connector, tag, until } => {
                let until = stamp(*until);
                let payload =
                    json!({ "id": reservation, "evseId": connector, "expiryDateTime": until, "idToken": card(tag) });
                ("ReserveNow", payload)
            }
            Command::CancelReservation { reservation } => {
                ("CancelReservation", json!({ "reservationId": reservation }))
            }
            Command::Configure { component: None, .. } => {
                return Err(("component", "is missing; this charger speaks OCPP 2: name the component".to_owned()));
            }
            Command::Configure { component: Some(component), key, value } => {
                let one = json!({
                    "component": { "name": component }, "variable": { "name": key }, "attributeValue": value,
                });
                ("SetVariables", json!({ "setVariableData": [one] }))
            }
            Command::Configuration { keys } if keys.is_empty() => {
                ("GetBaseReport", json!({ "requestId": request_id(now), "reportBase": "FullInventory" }))
            }
            Command::Configuration { keys } => {
                let all = keys.iter().map(|key| variable(key)).collect::<Result<Vec<Value>, _>>()?;
                ("GetVariables", json!({ "getVariableData": all }))
            }
            Command::ClearCache => ("ClearCache", json!({})),
            Command::LocalList { version, tags } => {
                let list: Vec<Value> = tags
                    .iter()
                    .map(|tag| json!({ "idToken": card(tag), "idTokenInfo": { "status": "Accepted" } }))
                    .collect();
                let mut payload = json!({ "versionNumber": version, "updateType": "Full" });
                if !list.is_empty() {
                    payload["localAuthorizationList"] = Value::Array(list);
                }
                ("SendLocalList", payload)
            }
            Command::LocalListVersion => ("GetLocalListVersion", json!({})),
            Command::Diagnostics { location, security } => {
                ("GetLog", log(if *security { "SecurityLog" } else { "DiagnosticsLog" }, location, now))
            }
            Command::Firmware { location, at, certificate, signature } => {
                let mut firmware = json!({ "location": location, "retrieveDateTime": stamp(*at) });
                if let Some((certificate, signature)) = signed(certificate.as_ref(), signature.as_ref())? {
                    firmware["signingCertificate"] = json!(certificate);
                    firmware["signature"] = json!(signature);
                }
                ("UpdateFirmware", json!({ "requestId": request_id(now), "firmware": firmware }))
            }
            Command::DataTransfer { vendor, message, data } => {
                ("DataTransfer", transfer(vendor, message.as_ref(), data.clone()))
            }
            Command::Certificate => {
                let call = certificates::request(version);
                (call.action, call.payload)
            }
            Command::InstallCertificate { certificate } => {
                let certificate = Self::certificate(certificate.as_ref())?;
                let payload = json!({ "certificateType": "CSMSRootCertificate", "certificate": certificate });
                ("InstallCertificate", payload)
            }
            Command::InstalledCertificates { of } => {
                let kind = match of {
                    Trusted::CentralSystem => "CSMSRootCertificate",
                    Trusted::Firmware => "ManufacturerRootCertificate",
                };
                ("GetInstalledCertificateIds", json!({ "certificateType": [kind] }))
            }
            Command::DeleteCertificate { hash } => ("DeleteCertificate", json!({ "certificateHashData": hash })),
            Command::NetworkProfile { slot, url, security_profile } => {
                let data = network(version, url, *security_profile);
                ("SetNetworkProfile", json!({ "configurationSlot": slot, "connectionData": data }))
            }
            Command::CompositeSchedule { connector, duration_s } => {
                ("GetCompositeSchedule", json!({ "evseId": connector, "duration": duration_s }))
            }
        })
    }
}

//! A charger: where it hangs, and how it is reached.

use kwartier_data::site::Site;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::ocpp::Quirks;

/// A charger as it is put. What it says of board and phases stands in the site afterwards, as a station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Charger {
    /// Name of the board that it hangs on.
    pub node: String,
    /// Which grid phase hangs on its own L1, L2, L3: letters R = L1, S = L2, T = L3, `x` where none does. Absent, what
    /// the station has. A list such as `["L2", "L3", "L1"]` says the same.
    #[serde(default, deserialize_with = "phase_map", skip_serializing_if = "Option::is_none")]
    #[schema(example = "RST")]
    pub phase_map: Option<String>,
    /// Highest current per phase in A.
    pub max_a: f64,
    /// How it is reached; absent, over the API: somebody else passes our setpoints on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocpp: Option<Ocpp>,
}

/// How a charger connects over OCPP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ocpp {
    /// Its password for HTTP Basic authentication; never read back. Kept as a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub password: Option<String>,
    /// OCPP security profile, 1 to 3; 0 only where it is allowed by name.
    pub security_profile: u8,
    /// How it wants to be treated, where that is neither as usual nor as the catalogue of chargers says (`docs/ocpp.md`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quirks: Option<Quirks>,
}

/// What a charger needs beyond the site, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeptCharger {
    /// How it connects; absent, over the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocpp: Option<KeptOcpp>,
}

/// How a charger connects over OCPP, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptOcpp {
    /// Its password as argon2id keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// OCPP security profile.
    pub security_profile: u8,
    /// How it wants to be treated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quirks: Option<Quirks>,
}

/// The stations of a site whose setpoints somebody else passes on: all that do not connect themselves.
pub fn over_api<'a>(site: &Site, chargers: impl Iterator<Item = (&'a str, &'a KeptCharger)>) -> Vec<String> {
    let own: Vec<&str> = chargers.filter(|(_, kept)| kept.ocpp.is_some()).map(|(id, _)| id).collect();
    let stations = site.stations.iter().filter(|station| station.managed && !own.contains(&station.id.as_str()));
    stations.map(|station| station.id.clone()).collect()
}

/// Reads a phase map: letters, or names of phases.
fn phase_map<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Letters(String),
        Names(Vec<String>),
    }
    let remedy = "write letters such as \"RST\", or names such as [\"L1\", \"L2\", \"L3\"]";
    match Option::<Written>::deserialize(from) {
        Ok(None) => Ok(None),
        Ok(Some(Written::Letters(letters))) => Ok(Some(letters)),
        Ok(Some(Written::Names(names))) => {
            let letters = names.iter().map(|name| match name.as_str() {
                "L1" => Some('R'),
                "L2" => Some('S'),
                "L3" => Some('T'),
                _ => None,
            });
            let letters: Option<String> = letters.collect();
            let letters = letters.filter(|letters| (1..=3).contains(&letters.len()));
            let padded = letters.map(|letters| format!("{letters:x<3}"));
            padded.map(Some).ok_or_else(|| D::Error::custom(format!("is no list of one to three phases; {remedy}")))
        }
        Err(_) => Err(D::Error::custom(format!("is no phase map; {remedy}"))),
    }
}

/// What a charger reports through somebody else's system: what it draws, and whether it obeys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// When this was so.
    pub at: chrono::DateTime<chrono::Utc>,
    /// Whether it can be reached; absent, it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// What it draws on its own L1 in A, import positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l1_a: Option<f64>,
    /// On its own L2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2_a: Option<f64>,
    /// On its own L3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l3_a: Option<f64>,
    /// Energy of the session so far in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_kwh: Option<f64>,
    /// The limit that it really holds, in A per phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<f64>,
    /// The number of the setpoint that it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setpoint: Option<u64>,
    /// Whether it accepted that; absent, it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
}

//! A session: one vehicle's stay.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A session as it is posted. What is not said comes from the vehicle, its group, the site's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Name of the charger.
    pub charger: String,
    /// Name of a vehicle that the site knows. No plates, no names of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<String>,
    /// Name of its user group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// When it was plugged in; absent, when this arrives. It may lie ahead: the vehicle is expected then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<DateTime<Utc>>,
    /// When it leaves; absent, unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure: Option<DateTime<Utc>>,
    /// Energy wanted by then, in kWh at the battery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_kwh: Option<f64>,
    /// Energy in the battery at arrival, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soc_kwh: Option<f64>,
    /// Energy wanted in the battery at departure, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_kwh: Option<f64>,
    /// Battery capacity in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_kwh: Option<f64>,
    /// On how many phases it charges, 1 to 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<u8>,
    /// Lowest current per phase that it charges with, in A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_a: Option<f64>,
    /// Highest current per phase that it takes, in A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_a: Option<f64>,
    /// Who goes first when it does not fit: the higher number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
}

/// What is changed of a session that is there. What is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionChange {
    /// A new statement of departure; `null`, unknown again.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    #[expect(clippy::option_option, reason = "absent, it stays; null, it is taken back")]
    pub departure: Option<Option<DateTime<Utc>>>,
    /// A new statement of the energy wanted, in kWh at the battery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_kwh: Option<f64>,
    /// Energy in the battery now, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soc_kwh: Option<f64>,
    /// Energy wanted in the battery at departure, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_kwh: Option<f64>,
    /// On how many phases it charges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<u8>,
    /// Who goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Something else than the plan for a while; `null` takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
    #[schema(value_type = Option<Override>)]
    #[expect(clippy::option_option, reason = "absent, it stays; null, it is taken back")]
    pub r#override: Option<Option<Override>>,
    /// When it was unplugged: the session has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<DateTime<Utc>>,
}

/// Something else than the plan for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// What.
    pub action: Action,
    /// When it ends by itself; absent, an hour after it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// What an override asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// As much as safety allows, whatever the plan says.
    Boost,
    /// Nothing.
    Stop,
}

/// Where a departure or a need is from, in the order in which they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Whoever stated the session or changed it.
    Driver,
    /// The vehicle itself, by way of its charger (ISO 15118).
    Vehicle,
    /// A roster.
    Roster,
    /// A template of the vehicle or of its group.
    Template,
    /// What the vehicle did before.
    History,
    /// What its group did before.
    Group,
    /// Nobody: what is usual anywhere.
    Assumed,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptSession {
    /// What was said of it, with all changes.
    pub stated: Session,
    /// The override in force or past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#override: Option<Override>,
    /// When it was unplugged; absent, it has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<DateTime<Utc>>,
    /// Energy at the charger at the last report, in kWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_kwh: Option<f64>,
    /// Who stated the departure; absent, whoever stated the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure_from: Option<Origin>,
    /// Who stated the need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need_from: Option<Origin>,
    /// The card that it was begun with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
}

/// The card that a session was begun with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Card {
    /// Its id; absent, it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Who pays for what is charged with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<String>,
}

impl KeptSession {
    /// A session that was stated just now.
    pub fn of(stated: Session) -> KeptSession {
        KeptSession {
            stated,
            r#override: None,
            ended: None,
            energy_kwh: None,
            departure_from: None,
            need_from: None,
            card: None,
        }
    }

    /// Whether nobody has said anything of it but where and when it began, and with which card.
    pub fn is_unspoken(&self) -> bool {
        let mut bare = Session::at(self.stated.charger.as_str(), self.stated.arrival);
        // Nor do what its vehicle says and its card stand for anybody.
        if self.departure_from == Some(Origin::Vehicle) {
            bare.departure = self.stated.departure;
        }
        if self.need_from == Some(Origin::Vehicle) {
            bare.need_kwh = self.stated.need_kwh;
        }
        if self.card.is_some() {
            bare.vehicle.clone_from(&self.stated.vehicle);
            bare.group.clone_from(&self.stated.group);
        }
        self.ended.is_none() && self.r#override.is_none() && self.stated == bare
    }
}

impl Session {
    /// A session of which nothing is known but where it is and when it begins.
    pub fn at(charger: impl Into<String>, arrival: Option<DateTime<Utc>>) -> Session {
        Session {
            charger: charger.into(),
            vehicle: None,
            group: None,
            arrival,
            departure: None,
            need_kwh: None,
            soc_kwh: None,
            target_kwh: None,
            capacity_kwh: None,
            phases: None,
            min_a: None,
            max_a: None,
            priority: None,
        }
    }

    /// Whether it says how much is needed.
    pub fn says_need(&self) -> bool {
        self.need_kwh.is_some() || self.soc_kwh.is_some()
    }
}

/// Tells a field that is absent from one that is `null`.
mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::option_option, reason = "absent and null differ")]
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(from).map(Some)
    }

    #[expect(clippy::option_option, clippy::ref_option, reason = "absent and null differ; serde's signature")]
    pub fn serialize<S: Serializer, T: Serialize>(value: &Option<Option<T>>, into: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.serialize(into),
            None => into.serialize_none(),
        }
    }
}

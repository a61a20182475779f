//! The demo's stations, and how they get in.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kwartier_engine::control::setup::{Device, Setup};
use kwartier_engine::plant::profiles::Edition;
use sha2::{Digest, Sha256};

use super::site::{SITE, json};
use crate::access::password::{hash, matches};
use crate::chargers::fleet::{Member, stored_a};
use crate::chargers::station::{Make, Quirks};
use crate::resource::charger::{KeptCharger, KeptOcpp};
use crate::service::Service;
use crate::store::{Change, Expect, Kind, List};

/// How long a station takes to start anew, in s.
const BOOT_S: u32 = 20;

/// The password of all of them: it follows from the demo's key, so that it needs no place of its own.
pub fn password(key: &str) -> String {
    let digest = Sha256::digest(format!("the demo's stations {key}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Gives its password to each charger that connects itself and has none. The names of those that get in with it: one that somebody
/// has given a password of his own is his.
pub async fn let_in(service: &Service, password: &str, now: DateTime<Utc>) -> Result<Vec<String>, String> {
    let mut ours = Vec::new();
    let mut hashes: HashMap<String, bool> = HashMap::new();
    let mut fresh: Option<String> = None;
    let mut changes = Vec::new();
    for document in service.store.all(List::of(Kind::Charger, SITE)).await.map_err(|fault| fault.to_string())? {
        let charger = document.body.and_then(|body| serde_json::from_value::<KeptCharger>(body).ok());
        let Some(ocpp) = charger.and_then(|charger| charger.ocpp) else { continue };
        let id = document.key.id.clone();
        if let Some(known) = ocpp.password {
            let right = match hashes.get(&known) {
                Some(right) => *right,
                None => matches(password.to_owned().into(), Some(known.clone())).await.map_err(|why| why.detail)?,
            };
            hashes.insert(known, right);
            if right {
                ours.push(id);
            }
            continue;
        }
        let made = match fresh {
            Some(made) => made,
            None => hash(password.to_owned().into()).await.map_err(|why| why.detail)?,
        };
        fresh = Some(made.clone());
        let charger = KeptCharger { ocpp: Some(KeptOcpp { password: Some(made), ..ocpp }) };
        let expect = Expect::Version(document.version);
        changes.push(Change::Put { key: document.key, body: json(&charger)?, expect });
        ours.push(id);
    }
    if !changes.is_empty() {
        service.store.write(now, changes).await.map_err(|fault| fault.to_string())?;
    }
    Ok(ours)
}

/// The stations of the site that get in: every second one speaks OCPP 1.6, the others 2.0.1.
pub fn members(setup: &Setup, known: &[String], password: &str) -> Vec<Member> {
    let stations = setup.devices.iter().enumerate().filter(|(_, device)| known.contains(&device.id));
    let member = |(k, (device, own)): (usize, (usize, &Device))| Member {
        device,
        make: Make {
            id: own.id.clone(),
            edition: if k % 2 == 0 { Edition::V16 } else { Edition::V2 },
            max_a: own.max_a,
            voltage_v: setup.voltage_v,
            phases: own.phases.clone(),
            switches_phases: own.switches_phases,
            chooses_phase: own.chooses_phase,
            iso15118: false,
            boot_s: BOOT_S,
            stored_a: Some(stored_a(own)),
            quirks: Quirks::default(),
        },
        password: Some(password.to_owned()),
        outages: Vec::new(),
    };
    stations.enumerate().map(member).collect()
}

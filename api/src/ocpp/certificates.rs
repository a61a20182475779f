//! Chargers that want to be certified, and those whose certificates run out.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::authority::{Given, Unfit};
use super::door::Version;
use super::link::Link;
use super::station::Call;

/// A certificate is renewed when less is left of it.
const RENEWED: TimeDelta = TimeDelta::days(60);

/// A charger is asked to renew its certificate so often.
const ASKED: TimeDelta = TimeDelta::days(1);

/// So many certificates of a charger count at once: the one that it has, the one that it gets, and one or two that it lost.
const MOST: usize = 4;

impl Link {
    /// A charger asks to be certified (`SignCertificate`): what it is answered. The certificate follows in a call.
    pub(super) async fn certifies(&mut self, payload: &Value, now: DateTime<Utc>) -> Value {
        let rejected = |why: &dyn std::fmt::Display, link: &Link| {
            tracing::warn!(site = link.site, charger = link.charger, %why, "a charger is not certified");
            json!({ "status": "Rejected" })
        };
        if !self.trusted {
            return rejected(&"it has not proved who it is over an encrypted link (security profile 2 or 3)", self);
        }
        if payload["certificateType"].as_str().is_some_and(|kind| kind != "ChargingStationCertificate") {
            return rejected(&"it asks for a certificate that vehicles want, which we do not give", self);
        }
        let names: Vec<&str> =
            std::iter::once(self.charger.as_str()).chain(self.record.identity.serial.as_deref()).collect();
        let request = payload["csr"].as_str().unwrap_or_default();
        let (chain, given) = match self.service.authority.certify(request, &names, now) {
            Ok(given) => given,
            Err(fault @ Unfit::NoAuthority(_)) => {
                tracing::error!(%fault, "chargers cannot be certified");
                return json!({ "status": "Rejected" });
            }
            Err(unfit) => return rejected(&unfit, self),
        };
        let mut call = json!({ "certificateChain": chain });
        if self.version != Version::V16 {
            call["certificateType"] = json!("ChargingStationCertificate");
        }
        if let Some(request) = payload.get("requestId").filter(|_| self.version == Version::V21) {
            call["requestId"] = request.clone();
        }
        let certificates = &mut self.record.certificates;
        certificates.retain(|known| known.until > now);
        certificates.push(given);
        let over = certificates.len().saturating_sub(MOST);
        certificates.drain(..over);
        self.keep().await;
        if let Some(station) = &mut self.station {
            station.sets(Call { action: "CertificateSigned", payload: call });
        }
        json!({ "status": "Accepted" })
    }

    /// Asks for a new request when the certificate runs out.
    pub(super) fn renews(&mut self, now: DateTime<Utc>) {
        if !self.trusted || !is_due(&self.record.certificates, self.renewed, now) {
            return;
        }
        self.renewed = Some(now);
        if let Some(station) = &mut self.station {
            station.sets(request(self.version));
        }
    }
}

/// How a charger is asked to ask for a certificate.
pub fn request(version: Version) -> Call {
    let (action, message) = match version {
        Version::V16 => ("ExtendedTriggerMessage", "SignChargePointCertificate"),
        Version::V201 | Version::V21 => ("TriggerMessage", "SignChargingStationCertificate"),
    };
    Call { action, payload: json!({ "requestedMessage": message }) }
}

/// Whether the newest certificate runs out soon, and nothing was asked lately.
fn is_due(certificates: &[Given], asked: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    let newest = certificates.iter().map(|given| given.until).max();
    newest.is_some_and(|until| until - now < RENEWED) && asked.is_none_or(|asked| now - asked >= ASKED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_in_time_and_asked_for_once_a_day() {
        let now = Utc::now();
        let given = |days: i64| Given { sha256: String::new(), until: now + TimeDelta::days(days) };
        assert!(!is_due(&[], None, now), "none was ever given");
        assert!(!is_due(&[given(10), given(300)], None, now), "a newer one was given");
        assert!(is_due(&[given(59)], None, now));
        assert!(!is_due(&[given(59)], Some(now - TimeDelta::hours(23)), now));
        assert!(is_due(&[given(-3)], Some(now - TimeDelta::days(1)), now), "it may be connected all the same");
    }
}

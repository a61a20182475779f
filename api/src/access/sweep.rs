//! What has run out goes.

use chrono::{DateTime, TimeDelta, Utc};

use super::kept::{KeptGrant, KeptTicket, body};
use crate::service::Service;
use crate::store::{Change, Expect, Fault, Kind, List};

/// How long a grant that has run out can still be seen.
const GRANT_SEEN: TimeDelta = TimeDelta::days(90);

/// Erases logins and invitations that have run out, deletes grants long past, and drops what people, credentials and cards
/// were before: an old password or address is nobody's business. To be called each hour; how many went.
pub async fn sweep(service: &Service, now: DateTime<Utc>) -> Result<u64, Fault> {
    let mut gone = 0;
    for kind in [Kind::Credential, Kind::User, Kind::Tag] {
        gone += service.store.forget_versions(kind, now).await?;
    }
    for kind in [Kind::Ticket, Kind::Grant] {
        let mut changes = Vec::new();
        for document in service.store.all(List::all(kind)).await? {
            if kind == Kind::Ticket {
                let ticket: KeptTicket = body(&document)?;
                if ticket.until <= now {
                    changes.push(Change::Erase(document.key));
                }
            } else {
                let grant: KeptGrant = body(&document)?;
                if grant.until + GRANT_SEEN <= now {
                    changes.push(Change::Delete { key: document.key, expect: Expect::Any });
                }
            }
        }
        gone += changes.len() as u64;
        if !changes.is_empty() {
            service.store.write(now, changes).await?;
        }
    }
    Ok(gone)
}

//! What is done every hour: what is old is made coarser or dropped, what has run out goes.

use std::time::Duration;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::backup::backup;
use crate::access;
use crate::service::Service;
use crate::store::keep_house;

/// How often.
const EVERY: Duration = Duration::from_hours(1);

/// The first time so long after the start, when the sites are steered again.
const FIRST: Duration = Duration::from_mins(2);

/// Keeps house until it is told to stop.
pub async fn run(service: Service, stop: CancellationToken) {
    let mut pause = FIRST;
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        pause = EVERY;
        let now = Utc::now();
        match keep_house(&*service.store, now, &service.config.keep).await {
            Ok(kept) => tracing::debug!(rolled_up = kept.rolled_up, dropped = kept.dropped, "kept house"),
            Err(fault) => tracing::warn!(%fault, "the store cannot be kept in order now"),
        }
        match backup(&*service.store, &service.config.backup, now).await {
            Ok(Some(made)) => tracing::info!(folder = %made.display(), "made the day's backup"),
            Ok(None) => {}
            Err(fault) => tracing::error!(%fault, "the day's backup cannot be made"),
        }
        match access::sweep(&service, now).await {
            Ok(gone) => tracing::debug!(gone, "logins that have run out are gone"),
            Err(fault) => tracing::warn!(%fault, "logins that have run out cannot be dropped now"),
        }
    }
}

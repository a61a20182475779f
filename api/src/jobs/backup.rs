//! Backups that are made by themselves: one a day, in folders named by the day, and those that are old go.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::config::Backups;
use crate::store::{Fault, Store};

/// How a day's folder is named.
const NAME: &str = "kwartier-%Y-%m-%d";

/// Makes the day's backup where there is none yet, and drops those that are too old. Where it is, if one was made.
pub async fn backup(store: &dyn Store, backups: &Backups, now: DateTime<Utc>) -> Result<Option<PathBuf>, Fault> {
    let Some(folder) = &backups.folder else { return Ok(None) };
    let today = folder.join(now.format(NAME).to_string());
    if today.exists() {
        return Ok(None);
    }
    std::fs::create_dir_all(folder).map_err(|why| Fault::Unavailable(format!("{}: {why}", folder.display())))?;
    store.backup(&today).await?;
    for old in older(folder, now.date_naive() - TimeDelta::days(i64::from(backups.days))) {
        if let Err(why) = std::fs::remove_dir_all(&old) {
            tracing::warn!(folder = %old.display(), %why, "an old backup cannot be removed");
        }
    }
    Ok(Some(today))
}

/// Backups of this program that were made on a day or before.
fn older(folder: &Path, until: NaiveDate) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let old = entries.filter(|entry| {
        let day = entry.file_name().to_str().and_then(|name| NaiveDate::parse_from_str(name, NAME).ok());
        day.is_some_and(|day| day <= until)
    });
    old.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {

    use super::*;

    #[tokio::test]
    async fn each_day_has_one_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(folder.path().join("data").to_str().unwrap()).await.unwrap();
        let backups = Backups { folder: Some(folder.path().join("backups")), days: 2 };
        std::fs::create_dir_all(folder.path().join("backups/mine")).unwrap();
        let start: DateTime<Utc> = "2026-03-28T01:30:00Z".parse().unwrap();
        for hour in 0..72 {
            let made = backup(&*store, &backups, start + TimeDelta::hours(hour)).await.unwrap();
            assert_eq!(made.is_some(), hour == 0 || (hour + 2) % 24 == 1, "hour {hour}");
        }
        let mut left: Vec<String> = std::fs::read_dir(folder.path().join("backups"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["kwartier-2026-03-30", "kwartier-2026-03-31", "mine"]);
        let again = crate::store::open(folder.path().join("backups/kwartier-2026-03-31").to_str().unwrap()).await;
        assert!(again.is_ok(), "a backup opens");
        let none = Backups { folder: None, days: 2 };
        assert_eq!(backup(&*store, &none, start).await.unwrap(), None);
    }
}

//! What the databases say when they do not do what they were asked for, in the words of [`Fault`].

use sqlx::migrate::MigrateError;

use super::super::fault::Fault;

/// Result codes of SQLite that mean that the file is damaged: `SQLITE_CORRUPT`, `SQLITE_NOTADB`.
const SQLITE_DAMAGED: [i64; 2] = [11, 26];

/// What is kept cannot be understood.
pub fn corrupt(why: impl Into<String>) -> Fault {
    Fault::Corrupt(why.into())
}

/// It cannot be used now.
pub fn unavailable(why: impl std::fmt::Display) -> Fault {
    Fault::Unavailable(why.to_string())
}

/// What a fault of sqlx means for those who asked.
pub fn fault(fault: &sqlx::Error) -> Fault {
    match fault {
        sqlx::Error::Database(told) => {
            let code = told.code().unwrap_or_default();
            // SQLite's primary code is the last byte of its extended one; PostgreSQL's XX001 and XX002 are damaged pages.
            let is_damaged = match code.parse::<i64>() {
                Ok(number) if code.len() < 5 => SQLITE_DAMAGED.contains(&(number & 0xff)),
                _ => code == "XX001" || code == "XX002",
            };
            if is_damaged { corrupt(told.message()) } else { unavailable(told.message()) }
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => corrupt(fault.to_string()),
        sqlx::Error::PoolTimedOut => unavailable("no connection was free or could be made in time"),
        sqlx::Error::PoolClosed => unavailable("it is closed"),
        other => unavailable(other),
    }
}

/// Why the tables could not be brought up to date. Each step is made whole or not at all.
pub fn migration(trouble: &MigrateError) -> Fault {
    match trouble {
        MigrateError::VersionMissing(_) => unavailable(
            "it was written by a newer release of kwartier; use that one or a newer one, or restore a backup from before",
        ),
        MigrateError::Execute(trouble) => fault(trouble),
        MigrateError::ExecuteMigration(trouble, step) => unavailable(format!(
            "it could not be brought up to date and is as it was (step {step}: {})",
            fault(trouble)
        )),
        other => corrupt(format!("what it says of its own age does not fit: {other}")),
    }
}

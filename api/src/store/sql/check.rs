//! Looking for damage: whether everything that is kept can be read, and fits together.

use super::super::fault::Fault;
use super::connection::{Connection, Dialect, placeholders};
use super::database::Database;
use super::tables::TABLES;
use super::{documents, history, jobs, logs, plans};

/// Findings that are told at most; where one thing is broken many often are.
const TOLD: usize = 100;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many rows each table has.
    pub rows: Vec<(&'static str, u64)>,
    /// What is wrong.
    pub findings: Vec<String>,
}

/// Reads everything.
pub async fn check(database: &Database) -> Result<Checked, Fault> {
    let mut connection = database.reader().await?;
    let mut checked = Checked::default();
    if connection.dialect() == Dialect::Sqlite {
        for row in connection.fetch(&format!("PRAGMA integrity_check({TOLD})"), Vec::new()).await? {
            let said = row.text(0)?;
            if said != "ok" {
                checked.findings.push(format!("the file is damaged: {said}"));
            }
        }
    }
    for table in TABLES {
        let sql = format!("SELECT COUNT(*) FROM {}", table.name);
        let count = connection.first(&sql, Vec::new()).await?.map(|row| row.count(0)).transpose()?;
        checked.rows.push((table.name, count.unwrap_or_default()));
        unreadable(&mut connection, table.name, &mut checked.findings).await?;
    }
    if let Some(folder) = database.history() {
        for file in history::files(&mut connection).await? {
            if let Err(fault) = history::read(&folder, &file).await {
                checked.findings.push(fault.to_string());
            }
        }
    }
    for (sql, what) in RULES {
        let count = connection.first(sql, Vec::new()).await?.map(|row| row.count(0)).transpose()?.unwrap_or_default();
        if count > 0 {
            checked.findings.push(format!("{count} {what}"));
        }
    }
    checked.findings.truncate(TOLD);
    Ok(checked)
}

/// What must be nowhere.
const RULES: [(&str, &str); 4] = [
    (
        "SELECT COUNT(*) FROM document_head head LEFT JOIN document doc ON doc.kind = head.kind
        AND doc.owner = head.owner AND doc.id = head.id AND doc.version = head.version
        WHERE doc.version IS NULL OR (doc.body IS NULL) <> (head.deleted <> 0)",
        "documents whose newest version is not there or not what it should be",
    ),
    (
        "SELECT COUNT(*) FROM document doc LEFT JOIN document_head head ON doc.kind = head.kind
        AND doc.owner = head.owner AND doc.id = head.id WHERE head.version IS NULL OR head.version < doc.version",
        "versions of documents that are newer than the newest",
    ),
    (
        "SELECT COUNT(*) FROM log WHERE number > (SELECT value FROM counter WHERE name = 'log')",
        "log entries whose number has not been given out",
    ),
    (
        "SELECT COUNT(*) FROM site_place WHERE site NOT IN (SELECT number FROM name)
        OR place NOT IN (SELECT number FROM name)",
        "measured places without a name",
    ),
];

/// Reads each row of the tables that hold JSON or what is compressed.
async fn unreadable(connection: &mut Connection, table: &str, findings: &mut Vec<String>) -> Result<(), Fault> {
    let (columns, key, at_once) = match table {
        "document" => (documents::COLUMNS, 4, 200),
        "log" => (logs::COLUMNS, 1, 5_000),
        "job" => (jobs::COLUMNS, 1, 200),
        "plan" => (plans::COLUMNS, 1, 20),
        _ => return Ok(()),
    };
    let keys = columns.split(", ").take(key).collect::<Vec<_>>().join(", ");
    let mut after = Vec::new();
    loop {
        let wheres =
            if after.is_empty() { String::new() } else { format!(" WHERE ({keys}) > ({})", placeholders(1, key)) };
        let sql = format!("SELECT {columns} FROM {table}{wheres} ORDER BY {keys} LIMIT {at_once}");
        let rows = connection.fetch(&sql, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = match table {
            "document" => vec![last.text(0)?.into(), last.text(1)?.into(), last.text(2)?.into(), last.int(3)?.into()],
            "log" => vec![last.int(0)?.into()],
            _ => vec![last.text(0)?.into()],
        };
        for row in &rows {
            let read = match table {
                "document" => documents::any(row).map(drop),
                "log" => logs::any(row).map(drop),
                "job" => jobs::job(row).map(drop),
                _ => plans::whole(row).map(drop),
            };
            if let Err(fault) = read {
                findings.push(format!("{table}: {fault}"));
            }
        }
        if findings.len() >= TOLD {
            return Ok(());
        }
    }
}

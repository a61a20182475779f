//! Copying everything from one database to another, whichever they are.

use std::path::Path;

use super::super::fault::Fault;
use super::super::rolling::Piece;
use super::connection::{Connection, Dialect, placeholders};
use super::database::Database;
use super::insert::insert;
use super::tables::{TABLES, Table};
use super::trouble::{corrupt, unavailable};
use super::{history, measurements, names};

/// Copies everything as it is at one instant into a database that is empty; all of it or nothing. How many rows of each
/// table.
pub async fn copy(from: &Database, to: &Database) -> Result<Vec<(&'static str, u64)>, Fault> {
    let folder = from.history();
    let mut from = from.reader().await?;
    let mut to = to.writer().await?;
    from.command(from.dialect().begin_reading()).await?;
    to.command(to.dialect().begin()).await?;
    let copied = match (tables(&mut from, &mut to).await, folder) {
        (Ok(copied), Some(folder)) => history(&mut from, &mut to, &folder).await.map(|()| copied),
        (copied, _) => copied,
    };
    let ended = match &copied {
        Ok(_) => to.command("COMMIT").await,
        Err(_) => Ok(()),
    };
    // A transaction that is still open ends with its connection.
    from.discard().await;
    to.discard().await;
    ended?;
    copied
}

async fn tables(from: &mut Connection, to: &mut Connection) -> Result<Vec<(&'static str, u64)>, Fault> {
    for table in TABLES.iter().filter(|table| table.name != "counter") {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
        if to.first(&sql, Vec::new()).await?.is_some() {
            return Err(unavailable(format!(
                "there is something in the table {} already; everything is copied into an empty place only",
                table.name
            )));
        }
    }
    // What a new database begins to count with.
    to.execute("DELETE FROM counter", Vec::new()).await?;
    let mut copied = Vec::new();
    for table in TABLES.iter().filter(|table| table.name != "archive") {
        copied.push((table.name, one(from, to, table).await?));
    }
    if to.dialect() == Dialect::Postgres {
        // The numbers of names came with them; the next ones go on after them.
        let sql = "SELECT setval(pg_get_serial_sequence('name', 'number'), (SELECT MAX(number) FROM name))
            WHERE EXISTS (SELECT 1 FROM name)";
        to.fetch(sql, Vec::new()).await?;
    }
    Ok(copied)
}

/// Puts what is in files back into a table: the other place may have no folder.
async fn history(from: &mut Connection, to: &mut Connection, folder: &Path) -> Result<(), Fault> {
    for (site, _) in names::sites(from).await? {
        let places = names::places(from, site).await?;
        for file in history::files_of(from, site).await? {
            let quarters = history::read(folder, &file).await?;
            for of_place in quarters.chunk_by(|(one, _), (next, _)| one == next) {
                let Some((name, _)) = of_place.first() else { continue };
                let place = places.get(name).ok_or_else(|| corrupt(format!("the place {name} has no number")))?;
                let pieces: Vec<Piece> = of_place.iter().map(|(_, piece)| *piece).collect();
                measurements::add(to, site, *place, &pieces).await?;
            }
        }
    }
    Ok(())
}

async fn one(from: &mut Connection, to: &mut Connection, table: &Table) -> Result<u64, Fault> {
    let (columns, key) = (table.column_list(), table.key_list());
    let into = format!("INSERT INTO {} ({columns})", table.name);
    let mut count = 0;
    let mut after = Vec::new();
    loop {
        let wheres =
            if after.is_empty() { String::new() } else { format!(" WHERE ({key}) > ({})", placeholders(1, table.key)) };
        let sql = format!("SELECT {columns} FROM {}{wheres} ORDER BY {key} LIMIT {}", table.name, table.at_once);
        let rows = from.fetch(&sql, after).await?;
        let values = rows.iter().map(|row| table.values(row)).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = values.last() else { return Ok(count) };
        after = last.iter().take(table.key).cloned().collect();
        count += values.len() as u64;
        insert(to, &into, "", values).await?;
    }
}

//! Many rows in one statement.

use super::super::fault::Fault;
use super::connection::{Connection, Dialect, placeholders};
use super::value::Value;

/// Rows in one statement. A few fixed numbers, so that prepared statements are found again.
const AT_ONCE: [usize; 3] = [256, 16, 1];

/// Inserts rows, many in a statement.
pub async fn insert(
    connection: &mut Connection,
    into: &str,
    on_conflict: &str,
    mut rows: Vec<Vec<Value>>,
) -> Result<(), Fault> {
    while let Some(columns) = rows.first().map(Vec::len) {
        let count = AT_ONCE.into_iter().find(|count| *count <= rows.len()).unwrap_or(1);
        let mut sql = format!("{into} VALUES ");
        for row in 0..count {
            let one = match connection.dialect() {
                // Without numbers: SQLite would look each one up among all the others.
                Dialect::Sqlite => vec!["?"; columns].join(", "),
                Dialect::Postgres => placeholders(row * columns + 1, columns),
            };
            sql += if row == 0 { "(" } else { ", (" };
            sql += &one;
            sql += ")";
        }
        sql += " ";
        sql += on_conflict;
        connection.execute(&sql, rows.drain(..count).flatten().collect()).await?;
    }
    Ok(())
}

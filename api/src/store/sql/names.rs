//! Names of sites and places as numbers, so that measurements carry numbers only.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::fault::Fault;
use super::connection::Connection;
use super::trouble::corrupt;

/// The numbers that the writer knows. What a transaction that failed has added must be forgotten.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<String, i64>,
    places: HashSet<(i64, i64)>,
}

impl Names {
    /// The numbers of a site and of a place at it; they are given where there are none yet.
    pub async fn number(&mut self, connection: &mut Connection, site: &str, place: &str) -> Result<(i64, i64), Fault> {
        let numbers = (self.one(connection, site).await?, self.one(connection, place).await?);
        if !self.places.contains(&numbers) {
            let values = vec![numbers.0.into(), numbers.1.into()];
            let sql = "INSERT INTO site_place (site, place) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            connection.execute(sql, values).await?;
            self.places.insert(numbers);
        }
        Ok(numbers)
    }

    async fn one(&mut self, connection: &mut Connection, name: &str) -> Result<i64, Fault> {
        if let Some(&number) = self.numbers.get(name) {
            return Ok(number);
        }
        let sql = "INSERT INTO name (text) VALUES ($1) ON CONFLICT DO NOTHING";
        connection.execute(sql, vec![name.into()]).await?;
        let number = of(connection, name).await?.ok_or_else(|| corrupt(format!("the name {name} has no number")))?;
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }
}

/// The number of a name, where it has one.
pub async fn of(connection: &mut Connection, name: &str) -> Result<Option<i64>, Fault> {
    let row = connection.first("SELECT number FROM name WHERE text = $1", vec![name.into()]).await?;
    row.map(|row| row.int(0)).transpose()
}

/// The places of a site that were ever measured, by name.
pub async fn places(connection: &mut Connection, site: i64) -> Result<BTreeMap<String, i64>, Fault> {
    let sql = "SELECT name.text, name.number FROM site_place JOIN name ON name.number = site_place.place
        WHERE site_place.site = $1";
    let rows = connection.fetch(sql, vec![site.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// All sites that were ever measured: number and name, by number.
pub async fn sites(connection: &mut Connection) -> Result<Vec<(i64, String)>, Fault> {
    let sql = "SELECT number, text FROM name WHERE number IN (SELECT site FROM site_place) ORDER BY number";
    let rows = connection.fetch(sql, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?))).collect()
}

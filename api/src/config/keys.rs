//! Every key of the configuration: what it takes, what it is when nobody says, what it does. The reader, the environment,
//! `kwartier config check` and `docs/configuration.md` all go by this table.

use crate::fetch;

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any text.
    Text,
    /// A file or folder; relative ones count from the folder of the configuration file.
    Path,
    /// A file whose content is a secret.
    SecretFile,
    /// The address of a web server: `https://…`, or `http://…` on this machine.
    Url,
    /// An address and port to listen on.
    Address,
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// `true` or `false`.
    Flag,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
}

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The table that it stands in; empty, at the top.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it is when nobody says, as TOML writes it; empty, nothing.
    pub default: &'static str,
    /// Whether it must be there when its table is.
    pub required: bool,
    /// What it does.
    pub what: &'static str,
}

impl Key {
    /// The environment variable that overrides it; `None`, in lists of tables there is none.
    pub fn variable(&self) -> Option<String> {
        if is_list(self.table) {
            return None;
        }
        let path = if self.table.is_empty() { self.name.to_owned() } else { format!("{}_{}", self.table, self.name) };
        Some(format!("KWARTIER_{}", path.to_uppercase()))
    }
}

/// The tables that are lists.
pub const LISTS: [&str; 5] = ["listen", "feeds.contracts", "feeds.rooftops", "oidc", "oidc.roles"];

/// Whether a table is a list of tables.
pub fn is_list(table: &str) -> bool {
    LISTS.contains(&table)
}

const fn key(table: &'static str, name: &'static str, takes: Takes, default: &'static str, what: &'static str) -> Key {
    Key { table, name, takes, default, required: false, what }
}

const fn must(table: &'static str, name: &'static str, takes: Takes, what: &'static str) -> Key {
    Key { table, name, takes, default: "", required: true, what }
}

/// The words for roles.
pub const ROLES: &[&str] = &["viewer", "analyst", "operator", "installer", "admin", "driver", "service"];

/// All keys, table by table.
pub static KEYS: [Key; 70] = [
    key("", "data", Takes::Path, "\"kwartier-data\"", "the folder of everything that is kept"),
    key(
        "",
        "database_url_file",
        Takes::SecretFile,
        "",
        "a file with the URL of a PostgreSQL database, `postgresql://…`; without it, SQLite in the folder `data`",
    ),
    key(
        "",
        "public_url",
        Takes::Url,
        "",
        "how browsers reach this service, where that differs from `listen`: behind a proxy, and for single sign-on",
    ),
    must(
        "listen",
        "address",
        Takes::Address,
        "where to listen, as in `\"0.0.0.0:8443\"`; plain HTTP only on this machine",
    ),
    key(
        "listen",
        "tls_certificate",
        Takes::Path,
        "",
        "the certificate and those above it, PEM; read again when it changes",
    ),
    key("listen", "tls_key", Takes::Path, "", "the certificate's private key, PEM"),
    key(
        "listen",
        "security_profile",
        Takes::Whole(1, 3),
        "",
        "chargers of this OCPP security profile come here, and nothing else is served; 2 and 3 need a certificate",
    ),
    key(
        "listen",
        "client_ca",
        Takes::Path,
        "",
        "authorities beside our own whose certificates of chargers count, PEM; for `security_profile = 3`",
    ),
    key("log", "format", Takes::Word(&["text", "json"]), "\"text\"", "how lines on standard error look"),
    key(
        "log",
        "level",
        Takes::Text,
        "\"info\"",
        "what is logged: `error` to `trace`, also by module: `info,kwartier::app=debug`",
    ),
    key("login", "session_hours", Takes::Whole(1, 720), "12", "how long a login lasts"),
    key("login", "attempts_per_minute", Takes::Whole(1, 600), "5", "logins that are tried for one account"),
    key(
        "login",
        "address_attempts_per_minute",
        Takes::Whole(1, 60_000),
        "30",
        "logins that are tried from one address",
    ),
    key("limits", "body_mib", Takes::Whole(1, 1024), "16", "the largest request in MiB"),
    key("limits", "requests_per_minute", Takes::Whole(60, 10_000_000), "120000", "requests of one key or person"),
    key(
        "keep",
        "seconds_days",
        Takes::Whole(1, 400),
        "1",
        "days that measurements stay as measured; a value a minute then",
    ),
    key(
        "keep",
        "minutes_days",
        Takes::Whole(32, 4000),
        "35",
        "days that minutes stay; quarter-hours then, which stay for ever",
    ),
    key("keep", "plans_days", Takes::Whole(2, 4000), "92", "days that plans stay with all they were made from"),
    key(
        "keep",
        "forecasts_days",
        Takes::Whole(42, 4000),
        "92",
        "days that forecasts of weather, sun, carbon intensity and those that were put stay once they are replaced; ours are learnt from 42",
    ),
    key("keep", "setpoints_days", Takes::Whole(1, 4000), "35", "days that setpoints and what chargers held stay"),
    key("keep", "alarms_days", Takes::Whole(1, 4000), "731", "days that alarms stay"),
    key("keep", "deliveries_days", Takes::Whole(1, 4000), "35", "days that deliveries to webhooks stay"),
    key("keep", "audit_days", Takes::Whole(30, 40_000), "3653", "days that the record of who changed what stays"),
    key("backup", "folder", Takes::Path, "", "where a backup is made each day; without it, none is"),
    key("backup", "days", Takes::Whole(1, 4000), "7", "days that those backups stay"),
    key(
        "webhooks",
        "allow_private",
        Takes::Flag,
        "false",
        "whether webhooks may go to addresses of this machine and of private networks",
    ),
    key(
        "feeds",
        "prices",
        Takes::Texts,
        "[\"entsoe\", \"energy_charts\", \"energyzero\", \"awattar\"]",
        "the feeds that day-ahead prices are fetched from, the one to prefer first; `nordpool` is another. Empty, none are fetched",
    ),
    key(
        "feeds",
        "weather",
        Takes::Texts,
        "[\"open_meteo\"]",
        "the feeds that weather is fetched from. Empty, none is fetched",
    ),
    key(
        "feeds",
        "pv",
        Takes::Texts,
        "[]",
        "the feeds that the power of plants is fetched from, the one to prefer first: `solcast`, `forecast_solar`. Empty, none is fetched",
    ),
    key(
        "feeds",
        "carbon",
        Takes::Texts,
        "[\"electricity_maps\", \"energy_charts\", \"national_grid\"]",
        "the feeds that carbon intensity is fetched from. Empty, none is fetched",
    ),
    key(
        "feeds",
        "entsoe_key_file",
        Takes::SecretFile,
        "",
        "a file with the key for ENTSO-E's platform; without it, `entsoe` is left out",
    ),
    key(
        "feeds",
        "open_meteo_key_file",
        Takes::SecretFile,
        "",
        "a file with a customer's key for Open-Meteo, which companies need; without it, its free interface is asked",
    ),
    key(
        "feeds",
        "solcast_key_file",
        Takes::SecretFile,
        "",
        "a file with the key for Solcast; without it, `solcast` is left out",
    ),
    key(
        "feeds",
        "forecast_solar_key_file",
        Takes::SecretFile,
        "",
        "a file with a customer's key for forecast.solar; without it, its free interface is asked",
    ),
    key(
        "feeds",
        "electricity_maps_key_file",
        Takes::SecretFile,
        "",
        "a file with the key for Electricity Maps; without it, `electricity_maps` is left out",
    ),
    key("feeds", "entsoe_url", Takes::Url, "", "where ENTSO-E is asked, in place of its own address"),
    key("feeds", "energy_charts_url", Takes::Url, "", "where Energy-Charts is asked"),
    key("feeds", "energyzero_url", Takes::Url, "", "where EnergyZero is asked"),
    key("feeds", "awattar_url", Takes::Url, "", "where aWATTar is asked"),
    key("feeds", "nordpool_url", Takes::Url, "", "where Nord Pool is asked"),
    key("feeds", "open_meteo_url", Takes::Url, "", "where Open-Meteo is asked"),
    key("feeds", "tibber_url", Takes::Url, "", "where Tibber is asked"),
    key("feeds", "octopus_url", Takes::Url, "", "where Octopus is asked"),
    key("feeds", "solcast_url", Takes::Url, "", "where Solcast is asked"),
    key("feeds", "forecast_solar_url", Takes::Url, "", "where forecast.solar is asked"),
    key("feeds", "electricity_maps_url", Takes::Url, "", "where Electricity Maps is asked"),
    key("feeds", "national_grid_url", Takes::Url, "", "where Great Britain's system operator is asked"),
    key(
        "feeds",
        "allow_private",
        Takes::Flag,
        "false",
        "whether feeds may be at addresses of this machine and of private networks",
    ),
    key("feeds", "keep_days", Takes::Whole(1, 4000), "14", "days that answers of feeds stay as they came"),
    must("feeds.contracts", "site", Takes::Text, "the site whose contract it is"),
    must("feeds.contracts", "feed", Takes::Word(fetch::CONTRACTS), "with whom"),
    key("feeds.contracts", "token_file", Takes::SecretFile, "", "a file with the customer's token for Tibber"),
    key("feeds.contracts", "home", Takes::Text, "", "the id of the home at Tibber, where the customer has several"),
    key("feeds.contracts", "product", Takes::Text, "", "the code of the product at Octopus, as in `AGILE-24-10-01`"),
    key("feeds.contracts", "region", Takes::Text, "", "the letter of the region at Octopus, `A` to `P`"),
    key(
        "feeds.contracts",
        "eur_per_thousand",
        Takes::Whole(1, 1_000_000),
        "",
        "what 1,000 of the currency that is billed in are worth in EUR, as in 1170 for pounds; not needed where that is EUR",
    ),
    must("feeds.rooftops", "site", Takes::Text, "the site of a plant that Solcast knows"),
    must("feeds.rooftops", "plant", Takes::Text, "the plant, as the site's file names it"),
    must("feeds.rooftops", "id", Takes::Text, "what Solcast calls it"),
    must("oidc", "name", Takes::Text, "the provider's name in addresses: `/v1/oidc/NAME/start`"),
    must("oidc", "issuer", Takes::Url, "the provider's address, as its own documents write it"),
    must("oidc", "client_id", Takes::Text, "what the provider calls this service"),
    must("oidc", "client_secret_file", Takes::SecretFile, "a file with the secret that the provider gave out"),
    must("oidc", "tenant", Takes::Text, "the tenant of those who come this way"),
    key("oidc", "scopes", Takes::Texts, "[\"openid\", \"email\", \"profile\"]", "what the provider is asked for"),
    key("oidc", "groups_claim", Takes::Text, "\"groups\"", "the claim that lists a person's groups"),
    must("oidc.roles", "group", Takes::Text, "a group of the provider"),
    Key {
        table: "oidc.roles",
        name: "role",
        takes: Takes::Word(ROLES),
        default: "",
        required: true,
        what: "what those in it may be",
    },
    key("oidc.roles", "tenant", Takes::Text, "", "where; absent, at the provider's tenant"),
    key("oidc.roles", "site", Takes::Text, "", "at which of its sites alone"),
];

/// The keys of a table.
pub fn of(table: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.table == table)
}

/// The tables, the top first.
pub fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = Vec::new();
    for key in &KEYS {
        if !tables.contains(&key.table) {
            tables.push(key.table);
        }
    }
    tables
}

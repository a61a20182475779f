//! How the service is set up: one TOML file, environment variables, secrets from files. None of it is needed.
//!
//! An argument counts before an environment variable, that before the file, that before the default. Everything is checked
//! before anything starts, and everything that is wrong is told at once.

mod build;
mod environment;
mod feeds;
pub mod keys;
mod read;
mod secret;
mod settings;
mod show;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;

use kwartier_data::{Finding, Severity};
use secrecy::SecretString;

use crate::access::Role;
use crate::resource::feed::Source;
use crate::store::Policy;

/// How the service is set up. Displayed for debugging, secrets are masked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: Vec<Listen>,
    /// The folder of what it keeps.
    pub data: PathBuf,
    /// The URL of a PostgreSQL database; `None`, SQLite in the folder.
    pub database_url: Option<SecretString>,
    /// How browsers reach it, without a `/` at the end; `None`, where it listens.
    pub public_url: Option<String>,
    /// Whether the demo depot runs.
    pub demo: bool,
    /// What is logged, and how.
    pub log: Log,
    /// Logging in.
    pub login: Logins,
    /// How much at once.
    pub limits: Limits,
    /// How long things are kept.
    pub keep: Policy,
    /// Backups that are made by themselves.
    pub backup: Backups,
    /// Webhooks.
    pub webhooks: Webhooks,
    /// What is fetched, and from where.
    pub feeds: Feeds,
    /// Providers of single sign-on.
    pub oidc: Vec<Oidc>,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// The certificate; `None`, plain HTTP, on this machine alone.
    pub tls: Option<Tls>,
    /// Which chargers come here, and nobody else; `None`, everybody does.
    pub chargers: Option<Chargers>,
}

/// Chargers that have a listener of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chargers {
    /// Their OCPP security profile, 1 to 3.
    pub profile: u8,
    /// Authorities beside our own whose certificates count in profile 3, PEM.
    pub authorities: Option<PathBuf>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and those above it, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// As JSON, a line each.
    pub json: bool,
    /// What: as `tracing` filters are written.
    pub level: String,
}

/// Logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logins {
    /// How long a login lasts, in hours.
    pub session_hours: u32,
    /// Logins that are tried for one account in a minute.
    pub attempts_per_minute: u32,
    /// Logins that are tried from one address in a minute.
    pub address_attempts_per_minute: u32,
}

/// How much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest request, in bytes.
    pub body_bytes: usize,
    /// Requests of one key or person in a minute.
    pub requests_per_minute: u32,
}

/// Backups that are made by themselves, one a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backups {
    /// Where; `None`, there are none.
    pub folder: Option<PathBuf>,
    /// How long they stay, in days.
    pub days: u32,
}

/// Webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether they may go to addresses of this machine and of private networks.
    pub allow_private: bool,
}

/// Feeds of prices, weather, the sun's power and carbon intensity.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    /// Feeds of prices, the one to prefer first.
    pub prices: Vec<Source>,
    /// Feeds of weather.
    pub weather: Vec<Source>,
    /// Feeds of the power of plants.
    pub pv: Vec<Source>,
    /// Feeds of carbon intensity.
    pub carbon: Vec<Source>,
    /// What sites' suppliers bill.
    pub contracts: Vec<Contract>,
    /// Plants that Solcast knows.
    pub rooftops: Vec<Rooftop>,
    /// The key for ENTSO-E.
    pub entsoe_key: Option<SecretString>,
    /// A customer's key for Open-Meteo.
    pub open_meteo_key: Option<SecretString>,
    /// The key for Solcast.
    pub solcast_key: Option<SecretString>,
    /// A customer's key for forecast.solar.
    pub forecast_solar_key: Option<SecretString>,
    /// The key for Electricity Maps.
    pub electricity_maps_key: Option<SecretString>,
    /// Where a feed is asked in place of its own address.
    pub bases: Vec<(Source, String)>,
    /// Whether they may be at addresses of this machine and of private networks.
    pub allow_private: bool,
    /// How long answers stay as they came, in days.
    pub keep_days: u32,
}

impl Feeds {
    /// Where a feed is asked, when that is not its own address.
    pub fn base(&self, source: Source) -> Option<&str> {
        self.bases.iter().find(|(other, _)| *other == source).map(|(_, base)| base.as_str())
    }

    /// A site's contract with its supplier.
    pub fn contract(&self, site: &str) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.site == site)
    }

    /// What Solcast calls a plant of a site.
    pub fn rooftop(&self, site: &str, plant: &str) -> Option<&str> {
        self.rooftops.iter().find(|roof| roof.site == site && roof.plant == plant).map(|roof| roof.id.as_str())
    }
}

/// A site's contract with its supplier, whose prices are fetched.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Id of the site.
    pub site: String,
    /// With whom.
    pub supplier: Supplier,
    /// What 1,000 of the currency that it bills in are worth in EUR; `None`, it bills in EUR.
    pub eur_per_thousand: Option<u32>,
}

/// A supplier, and what it knows the customer by.
#[derive(Debug, Clone)]
pub enum Supplier {
    /// Tibber.
    Tibber {
        /// The customer's token.
        token: SecretString,
        /// Id of the home; `None`, the customer has one.
        home: Option<String>,
    },
    /// Octopus Energy.
    Octopus {
        /// Code of the product, such as `AGILE-24-10-01`.
        product: String,
        /// Letter of the region, `A` to `P`.
        region: String,
    },
}

impl Supplier {
    /// The feed of its prices.
    pub fn source(&self) -> Source {
        match self {
            Supplier::Tibber { .. } => Source::Tibber,
            Supplier::Octopus { .. } => Source::Octopus,
        }
    }
}

/// A plant that Solcast knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooftop {
    /// Id of the site.
    pub site: String,
    /// Name of the plant.
    pub plant: String,
    /// What Solcast calls it.
    pub id: String,
}

/// A provider of single sign-on.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// Its name in our addresses.
    pub name: String,
    /// Its address, as its own documents write it.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What proves to it that it is us.
    pub client_secret: SecretString,
    /// The tenant of those who come this way.
    pub tenant: String,
    /// What it is asked for.
    pub scopes: Vec<String>,
    /// The claim that lists a person's groups.
    pub groups_claim: String,
    /// What those in a group may be.
    pub roles: Vec<OidcRole>,
}

/// What those in a group of a provider may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcRole {
    /// The group.
    pub group: String,
    /// What they may be.
    pub role: Role,
    /// At which tenant.
    pub tenant: String,
    /// At which of its sites alone.
    pub site: Option<String>,
}

impl Config {
    /// Whether browsers reach it by HTTPS through something in front of it.
    pub fn is_public_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// What the command line says of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--listen`: the one address to listen on, in place of all that the file says.
    pub listen: Option<String>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--demo`.
    pub demo: bool,
}

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What should better be different.
    pub warnings: Vec<Finding>,
    /// Every key with its value and where that was said, as a TOML file with secrets masked.
    pub effective: String,
}

/// The environment variables of this process; one that is no text is none of ours.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Reads the configuration.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn load(
    arguments: &Arguments,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Vec<Finding>> {
    let mut settings = settings::Settings::default();
    let folder = match &arguments.file {
        Some(file) => {
            let text = read_file(file, &mut settings);
            read::read(&text, &mut settings);
            file.parent().map(std::path::Path::to_owned).unwrap_or_default()
        }
        None => PathBuf::new(),
    };
    environment::apply(variables, &mut settings);
    arguments.apply(&mut settings);
    let config = build::build(&mut settings, &folder, arguments.demo);
    let effective = show::show(&settings);
    match config {
        Some(config) if !settings.findings.iter().any(Finding::is_error) => {
            Ok(Loaded { config, warnings: settings.findings, effective })
        }
        _ => {
            settings.findings.sort_by_key(|finding| {
                (finding.severity != Severity::Error, finding.place.as_ref().and_then(|place| place.line))
            });
            Err(settings.findings)
        }
    }
}

impl Arguments {
    fn apply(&self, settings: &mut settings::Settings) {
        use settings::{Source, Value};
        if let Some(data) = &self.data {
            settings.say("data", Value::Text(data.to_string_lossy().into_owned()), Source::Argument("--data"));
        }
        if let Some(listen) = &self.listen {
            settings.clear("listen");
            let path = settings.add("listen");
            settings.say(format!("{path}.address"), Value::Text(listen.clone()), Source::Argument("--listen"));
        }
    }
}

fn read_file(file: &std::path::Path, settings: &mut settings::Settings) -> String {
    use settings::Source;
    let mut refuse = |wrong: String, remedy: &str| {
        settings.misfit("", &Source::Argument("--config"), String::new(), wrong, remedy);
        String::new()
    };
    match std::fs::read(file) {
        Ok(bytes) if bytes.len() > read::MOST_BYTES => {
            refuse(format!("{} is larger than 1 MiB", file.display()), "name the configuration file")
        }
        Ok(bytes) => String::from_utf8(bytes)
            .unwrap_or_else(|_| refuse(format!("{} is no text in UTF-8", file.display()), "save it in UTF-8")),
        Err(error) => {
            refuse(format!("{} cannot be read: {error}", file.display()), "name a file that is there and may be read")
        }
    }
}

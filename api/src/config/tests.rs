//! What is read of a configuration, and what is said of a wrong one.

use std::path::Path;

use secrecy::ExposeSecret;

use super::keys::{KEYS, Takes};
use super::*;
use crate::resource::feed;

const DATABASE_PASSWORD: &str = "planted-database-password";
const OIDC_SECRET: &str = "planted-oidc-secret";

/// A folder with a configuration and what it names.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.file("database-url", &format!("postgresql://kwartier:{DATABASE_PASSWORD}@db.example/kwartier\n"));
        folder.file("entsoe-key", "a-key-for-entsoe\n");
        folder.file("oidc-secret", &format!("{OIDC_SECRET}\n"));
        let pair = rcgen::generate_simple_self_signed(["depot.example".to_owned()]).unwrap();
        folder.file("cert.pem", &pair.cert.pem());
        folder.file("key.pem", &pair.signing_key.serialize_pem());
        let other = rcgen::generate_simple_self_signed(["other.example".to_owned()]).unwrap();
        folder.file("other-key.pem", &other.signing_key.serialize_pem());
        folder
    }

    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, text: &str) -> Result<Loaded, Vec<Finding>> {
        let arguments = Arguments { file: Some(self.file("kwartier.toml", text)), ..Arguments::default() };
        load(&arguments, [])
    }

    /// What is said of a wrong file, a line each, without the folder's name.
    fn wrong(&self, text: &str) -> String {
        let findings = self.load(text).expect_err("it is wrong");
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        lines.join("\n").replace(&self.0.path().display().to_string(), "FOLDER")
    }
}

const WHOLE: &str = r#"
data = "kept"
database_url_file = "database-url"
public_url = "https://kwartier.depot.example/"

[[listen]]
address = "127.0.0.1:8081"

[[listen]]
address = "0.0.0.0:8443"
tls_certificate = "cert.pem"
tls_key = "key.pem"

[[listen]]
address = "0.0.0.0:8444"
tls_certificate = "cert.pem"
tls_key = "key.pem"
security_profile = 3
client_ca = "cert.pem"

[log]
format = "json"
level = "info,kwartier::app=debug"

[login]
session_hours = 8
attempts_per_minute = 3
address_attempts_per_minute = 20

[limits]
body_mib = 32
requests_per_minute = 600

[keep]
seconds_days = 2
minutes_days = 40
plans_days = 100
forecasts_days = 60
setpoints_days = 50
alarms_days = 500
deliveries_days = 20
audit_days = 4000

[backup]
folder = "backups"
days = 30

[webhooks]
allow_private = true

[feeds]
prices = ["nordpool", "entsoe"]
weather = []
entsoe_key_file = "entsoe-key"
open_meteo_key_file = "entsoe-key"
solcast_key_file = "entsoe-key"
forecast_solar_key_file = "entsoe-key"
electricity_maps_key_file = "entsoe-key"
pv = ["forecast_solar", "solcast"]
carbon = ["national_grid", "electricity_maps"]
entsoe_url = "http://127.0.0.1:9001"
energy_charts_url = "http://127.0.0.1:9002"
energyzero_url = "http://127.0.0.1:9003"
awattar_url = "http://127.0.0.1:9004"
nordpool_url = "https://nordpool.example"
open_meteo_url = "http://127.0.0.1:9005"
tibber_url = "http://127.0.0.1:9006"
octopus_url = "http://127.0.0.1:9007"
solcast_url = "http://127.0.0.1:9008"
forecast_solar_url = "http://127.0.0.1:9009"
electricity_maps_url = "http://127.0.0.1:9010"
national_grid_url = "http://127.0.0.1:9011"
allow_private = true
keep_days = 30

[[feeds.contracts]]
site = "depot"
feed = "tibber"
token_file = "entsoe-key"
home = "96a14971-525a-4420-aae9-e5aedaa129ff"

[[feeds.contracts]]
site = "oxford"
feed = "octopus"
product = "AGILE-24-10-01"
region = "H"
eur_per_thousand = 1170

[[feeds.rooftops]]
site = "depot"
plant = "roof"
id = "ba75-e17a-7374-95ed"

[[oidc]]
name = "acme"
issuer = "https://login.acme.example"
client_id = "kwartier"
client_secret_file = "oidc-secret"
tenant = "acme"
scopes = ["openid", "email", "profile", "groups"]
groups_claim = "roles"

[[oidc.roles]]
group = "planners"
role = "operator"

[[oidc.roles]]
group = "fitters"
role = "installer"
tenant = "acme-fleet"
site = "depot"
"#;

#[test]
fn everything_that_can_be_said_is_read() {
    let folder = Folder::new();
    let config = folder.load(WHOLE).unwrap().config;
    assert_eq!(config.data, folder.0.path().join("kept"));
    let url = config.database_url.unwrap();
    assert_eq!(url.expose_secret(), format!("postgresql://kwartier:{DATABASE_PASSWORD}@db.example/kwartier"));
    assert_eq!(config.public_url.as_deref(), Some("https://kwartier.depot.example"));
    assert_eq!(config.listen[0], Listen { address: "127.0.0.1:8081".parse().unwrap(), tls: None, chargers: None });
    let path = |name: &str| folder.0.path().join(name);
    let tls = Tls { certificate: path("cert.pem"), key: path("key.pem") };
    assert_eq!(config.listen[1], Listen { address: "0.0.0.0:8443".parse().unwrap(), tls: Some(tls), chargers: None });
    let chargers = Chargers { profile: 3, authorities: Some(path("cert.pem")) };
    assert_eq!((&config.listen[2].chargers, &config.listen[1].chargers), (&Some(chargers), &None));
    assert_eq!(config.log, Log { json: true, level: "info,kwartier::app=debug".to_owned() });
    let login = Logins { session_hours: 8, attempts_per_minute: 3, address_attempts_per_minute: 20 };
    assert_eq!(config.login, login);
    assert_eq!(config.limits, Limits { body_bytes: 32 << 20, requests_per_minute: 600 });
    assert_eq!(config.webhooks, Webhooks { allow_private: true });
    assert_eq!(config.feeds.prices, [feed::Source::Nordpool, feed::Source::Entsoe]);
    assert!(config.feeds.weather.is_empty() && config.feeds.allow_private && config.feeds.keep_days == 30);
    assert_eq!(config.feeds.base(feed::Source::Awattar), Some("http://127.0.0.1:9004"));
    assert_eq!(config.feeds.pv, [feed::Source::ForecastSolar, feed::Source::Solcast]);
    assert_eq!(config.feeds.carbon, [feed::Source::NationalGrid, feed::Source::ElectricityMaps]);
    assert_eq!(config.feeds.rooftop("depot", "roof"), Some("ba75-e17a-7374-95ed"));
    let home = &config.feeds.contract("depot").unwrap().supplier;
    assert!(matches!(home, Supplier::Tibber { home: Some(home), .. } if home.starts_with("96a1")));
    let oxford = config.feeds.contract("oxford").unwrap();
    assert!(matches!(&oxford.supplier, Supplier::Octopus { region, .. } if region == "H"));
    assert_eq!(oxford.eur_per_thousand, Some(1170));
    assert!(!format!("{:?}", config.feeds).contains("a-key-for-entsoe"));
    let oidc = &config.oidc[0];
    assert_eq!((oidc.name.as_str(), oidc.client_id.as_str()), ("acme", "kwartier"));
    assert_eq!(oidc.client_secret.expose_secret(), OIDC_SECRET);
    assert_eq!((oidc.issuer.as_str(), oidc.groups_claim.as_str()), ("https://login.acme.example", "roles"));
    assert_eq!(oidc.scopes, ["openid", "email", "profile", "groups"]);
    let role = |group: &str, role, tenant: &str, site: Option<&str>| OidcRole {
        group: group.to_owned(),
        role,
        tenant: tenant.to_owned(),
        site: site.map(str::to_owned),
    };
    let expected =
        [role("planners", Role::Operator, "acme", None), role("fitters", Role::Installer, "acme-fleet", Some("depot"))];
    assert_eq!(oidc.roles, expected);
}

#[test]
fn nothing_is_needed() {
    let config = load(&Arguments::default(), []).unwrap().config;
    assert_eq!(config.listen, [Listen { address: "127.0.0.1:8080".parse().unwrap(), tls: None, chargers: None }]);
    assert_eq!(config.data, Path::new("kwartier-data"));
    assert!(config.database_url.is_none() && config.oidc.is_empty() && !config.webhooks.allow_private);
}

#[test]
fn feeds_without_their_key_are_left_out_and_those_that_there_are_not_are_refused() {
    let folder = Folder::new();
    let prices = folder.load("").unwrap().config.feeds.prices;
    assert_eq!(prices, [feed::Source::EnergyCharts, feed::Source::Energyzero, feed::Source::Awattar]);
    let wrong = folder.wrong("[feeds]\nprices = [\"energy-charts\"]\nweather = [\"entsoe\"]\n");
    assert!(wrong.contains("feeds.prices") && wrong.contains("energy_charts, energyzero"), "{wrong}");
    assert!(wrong.contains("feeds.weather") && wrong.contains("the feeds are open_meteo"), "{wrong}");
    let demo = Arguments { demo: true, ..Arguments::default() };
    let demo = load(&demo, []).unwrap().config.feeds;
    assert!(demo.weather.is_empty() && demo.carbon.is_empty(), "the demo asks nobody");
}

#[test]
fn a_contract_says_what_its_supplier_asks_for_and_a_site_has_one() {
    let folder = Folder::new();
    let wrong = folder.wrong(
        "[[feeds.contracts]]\nsite = \"a\"\nfeed = \"tibber\"\nproduct = \"X\"\n\
         [[feeds.contracts]]\nsite = \"b\"\nfeed = \"octopus\"\nproduct = \"X/../Y\"\nregion = \"C\"\n\
         [[feeds.contracts]]\nsite = \"b\"\nfeed = \"octopus\"\nproduct = \"X\"\nregion = \"C\"\n",
    );
    for expected in [
        "feeds.contracts[0].feed",
        "cannot be asked without token_file",
        "feeds.contracts[0].product",
        "is nothing that tibber asks for",
        "feeds.contracts[1].product",
        "is no code",
        "feeds.contracts[2].site",
        "has a contract already",
    ] {
        assert!(wrong.contains(expected), "{expected}: {wrong}");
    }
    let default = folder.load("").unwrap().config.feeds;
    assert_eq!(default.carbon, [feed::Source::EnergyCharts, feed::Source::NationalGrid], "what needs no key");
    assert!(default.pv.is_empty() && default.contracts.is_empty());
}

#[test]
fn arguments_count_before_the_environment_that_before_the_file() {
    let folder = Folder::new();
    let file = Some(folder.file("kwartier.toml", WHOLE));
    let variables = [("KWARTIER_DATA", "/env"), ("KWARTIER_LOGIN_SESSION_HOURS", "9"), ("KWARTIER_LISTEN", "[::1]:9")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let arguments = Arguments { file: file.clone(), ..Arguments::default() };
    let config = load(&arguments, variables.clone()).unwrap().config;
    assert_eq!(config.data, Path::new("/env"));
    assert_eq!(config.login.session_hours, 9);
    assert_eq!(config.login.attempts_per_minute, 3);
    assert_eq!(config.listen, [Listen { address: "[::1]:9".parse().unwrap(), tls: None, chargers: None }]);
    let arguments = Arguments { file, data: Some("/arg".into()), listen: Some("127.0.0.1:7".to_owned()), demo: true };
    let config = load(&arguments, variables).unwrap().config;
    assert_eq!(config.data, Path::new("/arg"));
    assert_eq!(config.listen, [Listen { address: "127.0.0.1:7".parse().unwrap(), tls: None, chargers: None }]);
    assert!(config.demo);
}

#[test]
fn variables_that_are_wrong_or_unknown_are_named() {
    let variables = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let wrong = variables(&[("KWARTIER_LOGIN_SESSION_HOURS", "many"), ("KWARTIER_LOG_FORMAT", "xml")]);
    let findings = load(&Arguments::default(), wrong).unwrap_err();
    let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
    let loaded = load(&Arguments::default(), variables(&[("KWARTIER_DATTA", "x"), ("PATH", "y")])).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    let expected = "environment variable KWARTIER_DATTA: is not known and does nothing; remove it, or see \
                    docs/configuration.md for those that are";
    assert_eq!(
        warnings.join("\n").replace("(environment variable KWARTIER_DATTA)", "environment variable KWARTIER_DATTA"),
        expected
    );
}

#[test]
fn plain_http_beyond_this_machine_is_refused() {
    let folder = Folder::new();
    for address in ["0.0.0.0:80", "192.168.1.4:80", "[::]:80", "[2001:db8::1]:80"] {
        let said = folder.wrong(&format!("[[listen]]\naddress = \"{address}\""));
        assert!(said.contains("plain HTTP") && said.contains("tls_certificate"), "{address}: {said}");
    }
    let arguments = Arguments { listen: Some("0.0.0.0:80".to_owned()), ..Arguments::default() };
    let said = load(&arguments, []).unwrap_err()[0].to_string();
    assert!(said.contains("--listen") && said.contains("plain HTTP"), "{said}");
}

#[test]
fn all_that_is_wrong_is_told_with_line_and_remedy() {
    let folder = Folder::new();
    folder.file("empty", "\n");
    folder.file("no-url", DATABASE_PASSWORD);
    let cases = [
        "data = \"kept",
        "data = 3\ndatta = \"kept\"\nlisten = \"127.0.0.1:80\"",
        "[[listen]]\nadress = \"127.0.0.1:80\"",
        "[[listen]]\naddress = \"127.0.0.1\"\n[[listen]]\naddress = \"127.0.0.1:80\"\n[[listen]]\naddress = \"127.0.0.1:80\"",
        "[[listen]]\naddress = \"0.0.0.0:443\"\ntls_certificate = \"cert.pem\"",
        "[[listen]]\naddress = \"0.0.0.0:443\"\ntls_certificate = \"cert.pem\"\ntls_key = \"other-key.pem\"",
        "[[listen]]\naddress = \"0.0.0.0:443\"\ntls_certificate = \"key.pem\"\ntls_key = \"nowhere.pem\"",
        "[[listen]]\naddress = \"127.0.0.1:80\"\nsecurity_profile = 2\nclient_ca = \"cert.pem\"",
        "[[listen]]\naddress = \"0.0.0.0:443\"\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\nsecurity_profile = 1\n\
         [[listen]]\naddress = \"0.0.0.0:444\"\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\nsecurity_profile = 3\n\
         client_ca = \"key.pem\"",
        "[log]\nformat = \"xml\"\nlevel = \"a=b=c\"\npublic_url = \"https://a.example\"",
        "[login]\nsession_hours = 0\nattempts_per_minute = \"3\"\n[limits]\nbody_mib = 1e3",
        "[webhooks]\nallow_private = \"yes\"\n[web]\nx = 1",
        "database_url_file = \"nowhere\"",
        "database_url_file = \"empty\"",
        "database_url_file = \"no-url\"",
        "database_url = \"postgresql://kwartier:planted-database-password@db/k\"",
        "public_url = \"http://depot.example\"",
        "public_url = \"https://depot.example/kwartier\"",
        "public_url = \"https://ann:planted-oidc-secret@depot.example\"",
        "[[oidc]]\nname = \"Acme Inc\"\nissuer = \"acme\"\nclient_secret = \"planted-oidc-secret\"",
        "public_url = \"https://a.example\"\n[[oidc]]\nname = \"a\"\nissuer = \"https://a.example\"\nclient_id = \"k\"\n\
         client_secret_file = \"oidc-secret\"\ntenant = \"a\"\nscopes = \"openid\"\n[[oidc.roles]]\ngroup = \"g\"\nrole = \"boss\"",
    ];
    let said: Vec<String> = cases.iter().map(|case| format!("{case}\n>>> {}", folder.wrong(case))).collect();
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn no_secret_is_shown_by_anything() {
    let folder = Folder::new();
    let loaded = folder.load(WHOLE).unwrap();
    let wrong = WHOLE.replace("role = \"operator\"", "role = \"boss\"").replace("name = \"acme\"", "name = \"A B\"");
    let shown = [
        loaded.effective.clone(),
        format!("{:?}", loaded.config),
        format!("{loaded:#?}"),
        folder.wrong(&wrong),
        folder.wrong(&format!("database_url = \"{DATABASE_PASSWORD}\"\nclient_secret = \"{OIDC_SECRET}\"")),
    ];
    for text in shown {
        assert!(!text.contains(DATABASE_PASSWORD) && !text.contains(OIDC_SECRET), "{text}");
    }
    assert!(loaded.effective.contains("its content is secret"), "{}", loaded.effective);
}

#[test]
fn what_counts_is_shown_with_where_it_was_said_and_can_be_read_again() {
    let folder = Folder::new();
    let loaded = folder.load(WHOLE).unwrap();
    insta::assert_snapshot!(loaded.effective);
    let again = folder.load(&loaded.effective).unwrap();
    assert_eq!(format!("{:?}", again.config), format!("{:?}", loaded.config));
}

#[test]
fn the_table_of_keys_holds_together() {
    for key in &KEYS {
        let default = read::default_of(key);
        assert_eq!(default.is_some(), !key.default.is_empty(), "{}.{}", key.table, key.name);
        let fits = matches!(
            (key.takes, &default),
            (_, None)
                | (Takes::Flag, Some(settings::Value::Flag(_)))
                | (Takes::Whole(..), Some(settings::Value::Whole(_)))
                | (Takes::Texts, Some(settings::Value::Texts(_)))
                | (Takes::Text | Takes::Path | Takes::Word(_), Some(settings::Value::Text(_)))
        );
        assert!(fits, "the default of {}.{} is of another kind", key.table, key.name);
        let read = WHOLE.lines().any(|line| line.starts_with(&format!("{} = ", key.name)));
        assert!(read, "{}.{} is in no test", key.table, key.name);
    }
    let roles: Vec<&str> = Role::ALL.into_iter().map(Role::name).collect();
    assert_eq!(keys::ROLES, roles);
}

#[test]
fn every_key_is_documented_as_it_is() {
    let docs = include_str!("../../../docs/configuration.md");
    let expected = show::documentation();
    let begin = "<!-- keys: begin -->\n";
    let (_, rest) = docs.split_once(begin).expect("the mark in docs/configuration.md");
    let (found, _) = rest.split_once("<!-- keys: end -->").expect("the mark in docs/configuration.md");
    assert_eq!(found.trim(), expected.trim(), "put this between the marks in docs/configuration.md");
}

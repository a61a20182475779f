//! What is fetched: feeds by rank, their keys, the contracts and rooftops that they know.

use std::path::Path;

use super::build::{flag, secret_of, web_address, whole};
use super::settings::{Said, Settings, Value};
use super::{Contract, Feeds, Rooftop, Supplier};
use crate::fetch;
use crate::resource::feed;

/// Feeds, as they are set up.
pub fn feeds(settings: &mut Settings, folder: &Path, demo: bool) -> Option<Feeds> {
    let mut key = |name: &str| secret_of(settings, &format!("feeds.{name}_key_file"), folder);
    let (entsoe_key, open_meteo_key) = (key("entsoe"), key("open_meteo"));
    let (solcast_key, forecast_solar_key) = (key("solcast"), key("forecast_solar"));
    let electricity_maps_key = key("electricity_maps");
    let mut prices = ranked(settings, "feeds.prices", &fetch::PRICES);
    let mut weather = ranked(settings, "feeds.weather", &fetch::WEATHER);
    let mut pv = ranked(settings, "feeds.pv", &fetch::PV);
    let mut carbon = ranked(settings, "feeds.carbon", &fetch::CARBON);
    prices.retain(|source| *source != feed::Source::Entsoe || entsoe_key.is_some());
    pv.retain(|source| *source != feed::Source::Solcast || solcast_key.is_some());
    carbon.retain(|source| *source != feed::Source::ElectricityMaps || electricity_maps_key.is_some());
    let mut contracts = contracts(settings, folder);
    let rooftops = rooftops(settings);
    if demo {
        // What the demo's meters show is of another year's sun, and nobody but itself is asked for anything.
        (weather, pv, carbon, contracts) = Default::default();
    }
    let mut bases = Vec::new();
    for source in feed::Source::all() {
        let key = format!("feeds.{}_url", source.name());
        let Some(text) = settings.text(&key).map(str::to_owned) else { continue };
        if web_address(settings, &key, &text).is_some() {
            bases.push((source, text));
        }
    }
    Some(Feeds {
        prices,
        weather,
        pv,
        carbon,
        contracts,
        rooftops,
        entsoe_key,
        open_meteo_key,
        solcast_key,
        forecast_solar_key,
        electricity_maps_key,
        bases,
        allow_private: flag(settings, "feeds.allow_private"),
        keep_days: whole(settings, "feeds.keep_days")?,
    })
}

/// The feeds of a list, in its order.
fn ranked(settings: &mut Settings, key: &str, known: &[&str]) -> Vec<feed::Source> {
    let Some(Said { value: Value::Texts(names), .. }) = settings.get(key) else { return Vec::new() };
    let names: Vec<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut sources = Vec::new();
    for name in names {
        match feed::Source::of(&name).filter(|_| known.contains(&name.as_str())) {
            Some(source) if sources.contains(&source) => settings.wrong(key, "names a feed twice", "name each once"),
            Some(source) => sources.push(source),
            None => settings.wrong(key, "names what is no such feed", format!("the feeds are {}", known.join(", "))),
        }
    }
    sources
}

/// Contracts with suppliers.
fn contracts(settings: &mut Settings, folder: &Path) -> Vec<Contract> {
    let mut contracts: Vec<Contract> = Vec::new();
    for table in settings.tables("feeds.contracts") {
        let within = |name: &str| format!("{table}.{name}");
        let text = |settings: &Settings, name: &str| settings.text(&within(name)).map(str::to_owned);
        let (Some(site), Some(feed)) = (text(settings, "site"), text(settings, "feed")) else { continue };
        if contracts.iter().any(|other| other.site == site) {
            settings.wrong(&within("site"), "has a contract already", "keep one of the two");
            continue;
        }
        let token = secret_of(settings, &within("token_file"), folder);
        let (home, product, region) = (text(settings, "home"), text(settings, "product"), text(settings, "region"));
        let (needs, others) = match feed.as_str() {
            "tibber" => (["token_file"].as_slice(), ["product", "region"].as_slice()),
            _ => (["product", "region"].as_slice(), ["token_file", "home"].as_slice()),
        };
        for name in needs {
            if settings.get(&within(name)).is_none() {
                settings.wrong(&within("feed"), format!("cannot be asked without {name}"), format!("add {name} to it"));
            }
        }
        for name in others {
            if settings.get(&within(name)).is_some() {
                settings.wrong(&within(name), format!("is nothing that {feed} asks for"), "remove it");
            }
        }
        for name in ["product", "region"] {
            is_code(settings, &within(name));
        }
        let supplier = match (token, product.zip(region)) {
            (Some(token), None) => Supplier::Tibber { token, home },
            (None, Some((product, region))) => Supplier::Octopus { product, region },
            _ => continue,
        };
        let eur_per_thousand = whole(settings, &within("eur_per_thousand"));
        contracts.push(Contract { site, supplier, eur_per_thousand });
    }
    contracts
}

/// Plants that Solcast knows.
fn rooftops(settings: &mut Settings) -> Vec<Rooftop> {
    let mut rooftops: Vec<Rooftop> = Vec::new();
    for table in settings.tables("feeds.rooftops") {
        let within = |name: &str| format!("{table}.{name}");
        let text = |name: &str| settings.text(&within(name)).map(str::to_owned);
        let (Some(site), Some(plant), Some(id)) = (text("site"), text("plant"), text("id")) else { continue };
        is_code(settings, &within("id"));
        if rooftops.iter().any(|other| (&other.site, &other.plant) == (&site, &plant)) {
            settings.wrong(&within("plant"), "has a rooftop already", "keep one of the two");
        }
        rooftops.push(Rooftop { site, plant, id });
    }
    rooftops
}

/// Tells a code that would not stay within its part of an address.
fn is_code(settings: &mut Settings, path: &str) {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if settings.text(path).is_some_and(|text| !plain(text)) {
        settings.wrong(path, "is no code", "write it as the feed does: letters, digits and - alone");
    }
}

//! Payloads, and all parsers in one list.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::Amsterdam;
use kwartier_data::feeds::{
    Answer, Area, Covers, Currency, NoValues, Price, Prices, Row, Span, Values, awattar, electricity_maps,
    energy_charts, energyzero, energyzero_graphql, entsoe, forecast_solar, national_grid, nordpool, octopus,
    open_meteo, solcast, tibber,
};
use kwartier_data::history::Position;
use serde_json::{Value, json};

pub const PLACE: Position = Position { latitude_deg: 52.1, longitude_deg: 5.1 };
pub const PEAK_KW: f64 = 5.0;
pub const HOUR: TimeDelta = TimeDelta::hours(1);
pub const QUARTER: TimeDelta = TimeDelta::minutes(15);

pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// A day of the market.
pub fn day(date: &str) -> Span {
    Span::of_day(Amsterdam, date.parse().unwrap())
}

/// The beginnings of a span's intervals.
pub fn grid(span: Span, step: TimeDelta) -> Vec<DateTime<Utc>> {
    let count = (span.to - span.from).num_seconds() / step.num_seconds();
    (0..count).map(|k| span.from + step * i32::try_from(k).unwrap()).collect()
}

/// Prices that go up by 1 EUR/MWh with each interval from 10 on: none is like another.
pub fn rising(count: usize) -> Vec<f64> {
    (0..count).map(|k| 10.0 + f64::from(u32::try_from(k).unwrap())).collect()
}

pub fn nl() -> &'static Area {
    Area::parse("NL").unwrap()
}

/// The price that holds at an instant, in EUR/MWh, rounded to what feeds give.
pub fn eur_mwh(prices: &Prices, instant: &str) -> f64 {
    let instant = at(instant);
    let row = prices.values.rows.iter().find(|row| row.start <= instant && instant < row.end).unwrap();
    (row.value.per_kwh * 1e5).round() / 100.0
}

/// A time series of an ENTSO-E document.
#[derive(Clone)]
pub struct Series {
    pub sequence: Option<u32>,
    pub curve: &'static str,
    pub resolution: &'static str,
    pub span: Span,
    /// Positions and prices as they are written.
    pub points: Vec<(i64, String)>,
    pub area: &'static str,
    pub unit: &'static str,
    pub currency: &'static str,
    pub contract: &'static str,
}

impl Series {
    pub fn new(span: Span, resolution: &'static str, prices: &[f64]) -> Self {
        let point = |(k, price): (usize, &f64)| (i64::try_from(k).unwrap() + 1, price.to_string());
        Series {
            sequence: None,
            curve: "A03",
            resolution,
            span,
            points: prices.iter().enumerate().map(point).collect(),
            area: "10YNL----------L",
            unit: "MWH",
            currency: "EUR",
            contract: "A01",
        }
    }

    pub fn in_sequence(mut self, sequence: u32) -> Self {
        self.sequence = Some(sequence);
        self
    }
}

/// An ENTSO-E document.
pub fn document(series: &[Series]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Publication_MarketDocument \
         xmlns=\"urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3\">\n<mRID>made</mRID><type>A44</type>\n",
    );
    for series in series {
        let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
        let Series { curve, resolution, area, unit, currency, contract, .. } = series;
        let _ = write!(
            text,
            "<TimeSeries><mRID>1</mRID><in_Domain.mRID codingScheme=\"A01\">{area}</in_Domain.mRID>\
             <out_Domain.mRID codingScheme=\"A01\">{area}</out_Domain.mRID>\
             <contract_MarketAgreement.type>{contract}</contract_MarketAgreement.type>\
             <currency_Unit.name>{currency}</currency_Unit.name>\
             <price_Measure_Unit.name>{unit}</price_Measure_Unit.name>"
        );
        if let Some(sequence) = series.sequence {
            let name = "classificationSequence_AttributeInstanceComponent.position";
            let _ = write!(text, "<{name}>{sequence}</{name}>");
        }
        let _ = write!(
            text,
            "<curveType>{curve}</curveType><Period><timeInterval><start>{}</start><end>{}</end></timeInterval>\
             <resolution>{resolution}</resolution>",
            stamp(series.span.from),
            stamp(series.span.to),
        );
        for (position, price) in &series.points {
            let _ =
                writeln!(text, "<Point><position>{position}</position><price.amount>{price}</price.amount></Point>");
        }
        text += "</Period></TimeSeries>\n";
    }
    text + "</Publication_MarketDocument>"
}

pub fn acknowledgement(said: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><Acknowledgement_MarketDocument \
         xmlns=\"urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:8:1\"><mRID>x</mRID>\
         <Reason><code>999</code><text>{said}</text></Reason></Acknowledgement_MarketDocument>"
    )
}

pub fn energy_charts_prices(span: Span, step: TimeDelta) -> Value {
    let seconds: Vec<i64> = grid(span, step).iter().map(DateTime::timestamp).collect();
    let price = rising(seconds.len());
    json!({ "license_info": "CC BY 4.0", "unix_seconds": seconds, "price": price, "unit": "EUR / MWh", "deprecated": false })
}

/// The intervals of a span as feeds write them, with a number that goes up from 0.
pub fn intervals(span: Span, step: TimeDelta, make: impl Fn(&str, &str, usize) -> Value) -> Vec<Value> {
    let text = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let starts = grid(span, step);
    starts.iter().enumerate().map(|(k, start)| make(&text(*start), &text(*start + step), k)).collect()
}

pub fn energyzero_prices(span: Span, step: TimeDelta) -> Value {
    let list = |add: f64| {
        intervals(span, step, |start, end, k| {
            let value = format!("{:.5}", add + rising(k + 1)[k] / 1000.0);
            json!({ "start": start, "end": end, "price": { "value": value } })
        })
    };
    json!({ "interval": 1, "base": list(0.0), "base_with_vat": list(0.1), "all_in": list(0.2), "all_in_with_vat": list(0.3) })
}

pub fn energyzero_graphql_prices(span: Span) -> Value {
    let prices = intervals(span, HOUR, |start, end, k| {
        let price = rising(k + 1)[k] / 1000.0;
        json!({
            "energyPriceExcl": price, "energyPriceIncl": price * 1.21, "from": start, "till": end,
            "additionalCosts": [{ "name": "Energy tax", "priceExcl": 0.1, "priceIncl": 0.121 }],
        })
    });
    json!({ "data": { "energyMarketPrices": { "averageIncl": 0.1, "prices": prices } } })
}

pub fn awattar_prices(rows: &[(DateTime<Utc>, DateTime<Utc>, f64)]) -> Value {
    let data: Vec<Value> = rows
        .iter()
        .map(|(start, end, price)| {
            json!({
                "start_timestamp": start.timestamp_millis(), "end_timestamp": end.timestamp_millis(),
                "marketprice": price, "unit": "Eur/MWh",
            })
        })
        .collect();
    json!({ "object": "list", "data": data, "url": "/at/v1/marketdata" })
}

pub fn awattar_day(span: Span) -> Value {
    let starts = grid(span, HOUR);
    let rows: Vec<_> = starts.iter().zip(rising(starts.len())).map(|(at, price)| (*at, *at + HOUR, price)).collect();
    awattar_prices(&rows)
}

pub fn nordpool_prices(span: Span, step: TimeDelta) -> Value {
    let entries = intervals(
        span,
        step,
        |start, end, k| json!({ "deliveryStart": start, "deliveryEnd": end, "entryPerArea": { "NL": rising(k + 1)[k] } }),
    );
    json!({
        "deliveryDateCET": "2026-11-05", "version": 2, "updatedAt": "2026-11-04T11:58:10.7711584Z", "market": "DayAhead",
        "multiAreaEntries": entries, "currency": "EUR", "exchangeRate": 1,
        "areaStates": [{ "state": "Final", "areas": ["NL"] }],
    })
}

/// With stamps as the wall clock of Amsterdam shows them, with their offset.
pub fn tibber_prices(today: Span, tomorrow: Option<Span>, step: TimeDelta) -> Value {
    let list = |span: Span| -> Vec<Value> {
        let starts = grid(span, step);
        let price = |(at, price): (&DateTime<Utc>, f64)| {
            let stamp = at.with_timezone(&Amsterdam).format("%Y-%m-%dT%H:%M:%S.000%:z").to_string();
            json!({ "startsAt": stamp, "total": 0.2 + price / 1000.0, "energy": price / 1000.0, "currency": "EUR" })
        };
        starts.iter().zip(rising(starts.len())).map(price).collect()
    };
    let info = json!({ "today": list(today), "tomorrow": tomorrow.map_or(Vec::new(), list) });
    json!({ "data": { "viewer": { "homes": [{ "id": "home", "currentSubscription": { "priceInfo": info } }] } } })
}

/// Newest first.
pub fn octopus_rates(span: Span) -> Value {
    let mut results = intervals(span, TimeDelta::minutes(30), |start, end, k| {
        let pence = rising(k + 1)[k] / 10.0;
        json!({
            "value_exc_vat": pence, "value_inc_vat": pence * 1.05, "valid_from": start, "valid_to": end,
            "payment_method": null,
        })
    });
    results.reverse();
    json!({ "count": results.len(), "next": null, "previous": null, "results": results })
}

/// Stamps are the ends of intervals, their number grows by 1 from 1 on.
pub fn open_meteo_sky(span: Span, step: TimeDelta) -> Value {
    let ends: Vec<i64> = grid(span, step).iter().map(|at| (*at + step).timestamp()).collect();
    let numbers: Vec<usize> = (1..=ends.len()).collect();
    let small: Vec<usize> = numbers.iter().map(|n| n % 40).collect();
    let block = if step == QUARTER { "minutely_15" } else { "hourly" };
    json!({
        "latitude": 52.12, "longitude": 5.11, "utc_offset_seconds": 0, "timezone": "GMT",
        block: {
            "time": ends, "shortwave_radiation": numbers, "direct_normal_irradiance": numbers, "diffuse_radiation": numbers,
            "temperature_2m": small, "wind_speed_10m": small,
        },
    })
}

pub fn solcast_power(span: Span) -> Value {
    let forecasts = intervals(span, TimeDelta::minutes(30), |_, end, k| {
        let kw = f64::from(u32::try_from(k).unwrap()) / 20.0;
        let end = end.replace('Z', ".0000000Z");
        json!({ "pv_estimate": kw, "pv_estimate10": kw / 2.0, "pv_estimate90": kw * 1.2, "period_end": end, "period": "PT30M" })
    });
    json!({ "forecasts": forecasts })
}

/// Sun from 05:20 to 16:40 UTC, with energy that is its hour in Wh.
pub fn forecast_solar_power(date: &str) -> Value {
    let mut energy = serde_json::Map::new();
    energy.insert(format!("{date}T05:20:00+00:00"), json!(0));
    for hour in 6..=16 {
        energy.insert(format!("{date}T{hour:02}:00:00+00:00"), json!(hour * 100));
    }
    energy.insert(format!("{date}T16:40:00+00:00"), json!(40));
    json!({
        "result": { "watts": {}, "watt_hours_period": energy, "watt_hours_day": {} },
        "message": { "code": 0, "type": "success", "text": "", "ratelimit": { "period": 3600, "limit": 12, "remaining": 10 } },
    })
}

pub fn energy_charts_carbon(span: Span) -> Value {
    let seconds: Vec<i64> = grid(span, QUARTER).iter().map(DateTime::timestamp).collect();
    let half = seconds.len() / 2;
    let measured: Vec<Value> =
        (0..seconds.len()).map(|k| if k < half { json!(300 + k) } else { Value::Null }).collect();
    let forecast: Vec<Value> =
        (0..seconds.len()).map(|k| if k < half { Value::Null } else { json!(300 + k) }).collect();
    json!({ "unix_seconds": seconds, "co2eq": measured, "co2eq_forecast": forecast, "deprecated": false })
}

pub fn electricity_maps_carbon(span: Span) -> Value {
    let forecast = intervals(
        span,
        HOUR,
        |start, _, k| json!({ "carbonIntensity": 300 + k, "datetime": start.replace('Z', ".000Z") }),
    );
    json!({ "zone": "NL", "forecast": forecast, "updatedAt": "2026-06-01T00:00:00.000Z" })
}

pub fn national_grid_carbon(span: Span) -> Value {
    // One half-hour too early, as the service does it.
    let from = Span { from: span.from - TimeDelta::minutes(30), to: span.to };
    let data = intervals(from, TimeDelta::minutes(30), |start, end, k| {
        let short = |text: &str| text.replace(":00Z", "Z");
        json!({ "from": short(start), "to": short(end), "intensity": { "forecast": 200 + k, "actual": null, "index": "moderate" } })
    });
    json!({ "data": data })
}

/// What a parser says, whatever its values are.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub rows: Vec<Span>,
    pub missing: Vec<Span>,
    pub notes: Vec<String>,
    /// What the values are, and the first of them.
    pub what: String,
}

/// A parser with all it is told: its name, a payload for a span that it reads, and itself.
pub struct Parser {
    pub name: &'static str,
    pub sample: fn(Span) -> String,
    pub parse: fn(&Answer<'_>, Span) -> Result<Said, NoValues>,
}

pub fn of_values<V>(values: Values<V>, what: impl Fn(&V) -> String) -> Said {
    let span = |row: &Row<V>| Span { from: row.start, to: row.end };
    Said {
        what: values.rows.first().map(|row| what(&row.value)).unwrap_or_default(),
        rows: values.rows.iter().map(span).collect(),
        missing: values.missing,
        notes: values.notes,
    }
}

pub fn of_prices(prices: Prices) -> Said {
    let vat = if prices.vat_included { "with VAT" } else { "without VAT" };
    let (currency, covers) = (prices.currency, prices.covers);
    let what = |price: &Price| {
        let provisional = if price.provisional { ", provisional" } else { "" };
        format!("{:.6} {currency}/kWh {vat}, {covers:?}{provisional}", price.per_kwh)
    };
    of_values(prices.values, what)
}

/// What Tibber is asked.
pub const TIBBER: tibber::Wanted<'static> =
    tibber::Wanted { home: None, currency: Currency::EUR, covers: Covers::Retail };

/// All parsers of answers.
pub const PARSERS: [Parser; 14] = [
    Parser {
        name: "entsoe",
        sample: |span| document(&[Series::new(span, "PT15M", &rising(grid(span, QUARTER).len())).in_sequence(1)]),
        parse: |answer, span| entsoe::prices(answer, nl(), span).map(of_prices),
    },
    Parser {
        name: "energy_charts",
        sample: |span| energy_charts_prices(span, QUARTER).to_string(),
        parse: |answer, span| energy_charts::prices(answer, span).map(of_prices),
    },
    Parser {
        name: "energyzero",
        sample: |span| energyzero_prices(span, QUARTER).to_string(),
        parse: |answer, span| energyzero::prices(answer, energyzero::Stream::MARKET, span).map(of_prices),
    },
    Parser {
        name: "energyzero_graphql",
        sample: |span| energyzero_graphql_prices(span).to_string(),
        parse: |answer, span| energyzero_graphql::prices(answer, energyzero::Stream::MARKET, span).map(of_prices),
    },
    Parser {
        name: "awattar",
        sample: |span| awattar_day(span).to_string(),
        parse: |answer, span| awattar::prices(answer, span).map(of_prices),
    },
    Parser {
        name: "nordpool",
        sample: |span| nordpool_prices(span, QUARTER).to_string(),
        parse: |answer, span| nordpool::prices(answer, "NL", span).map(of_prices),
    },
    Parser {
        name: "tibber",
        sample: |span| tibber_prices(span, None, QUARTER).to_string(),
        parse: |answer, span| tibber::prices(answer, &TIBBER, span).map(of_prices),
    },
    Parser {
        name: "octopus",
        sample: |span| octopus_rates(span).to_string(),
        parse: |answer, span| octopus::prices(answer, octopus::Payment::DirectDebit, span).map(of_prices),
    },
    Parser {
        name: "open_meteo",
        sample: |span| open_meteo_sky(span, QUARTER).to_string(),
        parse: |answer, span| {
            open_meteo::sky(answer, PLACE, span.from, span).map(|sky| of_values(sky.values, |sky| format!("{sky:?}")))
        },
    },
    Parser {
        name: "forecast_solar",
        sample: |span| forecast_solar_power(&span.to.date_naive().to_string()).to_string(),
        parse: |answer, span| {
            forecast_solar::power(answer, PEAK_KW, span).map(|power| of_values(power, |power| format!("{power:?}")))
        },
    },
    Parser {
        name: "solcast",
        sample: |span| solcast_power(span).to_string(),
        parse: |answer, span| {
            solcast::power(answer, PEAK_KW, span).map(|power| of_values(power, |power| format!("{power:?}")))
        },
    },
    Parser {
        name: "energy_charts co2eq",
        sample: |span| energy_charts_carbon(span).to_string(),
        parse: |answer, span| {
            energy_charts::carbon(answer, span).map(|carbon| of_values(carbon, |carbon| format!("{carbon:?}")))
        },
    },
    Parser {
        name: "electricity_maps",
        sample: |span| electricity_maps_carbon(span).to_string(),
        parse: |answer, span| {
            electricity_maps::carbon(answer, "NL", span).map(|carbon| of_values(carbon, |carbon| format!("{carbon:?}")))
        },
    },
    Parser {
        name: "national_grid",
        sample: |span| national_grid_carbon(span).to_string(),
        parse: |answer, span| {
            national_grid::carbon(answer, span).map(|carbon| of_values(carbon, |carbon| format!("{carbon:?}")))
        },
    },
];

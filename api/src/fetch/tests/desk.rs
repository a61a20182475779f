//! What is asked when, under a virtual clock.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kwartier_data::feeds::{self, Span};
use kwartier_data::site::Site;

use super::prices;
use crate::fetch::answer::{Failure, Outcome, Retail, Values};
use crate::fetch::choose::Verdict;
use crate::fetch::desk::{Ask, Desk, News, Ranks};
use crate::fetch::subject::{Roof, Subject};
use crate::resource::feed::Source::{
    self, Awattar, EnergyCharts, Energyzero, Entsoe, ForecastSolar, Nordpool, OpenMeteo, Solcast, Tibber,
};

const MORNING: &str = "2026-11-28T08:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn desk(rank: &[Source], area: &str, now: DateTime<Utc>) -> Desk {
    let mut desk = Desk::new(Ranks { prices: rank.to_vec(), weather: vec![OpenMeteo], ..Ranks::default() }, 1);
    want(&mut desk, area, now);
    desk
}

fn want(desk: &mut Desk, area: &str, now: DateTime<Utc>) {
    desk.want(&BTreeSet::from([area.to_owned()]), &BTreeSet::new(), now);
}

fn asked(due: &[Ask]) -> Vec<Source> {
    due.iter().map(|ask| ask.source).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "an outcome among others")]
fn day(eur_kwh: f64) -> Outcome {
    Ok(Values::Prices(prices(&[eur_kwh; 96], 15)))
}

fn nothing<T>(failure: Failure) -> Result<T, Failure> {
    Err(failure)
}

#[test]
fn one_to_believe_and_one_to_check_it_by_are_asked_and_no_more() {
    let now = at(MORNING);
    let mut desk = desk(&[EnergyCharts, Energyzero, Nordpool], "NL", now);
    let due = desk.due(now);
    assert_eq!(asked(&due), [EnergyCharts, Energyzero]);
    assert!(desk.due(now).is_empty(), "their answers are waited for");
    let Some(News::Prices { chosen, .. }) = desk.heard(&due[1], day(0.1), now) else { panic!("nothing is new") };
    assert_eq!((chosen.heard.source, chosen.verdict), (Energyzero, Verdict::Alone));
    let Some(News::Prices { chosen, .. }) = desk.heard(&due[0], day(0.1), now) else { panic!("nothing is new") };
    assert_eq!((chosen.heard.source, chosen.verdict), (EnergyCharts, Verdict::Same(Energyzero)));
    assert!(desk.due(now + TimeDelta::hours(3)).is_empty(), "all is known");
    // A market may correct what it has published.
    let later = now + TimeDelta::hours(8);
    let due = desk.due(later);
    assert_eq!(asked(&due), [EnergyCharts, Energyzero]);
    assert!(desk.heard(&due[1], day(0.1), later).is_none(), "nothing was corrected");
    let Some(News::Prices { chosen, .. }) = desk.heard(&due[0], day(0.3), later) else { panic!("nothing is new") };
    assert!(matches!(chosen.verdict, Verdict::Other { .. }), "the other has not, or not yet");
    assert!(desk.due(later + TimeDelta::hours(3)).is_empty());
}

#[test]
fn what_is_broken_is_replaced_by_the_next_and_goes_on_being_asked() {
    let now = at(MORNING);
    let mut desk = desk(&[Entsoe, EnergyCharts, Energyzero, Nordpool], "NL", now);
    let due = desk.due(now);
    assert_eq!(asked(&due), [Entsoe, Energyzero], "a copy is not asked beside what it copies");
    assert_eq!(desk.heard(&due[0], nothing(Failure::Broken("a web page".to_owned())), now), None);
    let next = desk.due(now);
    assert_eq!(asked(&next), [EnergyCharts]);
    assert!(desk.heard(&next[0], day(0.1), now).is_some() && desk.heard(&due[1], day(0.1), now).is_some());
    assert!(desk.due(now + TimeDelta::hours(4)).is_empty(), "both origins are known");
}

#[test]
fn when_nothing_answers_everything_is_asked_for_ever() {
    let mut now = at(MORNING);
    let mut desk = desk(&[EnergyCharts, Energyzero, Nordpool], "NL", now);
    let mut tries = std::collections::BTreeMap::new();
    while now < at(MORNING) + TimeDelta::hours(4) {
        for ask in desk.due(now) {
            *tries.entry(ask.source).or_insert(0) += 1;
            desk.heard(&ask, nothing(Failure::Unreachable("it took longer than 30 s".to_owned())), now);
        }
        now += TimeDelta::seconds(30);
    }
    for source in [EnergyCharts, Energyzero, Nordpool] {
        assert!((8..=25).contains(&tries[&source]), "{tries:?}");
    }
}

#[test]
fn tomorrow_is_looked_for_from_the_auction_on_and_today_is_kept() {
    let noon = at("2026-11-28T11:30:00Z");
    let mut desk = desk(&[EnergyCharts], "NL", noon);
    let due = desk.due(noon);
    assert_eq!(due.len(), 1);
    desk.heard(&due[0], day(0.1), noon);
    let after = at("2026-11-28T11:50:00Z");
    want(&mut desk, "NL", after);
    let due = desk.due(after);
    let tomorrow: NaiveDate = "2026-11-29".parse().unwrap();
    assert_eq!(due[0].subject, Subject::Prices { area: "NL".to_owned(), day: tomorrow });
    desk.heard(&due[0], nothing(Failure::NotYet("status 404".to_owned())), after);
    assert!(desk.due(after + TimeDelta::seconds(149)).is_empty());
    let again = after + TimeDelta::minutes(4);
    let due = desk.due(again);
    assert_eq!(due.len(), 1, "it is looked for again in minutes");
    assert!(desk.heard(&due[0], day(0.2), again).is_some());
    assert_eq!(desk.days("NL").count(), 2);
    // Two days later the first is of no use any more.
    want(&mut desk, "NL", at("2026-11-30T08:00:00Z"));
    assert_eq!(desk.days("NL").map(|(day, _)| day).collect::<Vec<_>>(), [tomorrow]);
}

#[test]
fn what_is_provisional_or_has_gaps_is_used_and_asked_for_anew() {
    let now = at(MORNING);
    let mut desk = desk(&[EnergyCharts], "NL", now);
    let ask = desk.due(now).remove(0);
    let mut early = prices(&[0.1; 96], 15);
    early.values.rows[0].value.provisional = true;
    let last = early.values.rows.pop().unwrap();
    early.values.missing.push(Span { from: last.start, to: last.end });
    assert!(desk.heard(&ask, Ok(Values::Prices(early)), now).is_some());
    let later = now + TimeDelta::minutes(16);
    let due = desk.due(later);
    assert_eq!(asked(&due), [EnergyCharts]);
    let Some(News::Prices { chosen, .. }) = desk.heard(&due[0], day(0.1), later) else { panic!("nothing is new") };
    assert!(chosen.is_final());
    assert!(desk.due(later + TimeDelta::hours(4)).is_empty());
}

#[test]
fn the_same_again_is_no_news() {
    let now = at(MORNING);
    let mut desk = desk(&[EnergyCharts, Energyzero, Nordpool], "NL", now);
    let due = desk.due(now);
    assert!(desk.heard(&due[0], day(0.1), now).is_some());
    assert!(desk.heard(&due[0], day(0.1), now).is_none());
    assert!(desk.heard(&due[0], day(0.2), now).is_some());
}

#[test]
fn a_feed_is_asked_only_for_what_it_has() {
    let now = at(MORNING);
    let rank = [Entsoe, EnergyCharts, Energyzero, Awattar];
    assert_eq!(asked(&desk(&rank, "DE-LU", now).due(now)), [Entsoe, Awattar]);
    assert_eq!(asked(&desk(&rank, "FR", now).due(now)), [Entsoe]);
    assert_eq!(asked(&desk(&rank, "XX", now).due(now)), []);
}

#[test]
fn weather_is_asked_for_every_few_hours() {
    let now = at(MORNING);
    let mut desk = Desk::new(Ranks { weather: vec![OpenMeteo], ..Ranks::default() }, 1);
    let places = BTreeSet::from([Subject::weather(52.1, 5.1), Subject::weather(52.104, 5.098)]);
    assert_eq!(places.len(), 1, "what is a kilometre apart has the same weather");
    desk.want(&BTreeSet::new(), &places, now);
    let due = desk.due(now);
    assert_eq!(asked(&due), [OpenMeteo]);
    desk.heard(&due[0], nothing(Failure::Later("429".to_owned(), Some(now + TimeDelta::hours(1)))), now);
    assert!(desk.due(now + TimeDelta::minutes(59)).is_empty(), "it said when to come again");
    assert_eq!(desk.due(now + TimeDelta::minutes(61)).len(), 1);
}

/// Plants of a site, on roofs.
fn plants(count: usize) -> BTreeSet<Subject> {
    let roof = Roof { latitude_cdeg: 5210, longitude_cdeg: 510, tilt_deg: 15, azimuth_deg: 180 };
    let plant =
        |k| Subject::Pv { site: "depot".to_owned(), plant: format!("roof {k}"), peak_w: 30_000, roof: Some(roof) };
    (0..count).map(plant).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "an outcome among others")]
fn sun() -> Outcome {
    Ok(Values::Power(feeds::Values { rows: Vec::new(), missing: Vec::new(), notes: Vec::new() }))
}

#[test]
fn a_sparing_feed_is_never_asked_more_often_than_it_lets_itself_be() {
    let start = at(MORNING);
    let mut desk = Desk::new(Ranks { pv: vec![ForecastSolar], ..Ranks::default() }, 1);
    desk.want(&BTreeSet::new(), &plants(40), start);
    let (mut asked, mut heard) = (Vec::new(), BTreeSet::new());
    for minute in 0..24 * 60 {
        let now = start + TimeDelta::minutes(minute);
        for ask in desk.due(now) {
            asked.push(now);
            // Every third answer fails, which is asked again sooner.
            let fails = asked.len() % 3 == 0;
            let outcome = if fails { nothing(Failure::Unreachable(String::new())) } else { sun() };
            if !fails {
                heard.insert(ask.subject.clone());
            }
            desk.heard(&ask, outcome, now);
        }
    }
    let hour = TimeDelta::hours(1);
    let most = asked.iter().map(|from| asked.iter().filter(|at| *from <= **at && **at - *from < hour).count()).max();
    assert_eq!(most, Some(12));
    assert_eq!(heard.len(), 40, "each plant had its turn");
    assert!(asked.len() > 200, "{} questions", asked.len());
}

#[test]
fn the_sun_is_asked_for_where_it_is_known_and_of_the_next_feed_where_one_fails() {
    let now = at(MORNING);
    let rooftops = BTreeSet::from([("depot".to_owned(), "roof 1".to_owned())]);
    let mut desk = Desk::new(Ranks { pv: vec![Solcast, ForecastSolar], rooftops, ..Ranks::default() }, 1);
    desk.want(&BTreeSet::new(), &plants(2), now);
    let due = desk.due(now);
    let of: BTreeSet<(Source, bool)> = due
        .iter()
        .map(|ask| (ask.source, matches!(&ask.subject, Subject::Pv { plant, .. } if plant == "roof 1")))
        .collect();
    assert_eq!(of, BTreeSet::from([(Solcast, true), (ForecastSolar, false)]));
    let solcast = due.iter().find(|ask| ask.source == Solcast).unwrap();
    assert_eq!(desk.heard(solcast, nothing(Failure::Refused("402".to_owned())), now), None);
    let next = desk.due(now);
    assert_eq!(asked(&next), [ForecastSolar], "the other roof waits for its answer");
    assert!(matches!(desk.heard(&next[0], sun(), now), Some(News::Power { .. })));
}

#[test]
fn a_contract_is_asked_for_its_days_until_they_are_whole() {
    let noon = at("2026-11-28T12:00:00Z");
    let contracts = [("home".to_owned(), Tibber)].into();
    let mut desk = Desk::new(Ranks { contracts, ..Ranks::default() }, 1);
    let site = Site::new("Home".to_owned(), "Europe/Amsterdam".to_owned(), Vec::new(), Vec::new());
    let want = |desk: &mut Desk, now| {
        desk.want(&BTreeSet::new(), &Subject::contract("home", &site, now).into_iter().collect(), now);
    };
    want(&mut desk, noon);
    let due = desk.due(noon);
    assert_eq!(asked(&due), [Tibber, Tibber], "today and tomorrow");
    let billed = |gap: bool| {
        let mut total = prices(&[0.3; 96], 15);
        let last = total.values.rows[95];
        total.values.missing.extend(gap.then_some(Span { from: last.start, to: last.end }));
        Ok(Values::Retail(Retail { total, energy: None }))
    };
    assert!(matches!(desk.heard(&due[0], billed(false), noon), Some(News::Contract { .. })));
    assert!(desk.heard(&due[0], billed(false), noon).is_none(), "the same again is no news");
    assert!(desk.heard(&due[1], billed(true), noon).is_some(), "a day with a gap is used");
    assert!(desk.due(noon + TimeDelta::minutes(9)).is_empty());
    assert_eq!(desk.due(noon + TimeDelta::minutes(16)), due[1..], "and asked for anew");
    assert_eq!(desk.billed("home").count(), 2);
    want(&mut desk, at("2026-11-30T08:00:00Z"));
    assert_eq!(desk.billed("home").count(), 1, "yesterday stays to be seen");
    desk.want(&BTreeSet::new(), &BTreeSet::new(), noon);
    assert_eq!(desk.billed("home").count(), 0, "nobody wants it any more");
}

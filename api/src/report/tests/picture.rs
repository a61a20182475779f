//! Pictures and page: well formed, complete, of bounded size, and no text on another.

use chrono_tz::Tz;
use kwartier_data::Instance;
use kwartier_engine::baseline::{Baseline, baseline};
use kwartier_engine::explain::explain;
use kwartier_engine::figures::Figures;
use kwartier_tests::generate::Recipe;
use roxmltree::{Document, ParsingOptions};

use super::{sample, steady, view, view_in};
use crate::report::{page, poster};

/// No report may be larger, in bytes.
const LARGEST: usize = 5_000_000;

fn page_of(instance: &Instance) -> String {
    let explanation = explain(instance, &steady(instance));
    let uncontrolled = Figures::of(instance, &baseline(instance, Baseline::Uncontrolled));
    page::html(&view(instance), &[("uncontrolled", &uncontrolled)], Some(&explanation), &[]).unwrap()
}

fn parsed(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).expect("well formed")
}

fn texts(svg: &str) -> Vec<String> {
    let document = parsed(svg);
    let texts = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    texts.filter_map(|node| node.text()).map(|text| text.trim().to_owned()).collect()
}

/// Texts whose boxes lie on each other; a letter is taken as half as wide as high.
fn overlaps(svg: &str) -> Vec<String> {
    let document = parsed(svg);
    let mut boxes: Vec<(f64, f64, f64, f64, String)> = Vec::new();
    for node in document.descendants().filter(|node| node.tag_name().name() == "text") {
        let number = |name: &str| node.attribute(name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let text = node.text().unwrap_or_default().trim().to_owned();
        let (size, wide) = (number("font-size"), number("font-size") * 0.5 * text.chars().count() as f64);
        let left = match node.attribute("text-anchor") {
            Some("end") => number("x") - wide,
            Some("middle") => number("x") - wide / 2.0,
            _ => number("x"),
        };
        boxes.push((left, left + wide, number("y") - size * 0.4, number("y") + size * 0.4, text));
    }
    let mut found = Vec::new();
    for (index, a) in boxes.iter().enumerate() {
        for b in &boxes[index + 1..] {
            if a.0 < b.1 && b.0 < a.1 && a.2 < b.3 && b.2 < a.3 {
                found.push(format!("{} | {}", a.4, b.4));
            }
        }
    }
    found
}

#[test]
fn the_poster_shows_every_board_and_vehicle_of_the_sample() {
    let instance = sample();
    let svg = poster::svg(&view(&instance)).unwrap();
    let texts = texts(&svg);
    for session in &instance.sessions {
        assert!(texts.contains(&session.id), "{} is missing", session.id);
    }
    for board in &instance.nodes {
        assert!(texts.iter().any(|text| text.starts_with(&format!("{} \u{b7} ", board.id))), "{} is missing", board.id);
    }
    assert!(!svg.contains("href"), "nothing from elsewhere");
    assert_eq!(overlaps(&svg), Vec::<String>::new());
}

#[test]
fn the_page_is_well_formed_and_needs_nothing_else() {
    let instance = sample();
    let page = page_of(&instance);
    let document = parsed(&page);
    let count = |name: &str| document.descendants().filter(|node| node.tag_name().name() == name).count();
    assert_eq!((count("svg"), count("figure"), count("table"), count("caption")), (4, 4, 5, 5));
    assert_eq!(count("script") + count("link") + count("img"), 0);
    assert!(!page.contains("href") && !page.contains("url("));
    for session in &instance.sessions {
        assert!(page.contains(&format!("<th scope=\"row\">{}</th>", session.id)), "{}", session.id);
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut instance = sample();
    "<script>alert('1')</script> & \"x\"".clone_into(&mut instance.sessions[0].id);
    "bell\u{7}\u{0}\u{ffff}".clone_into(&mut instance.sessions[1].id);
    "]]><svg onload=\"x\">".clone_into(&mut instance.nodes[1].id);
    "漢字漢字漢字漢字漢字漢字".clone_into(&mut instance.chargers[0].id);
    let svg = poster::svg(&view(&instance)).unwrap();
    parsed(&svg);
    let page = page_of(&instance);
    let document = parsed(&page);
    for text in [&svg, &page] {
        assert!(!text.contains("<script") && !text.contains("<svg onload"));
    }
    assert!(document.descendants().any(|node| node.text() == Some("<script>alert('1')</script> & \"x\"")));
}

#[test]
fn a_thousand_vehicles_are_capped_in_the_picture_and_complete_in_the_table() {
    let instance = Recipe::night(1000, 1).instance();
    let svg = poster::svg(&view(&instance)).unwrap();
    let page = page_of(&instance);
    assert!(svg.len() < LARGEST && page.len() < LARGEST, "{} and {} bytes", svg.len(), page.len());
    assert!(texts(&svg).iter().any(|text| text.contains("60 of 1,000 shown")));
    assert!(texts(&svg).iter().any(|text| text.contains(&format!("12 of {} boards shown", instance.nodes.len()))));
    assert!(instance.sessions.iter().all(|session| page.contains(&format!("<th scope=\"row\">{}</th>", session.id))));
    assert_eq!(overlaps(&svg), Vec::<String>::new());
}

#[test]
fn no_text_is_on_another_at_any_size() {
    let mut sites = vec![
        Recipe::day(1, 3),
        Recipe { negative_hours: 4, ..Recipe::day(24, 4) },
        Recipe { everything: false, ..Recipe::night(200, 5) },
        Recipe { slots: 672, ..Recipe::night(12, 6) },
        Recipe { slots: 100, unequal: true, ..Recipe::night(24, 7) },
    ];
    for recipe in sites.drain(..) {
        let mut instance = recipe.instance();
        if recipe.slots == 100 {
            instance.start = "2023-10-28T22:00:00Z".parse().unwrap();
        }
        let svg = poster::svg(&view(&instance)).unwrap();
        assert_eq!(overlaps(&svg), Vec::<String>::new(), "{recipe:?}");
    }
}

#[test]
fn a_site_with_nothing_on_it_is_drawn_all_the_same() {
    let mut instance = sample();
    instance.sessions.clear();
    instance.batteries.clear();
    instance.loads.clear();
    instance.pv.clear();
    instance.nodes.truncate(1);
    instance.chargers.clear();
    instance.base_load_a = vec![std::array::from_fn(|_| vec![0.0; instance.slots])];
    instance.grid.base_kw = None;
    instance.grid.import_eur_kwh.fill(0.0);
    instance.grid.export_eur_kwh.fill(0.0);
    parsed(&poster::svg(&view_in(&instance, Tz::UTC)).unwrap());
    parsed(&page_of(&instance));
}

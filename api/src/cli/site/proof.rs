//! What the proof of the fallback finds beyond what `site check` sees in a file: ratings, and changes of the hour.

use kwartier_data::site::Site;
use kwartier_data::site::file::SiteFile;
use kwartier_data::{Finding, PHASE_NAMES, Severity, local};
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::setup::Setup;
use kwartier_engine::fallback::is_open;
use kwartier_engine::fallback::propose::propose;
use kwartier_engine::fallback::prove::{Overfull, prove};

/// The fast loop's view of a site; `None` where its time zone is none.
pub fn setup(site: &Site) -> Option<Setup> {
    Some(Setup::of(site, local::zone(&site.time_zone).ok()?, Settings::default()))
}

/// Adds what the proof finds, where nothing worse is wrong with the fallback, and what values would do.
pub fn add(file: &SiteFile, findings: &mut Vec<Finding>) {
    let site = &file.site;
    let told = "fallback-does-not-fit";
    for finding in findings.iter_mut().filter(|finding| finding.code == told) {
        finding.remedy.push_str("; `kwartier site fallback` tells for each station and hour what would do");
    }
    let known = site.stations.iter().any(|station| station.fallback_a.is_some());
    let Some(mut setup) = setup(site).filter(|_| known && findings.iter().all(|f| !f.is_error() || f.code == told))
    else {
        return;
    };
    // Stations without a fallback have been told of, and count with nothing here as they do there.
    for device in setup.devices.iter_mut().filter(|device| is_open(device)) {
        device.fallback_a.get_or_insert([0.0; 24]);
    }
    let values = propose(&setup, |_| false);
    for found in prove(&setup) {
        let path = format!("boards[{}]", found.node);
        if findings.iter().all(|finding| finding.code != told || finding.path != path) {
            let place = file.places.find(&path).cloned();
            findings.push(finding(&setup, &found, found.fits(&setup, &values), path, place));
        }
    }
    findings.sort_by_key(|finding| finding.severity);
}

fn finding(
    setup: &Setup,
    found: &Overfull,
    fits: Option<(f64, f64)>,
    path: String,
    place: Option<kwartier_data::finding::Place>,
) -> Finding {
    let phase = PHASE_NAMES[found.phase];
    let sum_a = found.building_a + found.rated_a + found.stored_a;
    let (code, what) = if found.at_change {
        let what = format!(
            "around {:02}:00, while clocks of stations may be off, the higher of both hours' fallback is {} on {phase}",
            found.hour,
            amps(found.stored_a + found.rated_a)
        );
        ("fallback-at-change", what)
    } else {
        let what = format!(
            "stations below that are not managed or forget their fallback without power count with their rating, {} on \
             {phase}, and the others have {} stored from {:02}:00 to {:02}:00",
            amps(found.rated_a),
            amps(found.stored_a),
            found.hour,
            found.hour + 1
        );
        ("fallback-at-rating", what)
    };
    let remedy = match fits {
        Some((low, high)) if high > 0.0 => format!(
            "{} would fit then; `kwartier site fallback` tells for each station and hour",
            if (low - high).abs() < f64::EPSILON { amps(low) } else { format!("{low} to {}", amps(high)) }
        ),
        _ => "store 0 in all others, and let these be managed and keep their fallback, or lower their max_a".to_owned(),
    };
    Finding {
        severity: Severity::Error,
        code,
        place,
        path,
        subject: format!("board {:?}", setup.nodes[found.node].id),
        value: String::new(),
        wrong: format!(
            "{what}; with {} of the building {} and more than the {} of the board",
            amps(found.building_a),
            amps(sum_a),
            amps(found.limit_a)
        ),
        remedy,
    }
}

fn amps(amps: f64) -> String {
    format!("{} A", (amps * 10.0).round() / 10.0)
}

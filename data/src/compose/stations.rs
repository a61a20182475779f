//! Stations as chargers: which grid phases they hang on.

use super::{Context, NoteCode, listed};
use crate::instance::{PHASE_NAMES, wire};
use crate::site::rotation::{Misread, Rotation};

/// A station as the plan sees it.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// The charger. Grid phases that the station has come first, in the order of its own; the others complete the map.
    pub(super) charger: wire::Charger,
    /// How it is wired; `None` where that is unknown.
    pub(super) rotation: Option<Rotation>,
}

impl Placed {
    /// How many grid phases a vehicle loads that uses the first `phases` of the station's own.
    pub(super) fn phases(&self, phases: u8) -> Option<usize> {
        self.rotation.map(|rotation| rotation.count().min(usize::from(phases)))
    }
}

/// All stations. One whose rotation is unknown becomes a charger at which nothing is planned.
pub(super) fn stations(context: &mut Context<'_>) -> Vec<Placed> {
    let mut unknown = Vec::new();
    let mut placed = Vec::with_capacity(context.site.stations.len());
    for station in &context.site.stations {
        let rotation = match station.rotation.as_deref().map(Rotation::parse) {
            Some(Ok(rotation)) => Some(rotation),
            None | Some(Err(Misread::Unknown)) => {
                unknown.push(station.id.as_str());
                None
            }
            Some(Err(misread)) => {
                let (wrong, remedy) = misread.says();
                let path = format!("rotation of station \"{}\"", station.id);
                context.fault(path, station.rotation.as_deref().unwrap_or_default(), wrong, remedy);
                None
            }
        };
        let mut map: Vec<usize> = rotation.into_iter().flat_map(Rotation::phases).collect();
        map.extend((0..3).filter(|phase| !map.contains(phase)).collect::<Vec<_>>());
        placed.push(Placed {
            charger: wire::Charger {
                id: station.id.clone(),
                node: station.board.clone(),
                phase_map: map.into_iter().map(|phase| PHASE_NAMES[phase].to_owned()).collect(),
                max_a: station.max_a,
            },
            rotation,
        });
    }
    if !unknown.is_empty() {
        let text = format!("the phase rotation of {} is unknown: nothing is planned there", listed(&unknown));
        context.note(NoteCode::StayLeftOut, text);
    }
    placed
}

//! Stations as chargers: which grid phases they hang on.

use super::{Context, NoteCode, listed};
use crate::instance::{PHASE_NAMES, wire};

/// A station as the plan sees it.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// The charger. Grid phases that the station has come first, in the order of its own; the others complete the map.
    pub(super) charger: wire::Charger,
    /// Which of the station's own L1, L2, L3 hang on a grid phase; `None` where the rotation is unknown.
    pub(super) present: Option<[bool; 3]>,
}

impl Placed {
    /// How many grid phases a vehicle loads that uses the first `phases` of the station's own.
    pub(super) fn phases(&self, phases: u8) -> Option<usize> {
        self.present.map(|present| present.iter().take(usize::from(phases)).filter(|&&there| there).count())
    }
}

/// All stations. One whose rotation is unknown becomes a charger at which nothing is planned.
pub(super) fn stations(context: &mut Context<'_>) -> Vec<Placed> {
    let mut unknown = Vec::new();
    let mut placed = Vec::with_capacity(context.site.stations.len());
    for station in &context.site.stations {
        let hangs = match &station.rotation {
            None => {
                unknown.push(station.id.as_str());
                None
            }
            Some(rotation) => {
                let hangs = hangs_on(rotation);
                if hangs.is_none() {
                    let path = format!("rotation of station \"{}\"", station.id);
                    let remedy =
                        "write the grid phase behind its L1, L2, L3 with R, S, T, each once, x for none: RST, STR, TRS";
                    context.fault(path, rotation, "is no phase rotation", remedy);
                }
                hangs
            }
        };
        let own = hangs.unwrap_or([Some(0), Some(1), Some(2)]);
        let mut map: Vec<usize> = own.into_iter().flatten().collect();
        map.extend((0..3).filter(|phase| !own.contains(&Some(*phase))));
        placed.push(Placed {
            charger: wire::Charger {
                id: station.id.clone(),
                node: station.board.clone(),
                phase_map: map.into_iter().map(|phase| PHASE_NAMES[phase].to_owned()).collect(),
                max_a: station.max_a,
            },
            present: hangs.map(|own| own.map(|phase| phase.is_some())),
        });
    }
    if !unknown.is_empty() {
        let text = format!("the phase rotation of {} is unknown: nothing is planned there", listed(&unknown));
        context.note(NoteCode::StayLeftOut, text);
    }
    placed
}

/// The grid phase behind each of a station's own; `None` where the letters are no rotation.
fn hangs_on(rotation: &str) -> Option<[Option<usize>; 3]> {
    let mut hangs = [None; 3];
    let letters: Vec<char> = rotation.trim().chars().collect();
    if letters.len() != 3 {
        return None;
    }
    for (own, letter) in hangs.iter_mut().zip(&letters) {
        *own = match letter.to_ascii_uppercase() {
            'R' => Some(0),
            'S' => Some(1),
            'T' => Some(2),
            'X' => continue,
            _ => return None,
        };
    }
    let twice = (0..3).any(|k| hangs[k].is_some() && hangs[..k].contains(&hangs[k]));
    (!twice).then_some(hangs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations() {
        assert_eq!(hangs_on("RST"), Some([Some(0), Some(1), Some(2)]));
        assert_eq!(hangs_on("str"), Some([Some(1), Some(2), Some(0)]));
        assert_eq!(hangs_on("Sxx"), Some([Some(1), None, None]));
        assert_eq!(hangs_on("xST"), Some([None, Some(1), Some(2)]));
        for text in ["RRT", "RS", "RSTT", "123", ""] {
            assert_eq!(hangs_on(text), None, "{text}");
        }
    }
}

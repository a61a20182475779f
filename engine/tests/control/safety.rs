//! What must never happen, on random sites with random events.

use kwartier_data::site::Station;
use kwartier_engine::control::event::{Limit, Scope, Signal};
use kwartier_engine::control::settings::Settings;
use kwartier_engine::control::{Event, step};
use proptest::prelude::*;

use super::cases::cases;
use super::depot::{Depot, board, site, station};

/// A thing that happens after some seconds.
#[derive(Debug, Clone)]
pub enum Happening {
    Plug(usize, f64),
    Unplug(usize),
    Building(usize, [f64; 3]),
    Link(usize, bool),
    Meter(usize, bool),
    Answers(usize, bool),
    Signal(usize, f64),
    Lies(usize, usize),
    Restart,
}

/// What a meter may make of what flows. The first is the truth.
const LIES: [fn(f64) -> f64; 4] = [|amps| amps, |amps| -amps, |amps| -amps.abs(), |_| f64::NAN];

pub fn happenings() -> impl Strategy<Value = Vec<(usize, Happening)>> {
    let one = prop_oneof![
        4 => (0..6_usize, 6.0..32.0_f64).prop_map(|(k, amps)| Happening::Plug(k, amps)),
        2 => (0..6_usize).prop_map(Happening::Unplug),
        3 => (0..3_usize, prop::array::uniform3(0.0..12.0_f64)).prop_map(|(k, amps)| Happening::Building(k, amps)),
        2 => (0..6_usize, any::<bool>()).prop_map(|(k, up)| Happening::Link(k, up)),
        2 => (0..3_usize, any::<bool>()).prop_map(|(k, up)| Happening::Meter(k, up)),
        1 => (0..6_usize, any::<bool>()).prop_map(|(k, answers)| Happening::Answers(k, answers)),
        1 => (0..3_usize, 5.0..30.0_f64).prop_map(|(k, kw)| Happening::Signal(k, kw)),
        2 => (0..3_usize, 0..LIES.len()).prop_map(|(k, how)| Happening::Lies(k, how)),
        1 => Just(Happening::Restart),
    ];
    prop::collection::vec((1..60_usize, one), 1..25)
}

pub fn sites() -> impl Strategy<Value = Depot> {
    let rotation = prop::sample::select(vec!["RST", "STR", "TRS"]);
    // Whether it can choose a phase by the site file, and whether it really does.
    let chooses = prop::sample::select(vec![(false, false), (true, true), (true, false)]);
    let station_of = (0..3_usize, rotation, prop::sample::select(vec![16.0, 32.0]), (1..=3_usize, chooses));
    (
        prop::collection::vec(station_of, 6),
        60.0..120.0_f64,
        50.0..70.0_f64,
        prop::sample::subsequence(vec!["HV", "UV1", "UV2"], 0..=3),
    )
        .prop_map(|(stations, main_a, sub_a, metered)| {
            let names = ["HV", "UV1", "UV2"];
            let boards = vec![
                board("HV", None, main_a, 12.0),
                board("UV1", Some("HV"), sub_a, 12.0),
                board("UV2", Some("HV"), sub_a, 12.0),
            ];
            let behaves: Vec<(usize, bool)> =
                stations.iter().map(|(.., (phases, (_, does)))| (*phases, *does)).collect();
            let stations = stations.into_iter().enumerate().map(|(k, (at, rotation, max_a, (_, (chooses, _))))| {
                Station { chooses_phase: chooses, ..station(&format!("S{k}"), names[at], rotation, max_a) }
            });
            let mut depot = Depot::new(&site(boards, stations.collect(), &metered), Settings::default());
            for (charger, (phases, chooses)) in depot.chargers.iter_mut().zip(behaves) {
                (charger.phases, charger.chooses) = (phases, chooses);
            }
            depot
        })
}

pub fn happen(depot: &mut Depot, what: &Happening) {
    match *what {
        Happening::Plug(device, amps) => depot.plug(device, amps),
        Happening::Unplug(device) => depot.unplug(device),
        Happening::Building(node, amps) => {
            depot.building_a[node] = amps;
            // What comes on top of an excess that is being answered has to be answered in its turn, and what no meter shows any more
            // once it is known to be lost.
            let unnoticed_s = depot.unnoticed_s();
            depot.over_s.iter_mut().flatten().for_each(|over| over.0 = -unnoticed_s);
        }
        Happening::Link(device, up) => {
            depot.chargers[device].up = up;
            depot.events.push(Event::Link { device, up });
        }
        Happening::Meter(node, up) => {
            if depot.meter_up[node] && !up {
                depot.lost_at = depot.now;
            }
            depot.meter_up[node] = up;
        }
        Happening::Answers(device, answers) => depot.chargers[device].answers = answers,
        Happening::Signal(node, kw) => depot.events.push(Event::Signal(Signal {
            id: "S".to_owned(),
            on: Scope::Node(node),
            limit: Limit::Power(kw),
            from: depot.now,
            until: None,
        })),
        Happening::Lies(node, how) => depot.meter_shows[node] = LIES[how],
        Happening::Restart => depot.restart(),
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// Buildings within what the installer wrote, chargers that keep to what they accepted: no limit is exceeded for longer
    /// than a charger's reaction, whatever is lost, once that can be known.
    #[test]
    fn no_limit_is_exceeded_for_long(mut depot in sites(), what in happenings()) {
        for (seconds, happening) in &what {
            depot.seconds(*seconds);
            happen(&mut depot, happening);
        }
        depot.seconds(60);
        prop_assert!(depot.longest_over_s() <= 10, "{} s above a limit\n{what:?}", depot.longest_over_s());
    }

    /// The same events give the same commands and the same memory, bit for bit.
    #[test]
    fn the_same_events_give_the_same_commands(mut depot in sites(), what in happenings()) {
        depot.restart();
        let mut again = depot.state.clone().unwrap();
        for (seconds, happening) in what.iter().filter(|(_, happening)| !matches!(happening, Happening::Restart)) {
            depot.seconds(*seconds);
            happen(&mut depot, happening);
        }
        for (now, events, output) in &depot.heard {
            let (after, said) = step(again, *now, events);
            prop_assert_eq!(&said, output);
            again = after;
        }
        prop_assert_eq!(Some(again), depot.state);
    }
}

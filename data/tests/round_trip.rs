//! Reading and writing instances: every field arrives where it belongs, and nothing is lost on the way back.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::float_cmp, reason = "what is read is what was written, to the last digit")]

use std::path::PathBuf;

use kwartier_data::instance::{self, Instance, wire};
use proptest::prelude::*;
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("../samples/guide-24.json");

/// The instances the project shares, and the sample.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("samples/guide-24.json".to_owned(), SAMPLE.as_bytes().to_vec())];
    let folder = std::env::var_os("KWARTIER_INSTANCES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/planning/instances")),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no instances at {}; set KWARTIER_INSTANCES", folder.display());
        return files;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|ext| ext == "json") && name != "reference.json" {
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
    files
}

/// The value with every number as a float, and without the fields that are null: absent and null mean the same.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(n) => json!(n.as_f64()),
        Value::Array(list) => list.iter().map(normal).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, field)| !field.is_null())
            .map(|(key, field)| (key.clone(), normal(field)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn instances_survive_reading_and_writing() {
    for (name, bytes) in files() {
        let read = instance::parse(&bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let written = serde_json::to_vec(&read.to_wire()).unwrap();
        assert_eq!(instance::parse(&written).unwrap(), read, "{name}");
        // To the last digit, field by field: what is written is the file that was read.
        let (before, after): (Value, Value) =
            (serde_json::from_slice(&bytes).unwrap(), serde_json::from_slice(&written).unwrap());
        assert!(normal(&before) == normal(&after), "{name}: written otherwise than read");
    }
}

#[test]
fn fields_arrive_where_they_belong() {
    let read = instance::parse(SAMPLE.as_bytes()).unwrap();
    assert_eq!(read.start.to_rfc3339(), "2023-06-13T04:00:00+00:00");
    assert_eq!((read.slot_minutes, read.slots, read.voltage_v), (15, 96, 230.0));
    assert_eq!(read.nodes[3].id, "UV2");
    assert_eq!(read.nodes[3].parent, Some(2));
    assert_eq!((read.root(), read.nodes[0].imbalance_limit_a), (0, Some(40.0)));
    assert_eq!(read.path(3).collect::<Vec<_>>(), [3, 2, 0]);
    assert_eq!(read.base_load_a.len(), read.nodes.len());
    assert_eq!([0, 1, 2].map(|phase: usize| read.base_load_a[0][phase][0]), [21.322, 24.536, 20.458]);
    assert_eq!([0, 1, 2].map(|phase: usize| read.base_load_a[2][phase][1]), [1.961, 2.265, 1.856]);
    assert_eq!(read.base_load_a[1], [const { [0.0; 96] }; 3].map(Vec::from));
    assert_eq!((read.pv[1].node, read.pv[1].phases.as_slice(), read.pv[1].curtailable), (2, [1].as_slice(), false));
    assert_eq!((read.grid.import_eur_kwh[0], read.grid.export_eur_kwh[0]), (0.141, 0.0896));
    assert_eq!(
        (read.grid.import_cap_kw.as_ref().unwrap()[0], read.grid.export_cap_kw.as_ref().unwrap()[0]),
        (138.0, 20.7)
    );
    assert_eq!((read.grid.peak_eur_kw, read.grid.peak_so_far_kw), (1.53, 69.0));
    assert_eq!(read.chargers[1].node, 3);
    let session = &read.sessions[1];
    assert_eq!((session.charger, session.arrive, session.depart, session.phases), (1, 10, 50, 3));
    assert_eq!((session.min_a, session.max_a, session.efficiency), (6.0, 16.0, 0.926));
    assert_eq!((session.capacity_kwh, session.soc_kwh, session.need_kwh), (14.0, 1.54, 7.2));
    assert_eq!((session.shortfall_eur_kwh, &session.v2g), (5.0, &None));
    let battery = &read.batteries[0];
    assert_eq!((battery.capacity_kwh, battery.soc_kwh, battery.end_soc_kwh), (36.0, 12.0, 12.0));
    assert_eq!((battery.efficiency, battery.wear_eur_kwh, battery.shortfall_eur_kwh), (0.95, 0.03, 1.0));
    let load = &read.loads[0];
    assert_eq!((load.earliest, load.latest, load.min_kw, load.max_kw, load.need_kwh), (8, 90, 0.0, 7.2, 28.8));
}

/// The sample as a value, changed, and read.
fn changed(change: impl FnOnce(&mut Value)) -> Instance {
    let mut value: Value = serde_json::from_str(SAMPLE).unwrap();
    change(&mut value);
    instance::parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn meanings_that_are_not_copies() {
    let offset = changed(|v| v["start"] = json!("2023-06-13T06:00:00+02:00"));
    assert_eq!(offset, changed(|_| ()), "an offset is converted to UTC");

    let halves = changed(|v| {
        let mut other = v["base_load_a"][0].clone();
        other["l1"] = json!(vec![1.5; 96]);
        v["base_load_a"].as_array_mut().unwrap().push(other);
    });
    assert_eq!(halves.base_load_a[0][0][0], 21.322 + 1.5, "entries for one board add up");
    assert_eq!(halves.base_load_a[0][1][0], 24.536 * 2.0, "phase by phase");

    let rotated = changed(|v| v["chargers"][0]["phase_map"] = json!(["L2", "L3", "L1"]));
    assert_eq!(rotated.chargers[0].phase_map, [1, 2, 0]);
    assert_eq!(
        rotated.session_phases(&rotated.sessions[0]),
        [1, 2],
        "a vehicle on two phases has the charger's first two"
    );

    let unordered = changed(|v| v["pv"][0]["phases"] = json!(["L3", "L1"]));
    assert_eq!(unordered.pv[0].phases, [0, 2], "phases are ascending");

    let cheap = changed(|v| {
        v["batteries"][0].as_object_mut().unwrap().remove("shortfall_eur_kwh");
    });
    assert_eq!(cheap.batteries[0].shortfall_eur_kwh, 1.0, "the format's default");

    let v2g = json!({"min_a": 6, "max_a": 16, "efficiency": 0.9, "min_soc_kwh": 2, "wear_eur_kwh": 0.05});
    let v2g = changed(|v| v["sessions"][0]["v2g"] = v2g).sessions[0].v2g.clone().unwrap();
    assert_eq!((v2g.min_a, v2g.max_a, v2g.efficiency, v2g.min_soc_kwh, v2g.wear_eur_kwh), (6.0, 16.0, 0.9, 2.0, 0.05));
}

fn number(from: f64, to: f64) -> impl Strategy<Value = f64> {
    prop_oneof![4 => from..=to, 1 => Just(from), 1 => Just(to)]
}

fn phase_names() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(vec!["L1", "L2", "L3"], 1..=3)
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn window(slots: usize) -> impl Strategy<Value = (u64, u64)> {
    (0..slots).prop_flat_map(move |from| (Just(from as u64), (from as u64 + 1)..=slots as u64))
}

fn series(slots: usize, from: f64, to: f64) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(number(from, to), slots)
}

fn nodes() -> impl Strategy<Value = Vec<wire::Node>> {
    let node = (any::<prop::sample::Index>(), [number(1.0, 400.0), number(1.0, 400.0), number(1.0, 400.0)]);
    let spread = proptest::option::of(number(0.0, 100.0));
    proptest::collection::vec((node, spread), 1..6).prop_map(|nodes| {
        let nodes = nodes.into_iter().enumerate().map(|(k, ((parent, limits), spread))| wire::Node {
            id: format!("Zähler \"{k}\""),
            parent: (k > 0).then(|| format!("Zähler \"{}\"", parent.index(k.max(1)))),
            limit_a: limits.to_vec(),
            imbalance_limit_a: spread,
        });
        nodes.collect()
    })
}

fn grid(slots: usize) -> impl Strategy<Value = wire::Grid> {
    let option = |from| proptest::option::of(series(slots, from, 500.0));
    let prices = (series(slots, -0.5, 0.9), series(slots, -0.5, 0.9), number(0.0, 9.0), number(0.0, 90.0));
    (prices, option(0.0), option(0.0), option(-50.0), option(0.0)).prop_map(|(prices, import, export, base, co2)| {
        wire::Grid {
            import_eur_kwh: prices.0,
            export_eur_kwh: prices.1,
            import_cap_kw: import,
            export_cap_kw: export,
            peak_eur_kw: prices.2,
            peak_so_far_kw: prices.3,
            base_kw: base,
            co2_kg_kwh: co2,
        }
    })
}

/// A charger of its own for each stay, so that none overlap.
fn stay(slots: usize) -> impl Strategy<Value = (wire::Charger, wire::Session)> {
    let phase_map = Just(vec!["L1".to_owned(), "L2".to_owned(), "L3".to_owned()]).prop_shuffle();
    let vehicle = (number(0.0, 10.0), number(10.0, 32.0), number(0.01, 1.0), number(50.0, 100.0));
    let energy = (number(0.0, 50.0), number(0.0, 50.0), number(0.0, 10.0), 1..=3_u64);
    let v2g = (number(0.0, 6.0), number(6.0, 32.0), number(0.01, 1.0), number(0.0, 50.0), number(0.0, 1.0));
    (phase_map, window(slots), vehicle, energy, proptest::option::of(v2g)).prop_map(
        |(phase_map, (arrive, depart), vehicle, energy, v2g)| {
            let charger = wire::Charger { id: String::new(), node: String::new(), phase_map, max_a: 16.0 };
            let session = wire::Session {
                id: String::new(),
                charger: String::new(),
                arrive,
                depart,
                phases: energy.3,
                min_a: vehicle.0,
                max_a: vehicle.1,
                efficiency: vehicle.2,
                capacity_kwh: vehicle.3,
                soc_kwh: energy.0,
                need_kwh: energy.1,
                shortfall_eur_kwh: energy.2,
                v2g: v2g.map(|(min_a, max_a, efficiency, min_soc_kwh, wear_eur_kwh)| wire::V2g {
                    min_a,
                    max_a,
                    efficiency,
                    min_soc_kwh,
                    wear_eur_kwh,
                }),
            };
            (charger, session)
        },
    )
}

fn battery() -> impl Strategy<Value = wire::Battery> {
    let energy = (number(50.0, 100.0), number(0.0, 50.0), number(0.0, 50.0));
    let rest = (number(0.0, 3.0), number(0.0, 40.0), number(0.0, 40.0), number(0.01, 1.0), number(0.0, 0.2));
    (energy, rest).prop_map(|(energy, rest)| wire::Battery {
        id: String::new(),
        node: String::new(),
        capacity_kwh: energy.0,
        soc_kwh: energy.1,
        end_soc_kwh: energy.2,
        shortfall_eur_kwh: rest.0,
        max_charge_kw: rest.1,
        max_discharge_kw: rest.2,
        efficiency: rest.3,
        wear_eur_kwh: rest.4,
    })
}

fn load(slots: usize) -> impl Strategy<Value = wire::Load> {
    let power = (number(0.0, 3.0), number(3.0, 40.0), number(0.0, 99.0), number(0.0, 9.0));
    (phase_names(), window(slots), power).prop_map(|(phases, (earliest, latest), power)| wire::Load {
        id: String::new(),
        node: String::new(),
        phases,
        earliest,
        latest,
        min_kw: power.0,
        max_kw: power.1,
        need_kwh: power.2,
        shortfall_eur_kwh: power.3,
    })
}

fn pv(slots: usize) -> impl Strategy<Value = wire::Pv> {
    let plant = (phase_names(), series(slots, 0.0, 50.0), any::<bool>());
    plant.prop_map(|(phases, kw, curtailable)| wire::Pv {
        id: String::new(),
        node: String::new(),
        phases,
        kw,
        curtailable,
    })
}

fn base_load(slots: usize) -> impl Strategy<Value = wire::BaseLoad> {
    let phase = || series(slots, -20.0, 80.0);
    (phase(), phase(), phase()).prop_map(|(l1, l2, l3)| wire::BaseLoad { node: String::new(), l1, l2, l3 })
}

/// An instance of any size up to a handful of each, and any numbers the format allows.
fn any_instance() -> impl Strategy<Value = wire::Instance> {
    let few = 0..3_usize;
    let parts = (1..8_usize, 1..=1440_u64, 0..2_000_000_000_i64, number(1.0, 400.0)).prop_flat_map(move |head| {
        let slots = head.0;
        let things = (
            proptest::collection::vec(base_load(slots), few.clone()),
            proptest::collection::vec(pv(slots), few.clone()),
            proptest::collection::vec(stay(slots), 0..5),
            proptest::collection::vec(battery(), few.clone()),
            proptest::collection::vec(load(slots), few.clone()),
        );
        (Just(head), nodes(), grid(slots), things)
    });
    (parts, any::<prop::sample::Index>()).prop_map(|((head, nodes, grid, things), pick)| {
        let (mut base_load_a, mut pv, stays, mut batteries, mut loads) = things;
        let (mut chargers, mut sessions): (Vec<_>, Vec<_>) = stays.into_iter().unzip();
        // Spread over the boards, from a random one on.
        let node = |k: usize| nodes[(pick.index(nodes.len()) + k) % nodes.len()].id.clone();
        base_load_a.iter_mut().enumerate().for_each(|(k, entry)| entry.node = node(k));
        pv.iter_mut().enumerate().for_each(|(k, pv)| (pv.id, pv.node) = (format!("V{k}"), node(k)));
        chargers.iter_mut().enumerate().for_each(|(k, charger)| {
            (charger.id, charger.node) = (format!("C{k}"), node(k));
        });
        sessions.iter_mut().enumerate().for_each(|(k, session)| {
            (session.id, session.charger) = (format!("S{k}"), format!("C{k}"));
        });
        batteries
            .iter_mut()
            .enumerate()
            .for_each(|(k, battery)| (battery.id, battery.node) = (format!("B{k}"), node(k)));
        loads.iter_mut().enumerate().for_each(|(k, load)| (load.id, load.node) = (format!("L{k}"), node(k)));
        wire::Instance {
            format: 1,
            start: chrono::DateTime::from_timestamp(head.2, 0).unwrap().to_rfc3339(),
            name: (head.1 % 3 == 0).then(|| "Depot \"Zuid\"".to_owned()),
            time_zone: (head.1 % 2 == 0).then(|| "Europe/Amsterdam".to_owned()),
            slot_minutes: head.1,
            slots: head.0 as u64,
            voltage_v: head.3,
            nodes,
            base_load_a,
            pv,
            grid,
            chargers,
            sessions,
            batteries,
            loads,
        }
    })
}

proptest! {
    #[test]
    fn any_instance_survives_reading_and_writing(wire in any_instance()) {
        let bytes = serde_json::to_vec(&wire).unwrap();
        let read = instance::parse(&bytes).unwrap_or_else(|refusal| panic!("{refusal}"));
        prop_assert_eq!(&Instance::from_wire(wire.clone()).unwrap(), &read);
        let written = read.to_wire();
        prop_assert_eq!(&Instance::from_wire(written.clone()).unwrap(), &read);
        // All but start (another spelling) and base load (summed) is as it was.
        let unlike = wire::Instance { start: wire.start.clone(), base_load_a: wire.base_load_a.clone(), ..written };
        prop_assert_eq!(unlike, wire);
    }
}

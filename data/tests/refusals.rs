//! Every rule of the format, broken once: what the reader says then.
//!
//! Each case changes the sample in one place. The messages are in `snapshots/`; they are what users read, so a change
//! of them is reviewed like a change of the documentation.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;

use kwartier_data::{MAX_SLOTS, Refusal, instance, plan};
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("../samples/guide-24.json");

/// A change to the sample.
type Change = fn(&mut Value);

/// What the reader says about the sample after `change`.
fn refused(change: Change) -> Refusal {
    let mut value: Value = serde_json::from_str(SAMPLE).unwrap();
    change(&mut value);
    instance::parse(value.to_string().as_bytes()).unwrap_err()
}

/// The messages of all cases, each under its name.
fn transcript(cases: &[(&str, Change)]) -> String {
    let mut text = String::new();
    for (name, change) in cases {
        let refusal = refused(*change);
        assert!(!refusal.faults().is_empty(), "{name}: nothing said");
        assert!(refusal.to_string().lines().all(|line| line.len() < 400), "{name}: runs on");
        writeln!(text, "# {name}\n{refusal}\n").unwrap();
    }
    text
}

fn set(value: &mut Value, pointer: &str, to: Value) {
    *value.pointer_mut(pointer).unwrap_or_else(|| panic!("the sample has no {pointer}")) = to;
}

fn remove(value: &mut Value, object: &str, field: &str) {
    let object = value.pointer_mut(object).unwrap().as_object_mut().unwrap();
    assert!(object.remove(field).is_some(), "the sample has no {field}");
}

fn add(value: &mut Value, object: &str, field: &str, new: Value) {
    value.pointer_mut(object).unwrap().as_object_mut().unwrap().insert(field.to_owned(), new);
}

fn push(value: &mut Value, list: &str, new: Value) {
    value.pointer_mut(list).unwrap().as_array_mut().unwrap().push(new);
}

/// Another element of `list`, like its first but for `changes`.
fn push_like(value: &mut Value, list: &str, changes: &[(&str, Value)]) {
    let mut new = value.pointer(list).unwrap()[0].clone();
    for (field, to) in changes {
        new[*field] = to.clone();
    }
    push(value, list, new);
}

#[test]
fn shape() {
    let cases: &[(&str, Change)] = &[
        ("another format", |v| set(v, "/format", json!(2))),
        ("another format, with fields of its own", |v| {
            set(v, "/format", json!(2));
            add(v, "", "novelty", json!(true));
        }),
        ("unknown field at the top", |v| add(v, "", "_comment", json!("a site"))),
        ("unknown field of a session", |v| add(v, "/sessions/17", "needs_kwh", json!(7))),
        ("unknown field of v2g", |v| {
            set_v2g(
                v,
                json!({"min_a": 6, "max_a": 16, "efficiency": 0.9, "min_soc_kwh": 2, "wear_eur_kwh": 0.05, "x": 1}),
            );
        }),
        ("unknown field with a name meant to break lines", |v| add(v, "/grid", "a\nb", json!(1))),
        ("missing field at the top", |v| remove(v, "", "voltage_v")),
        ("missing field of a session", |v| remove(v, "/sessions/17", "need_kwh")),
        ("parent neither named nor null", |v| remove(v, "/nodes/0", "parent")),
        ("curtailable not said", |v| remove(v, "/pv/0", "curtailable")),
        ("number in quotes", |v| set(v, "/sessions/3/need_kwh", json!("22.5"))),
        ("words for a number", |v| set(v, "/sessions/3/need_kwh", json!("plenty"))),
        ("null in a series", |v| set(v, "/grid/import_eur_kwh/5", Value::Null)),
        ("null for a list", |v| set(v, "/batteries", Value::Null)),
        ("object for a list", |v| set(v, "/sessions", json!({}))),
        ("list for an object", |v| set(v, "/grid", json!(["cheap"]))),
        ("fields in order for an object", |v| set_v2g(v, json!([6, 16, 0.9, 2, 0.05]))),
        ("fields in order for a node", |v| push(v, "/nodes", json!(["UV9", "HV", [63, 63, 63], null]))),
        ("negative slot", |v| set(v, "/sessions/0/arrive", json!(-4))),
        ("half a slot", |v| set(v, "/sessions/0/arrive", json!(4.5))),
        ("a word for a flag", |v| set(v, "/pv/1/curtailable", json!("yes"))),
        ("not an object", |v| *v = json!(7)),
        ("a mistake in every part is named at once", |v| {
            set(v, "/nodes/2/limit_a", json!("63 A"));
            remove(v, "/base_load_a/1", "l2");
            set(v, "/pv/0/kw", json!(3.5));
            set(v, "/grid/peak_eur_kw", json!(null));
            add(v, "/chargers/4", "power_kw", json!(11));
            set(v, "/sessions/5/phases", json!("three"));
            set(v, "/sessions/7/phases", json!("three"));
            set(v, "/batteries/0/efficiency", json!("95 %"));
            remove(v, "/loads/0", "earliest");
        }),
    ];
    insta::assert_snapshot!(transcript(cases));
}

fn set_v2g(value: &mut Value, v2g: Value) {
    add(value, "/sessions/2", "v2g", v2g);
}

#[test]
fn text() {
    let cases: [(&str, Vec<u8>); 16] = [
        ("empty", vec![]),
        ("blank", b" \n ".to_vec()),
        ("gzip", vec![0x1f, 0x8b, 8, 0]),
        ("UTF-16", vec![0xff, 0xfe, b'{', 0]),
        ("not JSON", b"start: today".to_vec()),
        ("cut off in a number", SAMPLE.as_bytes()[..SAMPLE.len() / 2].to_vec()),
        ("cut off before the last brace", SAMPLE.trim_end().as_bytes()[..SAMPLE.trim_end().len() - 1].to_vec()),
        ("two objects", [SAMPLE, SAMPLE].concat().into_bytes()),
        ("NaN", SAMPLE.replacen("0.141", "NaN", 1).into_bytes()),
        ("infinity", SAMPLE.replacen("0.141", "Infinity", 1).into_bytes()),
        ("less infinity", SAMPLE.replacen("0.141", "-Infinity", 1).into_bytes()),
        ("a number past all numbers", SAMPLE.replacen("0.141", "1e999", 1).into_bytes()),
        ("comma too many", SAMPLE.replacen("\"parent\":null,", "\"parent\":null,,", 1).into_bytes()),
        ("field given twice", SAMPLE.replacen("\"slots\":96", "\"slots\":96,\"slots\":96", 1).into_bytes()),
        ("nested without end", [r#"{"format":"#, &"[".repeat(100_000)].concat().into_bytes()),
        ("no UTF-8", [b"{\"format\":1,\"start\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat()),
    ];
    let mut text = String::new();
    for (name, bytes) in cases {
        let refusal = instance::parse(&bytes).unwrap_err();
        writeln!(text, "# {name}\n{refusal}\n").unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn head() {
    let cases: &[(&str, Change)] = &[
        ("start without offset", |v| set(v, "/start", json!("2023-06-13T04:00:00"))),
        ("start in words", |v| set(v, "/start", json!("tomorrow"))),
        ("no such time zone", |v| add(v, "", "time_zone", json!("Europe/Amsterdm"))),
        ("start out of this world", |v| set(v, "/start", json!("9999-12-31T23:59:59-01:00"))),
        ("slots of no length", |v| set(v, "/slot_minutes", json!(0))),
        ("slots longer than a day", |v| set(v, "/slot_minutes", json!(1441))),
        ("no slots", |v| set(v, "/slots", json!(0))),
        ("one slot too many", |v| set(v, "/slots", json!(MAX_SLOTS + 1))),
        ("ten million slots", |v| set(v, "/slots", json!(10_000_000))),
        ("no voltage", |v| set(v, "/voltage_v", json!(0))),
        ("negative voltage", |v| set(v, "/voltage_v", json!(-230))),
        ("voltage in kV", |v| set(v, "/voltage_v", json!(0.23))),
        ("voltage in atoms", |v| set(v, "/voltage_v", json!(1e300))),
    ];
    insta::assert_snapshot!(transcript(cases));
}

#[test]
fn tree() {
    let cases: &[(&str, Change)] = &[
        ("no nodes", |v| set(v, "/nodes", json!([]))),
        ("name twice", |v| set(v, "/nodes/2/id", json!("UV1"))),
        ("name empty", |v| push_like(v, "/nodes", &[("id", json!("")), ("parent", json!("HV"))])),
        ("name of blanks", |v| push_like(v, "/nodes", &[("id", json!("  ")), ("parent", json!("HV"))])),
        ("two roots", |v| set(v, "/nodes/1/parent", Value::Null)),
        ("no root", |v| set(v, "/nodes/0/parent", json!("UV5"))),
        ("unknown parent", |v| set(v, "/nodes/3/parent", json!("UV9"))),
        ("own parent", |v| set(v, "/nodes/3/parent", json!("UV2"))),
        ("circle beside the tree", |v| {
            set(v, "/nodes/2/parent", json!("UV5"));
            set(v, "/nodes/5/parent", json!("UV2"));
        }),
        ("long circle", |v| {
            for k in 0..12 {
                let (id, parent) = (format!("R{k}"), format!("R{}", (k + 1) % 12));
                push_like(v, "/nodes", &[("id", json!(id)), ("parent", json!(parent))]);
            }
        }),
        ("two limits", |v| set(v, "/nodes/1/limit_a", json!([63, 63]))),
        ("limit of nothing", |v| set(v, "/nodes/1/limit_a/1", json!(0))),
        ("negative limit", |v| set(v, "/nodes/1/limit_a/2", json!(-63))),
        ("negative imbalance", |v| set(v, "/nodes/0/imbalance_limit_a", json!(-1))),
        ("limit in microamperes", |v| set(v, "/nodes/1/limit_a/0", json!(63e9))),
        ("more boards and slots than fit", |v| {
            let nodes: Vec<Value> = (0..3000)
                .map(|k| json!({"id": format!("N{k}"), "parent": (k > 0).then_some("N0"), "limit_a": [9, 9, 9]}))
                .collect();
            *v = json!({"format": 1, "start": "2023-06-13T04:00:00Z", "slot_minutes": 15, "slots": 2000,
                "voltage_v": 230, "nodes": nodes, "chargers": [], "sessions": [], "grid": {"import_eur_kwh": [],
                "export_eur_kwh": [], "peak_eur_kw": 0, "peak_so_far_kw": 0}});
        }),
    ];
    insta::assert_snapshot!(transcript(cases));
}

#[test]
fn chargers_and_sessions() {
    let cases: &[(&str, Change)] = &[
        ("charger twice", |v| push_like(v, "/chargers", &[])),
        ("charger on no node", |v| set(v, "/chargers/1/node", json!("UV99"))),
        ("charger of no current", |v| set(v, "/chargers/1/max_a", json!(0))),
        ("phase map with a phase twice", |v| set(v, "/chargers/1/phase_map", json!(["L1", "L2", "L2"]))),
        ("phase map too short", |v| set(v, "/chargers/1/phase_map", json!(["L1", "L2"]))),
        ("phase map too long", |v| set(v, "/chargers/1/phase_map", json!(["L1", "L2", "L3", "L1"]))),
        ("phase map of other names", |v| set(v, "/chargers/1/phase_map", json!(["R", "S", "T"]))),
        ("session twice", |v| set(v, "/sessions/4/id", json!("S1"))),
        ("unknown charger", |v| set(v, "/sessions/4/charger", json!("c5"))),
        ("arrives as it departs", |v| {
            set(v, "/sessions/0/arrive", json!(20));
            set(v, "/sessions/0/depart", json!(20));
        }),
        ("departs beyond the horizon", |v| set(v, "/sessions/0/depart", json!(97))),
        ("departs beyond all numbers", |v| set(v, "/sessions/0/depart", json!(u64::MAX))),
        ("overlap by one slot", |v| {
            set(v, "/sessions/0/depart", json!(50));
            push_like(v, "/sessions", &[("id", json!("later")), ("arrive", json!(49)), ("depart", json!(60))]);
        }),
        ("overlap with a long stay across a short one", |v| {
            let stay = |id: &str, from: u64, to: u64| {
                [("id", json!(id)), ("charger", json!("X")), ("arrive", json!(from)), ("depart", json!(to))]
            };
            push_like(v, "/chargers", &[("id", json!("X"))]);
            push_like(v, "/sessions", &stay("third", 30, 40));
            push_like(v, "/sessions", &stay("long", 0, 90));
            push_like(v, "/sessions", &stay("short", 5, 6));
        }),
        ("no phases", |v| set(v, "/sessions/0/phases", json!(0))),
        ("four phases", |v| set(v, "/sessions/0/phases", json!(4))),
        ("negative minimum", |v| set(v, "/sessions/0/min_a", json!(-1))),
        ("minimum above its own maximum", |v| set(v, "/sessions/0/min_a", json!(17))),
        ("no current", |v| set(v, "/sessions/0/max_a", json!(0))),
        ("efficiency in percent", |v| set(v, "/sessions/0/efficiency", json!(92))),
        ("efficiency in percent with decimals", |v| set(v, "/sessions/0/efficiency", json!(89.7))),
        ("efficiency of nothing", |v| set(v, "/sessions/0/efficiency", json!(0))),
        ("efficiency just above 1", |v| set(v, "/sessions/0/efficiency", json!(1.01))),
        ("efficiency next to nothing", |v| set(v, "/sessions/0/efficiency", json!(1e-9))),
        ("no capacity", |v| set(v, "/sessions/0/capacity_kwh", json!(0))),
        ("fuller than full", |v| set(v, "/sessions/0/soc_kwh", json!(52.01))),
        ("negative charge", |v| set(v, "/sessions/0/soc_kwh", json!(-0.01))),
        ("negative need", |v| set(v, "/sessions/0/need_kwh", json!(-1))),
        ("need above capacity", |v| set(v, "/sessions/0/need_kwh", json!(52.01))),
        ("negative shortfall price", |v| set(v, "/sessions/0/shortfall_eur_kwh", json!(-2))),
        ("need in mWh", |v| set(v, "/sessions/0/need_kwh", json!(22.84e9))),
        ("v2g minimum above maximum", |v| set_v2g(v, v2g("min_a", json!(20)))),
        ("v2g minimum negative", |v| set_v2g(v, v2g("min_a", json!(-6)))),
        ("v2g maximum negative", |v| set_v2g(v, v2g("max_a", json!(-16)))),
        ("v2g efficiency", |v| set_v2g(v, v2g("efficiency", json!(90)))),
        ("v2g floor above capacity", |v| set_v2g(v, v2g("min_soc_kwh", json!(500)))),
        ("v2g floor negative", |v| set_v2g(v, v2g("min_soc_kwh", json!(-1)))),
        ("v2g wear negative", |v| set_v2g(v, v2g("wear_eur_kwh", json!(-0.05)))),
    ];
    insta::assert_snapshot!(transcript(cases));
}

fn v2g(field: &str, to: Value) -> Value {
    let mut v2g = json!({"min_a": 6, "max_a": 16, "efficiency": 0.9, "min_soc_kwh": 2, "wear_eur_kwh": 0.05});
    v2g[field] = to;
    v2g
}

#[test]
fn site() {
    let cases: &[(&str, Change)] = &[
        ("base load on no node", |v| set(v, "/base_load_a/0/node", json!("cellar"))),
        ("base load too short", |v| {
            v["base_load_a"][0]["l2"].as_array_mut().unwrap().pop();
        }),
        ("base load too large", |v| set(v, "/base_load_a/0/l2/95", json!(-2e9))),
        ("pv twice", |v| set(v, "/pv/1/id", json!("PV1"))),
        ("pv on no node", |v| set(v, "/pv/0/node", json!("roof"))),
        ("pv on no phase", |v| set(v, "/pv/0/phases", json!([]))),
        ("pv on one phase twice", |v| set(v, "/pv/0/phases", json!(["L1", "L1"]))),
        ("pv on an unknown phase", |v| set(v, "/pv/0/phases", json!(["L1", "N"]))),
        ("pv negative", |v| set(v, "/pv/0/kw/40", json!(-0.5))),
        ("pv too long", |v| push(v, "/pv/0/kw", json!(0))),
        ("prices too short", |v| set(v, "/grid/import_eur_kwh", json!([0.2]))),
        ("no export prices", |v| set(v, "/grid/export_eur_kwh", json!([]))),
        ("negative import cap", |v| set(v, "/grid/import_cap_kw/9", json!(-1))),
        ("negative export cap", |v| set(v, "/grid/export_cap_kw/9", json!(-1))),
        ("caps too short", |v| set(v, "/grid/import_cap_kw", json!([9]))),
        ("active power too short", |v| set(v, "/grid/base_kw", json!([9]))),
        ("carbon too short", |v| add(v, "/grid", "co2_kg_kwh", json!([0.3]))),
        ("negative peak price", |v| set(v, "/grid/peak_eur_kw", json!(-1))),
        ("negative peak", |v| set(v, "/grid/peak_so_far_kw", json!(-1))),
        ("battery twice", |v| push_like(v, "/batteries", &[])),
        ("battery on no node", |v| set(v, "/batteries/0/node", json!("x"))),
        ("battery of no capacity", |v| set(v, "/batteries/0/capacity_kwh", json!(0))),
        ("battery fuller than full", |v| set(v, "/batteries/0/soc_kwh", json!(36.5))),
        ("battery to end fuller than full", |v| set(v, "/batteries/0/end_soc_kwh", json!(36.5))),
        ("battery charging negative", |v| set(v, "/batteries/0/max_charge_kw", json!(-1))),
        ("battery discharging negative", |v| set(v, "/batteries/0/max_discharge_kw", json!(-1))),
        ("battery efficiency", |v| set(v, "/batteries/0/efficiency", json!(-0.95))),
        ("battery wear negative", |v| set(v, "/batteries/0/wear_eur_kwh", json!(-1))),
        ("battery shortfall negative", |v| set(v, "/batteries/0/shortfall_eur_kwh", json!(-1))),
        ("load twice", |v| push_like(v, "/loads", &[])),
        ("load on no node", |v| set(v, "/loads/0/node", json!("x"))),
        ("load on no phase", |v| set(v, "/loads/0/phases", json!([]))),
        ("load window empty", |v| set(v, "/loads/0/earliest", json!(90))),
        ("load window beyond the horizon", |v| set(v, "/loads/0/latest", json!(97))),
        ("load minimum above maximum", |v| set(v, "/loads/0/min_kw", json!(7.3))),
        ("load maximum negative", |v| set(v, "/loads/0/max_kw", json!(-7))),
        ("load need negative", |v| set(v, "/loads/0/need_kwh", json!(-1))),
        ("load shortfall negative", |v| set(v, "/loads/0/shortfall_eur_kwh", json!(-1))),
    ];
    insta::assert_snapshot!(transcript(cases));
}

#[test]
fn all_faults_are_named_at_once() {
    let refusal = refused(|v| {
        set(v, "/voltage_v", json!(0));
        set(v, "/nodes/1/limit_a/0", json!(0));
        set(v, "/chargers/0/node", json!("?"));
        set(v, "/sessions/0/efficiency", json!(92));
        set(v, "/sessions/0/need_kwh", json!(-1));
        set(v, "/loads/0/need_kwh", json!(-1));
    });
    assert_eq!(refusal.found(), 6, "{refusal}");
    assert_eq!(refusal.faults().len(), 6);
}

#[test]
fn many_faults_are_listed_in_part_and_counted() {
    let wrong_values = refused(|v| {
        let session = v["sessions"][0].clone();
        let sessions = (0..20_000).map(|k| {
            let mut session = session.clone();
            session["id"] = json!(format!("T{k}"));
            session["charger"] = json!(format!("none{k}"));
            session
        });
        v["sessions"] = sessions.collect();
    });
    assert_eq!((wrong_values.faults().len(), wrong_values.found()), (20, 20_000));
    assert_eq!(wrong_values.to_string().lines().last(), Some("and 19980 more"));

    let wrong_shapes = refused(|v| v["sessions"] = vec![json!({"id": "S"}); 20_000].into());
    assert_eq!((wrong_shapes.faults().len(), wrong_shapes.found()), (20, 20_000));
}

#[test]
fn what_the_format_allows_is_not_refused() {
    let cases: &[(&str, Change)] = &[
        ("a minimum above the charger's maximum: it cannot charge", |v| {
            set(v, "/sessions/0/min_a", json!(20));
            set(v, "/sessions/0/max_a", json!(32));
        }),
        ("negative prices", |v| set(v, "/grid/import_eur_kwh/4", json!(-0.3))),
        ("feed-in above import", |v| set(v, "/grid/export_eur_kwh/4", json!(9))),
        ("negative base load", |v| set(v, "/base_load_a/0/l1/4", json!(-30))),
        ("optional things left out", |v| {
            for list in ["base_load_a", "pv", "batteries", "loads"] {
                remove(v, "", list);
            }
            for field in ["import_cap_kw", "export_cap_kw", "base_kw"] {
                remove(v, "/grid", field);
            }
            remove(v, "/nodes/0", "imbalance_limit_a");
        }),
        ("optional things null", |v| {
            for field in ["import_cap_kw", "export_cap_kw", "base_kw", "co2_kg_kwh"] {
                add(v, "/grid", field, Value::Null);
            }
            set(v, "/nodes/0/imbalance_limit_a", Value::Null);
            set_v2g(v, Value::Null);
        }),
        ("no vehicles", |v| {
            set(v, "/sessions", json!([]));
            set(v, "/chargers", json!([]));
        }),
        ("one stay right after another", |v| {
            set(v, "/sessions/0/depart", json!(50));
            push_like(v, "/chargers", &[("id", json!("X"))]);
            for (id, from, to) in [("b", 50, 96), ("a", 0, 50)] {
                let changes =
                    [("id", json!(id)), ("charger", json!("X")), ("arrive", json!(from)), ("depart", json!(to))];
                push_like(v, "/sessions", &changes);
            }
        }),
        ("boards listed below their parents", |v| v["nodes"].as_array_mut().unwrap().reverse()),
        ("bounds themselves", |v| {
            set(v, "/sessions/0/efficiency", json!(1));
            set(v, "/sessions/0/soc_kwh", json!(52));
            set(v, "/sessions/0/need_kwh", json!(52));
            set(v, "/sessions/0/min_a", json!(16));
            set(v, "/slot_minutes", json!(1440));
        }),
        ("a v2g floor above the energy on arrival", |v| set_v2g(v, v2g("min_soc_kwh", json!(10)))),
    ];
    for (name, change) in cases {
        let mut value: Value = serde_json::from_str(SAMPLE).unwrap();
        change(&mut value);
        if let Err(refusal) = instance::parse(value.to_string().as_bytes()) {
            panic!("{name}: {refusal}");
        }
    }
    let with_mark = ["\u{feff}", SAMPLE].concat();
    assert_eq!(instance::parse(with_mark.as_bytes()), instance::parse(SAMPLE.as_bytes()));
}

#[test]
fn plans() {
    let good = json!({"format": 1, "status": "optimal", "objective_eur": 12.5, "bound_eur": 12.4, "someone_elses": {},
        "sessions": [{"id": "S1", "charge_a": [6, 0], "discharge_a": [0, 0], "shortfall_kwh": 0, "colour": "red"}],
        "batteries": [], "pv": [{"id": "PV1", "used_kw": [0.5, 0.25]}], "loads": []});
    let read = plan::parse(good.to_string().as_bytes()).unwrap();
    assert_eq!((read.objective_eur, read.bound_eur, read.solve_seconds, read.gap), (12.5, 12.4, 0.0, None));
    assert_eq!(read.sessions[0].charge_a, [6.0, 0.0]);
    assert_eq!(read.pv[0].used_kw, [0.5, 0.25]);

    let cases: &[(&str, Change)] = &[
        ("another format", |v| set(v, "/format", json!(3))),
        ("unknown status", |v| set(v, "/status", json!("best"))),
        ("no bound", |v| remove(v, "", "bound_eur")),
        ("no list of loads", |v| remove(v, "", "loads")),
        ("nameless session", |v| remove(v, "/sessions/0", "id")),
        ("current in words", |v| set(v, "/sessions/0/charge_a/1", json!("6 A"))),
        ("mistakes in two parts", |v| {
            set(v, "/sessions/0/charge_a/1", json!("6 A"));
            set(v, "/pv/0/used_kw", json!(0.5));
        }),
        ("unknown limit of a board", |v| {
            let prices = json!({"energy_eur_kwh": [], "peak_eur_kw": [],
                "boards": [{"node": "HV", "limit": "L1-L3", "slot": 1, "eur_a": 0.1}]});
            add(v, "", "prices", prices);
        }),
    ];
    let mut text = String::new();
    for (name, change) in cases {
        let mut value = good.clone();
        change(&mut value);
        let refusal = plan::parse(value.to_string().as_bytes()).unwrap_err();
        writeln!(text, "# {name}\n{refusal}\n").unwrap();
    }
    insta::assert_snapshot!(text);
}

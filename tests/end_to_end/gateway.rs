//! The OCPP gateway, tried by chargers that are not ours: real sockets, a service of its own.

use std::process::Command;

use super::chargers::python;
use super::{json, said, workspace};

#[test]
fn the_gateway_has_manners() {
    let Some(python) = python() else { return };
    let script = workspace().join("tests/ocpp/manners.py");
    let output = Command::new(python).arg(script).arg(env!("CARGO_BIN_EXE_kwartier")).output().expect("Python runs");
    let (out, err) = said(&output);
    assert!(output.status.success(), "{out}{err}");
    let verdict = json(&output.stdout);
    assert!(verdict["nonsense_by_the_ten_thousand"].as_u64().is_some_and(|sent| sent >= 9_000), "{verdict}");
    // 5 kWh by the register: 1000 Wh when it began, 6000 Wh when it ended after the service was killed.
    assert_eq!(verdict["steered"]["energies"], serde_json::json!([5.0]), "{verdict}");
}

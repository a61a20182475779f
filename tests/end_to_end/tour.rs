//! `scripts/tour`: what an integrator does, from an empty folder to streamed setpoints, with curl alone.

use std::process::Command;

use super::{said, workspace};

#[test]
fn from_an_empty_folder_to_streamed_setpoints_with_curl_alone() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "there is no curl");
        eprintln!("SKIPPED: there is no curl");
        return;
    }
    let script = workspace().join("scripts/tour");
    let output = Command::new(script).arg(env!("CARGO_BIN_EXE_kwartier")).output().expect("bash");
    let (out, err) = said(&output);
    assert!(output.status.success(), "{out}\n{err}");
    let setpoint = out.lines().find(|line| line.starts_with("data: ")).expect("a setpoint");
    let setpoint: serde_json::Value = serde_json::from_str(&setpoint["data: ".len()..]).expect("JSON");
    assert_eq!(setpoint["charger"], "Station 1");
    assert!(setpoint["limit_a"].as_f64() >= Some(6.0), "{setpoint}");
    let watts = 230.0 * setpoint["limit_a"].as_f64().unwrap_or(0.0) * setpoint["phases"].as_f64().unwrap_or(0.0);
    assert_eq!(setpoint["limit_w"].as_f64(), Some(watts), "amperes, phases and watts say the same: {setpoint}");
    for field in ["valid_until", "then_a", "trace"] {
        assert!(!setpoint[field].is_null(), "{field}: {setpoint}");
    }
}

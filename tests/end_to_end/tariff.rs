//! `kwartier tariff` and `kwartier feeds`.

use super::{Folder, json, kwartier, said};

#[test]
fn a_table_becomes_a_tariff_and_a_site_says_what_a_kwh_costs() {
    let folder = Folder::new();
    let presets = json(&kwartier(&["tariff", "presets", "--json"]).stdout);
    let ids: Vec<&str> = presets.as_array().unwrap().iter().filter_map(|preset| preset["id"].as_str()).collect();
    assert_eq!(ids, ["nl-business", "nl-home", "de-business", "de-home"]);
    let table = folder.file("fees.csv", "name;kind;ct_kwh\nfee;fixed;1,8\n");
    let out = folder.path("tariff.toml");
    let made = kwartier(&["tariff", "import", &table, "--preset", "nl-home", "--out", &out]);
    assert!(made.status.success(), "{}", said(&made).1);
    let section = std::fs::read_to_string(&out).unwrap();
    let site = folder.file(
        "site.toml",
        &format!(
            "format = 1\nname = \"Home\"\ntime_zone = \"Europe/Amsterdam\"\n\
             stations = [{{ id = \"A\", board = \"HV\", max_a = 16, rotation = \"RST\" }}]\n\
             boards = [{{ id = \"HV\", limit_a = 25 }}]\n{section}"
        ),
    );
    let arguments = ["tariff", "price", &site, "--at", "2026-11-28T12:00:00+01:00", "--spot", "-0.05", "--json"];
    let told = kwartier(&arguments);
    let (out, err) = said(&told);
    assert!(told.status.success(), "{err}");
    let price = json(out.as_bytes());
    let sum = price["import"]["eur_kwh"].as_f64().unwrap();
    assert!((sum - (-0.05 + 0.09161 + 0.018) * 1.21).abs() < 1e-9, "{price}");
    assert_eq!(price["import"]["parts"].as_array().unwrap().len(), 3);
    assert_eq!(price["export"]["eur_kwh"].as_f64(), Some(-0.05));
}

#[test]
fn what_makes_no_tariff_and_what_holds_no_answers_is_exit_2_with_a_remedy() {
    let folder = Folder::new();
    let table = folder.file("fees.csv", "name,kind,eur_kwh\nfee,fixed,0.02\n");
    for (arguments, remedy) in [
        (vec!["tariff", "import", &table, "--preset", "nl"], "nl-business"),
        (vec!["tariff", "price", &table, "--at", "2026-11-28T12:00:00Z"], "site file"),
        (vec!["feeds", "replay", &folder.path("")], "name the folder"),
        (vec!["feeds", "replay", ".", "--rank", "tibber"], "energy_charts"),
    ] {
        let output = kwartier(&arguments);
        let (_, err) = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(remedy), "{arguments:?}: {err}");
    }
}

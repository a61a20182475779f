//! `site import`, `site check` and `site export`: from an installer's tables to a site file and back.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Folder, json, kwartier, said, workspace};

fn tables() -> PathBuf {
    workspace().join("data/samples/depot-tables")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A folder with the sample's tables, one text in the stations replaced.
fn wrong(folder: &Folder, from: &str, to: &str) -> [String; 2] {
    let stations = fs::read_to_string(tables().join("stations.csv")).unwrap();
    assert!(stations.contains(from));
    [shown(&tables().join("boards.csv")), folder.file("stations.csv", &stations.replacen(from, to, 1))]
}

#[test]
fn tables_become_a_site_and_tables_again() {
    let folder = Folder::new();
    let (site, again) = (folder.path("depot.toml"), folder.path("again.toml"));
    let imported = kwartier(&["site", "import", &shown(&tables()), "--out", &site, "--name", "Depot"]);
    let (out, err) = said(&imported);
    assert_eq!(imported.status.code(), Some(0), "{err}");
    assert!(out.contains("├─ UV1"), "the tree of boards: {out}");
    assert!(out.contains("24 stations"), "{out}");
    let checked = kwartier(&["site", "check", &site]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked).0);
    assert!(said(&checked).0.contains("0 errors, 1 warning"), "{}", said(&checked).0);
    assert_eq!(kwartier(&["site", "check", &site, "--strict"]).status.code(), Some(1));
    for (target, language) in [("tables", "nl"), ("tables-en", "en"), ("tables.xlsx", "de")] {
        let target = folder.path(target);
        let exported = kwartier(&["site", "export", &site, "--out", &target, "--language", language]);
        assert_eq!(exported.status.code(), Some(0), "{}", said(&exported).1);
        let imported = kwartier(&["site", "import", &target, "--name", "Depot"]);
        assert_eq!(imported.status.code(), Some(0), "{}", said(&imported).1);
        fs::write(&again, &imported.stdout).unwrap();
        assert_eq!(fs::read(&again).unwrap(), fs::read(&site).unwrap(), "{language}");
    }
}

#[test]
fn nothing_is_written_of_tables_with_faults() {
    for (from, to, word) in [
        ("RST;32;UV1", "RST;22 kW;UV1", "is a power, not a current"),
        ("RST;32;UV1", "RST;32;UV9", "is no board of the site"),
        ("SN-1000;RST;", "SN-1000;;", "has no phase rotation"),
        ("RST;22;UV5", "RST;63;UV5", "is more than the 40 A of its board"),
        ("Faserotatie", "Kleur", "has no column for the phase rotation"),
    ] {
        let folder = Folder::new();
        let [boards, stations] = wrong(&folder, from, to);
        let site = folder.path("site.toml");
        let imported = kwartier(&["site", "import", &boards, &stations, "--out", &site]);
        let (out, err) = said(&imported);
        assert_eq!(imported.status.code(), Some(2), "{to}: {err}");
        assert!(out.is_empty(), "nothing on standard output: {out}");
        assert!(err.contains(word) && err.contains("stations.csv, row"), "{to}: {err}");
        assert!(!Path::new(&site).exists(), "{to}: nothing is written");
    }
}

#[test]
fn an_electrician_checks_tables_before_importing_them() {
    let folder = Folder::new();
    let [boards, stations] = wrong(&folder, "RST;22;UV5", "RST;63;UV5");
    let checked = kwartier(&["site", "check", &boards, &stations]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(said(&checked).0.contains("1 error:"), "{}", said(&checked).0);
    let checked = kwartier(&["site", "check", &boards, &stations, "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let report = json(&checked.stdout);
    assert_eq!(report["holds"], false);
    assert_eq!(report["findings"][0]["code"], "station-above-fuse");
    assert_eq!(report["findings"][0]["place"]["line"], 5);
    assert_eq!(report["boards"][0]["stations"], 24);
}

#[test]
fn a_file_that_is_there_is_not_replaced_and_an_update_keeps_it() {
    let folder = Folder::new();
    let sample = fs::read_to_string(workspace().join("data/samples/depot-site.toml")).unwrap();
    let site = folder.file("site.toml", &sample);
    let refused = kwartier(&["site", "import", &shown(&tables()), "--out", &site]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).1.contains("add --update"), "{}", said(&refused).1);
    let updated = kwartier(&["site", "import", &shown(&tables()), "--out", &site, "--update"]);
    assert_eq!(updated.status.code(), Some(0), "{}", said(&updated).1);
    assert_eq!(fs::read_to_string(&site).unwrap(), sample, "the tables say what the file says");
    let [_, stations] = wrong(&folder, "STR;22;UV1", "STR;20;UV1");
    let updated = kwartier(&["site", "import", &stations, "--out", &site, "--update", "--json"]);
    assert_eq!(updated.status.code(), Some(0), "{}", said(&updated).1);
    assert_eq!(json(&updated.stdout)["changes"]["changed"][0], "station \"Station 7\"");
    let text = fs::read_to_string(&site).unwrap();
    assert_eq!(
        text.lines().zip(sample.lines()).filter(|(new, old)| new != old).collect::<Vec<_>>(),
        [("max_a = 20", "max_a = 22")]
    );
}

#[test]
fn what_is_no_site_file_is_refused() {
    let folder = Folder::new();
    for (content, word) in [
        ("", "the file is empty"),
        ("format = 1\nnaam = \"x\"", "write name, if that is meant"),
        ("format : 1", "not TOML"),
        ("Naam;Limiet (A)\nHV;200\n", "kwartier site import"),
    ] {
        let site = folder.file("site.toml", content);
        let checked = kwartier(&["site", "check", &site]);
        assert_eq!(checked.status.code(), Some(2), "{content}");
        assert!(said(&checked).0.is_empty(), "nothing on standard output");
        assert!(said(&checked).1.contains(word), "{}", said(&checked).1);
    }
    for (arguments, word) in [
        (vec!["site", "check", "/nowhere.toml"], "name a file that exists"),
        (vec!["site", "import", "/nowhere.csv"], "name a file that exists"),
        (vec!["site", "export", "/nowhere.toml", "--out", "x"], "name a file that exists"),
    ] {
        let output = kwartier(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).1.contains(word), "{}", said(&output).1);
    }
    let empty = Folder::new();
    let output = kwartier(&["site", "import", &empty.path("")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).1.contains("holds no table"), "{}", said(&output).1);
}

#[test]
fn the_shared_tables_import_without_a_warning() {
    let shared = std::env::var_os("KWARTIER_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let samples = shared.join("samples");
    if !samples.is_dir() {
        eprintln!("SKIPPED: there is no {}; set KWARTIER_SHARED to the folder that holds samples/", samples.display());
        return;
    }
    let imported = kwartier(&["site", "import", &shown(&samples)]);
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported).1);
    assert!(!said(&imported).1.contains("warning"), "{}", said(&imported).1);
}

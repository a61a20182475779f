//! `kwartier config check`.

use std::process::Command;

use crate::{Folder, kwartier, said};

#[test]
fn without_a_file_the_defaults_are_shown() {
    let output = kwartier(&["config", "check"]);
    let (out, _) = said(&output);
    assert_eq!(output.status.code(), Some(0));
    assert!(out.contains("address = \"127.0.0.1:8080\"  # default"), "{out}");
    let folder = Folder::new();
    let again = kwartier(&["config", "check", &folder.file("kwartier.toml", &out)]);
    assert_eq!(again.status.code(), Some(0), "what is shown can be read: {}", said(&again).1);
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_no_secret() {
    let folder = Folder::new();
    let text = "database_url = \"postgresql://k:planted-secret@db/k\"\n[[listen]]\naddress = \"0.0.0.0:80\"\n";
    let output = kwartier(&["config", "check", &folder.file("kwartier.toml", text)]);
    let (out, err) = said(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(2), ""));
    assert!(err.contains("line 1, database_url: ") && err.contains("line 3, listen[0].address: "), "{err}");
    assert!(!err.contains("planted-secret"), "{err}");
    let output = kwartier(&["config", "check", &folder.path("nowhere.toml")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).1.contains("nowhere.toml cannot be read"));
}

#[test]
fn a_secret_is_read_from_its_file_and_never_shown() {
    let folder = Folder::new();
    let secret = folder.file("url", "postgresql://k:planted-secret@db/k\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kwartier"));
    let output =
        command.args(["config", "check"]).env("KWARTIER_DATABASE_URL_FILE", &secret).output().expect("it runs");
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let line = format!("database_url_file = \"{secret}\"  # KWARTIER_DATABASE_URL_FILE, its content is secret");
    assert!(out.contains(&line), "{out}");
    assert!(!out.contains("planted-secret") && !err.contains("planted-secret"));
}

//! What is handed out beside the binary fits the binary: the configuration, the unit, the container file.

use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Folder, kwartier, said, workspace};

/// Nothing that is waited for here takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

fn packaged(name: &str) -> String {
    std::fs::read_to_string(workspace().join("packaging").join(name)).expect("a file of packaging/")
}

#[test]
fn the_configuration_as_it_is_shipped_changes_nothing() {
    let file = workspace().join("packaging/kwartier.toml").display().to_string();
    let (with, without) = (kwartier(&["config", "check", &file]), kwartier(&["config", "check"]));
    assert_eq!(with.status.code(), Some(0), "{}", said(&with).1);
    assert_eq!(said(&with), said(&without));
}

#[test]
fn with_every_key_used_it_is_a_good_one_and_leaves_none_out() {
    let folder = Folder::new();
    let is_key = |line: &&str| line.starts_with(|first: char| first == '[' || first.is_ascii_lowercase());
    let shipped = packaged("kwartier.toml");
    let keys: Vec<&str> = shipped.lines().filter_map(|line| line.strip_prefix('#')).filter(is_key).collect();
    let pair = rcgen::generate_simple_self_signed(["kwartier.depot.example".to_owned()]).expect("a certificate");
    folder.file("cert.pem", &pair.cert.pem());
    folder.file("key.pem", &pair.signing_key.serialize_pem());
    folder.file("charger-authorities.pem", &pair.cert.pem());
    folder.file("database-url", "postgresql://kwartier@localhost/kwartier");
    folder.file("oidc-secret", "planted-secret");
    folder.file("entsoe-key", "planted-key");
    for key in ["open-meteo-key", "solcast-key", "forecast-solar-key", "electricity-maps-key", "tibber-token"] {
        folder.file(key, "planted-key");
    }
    let output = kwartier(&["config", "check", &folder.file("kwartier.toml", &keys.join("\n"))]);
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let left_out: Vec<&str> = out.lines().filter(|line| line.ends_with("# default")).collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}

/// The lists of words that the container file runs by an instruction, in their order.
fn run_by(containerfile: &str, instruction: &str) -> Vec<Vec<String>> {
    let lists = containerfile.lines().filter_map(|line| line.trim().strip_prefix(instruction));
    lists.map(|list| serde_json::from_str(list).expect("a list of words")).collect()
}

#[test]
fn what_the_unit_and_the_image_run_are_commands_of_the_binary() {
    let unit = packaged("systemd/kwartier.service");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/")).expect("a command");
    let containerfile = packaged("Containerfile");
    assert_eq!(run_by(&containerfile, "ENTRYPOINT "), [["kwartier"]]);
    let mut commands = run_by(&containerfile, "CMD ");
    assert_eq!(commands.len(), 2, "of the check and of the image");
    commands[1].insert(0, "kwartier".to_owned());
    commands.push(command.split(' ').map(str::to_owned).collect());
    for words in commands {
        assert_eq!(words[0], "kwartier");
        let mut arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        arguments.push("--help");
        let output = kwartier(&arguments);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", said(&output).1);
    }
}

/// A program that answers what packing asks: packing the real one takes minutes.
const STAND_IN: &str = r#"
#include <stdio.h>
#include <string.h>
int main(int count, char **words) {
  char page[4096];
  if (!strcmp(words[1], "--version")) puts("kwartier 9.8.7");
  if (!strcmp(words[1], "completions")) printf("completions for %s\n", words[2]);
  if (!strcmp(words[1], "man")) {
    snprintf(page, sizeof page, "%s/kwartier.1", words[3]);
    FILE *file = fopen(page, "w");
    fputs(".TH kwartier 1\n.SH NAME\nkwartier \\- a stand-in\n", file);
    fclose(file);
  }
  return 0;
}
"#;

#[test]
fn packing_leaves_nothing_out() {
    let folder = Folder::new();
    let (stand_in, dist) = (folder.path("kwartier"), folder.path("dist"));
    let run = |command: &mut Command| {
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{command:?}: {:?}", said(&output));
        said(&output).0
    };
    run(Command::new("cc").args(["-o", &stand_in, &folder.file("stand-in.c", STAND_IN)]));
    let made = run(Command::new(workspace().join("scripts/dist")).arg(&stand_in).env("DIST", &dist));
    let ending = |end: &str| made.lines().find(|file| file.ends_with(end));

    let archive = ending(".tar.gz").expect("an archive");
    let packed = run(Command::new("tar").args(["-tzf", archive]));
    let root = packed.lines().next().expect("a folder");
    assert!(root.starts_with("kwartier-9.8.7-"), "{root}");
    let containerfile = packaged("Containerfile");
    let copied = containerfile.lines().filter_map(|line| line.strip_prefix("COPY "));
    let copied = copied.flat_map(|line| line.split(' ').rev().skip(1).collect::<Vec<_>>());
    let also = ["Containerfile", "CHANGELOG.md", "completions/_kwartier", "docs/operations.md", "man/kwartier.1"];
    for file in copied.chain(also) {
        assert!(packed.lines().any(|packed| packed == format!("{root}{file}")), "{file} is missing in {packed}");
    }

    let Some(package) = ending(".deb") else {
        eprintln!("SKIPPED: there is no debhelper here, so no Debian package is looked at");
        return;
    };
    let packed = run(Command::new("dpkg-deb").args(["--contents", package]));
    let files = [
        "/etc/kwartier/kwartier.toml",
        "/usr/bin/kwartier",
        "/usr/lib/sysusers.d/kwartier.conf",
        "/lib/systemd/system/kwartier.service",
        "/usr/share/bash-completion/completions/kwartier",
        "/usr/share/doc/kwartier/NOTICES.txt.gz",
        "/usr/share/doc/kwartier/operations.md",
        "/usr/share/man/man1/kwartier.1.gz",
    ];
    for file in files {
        assert!(packed.lines().any(|packed| packed.ends_with(file)), "{file} is missing in {packed}");
    }
    assert_eq!(run(Command::new("dpkg-deb").args(["--field", package, "Version"])).trim(), "9.8.7-1");
}

#[test]
fn the_unit_is_what_systemd_understands() {
    let folder = Folder::new();
    let unit = packaged("systemd/kwartier.service").replace("/usr/bin/kwartier", env!("CARGO_BIN_EXE_kwartier"));
    let unit = folder.file("kwartier.service", &unit);
    let verified = Command::new("systemd-analyze").args(["--man=no", "verify", &unit]).output();
    match verified {
        Ok(output) => {
            let (_, told) = said(&output);
            assert!(output.status.success() && told.is_empty(), "{told}");
        }
        Err(fault) if fault.kind() == ErrorKind::NotFound => {
            eprintln!("SKIPPED: there is no systemd-analyze here, so nobody looks at the unit");
        }
        Err(fault) => panic!("{fault}"),
    }
}

#[test]
fn systemd_is_told_of_its_life_and_so_is_who_asks() {
    let folder = Folder::new();
    let data = folder.path("data");
    let socket = UnixDatagram::bind(folder.path("notify")).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let hear = |what: &str| {
        let (began, mut message) = (Instant::now(), [0; 256]);
        while began.elapsed() < PATIENCE {
            let length = socket.recv(&mut message).unwrap_or_else(|fault| panic!("{what} was not told: {fault}"));
            if message[..length].trim_ascii() == what.as_bytes() {
                return;
            }
        }
        panic!("{what} was not told");
    };
    let mut service = Command::new(env!("CARGO_BIN_EXE_kwartier"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data", &data])
        .env("NOTIFY_SOCKET", folder.path("notify"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut logs = BufReader::new(service.stderr.take().expect("logs")).lines();
    let told = logs.find_map(|line| Some(line.ok()?.split_once("listens at http://")?.1.to_owned())).expect("where");
    let address = told.split('/').next().expect("an address").to_owned();
    hear("READY=1");

    for asked in [vec!["health", "--listen", &address], vec!["health", "--alive", "--listen", &address]] {
        let output = kwartier(&asked);
        assert_eq!(output.status.code(), Some(0), "{:?}", said(&output));
        assert!(said(&output).0 == "ok\n" || said(&output).0 == "ready, 0 sites\n", "{:?}", said(&output));
    }

    hear("WATCHDOG=1");
    let kill = Command::new("kill").args(["-TERM", &service.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    hear("STOPPING=1");
    logs.for_each(drop);
    assert_eq!(service.wait().expect("an end").code(), Some(0));
    let output = kwartier(&["health", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1), "{:?}", said(&output));
    assert!(said(&output).1.contains("does not answer"), "{:?}", said(&output));
}

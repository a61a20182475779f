//! `kwartier store`: backup, restore, check, copy.

use std::path::Path;

use super::{Folder, kwartier, said, workspace};

/// A folder with the database of a release.
fn database(folder: &Folder) -> String {
    let packed = std::fs::File::open(workspace().join("tests/vintage/0.1.0/kwartier.db.zst")).unwrap();
    std::fs::create_dir(folder.path("data")).unwrap();
    std::fs::write(folder.path("data/kwartier.db"), zstd::decode_all(packed).unwrap()).unwrap();
    folder.path("data")
}

fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    let output = kwartier(arguments);
    let (out, told) = said(&output);
    assert_eq!(output.status.code(), Some(code), "{out}{told}");
    for word in words {
        assert!(format!("{out}{told}").contains(word), "{word} is not in:\n{out}{told}");
    }
}

fn works(arguments: &[&str]) -> String {
    let output = kwartier(arguments);
    let (out, told) = said(&output);
    assert!(output.status.success(), "{told}");
    out
}

#[test]
fn a_backup_is_made_checked_and_restored() {
    let folder = Folder::new();
    let (data, saved, again) = (database(&folder), folder.path("saved"), folder.path("again"));
    assert_eq!(works(&["store", "backup", "--data", &data, "--to", &saved]), "");
    let checked = works(&["store", "check", "--data", &saved]);
    assert!(checked.lines().any(|line| line.contains("document ") && line.contains("1002")), "{checked}");
    assert_eq!(works(&["store", "restore", "--from", &saved, "--data", &again]), "");
    assert_eq!(works(&["store", "check", "--data", &again]), checked);
    let copied = works(&["store", "copy", "--from", &data, "--to", &folder.path("copied")]);
    assert!(copied.contains("1002"), "{copied}");

    fails(&["store", "backup", "--data", &data, "--to", &saved], 2, &[&saved, "something in it", "empty"]);
    fails(&["store", "restore", "--from", &saved, "--data", &data], 2, &[&data, "something in it"]);
    fails(&["store", "copy", "--from", &data, "--to", &again], 2, &["document", "an empty place only"]);
    fails(&["store", "check", "--data", &folder.path("nowhere")], 2, &["nowhere", "no such file"]);
}

#[test]
fn damage_is_told_and_exit_code_1() {
    let folder = Folder::new();
    let data = database(&folder);
    let file = Path::new(&data).join("kwartier.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // A page in the middle.
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    fails(&["store", "check", "--data", &data], 1, &["the file is damaged"]);
    fails(&["store", "restore", "--from", &data, "--data", &folder.path("again")], 2, &["the backup is damaged"]);
    assert!(!Path::new(&folder.path("again")).exists());
}

#[test]
fn a_url_that_cannot_be_used_is_told_without_its_password() {
    let url = "postgres://somebody:s3cret@127.0.0.1:1/kwartier";
    let output = kwartier(&["store", "check", "--data", url]);
    let (out, told) = said(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(!format!("{out}{told}").contains("s3cret"), "{told}");
}

//! What SQLite in a folder does besides what every store does.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{at, put, vehicle};
use crate::store::{Fault, Kind, List, Store, sqlite};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_opened_by_one_at_a_time_and_all_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made/on demand");
    let first = sqlite::open(&folder).await.unwrap();
    first.write(at(1), vec![put(vehicle("depot", "van"), json!(1))]).await.unwrap();
    let told = sqlite::open(&folder).await.unwrap_err().to_string();
    let process = std::process::id().to_string();
    for word in [folder.to_str().unwrap(), "another kwartier", &process, "--data"] {
        assert!(told.contains(word), "{word} is not in: {told}");
    }
    first.close().await;
    assert!(matches!(first.healthy().await, Err(Fault::Unavailable(_))));
    let second = sqlite::open(&folder).await.unwrap();
    assert!(second.read(&vehicle("depot", "van"), None).await.unwrap().is_some());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&folder).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "hashes of passwords are in it");
}

/// A file system of 4 MB, where this may be made.
struct Small<'a>(&'a Path);

impl Small<'_> {
    fn mount(folder: &Path) -> Option<Small<'_>> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            eprintln!("SKIPPED: this needs to mount a small file system, which only root may");
            return None;
        }
        Some(Small(folder))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_it_goes_on_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_small) = Small::mount(folder.path()) else { return };
    let store = sqlite::open(&folder.path().join("data")).await.unwrap();
    let ballast = folder.path().join("ballast");
    std::fs::write(&ballast, vec![0; 2_000_000]).unwrap();
    let filling = json!("x".repeat(20_000));
    let mut written = 0;
    let fault = loop {
        let key = vehicle("depot", &format!("{written:04}"));
        match store.write(at(written), vec![put(key, filling.clone())]).await {
            Ok(_) => written += 1,
            Err(fault) => break fault,
        }
        assert!(written < 1000, "4 MB are never full");
    };
    assert!(matches!(fault, Fault::Unavailable(_)), "{fault:?}");
    assert!(matches!(store.healthy().await, Err(Fault::Unavailable(_))));
    let there = async || store.list(&List::of(Kind::Vehicle, "depot")).await.unwrap().items.len();
    assert_eq!(there().await, usize::try_from(written).unwrap(), "reading goes on, and all acknowledged is there");

    std::fs::remove_file(&ballast).unwrap();
    store.healthy().await.unwrap();
    store.write(at(written), vec![put(vehicle("depot", "after"), filling)]).await.unwrap();
    assert_eq!(there().await, usize::try_from(written).unwrap() + 1);
    store.close().await;

    // Made read-only, which Linux allows where nothing is open: told when it is opened, and no more.
    let remount = |how: &str| {
        let mounted = Command::new("mount").args(["-o", how]).arg(folder.path()).status();
        assert!(mounted.unwrap().success());
    };
    remount("remount,ro");
    let told = sqlite::open(&folder.path().join("data")).await.unwrap_err();
    assert!(matches!(&told, Fault::Unavailable(why) if why.contains("data")), "{told}");
    remount("remount,rw");
    sqlite::open(&folder.path().join("data")).await.unwrap().healthy().await.unwrap();
}

//! What SQLite in a folder does besides what every store does.

use serde_json::json;

use super::{at, put, vehicle};
use crate::store::{Fault, Store, sqlite};

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
}

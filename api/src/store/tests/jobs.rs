//! Jobs.

use serde_json::json;
use uuid::Uuid;

use super::at;
use super::documents::futures;
use crate::store::{Change, Job, JobState, NewJob, Store};

/// A job whose id sorts by its number.
fn new(number: u128, kind: &str, due: i64) -> NewJob {
    NewJob {
        id: Uuid::from_u128(number),
        kind: kind.to_owned(),
        tenant: "tenant".to_owned(),
        site: Some("depot".to_owned()),
        once: None,
        due: at(due),
        input: json!({ "number": 0.1 }),
    }
}

async fn enqueue(store: &dyn Store, jobs: impl IntoIterator<Item = NewJob>) {
    store.write(at(0), jobs.into_iter().map(Change::Enqueue).collect()).await.unwrap();
}

pub async fn a_job_is_claimed_by_one_only(store: &dyn Store) {
    let what = new(1, "solve", 0);
    enqueue(store, [what.clone(), new(2, "deliver", 0)]).await;
    let claims = futures((0..10).map(|_| store.claim(&["solve", "report"], at(5), at(65)))).await;
    let claimed: Vec<Job> = claims.into_iter().filter_map(Result::unwrap).collect();
    let expected = Job {
        what,
        state: JobState::Running,
        attempts: 1,
        progress: 0.0,
        result: None,
        error: None,
        made: at(0),
        changed: at(5),
        lease_until: Some(at(65)),
    };
    assert_eq!(claimed, [expected]);
    assert_eq!(store.claim(&[], at(5), at(65)).await.unwrap(), None);
}

pub async fn jobs_are_claimed_in_the_order_they_fell_due(store: &dyn Store) {
    enqueue(store, [new(1, "solve", 30), new(2, "solve", 10), new(3, "solve", 20), new(4, "solve", 20)]).await;
    let claim = async |second| {
        let job = store.claim(&["solve"], at(second), at(1000)).await.unwrap();
        job.map(|job| job.what.id.as_u128())
    };
    assert_eq!(claim(9).await, None);
    assert_eq!(claim(20).await, Some(2));
    assert_eq!(claim(20).await, Some(3));
    assert_eq!(claim(20).await, Some(4));
    assert_eq!(claim(29).await, None);
    assert_eq!(claim(30).await, Some(1));
}

pub async fn a_lease_that_ran_out_is_claimed_again_and_the_first_claimer_is_told(store: &dyn Store) {
    enqueue(store, [new(1, "solve", 0)]).await;
    let first = store.claim(&["solve"], at(0), at(60)).await.unwrap().unwrap();
    assert_eq!(store.claim(&["solve"], at(59), at(200)).await.unwrap(), None);
    let half = Job { progress: 0.5, changed: at(61), ..first.clone() };
    assert!(store.report(&half).await.unwrap(), "late, and still nobody else's");
    let second = store.claim(&["solve"], at(62), at(200)).await.unwrap().unwrap();
    assert_eq!((second.attempts, second.progress), (2, 0.5));
    let done = |job: &Job| Job {
        state: JobState::Done,
        progress: 1.0,
        result: Some(json!("plan")),
        changed: at(70),
        ..job.clone()
    };
    assert!(!store.report(&done(&first)).await.unwrap());
    assert_eq!(store.job(first.what.id).await.unwrap().unwrap().state, JobState::Running);
    assert!(store.report(&done(&second)).await.unwrap());
    let ended = store.job(first.what.id).await.unwrap().unwrap();
    assert_eq!(ended, Job { lease_until: None, ..done(&second) });
    assert!(!store.report(&done(&second)).await.unwrap(), "it has ended");
    assert_eq!(store.claim(&["solve"], at(500), at(600)).await.unwrap(), None);
    assert_eq!(store.forget_jobs(at(70)).await.unwrap(), 0);
    assert_eq!(store.forget_jobs(at(71)).await.unwrap(), 1);
    assert_eq!(store.job(first.what.id).await.unwrap(), None);
}

pub async fn a_report_prolongs_the_lease_and_ends_or_delays_the_job(store: &dyn Store) {
    enqueue(store, [new(1, "deliver", 0)]).await;
    let job = store.claim(&["deliver"], at(0), at(60)).await.unwrap().unwrap();
    let longer = Job { lease_until: Some(at(120)), changed: at(50), ..job.clone() };
    assert!(store.report(&longer).await.unwrap());
    let unsaid = Job { lease_until: None, ..longer };
    assert!(store.report(&unsaid).await.unwrap());
    assert_eq!(store.claim(&["deliver"], at(119), at(200)).await.unwrap(), None);
    let again = Job {
        state: JobState::Waiting,
        error: Some("no answer".to_owned()),
        what: NewJob { due: at(300), ..job.what.clone() },
        ..job
    };
    assert!(store.report(&again).await.unwrap());
    assert_eq!(store.claim(&["deliver"], at(299), at(400)).await.unwrap(), None);
    let second = store.claim(&["deliver"], at(300), at(400)).await.unwrap().unwrap();
    assert_eq!((second.attempts, second.error.as_deref()), (2, Some("no answer")));
}

pub async fn of_one_name_only_one_job_waits_or_runs(store: &dyn Store) {
    let named = |number| NewJob { once: Some("depot/plan".to_owned()), ..new(number, "solve", 0) };
    enqueue(store, [named(1), named(2), NewJob { once: Some("other/plan".to_owned()), ..new(3, "solve", 0) }]).await;
    assert_eq!(store.job(Uuid::from_u128(2)).await.unwrap(), None);
    assert!(store.job(Uuid::from_u128(3)).await.unwrap().is_some());
    let first = store.claim(&["solve"], at(1), at(60)).await.unwrap().unwrap();
    enqueue(store, [named(4)]).await;
    assert_eq!(store.job(Uuid::from_u128(4)).await.unwrap(), None, "the first is running");
    assert!(store.report(&Job { state: JobState::Failed, ..first }).await.unwrap());
    enqueue(store, [named(5)]).await;
    assert!(store.job(Uuid::from_u128(5)).await.unwrap().is_some());
}

pub async fn a_cancelled_job_takes_no_report(store: &dyn Store) {
    enqueue(store, [new(1, "solve", 0), new(2, "solve", 0)]).await;
    let job = store.claim(&["solve"], at(1), at(60)).await.unwrap().unwrap();
    let cancel = |number| Change::Cancel(Uuid::from_u128(number));
    store.write(at(2), vec![cancel(1), cancel(2), cancel(3)]).await.unwrap();
    assert!(!store.report(&Job { state: JobState::Done, ..job.clone() }).await.unwrap());
    let cancelled = store.job(job.what.id).await.unwrap().unwrap();
    assert_eq!((cancelled.state, cancelled.changed), (JobState::Cancelled, at(2)));
    assert_eq!(store.claim(&["solve"], at(99), at(100)).await.unwrap(), None);
    store.write(at(3), vec![cancel(1)]).await.unwrap();
    assert_eq!(store.job(job.what.id).await.unwrap().unwrap().changed, at(2), "it had ended");
}

pub async fn lists_of_jobs_go_from_the_newest_and_keep_to_tenants(store: &dyn Store) {
    let of = |number, tenant: &str| NewJob { tenant: tenant.to_owned(), ..new(number, "solve", 0) };
    enqueue(store, [of(1, "a"), of(2, "b"), of(3, "a"), of(4, "c")]).await;
    let list = async |tenants: Option<&[&str]>, before: Option<u128>, limit| {
        let tenants = tenants.map(|names| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        let jobs = store.jobs(tenants.as_deref(), before.map(Uuid::from_u128), limit).await.unwrap();
        jobs.iter().map(|job| job.what.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, 3).await, [4, 3, 2]);
    assert_eq!(list(None, Some(2), 3).await, [1]);
    assert_eq!(list(Some(&["a", "c"]), Some(4), 9).await, [3, 1]);
    assert_eq!(list(Some(&[]), None, 9).await, [0; 0]);
}

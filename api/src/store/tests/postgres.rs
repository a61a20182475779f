//! Several nodes on one PostgreSQL.

use serde_json::json;
use uuid::Uuid;

use super::cluster::Cluster;
use super::documents::futures;
use super::{at, put, vehicle};
use crate::store::{
    Change, Expect, Fault, Grain, LogPage, Measured, Measurements, NewEntry, NewJob, Store, Stream, postgres,
};

/// Two stores on one database behave as one.
pub async fn two_nodes_are_as_one(cluster: &Cluster) {
    let url = cluster.database("two_nodes").await;
    let opened = tokio::join!(postgres::open(&url), postgres::open(&url));
    let nodes = [opened.0.unwrap(), opened.1.unwrap()];
    let each = |count: usize| (0..count).map(|number| (number, &nodes[number % 2]));

    // A document that both want to make, and change in both orders.
    let van = |number: usize| vehicle("depot", &format!("van {number}"));
    let absent = |number: usize| Change::Put { key: van(0), body: json!(number), expect: Expect::Absent };
    let made = futures(each(20).map(|(number, node)| node.write(at(1), vec![absent(number)]))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(made.iter().all(|made| matches!(made, Ok(_) | Err(Fault::Conflict { .. }))), "{made:?}");
    let crossed = futures(each(40).map(|(number, node)| {
        let mut both = vec![put(van(1), json!(number)), put(van(2), json!(number))];
        if number % 2 == 0 {
            both.reverse();
        }
        both.push(Change::Log(NewEntry { stream: Stream::Audit, tenant: "a".to_owned(), site: None, body: json!({}) }));
        node.write(at(2), both)
    }))
    .await;
    assert!(crossed.iter().all(Result::is_ok), "{crossed:?}");
    assert_eq!(nodes[0].read(&van(1), None).await.unwrap().unwrap().version, 40);
    let log = LogPage { stream: Stream::Audit, tenants: None, site: None, after: 0, limit: 100 };
    let numbers: Vec<u64> = nodes[1].log(&log).await.unwrap().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());

    // Jobs: each is claimed once, by whichever node.
    let job = |number: u128| NewJob {
        id: Uuid::from_u128(number),
        kind: "solve".to_owned(),
        tenant: "a".to_owned(),
        site: None,
        once: None,
        due: at(0),
        input: json!({}),
    };
    nodes[0].write(at(0), (0..30).map(|number| Change::Enqueue(job(number))).collect()).await.unwrap();
    let claims = futures(each(60).map(|(_, node)| node.claim(&["solve"], at(1), at(60)))).await;
    let mut claimed: Vec<u128> =
        claims.into_iter().filter_map(Result::unwrap).map(|job| job.what.id.as_u128()).collect();
    claimed.sort_unstable();
    // A claim passes over what another node is claiming and may find nothing; nothing is claimed twice.
    assert!(claimed.windows(2).all(|two| two[0] < two[1]), "{claimed:?}");
    while let Some(job) = nodes[1].claim(&["solve"], at(1), at(60)).await.unwrap() {
        claimed.push(job.what.id.as_u128());
    }
    claimed.sort_unstable();
    assert_eq!(claimed, (0..30).collect::<Vec<_>>());

    // Both meet the same new places.
    let meter = |number: usize| Measured {
        site: format!("site {}", number % 5),
        place: format!("node/{}", number % 3),
        at: at(i64::try_from(number).unwrap()),
        phases_a: [1.0; 3],
        power_kw: None,
        energy_kwh: None,
    };
    let rows: Vec<Vec<Measured>> = (0..30).map(|number| vec![meter(number)]).collect();
    let told = futures(rows.iter().enumerate().map(|(number, rows)| nodes[number % 2].measure(rows))).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    // Both roll up at once: nothing is counted twice.
    let rolled = tokio::join!(nodes[0].roll_up(at(60), at(0)), nodes[1].roll_up(at(60), at(0)));
    assert_eq!(rolled.0.unwrap() + rolled.1.unwrap(), 30);
    let mut count = 0;
    for site in 0..5 {
        let ask = Measurements {
            site: format!("site {site}"),
            place: None,
            from: at(0),
            until: at(60),
            grain: Grain::Raw,
            after: None,
            limit: 100,
        };
        count += nodes[1].measured(&ask).await.unwrap().items.iter().map(|point| point.count).sum::<u32>();
    }
    assert_eq!(count, 30);
    for node in nodes {
        node.close().await;
    }
}

//! Plans.

use serde_json::json;
use uuid::Uuid;

use super::at;
use crate::store::{KeptPlan, PlanHead, Store};

fn plan(number: u128, site: &str, second: i64) -> KeptPlan {
    KeptPlan {
        head: PlanHead {
            id: Uuid::from_u128(number),
            site: site.to_owned(),
            at: at(second),
            summary: json!({ "cost_eur": 12.5 }),
        },
        instance: json!({ "slots": vec![0.1; 200], "number": number.to_string() }),
        plan: json!({ "charging_kw": vec![11.0; 200] }),
    }
}

pub async fn a_plan_comes_back_with_all_it_was_made_from(store: &dyn Store) {
    let kept = plan(1, "depot", 10);
    store.keep_plan(&kept).await.unwrap();
    store.keep_plan(&plan(2, "depot", 20)).await.unwrap();
    store.keep_plan(&plan(3, "other", 15)).await.unwrap();
    assert_eq!(store.plan(kept.head.id).await.unwrap(), Some(kept.clone()));
    assert_eq!(store.plan(Uuid::from_u128(9)).await.unwrap(), None);
    let heads = async |before, limit| {
        let plans = store.plans("depot", at(before), limit).await.unwrap();
        plans.iter().map(|head| head.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(heads(100, 9).await, [2, 1]);
    assert_eq!(heads(100, 1).await, [2]);
    assert_eq!(heads(20, 9).await, [1]);
    assert_eq!(store.plans("depot", at(20), 9).await.unwrap(), std::slice::from_ref(&kept.head));
    // A plan is what it was made as: kept again under the same id, it stays.
    store.keep_plan(&KeptPlan { plan: json!("other"), ..kept.clone() }).await.unwrap();
    assert_eq!(store.plan(kept.head.id).await.unwrap(), Some(kept));
}

pub async fn the_newest_plan_of_a_site_is_never_forgotten(store: &dyn Store) {
    for (number, site, second) in [(1, "depot", 10), (2, "depot", 20), (3, "depot", 30), (4, "other", 10)] {
        store.keep_plan(&plan(number, site, second)).await.unwrap();
    }
    assert_eq!(store.forget_plans(at(20)).await.unwrap(), 1);
    assert_eq!(store.forget_plans(at(100)).await.unwrap(), 1);
    let left = async |site: &str| store.plans(site, at(100), 9).await.unwrap().len();
    assert_eq!((left("depot").await, left("other").await), (1, 1));
    assert!(store.plan(Uuid::from_u128(3)).await.unwrap().is_some());
}

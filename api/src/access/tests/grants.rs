//! Access that an operator grants to an installer of another tenant, and withdraws.

use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::World;
use crate::access::role::Permission;

/// A depot with an operator, and a company of installers with its people.
struct Case {
    world: World,
    top: String,
    operator: String,
    fitter: String,
    fitter_id: String,
    clerk: String,
}

async fn case() -> Case {
    let world = World::new().await;
    let top = world.set_up().await;
    world.tenant(&top, "depot", "main").await;
    world.tenant(&top, "fitters", "main").await;
    world.site("north", "depot").await;
    let operator = world.key(&top, "depot", json!({"role": "operator", "tenant": "depot"})).await;
    let installer = json!([{"role": "installer", "tenant": "fitters"}]);
    let (fitter_id, fitter) = world.person(&top, "fit@fitters.example", "fitters", installer).await;
    let viewer = json!([{"role": "viewer", "tenant": "fitters"}]);
    let (_, clerk) = world.person(&top, "clerk@fitters.example", "fitters", viewer).await;
    Case { world, top, operator, fitter, fitter_id, clerk }
}

impl Case {
    async fn grant(&self, more: serde_json::Value) -> super::Answer {
        let mut body = json!({"tenant": "fitters", "role": "installer", "until": Utc::now() + TimeDelta::days(7)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.world.post("/v1/sites/north/grants", &self.operator, body).await
    }
}

#[tokio::test]
async fn an_installer_gets_in_for_a_time_and_out_again_when_it_is_withdrawn() {
    let case = case().await;
    let world = &case.world;
    assert_eq!(world.may(&case.fitter, "north", Permission::See).await, 404);
    let granted = case.grant(json!({})).await;
    assert_eq!(granted.status, 201, "{granted:?}");
    assert_eq!(world.may(&case.fitter, "north", Permission::Install).await, 200);
    assert_eq!(world.may(&case.fitter, "north", Permission::Operate).await, 403);
    assert_eq!(world.may(&case.clerk, "north", Permission::See).await, 404, "a grant makes nobody more than at home");
    let me = world.get("/v1/me", &case.fitter).await;
    assert!(me.body["scopes"].to_string().contains("north"), "{:?}", me.body);
    let list = world.get("/v1/sites/north/grants", &case.operator).await;
    assert_eq!(list.body["items"][0]["tenant"], "fitters");
    assert_eq!(world.get("/v1/sites/north/grants", &case.fitter).await.status, 403);
    let path = format!("/v1/sites/north/grants/{}", granted.text("id"));
    assert_eq!(world.delete(&path, &case.fitter).await.status, 403);
    assert_eq!(world.delete(&path, &case.operator).await.status, 204);
    assert_eq!(world.may(&case.fitter, "north", Permission::See).await, 404);
    assert_eq!(world.delete(&path, &case.operator).await.status, 404);
}

#[tokio::test]
async fn a_grant_ends_by_itself() {
    let case = case().await;
    case.grant(json!({})).await;
    let shown = crate::access::token::read(&case.fitter).unwrap();
    let may = |days| {
        let service = case.world.service.clone();
        let shown = shown.clone();
        async move {
            // The login ends before; so look at the person, not at the ticket.
            let now = crate::access::authenticate::authenticate(&service, &shown, Utc::now()).await.unwrap().unwrap();
            let then = crate::access::again(&service, &now, Utc::now() + TimeDelta::days(days)).await.unwrap().unwrap();
            crate::access::at_site(&service, &then, Permission::Install, "north").await.is_ok()
        }
    };
    assert!(may(6).await);
    assert!(!may(8).await);
}

#[tokio::test]
async fn one_person_alone_can_be_meant() {
    let case = case().await;
    let granted = case.grant(json!({"user": case.fitter_id, "role": "viewer"})).await;
    assert_eq!(granted.status, 201, "{granted:?}");
    assert_eq!(case.world.may(&case.fitter, "north", Permission::See).await, 200);
    assert_eq!(case.world.may(&case.clerk, "north", Permission::See).await, 404);
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_by_name() {
    let case = case().await;
    for role in ["operator", "admin", "driver", "service"] {
        assert_eq!(case.grant(json!({"role": role})).await.status, 403, "{role}");
    }
    for (more, field) in [
        (json!({"until": "2020-01-01T00:00:00Z"}), "until"),
        (json!({"until": Utc::now() + TimeDelta::days(400)}), "until"),
        (json!({"tenant": "nobody"}), "tenant"),
        (json!({"user": "0123"}), "user"),
    ] {
        let answer = case.grant(more).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body["errors"][0]["field"].as_str()),
            (422, Some(field)),
            "{answer:?}"
        );
    }
    let admin = json!({"tenant": "fitters", "role": "admin", "until": Utc::now() + TimeDelta::days(1)});
    assert_eq!(case.world.post("/v1/sites/north/grants", &case.top, admin).await.status, 403);
}

#[tokio::test]
async fn nothing_granted_outlives_the_site_and_its_name_stays_with_its_tenant() {
    let case = case().await;
    let world = &case.world;
    case.grant(json!({})).await;
    assert_eq!(world.may(&case.fitter, "north", Permission::See).await, 200);
    let changes = crate::access::release(&world.service, "north").await.unwrap();
    world.service.store.write(Utc::now(), changes).await.unwrap();
    world.service.gate.changed();
    assert_eq!(world.may(&case.fitter, "north", Permission::See).await, 404);
    // What is kept of its past stands under its name: another company cannot take that.
    world.tenant(&case.top, "other", "main").await;
    let change = crate::access::claim("north", "other").unwrap();
    assert!(world.service.store.write(Utc::now(), vec![change]).await.is_err());
}

#[tokio::test]
async fn a_role_at_a_site_counts_while_the_site_is_of_that_tenant() {
    let case = case().await;
    let world = &case.world;
    let scoped = world.key(&case.top, "main", json!({"role": "viewer", "site": "north"})).await;
    assert_eq!(world.may(&scoped, "north", Permission::See).await, 200);
    world.tenant(&case.top, "other", "main").await;
    // As if the site were another company's, whatever made it so.
    let name = crate::access::kept::name_key("site", "north");
    let changes = vec![crate::store::Change::Erase(name), crate::access::claim("north", "other").unwrap()];
    world.service.store.write(Utc::now(), changes).await.unwrap();
    world.service.gate.changed();
    for token in [&case.fitter, &case.operator, &scoped] {
        assert_eq!(world.may(token, "north", Permission::See).await, 404);
    }
    assert_eq!(world.may(&case.top, "north", Permission::See).await, 200);
}

//! Tenants within tenants.

use serde_json::json;

use super::World;
use crate::access::role::Permission;

#[tokio::test]
async fn who_stands_above_reaches_what_is_below_and_nobody_reaches_across() {
    let world = World::new().await;
    let top = world.set_up().await;
    world.tenant(&top, "group", "main").await;
    world.tenant(&top, "north", "group").await;
    world.tenant(&top, "south", "group").await;
    world.site("n1", "north").await;
    world.site("s1", "south").await;
    let group = world.key(&top, "group", json!({"role": "admin", "tenant": "group"})).await;
    let north = world.key(&group, "north", json!({"role": "admin", "tenant": "north"})).await;
    for (token, n1, s1) in [(&top, 200, 200), (&group, 200, 200), (&north, 200, 404)] {
        assert_eq!(world.may(token, "n1", Permission::Install).await, n1);
        assert_eq!(world.may(token, "s1", Permission::Install).await, s1);
    }
    let names = |answer: super::Answer| -> Vec<String> {
        let items = answer.body["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(world.get("/v1/tenants", &top).await), ["group", "main", "north", "south"]);
    assert_eq!(names(world.get("/v1/tenants", &group).await), ["group", "north", "south"]);
    assert_eq!(names(world.get("/v1/tenants", &north).await), ["north"]);
    let page = world.get("/v1/tenants?limit=2", &group).await;
    let next = page.text("next");
    assert_eq!(names(page), ["group", "north"]);
    let page = world.get(&format!("/v1/tenants?limit=2&cursor={next}"), &group).await;
    assert!(page.body["next"].is_null());
    assert_eq!(names(page), ["south"]);
    // What is above or beside is not even there.
    let read = world.get("/v1/tenants/north", &north).await;
    assert_eq!((read.status.as_u16(), read.body["parent"].as_str()), (200, None));
    assert_eq!(world.get("/v1/tenants/north", &group).await.body["parent"], "group");
    for hidden in ["main", "group", "south", "nowhere"] {
        assert_eq!(world.get(&format!("/v1/tenants/{hidden}"), &north).await.status, 404, "{hidden}");
    }
}

#[tokio::test]
async fn ids_are_given_once_in_the_whole_service() {
    let world = World::new().await;
    let top = world.set_up().await;
    world.tenant(&top, "a", "main").await;
    world.tenant(&top, "b", "main").await;
    let again = world.post("/v1/tenants", &top, json!({"id": "b", "name": "B", "parent": "a"})).await;
    assert_eq!(again.status, 409);
    for wrong in ["", "B", "a b", "a/b", &"x".repeat(65)] {
        let answer = world.post("/v1/tenants", &top, json!({"id": wrong, "name": "W"})).await;
        assert_eq!((answer.status.as_u16(), answer.body["errors"][0]["field"].as_str()), (422, Some("id")), "{wrong}");
    }
}

#[tokio::test]
async fn only_an_empty_tenant_goes_and_its_id_is_nobody_elses_then() {
    let world = World::new().await;
    let top = world.set_up().await;
    world.tenant(&top, "a", "main").await;
    world.tenant(&top, "b", "a").await;
    assert_eq!(world.delete("/v1/tenants/main", &top).await.status, 409);
    assert_eq!(world.delete("/v1/tenants/a", &top).await.status, 409);
    assert_eq!(world.delete("/v1/tenants/b", &top).await.status, 204);
    world.site("depot", "a").await;
    assert_eq!(world.delete("/v1/tenants/a", &top).await.status, 409);
    assert_eq!(world.get("/v1/tenants/b", &top).await.status, 404);
    let again = world.post("/v1/tenants", &top, json!({"id": "b", "name": "B"})).await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn a_change_is_refused_when_somebody_was_quicker() {
    let world = World::new().await;
    let top = world.set_up().await;
    world.tenant(&top, "a", "main").await;
    let read = world.get("/v1/tenants/a", &top).await;
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    let rename = |name: &'static str| {
        let request = world.client.patch(format!("{}/v1/tenants/a", world.url)).bearer_auth(&top);
        let request = request.header("if-match", tag.clone()).json(&json!({"name": name}));
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(rename("First").await, 200);
    assert_eq!(rename("Second").await, 412);
    assert_eq!(world.get("/v1/tenants/a", &top).await.body["name"], "First");
}

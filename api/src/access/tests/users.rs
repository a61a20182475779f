//! People, and what is personal about them.

use serde_json::json;

use super::{EMAIL, PASSWORD, World};

#[tokio::test]
async fn nothing_of_a_person_who_was_erased_is_left() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let viewer = json!([{"role": "viewer", "tenant": "main"}]);
    let (id, ticket) = world.person(&admin, "piet@personal.example", "main", viewer).await;
    let path = format!("/v1/users/{id}");
    let changed =
        world.patch(&path, &admin, json!({"name": "Piet Persoonlijk", "email": "piet2@personal.example"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(world.log_in("piet@personal.example", PASSWORD).await.status, 401);
    assert_eq!(world.log_in("piet2@personal.example", PASSWORD).await.status, 200);
    let before = world.all_kept().await;
    assert!(before.contains("piet2@personal.example") && before.contains("Piet Persoonlijk"));
    // What was before is dropped with the next sweep.
    assert!(before.contains("piet@personal.example"));
    crate::access::sweep(&world.service, chrono::Utc::now()).await.unwrap();
    let swept = world.all_kept().await;
    assert!(!swept.contains("piet@personal.example") && swept.contains("piet2@personal.example"));
    let audit = world.audit().await;
    assert!(audit.contains(&id) && !audit.contains("ersoon") && !audit.contains("personal.example"), "{audit}");
    assert_eq!(world.delete(&path, &admin).await.status, 204);
    let after = world.all_kept().await;
    for personal in ["personal.example", "Persoonlijk", "argon2"] {
        let others = usize::from(personal == "argon2");
        assert_eq!(after.matches(personal).count(), others, "{personal}: {after}");
    }
    assert_eq!(world.get("/v1/me", &ticket).await.status, 401);
    assert_eq!(world.get(&path, &admin).await.status, 404);
    // The address is free again.
    world.person(&admin, "piet2@personal.example", "main", json!([])).await;
}

#[tokio::test]
async fn the_last_admin_stays_admin() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let id = world.get("/v1/me", &admin).await.text("id");
    let path = format!("/v1/users/{id}");
    assert_eq!(world.delete(&path, &admin).await.status, 409);
    assert_eq!(world.patch(&path, &admin, json!({"disabled": true})).await.status, 409);
    assert_eq!(world.patch(&path, &admin, json!({"scopes": [{"role": "viewer", "tenant": "main"}]})).await.status, 409);
    assert_eq!(world.patch(&path, &admin, json!({"name": "Ann de Vries"})).await.status, 200);
    let two = json!([{"role": "admin", "tenant": "main"}]);
    let (_, other) = world.person(&admin, "two@depot.example", "main", two).await;
    assert_eq!(world.delete(&path, &other).await.status, 204);
}

#[tokio::test]
async fn an_address_belongs_to_one_person() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let body = |email: &str| json!({"email": email, "name": "Somebody", "scopes": []});
    assert_eq!(world.post("/v1/users", &admin, body("ANN@depot.example")).await.status, 409);
    let (id, _) = world.person(&admin, "bob@depot.example", "main", json!([])).await;
    let taken = world.patch(&format!("/v1/users/{id}"), &admin, json!({"email": EMAIL})).await;
    assert_eq!(taken.status, 409);
    assert_eq!(world.log_in("bob@depot.example", PASSWORD).await.status, 200, "nothing was changed");
    for wrong in ["", "bob", "@x", "b@", "b b@x", "a@b@c"] {
        let answer = world.post("/v1/users", &admin, body(wrong)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body["errors"][0]["field"].as_str()),
            (422, Some("email")),
            "{wrong}"
        );
    }
    let unknown = world.post("/v1/users", &admin, json!({"email": "c@x", "name": "C", "admin": true})).await;
    assert_eq!(unknown.status, 422, "unknown fields are refused");
}

#[tokio::test]
async fn who_is_kept_out_is_out_at_once() {
    let world = World::new().await;
    let admin = world.set_up().await;
    let (id, ticket) = world.person(&admin, "bob@depot.example", "main", json!([])).await;
    assert_eq!(world.get("/v1/me", &ticket).await.status, 200);
    world.patch(&format!("/v1/users/{id}"), &admin, json!({"disabled": true})).await;
    assert_eq!(world.get("/v1/me", &ticket).await.status, 401);
    world.patch(&format!("/v1/users/{id}"), &admin, json!({"disabled": false})).await;
    assert_eq!(world.get("/v1/me", &ticket).await.status, 401, "their logins have ended");
    assert_eq!(world.log_in("bob@depot.example", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn people_of_other_tenants_are_not_there() {
    let world = World::new().await;
    let top = world.set_up().await;
    world.tenant(&top, "a", "main").await;
    world.tenant(&top, "b", "main").await;
    let (id, _) = world.person(&top, "bob@b.example", "b", json!([])).await;
    let a = world.key(&top, "a", json!({"role": "admin", "tenant": "a"})).await;
    let path = format!("/v1/users/{id}");
    assert_eq!(world.get(&path, &a).await.status, 404);
    assert_eq!(world.patch(&path, &a, json!({"disabled": true})).await.status, 404);
    assert_eq!(world.delete(&path, &a).await.status, 404);
    assert_eq!(world.post(&format!("{path}/invitation"), &a, json!({})).await.status, 404);
    assert_eq!(world.get("/v1/users?tenant=b", &a).await.status, 404);
    assert_eq!(world.get("/v1/users", &a).await.body["items"], json!([]));
}

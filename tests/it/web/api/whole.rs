//! A customer as a whole: the profile with all its parts, and how what they do shows at once.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::store::{NewCustomer, Upsert};
use drumbeat::web::Daemon as _;
use serde_json::{Value, json};

use super::rig::Api;

async fn told(api: &Api, interactions: Value) {
    let body = json!({ "interactions": interactions });
    let result = api.post("/interactions", body).await.good(200);
    assert_eq!(result["recorded"], result["read"], "{result}");
}

fn each<'a>(page: &'a Value, list: &str, key: &str) -> Vec<&'a str> {
    let all = page[list].as_array().unwrap().iter();
    all.map(|one| one[key].as_str().unwrap()).collect()
}

/// As a file does that has a tag for everybody.
async fn tagged(api: &Api, id: &str, tag: &str) {
    let customer = NewCustomer {
        external_id: id.to_owned(),
        fields: Vec::new(),
    };
    let published = api.site.running.published();
    let how = Upsert {
        model: &published.revision.data_model,
        tags: &[tag.to_owned()],
        consents: &[],
        by: &By::new(Actor::named("omar"), Source::Import),
        at: api.site.clock_now(),
    };
    api.site
        .store
        .upsert_customers(&[customer], &how)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_profile_shows_who_somebody_is_with_links_organisations_tags_and_a_score() {
    let api = Api::start().await;
    let fields = json!({
        "first_name": "Eva", "last_name": "Silva", "picture_url": "https://img.example/eva.png",
        "email": "eva@example.com", "phone": "+41791234567", "address": "1 Shore Road",
        "gender": "female", "born_on": "1990-02-03", "score": 42,
        "websites": ["https://eva.example"], "social_links": ["https://social.example/@eva"],
        "organizations": ["Rowing Club", "Choir"], "products": ["loan"],
    });
    api.customer("eva", fields.clone()).await;
    tagged(&api, "eva", "vip").await;
    let eva = api.get("/customers/eva").await.good(200);
    assert_eq!(eva["fields"], fields);
    assert_eq!(eva["tags"], json!(["vip"]));
    for moment in ["created_at", "last_activity_at"] {
        assert!(eva.get(moment).is_some(), "{moment}");
    }
    // What is not there is not shown.
    api.customer("ben", json!({})).await;
    let ben = api.get("/customers/ben").await.good(200);
    assert_eq!(ben["fields"], json!({}));
}

#[tokio::test]
async fn a_profile_has_activities_tasks_notes_messages_and_a_score() {
    let api = Api::start().await;
    api.customer("eva", json!({"score": 7})).await;
    told(
        &api,
        json!([{ "id": "1", "kind": "login", "customer": "eva" }]),
    )
    .await;
    api.post("/customers/eva/tasks", json!({"name": "call"}))
        .await
        .good(201);
    api.post("/customers/eva/notes", json!({"body": "prefers mornings"}))
        .await
        .good(201);
    let offer = json!({"communication": "gold-card/offer-text"});
    api.post("/customers/eva/messages", offer).await.good(202);
    let eva = api.get("/customers/eva").await.good(200);
    assert_eq!(eva["fields"]["score"], 7);
    assert_eq!(each(&eva, "tasks", "name"), ["call"]);
    assert_eq!(each(&eva, "notes", "body"), ["prefers mornings"]);
    let lines = api.get("/customers/eva/interactions").await.good(200);
    let kinds = each(&lines, "interactions", "kind");
    for kind in ["login", "task-changed", "noted", "send-asked"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
}

#[tokio::test]
async fn a_file_and_what_somebody_does_write_the_same_profile() {
    let api = Api::start().await;
    api.customer("eva", json!({"city": "Lyon"})).await;
    let visit = json!([{ "id": "1", "kind": "page-visited", "visitor": "v-1",
        "page": { "url": "https://www.bank.example/loans" } }]);
    told(&api, visit).await;
    let who = json!({"visitor": "v-1", "customer": "eva"});
    api.post("/identify", who).await.good(200);
    let eva = api.get("/customers/eva").await.good(200);
    assert_eq!(eva["fields"]["city"], "Lyon");
    let lines = api
        .get("/customers/eva/interactions?kind=page-visited")
        .await
        .good(200);
    assert_eq!(each(&lines, "interactions", "kind"), ["page-visited"]);
}

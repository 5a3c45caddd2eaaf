//! The parts of a customer's profile: who they are, where they belong, what was last seen of them.

use serde_json::{Value, json};

use super::rig::Api;

async fn shown(api: &Api, id: &str) -> Value {
    api.get(&format!("/customers/{id}")).await.good(200)
}

async fn told(api: &Api, interactions: Value) {
    let body = json!({ "interactions": interactions });
    let result = api.post("/interactions", body).await.good(200);
    assert_eq!(result["recorded"], result["read"], "{result}");
}

const FIELDS: &str = r"customers:
  fields:
    instagram_profile: { description: Instagram Profile, type: text }
    joined_on: { description: Joined on, type: date, category: demographic }
    products: { description: Products, type: choice, cardinality: many, choices: [card, loan] }
    points: { description: Points, type: integer }
";

#[tokio::test]
async fn custom_fields_are_shown_as_they_are_configured_with_the_contacts_values() {
    let files = [("drumbeat.yaml", "workspace: x\n"), ("fields.yaml", FIELDS)];
    let api = Api::start_on(&files).await;
    let values = json!({ "instagram_profile": "@eva", "joined_on": "31.01.2026",
        "products": ["loan", "card"] });
    api.customer("eva", values).await;
    let eva = shown(&api, "eva").await;
    let expected = json!({ "instagram_profile": "@eva", "joined_on": "2026-01-31",
        "products": ["loan", "card"] });
    assert_eq!(eva["fields"], expected, "and no points");
    for (identifier, description, kind, category, cardinality) in [
        (
            "instagram_profile",
            "Instagram Profile",
            "text",
            "profile",
            "one",
        ),
        ("joined_on", "Joined on", "date", "demographic", "one"),
        ("products", "Products", "choice", "profile", "many"),
        ("points", "Points", "integer", "profile", "one"),
    ] {
        let field = api.get(&format!("/fields/{identifier}")).await.good(200);
        assert_eq!(field["description"], description);
        assert_eq!(field["type"], kind, "{identifier}");
        assert_eq!(field["category"], category, "{identifier}");
        assert_eq!(field["cardinality"], cardinality, "{identifier}");
    }
    for (field, value) in [("products", json!(["boat"])), ("shoe_size", json!(43))] {
        let fields = json!({ "fields": { field: value } });
        let answer = api.patch("/customers/eva", fields).await;
        answer.problem(422, "invalid");
    }
}

/// What other products call a group of contacts is a list here.
#[tokio::test]
async fn a_profile_shows_the_groups_that_the_contact_belongs_to() {
    let api = Api::start().await;
    for list in ["choir", "fair", "staff"] {
        api.post("/lists", json!({ "list": list })).await.good(201);
    }
    for (list, change) in [
        ("staff", json!({ "add": ["ana"] })),
        ("choir", json!({ "add": ["ana"] })),
        ("staff", json!({ "remove": ["ana"] })),
        ("fair", json!({ "add": ["ana"] })),
    ] {
        let path = format!("/lists/{list}/members");
        api.post(&path, change).await.good(200);
    }
    assert_eq!(shown(&api, "ana").await["lists"], json!(["choir", "fair"]));
    api.customer("ben", json!({})).await;
    assert_eq!(shown(&api, "ben").await["lists"], json!([]));
}

#[tokio::test]
async fn a_profile_shows_what_the_contact_answered_last_when_asked_for_a_recommendation() {
    let api = Api::start().await;
    assert_eq!(shown(&api, "ana").await["nps"], Value::Null);
    let answer = |id: &str, at: &str, score: u8, comment: &str| {
        json!([{ "id": id, "kind": "nps-answered", "customer": "ana", "at": at,
            "nps": { "score": score, "comment": comment, "question": "Would you recommend us?" } }])
    };
    told(&api, answer("1", "2025-12-02T10:00:00Z", 9, "quick")).await;
    told(&api, answer("2", "2025-12-01T10:00:00Z", 3, "slow")).await;
    let expected = json!({ "at": "2025-12-02T10:00:00Z", "score": 9, "group": "promoter",
        "comment": "quick", "question": "Would you recommend us?" });
    assert_eq!(shown(&api, "ana").await["nps"], expected);
    told(&api, answer("3", "2025-12-03T10:00:00Z", 6, "dear")).await;
    let now = shown(&api, "ana").await["nps"].clone();
    assert_eq!(
        (&now["score"], &now["group"], &now["comment"]),
        (&json!(6), &json!("detractor"), &json!("dear"))
    );
}

#[tokio::test]
async fn a_profile_shows_with_which_address_browser_and_system_somebody_was_last_seen() {
    let api = Api::start().await;
    assert_eq!(shown(&api, "ana").await["environment"], Value::Null);
    let login = |id: &str, at: &str, environment: Value| json!([{ "id": id, "kind": "login", "customer": "ana", "at": at, "environment": environment }]);
    let laptop = json!({ "ip": "192.0.2.7", "browser": "Firefox 140", "os": "Linux" });
    told(&api, login("1", "2025-12-02T10:00:00Z", laptop)).await;
    let before = json!({ "ip": "192.0.2.8", "browser": "Safari", "os": "iOS" });
    told(&api, login("2", "2025-12-01T10:00:00Z", before)).await;
    let seen = shown(&api, "ana").await["environment"].clone();
    for (key, value) in [
        ("ip", "192.0.2.7"),
        ("browser", "Firefox 140"),
        ("os", "Linux"),
        ("at", "2025-12-02T10:00:00Z"),
    ] {
        assert_eq!(seen[key], value, "{key}");
    }
}

async fn eva(fields: Value) -> (Api, Value) {
    let api = Api::start().await;
    api.customer("eva", fields).await;
    let eva = shown(&api, "eva").await;
    (api, eva)
}

#[tokio::test]
async fn a_profile_shows_tags_contact_information_and_demographic_data() {
    let fields = json!({
        "email": "eva@example.com", "phone": "+41791234567", "address": "1 Shore Road",
        "zip": "8001", "city": "Zürich", "country": "CH", "gender": "female",
        "born_on": "1990-02-03",
    });
    let (api, eva) = eva(fields.clone()).await;
    assert_eq!((&eva["fields"], &eva["tags"]), (&fields, &json!([])));
    let published = drumbeat::web::Daemon::published(&*api.site.running);
    api.site.tag("eva", "vip", &published).await;
    assert_eq!(shown(&api, "eva").await["tags"], json!(["vip"]));
    let ana = shown(&api, "ana").await;
    assert_eq!(ana["fields"], json!({ "first_name": "Ana" }));
    assert_eq!(ana["tags"], json!([]));
}

#[tokio::test]
async fn a_profile_shows_websites_social_media_and_organisations_when_there_are_any() {
    let fields = json!({
        "websites": ["https://eva.example", "https://blog.example"],
        "social_links": ["https://social.example/@eva"],
        "organizations": ["Rowing Club", "Choir"],
    });
    let (api, eva) = eva(fields.clone()).await;
    assert_eq!(eva["fields"], fields);
    let ana = shown(&api, "ana").await;
    assert_eq!(ana["fields"], json!({ "first_name": "Ana" }));
    let wrong = json!({ "fields": { "websites": ["no link"] } });
    let answer = api.patch("/customers/eva", wrong).await;
    answer.problem(422, "invalid");
    assert!(answer.text.contains("no link"), "{}", answer.text);
}

#[tokio::test]
async fn a_profile_shows_a_score_and_customers_are_found_and_sorted_by_it() {
    let (api, eva) = eva(json!({ "score": 42 })).await;
    assert_eq!(eva["fields"]["score"], 42);
    assert_eq!(shown(&api, "ana").await["fields"].get("score"), None);
    let more = json!({ "fields": { "score": 50 } });
    api.patch("/customers/ana", more).await.good(200);
    let order = json!({ "sort": "-score" });
    let page = api.post("/customers/search", order).await.good(200);
    assert_eq!(page["customers"][0]["fields"]["score"], 50);
    assert_eq!(page["customers"][1]["id"], "eva");
    let low = json!({ "where": { "field": "score", "less-than": 43 } });
    let page = api.post("/customers/search", low).await.good(200);
    assert_eq!(page["customers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_contact_with_the_company_is_kept_and_what_is_known_is_up_to_date() {
    let api = Api::start().await;
    told(
        &api,
        json!([
            { "id": "1", "kind": "page-visited", "customer": "ana", "at": "2026-01-05T08:00:00Z",
              "page": { "url": "https://bank.example/" } },
            { "id": "2", "kind": "transaction", "customer": "ana", "at": "2026-01-06T08:00:00Z",
              "transaction": { "amount": "5", "currency": "EUR" } },
            { "id": "3", "kind": "email-clicked", "customer": "ana", "at": "2026-01-07T08:00:00Z",
              "channel": "email" },
        ]),
    )
    .await;
    let city = |city: &str| json!({ "fields": { "city": city } });
    api.patch("/customers/ana", city("Lyon")).await.good(200);
    let off = json!({ "outbound": true, "email": true, "sms": false, "push": true });
    api.put("/customers/ana/switches", off).await.good(200);
    let offer = json!({ "communication": "gold-card/offer-text" });
    api.post("/customers/ana/messages", offer).await.good(202);
    api.patch("/customers/ana", city("Nice")).await.good(200);

    let ana = shown(&api, "ana").await;
    assert_eq!(ana["fields"]["city"], "Nice");
    assert_eq!(ana["switches"]["sms"], false);
    assert_eq!(ana["last_activity_at"], "2026-01-07T08:00:00Z");
    assert_eq!(ana["last_transaction_at"], "2026-01-06T08:00:00Z");
    let lines = api.get("/customers/ana/interactions").await.good(200);
    let lines = lines["interactions"].as_array().unwrap().iter();
    let mut kinds: Vec<&str> = lines.map(|line| line["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    let expected = [
        "email-clicked",
        "field-changed",
        "field-changed",
        "page-visited",
        "send-asked",
        "switched-off",
        "transaction",
    ];
    assert_eq!(kinds, expected);
}

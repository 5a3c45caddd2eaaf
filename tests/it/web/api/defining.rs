//! Fields, tags, segments and smart lists that are made over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use super::rig::{Answer, Api};

const SETTINGS: &str = "workspace: lakeside\n";
const CUSTOMERS: &str = r"customers:
  fields:
    joined_on: { description: Joined on, type: date }
  tags: { staff: { description: Staff } }
---
segment: in-lyon
where: { field: city, is: Lyon }
";

pub(super) async fn start() -> Api {
    Api::start_on(&[("drumbeat.yaml", SETTINGS), ("customers.yaml", CUSTOMERS)]).await
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let all = list.as_array().unwrap().iter();
    all.map(|one| one[key].as_str().unwrap()).collect()
}

async fn edit(api: &Api, path: &str, tag: &str, body: Value) -> Answer {
    let request = api.request(Method::PATCH, path).header("if-match", tag);
    api.send(request.json(&body)).await
}

async fn with_a_profile() -> Api {
    let api = start().await;
    let field = json!({
        "identifier": "instagram_profile",
        "description": "Instagram Profile",
        "type": "text",
        "category": "profile",
        "validate": [
            { "starts-with": "@", "message": "must begin with @" },
            { "script": "value|length <= 10", "message": "ten characters at most" },
        ],
    });
    let added = api.post("/fields", field).await;
    assert_eq!(added.good(201)["revision"], 2);
    assert_eq!(added.header("location"), "/api/v1/fields/instagram_profile");
    api
}

#[tokio::test]
async fn a_field_is_added_and_its_rules_hold_at_once() {
    let api = with_a_profile().await;
    let shown = api.get("/fields/instagram_profile").await;
    let told = shown.good(200);
    assert_eq!(told["description"], "Instagram Profile");
    let rule = json!({"starts-with": "@", "message": "must begin with @"});
    assert_eq!(told["validate"][0], rule);
    assert_eq!(
        (&told["origin"], &told["author"]),
        (&json!("store"), &json!("root"))
    );
    let version = format!("\"{}.", told["version"]);
    assert!(shown.header("etag").starts_with(&version));

    for (value, message) in [
        ("ana", "must begin with @"),
        ("@anastasia.of.lyon", "ten characters at most"),
    ] {
        let fields = json!({ "instagram_profile": value });
        let answer = api
            .patch("/customers/ana", json!({ "fields": fields }))
            .await;
        let problem = answer.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["message"], message);
        let batch = json!({ "customers": [{ "id": "ben", "fields": fields }] });
        let answer = api.post("/customers/batch", batch).await.good(200);
        assert!(answer.to_string().contains(message), "{answer}");
        let body = json!({ "id": "ben", "fields": fields });
        let problem = api.post("/customers", body).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["message"], message);
    }
    let fields = json!({ "instagram_profile": "@ben" });
    api.customer("ben", fields).await;
}

#[tokio::test]
async fn a_field_is_changed_and_removed() {
    let api = with_a_profile().await;
    let fields = json!({ "instagram_profile": "@ben" });
    api.customer("ben", fields).await;
    let path = "/fields/instagram_profile";
    let patch = json!({ "description": "Instagram", "validate": null });
    let changed = api.patch(path, patch.clone()).await.good(200);
    assert_eq!(
        (&changed["changed"], &changed["values"]["customers"]),
        (&json!(true), &json!(1))
    );
    let again = api.patch(path, patch).await.good(200);
    assert_eq!(again["changed"], false);
    let told = api.get(path).await.good(200);
    assert_eq!(
        (&told["description"], &told["validate"]),
        (&json!("Instagram"), &json!([]))
    );

    api.delete(path).await.good(204);
    api.get(path).await.problem(404, "not-found");
    let line = api.site.store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!(
        (line.what.as_str(), line.actor.as_str()),
        ("definition removed", "root")
    );
    assert_eq!(line.detail.as_deref(), Some("field instagram_profile"));
}

#[tokio::test]
async fn the_bodies_of_definitions_are_described_with_their_names() {
    let api = start().await;
    for (schema, name) in [
        ("FieldDefinition", "identifier"),
        ("TagDefinition", "tag"),
        ("SegmentDefinition", "segment"),
        ("SmartListDefinition", "name"),
    ] {
        let described = &api.document["components"]["schemas"][schema];
        assert!(described["properties"][name].is_object(), "{described}");
        let required = described["required"].as_array().unwrap();
        assert!(required.contains(&json!(name)), "{described}");
    }
}

/// An address, a body, and where and what is wrong with it.
type Wrong = (&'static str, Value, &'static str, &'static str);

fn wrong_fields() -> Vec<Wrong> {
    let field = |field, pointer, message| ("/fields", field, pointer, message);
    vec![
        field(
            json!({"identifier": "joined-at", "type": "date"}),
            "/identifier",
            "is not a field identifier",
        ),
        field(
            json!({"identifier": "size", "type": "choice"}),
            "",
            "`choices`",
        ),
        field(
            json!({"identifier": "size", "type": "text", "validate": [{"message": "x"}]}),
            "/validate/0",
            "exactly one",
        ),
        field(
            json!({"identifier": "size", "type": "text",
                "validate": [{"message": "x", "script": "value |"}]}),
            "/validate/0/script",
            "",
        ),
    ]
}

fn wrong_conditions() -> Vec<Wrong> {
    vec![
        (
            "/tags",
            json!({"tag": "vip", "color": "red"}),
            "/color",
            "red",
        ),
        (
            "/segments",
            json!({"segment": "rich", "where":
                {"all": [{"tag": "staff"}, {"field": "wealth", "is": "x"}]}}),
            "/where/all/1/field",
            "customers have no field `wealth`",
        ),
        (
            "/segments",
            json!({"segment": "Rich!", "where": {"tag": "staff"}}),
            "/segment",
            "Rich!",
        ),
        (
            "/smart-lists",
            json!({"name": "a b", "where": {"tag": "staff"}}),
            "/name",
            "a b",
        ),
        (
            "/segments",
            json!({"segment": "round", "where": {"segment": "round"}}),
            "/segment",
            "comes back to itself",
        ),
    ]
}

#[tokio::test]
async fn what_is_wrong_with_a_definition_is_told_by_pointer_and_nothing_is_stored() {
    let api = start().await;
    for (path, body, field, message) in wrong_fields().into_iter().chain(wrong_conditions()) {
        let answer = api.post(path, body.clone()).await;
        let problem = answer.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
        let told = problem["errors"][0]["message"].as_str().unwrap();
        assert!(told.contains(message), "{body}: {told}");
    }
    for (body, field) in [
        (json!({"identifier": "size", "type": "texts"}), "/type"),
        (json!({"identifier": "size", "typ": "text"}), "/typ"),
        (json!({"type": "text"}), ""),
    ] {
        let answer = api.post("/fields", body).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [field]);
    }
    assert_eq!(api.site.store.definition_changes().await.unwrap(), 0);
    assert_eq!(api.get("/status").await.good(200)["revision"], 1);
}

#[tokio::test]
async fn what_a_file_defines_and_what_is_there_already_is_left_alone() {
    let api = start().await;
    for (path, body) in [
        (
            "/fields",
            json!({"identifier": "joined_on", "type": "date"}),
        ),
        ("/tags", json!({"tag": "staff"})),
        (
            "/segments",
            json!({"segment": "in-lyon", "where": {"tag": "staff"}}),
        ),
        (
            "/smart-lists",
            json!({"name": "in-lyon", "where": {"tag": "staff"}}),
        ),
    ] {
        let problem = api.post(path, body).await.problem(409, "conflict");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("defined in `customers.yaml`"), "{detail}");
    }
    for path in ["/fields/joined_on", "/tags/staff", "/segments/in-lyon"] {
        let body = json!({"description": "mine"});
        api.patch(path, body).await.problem(409, "conflict");
        api.delete(path).await.problem(409, "conflict");
    }
    api.delete("/fields/email").await.problem(409, "conflict");
    api.delete("/fields/nothing")
        .await
        .problem(404, "not-found");
    api.patch("/tags/nothing", json!({}))
        .await
        .problem(404, "not-found");
    api.post("/tags", json!({"tag": "vip"})).await.good(201);
    api.post("/tags", json!({"tag": "vip"}))
        .await
        .problem(409, "conflict");
}

#[tokio::test]
async fn an_edit_upon_another_version_is_refused() {
    let api = start().await;
    api.post("/tags", json!({"tag": "a/b: c", "color": "#7a1fa2"}))
        .await
        .good(201);
    let path = "/tags/a%2Fb%3A%20c";
    let first = api.get(path).await;
    assert_eq!(first.good(200)["color"], "#7a1fa2");
    let tag = first.header("etag").to_owned();
    edit(&api, path, &tag, json!({"color": "#0a7d5a"}))
        .await
        .good(200);
    edit(&api, path, &tag, json!({"color": null}))
        .await
        .problem(412, "moved");
    let told = api.get(path).await.good(200);
    assert_eq!(told["color"], "#0a7d5a");
    let removal = api.request(Method::DELETE, path).header("if-match", &tag);
    api.send(removal).await.problem(412, "moved");
}

#[tokio::test]
async fn a_tag_that_customers_carry_is_removed_only_when_it_is_taken_from_them() {
    let api = start().await;
    api.post("/tags", json!({"tag": "vip"})).await.good(201);
    let published = api.site.store.current_revision().await.unwrap().unwrap();
    api.site.tag("ana", "vip", &published).await;
    assert_eq!(api.get("/tags/vip").await.good(200)["customers"], 1);
    let refused = api.delete("/tags/vip").await.problem(409, "conflict");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .starts_with("1 customer carries")
    );
    api.delete("/tags/vip?remove-from-customers=true")
        .await
        .good(204);
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["tags"], json!([]));
}

#[tokio::test]
async fn a_tag_and_a_field_that_segments_ask_for_stay() {
    let api = start().await;
    api.post("/tags", json!({"tag": "vip"})).await.good(201);
    api.post("/fields", json!({"identifier": "age", "type": "integer"}))
        .await
        .good(201);
    let segment = json!({"segment": "old-vips", "where": {"all": [
        {"tag": "vip"}, {"field": "age", "more-than": 70}]}});
    api.post("/segments", segment).await.good(201);
    for path in ["/tags/vip", "/fields/age"] {
        let problem = api.delete(path).await.problem(422, "invalid");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("made in the store: segment old-vips"),
            "{detail}"
        );
    }
    api.delete("/segments/old-vips").await.good(204);
    api.delete("/fields/age?erase-values=true").await.good(204);
    api.delete("/tags/vip").await.good(204);
}

#[tokio::test]
async fn segments_and_smart_lists_are_listed_apart_and_used_alike() {
    let api = start().await;
    api.customer("cid", json!({ "city": "Lyon" })).await;
    let list =
        json!({"name": "lyon-staff", "description": "Ours", "where": {"segment": "in-lyon"}});
    api.post("/smart-lists", list).await.good(201);
    let nested = json!({"segment": "theirs", "where": {"not": {"segment": "lyon-staff"}}});
    api.post("/segments", nested).await.good(201);
    for name in ["b", "c"] {
        let body = json!({"segment": name, "where": {"field": "city", "is": name}});
        api.post("/segments", body).await.good(201);
    }

    let lists = api.get("/smart-lists").await.good(200);
    assert_eq!(names(&lists["smart_lists"], "name"), ["lyon-staff"]);
    assert_eq!(
        lists["smart_lists"][0]["where"],
        json!({"segment": "in-lyon"})
    );
    let (mut query, mut seen) = ("limit=3".to_owned(), Vec::new());
    loop {
        let page = api.get(&format!("/segments?{query}")).await.good(200);
        let page_names = names(&page["segments"], "segment");
        seen.extend(page_names.iter().map(|name| (*name).to_owned()));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = format!("limit=3&cursor={next}");
    }
    assert_eq!(seen, ["b", "c", "in-lyon", "theirs"]);

    let counted = api.get("/smart-lists/lyon-staff").await.good(200);
    assert_eq!(
        (&counted["count"], &counted["origin"]),
        (&json!(1), &json!("store"))
    );
    let page = api.get("/segments/lyon-staff/customers").await.good(200);
    assert_eq!(names(&page["customers"], "id"), ["cid"]);
    assert_eq!(api.get("/segments/theirs").await.good(200)["count"], 1);

    let body = json!({"where": {"field": "city", "is": "Rome"}});
    api.patch("/smart-lists/lyon-staff", body).await.good(200);
    assert_eq!(
        api.get("/smart-lists/lyon-staff").await.good(200)["count"],
        0
    );
    api.delete("/smart-lists/lyon-staff")
        .await
        .problem(422, "invalid");
    api.delete("/segments/theirs").await.good(204);
    api.delete("/smart-lists/lyon-staff").await.good(204);
}

//! Tags as they are made and edited, and what is done to all who carry one or are in a segment.

use serde_json::{Value, json};

use super::lakeside::{among, did, ids, lakeside, set, tag};
use super::rig::Api;

/// Ana and Ben of Lyon, Cid of Rome; Ana and Cid carry `vip`.
async fn bank() -> Api {
    let api = lakeside().await;
    for (id, city) in [("ana", "Lyon"), ("ben", "Lyon"), ("cid", "Rome")] {
        set(&api, id, json!({ "city": city })).await;
    }
    tag(&api, "vip", &["ana", "cid"]).await;
    api
}

async fn tags(api: &Api, id: &str) -> Value {
    api.get(&format!("/customers/{id}")).await.good(200)["tags"].clone()
}

fn order(kind: &str, selection: &Value) -> Value {
    json!({ "kind": kind, "selection": selection })
}

#[tokio::test]
async fn a_tag_is_made_with_a_name_and_may_have_a_description_and_a_background_colour() {
    let api = lakeside().await;
    let gold = json!({ "tag": "oro", "description": "Clientes con tarjeta", "color": "#c0a000" });
    let made = api.post("/tags", gold.clone()).await;
    made.good(201);
    assert_eq!(made.header("location"), "/api/v1/tags/oro");
    let told = api.get("/tags/oro").await.good(200);
    for part in ["tag", "description", "color"] {
        assert_eq!(told[part], gold[part], "{part}");
    }
    api.post("/tags", json!({ "tag": "plain" })).await.good(201);
    let plain = api.get("/tags/plain").await.good(200);
    assert_eq!(
        (&plain["description"], &plain["color"]),
        (&Value::Null, &Value::Null)
    );
    for (body, field) in [
        (json!({ "description": "no name", "color": "#c0a000" }), ""),
        (json!({ "tag": "", "color": "#c0a000" }), "/tag"),
        (json!({ "tag": "red", "color": "red" }), "/color"),
    ] {
        let answer = api.post("/tags", body.clone()).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    api.post("/tags", gold).await.problem(409, "conflict");
}

#[tokio::test]
async fn tags_are_listed_edited_and_deleted() {
    let api = lakeside().await;
    let listed = async || -> Vec<String> {
        let page = api.get("/tags").await.good(200);
        let all = page["tags"].as_array().unwrap().iter();
        all.map(|tag| tag["tag"].as_str().unwrap().to_owned())
            .collect()
    };
    let gold = json!({ "tag": "gold", "description": "Has the card", "color": "#c0a000" });
    api.post("/tags", gold).await.good(201);
    assert_eq!(listed().await, ["gold", "guest", "vip"]);
    for (name, origin) in [("gold", "store"), ("vip", "file")] {
        let told = api.get(&format!("/tags/{name}")).await.good(200);
        assert_eq!(told["origin"], origin, "{name}");
    }
    let patch = json!({ "description": null, "color": "#000000" });
    api.patch("/tags/gold", patch).await.good(200);
    let told = api.get("/tags/gold").await.good(200);
    assert_eq!(
        (&told["description"], &told["color"]),
        (&Value::Null, &json!("#000000"))
    );
    api.delete("/tags/gold").await.good(204);
    assert_eq!(listed().await, ["guest", "vip"]);
    api.get("/tags/gold").await.problem(404, "not-found");
    let order = json!({ "kind": "add-tags", "tags": ["gold"], "selection": { "ids": ["ana"] } });
    api.post("/jobs", order).await.problem(422, "invalid");
}

#[tokio::test]
async fn all_customers_who_carry_a_tag_are_updated_by_one_order() {
    let api = bank().await;
    let mut change = order("set-fields", &json!({ "tag": "vip" }));
    change["fields"] = json!({ "city": "Nice", "points": 7 });
    let done = did(&api, change).await;
    assert_eq!((&done["total"], &done["changed"]), (&json!(2), &json!(2)));
    for (id, city, points) in [
        ("ana", "Nice", json!(7)),
        ("ben", "Lyon", Value::Null),
        ("cid", "Nice", json!(7)),
    ] {
        let fields = &api.get(&format!("/customers/{id}")).await.good(200)["fields"];
        let points_now = fields.get("points").cloned().unwrap_or_default();
        assert_eq!(
            (&fields["city"], points_now),
            (&json!(city), points),
            "{id}"
        );
    }
    let mut suspend = order("suspend", &json!({ "tag": "vip" }));
    suspend["reason"] = json!("moved away");
    assert_eq!(did(&api, suspend).await["changed"], 2);
    assert_eq!(
        among(&api, &[("status", "suspended")]).await,
        ["ana", "cid"]
    );
}

#[tokio::test]
async fn all_customers_who_carry_a_tag_are_deleted_by_one_order() {
    let api = bank().await;
    let done = did(&api, order("delete", &json!({ "tag": "vip" }))).await;
    assert_eq!((&done["total"], &done["changed"]), (&json!(2), &json!(2)));
    for id in ["ana", "cid"] {
        let gone = api.get(&format!("/customers/{id}")).await;
        gone.problem(404, "not-found");
    }
    api.get("/customers/ben").await.good(200);
    assert_eq!(api.get("/tags/vip").await.good(200)["customers"], 0);
}

#[tokio::test]
async fn all_members_of_a_segment_that_was_looked_at_are_given_several_tags() {
    let api = bank().await;
    let preview = api.get("/segments/in-lyon/customers").await.good(200);
    let mut members = ids(&preview);
    members.sort_unstable();
    assert_eq!(members, ["ana", "ben"]);
    let mut tagging = order("add-tags", &json!({ "segment": "in-lyon" }));
    tagging["tags"] = json!(["guest", "vip"]);
    assert_eq!(did(&api, tagging).await["total"], 2);
    for member in members {
        assert_eq!(
            tags(&api, &member).await,
            json!(["guest", "vip"]),
            "{member}"
        );
    }
    assert_eq!(tags(&api, "cid").await, json!(["vip"]));
    assert_eq!(among(&api, &[("tag", "guest")]).await, ["ana", "ben"]);
}

#[tokio::test]
async fn tags_are_put_on_many_when_they_are_uploaded_and_when_a_segment_is_updated() {
    let api = bank().await;
    let begun = api.bring("new.csv", "id,city\ndot,Oslo\neve,Lyon\n").await;
    api.work(&begun).await;
    let path = format!("/imports/{}", begun["import"]);
    let changed = api.patch(&path, json!({ "tags": ["guest"] })).await;
    api.work(&changed.good(200)).await;
    assert!(among(&api, &[("tag", "guest")]).await.is_empty());
    let saved = api.post(&format!("{path}/save"), json!(null)).await;
    api.work(&saved.good(202)).await;
    assert_eq!(among(&api, &[("tag", "guest")]).await, ["dot", "eve"]);
    let mut tagging = order("add-tags", &json!({ "segment": "in-lyon" }));
    tagging["tags"] = json!(["guest"]);
    did(&api, tagging).await;
    let guests = among(&api, &[("tag", "guest")]).await;
    assert_eq!(guests, ["ana", "ben", "dot", "eve"]);
    let mut off = order("remove-tags", &json!({ "segment": "in-lyon" }));
    off["tags"] = json!(["guest"]);
    did(&api, off).await;
    assert_eq!(among(&api, &[("tag", "guest")]).await, ["dot"]);
}

#[tokio::test]
async fn tags_are_put_on_in_the_background_and_are_seen_when_that_is_done() {
    let api = bank().await;
    let mut tagging = order("add-tags", &json!({ "segment": "in-lyon" }));
    tagging["tags"] = json!(["guest"]);
    let job = api.post("/jobs", tagging).await.good(202);
    let path = format!("/jobs/{}", job["job"]);
    let state = async || {
        let job = api.get(&path).await.good(200);
        ["state", "total", "done", "failed"].map(|key| job[key].clone())
    };
    let queued = [json!("queued"), Value::Null, json!(0), json!(0)];
    assert_eq!(state().await, queued);
    assert!(among(&api, &[("tag", "guest")]).await.is_empty());
    assert_eq!(tags(&api, "ben").await, json!([]));
    api.work(&job).await;
    assert_eq!(state().await, [json!("done"), json!(2), json!(2), json!(0)]);
    assert_eq!(among(&api, &[("tag", "guest")]).await, ["ana", "ben"]);
    assert_eq!(tags(&api, "ben").await, json!(["guest"]));
}

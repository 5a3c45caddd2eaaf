//! The data model as it is listed and added to: what each part of a field is for, and what is refused.

use serde_json::{Value, json};

use super::lakeside::{lakeside, set};
use super::rig::Api;

async fn fields(api: &Api) -> Vec<Value> {
    let fields = api.get("/fields").await.good(200);
    fields["fields"].as_array().unwrap().clone()
}

async fn add(api: &Api, field: Value) -> Value {
    let identifier = field["identifier"].as_str().unwrap().to_owned();
    api.post("/fields", field).await.good(201);
    api.get(&format!("/fields/{identifier}")).await.good(200)
}

/// A definition that is refused, and the place that is named.
async fn refused(api: &Api, field: Value) -> String {
    let answer = api.post("/fields", field).await;
    answer.problem(422, "invalid");
    answer.fields().remove(0)
}

/// The message of the one field that is refused, when Ana is given this value.
async fn said(api: &Api, field: &str, value: Value) -> String {
    let fields = json!({ "fields": { field: value } });
    let answer = api.patch("/customers/ana", fields).await;
    let problem = answer.problem(422, "invalid");
    let message = &problem["errors"][0]["message"];
    message.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_data_model_is_the_list_of_all_fields_and_nothing_else_is_stored() {
    let api = lakeside().await;
    let all = fields(&api).await;
    let names: Vec<&str> = all
        .iter()
        .map(|field| field["identifier"].as_str().unwrap())
        .collect();
    for name in [
        "first_name",
        "email",
        "phone",
        "city",
        "joined_on",
        "points",
        "products",
    ] {
        let times = names.iter().filter(|known| **known == name).count();
        assert_eq!(times, 1, "{name}: {names:?}");
    }
    assert!(!names.contains(&"shoe_size"), "{names:?}");
    let built_in = |name: &str| {
        let field = all.iter().find(|field| field["identifier"] == name);
        field.unwrap()["built_in"].clone()
    };
    assert_eq!(
        (built_in("email"), built_in("points")),
        (json!(true), json!(false))
    );
    said(&api, "shoe_size", json!(43)).await;
    add(
        &api,
        json!({ "identifier": "shoe_size", "type": "integer" }),
    )
    .await;
    assert_eq!(fields(&api).await.len(), all.len() + 1);
    set(&api, "ana", json!({ "shoe_size": 43 })).await;
    api.delete("/fields/shoe_size").await.good(204);
    assert_eq!(fields(&api).await, all);
    said(&api, "shoe_size", json!(43)).await;
}

#[tokio::test]
async fn a_field_is_known_by_its_identifier_alone() {
    let api = lakeside().await;
    let field = json!({ "identifier": "shoe_size", "description": "Points", "type": "integer" });
    add(&api, field.clone()).await;
    set(&api, "ana", json!({ "shoe_size": 43 })).await;
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["fields"]["shoe_size"], 43);
    assert_eq!(ana["fields"].get("points"), None);
    api.post("/fields", field).await.problem(409, "conflict");
    for bad in ["Shoe", "shoe-size", "1st", ""] {
        let field = json!({ "identifier": bad, "type": "integer" });
        assert_eq!(refused(&api, field).await, "/identifier", "{bad}");
    }
}

#[tokio::test]
async fn a_fields_description_is_what_segments_and_campaigns_call_it() {
    let api = lakeside().await;
    let field =
        json!({ "identifier": "shoe_size", "description": "Größe der Schuhe", "type": "integer" });
    let told = add(&api, field).await;
    assert_eq!(told["description"], "Größe der Schuhe");
    let condition = json!({ "field": "shoe_size", "more-than": 42 });
    let segment = json!({ "segment": "tall", "where": condition });
    api.post("/segments", segment).await.good(201);
    let counted = api
        .post("/segments/count", json!({ "where": condition }))
        .await;
    let words = counted.good(200)["words"].as_str().unwrap().to_owned();
    assert!(words.starts_with("Größe der Schuhe "), "{words}");
    assert_eq!(
        api.get("/segments/tall").await.good(200)["words"],
        words.as_str()
    );
    let loan = api
        .get("/customers/ana/campaigns/home-loan")
        .await
        .good(200);
    assert_eq!(loan["conditions"][0]["text"], "City is “Lyon”");
    let new = json!({ "description": "Shoes" });
    api.patch("/fields/shoe_size", new).await.good(200);
    let words = api.get("/segments/tall").await.good(200)["words"].clone();
    assert!(words.as_str().unwrap().starts_with("Shoes "), "{words}");
}

#[tokio::test]
async fn a_field_is_of_the_demographic_category_or_of_the_customers_profile() {
    let api = lakeside().await;
    let all = fields(&api).await;
    let category = |name: &str| {
        let field = all.iter().find(|field| field["identifier"] == name);
        field.unwrap()["category"].clone()
    };
    assert_eq!(category("city"), "demographic");
    assert_eq!(category("points"), "profile");
    for category in ["demographic", "profile"] {
        let identifier = format!("of_{category}");
        let field = json!({ "identifier": identifier, "type": "text", "category": category });
        assert_eq!(add(&api, field).await["category"], category);
    }
    let other = json!({ "identifier": "x", "type": "text", "category": "financial" });
    assert_eq!(refused(&api, other).await, "/category");
}

#[tokio::test]
async fn a_field_holds_one_value_or_more_than_one() {
    let api = lakeside().await;
    let field = |identifier: &str, cardinality: &str| {
        json!({ "identifier": identifier,
        "type": "text", "cardinality": cardinality })
    };
    for (identifier, cardinality) in [("pet", "one"), ("pets", "many")] {
        let told = add(&api, field(identifier, cardinality)).await;
        assert_eq!(told["cardinality"], cardinality);
    }
    let values = json!({ "pet": "cat", "pets": ["cat", "dog"] });
    set(&api, "ana", values.clone()).await;
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["fields"]["pet"], values["pet"]);
    assert_eq!(ana["fields"]["pets"], values["pets"]);
    said(&api, "pet", json!(["cat", "dog"])).await;
    assert_eq!(refused(&api, field("x", "some")).await, "/cardinality");
}

#[tokio::test]
async fn a_field_has_a_type_and_takes_only_values_of_it() {
    let api = lakeside().await;
    for (kind, good, bad) in [
        ("text", json!("Åsa"), json!(["Åsa"])),
        ("email", json!("ana@example.com"), json!("ana")),
        ("phone", json!("+41791234567"), json!("call me")),
        ("integer", json!(7), json!(7.5)),
        ("number", json!(7.5), json!("seven")),
        ("boolean", json!(true), json!("perhaps")),
        ("date", json!("2026-01-31"), json!("2026-02-30")),
        ("datetime", json!("2026-01-31T09:30:00Z"), json!("noon")),
        ("url", json!("https://ana.example/"), json!("ana.example")),
        ("choice", json!("b"), json!("c")),
    ] {
        let name = format!("a_{kind}");
        let mut field = json!({ "identifier": name, "type": kind });
        if kind == "choice" {
            field["choices"] = json!(["a", "b"]);
        }
        assert_eq!(add(&api, field).await["type"], kind);
        set(&api, "ana", json!({ &name: good })).await;
        said(&api, &name, bad).await;
        let ana = api.get("/customers/ana").await.good(200);
        assert_eq!(ana["fields"][&name], good, "{kind}");
    }
    let other = json!({ "identifier": "x", "type": "picture" });
    assert_eq!(refused(&api, other).await, "/type");
}

#[tokio::test]
async fn a_field_is_created_with_its_identifier_description_category_type_and_cardinality() {
    let api = lakeside().await;
    let profile = json!({ "identifier": "instagram_profile", "description": "Instagram Profile",
        "category": "profile", "type": "text", "cardinality": "one" });
    let refused = json!({ "fields": { "instagram_profile": "@ana" } });
    api.patch("/customers/ana", refused)
        .await
        .problem(422, "invalid");
    let told = add(&api, profile.clone()).await;
    for (attribute, given) in profile.as_object().unwrap() {
        assert_eq!(told[attribute], *given, "{attribute}");
    }
    set(&api, "ana", json!({ "instagram_profile": "@ana" })).await;
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["fields"]["instagram_profile"], "@ana");
}

#[tokio::test]
async fn a_predefined_rule_has_one_condition_or_several_and_each_must_be_met() {
    let api = lakeside().await;
    let one = json!([{ "starts-with": "@", "message": "must begin with @" }]);
    let several = json!([
        { "starts-with": "@", "message": "must begin with @" },
        { "min-length": 4, "message": "four at least" },
        { "max-length": 8, "message": "eight at most" },
    ]);
    for (identifier, rules) in [("one", &one), ("several", &several)] {
        let field = json!({ "identifier": identifier, "type": "text", "validate": rules });
        assert_eq!(add(&api, field).await["validate"], *rules);
    }
    set(&api, "ana", json!({ "one": "@a", "several": "@anna" })).await;
    for (field, bad, message) in [
        ("one", "a", "must begin with @"),
        ("several", "anna", "must begin with @"),
        ("several", "@a", "four at least"),
        ("several", "@anastasia", "eight at most"),
    ] {
        assert_eq!(said(&api, field, json!(bad)).await, message, "{bad}");
    }
}

#[tokio::test]
async fn a_script_refuses_what_no_predefined_rule_could_tell() {
    let api = lakeside().await;
    let script = "value|length == 7 and value[:2] in ['CH', 'FR'] and value|last == value[2]";
    let field = json!({ "identifier": "member_no", "type": "text",
        "validate": [{ "script": script, "message": "no member's number" }] });
    add(&api, field).await;
    for good in ["CH70007", "FR12341"] {
        set(&api, "ana", json!({ "member_no": good })).await;
    }
    for bad in ["CH70008", "DE70007", "CH700007", "FR1"] {
        assert_eq!(
            said(&api, "member_no", json!(bad)).await,
            "no member's number",
            "{bad}"
        );
    }
    let ana = api.get("/customers/ana").await.good(200);
    assert_eq!(ana["fields"]["member_no"], "FR12341");
}

#[tokio::test]
async fn a_field_may_have_a_predefined_rule_a_script_or_both() {
    let api = lakeside().await;
    let rule = json!({ "starts-with": "@", "message": "must begin with @" });
    let script = json!({ "script": "value|length <= 5", "message": "five at most" });
    for (identifier, rules) in [
        ("ruled", json!([rule])),
        ("scripted", json!([script])),
        ("both", json!([rule, script])),
    ] {
        let field = json!({ "identifier": identifier, "type": "text", "validate": rules });
        assert_eq!(add(&api, field).await["validate"], rules);
    }
    let good = json!({ "ruled": "@anastasia", "scripted": "ana", "both": "@ana" });
    set(&api, "ana", good).await;
    for (field, bad, message) in [
        ("ruled", "ana", "must begin with @"),
        ("scripted", "@anastasia", "five at most"),
        ("both", "ana", "must begin with @"),
        ("both", "@anastasia", "five at most"),
    ] {
        assert_eq!(
            said(&api, field, json!(bad)).await,
            message,
            "{field}: {bad}"
        );
    }
}

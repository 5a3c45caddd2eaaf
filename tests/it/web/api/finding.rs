//! Customers found by what people type, alone and with a filter beside it.

use drumbeat::domain::token::TokenScope;
use reqwest::Method;
use serde_json::json;

use super::lakeside::{among, did, found, lakeside, set, tag, told};
use super::rig::Api;

/// Ana and Ben of Lyon, Cid of Rome; Ana and Cid carry `vip`.
async fn bank() -> Api {
    let api = lakeside().await;
    let ana = json!({ "last_name": "Silva", "email": "ana@example.com", "city": "Lyon" });
    set(&api, "ana", ana).await;
    let ben = json!({
        "first_name": "Benedikt", "last_name": "Anders", "email": "Ben.Anders@example.org",
        "phone": "+41 79 123 45 67", "city": "Lyon", "joined_on": "2021-06-30", "points": 48_213,
        "balance": 1250.5, "tier": "gold", "products": ["loan", "Überweisung"],
        "websites": ["https://rowing.example/ben"],
    });
    set(&api, "L04286", ben).await;
    let cid = json!({
        "first_name": "Cid", "last_name": "Andersen", "email": "cid@example.com", "city": "Rome",
        "address": "next to L04286",
    });
    set(&api, "cid", cid).await;
    tag(&api, "vip", &["ana", "cid"]).await;
    api.index().await;
    api
}

async fn typed(api: &Api, text: &str) -> Vec<String> {
    found(api, &[("text", text)]).await
}

#[tokio::test]
async fn an_e_mail_address_or_a_part_of_it_finds_its_customer() {
    let api = bank().await;
    for text in ["ben.anders@example.org", "BEN.ANDERS@", "example.org"] {
        assert_eq!(typed(&api, text).await, ["L04286"], "{text}");
    }
    let of_two = among(&api, &[("text", "@example.com")]).await;
    assert_eq!(of_two, ["ana", "cid"]);
    assert!(typed(&api, "ben.anders@example.com").await.is_empty());
}

#[tokio::test]
async fn the_unique_id_finds_its_customer_before_whoever_has_it_in_a_field() {
    let api = bank().await;
    assert_eq!(typed(&api, "L04286").await, ["L04286", "cid"]);
    let by_part = among(&api, &[("text", "l042")]).await;
    assert_eq!(by_part, ["L04286", "cid"]);
    assert_eq!(typed(&api, "cid").await[0], "cid");
    assert!(typed(&api, "L04287").await.is_empty());
}

#[tokio::test]
async fn a_first_name_a_last_name_and_both_find_their_customer() {
    let api = bank().await;
    for text in ["silva", "SILV", "ana silva", "silva ana"] {
        assert_eq!(typed(&api, text).await, ["ana"], "{text}");
    }
    let alike = among(&api, &[("text", "Anders")]).await;
    assert_eq!(alike, ["L04286", "cid"]);
    assert_eq!(typed(&api, "benedikt anders").await, ["L04286"]);
    assert!(typed(&api, "ana anders").await.is_empty());
}

#[tokio::test]
async fn a_value_of_any_other_field_of_the_data_model_finds_its_customer() {
    let api = bank().await;
    for (field, text) in [
        ("phone", "79 123 45"),
        ("websites", "rowing.example"),
        ("tier", "gold"),
        ("points", "48213"),
        ("balance", "1250.5"),
        ("joined_on", "2021-06-30"),
        ("joined_on", "30.06.2021"),
        ("products", "uberweisung"),
        ("points and tier", "48213 gold"),
    ] {
        assert_eq!(typed(&api, text).await, ["L04286"], "{field}: {text}");
    }
    assert_eq!(typed(&api, "rome").await, ["cid"]);
    for text in ["48214", "1250.6", "29.06.2021", "silver", "rome gold"] {
        assert!(typed(&api, text).await.is_empty(), "{text}");
    }
    let field = json!({ "identifier": "member_no", "type": "integer" });
    api.post("/fields", field).await.good(201);
    set(&api, "cid", json!({ "member_no": 990_017 })).await;
    api.index().await;
    assert_eq!(typed(&api, "990017").await, ["cid"]);
}

#[tokio::test]
async fn what_is_typed_finds_only_those_who_carry_the_tag_asked_for() {
    let api = bank().await;
    assert_eq!(
        among(&api, &[("text", "an")]).await,
        ["L04286", "ana", "cid"]
    );
    assert_eq!(
        among(&api, &[("text", "an"), ("tag", "vip")]).await,
        ["ana", "cid"]
    );
    assert_eq!(
        among(&api, &[("text", "anders"), ("tag", "vip")]).await,
        ["cid"]
    );
    assert!(
        among(&api, &[("text", "an"), ("tag", "guest")])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_typed_finds_only_those_who_are_in_the_segment_asked_for() {
    let api = bank().await;
    let in_lyon = ("segment", "in-lyon");
    assert_eq!(
        among(&api, &[("text", "an"), in_lyon]).await,
        ["L04286", "ana"]
    );
    assert_eq!(
        among(&api, &[("text", "anders"), in_lyon]).await,
        ["L04286"]
    );
    set(&api, "L04286", json!({ "city": "Rome" })).await;
    assert!(among(&api, &[("text", "anders"), in_lyon]).await.is_empty());
    let unknown = api.get("/customers?text=an&segment=in-lyons").await;
    unknown.problem(400, "bad-request");
}

#[tokio::test]
async fn what_is_typed_finds_only_those_who_converted_in_the_campaign_asked_for() {
    let api = bank().await;
    let of = |id: &str, kind: &str, customer: &str, campaign: &str| {
        let mut one = json!({ "id": id, "kind": kind, "customer": customer, "campaign": campaign });
        if kind == "banner-clicked" {
            one["banner"] = json!("spring");
        }
        one
    };
    let all = json!([
        of("1", "conversion", "L04286", "gold-card"),
        of("2", "conversion", "cid", "gold-card"),
        of("3", "conversion", "ana", "home-loan"),
        of("4", "banner-clicked", "ana", "gold-card"),
    ]);
    told(&api, all).await;
    let gold = ("converted", "gold-card");
    assert_eq!(
        among(&api, &[("text", "an"), gold]).await,
        ["L04286", "cid"]
    );
    assert_eq!(among(&api, &[("text", "rome"), gold]).await, ["cid"]);
    assert!(among(&api, &[("text", "silva"), gold]).await.is_empty());
    let loan = [("text", "an"), ("converted", "home-loan")];
    assert_eq!(among(&api, &loan).await, ["ana"]);
}

#[tokio::test]
async fn customers_are_found_by_their_tag() {
    let api = bank().await;
    let vip = [("tag", "vip")];
    assert_eq!(among(&api, &vip).await, ["ana", "cid"]);
    assert!(among(&api, &[("tag", "guest")]).await.is_empty());
    tag(&api, "guest", &["ana", "L04286"]).await;
    let both = json!({ "where": { "all": [{ "tag": "vip" }, { "tag": "guest" }] } });
    let page = api.post("/customers/search", both).await.good(200);
    assert_eq!(super::lakeside::ids(&page), ["ana"]);
    let off = json!({ "kind": "remove-tags", "tags": ["vip"], "selection": { "ids": ["ana"] } });
    did(&api, off).await;
    assert_eq!(among(&api, &vip).await, ["cid"]);
}

#[tokio::test]
async fn searching_by_a_tag_is_open_to_those_who_may_neither_change_nor_delete_its_customers() {
    let api = bank().await;
    let token = api.token("reader", &[TokenScope::CustomersRead]).await;
    let as_reader = |method, path| api.bare(method, path).bearer_auth(&token);
    let before = api.get("/customers/ana").await.good(200);
    let page = api
        .send(as_reader(Method::GET, "/customers?tag=vip&sort=id"))
        .await;
    assert_eq!(super::lakeside::ids(&page.good(200)), ["ana", "cid"]);
    let selection = json!({ "tag": "vip" });
    for order in [
        json!({ "kind": "set-fields", "fields": { "city": "Nice" }, "selection": selection }),
        json!({ "kind": "delete", "selection": selection }),
    ] {
        let asked = as_reader(Method::POST, "/jobs").json(&order);
        api.send(asked).await.problem(403, "forbidden");
    }
    assert_eq!(api.get("/customers/ana").await.good(200), before);
    let change =
        json!({ "kind": "set-fields", "fields": { "city": "Nice" }, "selection": selection });
    assert_eq!(did(&api, change).await["changed"], 2);
    let deleted = did(&api, json!({ "kind": "delete", "selection": selection })).await;
    assert_eq!(deleted["changed"], 2);
    assert!(among(&api, &[("tag", "vip")]).await.is_empty());
}

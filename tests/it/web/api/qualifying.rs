//! For which campaigns a customer qualifies, by which segments, and what is told where they do not.

use serde_json::{Value, json};

use super::lakeside::{lakeside, set, tag, told};
use super::rig::Api;

/// The campaigns with this answer, in the order of the list.
async fn with(api: &Api, qualifies: &Value) -> Vec<String> {
    let page = api.get("/customers/ana/campaigns").await.good(200);
    let all = page["campaigns"].as_array().unwrap().iter();
    let those = all.filter(|one| one["qualifies"] == *qualifies);
    those
        .map(|one| one["campaign"].as_str().unwrap().to_owned())
        .collect()
}

async fn picked(api: &Api, campaign: &str) -> Value {
    let path = format!("/customers/ana/campaigns/{campaign}");
    api.get(&path).await.good(200)
}

fn segments(told: &Value) -> Vec<(&str, bool)> {
    let all = told["segments"].as_array().unwrap().iter();
    all.map(|one| {
        let name = one["segment"].as_str().unwrap();
        (name, one["met"].as_bool().unwrap())
    })
    .collect()
}

#[tokio::test]
async fn the_campaigns_for_which_a_customer_qualifies_are_listed_as_things_stand() {
    let api = lakeside().await;
    assert!(with(&api, &json!(true)).await.is_empty());
    set(&api, "ana", json!({ "city": "Lyon" })).await;
    assert_eq!(with(&api, &json!(true)).await, ["home-loan"]);
    assert_eq!(with(&api, &json!(false)).await, ["gold-card"]);
    tag(&api, "vip", &["ana"]).await;
    assert_eq!(with(&api, &json!(true)).await, ["gold-card", "home-loan"]);
    set(&api, "ana", json!({ "city": "Rome" })).await;
    assert!(with(&api, &json!(true)).await.is_empty());
    // A campaign without a segment asks nobody.
    assert_eq!(with(&api, &Value::Null).await, ["statements"]);
}

#[tokio::test]
async fn any_campaign_of_the_list_is_picked_and_answers_whether_the_customer_qualifies() {
    let api = lakeside().await;
    set(&api, "ana", json!({ "city": "Lyon" })).await;
    let page = api.get("/customers/ana/campaigns").await.good(200);
    let listed = page["campaigns"].as_array().unwrap();
    let answers: Vec<(&str, &Value)> = listed
        .iter()
        .map(|one| (one["campaign"].as_str().unwrap(), &one["qualifies"]))
        .collect();
    let expected = [
        ("gold-card", &json!(false)),
        ("home-loan", &json!(true)),
        ("statements", &Value::Null),
    ];
    assert_eq!(answers, expected);
    for (campaign, qualifies) in answers {
        assert_eq!(&picked(&api, campaign).await["qualifies"], qualifies);
    }
    let path = "/customers/ana/campaigns/gold-crad";
    let unknown = api.get(path).await.problem(404, "not-found");
    assert!(unknown["detail"].as_str().unwrap().contains("gold-card"));
}

#[tokio::test]
async fn a_campaign_says_which_segments_made_the_customer_qualify() {
    let api = lakeside().await;
    set(&api, "ana", json!({ "city": "Lyon" })).await;
    tag(&api, "vip", &["ana"]).await;
    let gold = picked(&api, "gold-card").await;
    assert_eq!(gold["qualifies"], true);
    assert_eq!(segments(&gold), [("important", true), ("in-lyon", true)]);
    let loan = picked(&api, "home-loan").await;
    assert_eq!(segments(&loan), [("in-lyon", true)]);
    assert_eq!(segments(&picked(&api, "statements").await), []);
}

#[tokio::test]
async fn who_does_not_qualify_is_told_so_with_what_is_lacking_and_what_there_was_before() {
    let api = lakeside().await;
    set(&api, "ana", json!({ "city": "Lyon" })).await;
    let converted = json!([{ "id": "1", "kind": "conversion", "customer": "ana", "campaign": "gold-card" },
        { "id": "2", "kind": "conversion", "customer": "ana", "campaign": "home-loan" }]);
    told(&api, converted).await;
    let gold = picked(&api, "gold-card").await;
    assert_eq!(gold["qualifies"], false);
    assert_eq!(segments(&gold), [("important", false), ("in-lyon", true)]);
    let lacking = gold["conditions"].as_array().unwrap().iter();
    let met: Vec<&Value> = lacking.map(|point| &point["met"]).collect();
    assert_eq!(met, [&json!(true), &json!(false)]);
    let lines = gold["interactions"].as_array().unwrap();
    let told: Vec<&Value> = lines.iter().map(|line| &line["campaign"]).collect();
    assert_eq!(told, ["gold-card"]);
    tag(&api, "vip", &["ana"]).await;
    let gold = picked(&api, "gold-card").await;
    assert_eq!(gold["qualifies"], true);
    assert_eq!(gold["interactions"].as_array().unwrap(), lines);
}

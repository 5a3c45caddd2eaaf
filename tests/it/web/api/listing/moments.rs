//! Finding customers by when something of theirs was: so many days ago, or by the calendar.

use serde_json::json;

use super::super::defining;
use super::{Api, did, found, meeting};

const DAY: i64 = 86_400;

/// Last active ten, five and two days ago; Ana never was.
async fn active() -> Api {
    let api = Api::start().await;
    for (id, at) in [
        ("ten", "2025-12-30T11:00:00Z"),
        ("five", "2026-01-04T11:00:00Z"),
        ("two", "2026-01-07T11:00:00Z"),
    ] {
        api.customer(id, json!({})).await;
        did(&api, id, "login", at).await;
    }
    api
}

/// Added ten and five days ago and today; Ana long before.
async fn added() -> Api {
    let api = Api::start().await;
    for id in ["ten", "five"] {
        api.customer(id, json!({})).await;
        api.site.pass(5 * DAY);
    }
    api.customer("today", json!({})).await;
    api
}

#[tokio::test]
async fn customers_are_found_by_how_many_days_ago_they_were_last_active() {
    let api = active().await;
    for (test, days, expected) in [
        ("older-than", "7d", vec!["ten"]),
        ("older-than", "3d", vec!["five", "ten"]),
        ("exactly-ago", "5d", vec!["five"]),
        ("exactly-ago", "6d", vec![]),
        ("within-last", "3d", vec!["two"]),
        ("within-last", "7d", vec!["five", "two"]),
    ] {
        let condition = json!({ "last-activity": { test: days } });
        assert_eq!(meeting(&api, &condition).await, expected, "{test} {days}");
    }
}

#[tokio::test]
async fn customers_are_found_by_the_day_of_their_last_activity_written_either_way() {
    let api = active().await;
    for day in ["2026-01-04", "04.01.2026", "4.1.2026"] {
        for (test, expected) in [("after", "two"), ("on", "five"), ("before", "ten")] {
            let condition = json!({ "last-activity": { test: day } });
            assert_eq!(meeting(&api, &condition).await, [expected], "{test} {day}");
        }
    }
    let wrong = json!({ "where": { "last-activity": { "on": "31.02.2026" } } });
    let answer = api.post("/customers/search", wrong).await;
    answer.problem(422, "invalid");
    assert_eq!(answer.fields()[0], "/where/last-activity/on");
}

#[tokio::test]
async fn customers_are_found_by_how_many_days_ago_they_were_added() {
    let api = added().await;
    for (test, days, expected) in [
        ("older-than", "7d", vec!["ana", "ten"]),
        ("exactly-ago", "5d", vec!["five"]),
        ("exactly-ago", "0d", vec!["today"]),
        ("exactly-ago", "4d", vec![]),
        ("within-last", "3d", vec!["today"]),
        ("within-last", "7d", vec!["five", "today"]),
    ] {
        let condition = json!({ "created": { test: days } });
        assert_eq!(meeting(&api, &condition).await, expected, "{test} {days}");
    }
}

#[tokio::test]
async fn customers_are_found_by_the_day_on_which_they_were_added_written_either_way() {
    let api = added().await;
    for day in ["2026-01-14", "14.01.2026"] {
        for (test, expected) in [
            ("after", vec!["today"]),
            ("on", vec!["five"]),
            ("before", vec!["ana", "ten"]),
        ] {
            let condition = json!({ "created": { test: day } });
            assert_eq!(meeting(&api, &condition).await, expected, "{test} {day}");
        }
    }
}

#[tokio::test]
async fn customers_are_found_by_the_day_of_their_last_transaction() {
    let api = active().await;
    did(&api, "ten", "transaction", "2026-01-02T08:00:00Z").await;
    did(&api, "five", "transaction", "2025-11-01T08:00:00Z").await;
    for (test, value, expected) in [
        ("older-than", "30d", vec!["five"]),
        ("exactly-ago", "7d", vec!["ten"]),
        ("within-last", "8d", vec!["ten"]),
        ("on", "02.01.2026", vec!["ten"]),
        ("before", "02.01.2026", vec!["five"]),
        ("after", "02.01.2026", vec![]),
    ] {
        let condition = json!({ "last-transaction": { test: value } });
        assert_eq!(meeting(&api, &condition).await, expected, "{test} {value}");
    }
    // A log-in is no transaction.
    let none = json!({ "last-transaction": { "missing": true } });
    assert_eq!(meeting(&api, &none).await, ["ana", "two"]);
}

#[tokio::test]
async fn filters_narrow_a_created_segment_as_they_narrow_everybody() {
    let api = defining::start().await;
    for (id, city) in [("ann", "Nice"), ("bob", "Nice"), ("cem", "Rome")] {
        api.customer(id, json!({ "city": city })).await;
    }
    for id in ["ann", "cem"] {
        did(&api, id, "login", "2026-01-08T08:00:00Z").await;
    }
    let segment = json!({ "segment": "in-nice", "where": { "field": "city", "is": "Nice" } });
    api.post("/segments", segment).await.good(201);
    let lately = json!({ "last-activity": { "within-last": "3d" } });
    assert_eq!(meeting(&api, &lately).await, ["ann", "cem"]);
    let narrowed = json!({ "segment": "in-nice", "where": lately });
    assert_eq!(found(&api, narrowed).await, ["ann"]);
    let whole = json!({ "segment": "in-nice" });
    assert_eq!(found(&api, whole.clone()).await, ["ann", "bob"]);
    let others = json!({ "all": [lately, { "not": whole }] });
    assert_eq!(meeting(&api, &others).await, ["cem"]);
}

//! The history of a customer: page by page without a gap, narrowed by what is asked.

use serde_json::{Value, json};

use super::rig::Api;

const HISTORY: &str = "/customers/ana/interactions";

async fn kinds(api: &Api, query: &str) -> Vec<String> {
    let page = api.get(&format!("{HISTORY}?{query}")).await.good(200);
    let lines = page["interactions"].as_array().unwrap().clone();
    let kind = |line: &Value| line["kind"].as_str().unwrap().to_owned();
    lines.iter().map(kind).collect()
}

async fn switch_sms(api: &Api, on: bool) {
    let body = json!({"outbound": true, "email": true, "sms": on, "push": true});
    api.put("/customers/ana/switches", body).await.good(200);
}

#[tokio::test]
async fn pages_go_on_within_one_instant_and_beyond() {
    let api = Api::start().await;
    // Two lines of each instant.
    for n in 0..4 {
        switch_sms(&api, n % 2 == 1).await;
        api.patch("/customers/ana", json!({"fields": {"city": n.to_string()}}))
            .await
            .good(200);
        api.site.pass(i64::from(n % 2));
    }
    let whole = kinds(&api, "limit=1000").await;
    assert_eq!(whole.len(), 8);
    for limit in [1, 3] {
        let (mut query, mut seen) = (format!("limit={limit}"), Vec::new());
        for _ in 0..20 {
            let page = api.get(&format!("{HISTORY}?{query}")).await.good(200);
            seen.extend(page["interactions"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else {
                break;
            };
            query = format!("limit={limit}&cursor={next}");
        }
        let all = api.get(HISTORY).await.good(200);
        assert_eq!(&json!(seen), &all["interactions"], "{limit}");
    }
}

#[tokio::test]
async fn filters_narrow_each_other() {
    let api = Api::start().await;
    switch_sms(&api, false).await;
    for campaign in ["gold-card", "new-member-onboarding"] {
        let body = json!({ "campaign": campaign });
        api.post("/customers/ana/dismissals", body).await.good(200);
    }
    assert_eq!(kinds(&api, "campaign=gold-card").await, ["dismissal"]);
    assert_eq!(kinds(&api, "category=credit-cards").await, ["dismissal"]);
    assert_eq!(kinds(&api, "category=onboarding").await, ["dismissal"]);
    assert_eq!(kinds(&api, "category=nothing").await.len(), 0);
    assert_eq!(kinds(&api, "channel=sms").await, ["switched-off"]);
    assert_eq!(kinds(&api, "channel=email").await.len(), 0);
    assert_eq!(kinds(&api, "kind=dismissal").await.len(), 2);
    assert_eq!(kinds(&api, "direction=change").await.len(), 3);
    assert_eq!(kinds(&api, "direction=inbound").await.len(), 0);
    assert_eq!(kinds(&api, "month=2026-01").await.len(), 3);
    assert_eq!(kinds(&api, "month=2026-02").await.len(), 0);
    assert_eq!(
        kinds(&api, "month=2026-01&channel=sms&kind=dismissal")
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_refused() {
    let api = Api::start().await;
    for query in [
        "month=2026",
        "month=2026-13",
        "channel=fax",
        "direction=up",
        "from=2026",
    ] {
        let answer = api.get(&format!("{HISTORY}?{query}")).await;
        answer.problem(400, "bad-request");
    }
    let answer = api.get("/customers/nobody/interactions").await;
    answer.problem(404, "not-found");
}

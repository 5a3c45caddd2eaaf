//! Jobs over HTTP: queued, watched, cancelled; every mistake has its place.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::job::JobNo;
use serde_json::{Value, json};

use super::rig::Api;

async fn queued(api: &Api, body: Value) -> Value {
    let answer = api.post("/jobs", body).await;
    let job = answer.good(202);
    let place = format!("/api/v1/jobs/{}", job["job"]);
    assert_eq!(answer.header("location"), place);
    job
}

#[tokio::test]
async fn a_job_is_queued_and_says_how_it_stands() {
    let api = Api::start().await;
    let reason = json!({
        "kind": "suspend", "reason": " moved away ", "selection": {"segment": "new-members"},
    });
    let job = queued(&api, reason).await;
    assert_eq!(job["state"], "queued");
    assert_eq!(job["selection"], "the segment `new-members`");
    assert_eq!(
        (&job["actor"], &job["source"]),
        (&json!("root"), &json!("api"))
    );
    assert_eq!(job["order"]["action"], json!({"suspend": "moved away"}));
    assert_eq!(api.get("/jobs/1").await.good(200), job);
    let ids = json!({"kind": "delete", "selection": {"ids": ["ana", "nobody", "ana"]}});
    let job = queued(&api, ids).await;
    assert_eq!((&job["total"], &job["failed"]), (&json!(2), &json!(1)));
    let errors = api.get("/jobs/2/errors").await.good(200);
    assert_eq!(errors["errors"][0]["customer"], "nobody");
    assert_eq!(errors["errors"][0]["number"], 1);
    for lost in ["/jobs/3", "/jobs/0", "/jobs/x", "/jobs/3/errors"] {
        api.get(lost).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_and_by_what_they_are() {
    let api = Api::start().await;
    for kind in ["reactivate", "delete", "reactivate"] {
        queued(&api, json!({"kind": kind, "selection": {"all": true}})).await;
    }
    let numbers = |page: &Value| -> Vec<i64> {
        let jobs = page["jobs"].as_array().unwrap().iter();
        jobs.map(|job| job["job"].as_i64().unwrap()).collect()
    };
    let first = api.get("/jobs?limit=2").await.good(200);
    assert_eq!(numbers(&first), [3, 2]);
    let next = first["next"].as_str().unwrap();
    let rest = api
        .get(&format!("/jobs?limit=2&cursor={next}"))
        .await
        .good(200);
    assert_eq!(numbers(&rest), [1]);
    let some = api
        .get("/jobs?kind=reactivate&state=queued&actor=root")
        .await;
    assert_eq!(numbers(&some.good(200)), [3, 1]);
    let none = api.get("/jobs?state=done").await.good(200);
    assert_eq!(numbers(&none), [0_i64; 0]);
    let nobody = api.get("/jobs?actor=%00").await.good(200);
    assert_eq!(numbers(&nobody), [0_i64; 0]);
}

#[tokio::test]
async fn a_job_is_cancelled_once() {
    let api = Api::start().await;
    queued(&api, json!({"kind": "delete", "selection": {"all": true}})).await;
    let cancelled = api.post("/jobs/1/cancel", json!({})).await.good(200);
    assert_eq!(cancelled, json!({"job": 1, "changed": true}));
    let again = api.post("/jobs/1/cancel", json!({})).await.good(200);
    assert_eq!(again["changed"], false);
    assert_eq!(api.get("/jobs/1").await.good(200)["state"], "cancelled");
    let lost = api.post("/jobs/9/cancel", json!({})).await;
    lost.problem(404, "not-found");
    let by = By::new(Actor::named("root"), Source::Api);
    let over = api
        .site
        .store
        .cancel_job(JobNo(1), &by, api.site.clock_now());
    assert!(!over.await.unwrap());
}

#[tokio::test]
async fn a_dry_run_counts_and_queues_nothing() {
    let api = Api::start().await;
    api.customer("ben", json!({"city": "Lyon"})).await;
    let counted = |selection: Value| {
        let api = &api;
        async move {
            let body = json!({"kind": "delete", "selection": selection});
            let trial = api.post("/jobs?dry-run=true", body).await.good(200);
            (
                trial["customers"].as_u64().unwrap(),
                trial["unknown"].as_u64().unwrap(),
            )
        }
    };
    assert_eq!(counted(json!({"all": true})).await, (2, 0));
    assert_eq!(counted(json!({"segment": "new-members"})).await, (1, 0));
    assert_eq!(counted(json!({"ids": ["ben", "nobody"]})).await, (1, 1));
    assert_eq!(api.get("/jobs").await.good(200)["jobs"], json!([]));
}

/// Orders that cannot be carried out, and where that is so.
fn mistakes() -> Vec<(Value, &'static str)> {
    let all = json!({"all": true});
    vec![
        (json!({"kind": "delete", "selection": {}}), "/selection"),
        (
            json!({"kind": "delete", "selection": {"all": false}}),
            "/selection/all",
        ),
        (
            json!({"kind": "delete", "selection": {"all": true, "tag": "vip"}}),
            "/selection",
        ),
        (
            json!({"kind": "delete", "selection": {"segment": "nowhere"}}),
            "/selection/segment",
        ),
        (
            json!({"kind": "delete", "selection": {"list": "a\u{0}"}}),
            "/selection/list",
        ),
        (
            json!({"kind": "delete", "selection": {"list": "nowhere"}}),
            "/selection/list",
        ),
        (
            json!({"kind": "delete", "selection": {"ids": ["a", "\u{0}"]}}),
            "/selection/ids/1",
        ),
        (
            json!({"kind": "delete", "selection": {"ids": []}}),
            "/selection/ids",
        ),
        (json!({"kind": "add-tags", "selection": all}), "/tags"),
        (
            json!({"kind": "add-tags", "selection": all, "tags": ["nothing"]}),
            "/tags",
        ),
        (
            json!({"kind": "add-to-list", "selection": all, "list": "nowhere"}),
            "/list",
        ),
        (
            json!({"kind": "set-fields", "selection": all, "fields": {"email": "x"}}),
            "/fields/email",
        ),
        (
            json!({"kind": "connect", "selection": all, "flow": "nowhere"}),
            "/flow",
        ),
        (
            json!({"kind": "discard", "selection": all, "reason": "a\u{7}"}),
            "/reason",
        ),
        (
            json!({"kind": "delete", "selection": all, "reason": "because"}),
            "/reason",
        ),
        (json!({"kind": "vanish", "selection": all}), "/kind"),
    ]
}

#[tokio::test]
async fn every_mistake_in_an_order_has_its_place() {
    let api = Api::start().await;
    for (body, field) in mistakes() {
        let answer = api.post("/jobs", body.clone()).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    assert_eq!(api.get("/jobs").await.good(200)["jobs"], json!([]));
}

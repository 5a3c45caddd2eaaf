//! Finished files over HTTP: listed, fetched as they were written, removed.

use std::sync::Arc;

use drumbeat::clock::SystemClock;
use drumbeat::customers::jobs::carrying::{Crew, Flows, Later};
use drumbeat::store::{JobPage, Published, Result, Stepped};
use reqwest::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::rig::Api;

struct NoFlows(Arc<Published>);

impl Flows for NoFlows {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0)
    }

    fn connect<'a>(&'a self, _: &'a str, _: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(async { unreachable!("nobody is connected here") })
    }
}

async fn carry_out(api: &Api) {
    let store = &api.site.store;
    let published = store.current_revision().await.unwrap().unwrap();
    let crew = Crew {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        flows: Arc::new(NoFlows(Arc::new(published))),
        node: None,
    };
    crew.run_once(None, &CancellationToken::new())
        .await
        .unwrap()
        .unwrap();
}

/// A site on which 901 customers were exported twice.
async fn exported() -> Api {
    let api = Api::start().await;
    let many: Vec<_> = (0..900)
        .map(|n| json!({"id": format!("c{n}"), "fields": {"city": "Lyon"}}))
        .collect();
    api.post("/customers/batch", json!({"customers": many}))
        .await
        .good(200);
    for format in ["csv", "jsonl"] {
        let order = json!({
            "kind": "export", "selection": {"all": true}, "format": format, "columns": ["city"],
        });
        api.post("/jobs", order).await.good(202);
        carry_out(&api).await;
    }
    api
}

#[tokio::test]
async fn a_file_is_fetched_as_it_was_written() {
    let api = exported().await;
    let job = api.get("/jobs/1").await.good(200);
    assert_eq!(
        (&job["state"], &job["total"], &job["done"]),
        (&json!("done"), &json!(901), &json!(901))
    );
    let page = api.get("/reports?limit=1").await.good(200);
    assert_eq!(page["reports"][0]["report"], 2);
    let next = page["next"].as_str().unwrap();
    let page = api
        .get(&format!("/reports?limit=1&cursor={next}"))
        .await
        .good(200);
    let report = &page["reports"][0];
    assert_eq!(
        (&report["report"], &report["customers"]),
        (&json!(1), &json!(901))
    );
    let answer = api
        .request(Method::GET, "/reports/1/file")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let called = format!(
        "attachment; filename=\"{}\"",
        report["name"].as_str().unwrap()
    );
    assert_eq!(header("content-disposition"), called);
    let text = answer.text().await.unwrap();
    assert_eq!(text.len() as u64, report["bytes"].as_u64().unwrap());
    assert_eq!(text.lines().count(), 902);
    assert!(text.contains("c7,Lyon"), "{text}");
    let lines = api
        .request(Method::GET, "/reports/2/file")
        .send()
        .await
        .unwrap();
    assert_eq!(lines.headers()["content-type"], "application/jsonl");
    assert_eq!(lines.text().await.unwrap().lines().count(), 901);
    api.delete("/reports/1").await.good(204);
    for lost in ["/reports/1", "/reports/1/file", "/reports/x"] {
        api.get(lost).await.problem(404, "not-found");
    }
    let parts = api
        .site
        .number("SELECT count(*) FROM report_parts WHERE report = 1")
        .await;
    assert_eq!(parts, 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_so_is_refused_at_once() {
    let api = Api::start().await;
    let all = json!({"all": true});
    for (order, field) in [
        (
            json!({"kind": "export", "selection": all, "format": "pdf"}),
            "/format",
        ),
        (
            json!({"kind": "export", "selection": all, "columns": ["nothing"]}),
            "/columns",
        ),
    ] {
        let answer = api.post("/jobs", order).await;
        answer.problem(422, "invalid");
        assert_eq!(answer.fields(), [field]);
    }
}

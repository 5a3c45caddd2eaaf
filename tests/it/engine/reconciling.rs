//! Owns the tests of the full reconciliation: nothing differs after a busy month, and what does is found.

use drumbeat::domain::daemon_settings::Retention;
use drumbeat::domain::interaction::Kind;
use drumbeat::engine::{prune, reconcile};
use xxhash_rust::xxh3::xxh3_64;

use super::rig::Rig;
use super::written::{LYON, any, email, flow, sms};

const BUSY: &str = "{ all: [ { any: [ { field: city, is: Lyon }, { did: login, within-last: 5d } ] }, \
    { not: { field: joined_on, within-last: 10d } }, { created: { older-than: 1d } } ] }";

async fn busy_month() -> Rig {
    let keys = "entry: { reentry: every-requalification }";
    let first = flow(
        "f",
        BUSY,
        keys,
        &[email("hello", "after: 1d"), sms("text", "after: 2d")],
    );
    let second = flow(
        "g",
        "{ did: email-sent, flow: f, within-last: 7d }",
        "",
        &[sms("more", "")],
    );
    let mut rig = Rig::start(&[("flows/f.yaml", &first), ("flows/g.yaml", &second)]).await;
    let ids: Vec<String> = (0..40).map(|n| format!("c{n}")).collect();
    for id in &ids {
        rig.customer(id, "joined_on=2026-01-02").await;
    }
    rig.settle().await;
    for day in 0..30_u64 {
        for (n, id) in (0_u64..).zip(&ids) {
            match xxh3_64(&[day.to_le_bytes(), n.to_le_bytes()].concat()) % 12 {
                0 => rig.set(id, "city=Lyon").await,
                1 => rig.set(id, "city=Rome").await,
                2 => rig.did(id, Kind::Login).await,
                _ => {}
            }
        }
        rig.live("1d", "12h").await;
    }
    rig
}

#[tokio::test]
async fn after_a_busy_month_nothing_differs_and_a_planted_difference_is_found_and_mended() {
    let mut rig = busy_month().await;
    assert!(rig.sent().len() > 50);
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
    let members = "SELECT count(*) FROM memberships";
    let before = rig.number(members).await;
    assert!(before > 3);
    rig.execute(
        "DELETE FROM memberships WHERE (bucket, segment, customer_id) IN \
         (SELECT bucket, segment, customer_id FROM memberships LIMIT 3)",
    )
    .await;
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 3);
    assert_eq!(rig.engine().metrics.reconciliation_differences.get(), 3);
    rig.settle().await;
    assert_eq!(rig.number(members).await, before);
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_segment_of_no_running_flow_is_not_kept_up_and_is_examined_anew_when_one_uses_it() {
    let text = |status: &str| flow("f", LYON, &format!("status: {status}"), &[sms("text", "")]);
    let mut rig = Rig::with(&text("draft")).await;
    rig.customer("ana", "city=Lyon").await;
    rig.settle().await;
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
    rig.edit("flows/f.yaml", &text("active")).await;
    rig.edit("flows/f.yaml", &text("draft")).await;
    rig.set("ana", "city=Rome").await;
    rig.customer("bob", "city=Lyon").await;
    rig.settle().await;
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
    rig.edit("flows/f.yaml", &text("active")).await;
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
    assert_eq!(rig.number("SELECT count(*) FROM memberships").await, 1);
    assert_eq!(rig.entered("bob").await.len(), 1);
}

#[tokio::test]
async fn what_is_pruned_is_no_longer_counted() {
    let acted = flow("f", "{ did: login }", "", &[any("wait", "after: 1d")]);
    let told = flow(
        "g",
        "{ did: sms-sent, flow: h }",
        "",
        &[any("wait", "after: 1d")],
    );
    let tells = flow("h", LYON, "", &[sms("text", "")]);
    let files = [
        ("flows/f.yaml", &acted),
        ("flows/g.yaml", &told),
        ("flows/h.yaml", &tells),
    ];
    let files = files.map(|(path, text)| (path, text.as_str()));
    let mut rig = Rig::start(&files).await;
    rig.customer("ana", "city=Lyon").await;
    rig.did("ana", Kind::Login).await;
    rig.advance("20d").await;
    let members = "SELECT count(*) FROM memberships";
    assert_eq!(rig.number(members).await, 3);
    let span = Some("10d".parse().unwrap());
    let retention = Retention {
        interactions: span,
        interaction_ids: None,
        dispatches: span,
        ..Retention::default()
    };
    assert!(prune(rig.engine(), retention).await.unwrap() >= 2);
    rig.settle().await;
    assert_eq!(rig.number(members).await, 1);
    assert_eq!(reconcile(rig.engine()).await.unwrap(), 0);
}

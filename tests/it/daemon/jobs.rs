//! Jobs in a daemon: carried out beside everything else, and gone on with by the next one after a kill.

use std::fmt::Write as _;

use drumbeat::domain::job::{JobNo, JobState};
use serde_json::json;

use super::process::{Place, Running};

const MANY: u64 = 20_000;

/// A workspace with a tag and very many customers.
async fn crowded() -> Place {
    let place = Place::new().await;
    place.write("flows/customers.yaml", "customers:\n  tags: { vip: {} }\n");
    let mut rows = "id,city\n".to_owned();
    for n in 2..MANY {
        writeln!(rows, "c{n},Nice").unwrap();
    }
    place.write("many.csv", &rows);
    place.said(&["import", "many.csv"]).await;
    place
}

#[tokio::test]
async fn a_job_goes_on_where_it_was_after_a_kill() {
    let place = crowded().await;
    let mut daemon = place.run().await;
    let bulk = [
        "customer",
        "bulk",
        "add-tags",
        "vip",
        "--all",
        "--background",
    ];
    let queued = place.facts(&bulk).await;
    assert_eq!(queued["job"], 1);
    daemon
        .until("the job to be under way", async |store| {
            let job = store.job(JobNo(1)).await.unwrap()?;
            (job.done > 0).then_some(())
        })
        .await;
    daemon.child.start_kill().unwrap();
    daemon.child.wait().await.unwrap();
    let left = daemon.store.job(JobNo(1)).await.unwrap().unwrap();
    assert_eq!(left.state, JobState::Running);
    assert!(left.done > 0 && left.done < MANY, "{}", left.done);
    daemon.store.close().await;
    let daemon = place.run().await;
    let job = daemon
        .until("the job to be over", async |store| {
            let job = store.job(JobNo(1)).await.unwrap()?;
            job.state.is_over().then_some(job)
        })
        .await;
    assert_eq!(job.state, JobState::Done);
    let counts = (job.total, job.done, job.changed, job.failed);
    assert_eq!(counts, (Some(MANY), MANY, MANY, 0));
    let ended = daemon.store.audit_lines(1).await.unwrap().remove(0);
    assert_eq!(ended.what, "job ended");
    assert_eq!(daemon.stop().await, Some(0));
    let again = ["customer", "bulk", "remove-tags", "vip", "--tag", "vip"];
    let again = place.facts(&again).await;
    assert_eq!(again["changed"], MANY);
}

#[tokio::test]
async fn a_command_follows_what_the_daemon_does() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let suspend = [
        "customer",
        "bulk",
        "suspend",
        "--ids",
        "ana,nobody",
        "--reason",
        "asked",
    ];
    let job = place.facts(&suspend).await;
    assert_eq!(
        (&job["state"], &job["done"], &job["failed"]),
        (&json!("done"), &json!(1), &json!(1))
    );
    let ana = place.facts(&["customer", "show", "ana"]).await;
    assert_eq!(ana["status"], "suspended");
    let followed = place.facts(&["job", "follow", "1"]).await;
    assert_eq!(followed, job);
    let over = place.facts(&["job", "cancel", "1"]).await;
    assert_eq!(over["changed"], false);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn whoever_stops_a_command_leaves_its_job_to_be_gone_on_with() {
    let place = crowded().await;
    let bulk = [
        "customer",
        "bulk",
        "set-fields",
        "city=Rome",
        "--all",
        "--format",
        "json",
    ];
    let child = place.command(&bulk).spawn().unwrap();
    let store = place.store().await;
    let watched = Running { child, store };
    watched
        .until("the job to be under way", async |store| {
            let job = store.job(JobNo(1)).await.unwrap()?;
            (job.done > 0).then_some(())
        })
        .await;
    watched.signal("-INT");
    let ended = watched.child.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("`drumbeat job cancel 1`"), "{said}");
    let left = watched.store.job(JobNo(1)).await.unwrap().unwrap();
    assert_eq!(left.state, JobState::Queued);
    assert!(left.done < MANY, "{}", left.done);
    let done = place.facts(&["job", "follow", "1"]).await;
    assert_eq!(
        (&done["done"], &done["changed"]),
        (&json!(MANY), &json!(MANY))
    );
}

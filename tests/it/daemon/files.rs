//! Files that change while the daemon runs.

use drumbeat::domain::channel::{Channel, Lane};
use drumbeat::domain::revision::NameKind;
use jiff::{SignedDuration, Timestamp};

use super::process::{FLOW, Place};

const EMAIL: Lane = Lane::Channel(Channel::Email);

#[tokio::test]
async fn a_valid_edit_is_published_and_times_those_who_wait_anew() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let before = daemon
        .until("an enrollment", async |s| s.next_due(EMAIL).await.unwrap())
        .await;
    let first = daemon.revision().await;
    place.write(
        "flows/welcome.yaml",
        &FLOW.replacen("after: 1h", "after: 3h", 1),
    );
    daemon.revision_after(first).await;
    let moved = daemon
        .until("a new time", async |store| {
            let due = store.next_due(EMAIL).await.unwrap()?;
            (due != before).then_some(due)
        })
        .await;
    assert_eq!(moved.duration_since(before), SignedDuration::from_hours(2));
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn an_invalid_edit_leaves_the_running_revision_and_is_reported() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let running = daemon.revision().await;
    place.write(
        "flows/welcome.yaml",
        &FLOW.replace("field: city", "field: ctiy"),
    );
    let check = daemon
        .until("a failed check", async |store| {
            store.last_check().await.unwrap().filter(|check| !check.ok)
        })
        .await;
    assert_eq!(check.errors, 1);
    assert_eq!(daemon.revision().await, running);
    let (_, ready) = place.get("/readyz").await;
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(ready["check"]["ok"], false, "{ready}");
    assert_eq!(ready["check"]["errors"], 1, "{ready}");
    let (_, metrics) = place.get("/metrics").await;
    assert!(
        metrics.contains("drumbeat_workspace_check_failed 1"),
        "{metrics}"
    );
    place.write("flows/welcome.yaml", FLOW);
    daemon
        .until("a good check", async |store| {
            store.last_check().await.unwrap().filter(|check| check.ok)
        })
        .await;
    assert_eq!(
        daemon.revision().await,
        running,
        "the same files are the same revision"
    );
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_deleted_file_pauses_its_flow_and_restoring_it_loses_no_progress() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let before = daemon
        .until("an enrollment", async |s| s.next_due(EMAIL).await.unwrap())
        .await;
    std::fs::remove_file(place.path().join("flows/welcome.yaml")).unwrap();
    daemon
        .until("an empty due index", async |store| {
            store.next_due(EMAIL).await.unwrap().is_none().then_some(())
        })
        .await;
    let pause = daemon.flow_state().await.pause.unwrap();
    assert_eq!(pause.reason.as_deref(), Some("its file is missing"));
    place.write("flows/welcome.yaml", FLOW);
    let after = daemon
        .until("the row again", async |s| s.next_due(EMAIL).await.unwrap())
        .await;
    daemon
        .until("the end of the pause", async |_| {
            daemon.flow_state().await.pause.is_none().then_some(())
        })
        .await;
    let shift = after.duration_since(before);
    assert!(shift.is_positive(), "the pause moves what waits: {shift}");
    assert!(shift < SignedDuration::from_mins(1), "{shift}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_flow_in_a_new_folder_is_found() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let first = daemon.revision().await;
    std::fs::create_dir(place.path().join("more")).unwrap();
    let second = FLOW.replace("flow: welcome", "flow: second");
    place.write("more/second.yaml", &second);
    daemon.revision_after(first).await;
    assert_eq!(daemon.stop().await, Some(0));
}

const INCOMPLETE: &str = r"flow: incomplete
segment: nobody
steps:
  - { id: a, email: no-campaign/offer }
  - { id: b, sms: { text: Hello } }
";

#[tokio::test]
async fn a_flow_that_names_what_is_missing_is_not_activated_until_it_is_there() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let running = daemon.revision().await;
    place.write("flows/incomplete.yaml", INCOMPLETE);
    let check = daemon
        .until("a failed check", async |store| {
            store.last_check().await.unwrap().filter(|check| !check.ok)
        })
        .await;
    let report = check.report.to_string();
    for missing in [
        "no segment `nobody`",
        "no campaign `no-campaign`",
        "channel `sms` has no gateway",
    ] {
        assert!(report.contains(missing), "{missing}: {report}");
    }
    assert_eq!(daemon.revision().await, running);
    let known = daemon.store.numbers().await.unwrap();
    assert_eq!(known.number(NameKind::Flow, "incomplete"), None);
    place.write(
        "more.yaml",
        "segment: nobody\nwhere: { field: city, is: Paris }\n---\n\
         campaign: no-campaign\ncategory: onboarding\ngroup: retail\n\
         communications: { offer: { email: { subject: Hi, text: \"{{ unsubscribe_url }} {{ organization.postal_address }}\" } } }\n---\n\
         channel: sms\ngateway: { file: { folder: var/messages } }\n",
    );
    daemon.revision_after(running).await;
    let flow = daemon.number(NameKind::Flow, "incomplete").await;
    daemon
        .until("the customer in Paris to enter", async |store| {
            let counts = store.counts(Timestamp::MAX).await.unwrap();
            let entered = counts.flows.get(&flow)?;
            (entered.waiting + entered.completed > 0).then_some(())
        })
        .await;
    assert_eq!(daemon.stop().await, Some(0));
}

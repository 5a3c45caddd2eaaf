//! Files that would newly let in more customers than may enter wait until somebody agrees.

use std::process::Output;

use super::process::{FLOW, Place};

const POLICY: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding }
  groups: { retail: Retail }
  approval: { above: 0 }
"#;

async fn done(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = place.command(arguments).output().await.unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

fn paris() -> String {
    FLOW.replace("flow: welcome", "flow: bonjour")
        .replace("is: Lyon", "is: Paris")
}

#[tokio::test]
async fn a_revision_waits_over_a_restart_and_runs_when_somebody_agrees() {
    let place = Place::new().await;
    place.write("flows/policy.yaml", POLICY);
    let daemon = place.run().await;
    let running = daemon.revision().await;
    place.write("flows/bonjour.yaml", &paris());
    let waits = daemon
        .until("files that wait", async |store| {
            store.awaiting().await.unwrap()
        })
        .await;
    assert_eq!(waits.revision.0, running.0 + 1);
    let number = waits.revision.0.to_string();
    let (code, told) = done(&place, &["reload", "--wait"]).await;
    assert_eq!(code, Some(1), "{told}");
    let expected = format!(
        "revision {number} would newly let in 1 customers (bonjour 1), and above 0 somebody must agree: \
         `drumbeat approve {number} --by NAME`"
    );
    assert!(told.contains(&expected), "{told}");
    assert!(place.said(&["status"]).await.contains(&expected));
    let (_, metrics) = place.get("/metrics").await;
    assert!(
        metrics.contains("drumbeat_workspace_awaiting_approval 1"),
        "{metrics}"
    );
    assert_eq!(daemon.stop().await, Some(0));

    let daemon = place.run().await;
    assert_eq!(daemon.revision().await, running);
    let (_, metrics) = place.get("/metrics").await;
    assert!(
        metrics.contains("drumbeat_workspace_awaiting_approval 1"),
        "{metrics}"
    );
    let facts = place.facts(&["status"]).await;
    assert_eq!(facts["awaiting_approval"]["enters"]["bonjour"], 1);
    let (code, told) = done(&place, &["approve", "99", "--by", "mara"]).await;
    assert_eq!(code, Some(1));
    assert!(
        told.contains("revision 99 does not wait for approval"),
        "{told}"
    );
    let (code, told) = done(&place, &["approve", &number, "--by", "mara"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.starts_with(&format!("revision {number} runs\n")),
        "{told}"
    );
    assert_eq!(daemon.revision().await, waits.revision);
    let (_, metrics) = place.get("/metrics").await;
    assert!(
        metrics.contains("drumbeat_workspace_awaiting_approval 0"),
        "{metrics}"
    );
    let told = place.said(&["revisions", &number]).await;
    assert!(told.contains("approved by mara"), "{told}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn what_is_approved_while_no_daemon_runs_is_in_force_at_its_start() {
    let place = Place::new().await;
    place.write("flows/policy.yaml", POLICY);
    let daemon = place.run().await;
    place.write("flows/bonjour.yaml", &paris());
    let waits = daemon
        .until("files that wait", async |store| {
            store.awaiting().await.unwrap()
        })
        .await;
    assert_eq!(daemon.stop().await, Some(0));
    let number = waits.revision.0.to_string();
    let (code, told) = done(&place, &["approve", &number, "--by", "mara"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("once `drumbeat run` reads the same files"),
        "{told}"
    );
    let daemon = place.run().await;
    assert_eq!(daemon.revision().await, waits.revision);
    assert_eq!(daemon.stop().await, Some(0));
}

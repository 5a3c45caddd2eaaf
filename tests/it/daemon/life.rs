//! Starting, stopping, starting twice.

use std::net::TcpListener;

use super::process::{FLOW, Place};
use crate::rig::smtp_sink::SmtpSink;

#[tokio::test]
async fn a_second_daemon_on_the_same_store_says_who_holds_it() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let second = place
        .command(&["run", "--listen", "off"])
        .output()
        .await
        .unwrap();
    assert_eq!(second.status.code(), Some(78));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let holder = format!("pid {}", daemon.child.id().unwrap());
    assert!(said.contains(&holder) && said.contains("in use"), "{said}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_configuration_that_cannot_run_ends_with_its_own_exit_code() {
    let place = Place::new().await;
    let gateway =
        "channel: email\ngateway: { smtp: { host: \"${NO_SUCH_HOST}\" } }\nfrom: a@example.com\n";
    place.write("email.yaml", gateway);
    let ended = place
        .command(&["run", "--listen", "off"])
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(78));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(
        said.contains("NO_SUCH_HOST") && said.contains("gateway.smtp.host"),
        "{said}"
    );
}

#[tokio::test]
async fn files_with_errors_at_a_restart_leave_the_last_good_revision_running() {
    let place = Place::new().await;
    let daemon = place.run().await;
    let good = daemon.revision().await;
    assert_eq!(daemon.stop().await, Some(0));
    place.write("flows/welcome.yaml", "flow: welcome\nsteps: none\n");
    let daemon = place.run().await;
    assert_eq!(daemon.revision().await, good);
    let check = daemon.store.last_check().await.unwrap().unwrap();
    assert!(!check.ok);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn it_answers_that_it_lives_and_is_ready() {
    let place = Place::new().await;
    let daemon = place.run().await;
    assert_eq!(place.get("/healthz").await.0, 200);
    let (status, ready) = place.get("/readyz").await;
    assert_eq!(status, 200, "{ready}");
    let (_, metrics) = place.get("/metrics").await;
    assert!(
        metrics.contains("drumbeat_workspace_revision 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("drumbeat_workspace_check_failed 0"),
        "{metrics}"
    );
    daemon.signal("-HUP");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn what_may_have_gone_before_a_kill_is_uncertain_though_a_start_came_to_nothing_meanwhile() {
    let takes_its_time = SmtpSink::start(&["-W", ".:3"]).await;
    let place = Place::new().await;
    let gateway = format!(
        "channel: email\ngateway: {{ smtp: {{ host: 127.0.0.1, port: \"{}\", security: none }} }}\n\
         from: a@example.com\n",
        takes_its_time.port
    );
    place.write("email.yaml", &gateway);
    let at_once = FLOW.replace("hello, after: 1h", "hello");
    place.write("flows/welcome.yaml", &at_once);
    let mut daemon = place.run().await;
    let marks = place.path().join("var/drumbeat.db.handover");
    let marked = async |_: &_| (marks.metadata().ok()?.len() > 64).then_some(());
    daemon.until("a hand-over mark", marked).await;
    daemon.child.kill().await.unwrap();

    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let start = place.command(&["run", "--listen", &taken]).status();
    assert_eq!(start.await.unwrap().code(), Some(78));

    let daemon = place.run().await;
    let settled = async |_: &_| {
        let ledger = place.facts(&["dispatches"]).await;
        let state = ledger["dispatches"][0]["state"].as_str()?.to_owned();
        (state == "uncertain" || state == "accepted").then_some(state)
    };
    let state = daemon.until("the message to be settled", settled).await;
    assert_eq!(state, "uncertain");
    assert_eq!(daemon.stop().await, Some(0));
}

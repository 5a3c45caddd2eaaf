//! What a change of the files would do is told before it is in force, and afterwards what it changed.

use std::process::Output;

use drumbeat::domain::ids::RevisionNo;

use super::process::{FLOW, Place, Running};

async fn plan(place: &Place, more: &[&str]) -> Output {
    let arguments = [&["plan"], more].concat();
    place.command(&arguments).output().await.unwrap()
}

fn said(output: &Output) -> String {
    let (told, problem) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(told).into_owned() + &String::from_utf8_lossy(problem)
}

fn git(place: &Place, arguments: &[&str]) {
    let mut command = std::process::Command::new("git");
    command
        .arg("-C")
        .arg(place.path())
        .args(["-c", "user.name=Ana"]);
    let done = command
        .args(["-c", "user.email=ana@example.com"])
        .args(arguments);
    assert!(done.output().unwrap().status.success(), "{arguments:?}");
}

#[tokio::test]
async fn a_change_is_planned_allowed_and_told_afterwards() {
    let place = Place::new().await;
    git(&place, &["init", "-q"]);
    git(&place, &["add", "drumbeat.yaml", "email.yaml", "flows"]);
    git(&place, &["commit", "-qm", "flows"]);
    let before_any = plan(&place, &[]).await;
    assert!(before_any.status.success(), "{}", said(&before_any));
    let daemon = place.run().await;
    let was = daemon.revision().await;
    daemon
        .until("Ana waits", async |store| {
            let counts = store.counts(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
            (counts.enrolled() > 0).then_some(())
        })
        .await;
    let nothing = plan(&place, &[]).await;
    assert!(nothing.status.success());
    assert_eq!(said(&nothing), "nothing differs from what runs\n");

    let sooner = FLOW.replace("id: hello, after: 1h", "id: hello, after: 0s");
    let beside = place.path().join("changed");
    std::fs::create_dir_all(beside.join("flows")).unwrap();
    for file in ["drumbeat.yaml", "email.yaml", "flows/policy.yaml"] {
        std::fs::copy(place.path().join(file), beside.join(file)).unwrap();
    }
    std::fs::write(beside.join("flows/welcome.yaml"), &sooner).unwrap();
    let url = format!(
        "sqlite://{}",
        place.path().join("var/drumbeat.db").display()
    );
    let changed = beside.display().to_string();
    let asked = [changed.as_str(), "--database", &url];
    let dangerous = plan(&place, &asked).await;
    assert_eq!(dangerous.status.code(), Some(1), "{}", said(&dangerous));
    let text = said(&dangerous);
    for part in [
        "step hello: time was 1h, is 0s",
        "1 are due at once: sent by email 1",
        "! sent-at-once (welcome)",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let allowed = plan(
        &place,
        &[&asked[..], &["--allow", "sent-at-once", "--format", "json"]].concat(),
    )
    .await;
    assert!(allowed.status.success(), "{}", said(&allowed));
    let facts: serde_json::Value = serde_json::from_slice(&allowed.stdout).unwrap();
    assert_eq!(facts["flows"][0]["at_once"]["sent"]["email"], 1);
    assert_eq!(facts["dangers"][0]["code"], "sent-at-once");
    let markdown = plan(&place, &[&asked[..], &["--format", "markdown"]].concat()).await;
    assert!(said(&markdown).contains("| **sent-at-once** | `welcome` |"));
    let unknown = plan(&place, &["--allow", "everything"]).await;
    assert!(
        said(&unknown).contains("is no danger"),
        "{}",
        said(&unknown)
    );

    place.write("flows/welcome.yaml", &sooner);
    told_afterwards(&place, &daemon, was).await;
    assert_eq!(daemon.stop().await, Some(0));
}

async fn told_afterwards(place: &Place, daemon: &Running, was: RevisionNo) {
    assert!(daemon.revision_after(was).await > was);
    let past = plan(place, &["--against", "HEAD", "--format", "json"]).await;
    let past: serde_json::Value = serde_json::from_slice(&past.stdout).unwrap();
    let change = &past["differences"][0]["what"]["changed"][0];
    assert_eq!(change, "step hello: time was 1h, is 0s");
    let lost = plan(place, &["--against", "no-such-branch"]).await;
    assert!(
        said(&lost).contains("git has no files of `no-such-branch`"),
        "{}",
        said(&lost)
    );
    let all = place.facts(&["revisions"]).await;
    let newest = &all["revisions"][0];
    assert_eq!(newest["changes"][0]["name"], "welcome");
    let number = newest["revision"].to_string();
    let one = place.said(&["revisions", &number]).await;
    assert!(one.contains("step hello: time was 1h, is 0s"), "{one}");
    let list = place.said(&["revisions"]).await;
    assert!(list.lines().count() >= 2, "{list}");
}

//! Schemathesis against a running daemon: what it makes of the description is answered as described.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::daemon::Place;
use crate::rig::counterpart;

/// Each of these is a promise of the description or of HTTP (schemathesis.readthedocs.io, "Checks").
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,ignored_auth";

const PATIENCE: Duration = Duration::from_mins(10);

/// So many requests at most for each operation in each phase.
async fn found(place: &Place, token: Option<&str>, examples: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(counterpart::python("schemathesis.txt", "schemathesis"));
    command
        .current_dir(folder.path())
        .args(["run", &format!("{}/api/v1/openapi.json", place.url)])
        .args(["--checks", CHECKS, "--max-examples", examples])
        .args([
            "--generation-deterministic",
            "--continue-on-failure",
            "--no-color",
        ])
        .args(["--request-timeout", "20"])
        .stdin(Stdio::null());
    if let Some(token) = token {
        command
            .arg("--header")
            .arg(format!("Authorization: Bearer {token}"));
    }
    let output = timeout(PATIENCE, command.kill_on_drop(true).output());
    let output = output.await.expect("it ends in time").unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_is_answered_as_described_with_a_token_and_without() {
    let examples = if crate::chaos::is_long() { "200" } else { "15" };
    let mut place = Place::start("api: { rate: 100000, burst: 100000 }\n").await;
    let created = place
        .facts(&["token", "create", "all", "--scope", "admin"])
        .await;
    let secret = created["secret"].as_str().unwrap();
    let said = found(&place, Some(secret), examples).await;
    assert!(said.contains("Operations:"), "{said}");
    found(&place, None, examples).await;
    assert_eq!(place.node.stop().await, Some(0));
}

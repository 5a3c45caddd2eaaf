//! What nodes agree on: one revision, whoever publishes it, and nobody fights for older files.

use std::time::Duration;

use super::{BUCKETS, Cluster, KNOWN_TO_ONE, channel, flow};
use crate::rig::database::Database;
use crate::rig::port;
use crate::rig::wire::Wire;

const REVISION: &str = "SELECT CAST(max(revision) AS BIGINT) FROM revisions";

#[tokio::test]
async fn what_one_node_publishes_runs_on_the_others_at_once() {
    let nodes = Cluster::start(2).await;
    nodes.nodes[0].write("flow.yaml", &flow("Welcome"));
    let followed = nodes.shows(1, "drumbeat_workspace_revision 2").await;
    println!("followed within {followed:?}");
    assert!(followed < Duration::from_secs(2), "{followed:?}");
    nodes.shows(1, "drumbeat_workspace_files_differ 1").await;
    nodes.nodes[1].write("flow.yaml", &flow("Welcome"));
    nodes.shows(1, "drumbeat_workspace_files_differ 0").await;
    assert_eq!(nodes.number(REVISION).await, 2);
}

#[tokio::test]
async fn a_node_with_older_files_says_so_and_leaves_the_others_alone() {
    let mut nodes = Cluster::start(2).await;
    let before = nodes.nodes[0].log().len();
    for node in &nodes.nodes {
        node.write("flow.yaml", &flow("Welcome"));
    }
    // As each says of itself, twice a second.
    let up_to_date = "SELECT count(*) FROM nodes JOIN revisions ON files = hash \
         WHERE revisions.revision = 2";
    nodes.until(up_to_date, 2).await;
    assert_eq!(nodes.nodes[1].stop().await, Some(0));
    nodes.nodes[1].write("flow.yaml", &flow("Hello"));
    nodes.nodes[1].start().await;
    nodes.shows(1, "drumbeat_workspace_files_differ 1").await;
    nodes.shows(1, "drumbeat_workspace_revision 2").await;
    let log = nodes.nodes[1].log();
    assert!(
        log.contains("the files here are those of an older revision"),
        "{log}"
    );
    assert_eq!(nodes.number(REVISION).await, 2);

    nodes.nodes[1].write("flow.yaml", &flow("Welcome"));
    nodes.shows(1, "drumbeat_workspace_files_differ 0").await;
    assert_eq!(nodes.number(REVISION).await, 2);
    let log = nodes.nodes[0].log().split_off(before);
    assert!(!log.contains("older revision"), "{log}");
}

#[tokio::test]
async fn an_older_revision_that_is_brought_back_on_purpose_is_published() {
    let nodes = Cluster::start(2).await;
    for (text, revision) in [("Welcome", 2), ("Hello", 3)] {
        nodes.nodes[0].write("flow.yaml", &flow(text));
        let metric = format!("drumbeat_workspace_revision {revision}");
        nodes.shows(0, &metric).await;
        nodes.shows(1, &metric).await;
    }
    nodes.shows(1, "drumbeat_workspace_files_differ 0").await;
}

#[tokio::test]
async fn a_change_of_the_files_while_the_database_is_away_is_published_when_it_is_back() {
    let database = Database::fresh().await;
    let wire = Wire::before(database.url()).await;
    let mut nodes = Cluster::start_on(database, &[wire.url.as_str()]).await;
    wire.cut();
    nodes.nodes[0].write("flow.yaml", &flow("Welcome"));
    let log = || nodes.nodes[0].log();
    let failed = || {
        log()
            .contains("cannot read the workspace again")
            .then_some(())
    };
    port::eventually("the reading to fail", failed).await;
    wire.heal();
    nodes.until(REVISION, 2).await;
    assert_eq!(nodes.nodes[0].stop().await, Some(0));
}

#[tokio::test]
async fn a_node_that_starts_with_older_files_right_after_a_publication_leaves_it_alone() {
    let mut nodes = Cluster::start(2).await;
    assert_eq!(nodes.nodes[1].stop().await, Some(0));
    nodes.nodes[0].write("flow.yaml", &flow("Welcome"));
    nodes.until(REVISION, 2).await;
    // Before it says of itself what it runs.
    nodes.nodes[0].signal("-STOP");
    nodes.nodes[1].start().await;
    nodes.shows(1, "drumbeat_workspace_files_differ 1").await;
    assert_eq!(nodes.number(REVISION).await, 2);
    nodes.nodes[0].signal("-CONT");
    nodes.shows(0, "drumbeat_workspace_files_differ 0").await;
}

#[tokio::test]
async fn a_node_that_cannot_run_what_another_published_leaves_its_customers_to_it() {
    let nodes = Cluster::start(2).await;
    let host = format!("${{{KNOWN_TO_ONE}}}");
    nodes.nodes[0].write("email.yaml", &channel(&host, &nodes.sink));
    nodes.until(&nodes.mine(0), BUCKETS).await;
    let log = nodes.nodes[1].log();
    let said = "cannot run what another node published, and leaves its customers to the others";
    assert!(log.contains(said) && log.contains(KNOWN_TO_ONE), "{log}");
    nodes.come(0..40).await;
    let open = "SELECT 40 - count(*) FROM enrollments WHERE status = 10";
    nodes.until(open, 0).await;

    nodes.nodes[0].write("email.yaml", &channel("localhost", &nodes.sink));
    nodes.share_evenly().await;
    nodes.shows(1, "drumbeat_workspace_revision 3").await;
}

//! Who works for which buckets, and who takes over.

use std::time::Duration;

use super::{BUCKETS, Cluster, node};
use crate::rig::database::Database;
use crate::rig::port;
use crate::rig::smtp_sink::SmtpSink;
use crate::rig::wire::Wire;

/// How long a node that says nothing counts as running.
const LEASE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_node_that_is_told_to_stop_hands_over_at_once() {
    let mut nodes = Cluster::start(2).await;
    nodes.nodes[1].signal("-TERM");
    let taken = nodes.until(&nodes.mine(0), BUCKETS).await;
    println!("handed over within {taken:?}");
    assert!(taken < Duration::from_secs(3), "{taken:?}");
    assert_eq!(nodes.nodes[1].ended().await, Some(0));
}

#[tokio::test]
async fn a_node_that_is_killed_is_succeeded_when_its_time_is_over() {
    let mut nodes = Cluster::start(2).await;
    nodes.nodes[1].kill().await;
    let taken = nodes.until(&nodes.mine(0), BUCKETS).await;
    println!("taken over within {taken:?}");
    assert!(taken < LEASE + Duration::from_secs(2), "{taken:?}");
}

#[tokio::test]
async fn a_node_that_was_frozen_writes_nothing_for_what_it_lost_and_then_works_again() {
    let nodes = Cluster::start(2).await;
    nodes.come(0..100).await;
    let frozen = nodes.nodes[1].number();
    let flying = format!(
        "SELECT least(count(*), 4) FROM dispatches WHERE state = 0 AND incarnation = {frozen}"
    );
    nodes.until(&flying, 4).await;
    nodes.nodes[1].signal("-STOP");
    nodes.until(&nodes.mine(0), BUCKETS).await;
    let open = "SELECT 100 - count(*) FROM enrollments WHERE status = 10";
    nodes.until(open, 0).await;
    let kept = format!(
        "SELECT CAST(sum(hashtextextended(CAST(dispatches AS TEXT), 0) >> 8) AS BIGINT) \
         FROM dispatches WHERE incarnation = {frozen}"
    );
    let before = nodes.number(&kept).await;
    nodes.nodes[1].signal("-CONT");
    nodes.share_evenly().await;
    assert_eq!(nodes.number(&kept).await, before);

    nodes.come(100..140).await;
    let open = "SELECT 140 - count(*) FROM enrollments WHERE status = 10";
    nodes.until(open, 0).await;
    let sent = "SELECT count(DISTINCT incarnation) FROM dispatches AS d \
         JOIN enrollments AS e USING (bucket, enrollment_id) \
         JOIN customers AS c USING (bucket, customer_id) \
        WHERE CAST(substr(c.external_id, 2) AS INTEGER) >= 100 AND d.state = 1";
    assert_eq!(nodes.number(sent).await, 2);
    let uncertain = nodes
        .number("SELECT count(*) FROM dispatches WHERE state = 8")
        .await;
    assert!(uncertain <= 8, "{uncertain}");
    let (mails, uncertain) = (
        nodes.sink.mails().len(),
        usize::try_from(uncertain).unwrap(),
    );
    assert!(
        (140 - uncertain..=140).contains(&mails),
        "{mails} and {uncertain} uncertain"
    );
}

#[tokio::test]
async fn a_node_that_is_cut_off_is_succeeded_and_works_again_afterwards() {
    let database = Database::fresh().await;
    let wire = Wire::before(database.url()).await;
    let url = database.url().to_owned();
    let nodes = Cluster::start_on(database, &[url.as_str(), wire.url.as_str()]).await;
    wire.cut();
    let taken = nodes.until(&nodes.mine(0), BUCKETS).await;
    println!("taken over within {taken:?}");
    assert!(taken < LEASE + Duration::from_secs(2), "{taken:?}");
    let noticed = || {
        nodes.nodes[1]
            .log()
            .contains("does not answer")
            .then_some(())
    };
    port::eventually("the node to notice", noticed).await;
    wire.heal();
    nodes.share_evenly().await;
}

#[tokio::test]
async fn a_second_daemon_in_a_nodes_folder_is_refused() {
    let mut nodes = Cluster::start(1).await;
    let second = nodes.nodes[0].command(&["run", "--listen", "off"]);
    assert_eq!({ second }.status().await.unwrap().code(), Some(78));
    assert_eq!(nodes.nodes[0].stop().await, Some(0));
}

#[tokio::test]
async fn a_claim_that_was_not_settled_before_its_bucket_was_lost_is_settled_afterwards() {
    let nodes = Cluster::start(1).await;
    nodes.come(0..1).await;
    let open = "SELECT 1 - count(*) FROM enrollments WHERE status = 10";
    nodes.until(open, 0).await;
    let never = i64::MAX;
    for sql in [
        "UPDATE dispatches SET state = 0".to_owned(),
        format!("UPDATE enrollments SET status = 2, lane = 1, due = {never}, finished_at = NULL"),
        "UPDATE bucket_leases SET owner = NULL".to_owned(),
    ] {
        let sql = sqlx::AssertSqlSafe(sql);
        sqlx::query(sql).execute(&nodes.pool).await.unwrap();
    }
    nodes.until(open, 0).await;
    let uncertain = "SELECT count(*) FROM dispatches WHERE state = 8";
    assert_eq!(nodes.number(uncertain).await, 1);
}

#[tokio::test]
async fn a_node_that_cannot_reach_its_database_is_to_be_started_again() {
    let database = Database::fresh().await;
    let sink = SmtpSink::start(&[]).await;
    let nobody = format!("postgres://drumbeat@127.0.0.1:{}/none", port::free());
    let code = async |url: &str| {
        let node = node(url, &sink);
        let mut daemon = node.command(&["run", "--listen", "off"]);
        daemon.status().await.unwrap().code()
    };
    let (server, _) = database.url().rsplit_once('/').unwrap();
    let no_such = format!("{server}/no_such_database");
    let (away, wrong) = tokio::join!(code(&nobody), code(&no_such));
    assert_eq!((away, wrong), (Some(1), Some(78)));
}

#[tokio::test]
async fn what_is_left_in_a_bucket_is_settled_though_it_was_taken_without_the_nodes_knowledge() {
    let mut nodes = Cluster::start(2).await;
    nodes.come(0..40).await;
    let open = "SELECT 40 - count(*) FROM enrollments WHERE status = 10";
    nodes.until(open, 0).await;
    nodes.nodes[1].kill().await;
    let (here, gone) = (nodes.nodes[0].number(), nodes.nodes[1].number());
    let theirs = format!("bucket IN (SELECT bucket FROM bucket_leases WHERE owner = {gone})");
    let left = nodes
        .number(&format!("SELECT count(*) FROM dispatches WHERE {theirs}"))
        .await;
    // As when the answer to a take is lost, and it takes place after the next look at the owners.
    let never = i64::MAX;
    nodes
        .execute(&[
            &format!("UPDATE dispatches SET state = 0 WHERE {theirs}"),
            &format!(
                "UPDATE enrollments SET status = 2, lane = 1, due = {never}, finished_at = NULL WHERE {theirs}"
            ),
            &format!("UPDATE bucket_leases SET owner = {here} WHERE owner = {gone}"),
            &format!("DELETE FROM nodes WHERE node = {gone}"),
        ])
        .await;
    nodes.until(open, 0).await;
    let uncertain = "SELECT count(*) FROM dispatches WHERE state = 8";
    assert_eq!(nodes.number(uncertain).await, left);
    assert!(left > 0);
}

#[tokio::test]
async fn a_job_goes_on_at_another_node_when_its_own_is_killed() {
    const MANY: i64 = 60_000;
    let mut nodes = Cluster::start(2).await;
    let rows: Vec<String> = (0..MANY).map(|n| format!("c{n},Paris")).collect();
    nodes.nodes[0].write("many.csv", &format!("id,city\n{}\n", rows.join("\n")));
    let bulk = [
        "customer",
        "bulk",
        "set-fields",
        "company=Acme",
        "--all",
        "--background",
    ];
    for words in [&["import", "many.csv"][..], &bulk] {
        let done = { nodes.nodes[0].command(words) }.status().await;
        assert!(done.unwrap().success(), "{words:?}");
    }
    let under_way = "SELECT coalesce((SELECT node FROM jobs WHERE state = 1 AND done > 0), 0)";
    nodes
        .until(&format!("SELECT least(({under_way}), 1)"), 1)
        .await;
    let holder = nodes.number(under_way).await;
    let place = (0..2).find(|node| nodes.nodes[*node].number() == holder);
    nodes.nodes[place.unwrap()].kill().await;
    let left = nodes.number("SELECT done FROM jobs").await;
    assert!(left < MANY, "{left}");
    let other = format!("SELECT count(*) FROM jobs WHERE state = 2 OR node <> {holder}");
    let taken = nodes.until(&other, 1).await;
    println!("taken over within {taken:?}");
    assert!(taken < LEASE, "{taken:?}");
    nodes
        .until("SELECT CAST(state AS BIGINT) FROM jobs", 2)
        .await;
    for count in ["total", "done", "changed"] {
        assert_eq!(
            nodes.number(&format!("SELECT {count} FROM jobs")).await,
            MANY
        );
    }
    let lines = "SELECT count(*) FROM interactions WHERE kind = 51";
    assert_eq!(nodes.number(lines).await, MANY);
}

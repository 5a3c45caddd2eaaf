//! Nodes on one PostgreSQL: who works for which buckets, who takes over, what they agree on.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sqlx::postgres::PgPool;

use crate::rig::database::Database;
use crate::rig::node::Node;
use crate::rig::port;
use crate::rig::smtp_sink::SmtpSink;
use crate::rig::wire::Wire;

/// How long a node that says nothing counts as running.
const LEASE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(30);
const BUCKETS: i64 = 1024;

const POLICY: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding }
  groups: { retail: Retail }
"#;

/// Some nodes on one database, and a mail server behind them that takes its time.
struct Cluster {
    nodes: Vec<Node>,
    ports: Vec<u16>,
    pool: PgPool,
    sink: SmtpSink,
    _database: Database,
}

impl Cluster {
    async fn start(count: usize) -> Self {
        let database = Database::fresh().await;
        let url = database.url().to_owned();
        Self::start_on(database, &vec![url.as_str(); count]).await
    }

    /// A node for each of these URLs, by which it reaches the database.
    async fn start_on(database: Database, urls: &[&str]) -> Self {
        let sink = SmtpSink::start_keeping(&["-w", "1"]).await;
        let ports: Vec<u16> = urls.iter().map(|_| port::free()).collect();
        let node = |(port, url): (&u16, &&str)| {
            let node = node(database.url(), &sink).told("--database", url);
            node.told("--listen", &format!("127.0.0.1:{port}"))
        };
        let mut nodes: Vec<Node> = ports.iter().zip(urls).map(node).collect();
        for node in &mut nodes {
            node.start().await;
        }
        let nodes = Self {
            nodes,
            ports,
            pool: PgPool::connect(database.url()).await.unwrap(),
            sink,
            _database: database,
        };
        nodes.share_evenly().await;
        nodes
    }

    fn mine(&self, node: usize) -> String {
        let node = self.nodes[node].number();
        format!("SELECT count(*) FROM bucket_leases WHERE owner = {node}")
    }

    async fn share_evenly(&self) {
        let each = BUCKETS / i64::try_from(self.nodes.len()).unwrap();
        for node in 0..self.nodes.len() {
            self.until(&self.mine(node), each).await;
        }
    }

    async fn number(&self, sql: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Who has not got through, and why.
    async fn open_rows(&self) -> String {
        let sql = "SELECT coalesce(string_agg(concat_ws(' ', 'bucket', e.bucket, 'of', l.owner, 'status', \
             e.status, 'due in', (e.due - extract(epoch FROM now()) * 1000000)::bigint / 1000, \
             'ms, claim', d.state, 'by', d.incarnation, 'attempt', d.attempt), '\n'), 'none') \
             FROM enrollments AS e LEFT JOIN dispatches AS d USING (bucket, enrollment_id, step) \
             LEFT JOIN bucket_leases AS l ON l.bucket = e.bucket WHERE e.status < 10";
        let rows: String = sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap();
        rows
    }

    /// Waits until a question has this answer; how long it took.
    async fn until(&self, sql: &str, wanted: i64) -> Duration {
        let begun = Instant::now();
        let mut beat = tokio::time::interval(Duration::from_millis(10));
        loop {
            let found = self.number(sql).await;
            if found == wanted {
                return begun.elapsed();
            }
            let is_late = begun.elapsed() > PATIENCE;
            let open = if is_late {
                self.open_rows().await
            } else {
                String::new()
            };
            assert!(!is_late, "{sql}: {found}, not {wanted}\n{open}");
            beat.tick().await;
        }
    }

    /// Customers with these numbers come and qualify.
    async fn come(&self, numbers: std::ops::Range<usize>) {
        let mut customers = "id,email,city\n".to_owned();
        for n in numbers {
            writeln!(customers, "c{n},c{n}@ok.test,Lyon").unwrap();
        }
        self.nodes[0].write("customers.csv", &customers);
        let import = self.nodes[0].command(&["import", "customers.csv"]);
        assert!({ import }.status().await.unwrap().success());
    }

    /// Waits until the node serves a metric with this value.
    async fn shows(&self, node: usize, metric: &str) -> Duration {
        let begun = Instant::now();
        let url = format!("http://127.0.0.1:{}/metrics", self.ports[node]);
        let mut beat = tokio::time::interval(Duration::from_millis(10));
        loop {
            beat.tick().await;
            let metrics = reqwest::get(&url).await.unwrap().text().await.unwrap();
            if metrics.lines().any(|line| line == metric) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "{metric}:\n{metrics}");
        }
    }
}

fn node(url: &str, sink: &SmtpSink) -> Node {
    let settings = format!("workspace: test\npublic-url: https://example.com\ndatabase: {url}\n");
    let channel = format!(
        "channel: email
gateway: {{ smtp: {{ host: 127.0.0.1, port: \"{}\", security: none }} }}
from: \"Lakeside <hello@lakeside.example>\"
slots: 8
connections: 8
",
        sink.port
    );
    Node::with(&[
        ("drumbeat.yaml", &settings),
        ("email.yaml", &channel),
        ("policy.yaml", POLICY),
        ("flow.yaml", &flow("Hello")),
    ])
}

fn flow(subject: &str) -> String {
    format!(
        r#"flow: welcome
name: Welcome
category: onboarding
group: retail
segment: {{ where: {{ all: [ {{ field: city, is: Lyon }} ] }} }}
steps:
  - {{ id: hello, email: {{ subject: {subject}, text: "{{{{ unsubscribe_url }}}} {{{{ organization.postal_address }}}}" }} }}
"#
    )
}

const REVISION: &str = "SELECT CAST(max(revision) AS BIGINT) FROM revisions";

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

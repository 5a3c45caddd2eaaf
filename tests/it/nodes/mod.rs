//! Nodes on one PostgreSQL: who works for which buckets, who takes over, what they agree on.

mod defining;
mod files;
mod holding;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sqlx::postgres::PgPool;

use crate::rig::database::Database;
use crate::rig::node::Node;
use crate::rig::port;
use crate::rig::smtp_sink::SmtpSink;

const PATIENCE: Duration = Duration::from_secs(30);
const BUCKETS: i64 = 1024;

const POLICY: &str = r#"policy:
  organization: { name: Lakeside, postal-address: "12 Shore Road" }
  categories: { onboarding: Onboarding }
  groups: { retail: Retail }
"#;

/// Of the environment: the first node has it, as the address of the mail server.
const KNOWN_TO_ONE: &str = "SINK_HOST";

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
        nodes[0].knows(KNOWN_TO_ONE, "127.0.0.1");
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

    /// All of these statements, or none.
    async fn execute(&self, statements: &[&str]) {
        let sql = sqlx::AssertSqlSafe(statements.join("; "));
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
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
    Node::with(&[
        ("drumbeat.yaml", &settings),
        ("email.yaml", &channel("127.0.0.1", sink)),
        ("policy.yaml", POLICY),
        ("flow.yaml", &flow("Hello")),
    ])
}

fn channel(host: &str, sink: &SmtpSink) -> String {
    format!(
        "channel: email
gateway: {{ smtp: {{ host: \"{host}\", port: \"{}\", security: none }} }}
from: \"Lakeside <hello@lakeside.example>\"
slots: 8
connections: 8
",
        sink.port
    )
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

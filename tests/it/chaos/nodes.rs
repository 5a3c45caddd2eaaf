//! Four nodes on one PostgreSQL: killed, frozen, cut off, the database falling under them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use drumbeat::store::Store;
use futures_util::future::join_all;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection as _, Row as _};
use tempfile::TempDir;
use tokio::time::sleep;

use super::accounts::{self, Ledger};
use super::plan::{Blow, Counts, Plan, Turn};
use super::{SLOTS, STEPS};
use crate::rig::network::{Island, Sea};
use crate::rig::node::Node;
use crate::rig::postgres::{Cluster, Shutdown, psql};
use crate::rig::program::chmod;
use crate::rig::smtp_sink::SmtpSink;

const NODES: usize = 4;
/// Of each node: with a server that takes a second for each mail, as many messages are always in flight.
const CONNECTIONS: usize = 48;
/// Seconds between one step and the next.
const DELAY: i64 = 3;
/// Customers come in sets, one after the other all through the storm.
const SET: usize = 70;
/// Nodes agree within this, once nothing happens to them any more.
const CALM_AGAIN: Duration = Duration::from_mins(1);

/// How long it lasts, how many customers come meanwhile, and within what time after it all of them are
/// through: what could not be sent in a storm is sent then, as fast as the mail server takes it.
struct Storm {
    length: Duration,
    customers: usize,
    rest: Duration,
}

fn storm() -> Storm {
    if super::is_long() {
        Storm {
            length: Duration::from_mins(10),
            customers: 20_000,
            rest: Duration::from_mins(8),
        }
    } else {
        Storm {
            length: Duration::from_mins(1),
            customers: 2_000,
            rest: Duration::from_mins(2),
        }
    }
}

/// Where the nodes run. Fields are dropped in this order: the nodes first.
struct Cloud {
    nodes: Vec<Node>,
    url: String,
    sink: SmtpSink,
    cluster: Cluster,
    sea: Sea,
    _rules: TempDir,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_over_four_nodes_loses_and_doubles_nothing() {
    let storm = storm();
    let plan = Plan::of(&mut super::chance(), NODES, storm.length);
    let mut cloud = Cloud::gather().await;
    let counts = plan.counts();
    cloud.weather(plan, &storm).await;
    let calm = Instant::now();
    finish(&cloud.url, &storm).await;
    let finished = calm.elapsed();
    agree(&cloud.url).await;
    for node in &mut cloud.nodes {
        assert_eq!(node.stop().await, Some(0), "{}", node.log());
    }
    report(&cloud, &storm, counts, finished).await;
    let desk = desk(&cloud.url);
    super::finds_nothing_wrong(desk.command(&["db", "check"])).await;
}

impl Cloud {
    async fn gather() -> Self {
        let sea = Sea::with(NODES);
        let rules = rules(&sea);
        let listen = format!("listen_addresses=127.0.0.1,{}", sea.database());
        let file = format!("hba_file={}", rules.path().join("hba").display());
        let cluster = Cluster::start_with(&["fsync=on", &listen, &file]).await;
        let url = cluster.create_database().await;
        let theirs = url.replace("127.0.0.1", &sea.database().to_string());
        let sink = SmtpSink::start_keeping_at(sea.mail(), &["-w", "1"]).await;
        let node = |island: &Island| node(&theirs, &sea, sink.port).on(&island.name);
        let mut nodes: Vec<Node> = sea.islands.iter().map(node).collect();
        join_all(nodes.iter_mut().map(Node::start)).await;
        Self {
            nodes,
            url,
            sink,
            cluster,
            sea,
            _rules: rules,
        }
    }

    /// Everything at once; nothing else ends a node.
    async fn weather(&mut self, plan: Plan, storm: &Storm) {
        let islands = self.nodes.iter_mut().zip(&self.sea.islands);
        let nodes = islands.zip(plan.nodes);
        let nodes = nodes.map(|((node, island), turns)| suffer(node, island, turns, storm.length));
        tokio::join!(
            join_all(nodes),
            fall(&mut self.cluster, &self.url, plan.falls, storm.length),
            come(&self.url, storm),
        );
    }
}

/// Who may connect from where; the server's account reads it.
fn rules(sea: &Sea) -> TempDir {
    let folder = TempDir::new().unwrap();
    chmod(folder.path(), 0o755);
    let rules = format!(
        "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all {} trust\n",
        sea.addresses()
    );
    std::fs::write(folder.path().join("hba"), rules).unwrap();
    folder
}

fn node(url: &str, sea: &Sea, port: u16) -> Node {
    let settings = format!(
        "workspace: storm\nlisten: \"off\"\npublic-url: https://example.com\ndatabase: {url}\n"
    );
    Node::with(&[
        ("drumbeat.yaml", &settings),
        (
            "email.yaml",
            &super::channel((&sea.mail().to_string(), port), CONNECTIONS, 200),
        ),
        ("flow.yaml", &super::flow(DELAY)),
    ])
}

/// One node's share of the storm.
async fn suffer(node: &mut Node, island: &Island, turns: Vec<Turn>, length: Duration) {
    let end = Instant::now() + length;
    for (calm, blow) in turns {
        node.runs_for(calm).await;
        match blow {
            Blow::Kill(pause) => {
                node.kill().await;
                sleep(pause).await;
                node.start().await;
            }
            Blow::Freeze(time) => {
                node.signal("-STOP");
                node.runs_for(time).await;
                node.signal("-CONT");
            }
            Blow::Cut(time) => {
                island.cut();
                node.runs_for(time).await;
                island.heal();
            }
        }
    }
    node.runs_for(end.saturating_duration_since(Instant::now()))
        .await;
}

/// The database falls and comes back; meanwhile somebody reads in one transaction as long as he can.
async fn fall(
    cluster: &mut Cluster,
    url: &str,
    falls: Vec<(Duration, Shutdown)>,
    length: Duration,
) {
    let end = Instant::now() + length;
    for (calm, shutdown) in falls {
        let reader = read_for_long(url).await;
        sleep(calm).await;
        cluster.restart(shutdown).await;
        drop(reader);
    }
    let reader = read_for_long(url).await;
    sleep(end.saturating_duration_since(Instant::now())).await;
    drop(reader);
}

/// Keeps the server from clearing away rows that it still could see.
async fn read_for_long(url: &str) -> PgConnection {
    let mut reader = PgConnection::connect(url).await.unwrap();
    for sql in [
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "SELECT count(*) FROM enrollments",
    ] {
        sqlx::query(sql).execute(&mut reader).await.unwrap();
    }
    reader
}

/// Where somebody works beside the nodes.
fn desk(url: &str) -> Node {
    let settings = format!("workspace: storm\ndatabase: {url}\n");
    Node::with(&[("drumbeat.yaml", &settings)])
}

/// Customers come all the time, in sets; one that the database did not take comes again.
async fn come(url: &str, storm: &Storm) {
    let desk = desk(url);
    let sets = storm.customers.div_ceil(SET);
    let pause = storm.length / u32::try_from(sets).unwrap();
    let mut beat = tokio::time::interval(pause);
    for set in 0..sets {
        let numbers = set * SET..((set + 1) * SET).min(storm.customers);
        let mut customers = "id,email,city\n".to_owned();
        for n in numbers {
            writeln!(customers, "c{n},c{n}@ok.test,Lyon").unwrap();
        }
        desk.write("customers.csv", &customers);
        beat.tick().await;
        let import = || desk.command(&["import", "customers.csv"]).output();
        while !import().await.unwrap().status.success() {}
    }
}

/// Waits until everybody is through.
async fn finish(url: &str, storm: &Storm) {
    let completed = "SELECT count(*) FROM enrollments WHERE status = 10";
    let wanted = (storm.customers, storm.rest);
    until(url, "customers who are through", completed, wanted).await;
}

/// Waits until each bucket has one owner, a node that lives, and all run the same revision.
async fn agree(url: &str) {
    let owned = "SELECT count(*) FROM bucket_leases JOIN nodes ON node = owner \
         WHERE until_at > extract(epoch FROM clock_timestamp()) * 1000000";
    until(url, "buckets with an owner", owned, (1024, CALM_AGAIN)).await;
    let owners = "SELECT count(DISTINCT owner) FROM bucket_leases";
    until(url, "owners", owners, (NODES, CALM_AGAIN)).await;
    let revisions = "SELECT count(DISTINCT revision) FROM nodes \
         WHERE until_at > extract(epoch FROM clock_timestamp()) * 1000000";
    until(url, "revisions", revisions, (1, CALM_AGAIN)).await;
}

async fn until(url: &str, what: &str, sql: &'static str, (wanted, within): (usize, Duration)) {
    let pool = PgPool::connect(url).await.unwrap();
    let wanted = i64::try_from(wanted).unwrap();
    let begun = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(200));
    loop {
        beat.tick().await;
        let found = number(&pool, sql).await;
        if found == wanted {
            return;
        }
        if begun.elapsed() > within {
            let open = psql(url, OPEN).await.unwrap();
            panic!("{found} {what}, not {wanted}:\n{open}");
        }
    }
}

/// Claims before the step was meant; when that was, is kept of each enrollment's last step.
const EARLY: &str = "SELECT count(*) FROM enrollments JOIN dispatches \
     USING (bucket, enrollment_id, step) WHERE first_at < planned";

/// Who is not through: what their rows and the leases of their buckets say.
const OPEN: &str = "SELECT to_json(e), to_json(d), to_json(l), to_json(n) FROM enrollments AS e \
     LEFT JOIN dispatches AS d USING (bucket, enrollment_id) JOIN bucket_leases AS l USING (bucket) \
     LEFT JOIN nodes AS n ON n.node = l.owner WHERE e.status <> 10 LIMIT 9";

async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

async fn report(cloud: &Cloud, storm: &Storm, counts: Counts, finished: Duration) {
    let (received, ledger) = (
        accounts::received(&cloud.sink.mails()),
        ledger(&cloud.url).await,
    );
    assert_eq!(
        ledger.len(),
        storm.customers * STEPS,
        "each step of each enrollment has its line"
    );
    let most = counts.most_uncertain(SLOTS, NODES);
    let sums = accounts::balance(&ledger, &received, most);
    accounts::nothing_is_early(&ledger, &received, DELAY);
    assert_eq!(psql(&cloud.url, EARLY).await.unwrap(), "0");
    println!(
        "{} messages, {counts:?}: {} received once, {} uncertain (at most {most}), finished {:.1} s \
         after the last blow",
        sums.messages,
        sums.received,
        sums.uncertain,
        finished.as_secs_f64(),
    );
}

async fn ledger(url: &str) -> Ledger {
    let store = Store::open(url, Path::new("")).await.unwrap();
    let tag = store.instance_tag().await.unwrap();
    store.close().await;
    let pool = PgPool::connect(url).await.unwrap();
    let rows = "SELECT enrollment_id, step, CAST(state AS BIGINT), first_at FROM dispatches";
    let rows = sqlx::query(rows).fetch_all(&pool).await.unwrap();
    let rows = rows.iter();
    accounts::ledger(
        tag,
        rows.map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))),
    )
}

//! Owns the tests of the PostgreSQL that tests are given: it is the right one, it comes back, it goes.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use drumbeat::store::Store;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::rig::database::Database;
use crate::rig::postgres::{Cluster, Shutdown, psql};
use crate::rig::wire::Wire;

#[tokio::test]
async fn a_private_cluster_is_of_a_supported_version_and_sees_to_its_own() {
    let cluster = Cluster::start().await;
    let version = cluster.psql("SHOW server_version_num").await;
    let major = version.parse::<u32>().unwrap() / 10_000;
    assert!((15..=18).contains(&major), "PostgreSQL {major}");
    let set = cluster.psql("SHOW fsync; SHOW listen_addresses").await;
    assert_eq!(set, "off\n127.0.0.1");

    let (one, other) = (
        cluster.create_database().await,
        cluster.create_database().await,
    );
    psql(&one, "CREATE TABLE kept (n int)").await.unwrap();
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'";
    assert_eq!(psql(&one, tables).await.unwrap(), "1");
    assert_eq!(psql(&other, tables).await.unwrap(), "0");
}

#[tokio::test]
async fn what_is_committed_is_there_after_a_fall_and_after_a_stop() {
    let mut cluster = Cluster::start_with(&["fsync=on"]).await;
    assert_eq!(cluster.psql("SHOW fsync").await, "on");
    let url = cluster.create_database().await;
    psql(&url, "CREATE TABLE kept (n int)").await.unwrap();
    for (n, shutdown) in [(1, Shutdown::Immediate), (2, Shutdown::Fast)] {
        let before = cluster.pid();
        let insert = format!("INSERT INTO kept VALUES ({n})");
        psql(&url, &insert).await.unwrap();
        cluster.restart(shutdown).await;
        assert_ne!(cluster.pid(), before);
        let kept = psql(&url, "SELECT max(n) FROM kept").await.unwrap();
        assert_eq!(kept, n.to_string());
    }
    let log = cluster.log();
    let recoveries = log.matches("automatic recovery in progress").count();
    assert_eq!(recoveries, 1, "{log}");
}

#[tokio::test]
async fn a_stopped_cluster_is_out_of_reach_until_it_starts_again() {
    let mut cluster = Cluster::start().await;
    cluster.stop(Shutdown::Fast).await;
    assert_eq!(cluster.pid(), None);
    let refused = psql(&cluster.url(), "SELECT 1").await.unwrap_err();
    assert!(refused.contains("Connection refused"), "{refused}");
    cluster.start_again().await;
    assert_eq!(cluster.psql("SELECT 1").await, "1");
}

#[tokio::test]
async fn nothing_is_left_of_a_cluster_that_is_dropped() {
    let cluster = Cluster::start().await;
    let folder = cluster.psql("SHOW unix_socket_directories").await;
    let process = format!("/proc/{}", cluster.pid().unwrap());
    assert!(Path::new(&folder).exists() && Path::new(&process).exists());
    let port = cluster.port;
    drop(cluster);
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    assert!(!Path::new(&process).exists());
    assert!(!Path::new(&folder).exists());
}

#[tokio::test]
async fn a_fresh_database_is_gone_when_it_is_dropped_though_somebody_is_connected() {
    let witness = Database::fresh().await;
    let database = Database::fresh().await;
    let (_, name) = database.url().rsplit_once('/').unwrap();
    let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    let connected = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
    let url = database.url().to_owned();
    let sleeper = tokio::spawn(async move { psql(&url, "SELECT pg_sleep(600)").await });
    let connected = timeout(Duration::from_secs(20), async {
        while witness.psql(&connected).await == "0" {}
    });
    connected.await.unwrap();

    assert_eq!(witness.psql(&there).await, "1");
    drop(database);
    assert_eq!(witness.psql(&there).await, "0");
    let ended = sleeper.await.unwrap().unwrap_err();
    assert!(
        ended.contains("terminating connection due to administrator command"),
        "{ended}"
    );
}

#[tokio::test]
async fn a_database_sorts_by_code_points_or_as_a_language_does() {
    let sorted = "SELECT 'a' < 'B'";
    assert_eq!(Database::fresh().await.psql(sorted).await, "f");
    assert_eq!(Database::sorted_for("en-US").await.psql(sorted).await, "t");
}

#[tokio::test]
async fn nothing_passes_a_wire_that_is_cut_and_everything_once_it_is_healed() {
    let database = Database::fresh().await;
    database.psql("CREATE TABLE kept (n int)").await;
    let wire = Wire::before(database.url()).await;
    let count = "SELECT count(*) FROM kept";
    assert_eq!(psql(&wire.url, count).await.unwrap(), "0");

    wire.cut();
    let insert = "INSERT INTO kept VALUES (1) RETURNING n";
    let mut insert = pin!(psql(&wire.url, insert));
    let answer = timeout(Duration::from_millis(300), &mut insert).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(database.psql(count).await, "0");
    wire.heal();
    assert_eq!(insert.await.unwrap(), "1");
    assert_eq!(database.psql(count).await, "1");
}

#[tokio::test]
async fn a_database_that_may_not_have_the_extension_of_the_search_is_told_what_to_do() {
    let cluster = Cluster::start().await;
    let url = cluster.create_database().await;
    let limit = "CREATE ROLE limited LOGIN; GRANT ALL ON SCHEMA public TO limited";
    psql(&url, limit).await.unwrap();
    let (_, place) = url.rsplit_once('@').unwrap();
    let limited = format!("postgres://limited@{place}");
    let folder = tempfile::tempdir().unwrap();
    let refused = Store::open(&limited, folder.path()).await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("`CREATE EXTENSION pg_trgm`"), "{refused}");
    psql(&url, "CREATE EXTENSION pg_trgm").await.unwrap();
    let store = Store::open(&limited, folder.path()).await.unwrap();
    assert_eq!(store.search_waiting().await.unwrap().customers, 0);
    store.close().await;
}

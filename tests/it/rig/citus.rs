//! Owns databases on a Citus that somebody else runs, if a run is about one.
#![expect(
    clippy::disallowed_methods,
    reason = "which Citus a run is about is said outside"
)]

use std::process::Command;

use drumbeat::store::Store;
use uuid::Uuid;

use super::postgres::{psql, psql_command};

/// The URL of a database on the coordinator whose role may make databases on every server; the
/// servers are those that Citus knows there. With it, every PostgreSQL database of a test is spread.
const ON: &str = "DRUMBEAT_TEST_CITUS";
/// How often a server is added again that could not be.
const TRIES: usize = 9;
/// More would only take more time.
const SHARDS: u16 = 4;

/// A database of one name on every server.
pub(crate) struct Spread {
    /// Each server's database that is always there, the coordinator's first.
    servers: Vec<String>,
    name: String,
}

impl Spread {
    /// On the Citus of this run, if it is about one.
    pub(crate) async fn create(options: &str) -> Option<Self> {
        let coordinator = std::env::var(ON).ok()?;
        let workers =
            "SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY 1";
        let workers = psql(&coordinator, workers).await.unwrap();
        let mut servers = vec![coordinator];
        for worker in workers.lines() {
            servers.push(at(&servers[0], worker));
        }
        let name = format!("test_{}", Uuid::new_v4().simple());
        let spread = Self { servers, name };
        for server in &spread.servers {
            let make = format!(
                "CREATE DATABASE {} TEMPLATE template0 {options}",
                spread.name
            );
            psql(server, &make).await.unwrap();
            let url = spread.on(server);
            psql(&url, "CREATE EXTENSION citus").await.unwrap();
        }
        for (n, server) in spread.servers.iter().enumerate() {
            let (host, port) = place(server);
            let host = host.to_owned();
            let add = if n == 0 {
                format!("SELECT citus_set_coordinator_host('{host}', {port})")
            } else {
                format!("SELECT citus_add_node('{host}', {port})")
            };
            // Databases that are made at the same moment get in each other's way.
            let mut added = psql(&spread.url(), &add).await;
            for _ in 0..TRIES {
                if added.is_err() {
                    added = psql(&spread.url(), &add).await;
                }
            }
            added.unwrap();
        }
        spread.lay_out().await;
        Some(spread)
    }

    async fn lay_out(&self) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&self.url(), folder.path()).await.unwrap();
        store.spread(SHARDS).await.unwrap();
        store.close().await;
    }

    pub(crate) fn url(&self) -> String {
        self.on(&self.servers[0])
    }

    pub(crate) fn removals(&self) -> Vec<Command> {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let servers = self.servers.iter();
        servers.map(|server| psql_command(server, &drop)).collect()
    }

    fn on(&self, server: &str) -> String {
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }
}

/// The same URL at another `host:port`.
fn at(url: &str, place: &str) -> String {
    let (head, database) = url.rsplit_once('/').unwrap();
    let user = head.rsplit_once('@').map_or("postgres:/", |(user, _)| user);
    format!("{user}@{place}/{database}")
}

fn place(url: &str) -> (&str, &str) {
    let (head, _) = url.rsplit_once('/').unwrap();
    let (_, place) = head.rsplit_once('@').unwrap();
    place.split_once(':').unwrap_or((place, "5432"))
}

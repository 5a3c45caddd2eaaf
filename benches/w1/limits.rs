//! Owns what this disk and these cores allow: the same work in the plainest form, without Drumbeat.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::phases::{Measures, number};
use crate::place::{Place, Ports};
use crate::process;

const SCHEMA: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, ext TEXT NOT NULL UNIQUE, email TEXT, phone TEXT,
    first_name TEXT, age INTEGER, city TEXT, balance INTEGER, tier TEXT);
CREATE INDEX customers_tier ON customers (tier);
CREATE TABLE enrollments (id INTEGER PRIMARY KEY, flow INTEGER NOT NULL, customer INTEGER NOT NULL,
    step INTEGER NOT NULL, due INTEGER, UNIQUE (flow, customer));
CREATE INDEX enrollments_due ON enrollments (due, id) WHERE due IS NOT NULL;
CREATE TABLE outbox (id INTEGER PRIMARY KEY, enrollment INTEGER NOT NULL, step INTEGER NOT NULL, state INTEGER NOT NULL);
CREATE TABLE history (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, at INTEGER NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE dirty (customer INTEGER PRIMARY KEY);
";
/// Rows in a statement and in a transaction of the import.
const ROWS: u64 = 500;
const COMMIT: u64 = 10_000;
const BATCH: i64 = 1_000;
const ENROLL: &str = "INSERT INTO enrollments (flow, customer, step, due) SELECT 1, id, 0, 100 \
     FROM customers c WHERE tier = 'gold' AND NOT EXISTS \
     (SELECT 1 FROM enrollments e WHERE e.flow = 1 AND e.customer = c.id)";
/// Claim, outbox, history and move of a batch, in one commit.
const ADVANCE: [&str; 3] = [
    "INSERT INTO outbox (enrollment, step, state) SELECT id, step, 0 FROM enrollments \
     WHERE due <= 200 ORDER BY due, id LIMIT ?",
    "INSERT INTO history (customer, at, kind) SELECT customer, 200, 1 FROM enrollments \
     WHERE due <= 200 ORDER BY due, id LIMIT ?",
    "UPDATE enrollments SET step = step + 1, due = 500 WHERE id IN \
     (SELECT id FROM enrollments WHERE due <= 200 ORDER BY due, id LIMIT ?)",
];
const CHANGE: &str = "UPDATE customers SET tier = 'gold' WHERE id = ?";
const MARK: &str = "INSERT INTO dirty VALUES (?)";
const ENROLL_DIRTY: &str = "INSERT INTO enrollments (flow, customer, step, due) SELECT 1, c.id, 0, 900 \
     FROM dirty d CROSS JOIN customers c ON c.id = d.customer WHERE tier = 'gold' AND NOT EXISTS \
     (SELECT 1 FROM enrollments e WHERE e.flow = 1 AND e.customer = c.id)";

/// All limits at a size, and the CPU that the wires' clients took for a message.
pub(crate) async fn run(place: &Place) -> Result<Measures> {
    let mut measures = Measures::new();
    let path = place.folder.join("limits.db");
    store(&path, place.customers, &mut measures).await?;
    let messages = (place.customers / 10).clamp(5_000, 30_000);
    for (name, pipelined) in [("smtp", false), ("smtp_pipelined", true)] {
        let begun = Instant::now();
        mails(place.ports, messages, pipelined).await?;
        measures.insert(
            name.to_owned(),
            number(messages) / begun.elapsed().as_secs_f64(),
        );
    }
    let begun = Instant::now();
    posts(place.ports, messages).await?;
    measures.insert(
        "http".to_owned(),
        number(messages) / begun.elapsed().as_secs_f64(),
    );
    measures.insert("cpu".to_owned(), process::cpu_seconds()?);
    Ok(measures)
}

async fn store(path: &Path, customers: u64, measures: &mut Measures) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-262144")
        .pragma("wal_autocheckpoint", "4000");
    let mut db = options.connect().await?;
    sqlx::raw_sql(SCHEMA).execute(&mut db).await?;
    let mut rate = |name: &str, rows: u64, begun: Instant| {
        let rate = number(rows) / begun.elapsed().as_secs_f64();
        measures.insert(name.to_owned(), rate);
    };
    let begun = Instant::now();
    import(&mut db, customers).await?;
    rate("import", customers, begun);
    let begun = Instant::now();
    let enrolled = sqlx::query(ENROLL).execute(&mut db).await?.rows_affected();
    rate("enroll", enrolled, begun);
    let begun = Instant::now();
    advance(&mut db).await?;
    rate("advance", enrolled, begun);
    let (p50, p99) = changes(&mut db).await?;
    measures.insert("change_p50".to_owned(), p50);
    measures.insert("change_p99".to_owned(), p99);
    db.close().await?;
    for ending in ["", "-wal", "-shm"] {
        let file = format!("{}{ending}", path.display());
        if std::fs::exists(&file)? {
            std::fs::remove_file(&file)?;
        }
    }
    Ok(())
}

async fn import(db: &mut SqliteConnection, customers: u64) -> Result<()> {
    let rows = vec!["(?,?,?,?,?,?,?,?,?)"; usize::try_from(ROWS)?].join(",");
    let sql = format!("INSERT INTO customers VALUES {rows}");
    let mut next = 0;
    while next < customers {
        let mut tx = db.begin().await?;
        let end = (next + COMMIT).min(customers);
        while next < end {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql.clone()));
            for i in next..next + ROWS {
                let n = i.cast_signed();
                let tier = if i % 10 == 0 { "gold" } else { "standard" };
                query = query
                    .bind(n + 1)
                    .bind(format!("c{i}"))
                    .bind(format!("c{i}@example.com"))
                    .bind(format!("+4179{i:07}"))
                    .bind(format!("Name{i}"))
                    .bind(18 + n % 60)
                    .bind(format!("City{}", i % 40))
                    .bind(n * 37 % 10_000)
                    .bind(tier);
            }
            query.execute(&mut *tx).await?;
            next += ROWS;
        }
        tx.commit().await?;
    }
    Ok(())
}

async fn advance(db: &mut SqliteConnection) -> Result<()> {
    loop {
        let mut tx = db.begin().await?;
        let mut moved = 0;
        for statement in ADVANCE {
            moved = sqlx::query(statement)
                .bind(BATCH)
                .execute(&mut *tx)
                .await?
                .rows_affected();
        }
        tx.commit().await?;
        if moved == 0 {
            return Ok(());
        }
    }
}

/// Milliseconds of a change and its enrollment, two commits.
async fn changes(db: &mut SqliteConnection) -> Result<(f64, f64)> {
    let mut waits = Vec::new();
    for n in 0..200_i64 {
        let (begun, customer) = (Instant::now(), n * 10 + 2);
        let mut tx = db.begin().await?;
        sqlx::query(CHANGE).bind(customer).execute(&mut *tx).await?;
        sqlx::query(MARK).bind(customer).execute(&mut *tx).await?;
        tx.commit().await?;
        let mut tx = db.begin().await?;
        sqlx::query(ENROLL_DIRTY).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM dirty").execute(&mut *tx).await?;
        tx.commit().await?;
        waits.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    waits.sort_by(f64::total_cmp);
    Ok((waits[100], waits[197]))
}

/// As many connections as an SMTP gateway opens by itself.
const CONNECTIONS: u64 = 8;

/// Mails of one KiB over kept connections without Nagle's delay, each command awaited or all at once.
async fn mails(ports: Ports, messages: u64, pipelined: bool) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let next = Arc::clone(&next);
        clients.push(tokio::spawn(async move {
            let mut client = Client::open(ports.smtp).await?;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    return Ok::<(), anyhow::Error>(());
                }
                client.carry(n, pipelined).await?;
            }
        }));
    }
    for client in clients {
        client.await??;
    }
    Ok(())
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut client = Self(BufReader::new(stream));
        client.reply().await?;
        client.ask("EHLO bench\r\n").await?;
        Ok(client)
    }

    async fn ask(&mut self, text: &str) -> Result<()> {
        self.0.get_mut().write_all(text.as_bytes()).await?;
        self.reply().await
    }

    /// Reads one reply, all its lines.
    async fn reply(&mut self) -> Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line).await? == 0 {
                bail!("the sink closed");
            }
            if line.get(3..4) != Some("-") {
                return Ok(());
            }
        }
    }

    async fn carry(&mut self, n: u64, pipelined: bool) -> Result<()> {
        let customer = n * 10;
        let commands = [
            "MAIL FROM:<hello@bank.example>\r\n".to_owned(),
            format!("RCPT TO:<c{customer}@example.com>\r\n"),
            "DATA\r\n".to_owned(),
        ];
        let line = "Your card is ready, and here is how to begin with it in four steps.\r\n";
        let body = format!(
            "Message-ID: <limit-{pipelined}-{n}@bank.example>\r\nSubject: Welcome\r\n\r\n{}.\r\n",
            line.repeat(15)
        );
        if pipelined {
            self.0
                .get_mut()
                .write_all(commands.concat().as_bytes())
                .await?;
            for _ in &commands {
                self.reply().await?;
            }
        } else {
            for command in &commands {
                self.ask(command).await?;
            }
        }
        self.ask(&body).await
    }
}

/// As many requests in flight as an HTTP gateway allows itself.
const REQUESTS: u64 = 32;

async fn posts(ports: Ports, messages: u64) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let next = Arc::new(AtomicU64::new(0));
    let mut posting = Vec::new();
    for _ in 0..REQUESTS {
        let (next, client) = (Arc::clone(&next), client.clone());
        posting.push(tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    return Ok::<(), anyhow::Error>(());
                }
                let body = serde_json::json!({ "to": format!("+4179{:07}", n * 10), "text": "your card is ready: bank.example/card" });
                let url = format!("http://127.0.0.1:{}/", ports.http);
                let key = format!("limit-{n}");
                let response = client.post(url).header("Idempotency-Key", key).json(&body).send().await?;
                response.bytes().await.context("a reply")?;
            }
        }));
    }
    for client in posting {
        client.await??;
    }
    Ok(())
}

//! Owns what SQLite allows: one connection, the same tables in the plainest form.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use crate::phases::{Measures, number};

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
CREATE TABLE tags (tag INTEGER NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY (tag, customer)) WITHOUT ROWID;
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

/// A page of tags, a line in the history of each, in one commit.
const TAG: [&str; 2] = [
    "INSERT INTO tags SELECT 1, id FROM customers WHERE tier = 'gold' AND id > ? ORDER BY id LIMIT ?",
    "INSERT INTO history (customer, at, kind) SELECT id, 300, 2 FROM customers \
     WHERE tier = 'gold' AND id > ? ORDER BY id LIMIT ?",
];
const LAST_TAGGED: &str = "SELECT max(customer) FROM tags";
const EXPORT: &str = "SELECT * FROM customers";
const COUNT: &str = "SELECT age / 10, count(*) FROM customers GROUP BY age / 10";

pub(super) async fn store(path: &Path, customers: u64, measures: &mut Measures) -> Result<()> {
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
    let begun = Instant::now();
    tag(&mut db).await?;
    rate("tag", enrolled, begun);
    let begun = Instant::now();
    export(&mut db, &path.with_extension("csv")).await?;
    rate("export", customers, begun);
    let begun = Instant::now();
    sqlx::query(COUNT).fetch_all(&mut db).await?;
    let counted = begun.elapsed().as_secs_f64() * 1000.0;
    measures.insert("count".to_owned(), counted);
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

async fn tag(db: &mut SqliteConnection) -> Result<()> {
    let mut last = 0_i64;
    loop {
        let mut tx = db.begin().await?;
        let mut tagged = 0;
        for statement in TAG {
            let page = sqlx::query(statement).bind(last).bind(BATCH);
            tagged = page.execute(&mut *tx).await?.rows_affected();
        }
        tx.commit().await?;
        if tagged == 0 {
            return Ok(());
        }
        last = sqlx::query_scalar(LAST_TAGGED).fetch_one(&mut *db).await?;
    }
}

async fn export(db: &mut SqliteConnection, path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut rows = sqlx::query(EXPORT).fetch(db);
    while let Some(row) = rows.try_next().await? {
        write!(file, "{},{}", row.get::<i64, _>(0), row.get::<&str, _>(1))?;
        for text in 2..5 {
            write!(file, ",{}", row.get::<&str, _>(text))?;
        }
        let (age, balance): (i64, i64) = (row.get(5), row.get(7));
        let (city, tier): (&str, &str) = (row.get(6), row.get(8));
        writeln!(file, ",{age},{city},{balance},{tier}")?;
    }
    Ok(file.flush()?)
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

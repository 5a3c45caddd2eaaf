//! How a page of found customers is looked up: never by looking at everybody.

use std::collections::BTreeSet;

use drumbeat::customers::search::{self, Search};
use drumbeat::domain::customer::Status;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::search::Words;
use drumbeat::domain::segment::Condition;
use drumbeat::store::{Asked, Bind, Dialect, NewCustomer, Published, Store, search_statements};
use sqlx::{AssertSqlSafe, Row as _};

use super::rig::{Fresh, frame, model, now, revision, row};
use crate::rig::home::Raw;

/// Whom pages of three list.
async fn page_by_page(
    store: &Store,
    published: &Published,
    condition: &Condition,
) -> BTreeSet<CustomerId> {
    let search = Search {
        condition: Some(condition.clone()),
        ..Search::default()
    };
    let (mut found, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = search::page(store, published, &search, now(), cursor.as_ref(), 3);
        let page = page.await.unwrap();
        let is_last = page.customers.len() < 3;
        found.extend(page.ids());
        cursor = page.customers.into_iter().last().map(|(_, last)| last);
        if is_last {
            return found;
        }
    }
}

/// Whoever is listed by an index of few is found page by page, wherever a page ends.
pub(super) async fn few_are_found_by_what_lists_them(store: Fresh) {
    let published = store.published(&revision()).await;
    let rows: Vec<NewCustomer> = (0..60).map(|n| row(&format!("c{n}"), &[])).collect();
    store.import(&rows, &model()).await;
    let number = published.numbers.number(NameKind::Tag, "vip").unwrap();
    let tag = format!(
        "INSERT INTO customer_tags (bucket, customer_id, tag) SELECT bucket, customer_id, {} \
         FROM customers WHERE customer_id % 3 = 0",
        i64::from(number)
    );
    store.execute(&tag).await;
    let status = "UPDATE customers SET status = 1 WHERE customer_id % 5 = 0";
    store.execute(status).await;
    let tagged = Condition::Tag("vip".to_owned());
    let suspended = Condition::Status(Status::Suspended);
    let both = Condition::All(vec![suspended.clone(), tagged.clone()]);
    for (condition, met) in [
        (tagged, "customer_id % 3 = 0"),
        (suspended, "status = 1"),
        (both, "customer_id % 15 = 0"),
    ] {
        let count = format!("SELECT count(*) FROM customers WHERE {met}");
        let expected = usize::try_from(store.number(&count).await).unwrap();
        let found = page_by_page(&store, &published, &condition).await;
        assert_eq!(found.len(), expected, "{condition:?}");
        if store.dialect() != Dialect::Sqlite {
            continue;
        }
        let asked = Asked {
            words: None,
            condition: Some(&condition),
            without: None,
        };
        let searches =
            search_statements(Dialect::Sqlite, &asked, &frame(&published), Some(7), 3).unwrap();
        let [(next, values), (all, all_values)] = searches.as_slice() else {
            panic!("{searches:?}")
        };
        let next = plan(&store, next.clone(), values).await;
        assert!(!next.contains("TEMP B-TREE"), "{next}");
        let all = plan(&store, all.clone(), all_values).await;
        let by = ["(bucket=? AND tag=?", "(bucket=? AND status=?"];
        assert!(by.iter().any(|by| all.contains(by)), "{all}");
    }
}

/// How a statement is carried out with these values.
async fn plan(store: &Fresh, mut sql: String, binds: &[Bind]) -> String {
    for (place, bind) in binds.iter().enumerate().rev() {
        let value = match bind {
            Bind::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Bind::Int(number) => number.to_string(),
            Bind::Real(number) => number.to_string(),
        };
        sql = sql.replace(&format!("${}", place + 1), &value);
    }
    let lines: Vec<String> = match store.raw().await {
        Raw::Sqlite(mut raw) => {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let lines = sqlx::query(explain).fetch_all(&mut raw).await.unwrap();
            lines.iter().map(|line| line.get("detail")).collect()
        }
        Raw::Postgres(mut raw) => {
            // There are few, beside a million.
            let off = AssertSqlSafe("SET enable_seqscan = off");
            sqlx::query(off).execute(&mut raw).await.unwrap();
            let explain = AssertSqlSafe(format!("EXPLAIN {sql}"));
            let lines = sqlx::query(explain).fetch_all(&mut raw).await.unwrap();
            lines.iter().map(|line| line.get(0)).collect()
        }
    };
    lines.join("\n")
}

/// However many there are, a frequent word is found among the next texts, and a rare one by its index.
pub(super) async fn a_page_of_words_is_found_without_looking_at_everybody(store: Fresh) {
    let published = store.published(&revision()).await;
    if store.dialect() != Dialect::Sqlite {
        let many = "INSERT INTO search_texts (bucket, customer_id, text) SELECT n % 1024, \
             (n % 1024 << 48) + n, E'\\n\\nXc' || n || E'\\ncity' || n % 7 || E'\\nexample\\n' \
             FROM generate_series(CAST(1 AS BIGINT), 20000) AS n";
        store.execute(many).await;
        store.execute("ANALYZE search_texts").await;
    }
    for typed in ["city3", "c777", "1.2.2003", "ex", "city4 c12"] {
        let words = Words::of(typed);
        let asked = Asked {
            words: words.as_ref(),
            condition: None,
            without: None,
        };
        for after in [None, Some((5 << 48) + 12_293)] {
            let searches =
                search_statements(store.dialect(), &asked, &frame(&published), after, 101);
            let mut plans = Vec::new();
            for (sql, binds) in searches.unwrap() {
                plans.push(plan(&store, sql, &binds).await);
            }
            match (store.dialect(), plans.as_slice()) {
                (Dialect::Sqlite, [plan]) => {
                    assert!(
                        plan.contains("SCAN search_index VIRTUAL TABLE INDEX"),
                        "{plan}"
                    );
                    assert!(
                        plan.contains("SEARCH s USING INTEGER PRIMARY KEY"),
                        "{plan}"
                    );
                    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
                }
                (Dialect::Postgres, [next, all]) => {
                    assert!(next.contains("Scan using search_texts_pkey"), "{next}");
                    assert!(!next.contains("Sort"), "{next}");
                    // Of what a seventh has, the index is never asked.
                    let is_rare = typed != "city3";
                    assert!(!is_rare || all.contains("on search_texts_by_part"), "{all}");
                    assert!(!all.contains("search_texts_pkey"), "{all}");
                }
                (Dialect::Citus, [_]) => {}
                (_, plans) => panic!("{plans:?}"),
            }
        }
    }
}

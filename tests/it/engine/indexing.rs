//! Owns the tests of the daemon's part in the search: who changes is found a moment later.

use std::sync::Arc;

use drumbeat::customers::search::{self, Search};
use drumbeat::engine::{Beat, Indexer};

use super::rig::Rig;

async fn found(rig: &Rig, typed: &str) -> usize {
    let published = Arc::clone(&rig.engine().catalog().published);
    let search = Search {
        text: Some(typed.to_owned()),
        ..Search::default()
    };
    let found = search::page(&rig.store, &published, &search, rig.now(), None, 1_000).await;
    found.unwrap().customers.len()
}

#[tokio::test]
async fn who_changes_is_found_at_the_next_look() {
    let rig = Rig::start(&[]).await;
    let indexer = Indexer::new(Arc::clone(rig.engine()));
    assert!(matches!(indexer.run_once().await.unwrap(), Beat::Within(_)));
    rig.customer("ana", "city=Lyon").await;
    assert_eq!(found(&rig, "lyon").await, 0);
    assert_eq!(indexer.run_once().await.unwrap(), Beat::Now);
    assert_eq!(found(&rig, "lyon").await, 1);
    assert!(matches!(indexer.run_once().await.unwrap(), Beat::Within(_)));
    rig.set("ana", "city=Oslo").await;
    indexer.run_once().await.unwrap();
    assert_eq!(
        (found(&rig, "lyon").await, found(&rig, "oslo").await),
        (0, 1)
    );
}

#[tokio::test]
async fn while_many_are_being_added_single_changes_go_first() {
    let rig = Rig::start(&[]).await;
    let indexer = Indexer::new(Arc::clone(rig.engine()));
    indexer.run_once().await.unwrap();
    let ids: Vec<String> = (0..300).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    rig.set_all(&ids, "city=Lyon").await;
    rig.set("c7", "city=Oslo").await;
    assert_eq!(indexer.run_once().await.unwrap(), Beat::Now);
    assert_eq!(
        (found(&rig, "oslo").await, found(&rig, "lyon").await),
        (1, 0)
    );
    // Nobody was added since the last look.
    while indexer.run_once().await.unwrap() == Beat::Now {}
    assert_eq!(found(&rig, "lyon").await, 299);
}

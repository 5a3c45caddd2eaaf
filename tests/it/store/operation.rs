//! The store as a thing to run: durability, ownership, identity, backups.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::ids::Incarnation;
use drumbeat::store::{Dialect, Error, Store};

use super::rig::{Fresh, now, revision};

pub(super) async fn every_commit_is_on_the_disk_before_it_is_answered(store: Fresh) {
    let expected = match store.dialect() {
        Dialect::Sqlite => "wal 2",
        Dialect::Postgres | Dialect::Citus => "on",
    };
    let durability = store.durability().await.unwrap();
    assert!(durability.len() > 1);
    assert!(
        durability.iter().all(|found| found == expected),
        "{durability:?}"
    );
}

pub(super) async fn one_process_owns_a_store_and_each_start_has_a_number(store: Fresh) {
    let first = store.own("drumbeat on bank-1").await.unwrap();
    assert_eq!(first.incarnation, Incarnation(1));
    let second = store.again().await;
    let error = second.own("drumbeat on bank-2").await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Unusable(_)));
    assert!(text.contains("drumbeat on bank-1"), "{text}");
    assert!(
        text.contains(&format!("pid {}", std::process::id())),
        "{text}"
    );
    assert!(text.contains("since 20"), "{text}");
    drop(first);
    let next = second.own("drumbeat on bank-2").await.unwrap();
    assert_eq!(next.incarnation, Incarnation(2));
}

pub(super) async fn tag_key_and_clock_last(store: Fresh) {
    let (tag, key) = (
        store.instance_tag().await.unwrap(),
        store.link_key().await.unwrap(),
    );
    assert_eq!(store.saved_clock().await.unwrap(), None);
    store.save_clock(now(), now(), 600.0, true).await.unwrap();
    let again = store.again().await;
    assert_eq!(again.instance_tag().await.unwrap(), tag);
    assert_eq!(again.link_key().await.unwrap(), key);
    assert_ne!(key, [0; 32]);
    let clock = again.saved_clock().await.unwrap().unwrap();
    assert_eq!(
        (clock.machine, clock.flow, clock.running),
        (now(), now(), true)
    );
    let other = super::rig::on_sqlite().await;
    assert_ne!(other.instance_tag().await.unwrap(), tag);
    assert_ne!(other.link_key().await.unwrap(), key);
}

pub(super) async fn a_backup_is_a_whole_store(store: Fresh) {
    let published = store.published(&revision()).await;
    store.person("a", &[]).await;
    let file = store.folder.path().join("copy.db");
    store.backup(&file).await.unwrap();
    store.person("b", &[]).await;
    let copy = Store::open(
        &format!("sqlite://{}", file.display()),
        std::path::Path::new(""),
    )
    .await
    .unwrap();
    assert_eq!(copy.customer_count().await.unwrap(), 1);
    assert_eq!(copy.current_revision().await.unwrap(), Some(published));
    assert!(!store.folder.path().join("copy.db.part").exists());
}

pub(super) async fn a_backup_never_replaces_a_file(store: Fresh) {
    let file = store.folder.path().join("copy.db");
    std::fs::write(&file, "mine").unwrap();
    assert!(matches!(store.backup(&file).await, Err(Error::Conflict(_))));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let nowhere = store.folder.path().join("no/such/folder/copy.db");
    assert!(store.backup(&nowhere).await.is_err());
}

pub(super) async fn a_write_of_another_process_moves_the_data_version(store: Fresh) {
    store.published(&revision()).await;
    let before = store.data_version().await.unwrap();
    if store.dialect() == Dialect::Sqlite {
        // A server's moves with the writes to its other databases, too.
        assert_eq!(store.data_version().await.unwrap(), before);
    }
    let other = store.again().await;
    other.save_clock(now(), now(), 1.0, false).await.unwrap();
    assert_ne!(store.data_version().await.unwrap(), before);
}

pub(super) async fn jobs_and_audit_read_back(store: Fresh) {
    assert_eq!(store.last_run("prune").await.unwrap(), None);
    store.ran("prune", now(), Some("3 rows")).await.unwrap();
    store.ran("prune", now(), None).await.unwrap();
    let run = store.last_run("prune").await.unwrap().unwrap();
    assert_eq!((run.at, run.result), (now(), None));
    let by = By::new(Actor::named("ana"), Source::Console).noting("by phone");
    store
        .audit(&by, "flow paused", Some("gold"), now())
        .await
        .unwrap();
    store.audit(&by, "flow resumed", None, now()).await.unwrap();
    let lines = store.audit_lines(9).await.unwrap();
    let whats: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(whats, ["flow resumed", "flow paused"]);
    assert_eq!(lines[0].detail.as_deref(), Some("by phone"));
    assert_eq!(
        (lines[1].actor.as_str(), lines[1].source.as_str()),
        ("ana", "console")
    );
}

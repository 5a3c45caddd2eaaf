//! Tags: whoever gets one or loses one has a line of it, whichever way it comes or goes.

use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::Kind;
use drumbeat::domain::revision::NameKind;
use drumbeat::store::{HistoryFilter, NewCustomer, Upsert};

use super::life::by;
use super::rig::{Fresh, model, now, revision, row};

impl Fresh {
    /// Creates or changes customers who all get the tag `vip`.
    async fn import_vips(&self, rows: &[NewCustomer]) {
        let (model, by) = (model(), by());
        let how = Upsert {
            model: &model,
            tags: &["vip".to_owned()],
            consents: &[],
            by: &by,
            at: now(),
        };
        self.upsert_customers(rows, &how).await.unwrap();
    }

    /// Of each line about a tag: its kind, the tag and who put it on or took it off.
    async fn lines_of_tags(&self, customer: CustomerId) -> Vec<(String, String, String)> {
        let filter = HistoryFilter::default();
        let lines = self.history(customer, &filter, 99).await.unwrap();
        let about = lines.into_iter().filter_map(|line| {
            let tag = line.detail.as_ref()?["tag"].as_str()?.to_owned();
            Some((line.kind, tag, line.actor.unwrap_or_default()))
        });
        about.collect()
    }
}

pub(super) async fn whoever_gets_a_tag_or_loses_it_has_a_line_of_it(store: Fresh) {
    let published = store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    for _ in 0..2 {
        store.import_vips(&[row("ana", &[]), row("ben", &[])]).await;
    }
    let ben = store.customer_id("ben").await.unwrap().unwrap();
    let line = |kind: &str| (kind.to_owned(), "vip".to_owned(), "mara".to_owned());
    for customer in [ana, ben] {
        assert_eq!(store.lines_of_tags(customer).await, [line("tagged")]);
    }
    let vip = published.numbers.number(NameKind::Tag, "vip").unwrap();
    let by = by();
    for _ in 0..2 {
        let both = [ana, ben];
        let off = store.untag((vip, "vip"), &both, (&by, now()));
        off.await.unwrap();
    }
    for customer in [ana, ben] {
        let mut lines = store.lines_of_tags(customer).await;
        lines.sort();
        assert_eq!(lines, [line("tagged"), line("untagged")]);
    }
}

pub(super) async fn a_tag_is_taken_from_those_who_carry_it_and_marks_them(store: Fresh) {
    store.published(&revision()).await;
    store
        .import_vips(&["ana", "ben", "cleo"].map(|id| row(id, &[])))
        .await;
    let numbers = store.numbers().await.unwrap();
    let vip = numbers.number(NameKind::Tag, "vip").unwrap();
    assert_eq!(store.tag_count(vip).await.unwrap(), 3);
    assert_eq!(store.tag_counts().await.unwrap().get(&vip), Some(&3));
    let first = store.carriers_of(vip, None, 2).await.unwrap();
    let marks = store.marks().await;
    let by = by();
    let off = store.untag((vip, "vip"), &first, (&by, now()));
    off.await.unwrap();
    assert_eq!(store.marks().await, marks + 2);
    let rest = store
        .carriers_of(vip, first.last().copied(), 2)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
    let off = store.untag((vip, "vip"), &rest, (&by, now()));
    off.await.unwrap();
    assert_eq!(store.tag_count(vip).await.unwrap(), 0);
    let lines = format!(
        "SELECT count(*) FROM interactions WHERE kind = {}",
        Kind::Untagged.number()
    );
    assert_eq!(store.number(&lines).await, 3);
}

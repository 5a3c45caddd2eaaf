//! Ids that were merged into others: a row under one speaks of whom it leads to.

use drumbeat::customers::batch;
use drumbeat::customers::jobs::picking;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::import::ImportCounts;
use drumbeat::domain::import_plan::ImportPlan;
use drumbeat::store::{Draft, Written};

use super::import_desk::Desk;
use super::life::by;
use super::rig::{Fresh, model, now, revision, row, text};

impl Fresh {
    /// Ana, whom two visitors turned out to be.
    async fn ana_of_two_visitors(&self) {
        let ana = self.person("ana", &[("city", text("Rome"))]).await;
        for id in ["v-1", "v-2"] {
            let visitor = self.visitor(id, &[], &[]).await;
            self.merge(visitor, ana).await.unwrap();
        }
    }
}

pub(super) async fn a_row_under_a_merged_id_speaks_of_whom_it_leads_to(store: Fresh) {
    let desk = Desk::at(&store).await;
    store.ana_of_two_visitors().await;
    // Of rows that become one customer's the later goes over the earlier, as of rows with the same id.
    let file = "id,city,zip,age\nv-1,Lyon,1,\nana,Nice,,40\nben,Oslo,,\nv-2,,,41\n";
    let import = desk.stage(file, ImportPlan::default()).await;
    let looked = desk.look(import).await;
    let counts = ImportCounts {
        read: 4,
        created: 1,
        updated: 1,
        duplicates: 2,
        ..ImportCounts::default()
    };
    assert_eq!(looked.counts, counts);
    let before = store.read("ana").await;
    desk.save(import).await;
    assert_eq!(desk.import(import).await.counts, counts);
    let ana = store.read("ana").await;
    assert_eq!((ana.text("city"), ana.text("zip")), (None, None));
    assert_eq!(
        ana.fields["age"],
        FieldValue::One(drumbeat::domain::value::Value::Integer(41))
    );
    assert_eq!(desk.customers().await, 2);
    let back = desk.revert(import, false).await;
    assert_eq!((back.changed, back.failed), (2, 0));
    assert_eq!(store.read("ana").await.fields, before.fields);
    assert_eq!(desk.customers().await, 1);
    let again = desk
        .saved("id,city\nv-2,Bern\n", ImportPlan::default())
        .await;
    assert_eq!(desk.import(again).await.counts.updated, 1);
    assert_eq!(desk.city("ana").await.as_deref(), Some("Bern"));
    assert_eq!(desk.customers().await, 1);
}

pub(super) async fn an_id_that_leads_to_nobody_any_more_is_free(store: Fresh) {
    let desk = Desk::at(&store).await;
    let import = desk.saved("id\nana\n", ImportPlan::default()).await;
    let ana = store.customer_id("ana").await.unwrap().unwrap();
    let visitor = store.visitor("v-1", &[], &[]).await;
    store.merge(visitor, ana).await.unwrap();
    let back = desk.revert(import, false).await;
    let is_gone = store.customer_id("ana").await.unwrap().is_none();
    assert_eq!(
        (back.changed, is_gone),
        (1, true),
        "{:?}",
        desk.left(&back).await
    );
    assert_eq!(store.number("SELECT count(*) FROM aliases").await, 0);
    desk.saved("id,city\nv-1,Lyon\n", ImportPlan::default())
        .await;
    assert_eq!(desk.city("v-1").await.as_deref(), Some("Lyon"));
}

pub(super) async fn a_merged_id_is_nobody_elses_whatever_a_row_is_found_by(store: Fresh) {
    let desk = Desk::at(&store).await;
    store.ana_of_two_visitors().await;
    let by_email = ImportPlan {
        key: Some("email".to_owned()),
        ..ImportPlan::default()
    };
    let import = desk
        .saved("id,email\nv-1,other@example.com\n", by_email)
        .await;
    assert_eq!(desk.import(import).await.counts.rejected, 1);
    let rejected = store.import_rejects(import, None, 9).await.unwrap();
    assert_eq!(
        rejected[0].1.reason,
        "`id`: the customer `v-1` is there, with another `email`"
    );
    let ids = ["v-1", "ana", "nobody"].map(str::to_owned);
    let picked = picking::by_ids(&store, &ids).await.unwrap();
    assert_eq!((picked.customers.len(), picked.failures.len()), (1, 1));
}

pub(super) async fn who_is_given_under_a_merged_id_is_changed_and_not_made(store: Fresh) {
    let published = store.published(&revision()).await;
    store.ana_of_two_visitors().await;
    let rows = [
        row("v-1", &[("city", text("Lyon"))]),
        row("ben", &[("city", text("Oslo"))]),
        row("ana", &[("zip", text("7"))]),
    ];
    let by = by();
    let given = batch::upsert(&store, &published.revision, &rows, &by, now()).await;
    let expected = [Written::Updated, Written::Created, Written::Updated];
    assert_eq!(given.unwrap(), expected);
    let ana = store.read("ana").await;
    assert_eq!(
        (ana.text("city"), ana.text("zip")),
        (Some("Lyon"), Some("7"))
    );
    assert_eq!(store.customer_count().await.unwrap(), 2);
}

pub(super) async fn ids_lead_on_only_until_somebody_else_has_them(store: Fresh) {
    assert!(!store.has_aliases().await.unwrap());
    store.published(&revision()).await;
    store.ana_of_two_visitors().await;
    assert!(store.has_aliases().await.unwrap());
    store.person("v-2", &[]).await;
    let leads = store.leading(&["v-1", "v-2", "ana", "x"]).await.unwrap();
    assert_eq!(leads, [("v-1".to_owned(), "ana".to_owned())].into());
    let model = model();
    let mut draft = Draft::new(&model.fields).unwrap();
    for id in ["v-1", "v-2"] {
        draft.push(id, []).unwrap();
    }
    draft.rename(&leads).unwrap();
    assert_eq!(draft.ids().collect::<Vec<_>>(), ["ana", "v-2"]);
}

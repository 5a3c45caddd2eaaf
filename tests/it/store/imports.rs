//! Imports: looked at before they are saved, and gone on with whatever happens.

use drumbeat::customers::imports::reject_lines::RejectLines;
use drumbeat::customers::imports::staging;
use drumbeat::domain::import::{ImportCounts, ImportState};
use drumbeat::domain::import_plan::{ImportPlan, NoMatch, SeveralMatch};
use drumbeat::store::Presence;

use super::import_desk::{Desk, many};
use super::life::by;
use super::rig::{Fresh, now, text};

pub(super) async fn a_file_is_looked_at_and_nothing_is_stored(store: Fresh) {
    let desk = Desk::at(&store).await;
    store.person("c1", &[("city", text("Rome"))]).await;
    let file = "id,email,city,shoe\nc1,a@example.com,Lyon,1\nc2,b@example.com,Lyon,2\n\
                c3,nobody,Lyon,3\nc2,b@example.com,Oslo,4\nshort\n";
    let import = desk.stage(file, ImportPlan::default()).await;
    let looked = desk.look(import).await;
    assert_eq!(looked.shown_state(), ImportState::Checked);
    let counts = ImportCounts {
        read: 5,
        created: 1,
        updated: 1,
        rejected: 2,
        duplicates: 1,
        ..ImportCounts::default()
    };
    assert_eq!(looked.counts, counts);
    assert_eq!(looked.findings.ignored_columns, ["shoe"]);
    assert_eq!(
        (desk.customers().await, desk.city("c1").await),
        (1, Some("Rome".to_owned()))
    );
    let mut lines = RejectLines::new(store.store().clone(), looked.clone());
    let mut text = Vec::new();
    while let Some(part) = lines.next().await.unwrap() {
        text.extend(part);
    }
    let expected = "id,email,city,shoe,line,reason\n\
        c3,nobody,Lyon,3,4,`email`: `nobody` is not an e-mail address\n\
        short,,,,6,\"the row has 1 cells, and the header 4 columns\"\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
    let revision = &desk.published.revision;
    let preview = staging::first_rows(&store, revision, &looked, 2).await;
    assert_eq!(preview.unwrap().unwrap().rows.len(), 2);
    desk.save(import).await;
    let saved = desk.import(import).await;
    assert_eq!((saved.state, saved.counts), (ImportState::Saved, counts));
    assert_eq!(desk.city("c2").await.as_deref(), Some("Oslo"));
    assert!(
        !store
            .imports_folder()
            .join(format!("{import}.csv"))
            .exists()
    );
    assert_eq!(store.number("SELECT count(*) FROM import_parts").await, 0);
}

pub(super) async fn a_file_that_is_no_table_cannot_be_saved(store: Fresh) {
    let desk = Desk::at(&store).await;
    let import = desk
        .stage("email\na@example.com\n", ImportPlan::default())
        .await;
    let looked = desk.look(import).await;
    assert!(
        looked
            .findings
            .problem
            .unwrap()
            .contains("no column holds the unique id")
    );
    let refused = staging::save(&store, import, &by(), now()).await;
    assert!(refused.unwrap_err().to_string().contains("as it is"));
    let plan = ImportPlan {
        key: Some("email".to_owned()),
        ..ImportPlan::default()
    };
    let by = by();
    let changed = staging::change(
        &store,
        &desk.published.revision,
        (import, &plan),
        (&by, now()),
    );
    desk.done(changed.await.unwrap()).await;
    let looked = desk.import(import).await;
    assert_eq!((looked.findings.problem, looked.counts.created), (None, 1));
    desk.save(import).await;
    let made = store
        .customer_id(&format!("import-{import}-2"))
        .await
        .unwrap();
    assert!(made.is_some());
}

pub(super) async fn who_discards_an_import_leaves_nothing_of_it(store: Fresh) {
    let desk = Desk::at(&store).await;
    let import = desk.stage("id\n\na,b\n", ImportPlan::default()).await;
    desk.look(import).await;
    staging::discard(&store, import, &by(), now())
        .await
        .unwrap();
    assert_eq!(desk.import(import).await.state, ImportState::Discarded);
    assert!(
        !store
            .imports_folder()
            .join(format!("{import}.csv"))
            .exists()
    );
    for table in ["import_parts", "import_rejects"] {
        assert_eq!(
            store.number(&format!("SELECT count(*) FROM {table}")).await,
            0
        );
    }
    assert!(staging::save(&store, import, &by(), now()).await.is_err());
}

pub(super) async fn an_import_goes_on_exactly_where_it_was_stopped(store: Fresh) {
    let desk = Desk::at(&store).await;
    let presence = Presence::default();
    let owned = store.own("a daemon").await.unwrap();
    if store.is_shared() {
        let renewed = store.renew(owned.incarnation, 600_000_000, &presence);
        renewed.await.unwrap();
    }
    let import = desk.stage(&many(5_000), ImportPlan::default()).await;
    let job = staging::save(&store, import, &by(), now()).await.unwrap();
    let stops = desk.done_with_stops(job, 2).await;
    assert!(stops > 1, "{stops}");
    let saved = desk.import(import).await;
    let counts = ImportCounts {
        read: 5_000,
        created: 4_500,
        rejected: 500,
        ..ImportCounts::default()
    };
    assert_eq!((saved.state, saved.counts), (ImportState::Saved, counts));
    assert_eq!(desk.customers().await, 4_500);
    assert_eq!(
        store.number("SELECT count(*) FROM import_rejects").await,
        500
    );
    let job = store.job(job).await.unwrap().unwrap();
    assert_eq!((job.done, job.changed, job.failed), (4_500, 4_500, 500));
    let back = desk.revert(import, false).await;
    assert_eq!((back.changed, back.failed), (4_500, 0));
    assert_eq!(desk.customers().await, 0);
    if store.is_shared() {
        store.leave(owned.incarnation).await.unwrap();
    }
}

pub(super) async fn rows_find_their_customers_by_any_field(store: Fresh) {
    let desk = Desk::at(&store).await;
    store
        .person("ana", &[("email", text("ana@example.com"))])
        .await;
    for id in ["twin1", "twin2"] {
        store
            .person(id, &[("email", text("twin@example.com"))])
            .await;
    }
    let file = "id,email,city\n,ANA@example.com,Lyon\nben,ben@example.com,Oslo\n,twin@example.com,Bern\n\
                twin1,other@example.com,Rome\n,,Rome\nben,Ben@example.com,Nice\n";
    let by_email = |no_match, several_match| ImportPlan {
        key: Some("email".to_owned()),
        no_match,
        several_match,
        ..ImportPlan::default()
    };
    let import = desk
        .stage(file, by_email(NoMatch::Skip, SeveralMatch::Reject))
        .await;
    let skipping = desk.look(import).await.counts;
    assert_eq!(
        (skipping.updated, skipping.skipped, skipping.rejected),
        (1, 3, 2)
    );
    let import = desk
        .stage(file, by_email(NoMatch::Reject, SeveralMatch::All))
        .await;
    let refusing = desk.look(import).await.counts;
    assert_eq!(
        (refusing.updated, refusing.skipped, refusing.rejected),
        (3, 0, 4)
    );
    let import = desk
        .stage(file, by_email(NoMatch::Create, SeveralMatch::All))
        .await;
    desk.save(import).await;
    let counts = desk.import(import).await.counts;
    assert_eq!(
        (counts.created, counts.updated, counts.duplicates),
        (1, 3, 1)
    );
    let rejects = store.import_rejects(import, None, 9).await.unwrap();
    let reasons: Vec<String> = rejects.into_iter().map(|(_, row)| row.reason).collect();
    let expected = [
        "`email`: is empty: rows find their customers by it",
        "`id`: the customer `twin1` is there, with another `email`",
    ];
    assert_eq!(reasons, expected);
    assert_eq!(desk.city("ana").await.as_deref(), Some("Lyon"));
    assert_eq!(desk.city("twin2").await.as_deref(), Some("Bern"));
    assert_eq!(desk.city("ben").await.as_deref(), Some("Nice"));
}

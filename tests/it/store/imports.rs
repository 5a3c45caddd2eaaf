//! Imports: looked at before they are saved, gone on with whatever happens, and taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use drumbeat::clock::Clock;
use drumbeat::customers::imports::reject_lines::RejectLines;
use drumbeat::customers::imports::spool::Spool;
use drumbeat::customers::imports::staging::{self, Brought};
use drumbeat::customers::jobs::carrying::{Crew, Flows, Later};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::import::{Import, ImportCounts, ImportNo, ImportState};
use drumbeat::domain::import_plan::{ImportPlan, NoMatch, SeveralMatch};
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::job::{Job, JobNo, JobState};
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::value::Value;
use drumbeat::store::{JobPage, Presence, Published, Result, Stepped};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::life::by;
use super::rig::{Fresh, model, now, revision, row, text};

struct NoFlows(Arc<Published>);

impl Flows for NoFlows {
    fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0)
    }

    fn connect<'a>(&'a self, _: &'a str, _: &'a JobPage<'a>) -> Later<'a, Result<Stepped>> {
        Box::pin(async { unreachable!("nobody is connected here") })
    }
}

/// Says stop once it was asked so often.
struct Interrupting {
    left: AtomicUsize,
    stop: CancellationToken,
}

impl Clock for Interrupting {
    fn now(&self) -> Timestamp {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.cancel();
        }
        now()
    }
}

struct Desk<'a> {
    store: &'a Fresh,
    published: Arc<Published>,
}

impl<'a> Desk<'a> {
    async fn at(store: &'a Fresh) -> Self {
        let published = Arc::new(store.published(&revision()).await);
        Self { store, published }
    }

    async fn stage(&self, content: &str, plan: ImportPlan) -> ImportNo {
        let mut spool = Spool::begin(self.store, 1 << 30).unwrap();
        spool.write(content.as_bytes()).unwrap();
        let brought = Brought {
            file: spool.finish(),
            name: "people.csv",
            plan: &plan,
            is_dropped: false,
        };
        let by = by();
        let bringing = staging::bring(self.store, brought, (&by, now()));
        bringing.await.unwrap()
    }

    fn crew(&self, clock: Arc<dyn Clock>) -> Crew {
        Crew {
            store: self.store.store().clone(),
            clock,
            flows: Arc::new(NoFlows(Arc::clone(&self.published))),
            node: None,
        }
    }

    async fn done(&self, job: JobNo) -> Job {
        let (left, stop) = (AtomicUsize::new(usize::MAX), CancellationToken::new());
        let clock = Interrupting {
            left,
            stop: stop.clone(),
        };
        let ran = self.crew(Arc::new(clock)).run_once(Some(job), &stop).await;
        assert_eq!(ran.unwrap(), Some(job));
        let job = self.store.job(job).await.unwrap().unwrap();
        assert_eq!(job.state, JobState::Done, "{job:?}");
        job
    }

    /// Works on a job and is stopped after a while, again and again, until it is over; how often.
    async fn done_with_stops(&self, job: JobNo, each: usize) -> usize {
        for times in 1.. {
            let stop = CancellationToken::new();
            let clock = Interrupting {
                left: AtomicUsize::new(each),
                stop: stop.clone(),
            };
            let crew = self.crew(Arc::new(clock));
            crew.run_once(Some(job), &stop).await.unwrap();
            let job = self.store.job(job).await.unwrap().unwrap();
            if job.state.is_over() {
                assert_eq!(job.state, JobState::Done, "{job:?}");
                return times;
            }
        }
        unreachable!("an endless range has ended")
    }

    async fn look(&self, import: ImportNo) -> Import {
        let job = staging::look(self.store, import, &by(), now()).await;
        self.done(job.unwrap()).await;
        self.import(import).await
    }

    async fn save(&self, import: ImportNo) -> Job {
        let job = staging::save(self.store, import, &by(), now()).await;
        self.done(job.unwrap()).await
    }

    async fn revert(&self, import: ImportNo, is_trial: bool) -> Job {
        let by = by();
        let job = staging::revert(self.store, import, is_trial, (&by, now())).await;
        self.done(job.unwrap()).await
    }

    async fn saved(&self, content: &str, plan: ImportPlan) -> ImportNo {
        let import = self.stage(content, plan).await;
        self.save(import).await;
        import
    }

    async fn import(&self, import: ImportNo) -> Import {
        self.store.store().import(import).await.unwrap().unwrap()
    }

    async fn left(&self, job: &Job) -> Vec<(String, String)> {
        let errors = self.store.job_errors(job.number, None, 100).await.unwrap();
        let errors = errors.into_iter();
        errors
            .map(|(_, one)| (one.who.unwrap_or_default(), one.what))
            .collect()
    }

    async fn customers(&self) -> u64 {
        self.store.customer_count().await.unwrap()
    }

    async fn city(&self, id: &str) -> Option<String> {
        self.store.read(id).await.text("city").map(str::to_owned)
    }
}

fn many(rows: usize) -> String {
    let rows = (0..rows).map(|n| match n % 10 {
        3 => format!("c{n},nobody,Lyon\n"),
        _ => format!("c{n},c{n}@example.com,Lyon\n"),
    });
    let rows: String = rows.collect();
    format!("id,email,city\n{rows}")
}

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

pub(super) async fn what_an_import_did_is_taken_back(store: Fresh) {
    let desk = Desk::at(&store).await;
    let list = store.add_list("fair", None, &by(), now()).await.unwrap();
    let products = FieldValue::Many(vec![Value::Text("loan".to_owned())]);
    let mut ana = row(
        "ana",
        &[
            ("city", text("Rome")),
            ("balance", Value::Number(0.1 + 0.2)),
        ],
    );
    ana.fields.push(("products".to_owned(), Some(products)));
    store
        .import(&[ana, row("ben", &[("city", text("Oslo"))])], &model())
        .await;
    store.execute("DELETE FROM dirty").await;
    let before = store.read("ana").await;
    let plan = ImportPlan {
        tags: vec!["vip".to_owned()],
        consents: vec![(Channel::Sms, Consent::OptedIn)],
        list: Some("fair".to_owned()),
        ..ImportPlan::default()
    };
    let file = "id,city,balance,products,age\nana,Lyon,7,card;cash,40\nben,Lyon,,,\nnew,Lyon,,,\n";
    let import = desk.saved(file, plan).await;
    let changed = store.read("ana").await;
    assert_eq!(
        (changed.text("city"), changed.tags.len()),
        (Some("Lyon"), 1)
    );
    assert_eq!(
        store.list_members_after(list, None, 9).await.unwrap().len(),
        3
    );
    let trial = desk.revert(import, true).await;
    assert_eq!((trial.changed, trial.failed), (3, 0));
    assert_eq!(
        (desk.customers().await, store.read("ana").await),
        (3, changed.clone())
    );
    assert_eq!(desk.import(import).await.state, ImportState::Saved);
    store.execute("DELETE FROM dirty").await;
    let back = desk.revert(import, false).await;
    assert_eq!((back.changed, back.failed), (3, 0));
    let mut after = store.read("ana").await;
    assert!(after.consent_rev > changed.consent_rev);
    after.consent_rev = before.consent_rev;
    assert_eq!(after, before);
    assert_eq!(desk.city("ben").await.as_deref(), Some("Oslo"));
    assert_eq!(store.customer_id("new").await.unwrap(), None);
    assert_eq!(store.list_members_after(list, None, 9).await.unwrap(), []);
    assert_eq!(store.number("SELECT count(*) FROM dirty").await, 2);
    assert_eq!(store.number("SELECT count(*) FROM tombstones").await, 0);
    assert_eq!(store.number("SELECT count(*) FROM import_changes").await, 0);
    desk.saved("id\nnew\n", ImportPlan::default()).await;
    assert_eq!(
        store.read("new").await.status,
        drumbeat::domain::customer::Status::Active
    );
}

pub(super) async fn what_was_changed_since_is_left_and_named(store: Fresh) {
    let desk = Desk::at(&store).await;
    for id in ["ana", "ben", "cleo"] {
        store
            .person(id, &[("city", text("Rome")), ("zip", text("1"))])
            .await;
    }
    let file = "id,city,zip\nana,Lyon,2\nben,Lyon,2\ncleo,Lyon,2\nnew,Lyon,\nbusy,Lyon,\n";
    let import = desk.saved(file, ImportPlan::default()).await;
    let id = async |name: &str| store.customer_id(name).await.unwrap().unwrap();
    let city = [("city".to_owned(), Some(FieldValue::One(text("Bern"))))];
    let later = now() + jiff::SignedDuration::from_hours(1);
    let ana = id("ana").await;
    let set = store.set_fields(ana, &city, &model(), &by(), later).await;
    assert!(set.unwrap());
    let login = Interaction::new(id("busy").await, later, Kind::Login);
    store.record(&[login]).await.unwrap();
    let second = desk
        .saved("id,city\nben,Oslo\n", ImportPlan::default())
        .await;
    let back = desk.revert(import, false).await;
    assert_eq!((back.changed, back.failed), (3, 3));
    let mut left = desk.left(&back).await;
    left.sort();
    let told = |who: &str, what: &str| (who.to_owned(), what.to_owned());
    let expected = [
        told("ana", "`city` was changed since"),
        told("ben", "a later import changed this customer"),
        told("busy", "did something or was changed since"),
    ];
    assert_eq!(left, expected);
    let ana = store.read("ana").await;
    assert_eq!(
        (ana.text("city"), ana.text("zip")),
        (Some("Bern"), Some("1"))
    );
    assert_eq!(desk.city("cleo").await.as_deref(), Some("Rome"));
    assert_eq!(desk.city("busy").await.as_deref(), Some("Lyon"));
    assert_eq!(store.customer_id("new").await.unwrap(), None);
    let back = desk.revert(second, false).await;
    assert_eq!(
        (back.changed, desk.city("ben").await.as_deref()),
        (1, Some("Lyon"))
    );
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

pub(super) async fn nothing_of_a_deleted_customer_is_left_in_imports(store: Fresh) {
    let desk = Desk::at(&store).await;
    store.person("ana", &[("city", text("Rome"))]).await;
    let file = "id,city,email\nana,Lyon,\nana,Oslo,nobody\n";
    desk.saved(file, ImportPlan::default()).await;
    let number = async |table: &str| store.number(&format!("SELECT count(*) FROM {table}")).await;
    assert_eq!(
        (
            number("import_changes").await,
            number("import_rejects").await
        ),
        (1, 1)
    );
    let ana = store.customer_id("ana").await.unwrap().unwrap();
    store.delete_customers(&[ana], &by(), now()).await.unwrap();
    assert_eq!(
        (
            number("import_changes").await,
            number("import_rejects").await
        ),
        (0, 0)
    );
}

pub(super) async fn what_nobody_takes_back_in_time_is_let_go(store: Fresh) {
    let desk = Desk::at(&store).await;
    store.person("ana", &[("city", text("Rome"))]).await;
    desk.saved("id,city\nana,Lyon\nnew,\n,\n", ImportPlan::default())
        .await;
    let staged = desk.stage("id\na\n", ImportPlan::default()).await;
    let later = now() + jiff::SignedDuration::from_hours(25);
    assert_eq!(store.stale_imports(now()).await.unwrap(), []);
    assert_eq!(store.stale_imports(later).await.unwrap(), [staged]);
    assert_eq!(store.prune_imports(now()).await.unwrap(), 0);
    assert_eq!(store.prune_imports(later).await.unwrap(), 2);
    for table in ["import_changes", "import_ranges", "import_rejects"] {
        assert_eq!(
            store.number(&format!("SELECT count(*) FROM {table}")).await,
            0
        );
    }
}

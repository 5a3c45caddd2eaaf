//! What imports keep of people, and for how long.

use drumbeat::customers::imports::{spool, staging};
use drumbeat::domain::import::{ImportNo, ImportState};
use drumbeat::domain::import_plan::ImportPlan;
use drumbeat::domain::job::JobState;
use drumbeat::store::Presence;
use jiff::SignedDuration;

use super::import_desk::{Desk, many};
use super::life::by;
use super::rig::{Fresh, now, text};

impl Desk<'_> {
    /// An import of which a part is stored, and that nobody goes on with.
    async fn halted(&self, store: &Fresh) -> ImportNo {
        let owned = store.own("a daemon").await.unwrap();
        if store.is_shared() {
            let presence = Presence::default();
            let renewed = store.renew(owned.incarnation, 600_000_000, &presence);
            renewed.await.unwrap();
        }
        let import = self.stage(&many(5_000), ImportPlan::default()).await;
        let job = staging::save(store, import, &by(), now()).await.unwrap();
        self.work_a_little(job, 2).await;
        assert!(self.customers().await > 0);
        store.cancel_job(job, &by(), now()).await.unwrap();
        assert_eq!(
            store.job(job).await.unwrap().unwrap().state,
            JobState::Cancelled
        );
        if store.is_shared() {
            store.leave(owned.incarnation).await.unwrap();
        }
        import
    }

    async fn files(&self, store: &Fresh) -> (usize, i64) {
        spool::sweep(store).await.unwrap();
        let files = std::fs::read_dir(store.imports_folder()).unwrap().count();
        let parts = store.number("SELECT count(*) FROM import_parts").await;
        (files, parts)
    }
}

pub(super) async fn who_is_deleted_takes_files_along_that_they_may_be_in(store: Fresh) {
    let desk = Desk::at(&store).await;
    store.person("ana", &[]).await;
    let halted = desk.halted(&store).await;
    let staged = desk
        .stage("id,city\nana,Lyon\n", ImportPlan::default())
        .await;
    desk.look(staged).await;
    assert_eq!(desk.files(&store).await.0, 2);
    store.delete("ana").await;
    assert_eq!(desk.files(&store).await, (0, 0));
    assert_eq!(desk.import(staged).await.state, ImportState::Discarded);
    assert!(staging::save(&store, staged, &by(), now()).await.is_err());
    let told = store.audit_lines(3).await.unwrap();
    let told = told.iter().filter(|line| line.what == "import discarded");
    let why = told.map(|line| line.detail.clone().unwrap_or_default());
    let why: Vec<String> = why.collect();
    assert_eq!(why.len(), 2, "{why:?}");
    assert!(why.iter().all(|why| why.contains("was deleted")), "{why:?}");
    // What is stored of the other is still taken back.
    let stored = desk.customers().await;
    let back = desk.revert(halted, false).await;
    assert_eq!((back.changed, desk.customers().await), (stored, 0));
}

pub(super) async fn a_file_that_nobody_goes_on_with_is_let_go(store: Fresh) {
    let desk = Desk::at(&store).await;
    let halted = desk.halted(&store).await;
    let later = now() + SignedDuration::from_hours(25);
    store.forget_halted(now()).await.unwrap();
    assert_eq!(desk.files(&store).await.0, 1);
    store.forget_halted(later).await.unwrap();
    assert_eq!(desk.files(&store).await, (0, 0));
    let job = staging::save(&store, halted, &by(), now()).await.unwrap();
    let ended = desk.work_a_little(job, usize::MAX).await;
    assert_eq!(ended.state, JobState::Failed);
    let problem = ended.problem.unwrap_or_default();
    assert!(problem.contains("bring it again"), "{problem}");
}

pub(super) async fn a_removed_field_is_not_in_what_imports_would_put_back(store: Fresh) {
    let desk = Desk::at(&store).await;
    for id in ["ana", "ben"] {
        let fields = [("city", text("Rome")), ("zip", text("old-zip"))];
        store.person(id, &fields).await;
    }
    let file = "id,city,zip\nana,Lyon,new-zip\nben,Lyon,\n";
    let import = desk.saved(file, ImportPlan::default()).await;
    let mut place = None;
    for _ in 0..2 {
        place = store.erase_field_in_imports("zip", place, 1).await.unwrap();
        assert!(place.is_some());
    }
    place = store.erase_field_in_imports("zip", place, 1).await.unwrap();
    assert_eq!(place, None);
    let left = "SELECT count(*) FROM import_changes WHERE body LIKE '%zip%'";
    assert_eq!(store.number(left).await, 0);
    let back = desk.revert(import, false).await;
    assert_eq!(back.changed, 2);
    assert_eq!(desk.city("ana").await.as_deref(), Some("Rome"));
    assert_eq!(store.read("ana").await.text("zip"), Some("new-zip"));
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
    let later = now() + SignedDuration::from_hours(25);
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

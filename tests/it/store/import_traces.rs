//! What imports keep of people, and for how long.

use drumbeat::domain::import_plan::ImportPlan;

use super::import_desk::Desk;
use super::life::by;
use super::rig::{Fresh, now, text};

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

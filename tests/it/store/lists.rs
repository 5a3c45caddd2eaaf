//! Lists: fixed sets of customers, as conditions and page by page.

use drumbeat::domain::revision::NameKind;
use drumbeat::domain::segment::Condition;
use drumbeat::domain::touched::Touched;
use drumbeat::store::{Error, Frame};

use super::life::by;
use super::rig::{Fresh, now, revision, with_segment};

pub(super) async fn a_list_is_a_condition_and_a_change_of_it_is_looked_at(store: Fresh) {
    let guests = Condition::List("guests".to_owned());
    let published = with_segment(revision(), "guests", guests.clone());
    let published = store.published(&published).await;
    let ana = store.person("ana", &[]).await;
    let bo = store.person("bo", &[]).await;
    let frame = Frame {
        revision: &published.revision,
        numbers: &published.numbers,
        now: now(),
    };
    assert_eq!(store.segment_count(&guests, &frame).await.unwrap(), 0);
    let list = store
        .add_list("guests", Some("of the fair"), &by(), now())
        .await
        .unwrap();
    assert_eq!(
        published.numbers.number(NameKind::List, "guests"),
        Some(list)
    );
    store.execute("DELETE FROM dirty").await;
    let (both, one, other) = ([ana, bo], [ana], [bo]);
    let put = store.change_list_members(list, &both, true, now());
    assert_eq!(put.await.unwrap().len(), 2);
    let put = store.change_list_members(list, &one, true, now());
    assert!(put.await.unwrap().is_empty());
    assert_eq!(store.segment_count(&guests, &frame).await.unwrap(), 2);
    let off = store.change_list_members(list, &other, false, now());
    assert_eq!(off.await.unwrap(), [bo]);
    assert_eq!(store.segment_count(&guests, &frame).await.unwrap(), 1);
    let what = store.number("SELECT max(what) FROM dirty").await;
    assert_eq!(Touched::from_bits(what), guests.asks(&published.revision));
    assert_eq!(store.lists_of(ana).await.unwrap(), ["guests"]);
    let again = store.add_list("guests", None, &by(), now()).await;
    assert!(matches!(again, Err(Error::Conflict(_))));
}

pub(super) async fn who_is_on_a_list_is_listed_once_page_by_page(store: Fresh) {
    store.published(&revision()).await;
    let list = store.add_list("guests", None, &by(), now()).await.unwrap();
    let mut people = Vec::new();
    for n in 0..7 {
        people.push(store.person(&format!("p{n}"), &[]).await);
    }
    people.sort_unstable();
    store
        .change_list_members(list, &people, true, now())
        .await
        .unwrap();
    let mut seen = Vec::new();
    loop {
        let page = store
            .list_members_after(list, seen.last().copied(), 3)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, people);
    let lists = store.lists().await.unwrap();
    assert_eq!((lists.len(), lists[0].customers), (1, 7));
}

pub(super) async fn a_list_is_named_anew_and_keeps_its_customers(store: Fresh) {
    store.published(&revision()).await;
    let list = store.add_list("guests", None, &by(), now()).await.unwrap();
    store.add_list("staff", None, &by(), now()).await.unwrap();
    let ana = store.person("ana", &[]).await;
    store
        .change_list_members(list, &[ana], true, now())
        .await
        .unwrap();
    let taken = store
        .change_list("guests", Some("staff"), None, &by(), now())
        .await;
    assert!(matches!(taken, Err(Error::Conflict(_))));
    let described = Some(Some("of the fair"));
    store
        .change_list("guests", Some("visitors"), described, &by(), now())
        .await
        .unwrap();
    assert_eq!(store.list_number("visitors").await.unwrap(), Some(list));
    assert_eq!(store.list_number("guests").await.unwrap(), None);
    assert_eq!(store.lists_of(ana).await.unwrap(), ["visitors"]);
    let found = store.lists().await.unwrap();
    assert_eq!(found[1].description.as_deref(), Some("of the fair"));
    let gone = store.change_list("guests", None, None, &by(), now()).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
}

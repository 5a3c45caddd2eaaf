//! What the API asks of a store: tokens, answers kept for repeats, edits upon what was seen, pages.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Switch};
use drumbeat::domain::customer_version::Version;
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::segment::{Condition, Test};
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::token::{NewToken, TokenScope};
use drumbeat::store::{
    Error, HistoryFilter, KeptAnswer, NewCustomer, Permissions, Repeat, RequestKey, Upsert, Written,
};
use jiff::SignedDuration;

use super::rig::{Fresh, frame, model, now, revision, row, text};

fn by() -> By {
    By::new(Actor::named("feed"), Source::Api)
}

fn new_token(name: &str) -> NewToken {
    NewToken {
        name: name.to_owned(),
        scopes: vec![TokenScope::CustomersRead, TokenScope::Admin],
        expires_at: Some(now() + SignedDuration::from_hours(1)),
    }
}

pub(super) async fn a_token_reads_back_and_its_name_is_free_once_it_is_revoked(store: Fresh) {
    let (token, secret) = store
        .create_token(new_token("a"), &by(), now(), now())
        .await
        .unwrap();
    let (read, hash) = store.token(secret.id()).await.unwrap().unwrap();
    assert_eq!(read, token);
    assert!(hash.is_of(&secret));
    assert_eq!(store.tokens().await.unwrap(), std::slice::from_ref(&token));
    let again = store
        .create_token(new_token("a"), &by(), now(), now())
        .await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let revoke = async || store.revoke_token(&token.id, &by(), now(), now()).await;
    assert!(revoke().await.unwrap());
    assert!(!revoke().await.unwrap());
    let (read, _) = store.token(secret.id()).await.unwrap().unwrap();
    assert_eq!(read.revoked_at, Some(now()));
    store
        .create_token(new_token("a"), &by(), now(), now())
        .await
        .unwrap();
    let unknown = store.revoke_token("x", &by(), now(), now()).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
    let audited: Vec<String> = store
        .audit_lines(9)
        .await
        .unwrap()
        .into_iter()
        .map(|line| line.what)
        .collect();
    assert_eq!(audited, ["token-created", "token-revoked", "token-created"]);
}

pub(super) async fn a_use_of_a_token_is_written_once_a_minute(store: Fresh) {
    let (token, secret) = store
        .create_token(new_token("a"), &by(), now(), now())
        .await
        .unwrap();
    let used = async |seconds: i64| {
        let (token, _) = store.token(secret.id()).await.unwrap().unwrap();
        let at = now() + SignedDuration::from_secs(seconds);
        store.token_used(&token, at).await.unwrap();
        let (token, _) = store.token(&token.id).await.unwrap().unwrap();
        token
            .last_used_at
            .map(|last| last.duration_since(now()).as_secs())
    };
    assert_eq!(token.last_used_at, None);
    assert_eq!(used(0).await, Some(0));
    assert_eq!(used(59).await, Some(0));
    assert_eq!(used(60).await, Some(60));
}

pub(super) async fn a_request_is_carried_out_once_and_its_answer_kept(store: Fresh) {
    let key = |minutes: i64| RequestKey {
        token: "t".to_owned(),
        key: "k".to_owned(),
        at: now() + SignedDuration::from_mins(minutes),
    };
    let begin = async |minutes: i64, request: &[u8]| {
        store.begin_request(&key(minutes), request).await.unwrap()
    };
    assert_eq!(begin(0, b"a").await, Repeat::First);
    assert_eq!(begin(1, b"a").await, Repeat::InFlight);
    assert_eq!(begin(1, b"b").await, Repeat::Other);
    // Given up, or fallen: it is the first again.
    store.abandon_request(&key(0)).await.unwrap();
    assert_eq!(begin(1, b"a").await, Repeat::First);
    assert_eq!(begin(3, b"a").await, Repeat::First);
    let answer = KeptAnswer {
        status: 201,
        answer: vec![0, 159, 255],
    };
    // Who fell and comes back late has nothing to say any more.
    store.keep_answer(&key(1), &answer).await.unwrap();
    assert_eq!(begin(4, b"a").await, Repeat::InFlight);
    store.keep_answer(&key(3), &answer).await.unwrap();
    assert_eq!(begin(60, b"a").await, Repeat::Answered(answer));
    assert_eq!(begin(60, b"b").await, Repeat::Other);
    let day = 24 * 60;
    assert_eq!(store.prune_answers(key(2 + day).at).await.unwrap(), 0);
    assert_eq!(begin(3 + day, b"b").await, Repeat::First);
    assert_eq!(store.prune_answers(key(3 + 2 * day).at).await.unwrap(), 1);
}

pub(super) async fn of_several_at_once_one_request_is_the_first(store: Fresh) {
    for round in 0..5 {
        let begin = || async {
            let key = RequestKey {
                token: "t".to_owned(),
                key: format!("k{round}"),
                at: now(),
            };
            store.begin_request(&key, b"a").await.unwrap()
        };
        let (a, b, c) = tokio::join!(begin(), begin(), begin());
        let first = [a, b, c].into_iter().filter(|one| *one == Repeat::First);
        assert_eq!(first.count(), 1);
    }
}

async fn version(store: &Fresh) -> Version {
    Version::of(&store.read("a").await)
}

fn city(name: &str) -> Vec<(String, Option<FieldValue>)> {
    vec![("city".to_owned(), Some(FieldValue::One(text(name))))]
}

pub(super) async fn an_edit_upon_another_version_is_refused(store: Fresh) {
    store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    let old = [version(&store).await];
    let model = model();
    let set = async |name: &str, seen: &[Version]| {
        let fields = city(name);
        store
            .set_fields_seen(id, &fields, &model, Some(seen), &by(), now())
            .await
    };
    assert!(set("Lyon", &old).await.unwrap());
    let moved = set("Rome", &old).await;
    assert!(matches!(moved, Err(Error::Conflict(_))), "{moved:?}");
    let permit = async |seen: &[Version], on: bool| {
        let permissions = Permissions {
            switches: &[(Switch::Outbound, on), (Switch::Channel(Channel::Sms), on)],
            consents: &[(Channel::Email, Consent::OptedIn)],
            model: &model,
            seen: Some(seen),
        };
        store.set_permissions(id, &permissions, &by(), now()).await
    };
    assert!(matches!(permit(&old, false).await, Err(Error::Conflict(_))));
    assert!(permit(&[version(&store).await], false).await.unwrap());
    assert!(!permit(&[version(&store).await], false).await.unwrap());
    let customer = store.read("a").await;
    assert!(!customer.switches.outbound && !customer.switches.sms && customer.switches.push);
    assert_eq!(customer.consents.email, Consent::OptedIn);
    let lines = store
        .history(id, &HistoryFilter::default(), 9)
        .await
        .unwrap();
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "switched-off").count(),
        2
    );
    let delete = async |seen: &[Version]| {
        store
            .delete_customer_seen(id, &model, Some(seen), &by(), now())
            .await
    };
    assert!(matches!(delete(&old).await, Err(Error::Conflict(_))));
    delete(&[version(&store).await]).await.unwrap();
    assert!(matches!(set("Oslo", &old).await, Err(Error::NotFound(_))));
    assert!(matches!(permit(&old, true).await, Err(Error::NotFound(_))));
}

pub(super) async fn of_several_edits_upon_one_version_one_is_made(store: Fresh) {
    store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    let model = model();
    for round in 0..5 {
        let seen = [version(&store).await];
        let is = store.customers(&[id], &model).await.unwrap().remove(0);
        let on = !is.switches.outbound;
        let set = |name: &str| {
            let fields = city(&format!("{name}{round}"));
            let (store, model, seen) = (&store, &model, &seen);
            async move {
                let by = by();
                store
                    .set_fields_seen(id, &fields, model, Some(seen), &by, now())
                    .await
            }
        };
        let permit = async {
            let permissions = Permissions {
                switches: &[(Switch::Outbound, on)],
                consents: &[],
                model: &model,
                seen: Some(&seen),
            };
            store.set_permissions(id, &permissions, &by(), now()).await
        };
        let (a, b, c, d) = tokio::join!(set("a"), set("b"), set("c"), permit);
        let done = [a, b, c, d];
        let made = done.iter().filter(|one| matches!(one, Ok(true)));
        assert_eq!(made.count(), 1, "{done:?}");
        let moved = done
            .iter()
            .filter(|one| matches!(one, Err(Error::Conflict(_))));
        assert_eq!(moved.count(), 3, "{done:?}");
    }
}

pub(super) async fn each_customer_of_a_batch_is_told_apart(store: Fresh) {
    store.published(&revision()).await;
    let id = store.person("a", &[("city", text("Lyon"))]).await;
    store.person("b", &[("city", text("Lyon"))]).await;
    let batch = [
        row("a", &[("city", text("Rome"))]),
        row("b", &[("city", text("Lyon"))]),
        row("c", &[]),
        row("a", &[("country", text("IT"))]),
    ];
    let written = each(&store, &batch).await;
    let expected = [
        Written::Updated,
        Written::Unchanged,
        Written::Created,
        Written::Updated,
    ];
    assert_eq!(written, expected);
    let lines = store
        .history(id, &HistoryFilter::default(), 9)
        .await
        .unwrap();
    assert_eq!(lines[0].kind, "field-changed");
    let detail = serde_json::json!({"source": "api", "fields": ["city", "country"]});
    assert_eq!(lines[0].detail, Some(detail));
    assert!(
        each(&store, &batch)
            .await
            .iter()
            .all(|one| *one == Written::Unchanged)
    );
}

async fn each(store: &Fresh, batch: &[NewCustomer]) -> Vec<Written> {
    let (model, by) = (model(), by());
    let how = Upsert {
        model: &model,
        tags: &[],
        consents: &[],
        by: &by,
        at: now(),
    };
    store.upsert_each(batch, &how).await.unwrap()
}

pub(super) async fn pages_leave_nobody_out_and_list_nobody_twice(store: Fresh) {
    let published = store.published(&revision()).await;
    let rows: Vec<NewCustomer> = (0..40)
        .map(|n| row(&format!("c{n}"), &[("city", text("Lyon"))]))
        .collect();
    store.import(&rows, &model()).await;
    let lyon = Condition::Field {
        field: "city".to_owned(),
        test: Test::Is(text("Lyon")),
    };
    let frame = frame(&published);
    let (mut all, mut members): (Vec<CustomerId>, Vec<CustomerId>) = Default::default();
    for _ in 0..6 {
        let page = store.customers_after(all.last().copied(), 7).await;
        all.extend(page.unwrap());
        let after = members.last().copied();
        let page = store.customers_meeting_after(&lyon, &frame, after, 7).await;
        members.extend(page.unwrap());
    }
    assert_eq!((all.len(), &members), (40, &all));
    assert!(all.is_sorted_by(|a, b| a.0 < b.0));
}

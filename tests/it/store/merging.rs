//! An anonymous visitor turns out to be a customer: what was known of both is known of one.

use drumbeat::domain::bars::DELETED_BEFORE;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Status, Switch};
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::revision::NameKind;
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::task::TaskText;
use drumbeat::domain::value::Value;
use drumbeat::store::{Error, HistoryFilter, Merge, Upsert};
use jiff::SignedDuration;

use super::life::{by, cards};
use super::rig::{Fresh, model, now, revision, row, text};

impl Fresh {
    pub(super) async fn visitor(
        &self,
        id: &str,
        fields: &[(&str, Value)],
        tags: &[&str],
    ) -> CustomerId {
        let (model, by) = (model(), by());
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let how = Upsert {
            model: &model,
            tags: &tags,
            consents: &[],
            by: &by,
            at: now(),
        };
        assert!(self.add_anonymous(&row(id, fields), &how).await.unwrap());
        self.customer_id(id).await.unwrap().unwrap()
    }

    pub(super) async fn merge(
        &self,
        from: CustomerId,
        into: CustomerId,
    ) -> drumbeat::store::Result<()> {
        let (model, by) = (model(), by());
        let merge = Merge {
            from,
            into,
            model: &model,
            by: &by,
            at: now(),
        };
        self.merge_customers(&merge).await
    }

    async fn kinds_of(&self, id: CustomerId) -> Vec<String> {
        let lines = self
            .history(id, &HistoryFilter::default(), 99)
            .await
            .unwrap();
        lines.into_iter().map(|line| line.kind).collect()
    }
}

/// Both with a field, a line of history; the visitor in a flow, with a note and a task.
async fn visitor_and_customer(store: &Fresh, flow: i32) -> (CustomerId, CustomerId) {
    let fields = [("city", text("Lyon")), ("company", text("Acme"))];
    let visitor = store.visitor("v-1", &fields, &["vip"]).await;
    assert!(!store.read("v-1").await.identified);
    let ana = store.person("ana", &[("city", text("Nice"))]).await;
    let hour = SignedDuration::from_hours(1);
    let earlier = Interaction::new(visitor, now() - hour, Kind::PageVisited);
    let later = Interaction::new(ana, now() - hour - hour, Kind::Login);
    store.record(&[earlier, later]).await.unwrap();
    store.enroll(visitor, flow, 1).await;
    for (name, members) in [("fair", vec![visitor]), ("staff", vec![visitor, ana])] {
        let list = store.add_list(name, None, &by(), now()).await.unwrap();
        let put = store.change_list_members(list, &members, true, now());
        assert_eq!(put.await.unwrap().len(), members.len());
    }
    store
        .add_note(visitor, "asked for a loan", &by(), now())
        .await
        .unwrap();
    let task = TaskText {
        name: "call".to_owned(),
        ..TaskText::default()
    };
    store.add_task(visitor, &task, &by(), now()).await.unwrap();
    (visitor, ana)
}

pub(super) async fn an_anonymous_visitor_becomes_part_of_a_customer(store: Fresh) {
    let published = store.published(&revision()).await;
    let flow = published
        .numbers
        .number(NameKind::Flow, "welcome")
        .unwrap()
        .0;
    let (visitor, ana) = visitor_and_customer(&store, flow).await;
    store.merge(visitor, ana).await.unwrap();
    assert_eq!(store.lists_of(ana).await.unwrap(), ["fair", "staff"]);
    let merged = store.read("ana").await;
    assert_eq!(
        merged.text("city"),
        Some("Nice"),
        "a field that was known stays"
    );
    assert_eq!(merged.text("company"), Some("Acme"));
    assert_eq!(
        (merged.tags, merged.identified),
        (vec!["vip".to_owned()], true)
    );
    assert_eq!(merged.status, Status::Active);
    assert_eq!(
        merged.last_activity_at,
        Some(now() - SignedDuration::from_hours(1))
    );
    let kinds = store.kinds_of(ana).await;
    for kind in [
        "merged",
        "page-visited",
        "login",
        "entered-flow",
        "exited-flow",
        "noted",
    ] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}: {kinds:?}");
    }
    nothing_is_left_of(&store, visitor, ana).await;
}

async fn nothing_is_left_of(store: &Fresh, visitor: CustomerId, ana: CustomerId) {
    assert_eq!(
        store.notes_of(ana).await.unwrap()[0].body,
        "asked for a loan"
    );
    assert_eq!(store.tasks_of(ana).await.unwrap()[0].text.name, "call");
    for table in [
        "customers",
        "interactions",
        "notes",
        "tasks",
        "activity",
        "customer_tags",
    ] {
        let left = format!("SELECT count(*) FROM {table} WHERE customer_id = {visitor}");
        assert_eq!(store.number(&left).await, 0, "{table}");
    }
    let live = "SELECT count(*) FROM enrollments WHERE status < 10";
    assert_eq!(store.number(live).await, 0);
    let findings = store.examine().await.unwrap();
    // The suite takes the numbers of runs past the counter.
    let mut others = findings.iter().filter(|f| f.code != "number-not-taken");
    assert_eq!(others.next(), None);
}

pub(super) async fn a_merge_never_improves_a_state(store: Fresh) {
    store.published(&revision()).await;
    let visitor = store.visitor("v-1", &[], &[]).await;
    let ana = store.person("ana", &[]).await;
    let (by, at) = (by(), now());
    store.unsubscribe(visitor, &cards(), &by, at).await.unwrap();
    store.dismiss(visitor, "gold", &by, at).await.unwrap();
    let refused = Consent::Unsubscribed;
    store
        .set_consent(visitor, Channel::Sms, refused, &by, at)
        .await
        .unwrap();
    store
        .set_consent(visitor, Channel::Push, Consent::OptedIn, &by, at)
        .await
        .unwrap();
    store
        .set_switch(visitor, Switch::Outbound, false, &by, at)
        .await
        .unwrap();
    store
        .set_consent(ana, Channel::Email, refused, &by, at)
        .await
        .unwrap();
    store
        .set_status(ana, Status::Suspended, &by, at)
        .await
        .unwrap();
    let before = store.read("ana").await.consent_rev;
    store.merge(visitor, ana).await.unwrap();
    let merged = store.read("ana").await;
    assert!(merged.consent_rev > before);
    assert_eq!(merged.status, Status::Suspended);
    assert!(!merged.switches.outbound && merged.switches.email);
    let consents = Channel::ALL.map(|channel| merged.consents.channel(channel));
    assert_eq!(consents, [refused, refused, Consent::Subscribed]);
    let records = &store.subscriptions_of(&[ana]).await.unwrap()[&ana];
    assert_eq!((records.len(), &records[0].scope), (1, &cards()));
    assert_eq!(
        store.dismissals_of(&[ana]).await.unwrap()[&ana][0].campaign,
        "gold"
    );
}

pub(super) async fn who_is_merged_into_an_address_of_a_deleted_is_suspended(store: Fresh) {
    store.published(&revision()).await;
    let email = ("email", text("eva@example.com"));
    let eva = store.person("eva", std::slice::from_ref(&email)).await;
    store.delete_customer(eva, &by(), now()).await.unwrap();
    let ana = store.person("ana", &[]).await;
    // By what a visitor leaves behind, whoever they say they are.
    let visitor = store
        .visitor("v-1", &[("email", text("Eva@Example.com"))], &[])
        .await;
    assert_eq!(store.read("v-1").await.status, Status::Suspended);
    store.merge(visitor, ana).await.unwrap();
    let merged = store.read("ana").await;
    assert_eq!(merged.status, Status::Suspended);
    assert_eq!(merged.status_reason.as_deref(), Some(DELETED_BEFORE));
    // Reactivated, they are through with it.
    assert!(
        store
            .set_status(ana, Status::Active, &by(), now())
            .await
            .unwrap()
    );
    assert_eq!(store.number("SELECT count(*) FROM tombstones").await, 0);
}

pub(super) async fn only_an_anonymous_customer_is_merged_into_an_identified_one(store: Fresh) {
    store.published(&revision()).await;
    let visitor = store.visitor("v-1", &[], &[]).await;
    let other = store.visitor("v-2", &[], &[]).await;
    let (ana, ben) = (
        store.person("ana", &[]).await,
        store.person("ben", &[]).await,
    );
    let nobody = CustomerId::new(ana.bucket(), 999_999);
    for (from, into) in [
        (ana, ben),
        (visitor, other),
        (ana, visitor),
        (visitor, visitor),
    ] {
        let refused = store.merge(from, into).await;
        assert!(
            matches!(refused, Err(Error::Refused(_) | Error::NotFound(_))),
            "{refused:?}"
        );
    }
    for (from, into) in [(nobody, ana), (visitor, nobody)] {
        let refused = store.merge(from, into).await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    }
    assert_eq!(store.customer_count().await.unwrap(), 4);
}

pub(super) async fn the_old_id_leads_to_the_customer_until_they_are_deleted(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    for id in ["v-1", "v-2"] {
        let visitor = store.visitor(id, &[], &[]).await;
        store.merge(visitor, ana).await.unwrap();
        assert_eq!(store.customer_id(id).await.unwrap(), Some(ana));
    }
    let fields = [("city".to_owned(), Some(FieldValue::One(text("Lyon"))))];
    let through = store.customer_id("v-2").await.unwrap().unwrap();
    let (model, by) = (model(), by());
    let set = store.set_fields(through, &fields, &model, &by, now());
    assert!(set.await.unwrap());
    store.delete_customer(ana, &by, now()).await.unwrap();
    assert_eq!(store.customer_id("v-1").await.unwrap(), None);
    assert_eq!(store.number("SELECT count(*) FROM aliases").await, 0);
    // Whoever comes back under an id that they once had comes back.
    store.person("v-1", &[]).await;
    assert_eq!(store.read("v-1").await.status, Status::Suspended);
}

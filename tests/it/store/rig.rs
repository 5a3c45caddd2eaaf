//! Owns a fresh store with a workspace in it, and a way past the store into its tables.

use std::collections::BTreeMap;
use std::ops::Deref;

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::customer::{Customer, FieldValue};
use drumbeat::domain::duration::Delay;
use drumbeat::domain::field::{
    Cardinality, DataModel, Field, FieldCategory, FieldType, Tag, built_in_fields,
};
use drumbeat::domain::flow::{Flow, FlowStatus, OnEdit, OnResume, OnStop, Step};
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::revision::Revision;
use drumbeat::domain::segment::{Condition, Segment};
use drumbeat::domain::timing::When;
use drumbeat::domain::value::Value;
use drumbeat::store::{
    Dialect, Frame, NewCustomer, NewRevision, Published, Store, Upsert, Upserted,
};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::rig::database::Database;
use crate::rig::home::{Home, Raw};

/// A store of its own in a folder of its own.
pub(super) struct Fresh {
    store: Store,
    home: Home,
    pub(super) folder: TempDir,
}

impl Deref for Fresh {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub(super) async fn on_sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::file(folder.path());
    fresh(home, folder).await
}

pub(super) async fn on_postgres() -> Fresh {
    let home = Home::on(Database::fresh().await);
    fresh(home, tempfile::tempdir().unwrap()).await
}

/// A database that sorts and compares as a language does, unless it is told otherwise.
pub(super) async fn on_sorted_postgres() -> Fresh {
    let home = Home::on(Database::sorted_for("en-US").await);
    fresh(home, tempfile::tempdir().unwrap()).await
}

async fn fresh(home: Home, folder: TempDir) -> Fresh {
    Fresh {
        store: home.open(folder.path()).await,
        home,
        folder,
    }
}

impl Fresh {
    /// The same database, opened once more.
    pub(super) async fn again(&self) -> Store {
        self.home.open(self.folder.path()).await
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn url(&self) -> &str {
        &self.home.url
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.home.dialect()
    }

    pub(super) async fn raw(&self) -> Raw {
        self.home.raw().await
    }

    pub(super) async fn execute(&self, sql: &str) {
        self.home.execute(sql).await;
    }

    pub(super) async fn number(&self, sql: &str) -> i64 {
        self.home.number(sql).await
    }

    pub(super) async fn published(&self, revision: &Revision) -> Published {
        let hash = serde_json::to_string(revision).unwrap();
        let new = NewRevision {
            revision,
            hash: &hash,
            commit: Some("0123abcd"),
            sources: vec![("flows/a.yaml".to_owned(), b"flow: a".to_vec())],
            at: now(),
        };
        self.publish(new).await.unwrap()
    }

    pub(super) async fn import(&self, rows: &[NewCustomer], model: &DataModel) -> Upserted {
        let by = importer();
        let how = Upsert {
            model,
            tags: &[],
            consents: &[],
            by: &by,
            at: now(),
        };
        self.upsert_customers(rows, &how).await.unwrap()
    }

    /// A customer with these texts, imported, and its number.
    pub(super) async fn person(&self, id: &str, fields: &[(&str, Value)]) -> CustomerId {
        self.import(&[row(id, fields)], &model()).await;
        self.customer_id(id).await.unwrap().unwrap()
    }

    pub(super) async fn read(&self, id: &str) -> Customer {
        self.customer(id, &model()).await.unwrap().unwrap()
    }

    /// Changes a text of a customer, which is then to be indexed.
    pub(super) async fn mark_for_search(&self, id: &str) {
        self.person(id, &[("company", text("Acme"))]).await;
    }

    /// How many changes have been marked so far.
    pub(super) async fn marks(&self) -> i64 {
        self.number("SELECT CAST(coalesce(sum(mark), 0) AS BIGINT) FROM dirty")
            .await
    }
}

pub(super) fn now() -> Timestamp {
    "2026-02-27T11:30:00.000005Z".parse().unwrap()
}

pub(super) fn importer() -> By {
    By::new(Actor::named("ana"), Source::Import)
}

pub(super) fn row(id: &str, fields: &[(&str, Value)]) -> NewCustomer {
    let one =
        |(name, value): &(&str, Value)| ((*name).to_owned(), Some(FieldValue::One(value.clone())));
    NewCustomer {
        external_id: id.to_owned(),
        fields: fields.iter().map(one).collect(),
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn declared(identifier: &str, kind: FieldType, cardinality: Cardinality) -> Field {
    Field {
        identifier: identifier.to_owned(),
        description: String::new(),
        kind,
        category: FieldCategory::Profile,
        cardinality,
        choices: Vec::new(),
        validations: Vec::new(),
    }
}

/// Every type of field, and two lists.
pub(super) fn model() -> DataModel {
    let mut fields = built_in_fields();
    for (identifier, kind) in [
        ("age", FieldType::Integer),
        ("balance", FieldType::Number),
        ("member", FieldType::Boolean),
        ("joined_on", FieldType::Date),
        ("seen_at", FieldType::Datetime),
        ("tier", FieldType::Choice),
    ] {
        fields.push(declared(identifier, kind, Cardinality::One));
    }
    fields.push(declared("products", FieldType::Text, Cardinality::Many));
    fields.push(declared("scores", FieldType::Integer, Cardinality::Many));
    DataModel {
        fields,
        tags: ["vip", "staff"]
            .map(|tag| (tag.to_owned(), Tag::default()))
            .into(),
    }
}

pub(super) fn step(id: &str, days: i32) -> Step {
    Step {
        id: id.to_owned(),
        when: When::After(Delay::days(days)),
        at: None,
        condition: None,
        window: None,
        on_skip: drumbeat::domain::flow::OnSkip::Advance,
        actions: Vec::new(),
    }
}

pub(super) fn flow(id: &str, steps: &[Step]) -> Flow {
    Flow {
        id: id.to_owned(),
        name: id.to_owned(),
        category: None,
        group: None,
        status: FlowStatus::Active,
        segment: "all".to_owned(),
        entry: drumbeat::domain::flow::Entry::default(),
        exit: drumbeat::domain::flow::Exit::default(),
        goal: None,
        window: None,
        on_edit: OnEdit::Recompute,
        on_resume: OnResume::Shift,
        stop: OnStop::Cancel,
        max_lateness: Delay::hours(72),
        unsubscribe: drumbeat::domain::subscription::LinkScope::Campaign,
        dismissable: true,
        moved_to: BTreeMap::new(),
        steps: steps.to_vec(),
    }
}

/// The workspace of the suite: its model, a zone with summer time, two flows.
pub(super) fn revision() -> Revision {
    let welcome = flow("welcome", &[step("hello", 1), step("more", 2)]);
    let gold = flow("gold", &[step("offer", 1)]);
    let flows = [welcome, gold].map(|flow| (flow.id.clone(), flow));
    Revision {
        zone: "America/New_York".to_owned(),
        data_model: model(),
        flows: BTreeMap::from(flows),
        ..Revision::default()
    }
}

pub(super) fn with_segment(mut revision: Revision, id: &str, condition: Condition) -> Revision {
    let segment = Segment {
        id: id.to_owned(),
        description: None,
        condition,
    };
    revision.segments.insert(id.to_owned(), segment);
    revision
}

pub(super) fn frame(published: &Published) -> Frame<'_> {
    Frame {
        revision: &published.revision,
        numbers: &published.numbers,
        now: now(),
    }
}

//! Definitions in the store, and what becomes of customers' values when they change.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::conversion::Conversion;
use drumbeat::domain::customer::FieldValue;
use drumbeat::domain::definition::DefinitionKind;
use drumbeat::domain::field::{Cardinality, DataModel, Field, FieldType};
use drumbeat::domain::ids::RevisionNo;
use drumbeat::domain::model_work::ModelWork;
use drumbeat::domain::revision::{NameKind, Revision};
use drumbeat::domain::value::Value;
use drumbeat::store::{
    Converting, DefinitionEdit, Error, NewCustomer, NewRevision, Published, Redefinition, Result,
    Upsert,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::rig::{Fresh, now, revision, text};

const IDS: [&str; 3] = ["a", "b", "c"];

fn by() -> By {
    By::new(Actor::named("mara"), Source::CommandLine)
}

async fn redefine(
    store: &Fresh,
    (upon, changes): (i32, i64),
    edit: &DefinitionEdit,
    works: &[ModelWork],
) -> Result<Published> {
    let next = Revision {
        definitions: changes,
        ..revision()
    };
    let new = NewRevision {
        revision: &next,
        hash: "files",
        commit: None,
        sources: vec![("flows/a.yaml".to_owned(), b"flow: a".to_vec())],
        at: now(),
    };
    let change = Redefinition {
        edit,
        upon: RevisionNo(upon),
        new,
        works,
        by: &by(),
    };
    store.redefine(change).await
}

fn tag(body: Option<&str>) -> DefinitionEdit {
    DefinitionEdit {
        kind: DefinitionKind::Tag,
        name: "gold".to_owned(),
        body: body.map(str::to_owned),
    }
}

pub(super) async fn a_definition_and_its_revision_are_written_together_or_not_at_all(store: Fresh) {
    store.published(&revision()).await;
    let work = ModelWork::Untag {
        tag: "gold".to_owned(),
    };
    let first = redefine(&store, (1, 1), &tag(Some("a")), std::slice::from_ref(&work)).await;
    assert_eq!(first.unwrap().number, RevisionNo(2));
    for stale in [(1, 2), (2, 1), (2, 3)] {
        let refused = redefine(&store, stale, &tag(Some("b")), &[]).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{stale:?}");
    }
    let stored = store.definitions().await.unwrap();
    assert_eq!((stored.changes, stored.all.len()), (1, 1));
    let one = stored.find(DefinitionKind::Tag, "gold").unwrap();
    assert_eq!(
        (one.body.as_str(), one.version, one.actor.as_str()),
        ("a", 1, "mara")
    );
    assert_eq!(
        store.model_works().await.unwrap(),
        std::slice::from_ref(&work)
    );
    store.finish_model_work(&work).await.unwrap();
    assert_eq!(store.model_works().await.unwrap(), []);

    redefine(&store, (2, 2), &tag(Some("b")), &[])
        .await
        .unwrap();
    redefine(&store, (3, 3), &tag(None), &[]).await.unwrap();
    let stored = store.definitions().await.unwrap();
    assert_eq!((stored.changes, stored.all.len()), (3, 0));
    let lines = store.audit_lines(1).await.unwrap();
    assert_eq!(lines[0].what, "definition removed");
}

pub(super) async fn files_that_were_checked_with_older_definitions_are_not_published(store: Fresh) {
    store.published(&revision()).await;
    redefine(&store, (1, 1), &tag(Some("a")), &[])
        .await
        .unwrap();
    let files = |definitions| Revision {
        definitions,
        ..revision()
    };
    let publish = async |revision: &Revision, hash: &str| {
        let new = NewRevision {
            revision,
            hash,
            commit: None,
            sources: Vec::new(),
            at: now(),
        };
        store.publish_after(Some(RevisionNo(2)), new).await
    };
    let stale = publish(&files(0), "new files").await;
    assert!(matches!(stale, Err(Error::Conflict(_))));
    // The same files with what is defined now are what is in force.
    let same = publish(&files(1), "files").await.unwrap();
    assert_eq!(same.number, RevisionNo(2));
    let newer = publish(&files(1), "new files").await.unwrap();
    assert_eq!(newer.number, RevisionNo(3));
    assert_eq!(
        store.revision_of("files").await.unwrap(),
        Some(RevisionNo(2))
    );
}

fn field(kind: FieldType, cardinality: Cardinality) -> Field {
    let mut field = DataModel::default().fields[0].clone();
    "worth".clone_into(&mut field.identifier);
    field.kind = kind;
    field.cardinality = cardinality;
    field
}

fn only(field: &Field) -> DataModel {
    DataModel {
        fields: vec![field.clone()],
        ..DataModel::default()
    }
}

/// A store in which the field is as it was, with these values.
async fn holding(store: &Fresh, from: &Field, values: &[(&str, FieldValue)], at: Timestamp) {
    store.make_room(&only(from)).await.unwrap();
    let rows = values.iter().map(|(id, value)| NewCustomer {
        external_id: (*id).to_owned(),
        fields: vec![("worth".to_owned(), Some(value.clone()))],
    });
    let rows: Vec<NewCustomer> = rows.collect();
    let how = Upsert {
        model: &only(from),
        tags: &[],
        consents: &[],
        by: &by(),
        at,
    };
    store.upsert_customers(&rows, &how).await.unwrap();
}

async fn convert(store: &Fresh, conversion: &Conversion, since: Option<Timestamp>, drops: bool) {
    store.make_room(&only(&conversion.to)).await.unwrap();
    let numbers = store.numbers().await.unwrap();
    let mut last = None;
    loop {
        let holders = store
            .holders_of(&conversion.from, &numbers, last, 2)
            .await
            .unwrap();
        if holders.is_empty() {
            return;
        }
        last = holders.last().copied();
        let how = Converting {
            conversion,
            zone: &TimeZone::UTC,
            since,
            drops,
            by: &by(),
            at: now(),
        };
        store.convert(&holders, &how).await.unwrap();
    }
}

async fn values(store: &Fresh, field: &Field, ids: &[&str]) -> Vec<String> {
    let mut values = Vec::new();
    for id in ids {
        let customer = store.customer(id, &only(field)).await.unwrap().unwrap();
        values.push(match customer.fields.get("worth") {
            None => "none".to_owned(),
            Some(FieldValue::One(value)) => value.to_string(),
            Some(FieldValue::Many(values)) => {
                let texts: Vec<String> = values.iter().map(Value::to_string).collect();
                format!("[{}]", texts.join(" "))
            }
        });
    }
    values
}

fn one(value: &str) -> FieldValue {
    FieldValue::One(text(value))
}

fn many(values: &[&str]) -> FieldValue {
    FieldValue::Many(values.iter().map(|value| text(value)).collect())
}

pub(super) async fn values_are_converted_wherever_they_stand_and_found_again(store: Fresh) {
    store.published(&revision()).await;
    let (text, list) = (
        field(FieldType::Text, Cardinality::One),
        field(FieldType::Text, Cardinality::Many),
    );
    let integer = field(FieldType::Integer, Cardinality::One);
    let given = [("a", one("007")), ("b", one("much")), ("c", one("12"))];
    holding(&store, &text, &given, now()).await;
    let to = |from: &Field, to: &Field| Conversion {
        from: from.clone(),
        to: to.clone(),
    };
    let there = to(&text, &integer);
    convert(&store, &there, None, false).await;
    assert_eq!(values(&store, &integer, &IDS).await, ["7", "none", "12"]);
    assert_eq!(values(&store, &text, &IDS).await, ["007", "much", "12"]);
    let marks = store.marks().await;
    convert(&store, &there, None, false).await;
    convert(&store, &there, Some(now()), false).await;
    assert_eq!(
        store.marks().await,
        marks,
        "what is converted is left alone"
    );
    convert(&store, &there.reversed(), None, false).await;
    assert_eq!(values(&store, &text, &IDS).await, ["007", "much", "12"]);

    convert(&store, &to(&integer, &list), None, false).await;
    assert_eq!(values(&store, &list, &IDS).await, ["[7]", "none", "[12]"]);
    let back = to(&list, &integer);
    convert(&store, &back, None, false).await;
    assert_eq!(values(&store, &integer, &IDS).await, ["7", "none", "12"]);
}

pub(super) async fn the_values_of_a_list_are_converted_beside_the_old_ones(store: Fresh) {
    store.published(&revision()).await;
    let [texts, numbers] =
        [FieldType::Text, FieldType::Number].map(|kind| field(kind, Cardinality::Many));
    let given = [
        ("a", many(&["1", "x", "2.5"])),
        ("b", many(&["x"])),
        ("c", many(&["3"])),
    ];
    holding(&store, &texts, &given, now()).await;
    let conversion = Conversion {
        from: texts.clone(),
        to: numbers.clone(),
    };
    convert(&store, &conversion, None, false).await;
    assert_eq!(
        values(&store, &numbers, &IDS).await,
        ["[1 2.5]", "none", "[3]"]
    );
    assert_eq!(
        values(&store, &texts, &IDS).await,
        ["[1 x 2.5]", "[x]", "[3]"]
    );
    convert(&store, &conversion, Some(now()), true).await;
    assert_eq!(
        values(&store, &texts, &IDS).await,
        ["[1 2.5]", "none", "[3]"]
    );
}

pub(super) async fn values_that_came_meanwhile_are_converted_and_newer_ones_stay(store: Fresh) {
    store.published(&revision()).await;
    let [text, integer] =
        [FieldType::Text, FieldType::Integer].map(|kind| field(kind, Cardinality::One));
    let given = IDS.map(|id| (id, one("1")));
    let hour = |n| now() + SignedDuration::from_hours(n);
    holding(&store, &text, &given, hour(-3)).await;
    let conversion = Conversion {
        from: text.clone(),
        to: integer.clone(),
    };
    convert(&store, &conversion, None, false).await;
    // Before the change was in force, by a program that knows nothing of it, and after it.
    holding(&store, &text, &[("a", one("2"))], hour(1)).await;
    let since = hour(2);
    holding(
        &store,
        &integer,
        &[("b", FieldValue::One(Value::Integer(5)))],
        hour(3),
    )
    .await;
    convert(&store, &conversion, Some(since), false).await;
    assert_eq!(values(&store, &integer, &IDS).await, ["2", "5", "1"]);
}

pub(super) async fn values_stay_in_the_column_of_their_type_and_those_that_do_not_fit_may_go(
    store: Fresh,
) {
    store.published(&revision()).await;
    let [text, phone] =
        [FieldType::Text, FieldType::Phone].map(|kind| field(kind, Cardinality::One));
    let given = [
        ("a", one("(555) 123-45")),
        ("b", one("call me")),
        ("c", one("55512345")),
    ];
    holding(&store, &text, &given, now()).await;
    let conversion = Conversion {
        from: text.clone(),
        to: phone.clone(),
    };
    convert(&store, &conversion, None, true).await;
    assert_eq!(
        values(&store, &text, &IDS).await,
        ["(555) 123-45", "call me", "55512345"]
    );
    convert(&store, &conversion, Some(now()), false).await;
    assert_eq!(
        values(&store, &phone, &IDS).await,
        ["55512345", "call me", "55512345"]
    );
    convert(&store, &conversion, Some(now()), true).await;
    assert_eq!(
        values(&store, &phone, &IDS).await,
        ["55512345", "none", "55512345"]
    );
}

pub(super) async fn the_values_of_a_removed_field_are_erased_whatever_type_they_had(store: Fresh) {
    store.published(&revision()).await;
    let text = field(FieldType::Text, Cardinality::One);
    let integer = field(FieldType::Integer, Cardinality::One);
    let list = field(FieldType::Text, Cardinality::Many);
    holding(&store, &text, &[("a", one("x")), ("b", one("1"))], now()).await;
    holding(
        &store,
        &integer,
        &[("a", FieldValue::One(Value::Integer(1)))],
        now(),
    )
    .await;
    holding(&store, &list, &[("c", many(&["x", "y"]))], now()).await;
    let numbers = store.numbers().await.unwrap();
    let number = numbers.number(NameKind::Field, "worth");
    let (mut last, mut erased) = (None, 0);
    loop {
        let holders = store.field_holders("worth", number, last, 2).await.unwrap();
        if holders.is_empty() {
            break;
        }
        last = holders.last().copied();
        erased += holders.len();
        store.erase_field("worth", number, &holders).await.unwrap();
    }
    assert_eq!(erased, 3);
    assert!(
        store
            .field_holders("worth", number, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    for field in [&text, &integer, &list] {
        assert_eq!(values(&store, field, &IDS).await, ["none", "none", "none"]);
    }
}

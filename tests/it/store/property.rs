//! Conditions at random over people at random: the SQL and the oracle agree on every one.

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::customer::{FieldValue, Status};
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::nps::{NpsAnswer, NpsTest};
use drumbeat::domain::occurrence::{Key, Placed};
use drumbeat::domain::rating::Rating;
use drumbeat::domain::segment::{Condition, DateTest, Did, ManyTest, Moment, Test};
use drumbeat::domain::subscription::Consent;
use drumbeat::domain::value::Value;
use drumbeat::store::{Telling, Upsert};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::chance::{ACTS, CAMPAIGNS, some_day, some_delay, some_person, some_scope, some_text};
use super::oracle::{Oracle, Person};
use super::rig::{Fresh, frame, model, now, revision, row, text};

const ROUNDS: usize = 12;
const PEOPLE: usize = 16;
const CONDITIONS: usize = 100;

fn some_date_test() -> impl Strategy<Value = DateTest> {
    prop_oneof![
        some_day().prop_map(DateTest::Before),
        some_day().prop_map(DateTest::On),
        some_day().prop_map(DateTest::After),
        (some_day(), some_day()).prop_map(|(a, b)| DateTest::Between(a, b)),
        some_delay().prop_map(DateTest::WithinLast),
        some_delay().prop_map(DateTest::OlderThan),
        some_delay().prop_map(DateTest::ExactlyAgo),
        some_delay().prop_map(DateTest::WithinNext),
        (0_u32..80).prop_map(|within_days| DateTest::Anniversary { within_days }),
        Just(DateTest::Exists),
        Just(DateTest::Missing),
    ]
}

fn some_equality(value: BoxedStrategy<Value>) -> BoxedStrategy<Test> {
    prop_oneof![
        value.clone().prop_map(Test::Is),
        value.clone().prop_map(Test::IsNot),
        vec(value.clone(), 0..3).prop_map(Test::In),
        vec(value, 0..3).prop_map(Test::NotIn),
        Just(Test::Exists),
        Just(Test::Missing),
    ]
    .boxed()
}

fn some_text_test() -> BoxedStrategy<Test> {
    let part = || {
        let parts = ["l", "SÃ", "son", "%", "_", "\\", "ß", "f", "", "an"];
        select(parts.to_vec()).prop_map(str::to_owned)
    };
    let glob = select(vec!["*", "s*", "?y?n", "*%?x*", "l*N", "", "??", "*\\"]);
    prop_oneof![
        some_equality(some_text().boxed()),
        part().prop_map(Test::StartsWith),
        part().prop_map(Test::EndsWith),
        part().prop_map(Test::Contains),
        part().prop_map(Test::DoesNotContain),
        glob.prop_map(|glob| Test::Matches(glob.to_owned())),
    ]
    .boxed()
}

fn some_order(value: BoxedStrategy<Value>) -> BoxedStrategy<Test> {
    prop_oneof![
        some_equality(value.clone()),
        value.clone().prop_map(Test::LessThan),
        value.clone().prop_map(Test::AtMost),
        value.clone().prop_map(Test::MoreThan),
        value.clone().prop_map(Test::AtLeast),
        (value.clone(), value).prop_map(|(a, b)| Test::Between(a, b)),
    ]
    .boxed()
}

fn some_field() -> BoxedStrategy<Condition> {
    let number = select(&[-1.5, 0.0, 0.1, 2.0, 1e15][..]).prop_map(Value::Number);
    let integer = (0_i64..6).prop_map(Value::Integer);
    let id = (0_usize..9).prop_map(|n| text(&format!("P-{n}")));
    let id = prop_oneof![
        some_equality(id.boxed()),
        Just(Test::StartsWith("p-".to_owned())),
        Just(Test::Matches("P*3".to_owned())),
    ];
    let field = |field: &'static str, test: BoxedStrategy<Test>| {
        test.prop_map(move |test| Condition::Field {
            field: field.to_owned(),
            test,
        })
    };
    prop_oneof![
        2 => field("city", some_text_test()),
        1 => field("age", some_order(integer.boxed())),
        1 => field("balance", some_order(number.boxed())),
        1 => field(
            "member",
            some_equality(any::<bool>().prop_map(Value::Boolean).boxed())
        ),
        3 => field("joined_on", some_date_test().prop_map(Test::Date).boxed()),
        3 => field("seen_at", some_date_test().prop_map(Test::Date).boxed()),
        1 => field("id", id.boxed()),
    ]
    .boxed()
}

fn some_list_test() -> BoxedStrategy<Condition> {
    let value = || select(&["LOAN", "card", "cash", "none"][..]).prop_map(text);
    prop_oneof![
        value().prop_map(ManyTest::Includes),
        vec(value(), 0..3).prop_map(ManyTest::IncludesAny),
        vec(value(), 0..3).prop_map(ManyTest::IncludesAll),
        value().prop_map(ManyTest::Excludes),
        (0_u32..4).prop_map(ManyTest::CountAtLeast),
        Just(ManyTest::Exists),
        Just(ManyTest::Missing),
    ]
    .prop_map(|test| Condition::Many {
        field: "products".to_owned(),
        test,
    })
    .boxed()
}

fn some_did() -> BoxedStrategy<Condition> {
    let campaign = option::of(select(&CAMPAIGNS[..]).prop_map(str::to_owned));
    (
        select(&ACTS[..]),
        campaign,
        option::of(some_delay()),
        1_u32..3,
    )
        .prop_map(|(kind, campaign, within_last, at_least)| {
            Condition::Did(Did {
                kind,
                campaign,
                flow: None,
                step: None,
                channel: None,
                within_last,
                at_least,
            })
        })
        .boxed()
}

pub(super) fn some_condition() -> BoxedStrategy<Condition> {
    let moments = [
        Moment::Created,
        Moment::LastActivity,
        Moment::LastEngagement,
        Moment::LastTransaction,
    ];
    let moment = (select(moments.to_vec()), some_date_test());
    let consent = (select(&Channel::ALL[..]), select(&Consent::ALL[..]));
    let leaf = prop_oneof![
        6 => some_field(),
        2 => some_list_test(),
        2 => some_did(),
        2 => moment.prop_map(|(moment, test)| Condition::Moment { moment, test }),
        1 => select(&Rating::ALL[..]).prop_map(Condition::Rating),
        1 => select(&Status::ALL[..]).prop_map(Condition::Status),
        1 => any::<bool>().prop_map(Condition::Identified),
        1 => consent.prop_map(|(channel, is)| Condition::Consent { channel, is }),
        1 => some_scope().prop_map(Condition::Subscribed),
        1 => Just(Condition::Tag("vip".to_owned())),
        1 => (0_u8..=10, 0_u8..=10).prop_map(|(one, other)| Condition::Nps(NpsTest {
            least: one.min(other),
            most: one.max(other),
        })),
        1 => (0_u32..=10_000).prop_map(Condition::Random),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Condition::All),
            vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
    .boxed()
}

/// Writes a person through the store's own doors.
pub(super) async fn write(store: &Fresh, person: &mut Person) {
    let (by, model) = (By::new(Actor::named("ana"), Source::Api), model());
    let fields: Vec<(&str, Value)> = person
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let mut customer = row(&person.external_id, &fields);
    let products = person
        .products
        .iter()
        .map(|product| text(product))
        .collect();
    let products = FieldValue::Many(products);
    customer
        .fields
        .push(("products".to_owned(), Some(products)));
    let tags: Vec<String> = person.vip.then(|| "vip".to_owned()).into_iter().collect();
    let how = Upsert {
        model: &model,
        tags: &tags,
        consents: &[(Channel::Sms, person.sms)],
        by: &by,
        at: person.created_at,
    };
    store.upsert_customers(&[customer], &how).await.unwrap();
    person.id = store
        .customer_id(&person.external_id)
        .await
        .unwrap()
        .unwrap();
    store
        .set_status(person.id, person.status, &by, now())
        .await
        .unwrap();
    for scope in &person.given_up {
        store
            .unsubscribe(person.id, scope, &by, now())
            .await
            .unwrap();
    }
    let acts = person.acts.iter().map(|act| Interaction {
        campaign: act.campaign.clone(),
        ..Interaction::new(person.id, act.at, act.kind)
    });
    store.record(&acts.collect::<Vec<_>>()).await.unwrap();
    if let Some(score) = person.nps {
        answer(store, person.id, score, now()).await;
    }
}

/// Tells of an answer to "how likely is it that you would recommend us?".
pub(super) async fn answer(store: &Fresh, customer: CustomerId, score: u8, at: Timestamp) {
    let placed = Placed {
        key: Key::of(&format!("{score} at {at}")),
        line: Interaction::new(customer, at, Kind::NpsAnswered),
        nps: Some(NpsAnswer {
            score,
            comment: None,
            question: None,
        }),
        environment: None,
    };
    let how = Telling {
        source: Source::Api,
        now: at,
        is_trial: false,
    };
    store.record_once(&[placed], how).await.unwrap();
}

pub(super) async fn every_condition_means_what_the_oracle_says(store: Fresh) {
    let published = store.published(&revision()).await;
    let oracle = Oracle {
        now: now(),
        zone: published.revision.time_zone(),
    };
    let mut runner = TestRunner::deterministic();
    let mut new =
        |strategy: BoxedStrategy<Condition>| strategy.new_tree(&mut runner).unwrap().current();
    let mut people_runner = TestRunner::deterministic();
    let (mut met, mut asked) = (0, 0);
    let mut number = 0;
    for _ in 0..ROUNDS {
        let mut people = vec(some_person(), PEOPLE)
            .new_tree(&mut people_runner)
            .unwrap()
            .current();
        for person in &mut people {
            person.external_id = format!("P-{number}");
            number += 1;
            write(&store, person).await;
        }
        let ids: Vec<CustomerId> = people.iter().map(|person| person.id).collect();
        for _ in 0..CONDITIONS {
            let condition = new(some_condition());
            let found = store
                .matching(&condition, &frame(&published), &ids)
                .await
                .unwrap();
            for person in &people {
                let expected = oracle.meets(person, &condition);
                let meets = found.contains(&person.id);
                assert_eq!(meets, expected, "{condition:?}\n{person:#?}");
                met += usize::from(expected);
                asked += 1;
            }
        }
    }
    // Neither all nor nobody: the conditions do tell people apart.
    assert!(met * 10 > asked && met * 10 < asked * 9, "{met} of {asked}");
}

//! Segments by example; `property` tries them at random.

use std::collections::BTreeSet;

use drumbeat::domain::audit::{Actor, By, Source};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::interaction::{Interaction, Kind};
use drumbeat::domain::rating::Rating;
use drumbeat::domain::segment::{Condition, Test};
use drumbeat::domain::subscription::Scope;
use drumbeat::domain::value::Value;
use drumbeat::store::Published;

use super::rig::{Fresh, frame, model, now, revision, row, text, with_segment};

fn field(field: &str, test: Test) -> Condition {
    Condition::Field {
        field: field.to_owned(),
        test,
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// The identifiers of who meets the condition.
async fn who(store: &Fresh, published: &Published, condition: &Condition) -> BTreeSet<String> {
    let found = store
        .customers_meeting_after(condition, &frame(published), None, 1000)
        .await
        .unwrap();
    let customers = store.customers(&found, &model()).await.unwrap();
    customers
        .into_iter()
        .map(|customer| customer.external_id)
        .collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

pub(super) async fn a_missing_value_meets_only_missing(store: Fresh) {
    let published = store.published(&revision()).await;
    store
        .person(
            "here",
            &[("city", text("Lyon")), ("age", Value::Integer(5))],
        )
        .await;
    store.person("gone", &[("city", text(""))]).await;
    let is = field("city", Test::Is(text("Lyon")));
    for (condition, expected) in [
        (is.clone(), &["here"][..]),
        (field("city", Test::IsNot(text("Nice"))), &["here"]),
        (field("city", Test::NotIn(vec![text("Nice")])), &["here"]),
        (
            field("city", Test::DoesNotContain("x".to_owned())),
            &["here"],
        ),
        (field("age", Test::AtMost(Value::Integer(9))), &["here"]),
        (field("city", Test::Missing), &["gone"]),
        (field("city", Test::Exists), &["here"]),
        (not(is), &["gone"]),
        (not(field("city", Test::Missing)), &["here"]),
        (
            not(not(field("age", Test::IsNot(Value::Integer(4))))),
            &["here"],
        ),
    ] {
        assert_eq!(
            who(&store, &published, &condition).await,
            set(expected),
            "{condition:?}"
        );
    }
}

pub(super) async fn text_is_compared_without_case_and_accents(store: Fresh) {
    let published = store.published(&revision()).await;
    store.person("a", &[("city", text("São Paulo"))]).await;
    for test in [
        Test::Is(text("SAO PAULO")),
        Test::In(vec![text("x"), text("são paulo")]),
        Test::StartsWith("SÃO".to_owned()),
        Test::EndsWith("paULO".to_owned()),
        Test::Contains("O p".to_owned()),
        Test::Matches("s?o*LO".to_owned()),
    ] {
        let condition = field("city", test);
        assert_eq!(
            who(&store, &published, &condition).await,
            set(&["a"]),
            "{condition:?}"
        );
    }
    let exact = field("id", Test::Is(text("A")));
    assert!(who(&store, &published, &exact).await.is_empty());
}

pub(super) async fn what_looks_like_a_pattern_is_literal(store: Fresh) {
    let published = store.published(&revision()).await;
    store.person("a", &[("city", text("50% of_f\\"))]).await;
    store
        .person("b", &[("city", text("50 offf'; DROP TABLE customers --"))])
        .await;
    for (test, expected) in [
        (Test::StartsWith("50%".to_owned()), &["a"][..]),
        (Test::Contains("_f".to_owned()), &["a"]),
        (Test::EndsWith("\\".to_owned()), &["a"]),
        (Test::Matches("50*f_f?".to_owned()), &["a"]),
        (
            Test::Contains("'; DROP TABLE customers --".to_owned()),
            &["b"],
        ),
        (Test::Contains("off".to_owned()), &["b"]),
    ] {
        let condition = field("city", test);
        assert_eq!(
            who(&store, &published, &condition).await,
            set(expected),
            "{condition:?}"
        );
    }
}

pub(super) async fn segments_may_name_segments(store: Fresh) {
    let lyon = field("city", Test::Is(text("Lyon")));
    let revision = with_segment(revision(), "lyon", lyon);
    let others = not(Condition::Segment("lyon".to_owned()));
    let published = store
        .published(&with_segment(revision, "others", others))
        .await;
    store.person("a", &[("city", text("Lyon"))]).await;
    store.person("b", &[]).await;
    let others = Condition::Segment("others".to_owned());
    assert_eq!(who(&store, &published, &others).await, set(&["b"]));
    let missing = Condition::Segment("nobody-wrote-it".to_owned());
    let error = store
        .segment_count(&missing, &frame(&published))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`nobody-wrote-it`"));
}

pub(super) async fn a_circle_of_segments_is_an_error(store: Fresh) {
    let to = |id: &str| Condition::Segment(id.to_owned());
    let revision = with_segment(with_segment(revision(), "a", to("b")), "b", to("a"));
    let published = store.published(&revision).await;
    let error = store
        .segment_count(&to("a"), &frame(&published))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("contains itself"), "{error}");
    assert!(drumbeat::store::edges(&to("a"), &revision).is_empty());
}

pub(super) async fn a_random_share_is_about_that_share_and_stays(store: Fresh) {
    let published = store.published(&revision()).await;
    let rows: Vec<_> = (0..20_000).map(|n| row(&format!("c{n}"), &[])).collect();
    store.import(&rows, &model()).await;
    let share = async |hundredths: u32| {
        let random = Condition::Random(hundredths);
        store
            .segment_count(&random, &frame(&published))
            .await
            .unwrap()
    };
    assert_eq!((share(0).await, share(10_000).await), (0, 20_000));
    let tenth = share(1_000).await;
    // Six standard deviations of a fair draw: sqrt(20000 × 0.1 × 0.9) = 42.
    assert!((1_746..=2_254).contains(&tenth), "{tenth}");
    assert_eq!(share(1_000).await, tenth);
    let within = Condition::All(vec![Condition::Random(1_000), Condition::Random(3_000)]);
    let within = store
        .segment_count(&within, &frame(&published))
        .await
        .unwrap();
    assert_eq!(within, tenth);
}

pub(super) async fn a_rating_counts_whole_days_of_the_workspace(store: Fresh) {
    let published = store.published(&revision()).await;
    let zone = published.revision.time_zone();
    let today = now().to_zoned(zone.clone()).date();
    let start_of = |days: i64| {
        let day = today.saturating_sub(jiff::Span::new().days(days));
        day.to_zoned(zone.clone()).unwrap().timestamp()
    };
    let moment = jiff::SignedDuration::from_micros(1);
    for (n, (at, rating)) in [
        (start_of(15), Rating::New),
        (start_of(15) - moment, Rating::Frequent),
        (start_of(45), Rating::Frequent),
        (start_of(45) - moment, Rating::Dormant),
        (start_of(120), Rating::Dormant),
        (start_of(120) - moment, Rating::Expired),
    ]
    .into_iter()
    .enumerate()
    {
        let id = store.person(&format!("c{n}"), &[]).await;
        store
            .record(&[Interaction::new(id, at, Kind::Login)])
            .await
            .unwrap();
        for other in Rating::ALL {
            let asked = Condition::Rating(other);
            let found = store
                .matching(&asked, &frame(&published), &[id])
                .await
                .unwrap();
            assert_eq!(found.contains(&id), other == rating, "{at} {other:?}");
        }
    }
}

pub(super) async fn subscribed_asks_for_records_as_wide_or_wider(store: Fresh) {
    let published = store.published(&revision()).await;
    let id = store.person("a", &[]).await;
    let by = By::new(Actor::customer(), Source::Link);
    let cards = Scope {
        category: Some("cards".to_owned()),
        ..Scope::default()
    };
    let cards_by_sms = Scope {
        channel: Some(Channel::Sms),
        ..cards.clone()
    };
    let is = async |scope: &Scope| {
        let condition = Condition::Subscribed(scope.clone());
        store
            .matching(&condition, &frame(&published), &[id])
            .await
            .unwrap()
            .contains(&id)
    };
    assert!(is(&Scope::EVERYTHING).await);
    store.unsubscribe(id, &cards, &by, now()).await.unwrap();
    assert!(!is(&cards).await);
    assert!(!is(&cards_by_sms).await);
    assert!(is(&Scope::EVERYTHING).await);
    store.resubscribe(id, &cards, &by, now()).await.unwrap();
    assert!(is(&cards).await);
}

pub(super) async fn the_preview_is_a_part_of_the_count(store: Fresh) {
    let published = store.published(&revision()).await;
    let rows: Vec<_> = (0..50).map(|n| row(&format!("c{n}"), &[])).collect();
    store.import(&rows, &model()).await;
    let everybody = Condition::All(Vec::new());
    let frame = frame(&published);
    assert_eq!(store.segment_count(&everybody, &frame).await.unwrap(), 50);
    let preview = store
        .customers_meeting_after(&everybody, &frame, None, 7)
        .await
        .unwrap();
    assert_eq!(preview.len(), 7);
    assert!(preview.is_sorted());
    assert_eq!(
        store
            .matching(&everybody, &frame, &preview)
            .await
            .unwrap()
            .len(),
        7
    );
    let nobody = Condition::Any(Vec::new());
    assert_eq!(store.segment_count(&nobody, &frame).await.unwrap(), 0);
}

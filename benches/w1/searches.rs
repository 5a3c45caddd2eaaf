//! Owns the measuring of the search: how fast and how large its index is, and what each kind of question takes.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use drumbeat::customers::briefs::briefs;
use drumbeat::customers::search::{self, INDEXED_TOGETHER, Search};
use drumbeat::domain::segment::{Condition, Test};
use drumbeat::domain::value::Value;
use drumbeat::store::{Published, Store};

use crate::phases::{Measures, add, add_server_memory, number};
use crate::place::Place;
use crate::raw::Raw;
use crate::rig;

/// Questions of a kind, each about somebody else.
const QUESTIONS: u64 = 200;
/// Customers on a page, and whether there are more.
const PAGE: u32 = 101;

/// The kinds of questions, by the name of their measure.
pub(crate) const KINDS: [&str; 11] = [
    "exact", "email", "name", "two", "phone", "number", "short", "common", "inside", "nothing",
    "filter",
];
/// Those of which nobody is found.
const FOR_NOBODY: [&str; 2] = ["inside", "nothing"];

/// What is asked of this kind about a customer, and whether of a tenth alone.
fn asked(kind: &str, customer: u64) -> (String, bool) {
    match kind {
        "exact" => (format!("c{customer}"), false),
        "email" => (format!("c{customer}@exa"), false),
        "name" => (format!("ame{customer}"), false),
        // Whose number is one digit alone has no part of it.
        "two" => {
            let customer = customer.max(10);
            (
                format!("name{} city{}", customer / 10, customer % 40),
                false,
            )
        }
        "phone" => (format!("{customer:07}"), false),
        // A balance, which a hundredth of all has somewhere; and an age.
        "number" => (format!("{}", customer * 37 % 10_000), false),
        "short" => (format!("{}", 18 + customer % 60), false),
        // Everybody has a value that goes on so, and nobody a name.
        "inside" => ("ex".to_owned(), false),
        "common" => (format!("city{}", customer % 40), false),
        "nothing" => (format!("zzq{customer}"), false),
        _ => (format!("name{}", customer / 100), true),
    }
}

/// Makes the whole index, as a daemon does that has nothing else to do.
pub(crate) async fn indexed(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let published = rig::publish(&store, place, &[], rig::day(0)?).await?;
    let before = Raw::open(place).await?.bytes().await?;
    store.search_by(&published).await?;
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    loop {
        let step = Instant::now();
        if store
            .index_search(&published, INDEXED_TOGETHER, true)
            .await?
            == 0
        {
            break;
        }
        longest = longest.max(step.elapsed());
    }
    store.sweep_texts().await?;
    let seconds = begun.elapsed().as_secs_f64();
    let after = Raw::open(place).await?.bytes().await?;
    let mut measures = Measures::new();
    add(&mut measures, "rate", number(place.customers) / seconds);
    add(&mut measures, "longest", milliseconds(longest));
    add(
        &mut measures,
        "bytes",
        (after - before) / number(place.customers),
    );
    add(&mut measures, "database", after);
    add_server_memory(place, &mut measures)?;
    store.close().await;
    Ok(measures)
}

/// Asks each kind of question many times.
pub(crate) async fn searched(place: &Place) -> Result<Measures> {
    let store = rig::open_store(place).await?;
    let published = rig::publish(&store, place, &[], rig::day(0)?).await?;
    let mut measures = Measures::new();
    for kind in KINDS {
        let mut times = Vec::new();
        for n in 0..QUESTIONS {
            // Spread over everybody, the same in every run.
            let customer = (n * 7_919 + 13) * 104_729 % place.customers;
            let (typed, filtered) = asked(kind, customer);
            let expected = !FOR_NOBODY.contains(&kind);
            times.push(one(&store, &published, &typed, filtered, expected).await?);
        }
        times.sort_unstable();
        let at = |percent: usize| milliseconds(times[times.len() * percent / 100]);
        add(&mut measures, &format!("{kind}_p50"), at(50));
        add(&mut measures, &format!("{kind}_p95"), at(95));
    }
    let begun = Instant::now();
    let sorted = Search {
        sort: Some(search::sort("-first_name", &published.revision.data_model)?),
        ..Search::default()
    };
    search::page(&store, &published, &sorted, rig::day(0)?, None, PAGE).await?;
    add(&mut measures, "sorted", milliseconds(begun.elapsed()));
    let begun = Instant::now();
    let counted = Search {
        condition: Some(gold()),
        ..Search::default()
    };
    search::count(&store, &published, &counted, rig::day(0)?).await?;
    add(&mut measures, "counted", milliseconds(begun.elapsed()));
    store.close().await;
    Ok(measures)
}

async fn one(
    store: &Store,
    published: &Published,
    typed: &str,
    filtered: bool,
    expected: bool,
) -> Result<Duration> {
    let search = Search {
        text: Some(typed.to_owned()),
        condition: filtered.then(gold),
        sort: None,
    };
    let begun = Instant::now();
    let page = search::page(store, published, &search, rig::day(0)?, None, PAGE).await?;
    let ids = page.ids();
    briefs(store, &published.revision, &ids, rig::day(0)?).await?;
    let time = begun.elapsed();
    if page.indexing > 0 || (page.customers.is_empty() && expected && !filtered) {
        bail!("`{typed}` finds nobody");
    }
    Ok(time)
}

fn gold() -> Condition {
    Condition::Field {
        field: "tier".to_owned(),
        test: Test::Is(Value::Text("gold".to_owned())),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

//! Owns what is done to customers when the data model changes: before the change is in force, and after.

use crate::clock::Clock;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::conversion::Conversion;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::model_work::ModelWork;
use crate::domain::revision::NameKind;
use crate::store::{Converting, Published, Result, Store};

use super::survey::PAGE;

fn by() -> By {
    By::new(Actor::drumbeat(), Source::Engine)
}

/// Converts what can be converted while the fields are still as they were.
pub(super) async fn convert_ahead(
    store: &Store,
    clock: &dyn Clock,
    published: &Published,
    (model, conversions): (&DataModel, &[Conversion]),
) -> Result<()> {
    if conversions.is_empty() {
        return Ok(());
    }
    store.make_room(model).await?;
    for conversion in conversions {
        let work = Work {
            conversion,
            since: None,
            drops: false,
        };
        convert(store, clock, published, work).await?;
    }
    Ok(())
}

/// Does all that is left to do for customers. Whoever does it at the same time does the same.
///
/// # Errors
/// When the store fails; what is not done stays on the list.
pub async fn carry_out(store: &Store, clock: &dyn Clock) -> Result<()> {
    for work in store.model_works().await? {
        let Some(published) = store.current_revision().await? else {
            return Ok(());
        };
        if is_wanted(&work, &published) {
            do_one(store, clock, &published, &work).await?;
        }
        store.finish_model_work(&work).await?;
    }
    Ok(())
}

/// Whether nobody has changed it back meanwhile.
fn is_wanted(work: &ModelWork, published: &Published) -> bool {
    let model = &published.revision.data_model;
    match work {
        ModelWork::Convert { conversion, .. } => {
            let to = &conversion.to;
            let is = model.field(&to.identifier);
            is.is_some_and(|is| is.kind == to.kind && is.cardinality == to.cardinality)
        }
        ModelWork::Erase { field } => model.field(field).is_none(),
        ModelWork::Untag { tag } => !model.tags.contains_key(tag),
    }
}

async fn do_one(
    store: &Store,
    clock: &dyn Clock,
    published: &Published,
    work: &ModelWork,
) -> Result<()> {
    match work {
        ModelWork::Convert {
            conversion,
            since,
            drops,
        } => {
            let work = Work {
                conversion,
                since: Some(*since),
                drops: *drops,
            };
            convert(store, clock, published, work).await
        }
        ModelWork::Erase { field } => erase(store, published, field).await,
        ModelWork::Untag { tag } => untag(store, clock, published, tag).await,
    }
}

struct Work<'a> {
    conversion: &'a Conversion,
    since: Option<jiff::Timestamp>,
    drops: bool,
}

async fn convert(
    store: &Store,
    clock: &dyn Clock,
    published: &Published,
    work: Work<'_>,
) -> Result<()> {
    let (zone, by) = (published.revision.time_zone(), by());
    let mut last: Option<CustomerId> = None;
    loop {
        let from = &work.conversion.from;
        let holders = store.holders_of(from, &published.numbers, last, PAGE);
        let holders = holders.await?;
        if holders.is_empty() {
            return Ok(());
        }
        last = holders.last().copied();
        let how = Converting {
            conversion: work.conversion,
            zone: &zone,
            since: work.since,
            drops: work.drops,
            by: &by,
            at: clock.now(),
        };
        store.convert(&holders, &how).await?;
    }
}

async fn erase(store: &Store, published: &Published, field: &str) -> Result<()> {
    let number = published.numbers.number(NameKind::Field, field);
    let mut last = None;
    loop {
        let holders = store.field_holders(field, number, last, PAGE).await?;
        if holders.is_empty() {
            break;
        }
        last = holders.last().copied();
        store.erase_field(field, number, &holders).await?;
    }
    let mut last = None;
    loop {
        last = store.erase_field_in_imports(field, last, PAGE).await?;
        if last.is_none() {
            return store.empty_journal().await;
        }
    }
}

async fn untag(store: &Store, clock: &dyn Clock, published: &Published, tag: &str) -> Result<()> {
    let Some(number) = published.numbers.number(NameKind::Tag, tag) else {
        return Ok(());
    };
    let mut last = None;
    loop {
        let carriers = store.carriers_of(number, last, PAGE).await?;
        if carriers.is_empty() {
            return Ok(());
        }
        last = carriers.last().copied();
        let by = (&by(), clock.now());
        store.untag((number, tag), &carriers, by).await?;
    }
}

//! Owns which addresses are not written to any more because of what was heard: if they are still those of
//! the customers who were written to.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::customers;
use super::error::Result;
use super::hearing::{Addresses, Hearing, Standing, Told};
use super::instants::micros;
use super::sql::query_scalar;
use super::suppressions;
use super::tx::Tx;
use crate::domain::address::Written;
use crate::domain::dispatch::DispatchState;
use crate::domain::ids::{CustomerId, EnrollmentId};
use crate::domain::news::{Bounce, Fate};
use crate::domain::receipt::{SOFT_BOUNCES, SOFT_DAYS};

/// Messages to one address of a customer that came back for now.
const SOFT: &str = "SELECT count(*) FROM enrollments AS e CROSS JOIN dispatches AS d \
     WHERE e.bucket = $1 AND e.customer_id = $2 AND d.bucket = e.bucket \
     AND d.enrollment_id = e.enrollment_id AND d.channel = $3 AND d.address_hash = $4 \
     AND d.state = $5 AND (d.heard & $6) <> 0 AND d.at >= $7";

pub(super) const STATEMENTS: &[&str] = &[SOFT];

/// Suppresses addresses that are dead, that complained, or that came back too often, if they are still
/// those that were written to.
pub(super) async fn suppress(
    tx: &mut Tx,
    standing: &[Standing],
    hearing: &Hearing<'_>,
) -> Result<()> {
    let mut against: Vec<(&Standing, String)> = Vec::new();
    for one in standing {
        if let Some(why) = why_not(tx, one, hearing.now).await? {
            against.push((one, why));
        }
    }
    if against.is_empty() {
        return Ok(());
    }
    let present = present(tx, &against, &hearing.addresses).await?;
    for (one, why) in against {
        let Some(address) = present.get(&one.enrollment) else {
            continue;
        };
        if one.address == Some(suppressions::hash(address)) {
            suppressions::suppress(tx, one.channel, address, &why, hearing.now).await?;
        }
    }
    Ok(())
}

/// Why the address of a message is not to be written to any more, if so.
async fn why_not(tx: &mut Tx, one: &Standing, now: Timestamp) -> Result<Option<String>> {
    let words = |why: &str, told: &Told| match told.detail.as_str() {
        "" => why.to_owned(),
        said => format!("{why}: {said}"),
    };
    if let Some(told) = one.has_news(|fate| fate == Fate::Bounced(Bounce::Hard)) {
        return Ok(Some(words("bounced", told)));
    }
    if let Some(told) = one.has_news(|fate| fate == Fate::Complained) {
        return Ok(Some(words("complained", told)));
    }
    let soft = one.has_news(|fate| fate == Fate::Bounced(Bounce::Soft));
    let (Some(told), Some(address)) = (soft, one.address) else {
        return Ok(None);
    };
    let since = now - SignedDuration::from_hours(24 * SOFT_DAYS);
    let count: i64 = query_scalar(SOFT)
        .bind(i64::from(one.customer.bucket().0))
        .bind(one.customer.0)
        .bind(one.channel.number())
        .bind(address)
        .bind(DispatchState::Bounced.number())
        .bind(Fate::Bounced(Bounce::Soft).number())
        .bind(micros(since))
        .fetch_one(tx)
        .await?;
    let why = || words(&format!("bounced {count} times in {SOFT_DAYS} days"), told);
    Ok((count >= SOFT_BOUNCES).then(why))
}

/// The addresses of those customers.
async fn present(
    tx: &mut Tx,
    against: &[(&Standing, String)],
    addresses: &Addresses<'_>,
) -> Result<HashMap<EnrollmentId, String>> {
    let against = against.iter().map(|(one, _)| *one);
    let (config, model) = match addresses {
        Addresses::Known(known) => {
            let known = against.filter_map(|one| {
                let address = known.get(&one.enrollment)?;
                Some((one.enrollment, (*address).to_owned()))
            });
            return Ok(known.collect());
        }
        Addresses::Present(config, model) => (config, *model),
    };
    let ids: BTreeSet<CustomerId> = against.clone().map(|one| one.customer).collect();
    let ids: Vec<CustomerId> = ids.into_iter().collect();
    let found = customers::plain(&ids, model, tx).await?;
    let found = found.iter().filter_map(|customer| {
        let address = Written::of(customer, (*config)?).good()?;
        Some((customer.id, address))
    });
    let found: HashMap<CustomerId, Cow<'_, str>> = found.collect();
    let present = against.filter_map(|one| {
        let address = found.get(&one.customer)?;
        Some((one.enrollment, address.clone().into_owned()))
    });
    Ok(present.collect())
}

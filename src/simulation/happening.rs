//! Owns what happens in a test: to customers as people and files would do it, and to flows.

use jiff::Timestamp;

use super::trouble::Trouble;
use crate::customers::profiles;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::interaction::Interaction;
use crate::domain::revision::NameKind;
use crate::domain::scenario::{Done, Person, ToCustomer};
use crate::store::{NewCustomer, Published, Store, Upsert};

fn by() -> By {
    By::new(Actor::named("test"), Source::CommandLine)
}

/// Makes customers, or gives them other values and more tags.
pub(super) async fn set(
    store: &Store,
    published: &Published,
    people: &[Person],
    at: Timestamp,
) -> Result<(), Trouble> {
    for person in people {
        let customer = NewCustomer {
            external_id: person.id.clone(),
            fields: person.fields.clone(),
        };
        let how = Upsert {
            model: &published.revision.data_model,
            tags: &person.tags,
            consents: &[],
            by: &by(),
            at,
        };
        store.upsert_customers(&[customer], &how).await?;
    }
    Ok(())
}

/// Lets something happen to one customer.
pub(super) async fn to_customer(
    store: &Store,
    published: &Published,
    (customer, what): (&str, &ToCustomer),
    at: Timestamp,
) -> Result<(), Trouble> {
    let (id, by) = (profiles::id_of(store, customer).await?, by());
    match what {
        ToCustomer::Untag(tag) => {
            if let Some(number) = published.numbers.number(NameKind::Tag, tag) {
                store.untag((number, tag), &[id], (&by, at)).await?;
            }
        }
        ToCustomer::Did(done) => {
            let line = interaction(Interaction::new(id, at, done.kind), done);
            store.record(&[line]).await?;
        }
        ToCustomer::Unsubscribe(scope) => {
            store.unsubscribe(id, scope, &by, at).await?;
        }
        ToCustomer::Resubscribe(scope) => {
            store.resubscribe(id, scope, &by, at).await?;
        }
        ToCustomer::Dismiss(campaign) => {
            store.dismiss(id, campaign, &by, at).await?;
        }
        ToCustomer::Switch(switch, on) => {
            store.set_switch(id, *switch, *on, &by, at).await?;
        }
        ToCustomer::Consent(channel, consent) => {
            store.set_consent(id, *channel, *consent, &by, at).await?;
        }
        ToCustomer::Status(status) => {
            store.set_status(id, *status, &by, at).await?;
        }
        ToCustomer::Delete => profiles::delete(store, customer, &by, at).await?,
    }
    Ok(())
}

fn interaction(line: Interaction, done: &Done) -> Interaction {
    Interaction {
        campaign: done.campaign.clone(),
        flow: done.flow.clone(),
        step: done.step.clone(),
        channel: done.channel,
        ..line
    }
}

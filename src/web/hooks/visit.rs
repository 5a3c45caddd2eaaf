//! Owns a visit through a link: the opened token, the customer it speaks for, and its message's origin.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::origin::Origin;
use super::wording::{messages_of, service_categories};
use crate::domain::audit::{Actor, By, Source};
use crate::domain::customer::Customer;
use crate::domain::link::{Link, LinkKind};
use crate::domain::subscription::{Scope, Subscription};
use crate::store::Published;
use crate::web::error::Error;
use crate::web::page::Frame;
use crate::web::state::WebState;

pub(super) struct Visit {
    pub(super) customer: Customer,
    pub(super) origin: Origin,
    pub(super) published: Arc<Published>,
    pub(super) frame: Frame,
    link: Link,
}

impl Visit {
    /// Opens a token of this kind. An altered one, one of another kind, and one whose customer is
    /// gone all end alike.
    pub(super) async fn open(
        state: &WebState,
        kind: LinkKind,
        token: &str,
        headers: &HeaderMap,
    ) -> Result<Self, Error> {
        let link = state.links.open(token).filter(|link| link.kind == kind);
        let link = link.ok_or(Error::NoSuchLink)?;
        let published = state.daemon.published();
        let (revision, numbers) = (&published.revision, &published.numbers);
        let origin = Origin::of(&link, revision, numbers).ok_or(Error::NoSuchLink)?;
        let customers = [link.customer];
        let customers = state.store.customers(&customers, &revision.data_model);
        let customer = customers.await?.pop().ok_or(Error::NoSuchLink)?;
        let language = customer.text(&revision.policy.language_field);
        let frame = Frame::new(&revision.policy, language, headers);
        Ok(Self {
            customer,
            origin,
            published,
            frame,
            link,
        })
    }

    /// The customer acting through this link.
    pub(super) fn by(&self, source: Source) -> By {
        By::new(Actor::customer(), source).noting(self.origin.note())
    }

    /// What a scope covers, in the reader's words.
    pub(super) fn say(&self, scope: &Scope) -> String {
        messages_of(scope, &self.published.revision, self.frame.language)
    }

    /// The categories that go on whatever is given up; empty when there are none.
    pub(super) fn goes_on(&self) -> String {
        service_categories(&self.published.revision)
    }

    /// Where the same customer sees all choices, relative to this page.
    pub(super) fn preferences(&self, state: &WebState) -> String {
        let link = Link {
            kind: LinkKind::Preferences,
            ..self.link
        };
        let token = state.links.seal(&link, nonce());
        format!("../{}/{token}", LinkKind::Preferences.path())
    }

    pub(super) async fn records(&self, state: &WebState) -> Result<Vec<Subscription>, Error> {
        let mut records = state.store.subscriptions_of(&[self.customer.id]).await?;
        Ok(records.remove(&self.customer.id).unwrap_or_default())
    }
}

fn nonce() -> [u8; 12] {
    let mut nonce = [0; 12];
    aws_lc_rs::rand::fill(&mut nonce).expect("the library aborts when the system has no entropy");
    nonce
}

//! Owns one attempt: rendering the message and handing it to the channel. No transaction is open.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_lc_rs::rand;
use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::catalog::{ActionPlan, Catalog, FlowPlan};
use super::duty::Duty;
use super::handover::Place;
use super::outlet::Outlet;
use super::runtime::{Engine, Links};
use crate::channels::fan_out::{self, FannedOut};
use crate::channels::{HandOver, Recalled};
use crate::domain::channel::Channel;
use crate::domain::customer::Customer;
use crate::domain::device::Device;
use crate::domain::dispatch::{Outcome, Reason};
use crate::domain::gateway::Receipts;
use crate::domain::ids::{Bucket, DispatchId};
use crate::domain::link::{LONGEST_TARGET, Link, LinkKind, url};
use crate::domain::message::{Frozen, Message, Origin};
use crate::domain::rating::Rating;
use crate::domain::template::{RenderContext, RenderFailure, Which};
use crate::domain::tracking::{self, Trace};
use crate::store::Due;

/// A message that a slot holds.
#[derive(Debug, Clone)]
pub struct Claim {
    pub due: Due,
    pub customer: Arc<Customer>,
    pub channel: Channel,
    /// Counted from 1.
    pub attempt: u32,
    pub first_at: Timestamp,
    pub address: String,
    /// Those that the message goes to, where the gateway writes to devices.
    pub devices: Vec<Device>,
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Attempted {
    /// The template said no, or could not be rendered.
    NotMade {
        reason: Reason,
        detail: String,
    },
    Sent(Box<Sent>),
}

/// What the gateway said, and of which message.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) outcome: Outcome,
    /// Devices that are no more.
    pub(super) gone: Vec<Device>,
    pub(super) frozen: Frozen,
}

/// A message may be handed over while its customer's bucket is this node's.
pub(super) struct Leased<'a> {
    pub(super) place: &'a Place,
    pub(super) duty: &'a Duty,
    pub(super) bucket: Bucket,
}

impl HandOver for Leased<'_> {
    fn mark(&self) -> Result<(), Recalled> {
        if !self.duty.may_hand_over(self.bucket) {
            return Err(Recalled);
        }
        self.place.mark()
    }
}

impl Claim {
    pub fn id(&self, engine: &Engine) -> DispatchId {
        DispatchId::new(engine.tag, self.due.enrollment, self.due.step)
    }
}

/// Tries once to send a claimed message; `frozen` is what an earlier try rendered.
pub(super) async fn attempt(
    engine: &Engine,
    catalog: &Arc<Catalog>,
    outlet: &Outlet,
    claim: &Claim,
    frozen: Option<Frozen>,
    place: &Leased<'_>,
) -> Attempted {
    let frozen = match frozen {
        Some(frozen) => frozen,
        None => match render(engine, catalog, outlet, claim) {
            Ok(frozen) => frozen,
            Err(RenderFailure::Error(detail)) => {
                return Attempted::NotMade {
                    reason: Reason::TemplateError,
                    detail,
                };
            }
            Err(RenderFailure::Abort(detail)) => {
                return Attempted::NotMade {
                    reason: Reason::TemplateAbort,
                    detail,
                };
            }
        },
    };
    let message = Message {
        id: claim.id(engine),
        attempt: claim.attempt,
        receipt_url: receipt_url(engine, outlet, claim),
        frozen,
    };
    let sending = AssertUnwindSafe(send(outlet, claim, &message, place)).catch_unwind();
    let FannedOut { outcome, gone } = sending.await.unwrap_or_else(|_| {
        // Whether it still could be marked or not: it may have gone.
        let _marked = place.mark();
        FannedOut::at_an_address(Outcome::Uncertain {
            detail: "the adapter failed while it was sending".to_owned(),
        })
    });
    Attempted::Sent(Box::new(Sent {
        outcome,
        gone,
        frozen: message.frozen,
    }))
}

/// Only for gateways that tell.
fn receipt_url(engine: &Engine, outlet: &Outlet, claim: &Claim) -> Option<String> {
    let public = engine.links.public_url.as_str();
    let is_told = outlet.config.receipts() != Receipts::None && !public.is_empty();
    let (channel, id) = (claim.channel, claim.id(engine));
    is_told.then(|| format!("{public}/hooks/{channel}/status/{id}"))
}

/// To the customer's devices where the gateway writes to such, else to the address.
async fn send(outlet: &Outlet, claim: &Claim, message: &Message, place: &Leased<'_>) -> FannedOut {
    match outlet.gateway.devices() {
        Some(gateway) => fan_out::send(gateway, message, &claim.devices, place).await,
        None => FannedOut::at_an_address(outlet.gateway.send(message, place).await),
    }
}

fn render(
    engine: &Engine,
    catalog: &Catalog,
    outlet: &Outlet,
    claim: &Claim,
) -> Result<Frozen, RenderFailure> {
    let gone = || RenderFailure::Error("the step is no longer in the flow".to_owned());
    let plan = catalog.plan(claim.due.flow).ok_or_else(gone)?;
    let step = plan.step(claim.due.step).ok_or_else(gone)?;
    let now = engine.clock.now();
    let customer = &claim.customer;
    let action = step.on(claim.channel).ok_or_else(gone)?;
    let urls = LinkUrls::of(engine, plan, action, claim);
    let zone = catalog.zone_of(customer);
    // Service messages cannot be unsubscribed from.
    let unsubscribe = (!action.is_service).then(|| urls.url(LinkKind::Unsubscribe, ""));
    let preferences = urls.url(LinkKind::Preferences, "");
    let dismiss = action.dismissable.then(|| urls.url(LinkKind::Dismiss, ""));
    let rendered = catalog.templates.render(
        Which {
            flow: &plan.flow.id,
            step: &step.step.id,
            channel: claim.channel,
            variant: plan.variant_of(step, action, customer),
        },
        &RenderContext {
            customer,
            rating: rating(catalog, customer, now),
            language: customer.text(&catalog.revision().policy.language_field),
            zone: &zone,
            unsubscribe_url: unsubscribe.as_deref(),
            preferences_url: Some(&preferences),
            dismiss_url: dismiss.as_deref(),
        },
    )?;
    let seen = outlet.config.tracking.of(customer);
    let rendered = if seen.nothing() {
        rendered
    } else {
        tracking::traced(rendered, seen, &urls)
    };
    Ok(Frozen {
        to: claim.address.clone(),
        at: now,
        rendered,
        origin: Origin {
            customer: customer.external_id.clone(),
            flow: plan.flow.id.clone(),
            step: step.step.id.clone(),
        },
    })
}

fn rating(catalog: &Catalog, customer: &Customer, now: Timestamp) -> Rating {
    let day = |at: Timestamp| at.to_zoned(catalog.zone.clone()).date();
    let last = customer.last_activity_at.map(day);
    Rating::of(customer.status, last, day(now), catalog.revision().rating)
}

/// The links of one message.
struct LinkUrls<'a> {
    links: &'a Links,
    /// Of any kind.
    link: Link,
}

impl<'a> LinkUrls<'a> {
    fn of(engine: &'a Engine, plan: &FlowPlan, action: &ActionPlan, claim: &Claim) -> Self {
        Self {
            links: &engine.links,
            link: Link {
                kind: LinkKind::Preferences,
                customer: claim.customer.id,
                flow: plan.number,
                campaign: action.campaign,
                channel: claim.channel,
                dispatch: claim.id(engine),
            },
        }
    }

    fn url(&self, kind: LinkKind, target: &str) -> String {
        let link = Link { kind, ..self.link };
        let token = self.links.key.seal_to(&link, target, nonce());
        url(&self.links.public_url, kind, &token)
    }
}

impl Trace for LinkUrls<'_> {
    fn pixel(&self) -> String {
        self.url(LinkKind::Open, "")
    }

    /// Our own pages see who comes as it is.
    fn click(&self, target: &str) -> Option<String> {
        let own = target.strip_prefix(self.links.public_url.as_str());
        let is_own = own.is_some_and(|path| path.is_empty() || path.starts_with('/'));
        (!is_own && target.len() <= LONGEST_TARGET).then(|| self.url(LinkKind::Click, target))
    }
}

fn nonce() -> [u8; 12] {
    let mut nonce = [0; 12];
    if rand::fill(&mut nonce).is_err() {
        tracing::error!("the system gives no random bytes");
    }
    nonce
}

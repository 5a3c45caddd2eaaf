//! Owns the proofs of the adapters, each against counterparts of others.

mod dkim;
mod file;
mod http;
mod http_inbound;
mod http_lookup;
mod kannel;
mod mail;
mod postfix;
mod push_apns;
mod push_fcm;
mod push_firebase;
mod push_web;
mod push_web_faults;
mod returns_lmtp;
mod returns_maildir;
mod smpp;
mod smpp_faults;
mod smpp_told;
mod smtp_domains;
mod smtp_extended;
mod smtp_faults;
mod smtp_opening;
mod smtp_script;
mod twilio;
mod twilio_callbacks;
mod webhook;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use drumbeat::channels::setup::Setup;
use drumbeat::channels::smtp::{Smtp, Timeouts};
use drumbeat::channels::{HandOver, Recalled};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::dispatch::Outcome;
use drumbeat::domain::gateway::{
    ChannelConfig, Gateway, RetryPolicy, Secretive, SmtpGateway, SmtpSecurity,
};
use drumbeat::domain::ids::{Bucket, DispatchId, EnrollmentId, InstanceTag, NameNo};
use drumbeat::domain::message::{Frozen, Message, Origin, Rendered, RenderedEmail};
use secrecy::SecretString;

/// Counts how often a message was marked as about to be handed over.
#[derive(Default)]
struct Marks(AtomicUsize);

impl HandOver for Marks {
    fn mark(&self) -> Result<(), Recalled> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Marks {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn secretive(text: &str) -> Secretive {
    Secretive(text.to_owned())
}

fn config(channel: Channel, gateway: Gateway) -> ChannelConfig {
    ChannelConfig {
        channel,
        gateway,
        from: Some(secretive("Lakeside Credit Union <hello@lakeside.test>")),
        reply_to: None,
        address_field: "email".to_owned(),
        pace: None,
        retry: RetryPolicy::default(),
        on_uncertain: None,
        tracking: drumbeat::domain::tracking::Tracking::default(),
        email: drumbeat::domain::gateway::EmailRules::default(),
        sms: drumbeat::domain::gateway::SmsRules::default(),
        replies: drumbeat::domain::reply_word::ReplyRules::default(),
        slots: 8,
        connections: 2,
    }
}

/// Secrets stand as they are written.
fn with_setup<T>(
    config: &ChannelConfig,
    workspace: &Path,
    open: impl FnOnce(&Setup<'_>) -> T,
) -> T {
    open(&Setup {
        config,
        workspace,
        returns: None,
        reveal: &|text| Ok(SecretString::from(text.0.clone())),
    })
}

fn plain(port: u16) -> SmtpGateway {
    SmtpGateway {
        host: secretive("127.0.0.1"),
        port: secretive(&port.to_string()),
        security: SmtpSecurity::None,
        username: None,
        password: None,
        ca_file: None,
        domains: BTreeMap::new(),
    }
}

fn smtp(gateway: &SmtpGateway, timeouts: Timeouts) -> Smtp {
    let config = config(Channel::Email, Gateway::Smtp(gateway.clone()));
    with_setup(&config, Path::new("/"), |setup| {
        Smtp::open_within(setup, gateway, timeouts).unwrap()
    })
}

fn dispatch(step: i32) -> DispatchId {
    let enrollment = EnrollmentId::new(Bucket(7), 42);
    DispatchId::new(InstanceTag::new(99), enrollment, NameNo(step))
}

fn message(step: i32, to: &str, rendered: Rendered) -> Message {
    Message {
        id: dispatch(step),
        attempt: 1,
        receipt_url: None,
        frozen: Frozen {
            to: to.to_owned(),
            at: "2026-01-09T10:30:05Z".parse().unwrap(),
            rendered,
            origin: Origin {
                customer: "C-1".to_owned(),
                flow: "onboarding".to_owned(),
                step: "welcome".to_owned(),
            },
        },
    }
}

fn email() -> RenderedEmail {
    RenderedEmail {
        from: None,
        reply_to: None,
        subject: "Welcome".to_owned(),
        html: None,
        text: Some("Hello Ana,\n.a line that begins with a dot\n".to_owned()),
        unsubscribe_url: None,
        list_id: None,
    }
}

fn mail_to(to: &str) -> Message {
    message(1, to, Rendered::Email(email()))
}

/// The outcome in a word or two, then the gateway's words.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { detail, .. } => format!("accepted | {detail}"),
        Outcome::Deferred { detail, cause, .. } => format!("deferred {cause:?} | {detail}"),
        Outcome::Refused { detail, fault } => format!("refused {fault:?} | {detail}"),
        Outcome::Uncertain { detail } => format!("uncertain | {detail}"),
    }
}

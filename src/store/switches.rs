//! Owns a customer's switches and consents: single columns, each change with its line.

use jiff::Timestamp;

use super::changes;
use super::customer_edits;
use super::db::Store;
use super::error::Result;
use super::seen::{self, Seen};
use super::sql::query;
use super::tx::Tx;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::customer::Switch;
use crate::domain::field::DataModel;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
use crate::domain::reply_word::ReplyWord;
use crate::domain::subscription::Consent;

/// Sets one column where it differs.
macro_rules! set {
    ($column:literal) => {
        concat!(
            "UPDATE customers SET ",
            $column,
            " = $3 WHERE bucket = $1 AND customer_id = $2 AND ",
            $column,
            " <> $3"
        )
    };
}

/// Gives back what was withdrawn.
macro_rules! give_back {
    ($column:literal) => {
        concat!(
            "UPDATE customers SET ",
            $column,
            " = $3 WHERE bucket = $1 AND customer_id = $2 AND ",
            $column,
            " = 2"
        )
    };
}

const OUTBOUND: &str = set!("outbound_on");
const EMAIL: &str = set!("email_on");
const SMS: &str = set!("sms_on");
const PUSH: &str = set!("push_on");
const EMAIL_CONSENT: &str = set!("email_consent");
const SMS_CONSENT: &str = set!("sms_consent");
const PUSH_CONSENT: &str = set!("push_consent");
const EMAIL_AGAIN: &str = give_back!("email_consent");
const SMS_AGAIN: &str = give_back!("sms_consent");
const PUSH_AGAIN: &str = give_back!("push_consent");

pub(super) const STATEMENTS: &[&str] = &[
    OUTBOUND,
    EMAIL,
    SMS,
    PUSH,
    EMAIL_CONSENT,
    SMS_CONSENT,
    PUSH_CONSENT,
    EMAIL_AGAIN,
    SMS_AGAIN,
    PUSH_AGAIN,
];

/// What a customer's switches and consents are to be.
#[derive(Debug, Clone, Copy)]
pub struct Permissions<'a> {
    pub switches: &'a [(Switch, bool)],
    pub consents: &'a [(Channel, Consent)],
    /// By which fields the customer was seen.
    pub model: &'a DataModel,
    pub seen: Seen<'a>,
}

impl Store {
    /// Turns a switch; false, and nothing written, when it stands there already.
    pub async fn set_switch(
        &self,
        customer: CustomerId,
        switch: Switch,
        on: bool,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        self.set(&[turned(customer, switch, on, by, at)]).await
    }

    /// Records a channel's consent; false, and nothing written, when it is so already.
    pub async fn set_consent(
        &self,
        customer: CustomerId,
        channel: Channel,
        consent: Consent,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        self.set(&[agreed(customer, channel, consent, by, at)])
            .await
    }

    /// Turns switches and records consents, all or none, if the customer is still as they were seen;
    /// false, and nothing written, when all is so already.
    ///
    /// # Errors
    /// [`super::Error::Conflict`] when they are not.
    pub async fn set_permissions(
        &self,
        customer: CustomerId,
        permissions: &Permissions<'_>,
        by: &By,
        at: Timestamp,
    ) -> Result<bool> {
        let switches = permissions.switches.iter();
        let switches = switches.map(|(switch, on)| turned(customer, *switch, *on, by, at));
        let consents = permissions.consents.iter();
        let consents = consents.map(|(channel, is)| agreed(customer, *channel, *is, by, at));
        let settings: Vec<Setting> = switches.chain(consents).collect();
        let mut tx = self.write_about(&[customer]).await?;
        if customer_edits::keep(&mut tx, [customer].into_iter())
            .await?
            .is_empty()
        {
            return Err(changes::unknown(customer));
        }
        seen::require(&mut tx, customer, permissions.seen, permissions.model).await?;
        let changed = apply(&mut tx, &settings).await?;
        tx.commit().await?;
        Ok(changed)
    }

    async fn set(&self, settings: &[Setting]) -> Result<bool> {
        let customers: Vec<CustomerId> = settings.iter().map(|one| one.line.customer).collect();
        let mut tx = self.write_about(&customers).await?;
        if !apply(&mut tx, settings).await? {
            for customer in customers {
                changes::require(&mut tx, customer).await?;
            }
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// What a customer is to be like, as one statement each, with its line in the history.
struct Setting {
    statement: &'static str,
    value: i64,
    line: Interaction,
}

/// Sets what differs, each with its line; whether anything did.
async fn apply(tx: &mut Tx, settings: &[Setting]) -> Result<bool> {
    let mut changed = false;
    for setting in settings {
        let customer = setting.line.customer;
        let set = query(setting.statement)
            .bind(i64::from(customer.bucket().0))
            .bind(customer.0)
            .bind(setting.value);
        if set.execute(&mut *tx).await? > 0 {
            changes::finish(tx, setting.line.clone()).await?;
            changed = true;
        }
    }
    Ok(changed)
}

/// What a word of a customer does to their consent for the channel it came by. To start says yes only after no:
/// a word that may mean other things gives nothing that was never asked.
pub(super) async fn reply(
    tx: &mut Tx,
    (customer, channel): (CustomerId, Channel),
    word: ReplyWord,
    (by, at): (&By, Timestamp),
) -> Result<()> {
    let setting = match word {
        ReplyWord::Help => return Ok(()),
        ReplyWord::Stop => agreed(customer, channel, Consent::Unsubscribed, by, at),
        ReplyWord::Start => Setting {
            statement: match channel {
                Channel::Email => EMAIL_AGAIN,
                Channel::Sms => SMS_AGAIN,
                Channel::Push => PUSH_AGAIN,
            },
            ..agreed(customer, channel, Consent::OptedIn, by, at)
        },
    };
    apply(tx, &[setting]).await?;
    Ok(())
}

fn turned(customer: CustomerId, switch: Switch, on: bool, by: &By, at: Timestamp) -> Setting {
    let (statement, channel) = match switch {
        Switch::Outbound => (OUTBOUND, None),
        Switch::Channel(Channel::Email) => (EMAIL, Some(Channel::Email)),
        Switch::Channel(Channel::Sms) => (SMS, Some(Channel::Sms)),
        Switch::Channel(Channel::Push) => (PUSH, Some(Channel::Push)),
    };
    let kind = if on {
        Kind::SwitchedOn
    } else {
        Kind::SwitchedOff
    };
    let line = changes::line(customer, at, kind, by);
    let line = Interaction {
        channel,
        ..changes::saying(line, "switch", switch.as_str())
    };
    Setting {
        statement,
        value: i64::from(on),
        line,
    }
}

fn agreed(
    customer: CustomerId,
    channel: Channel,
    consent: Consent,
    by: &By,
    at: Timestamp,
) -> Setting {
    let statement = match channel {
        Channel::Email => EMAIL_CONSENT,
        Channel::Sms => SMS_CONSENT,
        Channel::Push => PUSH_CONSENT,
    };
    let line = changes::line(customer, at, Kind::ConsentChanged, by);
    let line = Interaction {
        channel: Some(channel),
        ..changes::saying(line, "is", consent.as_str())
    };
    Setting {
        statement,
        value: consent.number(),
        line,
    }
}

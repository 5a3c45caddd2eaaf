//! Owns a customer's switches and consents: single columns, each change with its line.

use jiff::Timestamp;

use super::changes;
use super::db::Store;
use super::error::Result;
use super::sql::query;
use crate::domain::audit::By;
use crate::domain::channel::Channel;
use crate::domain::customer::Switch;
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Interaction, Kind};
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

const OUTBOUND: &str = set!("outbound_on");
const EMAIL: &str = set!("email_on");
const SMS: &str = set!("sms_on");
const PUSH: &str = set!("push_on");
const EMAIL_CONSENT: &str = set!("email_consent");
const SMS_CONSENT: &str = set!("sms_consent");
const PUSH_CONSENT: &str = set!("push_consent");

pub(super) const STATEMENTS: &[&str] = &[
    OUTBOUND,
    EMAIL,
    SMS,
    PUSH,
    EMAIL_CONSENT,
    SMS_CONSENT,
    PUSH_CONSENT,
];

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
        self.set(statement, i64::from(on), line).await
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
        self.set(statement, consent.number(), line).await
    }

    async fn set(&self, statement: &'static str, value: i64, line: Interaction) -> Result<bool> {
        let mut tx = self.write_about(&[line.customer]).await?;
        let changed = query(statement)
            .bind(i64::from(line.customer.bucket().0))
            .bind(line.customer.0)
            .bind(value)
            .execute(&mut tx)
            .await?;
        if changed == 0 {
            changes::require(&mut tx, line.customer).await?;
            return Ok(false);
        }
        changes::finish(&mut tx, line).await?;
        tx.commit().await?;
        Ok(true)
    }
}

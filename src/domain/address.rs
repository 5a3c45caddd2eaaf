//! Owns a customer's address on a channel: the one form in which it is checked, suppressed and handed to the gateway.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::channel::Channel;
use super::customer::Customer;
use super::field::FieldType;
use super::gateway::ChannelConfig;
use super::phone;
use super::value::Value;

/// The field that says where a customer's number is from.
pub const COUNTRY: &str = "country";

/// What stands in the field that holds a channel's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<'a> {
    Missing,
    /// It cannot be an address of the channel.
    Invalid,
    /// E-mail and push: as it stands. SMS: in E.164.
    Good(Cow<'a, str>),
}

impl<'a> Written<'a> {
    pub fn of(customer: &'a Customer, config: &ChannelConfig) -> Self {
        let Some(text) = customer.text(&config.address_field) else {
            return Self::Missing;
        };
        let address = match config.channel {
            Channel::Email => fits(FieldType::Email, text),
            Channel::Push => fits(FieldType::Text, text),
            Channel::Sms => number(customer, config, text),
        };
        address.map_or(Self::Invalid, Self::Good)
    }

    /// The address, if it is one.
    pub fn good(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Good(address) => Some(address),
            Self::Missing | Self::Invalid => None,
        }
    }
}

fn fits(kind: FieldType, text: &str) -> Option<Cow<'_, str>> {
    let reads = Value::parse(kind, text, &TimeZone::UTC).is_ok();
    reads.then_some(Cow::Borrowed(text))
}

fn number<'a>(customer: &Customer, config: &ChannelConfig, text: &str) -> Option<Cow<'a, str>> {
    let own = customer.text(COUNTRY).and_then(phone::country);
    let country = own.or(config.sms.country.as_deref());
    phone::e164(text, country).map(Cow::Owned)
}

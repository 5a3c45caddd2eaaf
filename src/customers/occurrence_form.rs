//! Owns how programs write what a customer did: one flat object, with one part that belongs to its kind.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::channel::Channel;
use crate::domain::environment::Environment;

/// Something that a customer did.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenOccurrence {
    /// Your own id of it, 1 to 200 characters: sent again for the same customer, it is a duplicate.
    #[schema(example = "shop-2026-01-09-4711", min_length = 1, max_length = 200)]
    pub id: String,
    /// What happened.
    #[schema(example = "page-visited")]
    pub kind: String,
    /// When; now unless given. Not in the future.
    pub at: Option<Timestamp>,
    /// The unique id of a customer. Exactly one of `customer`, `visitor`, `email` and `phone` is there.
    #[schema(example = "ana")]
    pub customer: Option<String>,
    /// The unique id of somebody of whom it is not known who they are; a new one is added, and never
    /// written to.
    pub visitor: Option<String>,
    /// The address of exactly one customer.
    pub email: Option<String>,
    /// The phone number of exactly one customer.
    pub phone: Option<String>,
    /// Adds the `customer` who is not there.
    #[serde(default)]
    pub create: bool,
    /// The medium.
    pub channel: Option<Channel>,
    /// A campaign or a flow.
    #[schema(example = "gold-card")]
    pub campaign: Option<String>,
    /// The flow whose message it answers.
    pub flow: Option<String>,
    /// The step of that flow.
    pub step: Option<String>,
    /// A few words.
    pub note: Option<String>,
    /// Of `page-visited`.
    pub page: Option<Page>,
    /// Of `banner-clicked`: its id.
    pub banner: Option<String>,
    /// Of `popup-viewed`: its id.
    pub popup: Option<String>,
    /// Of `conversion`: what it is worth.
    pub value: Option<Worth>,
    /// Of `transaction`.
    pub transaction: Option<Transaction>,
    /// Of `nps-answered`.
    pub nps: Option<Nps>,
    /// Of `item-touched`.
    pub item: Option<Item>,
    /// Of `shop-visited`: which one.
    pub shop: Option<String>,
    /// Of `beacon-contacted`.
    pub beacon: Option<Beacon>,
    /// Of `cookies-chosen`.
    pub cookies: Option<Cookies>,
    /// With what the customer was seen.
    #[schema(value_type = Option<SeenWith>)]
    pub environment: Option<Environment>,
}

/// With what a customer was seen; kept when it is given, and removed with the customer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read")]
pub struct SeenWith {
    #[schema(example = "192.0.2.1")]
    ip: Option<String>,
    #[schema(example = "Firefox")]
    browser: Option<String>,
    #[schema(example = "Windows")]
    os: Option<String>,
    #[schema(example = "mobile")]
    device: Option<String>,
}

/// A page that was visited.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[schema(example = "https://www.bank.example/loans")]
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
}

/// What a conversion is worth.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Worth {
    #[schema(value_type = String, example = "120.00")]
    pub amount: Amount,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: Option<String>,
}

/// Who bought what, for how much, where and why.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// A text or a number, up to 6 digits behind the point; negative for a refund.
    #[schema(value_type = String, example = "12.50")]
    pub amount: Amount,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// Why.
    pub reason: Option<String>,
    #[serde(default)]
    pub items: Vec<Item>,
}

/// An answer to "how likely is it that you would recommend us?".
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nps {
    /// 0 to 10.
    #[schema(minimum = 0, maximum = 10)]
    pub score: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// A product or another thing that is offered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    #[schema(example = "loan-5y")]
    pub sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// What a customer's device came near to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Beacon {
    pub id: String,
    pub medium: Medium,
}

/// By what a device came near.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    Beacon,
    Wifi,
}

/// What a visitor said of cookies.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cookies {
    pub granted: bool,
}

/// An amount as it was written, as a text or as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount(pub String);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount such as \"12.50\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
        Ok(Amount(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Amount, E> {
        Ok(Amount(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Amount, E> {
        Ok(Amount(number.to_string()))
    }

    /// The shortest text that is this number: what was written, within its fifteen digits.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Amount, E> {
        if !number.is_finite() {
            return Err(E::custom("an amount is finite"));
        }
        Ok(Amount(number.to_string()))
    }
}

/// Reads one written occurrence.
///
/// # Errors
/// Where it is wrong, as a JSON pointer, and why.
pub fn parse(text: &serde_json::value::RawValue) -> Result<WrittenOccurrence, (String, String)> {
    let mut reader = serde_json::Deserializer::from_str(text.get());
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let steps = error.path().iter();
        let pointer = steps.filter_map(step).collect();
        let message = error.inner().to_string();
        // Lines and columns would be those within the entry.
        let message = message.split(" at line ").next().unwrap_or(&message);
        (pointer, message.to_owned())
    })
}

fn step(segment: &serde_path_to_error::Segment) -> Option<String> {
    match segment {
        serde_path_to_error::Segment::Seq { index } => Some(format!("/{index}")),
        serde_path_to_error::Segment::Map { key } => {
            Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<WrittenOccurrence, (String, String)> {
        parse(&serde_json::value::RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn an_amount_is_a_text_or_a_number() {
        for (written, text) in [("\"12.50\"", "12.50"), ("12.5", "12.5"), ("-7", "-7")] {
            let entry = format!(
                "{{\"id\":\"1\",\"kind\":\"transaction\",\"transaction\":{{\"amount\":{written}}}}}"
            );
            let amount = told(&entry).unwrap().transaction.unwrap().amount;
            assert_eq!(amount, Amount(text.to_owned()));
        }
    }

    #[test]
    fn what_has_another_shape_is_named_by_its_pointer() {
        for (entry, pointer) in [
            ("7", ""),
            ("{\"id\":\"1\",\"kind\":\"login\",\"a/b\":1}", "/a~1b"),
            ("{\"id\":\"1\",\"kind\":\"login\",\"at\":\"noon\"}", "/at"),
            (
                "{\"id\":\"1\",\"kind\":\"login\",\"transaction\":{\"amount\":1,\"items\":[{}]}}",
                "/transaction/items/0",
            ),
        ] {
            let (named, reason) = told(entry).unwrap_err();
            assert_eq!(named, pointer, "{entry}: {reason}");
            assert!(!reason.contains("line"), "{reason}");
        }
    }
}

//! Owns the words that stand for a choice, listed for schemas and for "did you mean".

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

use crate::domain::calendar::WindowZone;
use crate::domain::channel::Channel;
use crate::domain::customer::Status;
use crate::domain::field::{Cardinality, FieldCategory, FieldType};
use crate::domain::flow::{ExistingMembers, FlowStatus, OnEdit, OnResume, OnSkip, OnStop};
use crate::domain::gateway::{
    LongMessages, MessageIdForm, Missing, OnUncertain, SmppAlphabet, SmppBind, SmppSecurity,
    SmtpSecurity,
};
use crate::domain::import_plan::{ImportKind, NoMatch, SeveralMatch};
use crate::domain::policy::Purpose;
use crate::domain::subscription::{Consent, ConsentRule, LinkScope};

/// A type that is written as one of a few words.
pub(crate) trait Words: DeserializeOwned {
    const WORDS: &'static [&'static str];
}

macro_rules! words {
    ($($type:ident: $($word:literal)*;)*) => {
        $(impl Words for $type {
            const WORDS: &'static [&'static str] = &[$($word),*];
        })*

        #[cfg(test)]
        mod tests {
            use super::*;
            use serde::de::IntoDeserializer;
            use serde::de::value::{Error, StrDeserializer};

            #[test]
            fn every_listed_word_is_read() {
                $(for word in $type::WORDS {
                    let from: StrDeserializer<'_, Error> = word.into_deserializer();
                    assert!($type::deserialize(from).is_ok(), "{word}");
                })*
            }
        }
    };
}

words! {
    FlowStatus: "active" "draft" "paused" "stopped";
    ExistingMembers: "from-activation" "from-joining" "skip";
    OnEdit: "recompute" "freeze";
    OnResume: "shift" "catch-up" "skip-late";
    OnStop: "drain" "cancel";
    OnSkip: "advance" "exit";
    WindowZone: "customer" "workspace";
    LinkScope: "campaign" "category" "group" "category-and-group" "everything";
    Channel: "email" "sms" "push";
    FieldType: "text" "email" "phone" "integer" "number" "boolean" "date" "datetime" "url" "choice";
    FieldCategory: "demographic" "profile";
    Cardinality: "one" "many";
    ConsentRule: "opt-in" "opt-out";
    Purpose: "marketing" "service";
    SmtpSecurity: "starttls" "tls" "none";
    SmppSecurity: "none" "tls";
    SmppBind: "transceiver";
    SmppAlphabet: "gsm7" "latin1";
    LongMessages: "udh" "payload" "sar";
    MessageIdForm: "as-given" "hex" "decimal" "hex-in-response" "hex-in-receipt";
    OnUncertain: "resend" "hold";
    Missing: "failed" "nothing";
    ImportKind: "customers" "unsubscriptions" "interactions" "transactions";
    NoMatch: "create" "skip" "reject";
    SeveralMatch: "reject" "all";
    Consent: "opted-in" "subscribed" "unsubscribed";
    Status: "active" "suspended" "discarded";
}

/// One of the words of `T`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Word<T>(pub(crate) T);

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self)
    }
}

impl<T: Words> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": T::WORDS })
    }
}

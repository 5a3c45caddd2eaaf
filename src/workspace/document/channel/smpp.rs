//! Owns the written form of a short message centre.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::gateway::{LongMessages, MessageIdForm, SmppAlphabet, SmppBind, SmppSecurity};
use crate::workspace::document::leaf::{Duration, Port};
use crate::workspace::document::word::Word;
use crate::workspace::spanned::{At, Opt};

/// A short message centre (SMPP 3.4).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SmppDoc {
    pub(crate) host: At<String>,
    /// 2775 unless set.
    pub(crate) port: Opt<Port>,
    /// `none` unless set, which is for private lines only: the password and every text go in the clear.
    pub(crate) tls: Opt<Word<SmppSecurity>>,
    /// PEM certificates to trust beside the system's.
    pub(crate) ca_file: Opt<String>,
    /// At most 15 characters.
    pub(crate) system_id: At<String>,
    /// At most 8 characters.
    pub(crate) password: At<String>,
    /// At most 12 characters.
    pub(crate) system_type: Opt<String>,
    /// `transceiver`: one session both sends and receives.
    #[serde(rename = "bind")]
    pub(crate) _bind: Opt<Word<SmppBind>>,
    /// Messages of a session that wait for their answers at once; 10 unless set.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) window: Opt<u32>,
    /// After so long a silence the centre is asked whether it is there; `30s` unless set.
    pub(crate) enquire_link: Opt<Duration>,
    /// How long an answer is waited for; `60s` unless set.
    pub(crate) response_timeout: Opt<Duration>,
    /// What kind of number the sender is; told from its form unless set.
    pub(crate) source: Option<NumberDoc>,
    /// International, E.164 unless set.
    pub(crate) destination: Option<NumberDoc>,
    /// At most 5 characters.
    pub(crate) service_type: Opt<String>,
    /// How a text goes that does not fit into one message; `udh` unless set.
    pub(crate) long_messages: Opt<Word<LongMessages>>,
    /// What the centre takes a text's bytes for.
    pub(crate) encoding: Option<EncodingDoc>,
    /// Whether the centre is asked to tell what became of each message; true unless set.
    pub(crate) receipts: Opt<bool>,
    /// How the id in a receipt stands to the one in the answer; `as-given` unless set.
    pub(crate) message_id: Opt<Word<MessageIdForm>>,
    /// How long the centre tries, at most `63d`; its own time unless set.
    pub(crate) validity_period: Opt<Duration>,
}

/// Type of number and numbering plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct NumberDoc {
    /// 0 unknown, 1 international, 2 national, 3 network, 4 subscriber, 5 letters, 6 abbreviated.
    #[schemars(range(min = 0, max = 255))]
    pub(crate) ton: At<u8>,
    /// 0 unknown, 1 E.164, 8 national, 9 private.
    #[schemars(range(min = 0, max = 255))]
    pub(crate) npi: At<u8>,
}

/// What the centre takes a text's bytes for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EncodingDoc {
    /// What it reads as its own default alphabet; `gsm7` unless set.
    pub(crate) default_alphabet: Opt<Word<SmppAlphabet>>,
    /// The `data_coding` of that alphabet; 0 unless set.
    #[schemars(range(min = 0, max = 255))]
    pub(crate) default_coding: Opt<u8>,
    /// The `data_coding` of UCS-2; 8 unless set.
    #[schemars(range(min = 0, max = 255))]
    pub(crate) ucs2_coding: Opt<u8>,
}

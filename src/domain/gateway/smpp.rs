//! Owns how a short message centre is configured that speaks SMPP 3.4.

use serde::{Deserialize, Serialize};

use super::secretive::Secretive;
use crate::domain::duration::Delay;

/// A short message centre (SMPP 3.4), bound to as a transceiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SmppGateway {
    pub host: Secretive,
    /// A port number, or a reference to one.
    pub port: Secretive,
    pub tls: SmppSecurity,
    /// A file of PEM certificates to trust beside the system's.
    pub ca_file: Option<Secretive>,
    pub system_id: Secretive,
    pub password: Secretive,
    pub system_type: Option<Secretive>,
    /// How many messages of a session may wait for their answers at once.
    pub window: u32,
    /// After so long without a word from the centre it is asked whether it is there.
    pub enquire_link: Delay,
    /// How long an answer is waited for.
    pub response_timeout: Delay,
    /// What kind of number the sender is; told from its form unless set.
    pub source: Option<SmppNumber>,
    pub destination: SmppNumber,
    pub service_type: Option<String>,
    pub long_messages: LongMessages,
    pub encoding: SmppEncoding,
    /// Whether the centre is asked to tell what became of each message.
    pub receipts: bool,
    pub message_id: MessageIdForm,
    /// How long the centre tries; its own time unless set.
    pub validity_period: Option<Delay>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmppSecurity {
    /// No TLS: only for a private line to the centre.
    #[default]
    None,
    /// TLS from the first byte.
    Tls,
}

/// How it is bound: one session both sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmppBind {
    #[default]
    Transceiver,
}

/// Type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmppNumber {
    pub ton: u8,
    pub npi: u8,
}

impl SmppNumber {
    /// International, E.164.
    pub const E164: Self = Self { ton: 1, npi: 1 };
}

/// How a text goes that does not fit into one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongMessages {
    /// In parts, each with a user data header (3GPP TS 23.040 §9.2.3.24.1).
    #[default]
    Udh,
    /// Whole in `message_payload`: the centre cuts it.
    Payload,
    /// In parts numbered by the `sar_` parameters.
    Sar,
}

/// What the centre takes a text's bytes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmppEncoding {
    /// What it reads where `data_coding` says its own default alphabet.
    pub default_alphabet: SmppAlphabet,
    /// The `data_coding` of that alphabet.
    pub default_coding: u8,
    /// The `data_coding` of UCS-2.
    pub ucs2_coding: u8,
}

impl Default for SmppEncoding {
    fn default() -> Self {
        Self {
            default_alphabet: SmppAlphabet::Gsm7,
            default_coding: 0,
            ucs2_coding: 8,
        }
    }
}

/// The alphabets that centres have as their default, one byte a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmppAlphabet {
    /// 3GPP TS 23.038 §6.2.1, not packed.
    #[default]
    Gsm7,
    /// ISO 8859-1.
    Latin1,
}

/// How the id in a receipt stands to the one in the answer to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageIdForm {
    /// The same text.
    #[default]
    AsGiven,
    /// Both hexadecimal, perhaps in other letters or with other zeros in front.
    Hex,
    /// Both decimal, perhaps with other zeros in front.
    Decimal,
    /// Hexadecimal in the answer, decimal in the receipt.
    HexInResponse,
    /// Decimal in the answer, hexadecimal in the receipt.
    HexInReceipt,
}

//! Owns what a message becomes: one `submit_sm`, or one for each part of a long text.

use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{
    DataCoding, EsmClass, MessagePayload, Npi, RegisteredDelivery, ServiceType, Ton,
};
use secrecy::ExposeSecret as _;

use crate::channels::setup::{BadGateway, Setup};
use crate::domain::dispatch::{Fault, Outcome};
use crate::domain::duration::Delay;
use crate::domain::gateway::{LongMessages, SmppEncoding, SmppGateway, SmppNumber};
use crate::domain::message::{Message, Rendered};

use super::text::{Encoded, encode};

/// Every user data header of a part counts from 1 to 255.
const MOST_PARTS: usize = 255;
/// A concatenated message with a reference of eight bits (3GPP TS 23.040 §9.2.3.24.1).
const CONCATENATED: [u8; 3] = [0x05, 0x00, 0x03];
const USER_DATA_HEADER: u8 = 0x40;
/// What a sender made of letters may be long (3GPP TS 23.040 §9.1.2.5).
const LONGEST_NAME: usize = 11;

/// What every message of a channel has in common.
pub(super) struct Stationery {
    blank: SubmitSm,
    long_messages: LongMessages,
    encoding: SmppEncoding,
}

/// Why a message cannot be sent, whatever the centre says.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    #[error("the message is not a text message: set another gateway for this channel")]
    OtherChannel,
    #[error("`{0}` is not a phone number of at most 20 digits")]
    Address(String),
    #[error("the text needs {0} parts, and a phone puts at most 255 together")]
    TooLong(usize),
    #[error("the text cannot be written: {0}")]
    Unfit(String),
}

impl From<Unsendable> for Outcome {
    fn from(why: Unsendable) -> Self {
        Self::Refused {
            detail: why.to_string(),
            fault: Fault::Message,
        }
    }
}

impl Stationery {
    pub(super) fn open(setup: &Setup<'_>, smpp: &SmppGateway) -> Result<Self, BadGateway> {
        let from = setup.optional(setup.config.from.as_ref(), |from| setup.text("from", from))?;
        let from = from.unwrap_or_default();
        let source = smpp.source.unwrap_or_else(|| kind(&from));
        let service = smpp.service_type.clone().unwrap_or_default();
        let blank = SubmitSm::builder()
            .service_type(ServiceType::new(fitting(
                setup,
                "gateway.smpp.service-type",
                &service,
            )?))
            .source_addr_ton(Ton::from(source.ton))
            .source_addr_npi(Npi::from(source.npi))
            .source_addr(sender(setup, &from)?)
            .dest_addr_ton(Ton::from(smpp.destination.ton))
            .dest_addr_npi(Npi::from(smpp.destination.npi))
            // Not the library's default, which is that of a delivery acknowledgement.
            .esm_class(EsmClass::from(0))
            .registered_delivery(RegisteredDelivery::from(u8::from(smpp.receipts)))
            .validity_period(validity(setup, smpp.validity_period)?)
            .build();
        Ok(Self {
            blank,
            long_messages: smpp.long_messages,
            encoding: smpp.encoding,
        })
    }

    /// What is handed over, in order. The same on every retry.
    pub(super) fn write(&self, message: &Message) -> Result<Vec<SubmitSm>, Unsendable> {
        let Rendered::Sms(sms) = &message.frozen.rendered else {
            return Err(Unsendable::OtherChannel);
        };
        let encoded = encode(&sms.text, self.encoding);
        let mut sheet = self.blank.clone();
        sheet.destination_addr = number(&message.frozen.to)?;
        sheet.data_coding = DataCoding::from(encoded.coding);
        if encoded.parts.len() > MOST_PARTS {
            return Err(Unsendable::TooLong(encoded.parts.len()));
        }
        // Told from the id, so that a retry has the same and a phone knows a part that it has.
        let reference = xxhash_rust::xxh3::xxh3_64(message.id.to_string().as_bytes());
        let [low, high, ..] = reference.to_le_bytes();
        match (self.long_messages, encoded.parts.len()) {
            (_, 1) => sheets(&sheet, &encoded, |_, sheet, text| fill(sheet, text)),
            (LongMessages::Payload, _) => Ok(vec![payload(sheet, &encoded)]),
            (LongMessages::Udh, _) => headed(&sheet, &encoded, low),
            (LongMessages::Sar, _) => numbered(&sheet, &encoded, u16::from_be_bytes([high, low])),
        }
    }
}

fn sheets(
    blank: &SubmitSm,
    encoded: &Encoded,
    fill: impl Fn(u8, SubmitSm, &[u8]) -> Result<SubmitSm, Unsendable>,
) -> Result<Vec<SubmitSm>, Unsendable> {
    let parts = (1..=u8::MAX).zip(&encoded.parts);
    parts
        .map(|(at, text)| fill(at, blank.clone(), text))
        .collect()
}

fn fill(sheet: SubmitSm, bytes: &[u8]) -> Result<SubmitSm, Unsendable> {
    let bytes =
        OctetString::from_slice(bytes).map_err(|error| Unsendable::Unfit(error.to_string()))?;
    Ok(sheet.with_short_message(bytes))
}

fn headed(blank: &SubmitSm, encoded: &Encoded, reference: u8) -> Result<Vec<SubmitSm>, Unsendable> {
    let total = total(encoded)?;
    sheets(blank, encoded, |at, mut sheet, text| {
        sheet.esm_class = EsmClass::from(USER_DATA_HEADER);
        let header = [CONCATENATED.as_slice(), &[reference, total, at]].concat();
        fill(sheet, &[header.as_slice(), text].concat())
    })
}

fn numbered(
    blank: &SubmitSm,
    encoded: &Encoded,
    reference: u16,
) -> Result<Vec<SubmitSm>, Unsendable> {
    let total = total(encoded)?;
    sheets(blank, encoded, |at, sheet, text| {
        let mut sheet = fill(sheet, text)?;
        sheet.set_tlvs(vec![
            Tlv::SarMsgRefNum(reference),
            Tlv::SarTotalSegments(total),
            Tlv::SarSegmentSeqnum(at),
        ]);
        Ok(sheet)
    })
}

fn payload(mut sheet: SubmitSm, encoded: &Encoded) -> SubmitSm {
    let text = AnyOctetString::from_vec(encoded.parts.concat());
    sheet.set_tlvs(vec![Tlv::MessagePayload(MessagePayload::new(text))]);
    sheet
}

fn total(encoded: &Encoded) -> Result<u8, Unsendable> {
    let parts = encoded.parts.len();
    u8::try_from(parts).map_err(|_| Unsendable::TooLong(parts))
}

/// Digits alone: what kind of number it is stands beside it.
fn number(to: &str) -> Result<COctetString<1, 21>, Unsendable> {
    let bad = || Unsendable::Address(crate::channels::detail::shorten(to, 40));
    let digits = to.strip_prefix('+').unwrap_or(to);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    COctetString::from_string(digits.to_owned()).map_err(|_| bad())
}

/// Letters are alphanumeric, `+` is international; other digits may be a short number.
fn kind(from: &str) -> SmppNumber {
    if from.starts_with('+') {
        SmppNumber::E164
    } else if from.bytes().all(|byte| byte.is_ascii_digit()) {
        SmppNumber { ton: 0, npi: 0 }
    } else {
        SmppNumber { ton: 5, npi: 0 }
    }
}

fn sender(setup: &Setup<'_>, from: &str) -> Result<COctetString<1, 21>, BadGateway> {
    let is_name = kind(from).ton == 5;
    if is_name && from.chars().count() > LONGEST_NAME {
        let reason =
            format!("`{from}` is longer than the {LONGEST_NAME} characters that phones show");
        return Err(setup.bad("from", &reason));
    }
    fitting(setup, "from", from.strip_prefix('+').unwrap_or(from))
}

/// A text of the protocol: ASCII, without NUL, of a bounded length.
pub(super) fn fitting<const MAX: usize>(
    setup: &Setup<'_>,
    key: &str,
    text: &str,
) -> Result<COctetString<1, MAX>, BadGateway> {
    COctetString::from_string(text.to_owned()).map_err(|_| {
        let most = MAX - 1;
        setup.bad(key, &format!("must be at most {most} characters of ASCII"))
    })
}

/// A secret is not shown.
pub(super) fn secret<const MAX: usize>(
    setup: &Setup<'_>,
    key: &str,
    text: &crate::domain::gateway::Secretive,
) -> Result<COctetString<1, MAX>, BadGateway> {
    let secret = setup.secret(key, text)?;
    fitting(setup, key, secret.expose_secret())
}

/// A relative time, `YYMMDDhhmmsstnnp` (SMPP 3.4 §7.1.1.2).
fn validity(
    setup: &Setup<'_>,
    period: Option<Delay>,
) -> Result<EmptyOrFullCOctetString<17>, BadGateway> {
    let Some(period) = period else {
        return Ok(EmptyOrFullCOctetString::empty());
    };
    let seconds = period.approximate_seconds();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (months, days) = (days / 30, days % 30);
    let (hours, minutes, seconds) = (rest / 3600, rest % 3600 / 60, rest % 60);
    let text = format!("00{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R\0");
    EmptyOrFullCOctetString::from_vec(text.into_bytes())
        .map_err(|error| setup.bad("gateway.smpp.validity-period", &error.to_string()))
}

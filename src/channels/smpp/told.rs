//! Owns what a `deliver_sm` tells: a receipt for a message of ours, or a part of what somebody wrote.

use std::collections::HashMap;

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;
use rusmpp::values::{ErrorCodeNetworkType, NetworkErrorCode};

use crate::channels::detail::clean;
use crate::domain::news::{Bounce, Fate};

use super::text::latin;

/// Bits of `esm_class` (SMPP 3.4 §5.2.12).
const KIND: u8 = 0x3C;
const RECEIPT: u8 = 0x04;
const USER_DATA_HEADER: u8 = 0x40;
/// The subscriber is not known (3GPP TS 29.002 §17.6.6).
const UNKNOWN_SUBSCRIBER: u16 = 1;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tiding {
    Receipt(Slip),
    Part(Part),
    /// An acknowledgement or a state on the way: nothing that is kept.
    Nothing,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slip {
    /// As the centre writes it.
    pub(super) id: String,
    pub(super) fate: Fate,
    pub(super) detail: String,
}

/// What somebody wrote, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) coding: u8,
    pub(super) bytes: Vec<u8>,
    /// None: it is whole.
    pub(super) place: Option<Place>,
}

/// Where a part belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) reference: u16,
    pub(super) total: u8,
    /// From 1.
    pub(super) at: u8,
}

/// The optional parameters that matter here.
#[derive(Default)]
struct Options {
    id: Option<String>,
    state: Option<u8>,
    error: Option<NetworkErrorCode>,
    payload: Option<Vec<u8>>,
    reference: Option<u16>,
    total: Option<u8>,
    at: Option<u8>,
}

pub(super) fn read(deliver: &DeliverSm) -> Tiding {
    let options = Options::read(deliver);
    let class = u8::from(deliver.esm_class);
    // The id of a message of ours stands in receipts alone, whatever their class says.
    if class & KIND == RECEIPT || options.id.is_some() {
        return receipt(deliver, options);
    }
    if class & KIND != 0 {
        return Tiding::Nothing;
    }
    Tiding::Part(part(deliver, options, class))
}

impl Options {
    fn read(deliver: &DeliverSm) -> Self {
        let mut options = Self::default();
        for value in deliver.tlvs().iter().filter_map(|tlv| tlv.value()) {
            match value {
                TlvValue::ReceiptedMessageId(id) => options.id = Some(id.as_str().to_owned()),
                TlvValue::MessageState(state) => options.state = Some(u8::from(*state)),
                TlvValue::NetworkErrorCode(code) => options.error = Some(code.clone()),
                TlvValue::MessagePayload(payload) => {
                    options.payload = Some(payload.value.to_vec());
                }
                TlvValue::SarMsgRefNum(reference) => options.reference = Some(*reference),
                TlvValue::SarTotalSegments(total) => options.total = Some(*total),
                TlvValue::SarSegmentSeqnum(at) => options.at = Some(*at),
                _ => {}
            }
        }
        options.id = options.id.filter(|id| !id.is_empty());
        options
    }
}

fn bytes(deliver: &DeliverSm, options: &mut Options) -> Vec<u8> {
    let payload = options.payload.take();
    payload.unwrap_or_else(|| deliver.short_message().to_vec())
}

/// What the parameters say goes before what the text says (SMPP 3.4 Appendix B): texts differ.
fn receipt(deliver: &DeliverSm, mut options: Options) -> Tiding {
    let text = latin(&bytes(deliver, &mut options));
    let words = words(&text);
    let word = |key: &str| words.get(key).map(|word| (*word).to_owned());
    let Some(id) = options.id.or_else(|| word("id")) else {
        tracing::warn!(text, "a receipt of the centre names no message");
        return Tiding::Nothing;
    };
    let error = options.error.as_ref();
    let unknown = error.is_some_and(|error| {
        error.network_type == ErrorCodeNetworkType::Gsm && error.error_code == UNKNOWN_SUBSCRIBER
    });
    let state = options
        .state
        .or_else(|| word("stat").map(|word| state(&word)));
    let Some(fate) = state.and_then(|state| fate(state, unknown)) else {
        tracing::warn!(id, text, "a receipt of the centre tells no state");
        return Tiding::Nothing;
    };
    let mut detail = text.trim_end_matches('\0').to_owned();
    if detail.is_empty() {
        detail = options
            .state
            .map(|state| format!("message_state {state}"))
            .unwrap_or_default();
    }
    if let Some(error) = error {
        let network = u8::from(error.network_type);
        detail = format!("{detail} network_error_code {network}/{}", error.error_code);
    }
    Tiding::Receipt(Slip {
        id,
        fate,
        detail: clean(&detail),
    })
}

/// `id:… sub:001 … submit date:… stat:DELIVRD err:000 text:…`, keys in any letters; what stands behind
/// `text:` is the message's own.
fn words(text: &str) -> HashMap<String, &str> {
    let lower = text.to_ascii_lowercase();
    let end = lower.find("text:").unwrap_or(text.len());
    text[..end]
        .split_ascii_whitespace()
        .filter_map(|word| {
            let (key, value) = word.split_once(':')?;
            (!value.is_empty()).then(|| (key.to_ascii_lowercase(), value))
        })
        .collect()
}

/// The number of a state that is written as a word.
fn state(word: &str) -> u8 {
    match word.to_ascii_uppercase().as_str() {
        "SCHEDULED" => 0,
        "ENROUTE" => 1,
        "DELIVRD" | "DELIVERED" => 2,
        "EXPIRED" => 3,
        "DELETED" => 4,
        "UNDELIV" | "UNDELIVERABLE" => 5,
        "ACCEPTD" | "ACCEPTED" => 6,
        "UNKNOWN" => 7,
        "REJECTD" | "REJECTED" => 8,
        "SKIPPED" => 9,
        _ => u8::MAX,
    }
}

/// SMPP 3.4 §5.2.28. Only an error of the network itself says that a number is dead: the other
/// codes of centres are their own, and a phone that is off may be `UNDELIV` too.
fn fate(state: u8, unknown_subscriber: bool) -> Option<Fate> {
    Some(match state {
        // It is with the centre, whatever it calls it.
        0 | 1 | 6 | 7 => Fate::Accepted,
        2 => Fate::Delivered,
        3 => Fate::Expired,
        5 if unknown_subscriber => Fate::Bounced(Bounce::Hard),
        5 => Fate::Bounced(Bounce::Soft),
        4 | 8 | 9 => Fate::Failed,
        _ => return None,
    })
}

fn part(deliver: &DeliverSm, mut options: Options, class: u8) -> Part {
    let mut bytes = bytes(deliver, &mut options);
    let mut place = match (options.reference, options.total, options.at) {
        (Some(reference), Some(total), Some(at)) => Some(Place {
            reference,
            total,
            at,
        }),
        _ => None,
    };
    if class & USER_DATA_HEADER != 0 {
        let length = bytes.first().map_or(0, |length| usize::from(*length) + 1);
        let text = bytes.split_off(length.min(bytes.len()));
        place = header(&bytes).or(place);
        bytes = text;
    }
    Part {
        from: deliver.source_addr.as_str().to_owned(),
        to: deliver.destination_addr.as_str().to_owned(),
        coding: u8::from(deliver.data_coding),
        bytes,
        place: place.filter(|place| place.total > 1 && (1..=place.total).contains(&place.at)),
    }
}

/// The concatenation among the elements of a user data header (3GPP TS 23.040 §9.2.3.24).
fn header(header: &[u8]) -> Option<Place> {
    let mut rest = header.get(1..)?;
    while let [kind, length, tail @ ..] = rest {
        let element = tail.get(..usize::from(*length))?;
        match (kind, element) {
            (0x00, [reference, total, at]) => {
                return Some(Place {
                    reference: u16::from(*reference),
                    total: *total,
                    at: *at,
                });
            }
            (0x08, [high, low, total, at]) => {
                return Some(Place {
                    reference: u16::from_be_bytes([*high, *low]),
                    total: *total,
                    at: *at,
                });
            }
            _ => rest = &tail[usize::from(*length)..],
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Tlv;
    use rusmpp::types::{COctetString, OctetString};
    use rusmpp::values::{EsmClass, MessageState};

    use super::*;

    fn deliver(class: u8, text: &[u8], tlvs: Vec<Tlv>) -> DeliverSm {
        DeliverSm::builder()
            .source_addr(COctetString::from_string("15550100".to_owned()).unwrap())
            .destination_addr(COctetString::from_string("777".to_owned()).unwrap())
            .esm_class(EsmClass::from(class))
            .short_message(OctetString::from_slice(text).unwrap())
            .tlvs(tlvs)
            .build()
    }

    fn told(tiding: Tiding) -> (String, Fate) {
        match tiding {
            Tiding::Receipt(slip) => (slip.id, slip.fate),
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case(
        "id:a-1 sub:001 dlvrd:001 submit date:2601010930 done date:2601010931 stat:DELIVRD err:000 text:id:9 stat:X",
        "a-1",
        Fate::Delivered
    )]
    #[case("ID:7 STAT:undeliv ERR:001", "7", Fate::Bounced(Bounce::Soft))]
    #[case("id:7 stat:EXPIRED", "7", Fate::Expired)]
    #[case("id:7 stat:REJECTD err:099", "7", Fate::Failed)]
    #[case("id:7 stat:DELETED", "7", Fate::Failed)]
    #[case("id:7 stat:ACCEPTD", "7", Fate::Accepted)]
    #[case("id:7 stat:ENROUTE", "7", Fate::Accepted)]
    fn a_receipt_in_words_is_read(#[case] text: &str, #[case] id: &str, #[case] fate: Fate) {
        let tiding = read(&deliver(0x04, text.as_bytes(), Vec::new()));
        assert_eq!(told(tiding), (id.to_owned(), fate));
    }

    #[test]
    fn the_parameters_of_a_receipt_go_before_its_words() {
        let id = COctetString::from_string("b-2".to_owned()).unwrap();
        let tlvs = vec![
            Tlv::ReceiptedMessageId(id),
            Tlv::MessageState(MessageState::Undeliverable),
            Tlv::NetworkErrorCode(NetworkErrorCode::new(ErrorCodeNetworkType::Gsm, 1)),
        ];
        let Tiding::Receipt(slip) = read(&deliver(0, b"id:1 stat:DELIVRD", tlvs)) else {
            panic!("it is a receipt")
        };
        assert_eq!(
            (slip.id.as_str(), slip.fate),
            ("b-2", Fate::Bounced(Bounce::Hard))
        );
        assert_eq!(slip.detail, "id:1 stat:DELIVRD network_error_code 3/1");
    }

    #[rstest]
    #[case(0x04, b"stat:DELIVRD")]
    #[case(0x04, b"id:7 stat:HAPPY")]
    #[case(0x08, b"an acknowledgement")]
    #[case(0x20, b"id:7 stat:ENROUTE")]
    fn what_names_no_message_or_no_end_is_not_kept(#[case] class: u8, #[case] text: &[u8]) {
        assert_eq!(read(&deliver(class, text, Vec::new())), Tiding::Nothing);
    }

    #[rstest]
    #[case::whole(0x00, b"STOP", Vec::new(), b"STOP", None)]
    #[case::eight_bits(0x40, b"\x05\x00\x03\xAA\x02\x01Hi", Vec::new(), b"Hi", Some((0xAA, 2, 1)))]
    #[case::sixteen_bits(0x40, b"\x06\x08\x04\x01\x02\x03\x02Hi", Vec::new(), b"Hi", Some((0x0102, 3, 2)))]
    #[case::beside_a_port(0x40, b"\x0B\x05\x04\x0B\x84\x23\xF0\x00\x03\x07\x02\x02Hi", Vec::new(), b"Hi", Some((7, 2, 2)))]
    #[case::parameters(0x00, b"Hi", vec![Tlv::SarMsgRefNum(9), Tlv::SarTotalSegments(2), Tlv::SarSegmentSeqnum(2)], b"Hi", Some((9, 2, 2)))]
    #[case::one_of_one(0x40, b"\x05\x00\x03\xAA\x01\x01Hi", Vec::new(), b"Hi", None)]
    #[case::beyond_the_last(0x40, b"\x05\x00\x03\xAA\x02\x03Hi", Vec::new(), b"Hi", None)]
    #[case::header_longer_than_all(0x40, b"\xFFHi", Vec::new(), b"", None)]
    fn a_reply_is_read_with_its_place(
        #[case] class: u8,
        #[case] text: &[u8],
        #[case] tlvs: Vec<Tlv>,
        #[case] bytes: &[u8],
        #[case] place: Option<(u16, u8, u8)>,
    ) {
        let Tiding::Part(part) = read(&deliver(class, text, tlvs)) else {
            panic!("it is a reply")
        };
        assert_eq!((part.from.as_str(), part.to.as_str()), ("15550100", "777"));
        assert_eq!(part.bytes, bytes);
        let found = part
            .place
            .map(|place| (place.reference, place.total, place.at));
        assert_eq!(found, place);
    }
}

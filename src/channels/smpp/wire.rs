//! Owns the bytes of the protocol: whole PDUs out of a stream, each read by itself, so that one that cannot be
//! read does not take the next with it.

use std::io;

use rusmpp::decode::DecodeWithLength as _;
use rusmpp::encode::Length as _;
use rusmpp::encode::owned::Encode as _;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio_util::bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio_util::codec::Decoder;

/// Length, id, status, sequence number (SMPP 3.4 §3.2).
const HEADER: usize = 16;
/// A text of 64 KiB and all that may stand beside it; who sends more does not speak SMPP.
const LONGEST: usize = 72 * 1024;

/// Cuts what is read into PDUs.
#[derive(Debug)]
pub(super) struct Frames;

/// One PDU that came.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) id: CommandId,
    pub(super) status: CommandStatus,
    pub(super) sequence: u32,
    /// None: it has no body, or one that cannot be read.
    pub(super) pdu: Option<Pdu>,
}

/// Why a stream cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadStream {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("this is no SMPP: a PDU of {0} bytes")]
    Length(u32),
}

impl Decoder for Frames {
    type Item = Frame;
    type Error = BadStream;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, BadStream> {
        let Some(length) = bytes.first_chunk().map(|first| u32::from_be_bytes(*first)) else {
            return Ok(None);
        };
        let whole = usize::try_from(length)
            .ok()
            .filter(|whole| (HEADER..=LONGEST).contains(whole))
            .ok_or(BadStream::Length(length))?;
        if bytes.len() < whole {
            bytes.reserve(whole - bytes.len());
            return Ok(None);
        }
        Ok(Some(Frame::read(bytes.split_to(whole))))
    }
}

impl Frame {
    fn read(mut bytes: BytesMut) -> Self {
        bytes.advance(4);
        let mut header = bytes.clone();
        let id = CommandId::from(header.get_u32());
        let status = CommandStatus::from(header.get_u32());
        let sequence = header.get_u32();
        let length = bytes.len();
        let pdu = match Command::decode(&mut bytes, length) {
            Ok((command, _)) => command.pdu().cloned(),
            Err(error) => {
                tracing::debug!(%error, ?id, "a PDU cannot be read");
                None
            }
        };
        Self {
            id,
            status,
            sequence,
            pdu,
        }
    }

    /// Whether it answers something that we asked.
    pub(super) fn is_answer(&self) -> bool {
        u32::from(self.id) & 0x8000_0000 != 0
    }
}

/// A PDU as it goes over the wire.
pub(super) fn bytes(status: CommandStatus, sequence: u32, pdu: Pdu) -> Bytes {
    let command = Command::new(status, sequence, pdu);
    let length = 4 + command.length();
    let mut bytes = BytesMut::with_capacity(length);
    // No PDU of ours comes near four gigabytes.
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    command.encode(&mut bytes);
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use rusmpp::pdus::{DeliverSm, SubmitSmResp};
    use rusmpp::types::COctetString;

    use super::*;

    fn frames(bytes: &[u8]) -> (Vec<Frame>, Option<String>) {
        let mut bytes = BytesMut::from(bytes);
        let mut found = Vec::new();
        loop {
            match Frames.decode(&mut bytes) {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => return (found, None),
                Err(bad) => return (found, Some(bad.to_string())),
            }
        }
    }

    #[test]
    fn pdus_are_cut_wherever_the_bytes_break_off() {
        let id = COctetString::from_string("a1".to_owned()).unwrap();
        let answer = bytes(
            CommandStatus::EsmeRok,
            7,
            SubmitSmResp::new(id, Vec::new()).into(),
        );
        let link = bytes(CommandStatus::EsmeRok, 8, Pdu::EnquireLink);
        let stream = [answer, link].concat();
        for end in 0..=stream.len() {
            let (found, bad) = frames(&stream[..end]);
            assert_eq!(bad, None);
            let expected = usize::from(end >= stream.len() - 16) + usize::from(end == stream.len());
            assert_eq!(found.len(), expected, "{end}");
        }
        let (found, _) = frames(&stream);
        assert!(found[0].is_answer() && !found[1].is_answer());
        assert!(
            matches!(&found[0].pdu, Some(Pdu::SubmitSmResp(answer)) if answer.message_id().as_str() == "a1")
        );
        assert_eq!(
            (found[1].id, found[1].sequence),
            (CommandId::EnquireLink, 8)
        );
    }

    #[test]
    fn a_pdu_that_cannot_be_read_keeps_its_number_and_the_next_is_read() {
        let whole = bytes(CommandStatus::EsmeRok, 3, DeliverSm::default().into());
        let mut broken = BytesMut::from(&whole[..20]);
        broken[..4].copy_from_slice(&20_u32.to_be_bytes());
        let link = bytes(CommandStatus::EsmeRok, 4, Pdu::EnquireLink);
        let (found, bad) = frames(&[broken.freeze(), link].concat());
        assert_eq!(bad, None);
        assert_eq!((found[0].id, found[0].sequence), (CommandId::DeliverSm, 3));
        assert!(found[0].pdu.is_none());
        assert_eq!(found[1].sequence, 4);
    }

    #[test]
    fn what_is_no_smpp_is_told_by_its_first_bytes() {
        for stream in ["HTTP/1.1 400 Bad Request\r\n", "\0\0\0\u{f}", "SSH-"] {
            let (found, bad) = frames(stream.as_bytes());
            assert!(found.is_empty());
            assert!(bad.unwrap().starts_with("this is no SMPP: a PDU of "));
        }
    }
}

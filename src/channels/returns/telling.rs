//! Owns what a mail that came back tells: of which message, and what became of it.

use super::reading;
use super::slip::Said;
use crate::domain::ids::DispatchId;
use crate::domain::news::{About, News, Passed, Receipt};
use crate::domain::return_path::{ReturnPath, Returned};

/// What a mail tells that came to `to`. `is_from_nobody`: whether its envelope sender is `<>`, if that is known.
///
/// Only a sealed address names a message: the one that the mail came to, or the sender of the mail that is
/// reported of. A `Message-ID` or an envelope id proves nothing, anybody can make one up.
pub(super) fn tell(
    path: &ReturnPath,
    to: Returned,
    mail: &[u8],
    is_from_nobody: Option<bool>,
) -> News {
    let reading = reading::read(mail, is_from_nobody);
    let slip = match reading.said {
        Said::Slip(slip) => slip,
        Said::Passed(passed) => return News::Passed(passed),
    };
    let within = || {
        let senders = reading.senders.iter();
        let mut named = senders.filter_map(|sender| of(path.read(sender)));
        named.next()
    };
    let about = match to {
        Returned::Of(dispatch) => Some(dispatch),
        Returned::Bare => within(),
        Returned::Forged | Returned::Elsewhere => None,
    };
    about.map_or(News::Passed(Passed::Strange), |dispatch| {
        News::Receipt(Receipt {
            about: About::Dispatch(dispatch),
            fate: slip.fate,
            at: slip.at,
            detail: slip.detail,
        })
    })
}

fn of(returned: Returned) -> Option<DispatchId> {
    match returned {
        Returned::Of(dispatch) => Some(dispatch),
        Returned::Bare | Returned::Forged | Returned::Elsewhere => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::news::{Bounce, Fate};
    use crate::domain::return_path::{ReturnAddress, ReturnKey};

    fn path(secret: &[u8]) -> ReturnPath {
        let address = ReturnAddress::new("bounces@news.bank.example").unwrap();
        ReturnPath::new(address, ReturnKey::derived_from(secret))
    }

    fn dispatch(n: u8) -> DispatchId {
        DispatchId::from_bytes([n; 16])
    }

    /// A bounce of a mail that `sender` sent.
    fn bounce(sender: &str) -> String {
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
             Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\
             Original-Envelope-Id: {id}\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n\
             Content-Type: text/rfc822-headers\r\n\r\nReturn-Path: <{sender}>\r\n\
             Message-ID: <{id}@bank.example>\r\n--b--\r\n",
            id = dispatch(1)
        )
    }

    fn about(news: &News) -> Option<DispatchId> {
        match news {
            News::Receipt(Receipt {
                about: About::Dispatch(id),
                fate: Fate::Bounced(Bounce::Hard),
                ..
            }) => Some(*id),
            News::Passed(Passed::Strange) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_sealed_address_that_a_mail_came_to_names_its_message() {
        let path = path(b"ours");
        let other = bounce(&path.of(dispatch(2)));
        let news = tell(&path, Returned::Of(dispatch(3)), other.as_bytes(), None);
        assert_eq!(about(&news), Some(dispatch(3)));
        let news = tell(&path, Returned::Bare, other.as_bytes(), None);
        assert_eq!(about(&news), Some(dispatch(2)));
    }

    #[test]
    fn nothing_but_a_seal_names_a_message() {
        let ours = path(b"ours");
        for sender in [
            path(b"theirs").of(dispatch(1)),
            "bounces@news.bank.example".to_owned(),
            String::new(),
        ] {
            let mail = bounce(&sender);
            let news = tell(&ours, Returned::Bare, mail.as_bytes(), None);
            assert_eq!(about(&news), None, "{sender}");
        }
        let mail = bounce(&ours.of(dispatch(1)));
        for to in [Returned::Forged, Returned::Elsewhere] {
            assert_eq!(about(&tell(&ours, to, mail.as_bytes(), None)), None);
        }
    }
}

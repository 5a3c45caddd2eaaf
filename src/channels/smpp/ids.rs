//! Owns the ids that a centre gives: one form for the answer and for the receipt, and which ids belong to one message.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::domain::gateway::MessageIdForm;

/// How many ids of further parts are remembered.
const REMEMBERED: usize = 20_000;

/// The id in an answer to `submit_sm`, in the form that receipts are looked up by.
pub(super) fn in_response(form: MessageIdForm, id: &str) -> String {
    match form {
        MessageIdForm::AsGiven => id.to_owned(),
        MessageIdForm::Hex | MessageIdForm::HexInResponse => number(id, 16),
        MessageIdForm::Decimal | MessageIdForm::HexInReceipt => number(id, 10),
    }
}

/// The id in a receipt, in the same form.
pub(super) fn in_receipt(form: MessageIdForm, id: &str) -> String {
    match form {
        MessageIdForm::AsGiven => id.to_owned(),
        MessageIdForm::Hex | MessageIdForm::HexInReceipt => number(id, 16),
        MessageIdForm::Decimal | MessageIdForm::HexInResponse => number(id, 10),
    }
}

/// The number in decimal; what is none stays as it is.
fn number(id: &str, radix: u32) -> String {
    let digits = id.trim();
    let digits = digits
        .strip_prefix("0x")
        .filter(|_| radix == 16)
        .unwrap_or(digits);
    u128::from_str_radix(digits, radix).map_or_else(|_| id.to_owned(), |number| number.to_string())
}

/// Which message a further part belongs to, by the part's id. A receipt for it can come to this
/// process alone, and after a restart it is not known any more.
#[derive(Default)]
pub(super) struct Siblings(Mutex<Known>);

#[derive(Default)]
struct Known {
    first: HashMap<String, String>,
    order: VecDeque<String>,
}

impl Siblings {
    /// Remembers the newest of the ids that a message's parts were given; it is known by the first.
    pub(super) fn remember(&self, ids: &[Option<String>]) {
        let [Some(first), .., Some(newest)] = ids else {
            return;
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.order.len() >= REMEMBERED
            && let Some(oldest) = known.order.pop_front()
        {
            known.first.remove(&oldest);
        }
        known.order.push_back(newest.clone());
        known.first.insert(newest.clone(), first.clone());
    }

    /// The id of the first part, when this is the id of a further one.
    pub(super) fn first_of(&self, id: &str) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.first.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_is_found_again_in_each_form() {
        for (form, response, receipt) in [
            (MessageIdForm::AsGiven, "msg-00A1", "msg-00A1"),
            (MessageIdForm::Hex, "00a1f", "A1F"),
            (MessageIdForm::Hex, "0xA1F", "0a1f"),
            (MessageIdForm::Decimal, "0000000042", "42"),
            (MessageIdForm::HexInResponse, "4D2", "1234"),
            (MessageIdForm::HexInResponse, "4d2", "0000001234"),
            (MessageIdForm::HexInReceipt, "1234", "4D2"),
        ] {
            let (response, receipt) = (in_response(form, response), in_receipt(form, receipt));
            assert_eq!(response, receipt, "{form:?}");
        }
        // A UUID is no number of these, and is kept.
        let uuid = "0d4c1b8e-76f2-4b63-9a53-0f1d6e1f6a55";
        assert_eq!(in_response(MessageIdForm::Hex, uuid), uuid);
    }

    #[test]
    fn further_parts_lead_to_the_first_and_are_forgotten_in_order() {
        let siblings = Siblings::default();
        let id = |n: usize| Some(format!("p{n}"));
        siblings.remember(&[id(0)]);
        siblings.remember(&[id(0), id(1)]);
        siblings.remember(&[id(0), id(1), None]);
        siblings.remember(&[id(0), id(1), None, id(2)]);
        assert_eq!(siblings.first_of("p1").as_deref(), Some("p0"));
        assert_eq!(siblings.first_of("p2").as_deref(), Some("p0"));
        assert_eq!(siblings.first_of("p0"), None);
        for n in 1..=REMEMBERED {
            siblings.remember(&[id(0), Some(format!("q{n}"))]);
        }
        assert_eq!(siblings.first_of("p2"), None);
        assert_eq!(siblings.first_of("q1").as_deref(), Some("p0"));
    }
}

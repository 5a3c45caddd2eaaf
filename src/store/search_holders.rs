//! Owns which index lists those who may meet a condition, bucket by bucket: whoever else there is need not be asked.

use super::listing::json;
use super::segment_frame::{Binds, Frame};
use crate::domain::customer::Status;
use crate::domain::ids::BUCKETS;
use crate::domain::revision::NameKind;
use crate::domain::segment::Condition;

/// Those who may meet a condition, as SQL over `c` = customers.
pub(super) struct Holders {
    from: &'static str,
    part: String,
}

impl Holders {
    /// None: no index knows them. The condition was compiled before, so no segment contains itself.
    pub(super) fn of(condition: &Condition, frame: &Frame<'_>, binds: &mut Binds) -> Option<Self> {
        match condition {
            Condition::All(parts) => parts.iter().find_map(|part| Self::of(part, frame, binds)),
            Condition::Segment(id) => {
                let segment = frame.revision.segments.get(id)?;
                Self::of(&segment.condition, frame, binds)
            }
            Condition::Tag(tag) => {
                let tag = binds.int(frame.numbers.number(NameKind::Tag, tag)?);
                let part = format!("d.tag = {tag} AND {IN_TABLE}");
                let from = "customer_tags AS d CROSS JOIN ";
                Some(Self { from, part })
            }
            Condition::List(list) => {
                let list = binds.int(frame.numbers.number(NameKind::List, list)?);
                let part = format!("d.list = {list} AND {IN_TABLE}");
                let from = "list_members AS d CROSS JOIN ";
                Some(Self { from, part })
            }
            Condition::Status(status) if *status != Status::Active => {
                let status = binds.int(status.number());
                let part = format!("c.bucket = k.value AND c.status = {status} AND c.status <> 0");
                Some(Self { from: "", part })
            }
            _ => None,
        }
    }

    /// Where they are looked for in this bucket and all after it, and what joins it.
    pub(super) fn since(self, bucket: i64, binds: &mut Binds) -> (String, String) {
        let buckets: Vec<i64> = (bucket..i64::from(BUCKETS)).collect();
        let buckets = binds.text(&json(&buckets));
        let from = format!(
            "@numbers({buckets}) AS k CROSS JOIN {}customers AS c",
            self.from
        );
        (from, self.part)
    }
}

const IN_TABLE: &str =
    "d.bucket = k.value AND c.bucket = d.bucket AND c.customer_id = d.customer_id";

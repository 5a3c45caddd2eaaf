//! Owns the compiler of conditions: a segment means what this SQL means, and there is no second reading.
//!
//! Every part is true, false or NULL, and only what is true counts: `all` and `any` keep that, and
//! `not` is `IS NOT TRUE`. So a missing value meets neither `is` nor `is-not`, but it meets
//! `not: { is: … }`.

use super::bind::Bind;
use super::customer_consents::consent_column;
use super::error::{Error, Result};
use super::segment_dates;
use super::segment_did;
use super::segment_frame::{Binds, Frame, Now, Predicate, Scale, Within};
use super::segment_values;
use crate::domain::customer::Status;
use crate::domain::nps::NpsTest;
use crate::domain::rating::Rating;
use crate::domain::revision::NameKind;
use crate::domain::segment::{Condition, Moment};
use crate::domain::subscription::{Scope, SubscriptionState};

const NOBODY: &str = "(1 = 0)";
const EVERYBODY: &str = "(1 = 1)";
/// Segments that name segments: deeper than this is a circle.
const DEEPEST: usize = 64;

/// The condition as SQL over `c` = customers, its placeholders numbered from `first_placeholder` on.
pub(super) fn compile(
    condition: &Condition,
    frame: &Frame<'_>,
    first_placeholder: usize,
    within: Within,
) -> Result<Predicate> {
    let mut compiler = Compiler {
        frame,
        now: Now::of(frame),
        within,
        binds: Binds::from(first_placeholder),
    };
    let sql = compiler.condition(condition, 0)?;
    Ok(Predicate {
        sql,
        binds: compiler.binds.values,
    })
}

struct Compiler<'a> {
    frame: &'a Frame<'a>,
    now: Now,
    within: Within,
    binds: Binds,
}

impl Compiler<'_> {
    fn condition(&mut self, condition: &Condition, depth: usize) -> Result<String> {
        Ok(match condition {
            Condition::All(parts) => self.joined(parts, " AND ", EVERYBODY, depth)?,
            Condition::Any(parts) => self.joined(parts, " OR ", NOBODY, depth)?,
            Condition::Not(part) => format!("({} IS NOT TRUE)", self.condition(part, depth)?),
            Condition::Segment(id) => self.segment(id, depth)?,
            Condition::Field { field, test } => {
                segment_values::one(self.frame, &self.now, &mut self.binds, field, test)?
            }
            Condition::Many { field, test } => {
                segment_values::many(self.frame, &mut self.binds, field, test)?
            }
            Condition::Tag(tag) => self.tag(tag),
            Condition::List(list) => self.list(list),
            Condition::Rating(rating) => self.rating(*rating),
            Condition::Status(status) => {
                format!("(c.status = {})", self.binds.int(status.number()))
            }
            Condition::Identified(is) => {
                format!("(c.identified = {})", self.binds.int(i64::from(*is)))
            }
            Condition::Moment { moment, test } => {
                let column = moment_column(*moment);
                segment_dates::sql(&mut self.binds, &self.now, column, Scale::Instants, test)
            }
            Condition::Consent { channel, is } => {
                let consent = self.binds.int(is.number());
                format!("(c.{} = {consent})", consent_column(*channel))
            }
            Condition::Subscribed(scope) => self.subscribed(scope),
            Condition::Did(did) => segment_did::sql(self.frame, &mut self.binds, did, self.within),
            Condition::InFlow(flow) => self.in_flow(flow),
            Condition::Nps(test) => self.nps(*test),
            Condition::Random(share) => self.random(*share),
        })
    }

    fn joined(
        &mut self,
        parts: &[Condition],
        word: &str,
        empty: &str,
        depth: usize,
    ) -> Result<String> {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| self.condition(part, depth))
            .collect::<Result<_>>()?;
        if parts.is_empty() {
            return Ok(empty.to_owned());
        }
        Ok(format!("({})", parts.join(word)))
    }

    fn segment(&mut self, id: &str, depth: usize) -> Result<String> {
        let segments = &self.frame.revision.segments;
        let segment = segments
            .get(id)
            .ok_or_else(|| Error::NotFound(format!("the segment `{id}`")))?;
        if depth == DEEPEST {
            return Err(Error::Unusable(format!(
                "the segment `{id}` contains itself"
            )));
        }
        self.condition(&segment.condition, depth + 1)
    }

    fn tag(&mut self, tag: &str) -> String {
        let Some(number) = self.frame.numbers.number(NameKind::Tag, tag) else {
            return NOBODY.to_owned();
        };
        let number = self.binds.int(number);
        format!(
            "EXISTS (SELECT 1 FROM customer_tags AS t WHERE t.bucket = c.bucket \
             AND t.customer_id = c.customer_id AND t.tag = {number})"
        )
    }

    fn list(&mut self, list: &str) -> String {
        let Some(number) = self.frame.numbers.number(NameKind::List, list) else {
            return NOBODY.to_owned();
        };
        let number = self.binds.int(number);
        format!(
            "EXISTS (SELECT 1 FROM list_members AS b WHERE b.bucket = c.bucket \
             AND b.list = {number} AND b.customer_id = c.customer_id)"
        )
    }

    fn rating(&mut self, rating: Rating) -> String {
        let discarded = self.binds.int(Status::Discarded.number());
        let bounds = self.frame.revision.rating;
        let mut since = |days: u32| self.binds.int(self.now.start_of_days_ago(days));
        let at = moment_column(Moment::LastActivity);
        let activity = match rating {
            Rating::Discarded => return format!("(c.status = {discarded})"),
            Rating::Inactive => format!("{at} IS NULL"),
            Rating::New => format!("{at} >= {}", since(bounds.new)),
            Rating::Frequent => {
                format!(
                    "{at} < {} AND {at} >= {}",
                    since(bounds.new),
                    since(bounds.frequent)
                )
            }
            Rating::Dormant => {
                format!(
                    "{at} < {} AND {at} >= {}",
                    since(bounds.frequent),
                    since(bounds.dormant)
                )
            }
            Rating::Expired => format!("{at} < {}", since(bounds.dormant)),
        };
        format!("(c.status <> {discarded} AND {activity})")
    }

    /// No standing record is as wide as the scope or wider.
    fn subscribed(&mut self, scope: &Scope) -> String {
        let names = [
            ("campaign", scope.campaign.as_ref()),
            ("category", scope.category.as_ref()),
            ("campaign_group", scope.group.as_ref()),
        ];
        let mut dimensions: Vec<(&str, Option<Bind>)> = names
            .into_iter()
            .map(|(column, name)| (column, name.cloned().map(Bind::Text)))
            .collect();
        dimensions.push(("channel", scope.channel.map(|c| Bind::Int(c.number()))));
        let covers: Vec<String> = dimensions
            .into_iter()
            .map(|(column, value)| match value {
                Some(value) => {
                    let value = self.binds.add(value);
                    format!("(s.{column} IS NULL OR s.{column} = {value})")
                }
                None => format!("s.{column} IS NULL"),
            })
            .collect();
        let covers = covers.join(" AND ");
        let standing = self.binds.int(SubscriptionState::Unsubscribed.number());
        format!(
            "NOT EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.bucket = c.bucket \
             AND s.customer_id = c.customer_id AND s.state = {standing} AND {covers})"
        )
    }

    fn in_flow(&mut self, flow: &str) -> String {
        let flow = self.binds.int(segment_did::flow_number(self.frame, flow));
        format!(
            "EXISTS (SELECT 1 FROM enrollments AS l WHERE l.bucket = c.bucket \
             AND l.customer_id = c.customer_id AND l.flow = {flow} AND l.status < 10)"
        )
    }

    fn nps(&mut self, test: NpsTest) -> String {
        let (least, most) = (self.binds.int(test.least), self.binds.int(test.most));
        format!(
            "EXISTS (SELECT 1 FROM nps_answers AS a WHERE a.bucket = c.bucket \
             AND a.customer_id = c.customer_id AND a.score BETWEEN {least} AND {most})"
        )
    }

    /// Two rounds of a Lehmer generator over the customer's number: sticky, the same on every
    /// database, and no product leaves 64 bits.
    fn random(&mut self, share: u32) -> String {
        let share = self.binds.int(share);
        format!(
            "((((c.customer_id % 281474976710656) % 2147483647 * 48271 + c.bucket * 40014) \
             % 2147483647 * 69621) % 2147483647 % 10000 < {share})"
        )
    }
}

/// A column of the customer's activity; nothing when there has been none.
macro_rules! of_activity {
    ($column:literal) => {
        concat!(
            "(SELECT y.",
            $column,
            " FROM activity AS y WHERE y.bucket = c.bucket AND y.customer_id = c.customer_id)"
        )
    };
}

/// What an instant that everybody has is, as SQL over `c`.
fn moment_column(moment: Moment) -> &'static str {
    match moment {
        Moment::Created => "c.created_at",
        Moment::LastActivity => of_activity!("last_activity_at"),
        Moment::LastEngagement => of_activity!("last_engagement_at"),
        Moment::LastTransaction => of_activity!("last_transaction_at"),
    }
}

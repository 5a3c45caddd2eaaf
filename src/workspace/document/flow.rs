//! Owns the written form of a flow.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::campaign::{EmailDoc, PushDoc, SmsDoc};
use super::leaf::{Clock, CronText, DayNames, Duration, Hours, Id, Percent, Rate, ReentryRule};
use super::segment::{ConditionDoc, InlineSegmentDoc};
use super::timing::{DueDoc, WaitForDoc};
use super::word::Word;
use crate::domain::calendar::{Days, WindowZone};
use crate::domain::flow::{ExistingMembers, FlowStatus, OnEdit, OnResume, OnSkip, OnStop};
use crate::domain::subscription::LinkScope;
use crate::workspace::spanned::{At, Named, Opt, TextOr};

/// A flow: steps that each customer who comes to qualify is walked through.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FlowDoc {
    /// The flow's stable id, unique in the workspace.
    pub(crate) flow: At<Id>,
    /// What people call it; the id unless set.
    pub(crate) name: Opt<String>,
    /// A category of the policy.
    pub(crate) category: Opt<String>,
    /// A group of the policy.
    pub(crate) group: Opt<String>,
    /// `active` unless set. Only active flows take in customers and send.
    pub(crate) status: Opt<Word<FlowStatus>>,
    /// Who is walked through it: a segment's id, or `where:` with conditions.
    pub(crate) segment: Option<At<TextOr<InlineSegmentDoc>>>,
    /// Who enters, when, and how often.
    pub(crate) entry: Option<EntryDoc>,
    /// When a customer leaves before the last step.
    pub(crate) exit: Option<ExitDoc>,
    /// The result that it is for: counted once for each entry, also of those who are held out.
    pub(crate) goal: Option<GoalDoc>,
    /// When messages may go out.
    pub(crate) window: Option<WindowDoc>,
    /// What an edited delay means for those who wait: `recompute` unless set.
    pub(crate) on_edit: Opt<Word<OnEdit>>,
    /// What happens after a pause: `shift` unless set.
    pub(crate) on_resume: Opt<Word<OnResume>>,
    /// With `status: stopped`: whether those who are in the flow walk on to the end (`drain`) or leave
    /// (`cancel`, the default).
    pub(crate) stop: Opt<Word<OnStop>>,
    /// A step later than this is withheld as `late`; `72h` unless set.
    pub(crate) max_lateness: Opt<Duration>,
    /// What the unsubscribe link in its messages gives up: `campaign` (this flow) unless set.
    pub(crate) unsubscribe: Opt<Word<LinkScope>>,
    /// Whether messages may carry a "not interested" link for this flow; `false` unless set.
    pub(crate) dismissable: Opt<bool>,
    /// Where those go who wait at a step that is gone, such as `{ old-step: new-step }`; to the step after
    /// it unless set.
    #[serde(default)]
    pub(crate) moved_to: Named<At<String>>,
    /// One after the other; each begins when the one before is finished.
    pub(crate) steps: At<Vec<At<StepDoc>>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EntryDoc {
    /// `once` unless set.
    pub(crate) reentry: Opt<ReentryRule>,
    /// Whether those who match already enter: `from-activation` unless set.
    pub(crate) existing_members: Opt<Word<ExistingMembers>>,
    /// At most so many entries, spread evenly.
    pub(crate) limit: Opt<Rate>,
    /// A share of those who enter, such as `5%`: never sent anything, and measured.
    pub(crate) holdout: Opt<Percent>,
    /// Members enter at these instants only, by the workspace's clock, such as `0 9 1 * *`.
    pub(crate) schedule: Option<At<CronText>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ExitDoc {
    /// `false` unless set.
    pub(crate) on_leaving_segment: Opt<bool>,
    /// Ends the run of those who meet it, at once.
    pub(crate) when: Option<ConditionDoc>,
}

/// The result that a flow is for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GoalDoc {
    /// What reaches it; `did` counts from the entry.
    pub(crate) when: ConditionDoc,
    /// How long after the entry it counts; `30d` unless set.
    pub(crate) within: Opt<Duration>,
    /// Whether it ends the run; `false` unless set.
    pub(crate) exit: Opt<bool>,
}

/// When messages may go out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WindowDoc {
    /// Every day unless set.
    pub(crate) days: Opt<DaysDoc>,
    /// The whole day unless set; may run over midnight.
    pub(crate) hours: Opt<Hours>,
    /// Whose clock counts: `customer` unless set.
    pub(crate) zone: Opt<Word<WindowZone>>,
}

/// `mon-fri`, `business`, or a list of days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DaysDoc(pub(crate) Days);

impl<'de> Deserialize<'de> for DaysDoc {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct DaysVisitor;
        impl<'de> Visitor<'de> for DaysVisitor {
            type Value = DaysDoc;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("days")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DaysDoc, E> {
                let read: serde::de::value::StrDeserializer<'_, E> =
                    serde::de::IntoDeserializer::into_deserializer(text);
                DayNames::deserialize(read).map(|days| DaysDoc(days.0))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<DaysDoc, A::Error> {
                let mut all = Days {
                    weekdays: 0,
                    except_holidays: false,
                };
                while let Some(DayNames(days)) = list.next_element()? {
                    all.weekdays |= days.weekdays;
                    all.except_holidays |= days.except_holidays;
                }
                Ok(DaysDoc(all))
            }
        }
        from.deserialize_any(DaysVisitor)
    }
}

impl JsonSchema for DaysDoc {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Days".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let name = generator.subschema_for::<DayNames>();
        json_schema!({ "anyOf": [name, { "type": "array", "items": name, "minItems": 1 }] })
    }
}

/// One step: a delay, perhaps a time of day, perhaps a condition, perhaps one message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StepDoc {
    /// The step's stable id, unique in the flow.
    pub(crate) id: At<Id>,
    /// Counted from the end of the step before; for the first step from joining the segment. `0s` unless set.
    pub(crate) after: Opt<Duration>,
    /// The next such time of day at or after the delay, in the window's zone.
    pub(crate) at: Opt<Clock>,
    /// Where it is false the step is skipped.
    #[serde(rename = "if")]
    pub(crate) condition: Option<ConditionDoc>,
    /// Replaces the flow's window for this step.
    pub(crate) window: Option<WindowDoc>,
    /// What happens when the message is withheld: `advance` unless set.
    pub(crate) on_skip: Opt<Word<OnSkip>>,
    /// An e-mail: `CAMPAIGN/COMMUNICATION`, or written here.
    pub(crate) email: Option<At<TextOr<EmailDoc>>>,
    /// A text message: `CAMPAIGN/COMMUNICATION`, or written here.
    pub(crate) sms: Option<At<TextOr<SmsDoc>>>,
    /// A push notification: `CAMPAIGN/COMMUNICATION`, or written here.
    pub(crate) push: Option<At<TextOr<PushDoc>>>,
    /// Several channels, one message: the first that may be used (switch, subscription, consent, address).
    pub(crate) first_of: Option<At<Vec<At<ChoiceDoc>>>>,
    /// A day to time the step by, in place of `after`.
    pub(crate) due: Option<At<DueDoc>>,
    /// Something to wait for, in place of `after`; such a step sends nothing.
    pub(crate) wait_for: Option<At<WaitForDoc>>,
}

/// One of the channels of `first-of`: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ChoiceDoc {
    /// An e-mail: `CAMPAIGN/COMMUNICATION`, or written here.
    pub(crate) email: Option<At<TextOr<EmailDoc>>>,
    /// A text message: `CAMPAIGN/COMMUNICATION`, or written here.
    pub(crate) sms: Option<At<TextOr<SmsDoc>>>,
    /// A push notification: `CAMPAIGN/COMMUNICATION`, or written here.
    pub(crate) push: Option<At<TextOr<PushDoc>>>,
}

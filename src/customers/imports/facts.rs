//! Owns an import as people and programs see it, on the command line and over HTTP alike.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::customers::error::Error;
use crate::customers::preview::Preview;
use crate::domain::audit::Source;
use crate::domain::channel::Channel;
use crate::domain::field::ID;
use crate::domain::import::{Import, ImportCounts, ImportNo, ImportState, RejectedRow};
use crate::domain::import_plan::{ImportKind, ImportPlan, NoMatch, SeveralMatch};
use crate::domain::job::JobNo;
use crate::domain::subscription::Consent;

/// An import as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportFacts {
    pub import: ImportNo,
    pub state: ImportState,
    /// The name of its file.
    #[schema(example = "people.csv")]
    pub file: String,
    pub bytes: u64,
    /// Who brought it.
    pub actor: String,
    pub source: Source,
    pub created_at: Timestamp,
    pub saved_at: Option<Timestamp>,
    /// The latest job about it.
    pub job: Option<JobNo>,
    /// What became of its rows, or what would: until it is saved nothing is stored.
    pub counts: ImportCounts,
    pub plan: PlanFacts,
    pub columns: Vec<String>,
    /// Columns that fill no field.
    pub ignored_columns: Vec<String>,
    pub encoding: Option<String>,
    /// Why it cannot be imported as it is.
    pub problem: Option<String>,
}

/// How a file is imported.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanFacts {
    pub kind: ImportKind,
    pub delimiter: Option<String>,
    pub encoding: Option<String>,
    pub skip_lines: u64,
    pub sheet: Option<String>,
    /// The field that each of these columns fills.
    pub map: BTreeMap<String, String>,
    /// By what rows find their customers.
    #[schema(example = "id")]
    pub r#match: String,
    pub no_match: NoMatch,
    pub several_match: SeveralMatch,
    pub tags: Vec<String>,
    pub consents: ImportConsents,
    pub list: Option<String>,
}

/// The consent of each channel that is named.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportConsents {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Consent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<Consent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<Consent>,
}

/// What is to be changed of how a file is imported; what is not named stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanPatch {
    pub kind: Option<ImportKind>,
    /// `,`, `;`, `tab` or `|`; null: it is detected.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub delimiter: Option<Option<String>>,
    /// Such as `windows-1252`; null: it is detected.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub encoding: Option<Option<String>>,
    /// Lines before the row that names the columns.
    pub skip_lines: Option<u64>,
    /// The sheet of a workbook; null: the first one that is not empty.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub sheet: Option<Option<String>>,
    /// The field that each of these columns fills; the others are mapped by their names.
    pub map: Option<BTreeMap<String, String>>,
    /// By what rows find their customers: `id`, or any field with one value.
    #[schema(example = "email")]
    pub r#match: Option<String>,
    pub no_match: Option<NoMatch>,
    pub several_match: Option<SeveralMatch>,
    pub tags: Option<Vec<String>>,
    pub consents: Option<ImportConsents>,
    /// A list that everybody is put on; null: none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub list: Option<Option<String>>,
}

/// A row that was not taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RejectFacts {
    /// Its line in the file, or its row in the sheet.
    pub line: u64,
    pub reason: String,
}

/// An import with the first rows of its file and the first that are not taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportDetail {
    #[serde(flatten)]
    pub import: ImportFacts,
    /// The first rows as they would be imported; null once the file is gone.
    pub preview: Option<Preview>,
    pub first_rejects: Vec<RejectFacts>,
}

/// What is there is given, even when it is null.
fn given<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

impl From<&Import> for ImportFacts {
    fn from(import: &Import) -> Self {
        Self {
            import: import.number,
            state: import.shown_state(),
            file: import.name.clone(),
            bytes: import.size,
            actor: import.actor.clone(),
            source: import.source,
            created_at: import.created_at,
            saved_at: import.saved_at,
            job: import.job,
            counts: import.counts,
            plan: PlanFacts::from(&import.plan),
            columns: import.findings.columns.clone(),
            ignored_columns: import.findings.ignored_columns.clone(),
            encoding: import.findings.encoding.clone(),
            problem: import.findings.problem.clone(),
        }
    }
}

impl From<&ImportPlan> for PlanFacts {
    fn from(plan: &ImportPlan) -> Self {
        let consent = |channel: Channel| {
            let mut consents = plan.consents.iter();
            consents.find(|(of, _)| *of == channel).map(|(_, is)| *is)
        };
        Self {
            kind: plan.kind,
            delimiter: plan.delimiter.clone(),
            encoding: plan.encoding.clone(),
            skip_lines: plan.skip_lines,
            sheet: plan.sheet.clone(),
            map: plan.map.iter().cloned().collect(),
            r#match: plan.key.clone().unwrap_or_else(|| ID.to_owned()),
            no_match: plan.no_match,
            several_match: plan.several_match,
            tags: plan.tags.clone(),
            consents: ImportConsents {
                email: consent(Channel::Email),
                sms: consent(Channel::Sms),
                push: consent(Channel::Push),
            },
            list: plan.list.clone(),
        }
    }
}

impl From<RejectedRow> for RejectFacts {
    fn from(row: RejectedRow) -> Self {
        Self {
            line: row.line,
            reason: row.reason,
        }
    }
}

impl ImportConsents {
    /// Those that are named.
    pub fn named(&self) -> Vec<(Channel, Consent)> {
        let all = [
            (Channel::Email, self.email),
            (Channel::Sms, self.sms),
            (Channel::Push, self.push),
        ];
        let named = all.into_iter();
        named
            .filter_map(|(channel, is)| Some((channel, is?)))
            .collect()
    }
}

impl PlanPatch {
    /// The plan as it is once it is changed.
    ///
    /// # Errors
    /// [`Error::BadPlan`] for a blank key.
    pub fn applied(self, to: &ImportPlan) -> Result<ImportPlan, Error> {
        let mut plan = to.clone();
        plan.kind = self.kind.unwrap_or(plan.kind);
        plan.delimiter = self.delimiter.unwrap_or(plan.delimiter);
        plan.encoding = self.encoding.unwrap_or(plan.encoding);
        plan.skip_lines = self.skip_lines.unwrap_or(plan.skip_lines);
        plan.sheet = self.sheet.unwrap_or(plan.sheet);
        plan.map = self.map.map_or(plan.map, |map| map.into_iter().collect());
        plan.no_match = self.no_match.unwrap_or(plan.no_match);
        plan.several_match = self.several_match.unwrap_or(plan.several_match);
        plan.tags = self.tags.unwrap_or(plan.tags);
        plan.consents = self.consents.map_or(plan.consents, |some| some.named());
        plan.list = self.list.unwrap_or(plan.list);
        if let Some(key) = self.r#match {
            if key.trim().is_empty() {
                return Err(Error::BadPlan {
                    field: "match",
                    reason: "must name a field, or `id`".to_owned(),
                });
            }
            plan.key = Some(key);
        }
        Ok(plan)
    }
}

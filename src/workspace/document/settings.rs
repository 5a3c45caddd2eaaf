//! Owns the written form of the daemon's settings.

use schemars::JsonSchema;
use serde::Deserialize;

use super::leaf::{Duration, Zone};
use super::word::Word;
use crate::domain::import_plan::{ImportKind, NoMatch, SeveralMatch};
use crate::domain::subscription::Consent;
use crate::workspace::spanned::{At, Named, Opt};

/// The settings of the daemon.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SettingsDoc {
    /// What people call this workspace.
    #[serde(rename = "workspace")]
    pub(crate) _workspace: At<String>,
    /// `sqlite://PATH` relative to the workspace, or `postgres://USER@HOST/DATABASE`;
    /// `sqlite://var/drumbeat.db` unless set.
    pub(crate) database: Opt<String>,
    /// `address:port`, or `off`; `127.0.0.1:8080` unless set.
    pub(crate) listen: Opt<String>,
    /// The zone of dates and of customers without one; `UTC` unless set.
    pub(crate) zone: Opt<Zone>,
    /// Where links in messages lead: `https://…`.
    pub(crate) public_url: Opt<String>,
    /// How long finished things are kept; for ever unless set.
    pub(crate) retention: Option<RetentionDoc>,
    /// The files that exports leave.
    pub(crate) reports: Option<ReportsDoc>,
    /// The key of links in messages, at least 32 characters; made and kept in the store unless set.
    pub(crate) link_secret: Opt<String>,
    /// How often one token of the API may ask.
    pub(crate) api: Option<ApiDoc>,
    /// Which pages of the company may tell of their visitors, through `drumbeat.js`; none unless set.
    pub(crate) site: Option<SiteDoc>,
    /// Files of customers, and taking imports back.
    pub(crate) imports: Option<ImportsDoc>,
    /// Places of others that are told what happens, by names of their own; none unless set.
    #[serde(default)]
    pub(crate) webhooks: Named<WebhookDoc>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WebhookDoc {
    /// Where it is told: `https://…`, or `http://…` within `allow-networks`.
    pub(crate) url: At<String>,
    /// What signatures are made with: `whsec_` and base64, or any text of 24 characters or more.
    pub(crate) secret: At<String>,
    /// The secret before, while the receiver changes over: messages carry a signature of each.
    pub(crate) former_secret: Opt<String>,
    /// What it is told, such as `dispatch.accepted` or `interaction.unsubscribed`.
    pub(crate) events: Vec<At<String>>,
    /// Networks that may be reached beside the public internet, such as `10.0.0.0/8`.
    #[serde(default)]
    pub(crate) allow_networks: Vec<At<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SiteDoc {
    /// The origins of the pages, such as `https://www.bank.example`.
    pub(crate) origins: Vec<At<String>>,
    /// What one address may tell in a second; 5 unless set.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) rate: Opt<u32>,
    /// What one address may tell at once, after a rest; 50 unless set.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) burst: Opt<u32>,
    /// Whether addresses are stored with what visitors do; false unless set.
    pub(crate) keep_address: Opt<bool>,
    /// Whether a proxy stands before the daemon and names the visitor's address last in `X-Forwarded-For`;
    /// false unless set.
    pub(crate) behind_proxy: Opt<bool>,
    /// With what proofs of who a visitor is are made, at least 32 characters; without it nobody is
    /// identified by a page.
    pub(crate) identify_secret: Opt<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ImportsDoc {
    /// The watched folder, relative to the workspace or from the root; none is watched unless set.
    pub(crate) folder: Opt<String>,
    /// A file that did not change for so long is whole; `10s` unless set.
    pub(crate) settle: Opt<Duration>,
    /// When files are taken, as a cron expression in the workspace's zone, such as `0 2 * * *`; at once
    /// unless set.
    pub(crate) nightly: Opt<String>,
    /// For so long an import can be taken back; `30d` unless set.
    pub(crate) revertible: Opt<Duration>,
    /// What files of these names are; the first pattern that fits counts. Without any, all are of customers.
    #[serde(default)]
    pub(crate) files: Vec<ImportFileDoc>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ImportFileDoc {
    /// The names, such as `customers-*.csv`.
    pub(crate) pattern: At<String>,
    /// What the rows are; `customers` unless set.
    pub(crate) kind: Opt<Word<ImportKind>>,
    /// The field by which rows find their customers; `id` unless set.
    #[serde(rename = "match")]
    pub(crate) key: Opt<String>,
    /// What becomes of a row that finds nobody; `create` unless set.
    pub(crate) no_match: Opt<Word<NoMatch>>,
    /// What becomes of a row that finds several customers; `reject` unless set.
    pub(crate) several_match: Opt<Word<SeveralMatch>>,
    /// Tags for everybody.
    #[serde(default)]
    pub(crate) tags: Vec<At<String>>,
    /// Consents of everybody.
    pub(crate) consents: Option<ImportConsentsDoc>,
    /// A list that everybody is put on.
    pub(crate) list: Opt<String>,
    /// The field that each of these columns fills.
    #[serde(default)]
    pub(crate) map: Named<At<String>>,
    /// What separates the cells: `,` `;` `tab` `|`; detected unless set.
    pub(crate) delimiter: Opt<String>,
    /// Such as `windows-1252`; detected unless set.
    pub(crate) encoding: Opt<String>,
    /// Lines before the row that names the columns.
    pub(crate) skip_lines: Opt<u32>,
    /// The sheet of a workbook; the first one that is not empty unless set.
    pub(crate) sheet: Opt<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ImportConsentsDoc {
    pub(crate) email: Opt<Word<Consent>>,
    pub(crate) sms: Opt<Word<Consent>>,
    pub(crate) push: Opt<Word<Consent>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ApiDoc {
    /// Requests of one token in a second; 50 unless set.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) rate: Opt<u32>,
    /// Requests of one token at once, after a rest; 200 unless set.
    #[schemars(range(min = 1, max = 100_000))]
    pub(crate) burst: Opt<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReportsDoc {
    /// How long they are kept; 7d unless set.
    pub(crate) keep: Opt<Duration>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RetentionDoc {
    pub(crate) interactions: Opt<Duration>,
    /// For how long an interaction that is sent again is known by its id.
    pub(crate) interaction_ids: Opt<Duration>,
    pub(crate) dispatches: Opt<Duration>,
}

//! Owns the settings of the daemon as `drumbeat.yaml` says them; secrets are still references.

use serde::{Deserialize, Serialize};

use super::duration::Delay;
use super::gateway::Secretive;
use super::import_plan::ImportPlan;
use super::webhook::Webhook;

/// What belongs to IT and is not part of a revision (the zone and the public URL are in both).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonSettings {
    /// `sqlite://PATH`, relative to the workspace, or `postgres://USER@HOST/DATABASE`.
    pub database: Secretive,
    /// Where HTTP is served: `address:port`, or `off`.
    pub listen: Secretive,
    pub public_url: Option<Secretive>,
    pub zone: String,
    pub retention: Retention,
    /// The key of links in messages (at least 32 characters); generated and kept in the store when absent.
    pub link_secret: Option<Secretive>,
    /// How often one token of the API may ask.
    #[serde(default)]
    pub api: RequestRate,
    /// Which pages may tell of their visitors; none unless set.
    #[serde(default)]
    pub site: Option<SiteSettings>,
    /// What becomes of files of customers.
    #[serde(default)]
    pub imports: ImportSettings,
    /// Places of others that are told what happens.
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
}

impl Default for DaemonSettings {
    fn default() -> Self {
        Self {
            database: Secretive("sqlite://var/drumbeat.db".to_owned()),
            listen: Secretive("127.0.0.1:8080".to_owned()),
            public_url: None,
            zone: "UTC".to_owned(),
            retention: Retention::default(),
            link_secret: None,
            api: RequestRate::default(),
            site: None,
            imports: ImportSettings::default(),
            webhooks: Vec::new(),
        }
    }
}

/// What becomes of files of customers, and of imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSettings {
    /// The watched folder, relative to the workspace; none is watched unless set.
    pub folder: Option<String>,
    /// A file that did not change for so long is whole.
    pub settle: Delay,
    /// When files are taken, as a cron expression in the workspace's zone; at once unless set.
    pub nightly: Option<String>,
    /// For so long an import can be taken back.
    pub revertible: Delay,
    /// What files of these names are; the first pattern that fits counts.
    pub files: Vec<ImportPattern>,
}

/// Files of the watched folder that are imported alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPattern {
    /// `*` stands for any characters, `?` for one.
    pub pattern: String,
    pub plan: ImportPlan,
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            folder: None,
            settle: Delay::seconds(10),
            nightly: None,
            revertible: Delay::days(30),
            files: Vec::new(),
        }
    }
}

/// How long finished things are kept; nothing set keeps them for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Retention {
    pub interactions: Option<Delay>,
    /// For how long an interaction that is sent again is known by its id.
    #[serde(default)]
    pub interaction_ids: Option<Delay>,
    pub dispatches: Option<Delay>,
    /// Files of exports; some days when nothing is set.
    #[serde(default)]
    pub reports: Option<Delay>,
}

/// How often one token may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRate {
    /// Requests in a second, on and on.
    pub per_second: u32,
    /// Requests at once, after a rest.
    pub burst: u32,
}

impl Default for RequestRate {
    fn default() -> Self {
        Self {
            per_second: 50,
            burst: 200,
        }
    }
}

/// What `site` of the settings says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSettings {
    /// The origins (RFC 6454) of the pages, such as `https://www.bank.example`.
    pub origins: Vec<String>,
    /// How often one address may tell.
    pub rate: RequestRate,
    /// Whether addresses are stored with what visitors do.
    pub keep_address: bool,
    /// Whether a proxy stands before the daemon and names the visitor's address last in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// With what proofs are made (at least 32 characters); without it nobody can be identified.
    pub identify_secret: Option<Secretive>,
}

impl SiteSettings {
    /// What one address may tell unless the settings say otherwise.
    pub const RATE: RequestRate = RequestRate {
        per_second: 5,
        burst: 50,
    };
}

//! Owns the written form of a mail relay.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::gateway::SmtpSecurity;
use crate::workspace::document::leaf::{Port, Rate};
use crate::workspace::document::word::Word;
use crate::workspace::spanned::{At, Named, Opt};

/// A mail relay (RFC 5321).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SmtpDoc {
    pub(crate) host: At<String>,
    /// 587 unless set, 465 with `tls`, 25 with `none`.
    pub(crate) port: Opt<Port>,
    /// `starttls` unless set.
    pub(crate) security: Opt<Word<SmtpSecurity>>,
    pub(crate) username: Opt<String>,
    pub(crate) password: Opt<String>,
    /// PEM certificates to trust beside the system's.
    pub(crate) ca_file: Opt<String>,
    /// What goes to recipients of one domain, by its name; `*` is each that is not named.
    #[serde(default)]
    pub(crate) domains: Named<DomainDoc>,
}

/// How much mail goes to one domain.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DomainDoc {
    /// How many mails at once; no limit of its own unless set.
    pub(crate) connections: Opt<u32>,
    /// How many in a time, such as `20 per second`; no limit of its own unless set.
    pub(crate) pace: Opt<Rate>,
}

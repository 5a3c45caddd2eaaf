//! Owns what a gateway is opened from: its channel's configuration, the workspace's folder, and a way to reveal secrets.

use std::error::Error;
use std::fmt::Display;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::domain::channel::Channel;
use crate::domain::gateway::{ChannelConfig, Secretive};
use crate::domain::return_path::ReturnKey;

/// Turns a text with references into its value.
pub type Reveal<'a> = dyn Fn(&Secretive) -> Result<SecretString, Box<dyn Error + Send + Sync>> + 'a;

/// All that a gateway may look at when it is opened.
pub struct Setup<'a> {
    pub config: &'a ChannelConfig,
    /// What relative paths of the configuration start from.
    pub workspace: &'a Path,
    pub reveal: &'a Reveal<'a>,
    /// What seals the return paths of e-mails; none: nobody reads what comes back.
    pub returns: Option<&'a ReturnKey>,
}

/// Why a gateway cannot be opened: the channel, the key, the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("channel `{channel}`: `{key}`: {reason}")]
pub struct BadGateway {
    pub channel: Channel,
    pub key: String,
    pub reason: String,
}

impl Setup<'_> {
    pub fn bad(&self, key: &str, reason: &(impl Display + ?Sized)) -> BadGateway {
        BadGateway {
            channel: self.config.channel,
            key: key.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub fn secret(&self, key: &str, text: &Secretive) -> Result<SecretString, BadGateway> {
        (self.reveal)(text).map_err(|error| self.bad(key, &error))
    }

    pub fn text(&self, key: &str, text: &Secretive) -> Result<String, BadGateway> {
        let secret = self.secret(key, text)?;
        Ok(secret.expose_secret().to_owned())
    }

    /// The same for a key that may be absent.
    pub fn optional<T>(
        &self,
        text: Option<&Secretive>,
        read: impl FnOnce(&Secretive) -> Result<T, BadGateway>,
    ) -> Result<Option<T>, BadGateway> {
        text.map(read).transpose()
    }
}

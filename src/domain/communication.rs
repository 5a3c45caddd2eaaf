//! Owns communications: what a step says, before it is rendered for one customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::draw::draw;

/// Template source, perhaps by language. A customer without a language of it gets the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Localized {
    pub default: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_language: BTreeMap<String, String>,
}

impl Localized {
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            default: text.into(),
            by_language: BTreeMap::new(),
        }
    }

    /// The text in `language`, else in its main language (`es` for `es-MX` or `ES`), else the default.
    pub fn in_language(&self, language: Option<&str>) -> &str {
        let main = |language: &str| {
            let subtag = language.split(['-', '_']).next().unwrap_or(language);
            self.by_language.get(&subtag.to_ascii_lowercase())
        };
        language
            .and_then(|language| self.by_language.get(language).or_else(|| main(language)))
            .unwrap_or(&self.default)
    }

    /// Every text with its language; the default has none when languages are not used.
    pub fn texts(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let localized = self
            .by_language
            .iter()
            .map(|(l, text)| (Some(l.as_str()), text.as_str()));
        let alone = self
            .by_language
            .is_empty()
            .then_some((None, self.default.as_str()));
        localized.chain(alone)
    }
}

/// What is said, in one way or in several that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Communication {
    /// What is said where there are no variants.
    #[serde(flatten)]
    pub content: Content,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
}

/// One of several ways to say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub id: String,
    /// Of those who are written to, in ten-thousandths; all variants of a communication make up the whole.
    pub share: u32,
    pub content: Content,
}

impl From<Content> for Communication {
    fn from(content: Content) -> Self {
        Self {
            content,
            variants: Vec::new(),
        }
    }
}

impl Communication {
    pub fn channel(&self) -> Channel {
        self.content.channel()
    }

    /// The variant for one customer at one step: always the same while the shares are.
    pub fn variant_for(&self, customer: &str, flow: &str, step: &str) -> Option<&Variant> {
        if self.variants.is_empty() {
            return None;
        }
        let mut drawn = draw(&["variant", customer, flow, step]);
        self.variants.iter().find(|variant| {
            let is_it = drawn < variant.share;
            drawn = drawn.saturating_sub(variant.share);
            is_it
        })
    }

    /// Everything that it may say, with the variant's name.
    pub fn ways(&self) -> impl Iterator<Item = (Option<&str>, &Content)> {
        let alone = self.variants.is_empty().then_some((None, &self.content));
        let variants = self.variants.iter();
        let variants = variants.map(|variant| (Some(variant.id.as_str()), &variant.content));
        alone.into_iter().chain(variants)
    }
}

/// What a message is made from: template sources, by channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    Email(EmailContent),
    Sms(SmsContent),
    Push(PushContent),
}

impl Content {
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Sms(_) => Channel::Sms,
            Self::Push(_) => Channel::Push,
        }
    }
}

/// At least one of `html` and `text` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailContent {
    pub subject: Localized,
    pub preheader: Option<Localized>,
    /// Overrides the channel's sender.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    pub html: Option<Localized>,
    pub text: Option<Localized>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsContent {
    pub text: Localized,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushContent {
    pub title: Localized,
    pub body: Localized,
    pub link: Option<String>,
}

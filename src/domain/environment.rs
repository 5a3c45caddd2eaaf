//! Owns with what a customer is seen: address, browser, operating system, kind of device.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What somebody told of it; what nobody told is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// With what a customer was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEnvironment {
    pub environment: Environment,
    pub at: Timestamp,
}

/// What a browser's `User-Agent` holds (RFC 9110 §10.1.5), the more particular before what it pretends to be.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl Environment {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a browser says of itself, without versions: those would tell one visitor from another.
    pub fn of_browser(user_agent: &str) -> Self {
        let first = |known: &[(&str, &str)]| {
            let found = known.iter().find(|(mark, _)| user_agent.contains(mark));
            found.map(|(_, name)| (*name).to_owned())
        };
        let browser = first(&BROWSERS);
        let is_mobile = user_agent.contains("Mobi") || user_agent.contains("iPad");
        let device = if is_mobile { "mobile" } else { "desktop" };
        Self {
            ip: None,
            device: browser.is_some().then(|| device.to_owned()),
            browser,
            os: first(&SYSTEMS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_what_it_says_before_what_it_pretends_to_be() {
        for (said, browser, os, device) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge",
                "Windows",
                "desktop",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari",
                "iOS",
                "mobile",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox",
                "Linux",
                "desktop",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
                "mobile",
            ),
        ] {
            let known = Environment::of_browser(said);
            let told = [&known.browser, &known.os, &known.device].map(|part| part.as_deref());
            assert_eq!(told, [browser, os, device].map(Some), "{said}");
        }
        assert!(Environment::of_browser("curl/8.14").is_empty());
    }
}

//! Owns the process's environment and systemd credentials: the only reader of either, and what puts them in place of references.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::domain::gateway::Secretive;

/// Where systemd tells a unit its credentials lie (systemd.exec(5), `LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A snapshot of the environment, and the folder of credentials if there is one.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    variables: BTreeMap<String, SecretString>,
    credentials: Option<PathBuf>,
}

/// Why a text's references cannot be turned into values.
#[derive(Debug, thiserror::Error)]
pub enum BadReference {
    #[error("`{0}` opens a reference that is never closed: write `${{NAME}}`")]
    Open(String),
    #[error("`${{{0}}}` is no reference: write `${{NAME}}` or `${{credential:NAME}}`")]
    Unknown(String),
    #[error("`${{{0}}}` is not set: set the environment variable `{0}`")]
    Variable(String),
    #[error(
        "`${{credential:{0}}}` needs systemd's credentials: add `LoadCredential={0}:PATH` to the unit, or set `CREDENTIALS_DIRECTORY` to a folder with a file `{0}`"
    )]
    NoFolder(String),
    #[error(
        "`${{credential:{name}}}`: `{}` cannot be read: {source}; add `LoadCredential={name}:PATH` to the unit",
        .path.display()
    )]
    Credential {
        name: String,
        path: PathBuf,
        source: std::io::Error,
    },
}

impl Settings {
    /// The environment as it is now. A value that is not UTF-8 counts as not set.
    pub fn from_process() -> Self {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_variables(texts)
    }

    /// The same from given variables; `CREDENTIALS_DIRECTORY` among them names the folder.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables: BTreeMap<String, SecretString> = variables
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let credentials = variables
            .get(CREDENTIALS)
            .map(|folder| PathBuf::from(folder.expose_secret()));
        Self {
            variables,
            credentials,
        }
    }

    /// One variable, when it is set.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(ExposeSecret::expose_secret)
    }

    /// The text with `${NAME}` and `${credential:NAME}` replaced. Values are not looked into again.
    pub fn reveal(&self, text: &Secretive) -> Result<SecretString, BadReference> {
        self.text(text).map(SecretString::from)
    }

    /// The same for what is no secret, such as a host or a port.
    pub fn text(&self, text: &Secretive) -> Result<String, BadReference> {
        let mut rest = text.0.as_str();
        let mut value = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once("${") {
            let (reference, beyond) = after
                .split_once('}')
                .ok_or_else(|| BadReference::Open(format!("${{{after}")))?;
            value.push_str(before);
            value.push_str(&self.value(reference)?);
            rest = beyond;
        }
        value.push_str(rest);
        Ok(value)
    }

    fn value(&self, reference: &str) -> Result<String, BadReference> {
        if let Some(name) = reference.strip_prefix("credential:") {
            return self.credential(name);
        }
        if !is_variable(reference) {
            return Err(BadReference::Unknown(reference.to_owned()));
        }
        self.variable(reference)
            .map(str::to_owned)
            .ok_or_else(|| BadReference::Variable(reference.to_owned()))
    }

    fn credential(&self, name: &str) -> Result<String, BadReference> {
        if !is_credential(name) {
            return Err(BadReference::Unknown(format!("credential:{name}")));
        }
        let folder = self
            .credentials
            .as_deref()
            .ok_or_else(|| BadReference::NoFolder(name.to_owned()))?;
        read(folder, name)
    }
}

fn read(folder: &Path, name: &str) -> Result<String, BadReference> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|source| BadReference::Credential {
        name: name.to_owned(),
        path,
        source,
    })?;
    // An editor ends a file with a newline that nobody means.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// A file's name and no path, so that a reference never leaves the folder.
fn is_credential(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::from_variables(owned)
    }

    fn said(settings: &Settings, text: &str) -> String {
        match settings.text(&Secretive(text.to_owned())) {
            Ok(value) => value,
            Err(bad) => format!("error: {bad}"),
        }
    }

    #[test]
    fn references_become_values_and_values_are_not_looked_into() {
        let settings = settings(&[("HOST", "relay.test"), ("ODD", "a${HOST}b"), ("EMPTY", "")]);
        assert_eq!(said(&settings, "plain $5 {x}"), "plain $5 {x}");
        assert_eq!(said(&settings, "${HOST}:25"), "relay.test:25");
        assert_eq!(said(&settings, "<${ODD}>${EMPTY}"), "<a${HOST}b>");
    }

    #[test]
    fn what_cannot_be_replaced_says_what_to_set() {
        let settings = settings(&[]);
        for (text, expected) in [
            (
                "${SMTP_HOST}",
                "error: `${SMTP_HOST}` is not set: set the environment variable `SMTP_HOST`",
            ),
            (
                "x${HOST",
                "error: `${HOST` opens a reference that is never closed: write `${NAME}`",
            ),
            (
                "${file:/etc/passwd}",
                "error: `${file:/etc/passwd}` is no reference: write `${NAME}` or `${credential:NAME}`",
            ),
            (
                "${credential:../shadow}",
                "error: `${credential:../shadow}` is no reference: write `${NAME}` or `${credential:NAME}`",
            ),
        ] {
            assert_eq!(said(&settings, text), expected);
        }
        assert!(said(&settings, "${credential:smtp}").contains("LoadCredential=smtp:PATH"));
    }

    #[test]
    fn a_credential_is_its_file_without_the_last_newline() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("smtp"), "s3cret \n\n").unwrap();
        let path = folder.path().to_str().unwrap();
        let settings = settings(&[(CREDENTIALS, path)]);
        assert_eq!(said(&settings, "${credential:smtp}"), "s3cret \n");
        assert!(said(&settings, "${credential:other}").contains("cannot be read"));
        let revealed = settings.reveal(&Secretive("${credential:smtp}".to_owned()));
        assert!(!format!("{:?} {settings:?}", revealed.unwrap()).contains("s3cret"));
    }
}

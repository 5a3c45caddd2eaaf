//! Owns what every part of resolving needs: the files, the names, what is resolved already, the report.

use std::cell::RefCell;

use jiff::tz::TimeZone;
use secrecy::SecretString;

use crate::domain::field::DataModel;
use crate::domain::gateway::{Secretive, SmsRules};
use crate::domain::policy::Policy;
use crate::workspace::diagnostic::{Finding, Report};
use crate::workspace::names::Names;
use crate::workspace::node::Span;
use crate::workspace::source::Sources;

pub(crate) struct Context<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) names: &'a Names,
    pub(crate) zone: TimeZone,
    pub(crate) model: DataModel,
    pub(crate) policy: Policy,
    /// What the channel `sms` says of its messages.
    pub(crate) sms: SmsRules,
    pub(crate) report: RefCell<Report>,
    /// The values of references, where they are known.
    pub(crate) reveal: &'a Reveal<'a>,
}

/// Puts values in place of a text's references; none, where one is not known.
pub(crate) type Reveal<'a> = dyn Fn(&Secretive) -> Option<SecretString> + 'a;

impl Context<'_> {
    /// The text with the values of its references, where they are known here.
    pub(crate) fn reveal(&self, text: &str) -> Option<SecretString> {
        (self.reveal)(&Secretive(text.to_owned()))
    }

    pub(crate) fn add(&self, finding: Finding) {
        self.report.borrow_mut().add(finding);
    }

    /// The same, unless it is said already: of a file that several include.
    pub(crate) fn add_once(&self, finding: Finding) {
        let is_said = self.report.borrow().findings.contains(&finding);
        if !is_said {
            self.add(finding);
        }
    }

    /// Reports an error and goes on without the value.
    pub(crate) fn refuse<T>(&self, finding: Finding) -> Option<T> {
        self.add(finding);
        None
    }

    /// Reports what a check found; true when it found nothing.
    pub(crate) fn holds(&self, checked: Result<(), Finding>) -> bool {
        match checked {
            Ok(()) => true,
            Err(finding) => {
                self.add(finding);
                false
            }
        }
    }

    /// The text of a file at a span.
    pub(crate) fn slice(&self, span: Span) -> &str {
        let whole = |offset: u32| usize::try_from(offset).unwrap_or_default();
        self.sources
            .file(span.file)
            .and_then(|file| file.bytes.get(whole(span.start)..whole(span.end)))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

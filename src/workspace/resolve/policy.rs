//! Owns reading the policy.

use std::collections::BTreeMap;

use crate::domain::approval::ApprovalRule;
use crate::domain::channel::Channel;
use crate::domain::policy::{Category, FrequencyCap, Organization, Policy, Purpose, QuietHours};
use crate::domain::subscription::ConsentRule;
use crate::workspace::diagnostic::Report;
use crate::workspace::document::leaf::Hours;
use crate::workspace::document::policy::{
    CapDoc, CategoryDoc, ConsentDoc, PolicyDoc, QuietHoursDoc, RulesDoc,
};
use crate::workspace::document::word::Word;
use crate::workspace::documents::Doc;
use crate::workspace::names::Names;
use crate::workspace::rules::{service_purpose, unknown_field};
use crate::workspace::spanned::{At, Opt, TextOr};

pub(crate) fn policy(documents: &[Doc<PolicyDoc>], names: &Names, report: &mut Report) -> Policy {
    let defaults = Policy::default();
    let Some(doc) = documents.first().map(|doc| &doc.written.policy.value) else {
        return defaults;
    };
    let mut field = |written: &Opt<String>, otherwise: String| {
        let Some(field) = written else {
            return otherwise;
        };
        if let Err(finding) = unknown_field::check(names, field.span, field) {
            report.add(finding);
        }
        field.value.clone()
    };
    let language_field = field(&doc.language_field, defaults.language_field);
    let zone_field = field(&doc.zone_field, defaults.zone_field);
    Policy {
        approval: doc.approval.as_ref().map(|written| ApprovalRule {
            above: u64::from(written.above.value),
        }),
        control_group: doc.control_group.as_ref().map_or(0, |share| share.0),
        organization: doc
            .organization
            .as_ref()
            .map_or_else(Organization::default, |written| {
                let address = written.postal_address.as_ref();
                Organization {
                    name: written.name.value.clone(),
                    postal_address: address.map_or_else(String::new, |text| text.value.clone()),
                }
            }),
        categories: categories(doc, report),
        groups: doc
            .groups
            .0
            .iter()
            .map(|(id, name)| (id.value.clone(), name.value.clone()))
            .collect(),
        consent: doc.consent.as_ref().map(consent).unwrap_or_default(),
        quiet_hours: doc
            .quiet_hours
            .as_ref()
            .map(quiet_hours)
            .unwrap_or_default(),
        caps: doc.frequency_caps.iter().map(cap).collect(),
        languages: doc
            .languages
            .iter()
            .map(|code| code.value.clone())
            .collect(),
        language_field,
        zone_field,
        holidays: doc.holidays.iter().map(|day| day.0).collect(),
    }
}

fn categories(doc: &RulesDoc, report: &mut Report) -> BTreeMap<String, Category> {
    let mut categories = BTreeMap::new();
    for (id, written) in &doc.categories.0 {
        let category = category(id, &written.value);
        if category.purpose == Purpose::Service {
            report.add(service_purpose::finding(id.span, id));
        }
        categories.insert(id.value.clone(), category);
    }
    categories
}

fn category(id: &At<String>, written: &TextOr<CategoryDoc>) -> Category {
    match written {
        TextOr::Text(name) => Category {
            name: name.clone(),
            purpose: Purpose::Marketing,
        },
        TextOr::Other(doc) => Category {
            name: doc
                .name
                .as_ref()
                .map_or_else(|| id.value.clone(), |name| name.value.clone()),
            purpose: doc
                .purpose
                .as_ref()
                .map_or(Purpose::Marketing, |word| word.0),
        },
    }
}

fn consent(doc: &ConsentDoc) -> BTreeMap<Channel, ConsentRule> {
    let rule = |channel, word: &Opt<Word<ConsentRule>>| Some((channel, word.as_ref()?.0));
    [
        rule(Channel::Email, &doc.email),
        rule(Channel::Sms, &doc.sms),
        rule(Channel::Push, &doc.push),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn quiet_hours(doc: &QuietHoursDoc) -> BTreeMap<Channel, QuietHours> {
    let hours = |channel, hours: &Opt<Hours>| {
        let (from, until) = hours.as_ref()?.0;
        Some((channel, QuietHours { from, until }))
    };
    [
        hours(Channel::Email, &doc.email),
        hours(Channel::Sms, &doc.sms),
        hours(Channel::Push, &doc.push),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn cap(doc: &CapDoc) -> FrequencyCap {
    let (limit, per) = doc.limit.0;
    let channels = doc.channels.as_ref().map_or_else(
        || Channel::ALL.to_vec(),
        |channels| channels.iter().map(|word| word.0).collect(),
    );
    FrequencyCap {
        limit,
        per,
        channels,
        retry_for: doc.retry_for.as_ref().map(|span| span.0),
    }
}

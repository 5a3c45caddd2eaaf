//! Owns how scopes of subscriptions are said in plain words.

use crate::domain::channel::Channel;
use crate::domain::policy::{Category, Purpose};
use crate::domain::revision::Revision;
use crate::domain::subscription::Scope;
use crate::web::language::Language;

/// What a scope covers, to stand after "we will stop sending you": `e-mails about “Credit cards”`.
pub(super) fn messages_of(scope: &Scope, revision: &Revision, language: Language) -> String {
    let kind = channel(scope.channel, language);
    match subject(scope, revision, language) {
        Some(subject) => format!("{kind} {} {subject}", language.say("about", "sobre")),
        None => format!("{} {kind}", all(scope.channel, language)),
    }
}

/// The name of a campaign or of the flow that is one; its id when it left the files.
pub(super) fn campaign_name<'a>(id: &'a str, revision: &'a Revision) -> &'a str {
    let campaign = revision.campaigns.get(id).map(|campaign| &campaign.name);
    let flow = || revision.flows.get(id).map(|flow| &flow.name);
    campaign.or_else(flow).map_or(id, String::as_str)
}

/// The names of the categories that unsubscribing does not stop, in one list.
pub(super) fn service_categories(revision: &Revision) -> String {
    let service = |category: &&Category| category.purpose == Purpose::Service;
    let categories = revision.policy.categories.values().filter(service);
    let names: Vec<&str> = categories.map(|category| category.name.as_str()).collect();
    names.join(", ")
}

fn subject(scope: &Scope, revision: &Revision, language: Language) -> Option<String> {
    let category = scope.category.as_deref().map(|id| {
        let category = revision.policy.categories.get(id);
        category.map_or(id, |category| category.name.as_str())
    });
    let group = scope.group.as_deref().map(|id| {
        let group = revision.policy.groups.get(id);
        group.map_or(id, String::as_str)
    });
    let campaign = scope.campaign.as_deref();
    let campaign = campaign.map(|id| campaign_name(id, revision));
    let names: Vec<String> = [campaign, category, group]
        .into_iter()
        .flatten()
        .map(|name| match language {
            Language::English => format!("“{name}”"),
            Language::Spanish => format!("«{name}»"),
        })
        .collect();
    let within = language.say(" within ", " dentro de ");
    (!names.is_empty()).then(|| names.join(within))
}

fn channel(channel: Option<Channel>, language: Language) -> &'static str {
    match channel {
        None => language.say("messages", "mensajes"),
        Some(Channel::Email) => language.say("e-mails", "correos electrónicos"),
        Some(Channel::Sms) => language.say("text messages", "mensajes de texto"),
        Some(Channel::Push) => language.say("app notifications", "notificaciones de la aplicación"),
    }
}

fn all(channel: Option<Channel>, language: Language) -> &'static str {
    match channel {
        Some(Channel::Push) => language.say("all", "todas las"),
        _ => language.say("all", "todos los"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision() -> Revision {
        let mut revision = Revision::default();
        let cards = Category {
            name: "Credit cards".to_owned(),
            purpose: Purpose::Marketing,
        };
        let statements = Category {
            name: "Statements".to_owned(),
            purpose: Purpose::Service,
        };
        revision.policy.categories.insert("cards".to_owned(), cards);
        let categories = &mut revision.policy.categories;
        categories.insert("statements".to_owned(), statements);
        let groups = &mut revision.policy.groups;
        groups.insert("retail".to_owned(), "Retail banking".to_owned());
        revision
    }

    fn said(scope: &Scope) -> [String; 2] {
        [Language::English, Language::Spanish]
            .map(|language| messages_of(scope, &revision(), language))
    }

    #[test]
    fn scopes_are_said_in_plain_words() {
        let cards = Scope {
            category: Some("cards".to_owned()),
            ..Scope::default()
        };
        let cards_in_retail_by_push = Scope {
            group: Some("retail".to_owned()),
            channel: Some(Channel::Push),
            ..cards.clone()
        };
        let push = Scope {
            channel: Some(Channel::Push),
            ..Scope::default()
        };
        let unknown = Scope {
            campaign: Some("gone".to_owned()),
            ..Scope::default()
        };
        assert_eq!(
            said(&cards),
            [
                "messages about “Credit cards”",
                "mensajes sobre «Credit cards»"
            ]
        );
        assert_eq!(
            said(&cards_in_retail_by_push)[0],
            "app notifications about “Credit cards” within “Retail banking”"
        );
        assert_eq!(
            said(&push),
            [
                "all app notifications",
                "todas las notificaciones de la aplicación"
            ]
        );
        assert_eq!(
            said(&Scope::EVERYTHING),
            ["all messages", "todos los mensajes"]
        );
        assert_eq!(said(&unknown)[0], "messages about “gone”");
    }

    #[test]
    fn only_service_categories_stay_after_unsubscribing() {
        assert_eq!(service_categories(&revision()), "Statements");
    }
}

//! Owns a scope of consent in words.

use super::subscription::Scope;

/// A scope in words: `category credit-cards and channel sms`.
pub fn words(scope: &Scope) -> String {
    let channel = scope.channel.map(|channel| channel.as_str().to_owned());
    let dimensions = [
        ("campaign", scope.campaign.clone()),
        ("category", scope.category.clone()),
        ("group", scope.group.clone()),
        ("channel", channel),
    ];
    let parts: Vec<String> = dimensions
        .into_iter()
        .filter_map(|(dimension, name)| name.map(|name| format!("{dimension} {name}")))
        .collect();
    if parts.is_empty() {
        "everything".to_owned()
    } else {
        parts.join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::Channel;

    #[test]
    fn a_scope_names_its_dimensions() {
        let cards = Scope {
            category: Some("credit-cards".to_owned()),
            channel: Some(Channel::Sms),
            ..Scope::default()
        };
        assert_eq!(words(&cards), "category credit-cards and channel sms");
        assert_eq!(words(&Scope::EVERYTHING), "everything");
    }
}

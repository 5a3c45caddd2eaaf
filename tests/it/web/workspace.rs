//! Owns the small workspace that the web tests run on.

use std::collections::BTreeMap;

use drumbeat::domain::campaign::{Active, Campaign};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::communication::{Communication, Content, Localized, SmsContent};
use drumbeat::domain::duration::Delay;
use drumbeat::domain::field::{Cardinality, Field, FieldCategory, FieldType, Tag};
use drumbeat::domain::flow::{
    Action, Entry, Exit, Flow, FlowStatus, OnEdit, OnResume, OnSkip, OnStop, Step,
};
use drumbeat::domain::gateway::{ChannelConfig, FileGateway, Gateway, RetryPolicy};
use drumbeat::domain::policy::{Category, Organization, Purpose};
use drumbeat::domain::revision::Revision;
use drumbeat::domain::segment::{Condition, Segment, Test};
use drumbeat::domain::subscription::LinkScope;
use drumbeat::domain::timing::When;
use drumbeat::domain::value::Value;

/// One flow that can be dismissed, one campaign that can be and one that cannot, two channels.
pub(super) fn revision() -> Revision {
    let mut revision = Revision::default();
    revision.policy.organization = Organization {
        name: "Lakeside Credit Union".to_owned(),
        postal_address: "12 Shore Road, Lakeside, OH 44000".to_owned(),
    };
    for (id, name, purpose) in [
        ("onboarding", "Onboarding", Purpose::Marketing),
        ("credit-cards", "Credit cards", Purpose::Marketing),
        ("statements", "Statements", Purpose::Service),
    ] {
        let name = name.to_owned();
        let category = Category { name, purpose };
        revision.policy.categories.insert(id.to_owned(), category);
    }
    let groups = &mut revision.policy.groups;
    groups.insert("retail".to_owned(), "Retail banking".to_owned());
    for channel in [Channel::Email, Channel::Sms] {
        revision.channels.insert(channel, file_channel(channel));
    }
    let products = Field {
        identifier: "products".to_owned(),
        description: "Products".to_owned(),
        kind: FieldType::Text,
        category: FieldCategory::Profile,
        cardinality: Cardinality::Many,
        choices: Vec::new(),
        validations: Vec::new(),
    };
    revision.data_model.fields.push(products);
    let vip = Tag {
        description: Some("Very important".to_owned()),
        color: Some("#0a7d5a".to_owned()),
    };
    revision.data_model.tags.insert("vip".to_owned(), vip);
    let members = Segment {
        id: "new-members".to_owned(),
        description: Some("Who lives in Lyon".to_owned()),
        condition: Condition::Field {
            field: "city".to_owned(),
            test: Test::Is(Value::Text("Lyon".to_owned())),
        },
    };
    revision.segments.insert(members.id.clone(), members);
    let flow = flow();
    revision.flows.insert(flow.id.clone(), flow);
    let mut gold = campaign("gold-card", "Rewards Gold <Card>", true);
    gold.communications = BTreeMap::from([("offer-text".to_owned(), text("Gold for you"))]);
    for campaign in [gold, campaign("loyalty", "Loyalty points", false)] {
        revision.campaigns.insert(campaign.id.clone(), campaign);
    }
    revision
}

fn campaign(id: &str, name: &str, dismissable: bool) -> Campaign {
    Campaign {
        id: id.to_owned(),
        name: name.to_owned(),
        category: Some("credit-cards".to_owned()),
        group: Some("retail".to_owned()),
        segment: None,
        active: Active::default(),
        unsubscribe: LinkScope::Category,
        dismissable,
        communications: BTreeMap::new(),
    }
}

fn text(words: &str) -> Communication {
    Content::Sms(SmsContent {
        text: Localized::plain(words),
    })
    .into()
}

fn flow() -> Flow {
    let content = text("Welcome");
    Flow {
        id: "new-member-onboarding".to_owned(),
        name: "New member onboarding".to_owned(),
        category: Some("onboarding".to_owned()),
        group: None,
        status: FlowStatus::Active,
        segment: "new-members".to_owned(),
        entry: Entry::default(),
        exit: Exit::default(),
        goal: None,
        window: None,
        on_edit: OnEdit::default(),
        on_resume: OnResume::default(),
        stop: OnStop::default(),
        max_lateness: Delay::hours(72),
        unsubscribe: LinkScope::Campaign,
        dismissable: true,
        moved_to: BTreeMap::new(),
        steps: vec![Step {
            id: "welcome".to_owned(),
            when: When::After(Delay::days(4)),
            at: None,
            condition: None,
            window: None,
            on_skip: OnSkip::default(),
            actions: vec![Action {
                reuses: None,
                content,
            }],
        }],
    }
}

fn file_channel(channel: Channel) -> ChannelConfig {
    ChannelConfig {
        channel,
        gateway: Gateway::File(FileGateway {
            folder: "var/out".to_owned(),
        }),
        from: None,
        reply_to: None,
        address_field: channel.as_str().to_owned(),
        pace: None,
        retry: RetryPolicy::default(),
        on_uncertain: None,
        tracking: drumbeat::domain::tracking::Tracking::default(),
        email: drumbeat::domain::gateway::EmailRules::default(),
        sms: drumbeat::domain::gateway::SmsRules::default(),
        replies: drumbeat::domain::reply_word::ReplyRules::default(),
        slots: 1,
        connections: 1,
    }
}

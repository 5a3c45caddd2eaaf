//! Owns a test for each rule: what triggers it, and where it points.

use super::folder::Folder;
use super::table::{FLOW, POLICY, SEGMENT, all, gives};

#[test]
fn names_that_are_not_there_are_told() {
    all(r"
flow ~ segment: new-members ~ segment: new-member ~ missing-segment
segment ~ { random: 50% } ~ { segment: nobody } ~ missing-segment
campaign ~ segment: new-members ~ segment: nobody ~ missing-segment
flow ~ gold-card/offer-text ~ silver-card/offer-text ~ missing-campaign
flow ~ campaign: gold-card ~ campaign: silver-card ~ missing-campaign
flow ~ gold-card/offer-text ~ gold-card/offer-txt ~ missing-communication
segment ~ field: city ~ field: citty ~ unknown-field
policy ~   holidays: ~   zone-field: zones\n  holidays: ~ unknown-field
channels ~ pace: 50 ~ address-field: mail\npace: 50 ~ unknown-field
segment ~ tag: staff ~ tag: staf ~ unknown-tag
flow ~ step: hello ~ step: helo ~ unknown-flow
segment ~ { random: 50% } ~ { in-flow: welcom } ~ unknown-flow
segment ~ { random: 50% } ~ { did: email-opened, step: hello } ~ unknown-flow
flow ~ category: onboarding ~ category: onbording ~ unknown-category
segment ~ category: onboarding ~ category: onbording ~ unknown-category
campaign ~ group: retail-banking ~ group: retail ~ unknown-group
");
}

#[test]
fn each_missing_thing_is_named_in_its_own_error() {
    let folder = Folder::good().with(
        "flows/many.yaml",
        "flow: many\nsegment: s1\nsteps:\n  - { id: a, email: c1/x }\n  - { id: b, sms: gold-card/y }\n  - { id: c, push: c2/z }\n",
    );
    let folder = folder.with(
        "channels/all.yaml",
        "channel: email\nfrom: a@example.com\ngateway: { file: { folder: var } }\n",
    );
    let all = folder.findings();
    let of_many: Vec<&String> = all.iter().filter(|f| f.starts_with("flows/many")).collect();
    let text = format!("{of_many:#?}");
    for expected in [
        "no segment `s1`",
        "no campaign `c1`",
        "no communication `y`",
        "no campaign `c2`",
        "channel `sms` has no gateway",
        "channel `push` has no gateway",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(of_many.len(), 6, "{text}");
    assert!(folder.check().revision.is_none(), "nothing is activated");
}

/// What a flow cannot do, one flow each, and where it is told.
const FUNNEL: [(&str, &str); 10] = [
    (
        "segment: vips\nsteps: [ { id: a, on-screen: { note: x } } ]",
        "6:19 forbidden-action an on-screen message",
    ),
    (
        "segment: vips\nsteps: [ { id: a, form: { note: x } } ]",
        "10:19 forbidden-action a data-capture form",
    ),
    (
        "segment: vips\nsteps: [ { id: a, docusign: { note: x } } ]",
        "14:19 forbidden-action a DocuSign integration",
    ),
    (
        "segment: vips\nsteps: [ { id: a, email: gold-card/homepage } ]",
        "18:26 forbidden-action `gold-card/homepage` is an on-screen message",
    ),
    (
        "segment: vips\nsteps: [ { id: a, email: gold-card/survey } ]",
        "22:26 forbidden-action `gold-card/survey` is a data-capture form",
    ),
    (
        "segment: vips\nsteps: [ { id: a, email: gold-card/contract } ]",
        "26:26 forbidden-action `gold-card/contract` is a DocuSign integration",
    ),
    (
        "segment: vips\nlead-generation: { form: x }\nsteps: [ { id: a, after: 1d } ]",
        "30:1 lead-generation a flow has no `lead-generation`",
    ),
    (
        "segment: Everyone\nsteps: [ { id: a, after: 1d } ]",
        "34:10 everyone `Everyone` is not a segment",
    ),
    (
        "name: No segment\nsteps: [ { id: a, after: 1d } ]",
        "37:7 everyone this flow has no segment",
    ),
    (
        "segment: { where: { all: [] } }\nsteps: [ { id: a, after: 1d } ]",
        "42:21 everyone this segment has no condition",
    ),
];

#[test]
fn what_belongs_in_a_standard_campaign_funnel_is_sent_there_with_file_and_line() {
    let mut text = "segment: vips\nwhere: { tag: vip }\n".to_owned();
    for (n, (flow, _)) in FUNNEL.iter().enumerate() {
        text.extend([
            "---\nflow: f".to_owned(),
            n.to_string(),
            format!("\n{flow}\n"),
        ]);
    }
    let folder = Folder::good().with("flows/zz.yaml", text);
    let checked = folder.check();
    assert!(checked.revision.is_none());
    let findings = folder.findings();
    assert_eq!(findings.len(), FUNNEL.len(), "{findings:#?}");
    for (found, (_, expected)) in findings.iter().zip(FUNNEL) {
        assert!(
            found.starts_with(&format!("flows/zz.yaml:{expected}")),
            "{expected}: {found}"
        );
    }
    for diagnostic in checked.diagnostics {
        let help = diagnostic.help.unwrap_or_default();
        assert!(help.contains("standard campaign funnel"), "{help}");
    }
}

#[test]
fn a_flow_needs_a_specific_audience() {
    all(r"
flow ~ segment: new-members ~ segment: everyone ~ everyone
flow ~ segment: new-members\n ~  ~ everyone
flow ~ segment: new-members ~ segment: { where: {} } ~ everyone
flow ~ segment: new-members ~ segment: { where: { all: [] } } ~ everyone
flow ~ segment: new-members ~ segment: { where: { all: [ { any: [] }, { not: { all: [] } } ] } } ~ everyone
segment ~ { random: 50% } ~ { segment: everyone } ~ everyone
");
    let folder = Folder::good().with("flows/all.yaml", "segment: everyone\nwhere: { tag: vip }\n");
    assert_eq!(folder.codes(), ["everyone"]);
    let folder = Folder::good().with("flows/none.yaml", "segment: none\n");
    assert_eq!(folder.codes(), ["everyone"]);
}

#[test]
fn actions_that_need_a_page_are_refused_written_or_reached() {
    for key in [
        "on-screen",
        "popup",
        "banner",
        "form",
        "data-capture",
        "docusign",
    ] {
        gives(
            FLOW,
            "    on-skip: exit\n",
            &format!("    {key}: {{ note: x }}\n"),
            "forbidden-action",
        );
    }
    for name in ["homepage", "survey", "contract"] {
        let folder = Folder::good().changed(
            FLOW,
            "email: gold-card/offer",
            &format!("email: gold-card/{name}"),
        );
        let checked = folder.check();
        assert_eq!(folder.codes(), ["forbidden-action"]);
        let help = checked.diagnostics[0].help.clone().unwrap();
        assert!(
            help.contains("configure it in a standard campaign funnel instead"),
            "{help}"
        );
    }
    all(r"
flow ~ steps: ~ lead: { form: x }\nsteps: ~ lead-generation
flow ~ steps: ~ lead-generation: { form: x }\nsteps: ~ lead-generation
");
}

#[test]
fn shapes_are_checked() {
    all(r"
flow ~ name: Welcome ~ nmae: Welcome ~ unknown-key
channels ~   http: ~   http:\n    retries: 3 ~ unknown-key
segment ~ { random: 50% } ~ { fild: city, is: x } ~ unknown-key
flow ~ after: 4d ~ after: [4d] ~ wrong-type
flow ~ after: 4d ~ after: ~ wrong-type
channels ~ folder: var/outbox ~  ~ missing-key
flow ~ id: pause\n    after: 1d 12h ~ id: pause ~ no-steps
");
    let folder = Folder::good().with(
        "flows/none.yaml",
        "flow: none\nsegment: new-members\nsteps: []\n",
    );
    assert_eq!(folder.codes(), ["no-steps"]);
}

#[test]
fn conditions_fit_what_they_are_about() {
    for condition in [
        "{ field: joined_on, starts-with: \"20\" }",
        "{ field: balance, contains: \"1\" }",
        "{ field: balance, is: plenty }",
        "{ field: products, is: checking }",
        "{ field: city, includes: x }",
        "{ field: city }",
        "{ field: city, is: Lyon, starts-with: L }",
        "{ field: plan, is: silver }",
        "{ is: Lyon }",
        "{ tag: vip, is: x }",
        "{ tag: vip, field: city, is: x }",
        "{ did: login, starts-with: x }",
        "{ did: login, at-least: many }",
        "{ field: born_on, anniversary: { within-next: 2mo } }",
        "{ created: { within-last: 3d, older-than: 1d } }",
        "{ all: [] }",
        "{}",
    ] {
        gives(SEGMENT, "{ random: 50% }", condition, "condition-mismatch");
    }
}

#[test]
fn values_are_read_as_what_they_mean() {
    all(r#"
flow ~ after: 4d ~ after: 4 days ~ bad-duration
segment ~ within-last: 30d ~ within-last: 30 ~ bad-duration
flow ~ name: Welcome ~ status: activ ~ bad-value
flow ~ at: "10:00" ~ at: "25:00" ~ bad-value
campaign ~ until: 2026-12-31 ~ until: 2026-02-30 ~ bad-value
campaign ~ until: 2026-12-31 ~ until: 2025-12-31 ~ bad-value
channels ~ 50 per second ~ 50 a second ~ bad-value
settings ~ 127.0.0.1:0 ~ everywhere ~ bad-value
channels ~ ${SMTP_HOST} ~ ${SMTP HOST} ~ bad-value
settings ~ America/New_York ~ New York ~ unknown-zone
campaign ~ dismissable: true ~ dismissable: yes ~ boolean
flow ~ on-leaving-segment: true ~ on-leaving-segment: "true" ~ boolean
segment ~ starts-with: "44" ~ starts-with: 04400 ~ unquoted-value
segment ~ starts-with: "44" ~ starts-with: 9:30 ~ unquoted-value
flow ~ name: Welcome ~ name: You are #1 here ~ text-cut
flow ~ name: Welcome ~ name: "Wel\x00come" ~ nul-character
flow ~ title: Bank from your phone ~ title: {{ customer.first_name }} ~ unquoted-template
flow ~ at: "10:00" ~ at: "20:00" ~ at-outside-window
flow ~ at: "10:00" ~ at: 9:30 ~ unquoted-value
flow ~ if: { not: { did: email-clicked, step: hello } } ~ if: {} ~ condition-mismatch
"#);
}

#[test]
fn ids_are_unique_across_files_and_both_places_are_named() {
    all(r"
flow ~ id: card ~ id: hello ~ duplicate-id
");
    for text in [
        "flow: gold-card\nsegment: new-members\nsteps: [ { id: a, after: 1d } ]\n",
        "campaign: gold-card\n",
        "campaign: welcome\n",
        "segment: new-members\nwhere: { tag: vip }\n",
    ] {
        let folder = Folder::good().with("flows/zz.yaml", text);
        assert_eq!(folder.codes(), ["duplicate-id"], "{text}");
        let shown =
            drumbeat::workspace::render::text(&folder.load(), &folder.check().diagnostics, false);
        assert!(
            shown.contains("flows/zz.yaml:1:") && shown.contains("the first is here"),
            "{shown}"
        );
    }
    all(r"
flow ~ name: Welcome ~ name: A\nname: B ~ duplicate-key
");
}

#[test]
fn marketing_mail_can_be_given_up_and_says_where_it_comes_from() {
    all(r#"
template ~ {{ unsubscribe_url }} ~ https://x.example ~ no-unsubscribe-link
template ~ {{ organization.postal_address }} ~  ~ no-postal-address
flow ~ {{ unsubscribe_url }}  ~  ~ no-unsubscribe-link
policy ~ , postal-address: "12 Shore Road, Lakeside, OH 44000" ~  ~ no-postal-address
"#);
    let literal = Folder::good().changed(
        FLOW,
        "{{ organization.postal_address }}",
        "12 Shore Road, Lakeside, OH 44000",
    );
    assert_eq!(literal.findings(), Vec::<String>::new());
    let service = "credit-cards: { name: Cards, purpose: service }";
    let folder = Folder::good()
        .changed(POLICY, "credit-cards: Credit cards", service)
        .changed(
            "flows/templates/offer.html",
            "{{ unsubscribe_url }}",
            "https://x.example",
        );
    let codes = folder.codes();
    assert!(codes.contains(&"service-purpose"), "{codes:?}");
    assert!(
        codes.contains(&"no-unsubscribe-link"),
        "a marketing flow reuses it: {codes:?}"
    );
    let folder = folder.changed(
        FLOW,
        "    email: gold-card/offer",
        "    push: gold-card/offer-push",
    );
    assert_eq!(folder.codes(), ["service-purpose"]);
    assert!(folder.check().revision.is_some(), "a warning publishes");
}

#[test]
fn dates_waits_and_choices_that_cannot_be_are_told() {
    all(r#"
flow ~ after: 1d 12h ~ due: { field: city } ~ condition-mismatch
flow ~ after: 1d 12h ~ due: { field: borm_on } ~ unknown-field
flow ~ after: 1d 12h ~ due: { field: born_on, before: 12h } ~ bad-value
flow ~ after: 1d 12h ~ due: { field: born_on, before: 1d, after: 1d } ~ exactly-one
flow ~ after: 1d 12h ~ due: { anniversary-of: city } ~ condition-mismatch
flow ~ after: 1d 12h ~ due: { weekday: tue, before: 1d } ~ bad-value
flow ~ after: 1d 12h ~ due: { weekday: tuesday } ~ bad-value
flow ~ after: 1d 12h ~ due: { business-day: 0 } ~ bad-value
flow ~ after: 1d 12h ~ due: { weekday: tue, business-day: 1 } ~ exactly-one
flow ~ after: 1d 12h ~ due: {} ~ exactly-one
flow ~ after: 1d 12h ~ after: 1d 12h\n    due: { weekday: tue } ~ exactly-one
flow ~ after: 7d ~ wait-for: { did: conversion, at-most: 7d } ~ bad-value
flow ~ steps: ~ moved-to: { gone: nowhere }\nsteps: ~ unknown-flow
flow ~ steps: ~ moved-to: { hello: app }\nsteps: ~ bad-value
flow ~ limit: 2000 per day ~ holdout: 101% ~ bad-value
policy ~   holidays: ~   control-group: two\n  holidays: ~ bad-value
campaign ~ text: "An offer" ~ text: "An offer", variants: { a: { text: A } } ~ bad-value
campaign ~ text: "An offer" ~ text: "An offer", variants: { a: { text: A, share: 50% }, b: { share: 60% } } ~ bad-value
campaign ~ text: "An offer" ~ text: "An offer", variants: { a: { text: A }, b: { subject: B } } ~ bad-value
"#);
}

#[test]
fn a_wait_says_what_it_waits_for_and_where_it_goes() {
    let steps = |wait: &str| {
        let steps = format!(
            "  - id: a\n    wait-for: {{ did: login, at-most: 7d{wait} }}\n  - id: b\n    after: 1d\n"
        );
        let flow =
            format!("flow: waits\ncategory: onboarding\nsegment: new-members\nsteps:\n{steps}");
        Folder::good().with("flows/waits.yaml", flow).findings()
    };
    assert_eq!(steps(""), [""; 0]);
    assert_eq!(steps(", otherwise: b"), [""; 0]);
    for (wait, expected) in [
        (", otherwise: a", "does not come after this step"),
        (", otherwise: c", "no step `c`"),
        (", at-last: 2", "at-last"),
        (", campaign: nowhere", "no campaign `nowhere`"),
    ] {
        let found = format!("{:?}", steps(wait));
        assert!(found.contains(expected), "{wait}: {found}");
    }
}

#[test]
fn a_choice_is_among_channels() {
    let found = |choices: &str| {
        let flow = format!(
            "flow: chooses\ncategory: onboarding\nsegment: new-members\nsteps:\n  - id: a\n    first-of: [ {choices} ]\n"
        );
        Folder::good().with("flows/chooses.yaml", flow).findings()
    };
    let (sms, push) = (
        "{ sms: gold-card/offer-text }",
        "{ push: { title: T, body: B } }",
    );
    assert_eq!(found(&format!("{sms}, {push}")), [""; 0]);
    for (choices, expected) in [
        (sms.to_owned(), "fewer than two are no choice"),
        (format!("{sms}, {sms}"), "`sms` is here twice"),
        (format!("{sms}, {{}}"), "a choice has none of"),
        (
            format!("{sms}, {{ sms: a/b, push: c/d }}"),
            "a choice has 2 of",
        ),
    ] {
        let found = format!("{:?}", found(&choices));
        assert!(found.contains(expected), "{choices}: {found}");
    }
}

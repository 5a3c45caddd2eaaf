//! Owns a test for each rule: what triggers it, and where it points.

use super::folder::Folder;

const FLOW: &str = "flows/welcome.yaml";
const SEGMENT: &str = "flows/segments/new-members.yaml";
const CAMPAIGN: &str = "flows/campaigns/gold-card.yaml";
const CHANNELS: &str = "channels/all.yaml";
const CUSTOMERS: &str = "flows/customers.yaml";
const POLICY: &str = "flows/policy.yaml";
const SETTINGS: &str = "drumbeat.yaml";

/// One change of one file of the good workspace, and the only code it may give.
fn gives(file: &str, from: &str, to: &str, code: &str) {
    let folder = Folder::good().changed(file, from, to);
    let codes = folder.codes();
    assert!(
        !codes.is_empty() && codes.iter().all(|found| *found == code),
        "{to}: {code} expected, {:#?}",
        folder.findings()
    );
}

#[test]
fn names_that_are_not_there_are_told() {
    gives(
        FLOW,
        "segment: new-members",
        "segment: new-member",
        "missing-segment",
    );
    gives(
        SEGMENT,
        "{ random: 50% }",
        "{ segment: nobody }",
        "missing-segment",
    );
    gives(
        CAMPAIGN,
        "segment: new-members",
        "segment: nobody",
        "missing-segment",
    );
    gives(
        FLOW,
        "gold-card/offer-text",
        "silver-card/offer-text",
        "missing-campaign",
    );
    gives(
        FLOW,
        "campaign: gold-card",
        "campaign: silver-card",
        "missing-campaign",
    );
    gives(
        FLOW,
        "gold-card/offer-text",
        "gold-card/offer-txt",
        "missing-communication",
    );
    gives(SEGMENT, "field: city", "field: citty", "unknown-field");
    gives(
        POLICY,
        "  holidays:",
        "  zone-field: zones\n  holidays:",
        "unknown-field",
    );
    gives(
        CHANNELS,
        "pace: 50",
        "address-field: mail\npace: 50",
        "unknown-field",
    );
    gives(SEGMENT, "tag: staff", "tag: staf", "unknown-tag");
    gives(FLOW, "step: hello", "step: helo", "unknown-flow");
    gives(
        SEGMENT,
        "{ random: 50% }",
        "{ in-flow: welcom }",
        "unknown-flow",
    );
    gives(
        SEGMENT,
        "{ random: 50% }",
        "{ did: email-opened, step: hello }",
        "unknown-flow",
    );
    gives(
        FLOW,
        "category: onboarding",
        "category: onbording",
        "unknown-category",
    );
    gives(
        SEGMENT,
        "category: onboarding",
        "category: onbording",
        "unknown-category",
    );
    gives(
        CAMPAIGN,
        "group: retail-banking",
        "group: retail",
        "unknown-group",
    );
    gives(CHANNELS, "channel: sms", "channel: smss", "bad-value");
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
}

#[test]
fn a_flow_needs_a_specific_audience() {
    gives(
        FLOW,
        "segment: new-members",
        "segment: everyone",
        "everyone",
    );
    gives(FLOW, "segment: new-members\n", "", "everyone");
    gives(
        FLOW,
        "segment: new-members",
        "segment: { where: {} }",
        "everyone",
    );
    gives(
        FLOW,
        "segment: new-members",
        "segment: { where: { all: [] } }",
        "everyone",
    );
    gives(
        FLOW,
        "segment: new-members",
        "segment: { where: { all: [ { any: [] }, { not: { all: [] } } ] } }",
        "everyone",
    );
    gives(
        SEGMENT,
        "{ random: 50% }",
        "{ segment: everyone }",
        "everyone",
    );
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
    gives(
        FLOW,
        "steps:",
        "lead: { form: x }\nsteps:",
        "lead-generation",
    );
    gives(
        FLOW,
        "steps:",
        "lead-generation: { form: x }\nsteps:",
        "lead-generation",
    );
}

#[test]
fn shapes_are_checked() {
    gives(FLOW, "name: Welcome", "nmae: Welcome", "unknown-key");
    gives(
        CHANNELS,
        "  http:",
        "  http:\n    retries: 3",
        "unknown-key",
    );
    gives(
        SEGMENT,
        "{ random: 50% }",
        "{ fild: city, is: x }",
        "unknown-key",
    );
    gives(FLOW, "after: 4d", "after: [4d]", "wrong-type");
    gives(FLOW, "after: 4d", "after:", "wrong-type");
    gives(CHANNELS, "folder: var/outbox", "", "missing-key");
    gives(
        FLOW,
        "id: pause\n    after: 1d 12h",
        "id: pause",
        "no-steps",
    );
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
    ] {
        gives(SEGMENT, "{ random: 50% }", condition, "condition-mismatch");
    }
}

#[test]
fn values_are_read_as_what_they_mean() {
    gives(FLOW, "after: 4d", "after: 4 days", "bad-duration");
    gives(
        SEGMENT,
        "within-last: 30d",
        "within-last: 30",
        "bad-duration",
    );
    gives(FLOW, "name: Welcome", "status: activ", "bad-value");
    gives(FLOW, "at: \"10:00\"", "at: \"25:00\"", "bad-value");
    gives(
        CAMPAIGN,
        "until: 2026-12-31",
        "until: 2026-02-30",
        "bad-value",
    );
    gives(
        CAMPAIGN,
        "until: 2026-12-31",
        "until: 2025-12-31",
        "bad-value",
    );
    gives(CHANNELS, "50 per second", "50 a second", "bad-value");
    gives(SETTINGS, "127.0.0.1:0", "everywhere", "bad-value");
    gives(CHANNELS, "${SMTP_HOST}", "${SMTP HOST}", "bad-value");
    gives(SETTINGS, "America/New_York", "New York", "unknown-zone");
    gives(CAMPAIGN, "dismissable: true", "dismissable: yes", "boolean");
    gives(
        FLOW,
        "on-leaving-segment: true",
        "on-leaving-segment: \"true\"",
        "boolean",
    );
    gives(
        SEGMENT,
        "starts-with: \"44\"",
        "starts-with: 04400",
        "unquoted-value",
    );
    gives(
        SEGMENT,
        "starts-with: \"44\"",
        "starts-with: 9:30",
        "unquoted-value",
    );
    gives(FLOW, "name: Welcome", "name: You are #1 here", "text-cut");
    gives(
        FLOW,
        "title: Bank from your phone",
        "title: {{ customer.first_name }}",
        "unquoted-template",
    );
    gives(FLOW, "at: \"10:00\"", "at: \"20:00\"", "at-outside-window");
}

#[test]
fn ids_are_unique_across_files_and_both_places_are_named() {
    gives(FLOW, "id: card", "id: hello", "duplicate-id");
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
    gives(FLOW, "name: Welcome", "name: A\nname: B", "duplicate-key");
}

#[test]
fn marketing_mail_can_be_given_up_and_says_where_it_comes_from() {
    gives(
        "flows/templates/offer.html",
        "{{ unsubscribe_url }}",
        "https://x.example",
        "no-unsubscribe-link",
    );
    gives(
        "flows/templates/offer.html",
        "{{ organization.postal_address }}",
        "",
        "no-postal-address",
    );
    gives(FLOW, "{{ unsubscribe_url }} ", "", "no-unsubscribe-link");
    gives(
        POLICY,
        ", postal-address: \"12 Shore Road, Lakeside, OH 44000\"",
        "",
        "no-postal-address",
    );
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
fn templates_are_checked_where_they_are_written() {
    let folder = Folder::good().changed(
        "flows/templates/offer.html",
        "customer.first_name",
        "customer.frist_name",
    );
    let found = folder.findings();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("flows/templates/offer.html:1:12 template "),
        "{found:?}"
    );
    let folder = Folder::good().changed(
        FLOW,
        "Hello {{ customer.first_name }}",
        "Hello {{ customer.frist_name }}",
    );
    let found = folder.findings();
    assert!(
        found[0].starts_with("flows/welcome.yaml:16:18 template "),
        "{found:?}"
    );
    gives(
        CAMPAIGN,
        "templates/offer.html",
        "templates/ofer.html",
        "missing-template",
    );
    gives(
        CAMPAIGN,
        "templates/offer.html",
        "../channels/all.yaml",
        "missing-template",
    );
    gives(
        CUSTOMERS,
        "value|length <= 31",
        "value|length <=",
        "template",
    );
    gives(
        CHANNELS,
        "{{ message.text }}",
        "{{ message.text",
        "template",
    );
}

#[test]
fn texts_by_language_have_all_languages() {
    let folder =
        Folder::good().changed(POLICY, "  holidays:", "  languages: [en, es]\n  holidays:");
    let text = |languages: &str| {
        let folder = Folder::good()
            .changed(POLICY, "  holidays:", "  languages: [en, es]\n  holidays:")
            .changed(
                CAMPAIGN,
                "text: \"An offer\"",
                &format!("text: {{ {languages} }}"),
            );
        folder.codes()
    };
    assert_eq!(folder.findings(), Vec::<String>::new());
    assert_eq!(text("en: Hi, es: Hola"), Vec::<&str>::new());
    assert_eq!(text("en: Hi"), ["missing-language"]);
    assert_eq!(text("en: Hi, es: Hola, fr: Salut"), ["missing-language"]);
}

#[test]
fn the_data_model_keeps_what_is_built_in() {
    gives(
        CUSTOMERS,
        "zip: {",
        "zip: { type: integer,",
        "built-in-field",
    );
    gives(
        CUSTOMERS,
        "zip: {",
        "zip: { cardinality: many,",
        "built-in-field",
    );
    gives(
        CUSTOMERS,
        "    zip:",
        "    id: { type: text }\n    zip:",
        "built-in-field",
    );
    gives(
        CUSTOMERS,
        "    zip:",
        "    Share-Account: { type: text }\n    zip:",
        "field-identifier",
    );
    gives(
        CUSTOMERS,
        "    zip:",
        "    color: {}\n    zip:",
        "missing-key",
    );
    gives(CUSTOMERS, "min-length: 5, ", "", "exactly-one");
}

#[test]
fn channels_are_complete() {
    gives(
        CHANNELS,
        "from: \"Lakeside Credit Union <hello@lakeside.example>\"\n",
        "",
        "email-without-from",
    );
    gives(
        CHANNELS,
        "hello@lakeside.example",
        "hello",
        "email-without-from",
    );
    gives(
        CHANNELS,
        "{ file: { folder: var/outbox } }",
        "{}",
        "exactly-one",
    );
    gives(
        CHANNELS,
        "    id-pointer: /id",
        "    form: { to: x }",
        "exactly-one",
    );
    gives(
        FLOW,
        "    on-skip: exit",
        "    sms: gold-card/offer-text",
        "exactly-one",
    );
}

#[test]
fn secrets_stay_with_it() {
    gives(
        FLOW,
        "name: Welcome",
        "name: \"${NAME}\"",
        "secret-in-flows",
    );
    gives(
        CAMPAIGN,
        "An offer\" }",
        "${credential:x}\" }",
        "secret-in-flows",
    );
    let folder = Folder::good().with(
        "flows/settings.yaml",
        "workspace: x\nlisten: \"${LISTEN}\"\n",
    );
    assert!(folder.codes().contains(&"secret-in-flows"));
}

#[test]
fn files_that_cannot_be_read_are_told_with_a_place() {
    let folder = Folder::good()
        .with("flows/a.yaml", b"flow: caf\xe9\n")
        .with("flows/b.yaml", "# ".repeat(200_000))
        .with("flows/c.yaml", "title: x\n")
        .with("flows/d.yaml", "just a text\n")
        .with("flows/templates/e.html", b"\xff\xfe");
    let found = folder.findings();
    let starts: Vec<String> = found
        .iter()
        .map(|f| f.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        starts,
        [
            "flows/a.yaml:1:10 not-utf-8",
            "flows/b.yaml:1:1 file-too-large",
            "flows/c.yaml:1:1 unknown-document",
            "flows/d.yaml:1:1 unknown-document",
            "flows/templates/e.html:1:1 not-utf-8",
        ]
    );
}

#[test]
fn a_flow_that_feeds_itself_is_warned_of() {
    let folder = Folder::good()
        .changed(FLOW, "every 90d", "every-requalification")
        .with(
            "flows/dormant.yaml",
            "segment: dormant\nwhere: { rating: dormant }\n",
        );
    assert_eq!(folder.findings(), Vec::<String>::new());
    let folder = folder.changed(SEGMENT, "{ random: 50% }", "{ segment: dormant }");
    assert_eq!(folder.codes(), ["rating-reentry"]);
    assert!(folder.check().revision.is_some());
}

#[test]
fn a_drafted_or_stopped_flow_is_checked_too() {
    for status in ["draft", "stopped", "paused"] {
        gives(
            FLOW,
            "segment: new-members",
            &format!("status: {status}\nsegment: nobody"),
            "missing-segment",
        );
    }
}

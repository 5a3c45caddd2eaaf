//! Owns a test for each rule about what files hold: texts, the data model, channels, secrets.

use super::folder::Folder;
use super::table::{CAMPAIGN, FLOW, POLICY, SEGMENT, TEMPLATE, all, gives};

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
    all(r"
campaign ~ templates/offer.html ~ templates/ofer.html ~ missing-template
campaign ~ templates/offer.html ~ ../channels/all.yaml ~ missing-template
customers ~ value|length <= 31 ~ value|length <= ~ template
channels ~ {{ message.text }} ~ {{ message.text ~ template
");
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
    all(r"
customers ~ zip: { ~ zip: { type: integer, ~ built-in-field
customers ~ zip: { ~ zip: { cardinality: many, ~ built-in-field
customers ~     zip: ~     id: { type: text }\n    zip: ~ built-in-field
customers ~     zip: ~     Share-Account: { type: text }\n    zip: ~ field-identifier
customers ~     zip: ~     color: {}\n    zip: ~ missing-key
customers ~     zip: ~     color: { type: dat }\n    zip: ~ bad-value
customers ~ min-length: 5,  ~  ~ exactly-one
");
}

#[test]
fn channels_are_complete() {
    all(r#"
channels ~ from: "Lakeside Credit Union <hello@lakeside.example>"\n ~  ~ email-without-from
channels ~ hello@lakeside.example ~ hello ~ email-without-from
channels ~ { file: { folder: var/outbox } } ~ {} ~ exactly-one
channels ~     id-pointer: /id ~     form: { to: x } ~ exactly-one
flow ~     on-skip: exit ~     sms: gold-card/offer-text ~ exactly-one
"#);
}

#[test]
fn secrets_stay_with_it() {
    gives(
        TEMPLATE,
        "Dear",
        "Dear ${credential:smtp}",
        "secret-in-flows",
    );
    all(r#"
flow ~ name: Welcome ~ name: "${NAME}" ~ secret-in-flows
campaign ~ An offer" } ~ ${credential:x}" } ~ secret-in-flows
"#);
    let folder = Folder::good().with(
        "flows/settings.yaml",
        "workspace: x\nlisten: \"${LISTEN}\"\n",
    );
    assert!(folder.codes().contains(&"secret-in-flows"));
}

#[test]
fn a_rate_of_the_api_has_bounds() {
    let rated = |api: &str| {
        let settings = format!("workspace: x\napi: {api}\n");
        Folder::good().with("drumbeat.yaml", settings)
    };
    let given = rated("{ rate: 100000, burst: 1 }").check();
    let rate = given.settings.api;
    assert_eq!((rate.per_second, rate.burst), (100_000, 1));
    assert_eq!(rated("{ burst: 5 }").check().settings.api.per_second, 50);
    for wrong in ["{ rate: 0 }", "{ burst: 100001 }"] {
        assert_eq!(rated(wrong).codes(), ["bad-value"], "{wrong}");
    }
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
fn a_flow_that_awaits_its_own_end_may_not_begin_again_by_itself() {
    let without_itself = |condition: &str| {
        Folder::good()
            .changed(SEGMENT, "{ random: 50% }", condition)
            .with(
                "flows/outside.yaml",
                "segment: outside\nwhere: { not: { in-flow: welcome } }\n---\n\
                 segment: inside\nwhere: { any: [ { in-flow: welcome }, { tag: vip } ] }\n",
            )
    };
    let at_once = |folder: Folder| folder.changed(FLOW, "every 90d", "every-requalification");
    for awaits_the_end in [
        "{ not: { in-flow: welcome } }",
        "{ any: [ { tag: vip }, { not: { all: [ { in-flow: welcome }, { tag: vip } ] } } ] }",
        "{ segment: outside }",
        "{ not: { segment: inside } }",
        "{ not: { not: { segment: outside } } }",
    ] {
        let folder = without_itself(awaits_the_end);
        assert_eq!(folder.findings(), Vec::<String>::new(), "{awaits_the_end}");
        let folder = at_once(folder);
        assert_eq!(folder.codes(), ["in-flow-reentry"], "{awaits_the_end}");
        assert!(folder.check().revision.is_none());
    }
    for does_not in [
        "{ in-flow: welcome }",
        "{ segment: inside }",
        "{ not: { not: { in-flow: welcome } } }",
        "{ not: { segment: outside } }",
    ] {
        let folder = at_once(without_itself(does_not));
        assert_eq!(folder.findings(), Vec::<String>::new(), "{does_not}");
    }
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

#[test]
fn a_gateway_fits_its_channel() {
    all(r#"
channels ~ { file: { folder: var/outbox } } ~ { smtp: { host: localhost } } ~ bad-value
channels ~ headers: { Authorization: ~ headers: { X Token: ~ bad-value
channels ~ idempotency-header: Idempotency-Key ~ idempotency-header: "a:b" ~ bad-value
"#);
}

#[test]
fn a_list_of_the_store_is_asked_for_by_its_name() {
    let ask = |list: &str| Folder::good().changed(SEGMENT, "{ random: 50% }", list);
    assert_eq!(
        ask("{ list: Spring fair 2027 }").codes(),
        Vec::<&str>::new()
    );
    assert_eq!(ask("{ list: a/b }").codes(), ["condition-mismatch"]);
    let both = ask("{ list: fair, tag: vip }").codes();
    assert_eq!(both, ["condition-mismatch"]);
    let file = ask("{ list: { file: lists/a.xlsx, match: email } }").codes();
    assert_eq!(file, ["wrong-type"]);
}

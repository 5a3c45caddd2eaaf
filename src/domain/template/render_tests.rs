//! Owns the tests of rendering: what one customer would read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rstest::rstest;

use super::asked::{RenderContext, RenderFailure, Which};
use super::render::Templates;
use crate::domain::communication::{Content, EmailContent, Localized, PushContent, SmsContent};
use crate::domain::customer::{Consents, Customer, FieldValue, Status, Switches};
use crate::domain::duration::Delay;
use crate::domain::field::{Cardinality, Field, FieldCategory, FieldType};
use crate::domain::flow::{
    Action, Entry, Exit, Flow, FlowStatus, OnEdit, OnResume, OnSkip, OnStop, Step,
};
use crate::domain::ids::CustomerId;
use crate::domain::message::{Rendered, RenderedEmail};
use crate::domain::rating::Rating;
use crate::domain::revision::Revision;
use crate::domain::subscription::LinkScope;
use crate::domain::timing::When;
use crate::domain::value::Value;

fn customer(fields: &[(&str, &str)]) -> Customer {
    let fields = fields.iter().map(|(name, text)| {
        let value = FieldValue::One(Value::Text((*text).to_owned()));
        ((*name).to_owned(), value)
    });
    Customer {
        id: CustomerId(1),
        external_id: "ana".to_owned(),
        status: Status::Active,
        status_reason: None,
        identified: true,
        switches: Switches::default(),
        consents: Consents::default(),
        consent_rev: 0,
        created_at: Timestamp::UNIX_EPOCH,
        last_activity_at: None,
        last_transaction_at: None,
        fields: fields.collect(),
        tags: vec!["vip".to_owned()],
    }
}

fn templates(content: Content) -> Templates {
    let step = Step {
        id: "welcome".to_owned(),
        when: When::default(),
        at: None,
        condition: None,
        window: None,
        on_skip: OnSkip::Advance,
        actions: vec![Action {
            reuses: None,
            content: content.into(),
        }],
    };
    let flow = Flow {
        id: "new".to_owned(),
        name: "New here".to_owned(),
        category: None,
        group: None,
        status: FlowStatus::Active,
        segment: "all".to_owned(),
        entry: Entry::default(),
        exit: Exit::default(),
        goal: None,
        window: None,
        on_edit: OnEdit::default(),
        on_resume: OnResume::default(),
        stop: OnStop::default(),
        max_lateness: Delay::hours(72),
        unsubscribe: LinkScope::default(),
        dismissable: false,
        moved_to: BTreeMap::new(),
        steps: vec![step],
    };
    let mut revision = Revision::default();
    let products = Field {
        identifier: "products".to_owned(),
        description: String::new(),
        kind: FieldType::Text,
        category: FieldCategory::Profile,
        cardinality: Cardinality::Many,
        choices: Vec::new(),
        validations: Vec::new(),
    };
    revision.data_model.fields.push(products);
    revision.policy.organization.postal_address = "12 Shore Road".to_owned();
    revision.flows.insert(flow.id.clone(), flow);
    Templates::new(&revision)
}

fn render(
    content: Content,
    customer: &Customer,
    language: Option<&str>,
) -> Result<Rendered, RenderFailure> {
    let zone = TimeZone::get("America/New_York").unwrap();
    let channel = content.channel();
    templates(content).render(
        Which {
            flow: "new",
            step: "welcome",
            channel,
            variant: None,
        },
        &RenderContext {
            customer,
            rating: Rating::New,
            language,
            zone: &zone,
            unsubscribe_url: Some("https://x.example/u?a=1&b=2"),
            preferences_url: None,
            dismiss_url: None,
        },
    )
}

fn sms(source: &str, customer: &Customer) -> Result<String, RenderFailure> {
    let text = Localized::plain(source);
    match render(Content::Sms(SmsContent { text }), customer, None)? {
        Rendered::Sms(sms) => Ok(sms.text),
        other => panic!("{other:?}"),
    }
}

fn email(subject: &str, html: &str, customer: &Customer) -> RenderedEmail {
    let content = Content::Email(EmailContent {
        subject: Localized::plain(subject),
        preheader: Some(Localized::plain("Psst <{{ customer.first_name }}>")),
        from: None,
        reply_to: None,
        html: Some(Localized::plain(html)),
        text: None,
    });
    match render(content, customer, None).unwrap() {
        Rendered::Email(email) => email,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_customers_text_is_never_read_as_a_template_and_is_escaped_in_html() {
    let nasty = customer(&[("first_name", "{{7*7}}<b>'\"&\r\nBcc: eve@x.example")]);
    let mail = email(
        "Hi {{ customer.first_name }}",
        "<body class=\"a\"><p>{{ customer.first_name }}</p>",
        &nasty,
    );
    assert_eq!(mail.subject, "Hi {{7*7}}<b>'\"& Bcc: eve@x.example");
    let html = mail.html.unwrap();
    assert!(
        html.contains("<p>{{7*7}}&lt;b&gt;&#39;&quot;&amp;\r\nBcc"),
        "{html}"
    );
    assert!(!html.contains("<b>"), "{html}");
    assert!(mail.text.unwrap().starts_with("{{7*7}}<b>'\"&"));
}

#[test]
fn an_email_gets_a_hidden_preheader_a_text_part_and_what_unsubscribes() {
    let ana = customer(&[("first_name", "Ana")]);
    let html = "<html><head><title>T</title></head><body class=\"a\"><h1>Hi {{ customer.first_name }}</h1><a href=\"{{ unsubscribe_url }}\">Stop</a></body></html>";
    let mail = email("S", html, &ana);
    assert!(
        mail.html
            .unwrap()
            .contains("<body class=\"a\"><div style=\"display:none")
    );
    assert_eq!(
        mail.text.unwrap(),
        "Hi Ana\n\nStop (https://x.example/u?a=1&b=2)"
    );
    assert_eq!(mail.unsubscribe_url.unwrap(), "https://x.example/u?a=1&b=2");
    assert_eq!(mail.list_id.unwrap(), "new");
}

#[rstest]
#[case("{{ customer.first_name|default('friend') }}", "friend")]
#[case("{% if customer.first_name %}x{% else %}friend{% endif %}", "friend")]
#[case(
    "{% if customer.city == 'Lyon' %}{{ customer.city|upper }}{% endif %}",
    "LYON"
)]
#[case(
    "{{ customer.id }} {{ customer.rating }} {{ customer.tags|join(', ') }}",
    "ana new vip"
)]
#[case("{% for tag in customer.tags %}[{{ tag }}]{% endfor %}", "[vip]")]
#[case(
    "{{ flow.name }}/{{ campaign.id }}/{{ step.id }}",
    "New here/new/welcome"
)]
#[case(
    "{{ organization.postal_address }} {{ unsubscribe_url }}",
    "12 Shore Road https://x.example/u?a=1&b=2"
)]
#[case(
    "{% for product in customer.products %}x{% else %}none{% endfor %}",
    "none"
)]
#[case(
    "{{ customer.city|truncate(3) }}{{ customer.city|replace('L', 'l') }}",
    "Ly…lyon"
)]
fn a_template_reads_the_customer_and_the_flow(#[case] source: &str, #[case] expected: &str) {
    let lyonnaise = customer(&[("city", "Lyon"), ("first_name", "")]);
    assert_eq!(sms(source, &lyonnaise).unwrap(), expected);
}

#[test]
fn dates_are_formatted_and_instants_are_in_the_customers_zone() {
    let mut ana = customer(&[]);
    let born = Value::Date(jiff::civil::date(1990, 2, 3));
    let seen = Value::Instant("2026-01-05T03:30:00Z".parse().unwrap());
    ana.fields
        .insert("born_on".to_owned(), FieldValue::One(born));
    ana.fields.insert("seen".to_owned(), FieldValue::One(seen));
    ana.fields.insert(
        "sizes".to_owned(),
        FieldValue::Many(vec![Value::Integer(3), Value::Number(4.5)]),
    );
    let source = "{{ customer.born_on|date('%d %B %Y') }}, {{ customer.born_on }}, {{ customer.seen|date('%a %H:%M') }}, {{ customer.seen }}, {{ customer.sizes|join('/') }}";
    assert_eq!(
        sms(source, &ana).unwrap(),
        "03 February 1990, 1990-02-03, Sun 22:30, 2026-01-04T22:30:00-05:00, 3/4.5"
    );
}

#[rstest]
#[case(
    "{{ customer.first_name }}",
    "text, line 1: `customer.first_name` is missing: give it a default, such as `{{ customer.first_name|default(\"…\") }}`"
)]
#[case(
    "a\n{{ customer.first_name|upper }}",
    "text, line 2: `customer.first_name` is missing: give it a default, such as `{{ customer.first_name|default(\"…\") }}`"
)]
#[case(
    "{{ preferences_url }}",
    "text, line 1: `preferences_url` is missing: give it a default, such as `{{ preferences_url|default(\"…\") }}`"
)]
#[case(
    "{{ 1 + 'a' }}",
    "text, line 1: tried to use + operator on unsupported types number and string"
)]
#[case("{{ customer.city|date('%d') }}", "text, line 1: `Lyon` is not a date")]
#[case("{% include 'x' %}", "text, line 1: unknown statement include")]
fn what_cannot_be_rendered_says_which_part_and_why(#[case] source: &str, #[case] expected: &str) {
    let failure = sms(source, &customer(&[("city", "Lyon")])).unwrap_err();
    assert_eq!(failure, RenderFailure::Error(expected.to_owned()));
}

#[test]
fn a_template_may_ask_not_to_be_sent() {
    let failure = sms(
        "{% if not customer.city %}{{ abort('no city') }}{% endif %}",
        &customer(&[]),
    );
    assert_eq!(failure, Err(RenderFailure::Abort("no city".to_owned())));
}

#[test]
fn a_template_that_runs_away_is_stopped() {
    let mut busy = customer(&[("city", &"x".repeat(1000))]);
    busy.tags = (0..200).map(|n| n.to_string()).collect();
    let nested = "{% for a in customer.tags %}{% for b in customer.tags %}{{ a }}{{ b }}{% endfor %}{% endfor %}";
    let failure = sms(nested, &busy).unwrap_err();
    assert_eq!(
        failure,
        RenderFailure::Error("text, line 1: the template runs too long".to_owned())
    );
    let long = "{% for a in customer.tags %}".to_owned()
        + &"{{ customer.city }}".repeat(10)
        + "{% endfor %}";
    let failure = sms(&long, &busy).unwrap_err();
    assert_eq!(
        failure,
        RenderFailure::Error("text, line 1: the template writes more than 1 MiB".to_owned())
    );
    let grown = "{{ customer.city|replace('x', customer.city)|replace('x', customer.city) }}";
    let failure = sms(grown, &busy).unwrap_err();
    assert_eq!(
        failure,
        RenderFailure::Error("text, line 1: the text is longer than 1 MiB".to_owned())
    );
}

#[test]
fn an_sms_has_a_longest_length() {
    assert_eq!(
        sms(&"é".repeat(1530), &customer(&[]))
            .unwrap()
            .chars()
            .count(),
        1530
    );
    let failure = sms(&"é".repeat(1531), &customer(&[])).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the text takes 11 parts (1531 characters in GSM-7): the channel `sms` sends at most 10, its `max-parts`"
    );
}

#[rstest]
#[case(None, "Hello ana")]
#[case(Some("es"), "Hola ana")]
#[case(Some("es-MX"), "Hola ana")]
#[case(Some("ES"), "Hola ana")]
#[case(Some("de"), "Hello ana")]
fn a_message_is_in_the_customers_language(#[case] language: Option<&str>, #[case] expected: &str) {
    let by_language = [
        ("en", "Hello {{ customer.id }}"),
        ("es", "Hola {{ customer.id }}"),
    ];
    let body = Localized {
        default: "Hello {{ customer.id }}".to_owned(),
        by_language: by_language
            .map(|(l, t)| (l.to_owned(), t.to_owned()))
            .into(),
    };
    let push = Content::Push(PushContent {
        title: Localized::plain("T"),
        body,
        link: Some("app://{{ customer.id }}".to_owned()),
    });
    let Rendered::Push(push) = render(push, &customer(&[]), language).unwrap() else {
        panic!("not a push message");
    };
    assert_eq!(
        (push.body.as_str(), push.link.as_deref()),
        (expected, Some("app://ana"))
    );
}

#[test]
fn snippets_fill_a_gateways_request() {
    let snippets = super::Snippets::new([(
        "body",
        "{{ message.text }}|{{ message.link }}|{{ message.to|urlencode }}",
    )])
    .unwrap();
    let message = BTreeMap::from([
        ("text", Some("<{{ x }}>")),
        ("link", None),
        ("to", Some("+1 2")),
    ]);
    let context = BTreeMap::from([("message", message)]);
    assert_eq!(
        snippets.render("body", &context).unwrap(),
        "<{{ x }}>||%2B1%202"
    );
    let wrong = super::Snippets::new([("url", "{{ message.")]).unwrap_err();
    assert!(wrong.starts_with("`url`: "), "{wrong}");
    let missing = super::Snippets::new([("url", "{{ message.txt }}")]).unwrap();
    assert!(
        missing
            .render("url", &context)
            .unwrap_err()
            .contains("message.txt")
    );
}

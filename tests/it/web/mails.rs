//! Every e-mail of the examples in a real browser: on a phone and on a desk, and with a customer whose
//! data are hostile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use drumbeat::domain::by_hand;
use drumbeat::domain::customer::{Consents, Customer, FieldValue, Fields, Status, Switches};
use drumbeat::domain::field::{Cardinality, FieldType};
use drumbeat::domain::ids::CustomerId;
use drumbeat::domain::message::Rendered;
use drumbeat::domain::revision::Revision;
use drumbeat::domain::value::Value;
use drumbeat::engine::trial::Trial;
use drumbeat::workspace;
use jiff::Timestamp;
use jiff::civil::date;
use tempfile::TempDir;

use crate::rig::browser::Browser;

const HOSTILE: &str =
    "\"'><img src=x onerror=\"window.taken=1\"><script>window.taken=1</script>{{7*7}}";
/// Where the pictures are left for people to look at.
const PICTURES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/mails");

/// One e-mail in one language.
struct Mail {
    name: String,
    html: String,
}

fn workspaces() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = fs::read_dir(root.join("examples")).unwrap();
    let examples = examples.map(|entry| entry.unwrap().path());
    let examples = examples.filter(|path| path.join("drumbeat.yaml").exists());
    examples.chain([root.to_owned()]).collect()
}

/// Every field has something to show.
fn customer(revision: &Revision, text: &str, language: Option<&str>) -> Customer {
    let mut fields = Fields::new();
    for field in &revision.data_model.fields {
        let value = match field.kind {
            FieldType::Integer => Value::Integer(320),
            FieldType::Number => Value::Number(48.5),
            FieldType::Boolean => Value::Boolean(true),
            FieldType::Date => Value::Date(date(2026, 11, 20)),
            FieldType::Datetime => Value::Instant(Timestamp::UNIX_EPOCH),
            FieldType::Choice => Value::Text(field.choices.first().cloned().unwrap_or_default()),
            FieldType::Text | FieldType::Email | FieldType::Phone | FieldType::Url => {
                Value::Text(text.to_owned())
            }
        };
        let value = match field.cardinality {
            Cardinality::One => FieldValue::One(value),
            Cardinality::Many => FieldValue::Many(vec![value.clone(), value]),
        };
        fields.insert(field.identifier.clone(), value);
    }
    fields.remove(&revision.policy.zone_field);
    fields.remove(&revision.policy.language_field);
    if let Some(language) = language {
        let language = FieldValue::One(Value::Text(language.to_owned()));
        fields.insert(revision.policy.language_field.clone(), language);
    }
    Customer {
        id: CustomerId(1),
        external_id: text.to_owned(),
        status: Status::Active,
        status_reason: None,
        identified: true,
        switches: Switches::default(),
        consents: Consents::default(),
        consent_rev: 0,
        created_at: Timestamp::UNIX_EPOCH,
        last_activity_at: None,
        last_transaction_at: None,
        fields,
        tags: Vec::new(),
    }
}

/// Everything that the workspace says by e-mail to such a customer, each once.
fn mails(revision: &Revision, text: &str, language: Option<&str>) -> BTreeMap<String, String> {
    let reusable = by_hand::ids(revision);
    let own = revision.flows.values().flat_map(|flow| {
        let speaking = flow.steps.iter().filter(|step| !step.actions.is_empty());
        speaking.map(|step| format!("{}/{}", flow.id, step.id))
    });
    let customer = customer(revision, text, language);
    let mut seen = BTreeSet::new();
    let mails = reusable.chain(own).filter_map(|name| {
        let trial = Trial::of(revision, &name).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let rendered = trial.render(revision, &customer, now, "https://example.com");
        let Rendered::Email(mail) = rendered.unwrap_or_else(|error| panic!("{name}: {error:?}"))
        else {
            return None;
        };
        let html = mail.html?;
        seen.insert(html.clone()).then_some((name, html))
    });
    mails.collect()
}

/// Those of all workspaces in all their languages.
fn all_mails(text: &str) -> Vec<Mail> {
    let mut all = Vec::new();
    for workspace in workspaces() {
        let checked = workspace::check(&workspace::load(&workspace).unwrap());
        let revision = checked.revision.unwrap();
        let mut languages: Vec<_> = revision.policy.languages.iter().map(Some).collect();
        if languages.is_empty() {
            languages.push(None);
        }
        for language in languages {
            let language = language.map(String::as_str);
            let place = workspace.file_name().unwrap().to_string_lossy();
            let spoken = language.unwrap_or("en");
            for (name, html) in mails(&revision, text, language) {
                let name = format!("{place}-{}-{spoken}", name.replace('/', "-"));
                all.push(Mail { name, html });
            }
        }
    }
    all
}

async fn shown(browser: &Browser, folder: &TempDir, mail: &Mail) {
    let file = folder.path().join(format!("{}.html", mail.name));
    fs::write(&file, &mail.html).unwrap();
    browser.open(&format!("file://{}", file.display())).await;
}

/// How much wider a page is than the window, in CSS pixels; and how many words can be read.
const LOOK: &str = "[document.documentElement.scrollWidth - window.innerWidth, \
     document.body.innerText.split(/\\s+/).length, window.taken === undefined]";

#[tokio::test]
async fn every_mail_of_the_examples_fits_a_phone_and_a_desk() {
    let (browser, folder) = (Browser::start().await, TempDir::new().unwrap());
    let mails = all_mails("Ada");
    assert!(mails.len() >= 20, "{} mails", mails.len());
    fs::create_dir_all(PICTURES).unwrap();
    for (screen, width) in [("phone", 375), ("desk", 1280)] {
        browser.widen(width, screen == "phone").await;
        for mail in &mails {
            shown(&browser, &folder, mail).await;
            let look = browser.run(LOOK).await;
            let (wider, words) = (look[0].as_i64().unwrap(), look[1].as_i64().unwrap());
            let name = &mail.name;
            assert!(wider <= 0, "{name} is {wider} pixels wider than a {screen}");
            assert!(words > 30, "{name} says {words} words");
            let picture = browser.screenshot().await;
            fs::write(format!("{PICTURES}/{name}-{screen}.png"), picture).unwrap();
        }
    }
    browser.quit().await;
}

#[tokio::test]
async fn no_mail_of_the_examples_runs_what_a_customer_is_called() {
    let (browser, folder) = (Browser::start().await, TempDir::new().unwrap());
    let mails = all_mails(HOSTILE);
    let shown_to = mails.iter().filter(|mail| mail.html.contains("onerror"));
    assert!(shown_to.count() > 10, "the name is in the mails");
    for mail in &mails {
        shown(&browser, &folder, mail).await;
        // An image that fails does so after the page is loaded.
        browser
            .run("new Promise(done => setTimeout(done, 20))")
            .await;
        let look = browser.run(LOOK).await;
        assert_eq!(look[2], true, "{}", mail.name);
        assert!(!mail.html.contains("49"), "{}", mail.name);
    }
    browser.quit().await;
}

//! Owns the ways in which a message whose answer was lost is settled: a late callback, a question to the
//! gateway, a person at the command line, a program over HTTP.

use serde_json::{Value, json};

use super::process::Place;
use crate::rig::http_script::{HttpScript, Reply, Request};

const FLOW: &str = r"flow: texts
name: Texts
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - { id: hello, sms: { text: Hello } }
";
const SECRET: &str = "a-secret-of-some-length";
/// In the order of the file of customers.
const CALLED: &str = "+59899100001";
const LOOKED_UP: &str = "+59899100002";
const TYPED: &str = "+59899100003";
const POSTED: &str = "+59899100004";

fn channel(url: &str) -> String {
    format!(
        r#"channel: sms
gateway:
  http:
    url: "{url}"
    form: {{ to: "{{{{ message.to }}}}", id: "{{{{ message.id }}}}", tell: "{{{{ receipt_url }}}}" }}
    receipts: {{ secret: {SECRET}, status: state, delivered: [there], failed: [lost] }}
    lookup: {{ url: "{url}?about={{{{ message.id }}}}", status: state }}
"#
    )
}

/// Takes every message without saying so. Asked about one, it knows of the second customer's alone.
fn gateway(request: &Request) -> Reply {
    match request.method.as_str() {
        "GET" if ABOUT.is_known(request) => (200, vec![], r#"{"state":"there"}"#),
        "GET" => (500, vec![], "not now"),
        _ => {
            ABOUT.note(request);
            (504, vec![], "")
        }
    }
}

/// Which message is the second customer's.
static ABOUT: About = About(std::sync::Mutex::new(None));

struct About(std::sync::Mutex<Option<String>>);

impl About {
    fn note(&self, request: &Request) {
        let form = form(request);
        if form.0 == LOOKED_UP {
            *self.0.lock().unwrap() = Some(form.1);
        }
    }

    fn is_known(&self, request: &Request) -> bool {
        let known = self.0.lock().unwrap();
        let asked = request.uri.query().unwrap_or_default();
        known
            .as_ref()
            .is_some_and(|id| asked.ends_with(id.as_str()))
    }
}

/// To whom, which dispatch, and where to tell of it.
fn form(request: &Request) -> (String, String, String) {
    let url = reqwest::Url::parse(&format!("http://form/?{}", request.body)).unwrap();
    let field = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    (field("to"), field("id"), field("tell"))
}

async fn place() -> (Place, HttpScript) {
    let place = Place::new().await;
    let script = HttpScript::start(gateway).await;
    let port = place.port;
    let settings = format!(
        "workspace: test\nlisten: \"127.0.0.1:{port}\"\npublic-url: http://127.0.0.1:{port}\n"
    );
    place.write("drumbeat.yaml", &settings);
    place.write("sms.yaml", &channel(&script.url()));
    std::fs::remove_file(place.path().join("flows/welcome.yaml")).unwrap();
    place.write("flows/texts.yaml", FLOW);
    let people = format!(
        "id,phone,city\nana,{CALLED},Lyon\nbo,{LOOKED_UP},Lyon\ncy,{TYPED},Lyon\ndi,{POSTED},Lyon\n"
    );
    place.write("customers.csv", &people);
    place.said(&["import", "customers.csv"]).await;
    (place, script)
}

async fn dispatches(place: &Place) -> Vec<Value> {
    let ledger = place.facts(&["dispatches"]).await;
    ledger["dispatches"].as_array().unwrap().clone()
}

async fn state_of(place: &Place, customer: &str) -> String {
    let all = dispatches(place).await;
    let of = all.iter().find(|one| one["customer"] == customer).unwrap();
    of["state"].as_str().unwrap().to_owned()
}

/// A message by its customer's number: its dispatch, and where to tell of it.
fn sent(script: &HttpScript, number: &str) -> (String, String) {
    let heard = script.heard();
    let mut forms = heard.iter().filter(|one| one.method == "POST").map(form);
    let (_, id, tell) = forms.find(|(to, ..)| to == number).unwrap();
    (id, tell)
}

async fn a_late_callback_tells(place: &Place, script: &HttpScript) {
    let (id, tell) = sent(script, CALLED);
    let told = client().post(format!("{tell}?state=there")).send().await;
    assert_eq!(told.unwrap().status(), 204);
    assert_eq!(state_of(place, "ana").await, "delivered");
    let listed = place.said(&["uncertain", "list"]).await;
    assert!(!listed.contains(&id), "{listed}");
}

async fn a_person_types(place: &Place, script: &HttpScript) {
    let (id, _) = sent(script, TYPED);
    let listed = place.said(&["uncertain", "list"]).await;
    assert!(listed.contains(&id), "{listed}");
    let not_taken = ["uncertain", "resolve", &id, "--not-taken"];
    let note = ["--note", "their log", "--by", "eva"];
    let said = place.said(&[&not_taken[..], &note].concat()).await;
    assert_eq!(said, format!("{id}: refused\n"));
    let taken = ["uncertain", "resolve", &id, "--taken"];
    let expected = json!({ "resolved": [{ "id": id, "state": "refused", "changed": false }] });
    assert_eq!(place.facts(&taken).await, expected);
    let explained = place.said(&["explain", "cy", "texts"]).await;
    assert!(explained.contains("their log"), "{explained}");
}

async fn a_program_posts(place: &Place, script: &HttpScript) {
    let (id, _) = sent(script, POSTED);
    let create = ["token", "create", "desk", "--scope", "operations:read"];
    let create = [&create[..], &["--scope", "operations:write"]].concat();
    let token = place.facts(&create).await;
    let bearer = token["secret"].as_str().unwrap();
    let base = format!("http://127.0.0.1:{}/api/v1/uncertain", place.port);
    let page = client().get(&base).bearer_auth(bearer).send().await;
    let page: Value = page.unwrap().json().await.unwrap();
    let mut shown = page["dispatches"].as_array().unwrap().iter();
    let is_shown = shown.any(|one| one["id"] == *id && one["state"] == "uncertain");
    assert!(is_shown, "{page}");
    let say = json!({ "taken": true, "note": "they billed it" });
    let post = |id: &str| {
        let url = format!("{base}/{id}");
        client().post(url).bearer_auth(bearer).json(&say).send()
    };
    for changed in [true, false] {
        let said: Value = post(&id).await.unwrap().json().await.unwrap();
        let expected = json!({ "id": id, "state": "accepted", "changed": changed });
        assert_eq!(said, expected);
    }
    assert_eq!(post("nothing").await.unwrap().status(), 404);
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_callback_a_question_and_people_settle_what_nobody_knew() {
    let (place, script) = place().await;
    let daemon = place.run().await;
    let all_out = async |_: &_| {
        let all = dispatches(&place).await;
        let doubtful = all.iter().filter(|one| one["state"] == "uncertain");
        (doubtful.count() == 4).then_some(())
    };
    daemon
        .until("four messages without an answer", all_out)
        .await;
    a_late_callback_tells(&place, &script).await;
    a_person_types(&place, &script).await;
    a_program_posts(&place, &script).await;
    let answered = async |_: &_| (state_of(&place, "bo").await == "delivered").then_some(());
    daemon.until("the gateway to be asked", answered).await;
    assert_eq!(place.said(&["uncertain", "list"]).await, "none\n");
    assert_eq!(daemon.stop().await, Some(0));
}

//! Owns which callbacks of Twilio are believed, as its own libraries believe them, and what they tell.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use drumbeat::channels::{Gateway as _, HookError, HookRequest};
use drumbeat::domain::news::{About, Bounce, Fate, News, Receipt, Reply};
use serde_json::{Value, json};

use super::dispatch;
use super::twilio::{LIMIT, TOKEN, opened, twilio};
use crate::rig::counterpart;

/// One request as a counterpart is asked to sign it: fields of a form, or a body of JSON.
struct Case {
    url: String,
    fields: Vec<(&'static str, &'static str)>,
    json: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let base = "https://post.test/hooks/sms/inbound";
    let from = [
        ("From", "+59899123456"),
        ("To", "+14155552671"),
        ("MessageSid", "SM9"),
    ];
    let with = |url: &str, more: &[(&'static str, &'static str)]| Case {
        url: url.to_owned(),
        fields: from.iter().chain(more).copied().collect(),
        json: None,
    };
    let body = r#"{"From":"+59899123456","To":"+14155552671","MessageSid":"SM9","Body":"¿qué?"}"#;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    let hash = hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    });
    vec![
        with(base, &[("Body", "STOP")]),
        with(base, &[]),
        with(
            base,
            &[("Body", ""), ("MediaUrl0", ""), ("a", "1"), ("A", "2")],
        ),
        with(base, &[("Body", "¿qué? ñandú 😀 & = + %41 /"), ("Ζ", "я")]),
        with(base, &[("Media", "b"), ("Media", "a"), ("Media", "a")]),
        with(&format!("{base}?foo=1&bar=a%20b"), &[("Body", "x")]),
        with("https://post.test:8443/hooks/sms/inbound", &[("Body", "x")]),
        Case {
            url: format!("{base}?bodySHA256={hash}"),
            fields: Vec::new(),
            json: Some(body),
        },
    ]
}

impl Case {
    /// Each field with all its values.
    fn parameters(&self) -> Value {
        let mut all = serde_json::Map::new();
        for (name, value) in &self.fields {
            let values = all.entry(*name).or_insert_with(|| json!([]));
            values.as_array_mut().unwrap().push(json!(value));
        }
        Value::Object(all)
    }

    fn body(&self) -> String {
        if let Some(body) = self.json {
            return body.to_owned();
        }
        let form = reqwest::Url::parse_with_params("http://form/", &self.fields).unwrap();
        form.query().unwrap().to_owned()
    }

    fn read(&self, signature: &str, body: &str) -> Result<Vec<News>, HookError> {
        let gateway = opened(&twilio("https://api.test"), Some("LAKESIDE"), LIMIT);
        let kind = match self.json {
            Some(_) => "application/json; charset=utf-8",
            None => "application/x-www-form-urlencoded; charset=UTF-8",
        };
        let headers = [
            ("content-type".to_owned(), kind.to_owned()),
            ("x-twilio-signature".to_owned(), signature.to_owned()),
        ];
        gateway.hook().unwrap().read(&HookRequest {
            method: "POST",
            url: &self.url,
            path: "inbound",
            query: self.url.split_once('?').map_or("", |(_, query)| query),
            headers: &headers,
            body: body.as_bytes(),
            at: "2026-01-09T10:30:05Z".parse().unwrap(),
        })
    }
}

/// Reads cases, writes for each its signature, and whether it finds that signature, and a forged one, good.
const NODE: &str = r#"
const { getExpectedTwilioSignature: sign, validateRequest, validateRequestWithBody } =
  require("twilio/lib/webhooks/webhooks");
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(({ url, fields, json }) => {
  const good = sign("12345", url, fields);
  const check = (s) => json === null ? validateRequest("12345", s, url, fields)
    : validateRequestWithBody("12345", s, url, json);
  return [good, check(good), check("AAAA" + good.slice(4))];
})));
"#;
const PYTHON: &str = r#"
import json, sys
from twilio.request_validator import RequestValidator
class Many(dict):
    def getlist(self, name):
        return self[name]
validator = RequestValidator("12345")
def answer(case):
    fields, body = Many(case["fields"]), case["json"]
    good = validator.compute_signature(case["url"], fields)
    check = lambda s: validator.validate(case["url"], fields if body is None else body, s)
    return [good, check(good), check("AAAA" + good[4:])]
print(json.dumps([answer(case) for case in json.load(sys.stdin)]))
"#;

/// What a counterpart says to the cases within a minute.
fn asked(mut command: Command, cases: &Value) -> Vec<(String, bool, bool)> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(cases.to_string().as_bytes()).unwrap();
    drop(input);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{:?}", done.status);
    serde_json::from_slice(&done.stdout).unwrap()
}

fn bounded(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60"]).arg(program);
    command
}

#[test]
fn both_official_validators_and_we_believe_the_same_requests() {
    let cases = cases();
    let told: Vec<Value> = cases
        .iter()
        .map(|case| json!({"url": case.url, "fields": case.parameters(), "json": case.json}))
        .collect();
    let told = Value::from(told);
    let mut node = bounded(Path::new("node"));
    node.args(["-e", NODE])
        .env("NODE_PATH", counterpart::node().join("node_modules"));
    let mut python = bounded(&counterpart::python("python.txt", "python"));
    python.args(["-c", PYTHON]);
    let answers = [asked(node, &told), asked(python, &told)];
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].len(), cases.len());
    for (case, (signature, good, forged)) in cases.iter().zip(&answers[0]) {
        assert_eq!((*good, *forged), (true, false), "{}", case.url);
        let body = case.body();
        let heard = case.read(signature, &body).unwrap();
        let [News::Reply(reply)] = &heard[..] else {
            panic!("{heard:?}");
        };
        assert_eq!(
            (reply.from.as_str(), reply.id.as_str()),
            ("+59899123456", "SM9")
        );
        let forged = format!("AAAA{}", &signature[4..]);
        let other = body.replace("SM9", "SM8");
        for refused in [case.read(&forged, &body), case.read(signature, &other)] {
            assert!(
                matches!(refused, Err(HookError::Unsigned(_))),
                "{refused:?}"
            );
        }
    }
}

/// A request signed with our own key, as the validators sign.
fn callback(path: &str, fields: &[(&str, &str)]) -> Result<Vec<News>, HookError> {
    let url = format!("https://post.test/hooks/sms/{path}");
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text: String = sorted
        .iter()
        .flat_map(|(name, value)| [*name, *value])
        .collect();
    let key = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        TOKEN.as_bytes(),
    );
    let tag = aws_lc_rs::hmac::sign(&key, format!("{url}{text}").as_bytes());
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, tag);
    let form = reqwest::Url::parse_with_params("http://form/", fields).unwrap();
    let headers = [
        (
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        ),
        ("x-twilio-signature".to_owned(), signature),
    ];
    let gateway = opened(&twilio("https://api.test"), Some("LAKESIDE"), LIMIT);
    gateway.hook().unwrap().read(&HookRequest {
        method: "POST",
        url: &url,
        path,
        query: "",
        headers: &headers,
        body: form.query().unwrap_or_default().as_bytes(),
        at: "2026-01-09T10:30:05Z".parse().unwrap(),
    })
}

#[test]
fn a_status_is_told_of_the_dispatch_in_its_address() {
    let path = format!("status/{}", dispatch(4));
    let fields = [
        ("MessageSid", "SM17"),
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "30005"),
        ("SomethingNew", "x"),
    ];
    let expected = News::Receipt(Receipt {
        about: About::Dispatch(dispatch(4)),
        fate: Fate::Bounced(Bounce::Hard),
        at: None,
        detail: "MessageStatus=undelivered ErrorCode=30005".to_owned(),
    });
    assert_eq!(callback(&path, &fields), Ok(vec![expected]));
    let nothing = callback(&path, &[("MessageStatus", "dreaming")]);
    assert_eq!(nothing, Ok(Vec::new()));
    let unreadable = [
        callback(&path, &[("MessageSid", "SM17")]),
        callback("status/nobody", &[("MessageStatus", "sent")]),
        callback("inbound", &[("From", "+1"), ("To", "+2")]),
    ];
    for refused in unreadable {
        assert!(
            matches!(refused, Err(HookError::Unreadable(_))),
            "{refused:?}"
        );
    }
    assert_eq!(
        callback("elsewhere", &[("a", "b")]),
        Err(HookError::Unknown)
    );
}

#[test]
fn what_somebody_writes_back_is_a_reply_with_its_own_id() {
    let fields = [
        ("MessageSid", "SM5"),
        ("From", "+59899123456"),
        ("To", "+14155552671"),
        ("Body", " stop "),
    ];
    let expected = News::Reply(Reply {
        from: "+59899123456".to_owned(),
        to: "+14155552671".to_owned(),
        text: " stop ".to_owned(),
        id: "SM5".to_owned(),
    });
    assert_eq!(callback("inbound", &fields), Ok(vec![expected]));
}

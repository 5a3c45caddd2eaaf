//! Owns what an HTTP gateway passes on of what people write back, and which requests are not believed.

use drumbeat::channels::{HookError, HookRequest};
use drumbeat::domain::channel::Channel;
use drumbeat::domain::gateway::HttpInbound;
use drumbeat::domain::news::{News, Reply};
use jiff::Timestamp;
use rstest::rstest;

use super::http::{gateway, opened};
use super::secretive;

const SECRET: &str = "a-secret-of-some-length";

fn inbound() -> HttpInbound {
    HttpInbound {
        secret: secretive(SECRET),
        header: None,
        from: "from".to_owned(),
        to: Some("to".to_owned()),
        text: "text".to_owned(),
        id: "id".to_owned(),
    }
}

fn read(how: HttpInbound, path: &str, query: &str, body: &str) -> Result<Vec<News>, HookError> {
    let mut http = gateway("http://127.0.0.1:9/");
    http.inbound = Some(Box::new(how));
    let gateway = opened(Channel::Sms, http).unwrap();
    let kind = ("content-type".to_owned(), "application/json".to_owned());
    let secret = ("x-secret".to_owned(), SECRET.to_owned());
    gateway.hook().unwrap().read(&HookRequest {
        method: "GET",
        url: "https://bank.example/hooks/sms/inbound",
        path,
        query,
        headers: &[kind, secret],
        body: body.as_bytes(),
        at: Timestamp::UNIX_EPOCH,
    })
}

fn reply(to: &str, text: &str) -> Vec<News> {
    vec![News::Reply(Reply {
        from: "+598991".to_owned(),
        to: to.to_owned(),
        text: text.to_owned(),
        id: "m 1".to_owned(),
    })]
}

#[test]
fn a_reply_is_read_from_a_query_or_from_json() {
    let path = format!("inbound/{SECRET}");
    let query = "from=%2B598991&to=777&text=no+m%C3%A1s&id=m%201";
    assert_eq!(
        read(inbound(), &path, query, "").unwrap(),
        reply("777", "no más")
    );
    let how = HttpInbound {
        header: Some("X-Secret".to_owned()),
        from: "/sms/from".to_owned(),
        to: None,
        ..inbound()
    };
    let body = r#"{ "sms": { "from": "+598991" }, "text": "", "id": "m 1" }"#;
    assert_eq!(read(how, "inbound", "", body).unwrap(), reply("", ""));
}

#[rstest]
#[case("inbound", "from=1&text=x&id=1", "the secret is missing")]
#[case(
    "inbound/another-secret-of-length",
    "from=1&text=x&id=1",
    "the secret is another one"
)]
#[case(
    "inbound/a-secret-of-some-length",
    "text=x&id=1",
    "`from` is not there, which holds the `from`"
)]
#[case(
    "inbound/a-secret-of-some-length",
    "from=&text=x&id=1",
    "`from` is empty"
)]
#[case(
    "inbound/a-secret-of-some-length",
    "from=1&text=x&id=",
    "`id` is empty"
)]
#[case(
    "inbound/a-secret-of-some-length",
    "from=1&id=1",
    "`text` is not there, which holds the `text`"
)]
#[case("inbound/more/a-secret-of-some-length", "", "there is no such hook")]
#[case("status/a-secret-of-some-length", "", "there is no such hook")]
fn what_is_no_reply_of_the_gateway_is_not_believed(
    #[case] path: &str,
    #[case] query: &str,
    #[case] why: &str,
) {
    let refused = read(inbound(), path, query, "").unwrap_err();
    assert!(refused.to_string().ends_with(why), "{refused}");
}

//! Owns the gateways that go by HTTP, each opened to write to a server on this machine.

use std::collections::BTreeMap;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use drumbeat::channels::SharedGateway;
use drumbeat::domain::channel::Channel;
use drumbeat::domain::duration::Delay;
use drumbeat::domain::gateway::{
    FcmGateway, Gateway, HttpBody, HttpGateway, Secretive, SuccessRule, TwilioGateway,
    WebpushGateway,
};
use serde_json::json;

use crate::adapter::open;
use crate::http::{CONNECTIONS, Http};

pub(crate) const ALL: [Http; 4] = [
    Http {
        name: "http",
        channel: Channel::Sms,
        open: http,
    },
    Http {
        name: "twilio",
        channel: Channel::Sms,
        open: twilio,
    },
    Http {
        name: "fcm",
        channel: Channel::Push,
        open: fcm,
    },
    Http {
        name: "webpush",
        channel: Channel::Push,
        open: webpush,
    },
];

const PHONE: &str = "+59899123456";

fn secretive(text: &str) -> Secretive {
    Secretive(text.to_owned())
}

fn base(port: u16) -> Secretive {
    Secretive(format!("http://127.0.0.1:{port}"))
}

fn http(port: u16) -> anyhow::Result<(SharedGateway, String)> {
    let gateway = Gateway::Http(HttpGateway {
        method: "POST".to_owned(),
        url: base(port),
        headers: BTreeMap::new(),
        body: HttpBody::Json(json!({ "to": "{{ message.to }}", "text": "{{ message.text }}" })),
        success: SuccessRule {
            status: vec![201],
            body_contains: None,
        },
        id_pointer: None,
        idempotency_header: None,
        timeout: Delay::seconds(30),
        receipts: None,
        inbound: None,
        lookup: None,
    });
    Ok((open(Channel::Sms, gateway, CONNECTIONS)?, PHONE.to_owned()))
}

fn twilio(port: u16) -> anyhow::Result<(SharedGateway, String)> {
    let gateway = Gateway::Twilio(TwilioGateway {
        account_sid: secretive("AC0123456789abcdef0123456789abcdef"),
        auth_token: secretive("s3cret-of-the-account"),
        messaging_service_sid: None,
        base_url: base(port),
        validity_period: None,
    });
    Ok((open(Channel::Sms, gateway, CONNECTIONS)?, PHONE.to_owned()))
}

fn fcm(port: u16) -> anyhow::Result<(SharedGateway, String)> {
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let der: Pkcs8V1Der<'_> = key.as_der()?;
    let key = BASE64_STANDARD.encode(der.as_ref());
    let account = json!({
        "type": "service_account",
        "client_email": "sender@bank.test",
        "private_key_id": "k1",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"),
        "token_uri": format!("http://127.0.0.1:{port}/token"),
    });
    let gateway = Gateway::Fcm(FcmGateway {
        project: secretive("bank"),
        service_account: Secretive(account.to_string()),
        base_url: Some(base(port)),
    });
    let device = "a-phone".to_owned();
    Ok((open(Channel::Push, gateway, CONNECTIONS)?, device))
}

fn webpush(port: u16) -> anyhow::Result<(SharedGateway, String)> {
    let key = PrivateKey::generate(&ECDH_P256)?;
    let number: EcPrivateKeyBin<'_> = key.as_be_bytes()?;
    let point = key.compute_public_key()?;
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let gateway = Gateway::Webpush(WebpushGateway {
        subject: secretive("mailto:push@bank.test"),
        key: Secretive(text(number.as_ref())),
        urgency: None,
        allow_networks: vec!["127.0.0.0/8".to_owned()],
    });
    let browser = json!({
        "endpoint": format!("http://127.0.0.1:{port}/push/1"),
        "keys": { "p256dh": text(point.as_ref()), "auth": text(b"0123456789abcdef") },
    });
    let gateway = open(Channel::Push, gateway, CONNECTIONS)?;
    Ok((gateway, browser.to_string()))
}

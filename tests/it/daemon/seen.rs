//! Who opens a message and follows its links is seen where that is allowed, and only there.

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::gateways::{Gateways, link, parts_of};
use super::process::Place;

const MAILS: &str = r#"flow: mails
name: Mails
category: onboarding
group: retail
segment: { where: { field: city, is: Lyon } }
steps:
  - id: hello
    email:
      subject: Hello
      html: '<body><p><a href="https://bank.example/card?a=1&amp;b=2">Your card</a> <a href="{{ unsubscribe_url }}">Stop</a> {{ organization.postal_address }}</p></body>'
  - { id: news, push: { title: News, body: Look, link: "https://bank.example/news" } }
"#;

const FIELDS: &str = r"customers:
  fields:
    may_be_seen: { type: boolean }
";

/// Ana agreed, Ben did not, Eva was never asked.
const AGREED: &str = "id,may_be_seen\nana,true\nben,false\n";

const TRACKING: &str = "tracking: { opens: true, clicks: true, consent-field: may_be_seen }\n";

fn browser() -> Client {
    let client = Client::builder().no_proxy().redirect(Policy::none());
    client.build().unwrap()
}

async fn get(url: &str, program: &str) -> Response {
    let request = browser().get(url).header("user-agent", program);
    request.send().await.unwrap()
}

async fn seen(place: &Place, customer: &str) -> Vec<Value> {
    let shown = place.facts(&["customer", "show", customer]).await;
    let lines = shown["interactions"].as_array().unwrap().iter();
    let inbound = lines.filter(|line| line["direction"] == "inbound");
    inbound
        .map(|line| {
            json!([
                line["kind"],
                line["channel"],
                line["campaign"],
                line["flow"],
                line["step"],
                line["detail"]["url"],
                line["detail"]["by"],
                line["actor"]
            ])
        })
        .collect()
}

/// A place whose channels may see those who agreed, and its counterparts.
async fn place() -> (Place, Gateways) {
    let place = Place::new().await;
    place.write("flows/customers.yaml", FIELDS);
    let gateways = Gateways::beside(&place, &[]).await;
    let channels = std::fs::read_to_string(place.path().join("email.yaml")).unwrap();
    let channels = channels.replace("gateway:", &format!("{TRACKING}gateway:"));
    place.write("email.yaml", &channels);
    // The field is there once a daemon has read it.
    assert_eq!(place.run().await.stop().await, Some(0));
    place.write("agreed.csv", AGREED);
    place.said(&["import", "agreed.csv"]).await;
    place.write("flows/mails.yaml", MAILS);
    (place, gateways)
}

#[tokio::test]
async fn an_opened_message_and_a_followed_link_are_seen_of_those_who_agreed() {
    let (place, gateways) = place().await;
    let daemon = place.run().await;
    gateways.take(3, 0).await;
    let own = format!("http://127.0.0.1:{}", place.port);
    let mails = gateways.mails();
    let (_, of_ana) = parts_of(&mails, "ana");
    let (_, of_ben) = parts_of(&mails, "ben");
    let (_, of_eva) = parts_of(&mails, "eva");
    unchanged(&[of_ben, of_eva]);
    assert!(!of_ana.contains("href=\"https://bank.example"), "{of_ana}");
    let pixel = link(of_ana, &format!("{own}/o/"));
    let click = link(of_ana, &format!("{own}/c/"));
    link(of_ana, &format!("{own}/u/"));

    read_three_times(&place, &pixel, &click).await;
    follow_the_push(&gateways, &own).await;

    let mut told = seen(&place, "ana").await;
    told.sort_by_key(ToString::to_string);
    let card = "https://bank.example/card?a=1&b=2";
    let news = "https://bank.example/news";
    let expected = [
        json!([
            "email-clicked",
            "email",
            "mails",
            "mails",
            "hello",
            card,
            null,
            "customer"
        ]),
        json!([
            "email-opened",
            "email",
            "mails",
            "mails",
            "hello",
            null,
            "mail proxy",
            "customer"
        ]),
        json!([
            "push-opened",
            "push",
            "mails",
            "mails",
            "news",
            news,
            null,
            "customer"
        ]),
    ];
    assert_eq!(told, expected);
    let shown = place.facts(&["customer", "show", "ana"]).await;
    assert!(shown["last_activity_at"].is_string(), "{shown}");

    nowhere_else(&pixel, &click).await;
    assert_eq!(daemon.stop().await, Some(0));
}

/// Of whom nothing may be seen, nothing is asked.
fn unchanged(mails: &[&str]) {
    for unseen in mails {
        assert!(
            unseen.contains("href=\"https://bank.example/card?a=1&amp;b=2\""),
            "{unseen}"
        );
        assert!(!unseen.contains("<img"), "{unseen}");
    }
}

/// The picture and the link of a mail.
async fn read_three_times(place: &Place, pixel: &str, click: &str) {
    // Apple's proxy loads every picture, read or not.
    let picture = get(pixel, "Mozilla/5.0").await;
    assert_eq!(picture.headers()["content-type"], "image/gif");
    assert!(seen(place, "ana").await.is_empty());
    for _ in 0..3 {
        let picture = get(
            pixel,
            "Mozilla/5.0 (Windows NT 5.1) (via ggpht.com GoogleImageProxy)",
        )
        .await;
        assert_eq!(picture.headers()["cache-control"], "no-store");
        assert!(picture.bytes().await.unwrap().starts_with(b"GIF89a"));
        let page = get(click, "Mozilla/5.0 (X11; Linux x86_64)").await;
        assert_eq!(page.status(), 302);
        assert_eq!(
            page.headers()["location"],
            "https://bank.example/card?a=1&b=2"
        );
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    }
}

/// The one of three that leads over us.
async fn follow_the_push(gateways: &Gateways, own: &str) {
    let pushed = gateways.pushes().into_iter();
    let links: Vec<String> = pushed
        .map(|push| push["link"].as_str().unwrap().to_owned())
        .collect();
    let led = |link: &&String| link.starts_with(&format!("{own}/c/"));
    let [pushed] = links.iter().filter(led).collect::<Vec<_>>()[..] else {
        panic!("one push of three leads over us: {links:?}");
    };
    let page = get(pushed, "Mozilla/5.0 (Android)").await;
    assert_eq!(page.headers()["location"], "https://bank.example/news");
}

/// An altered address leads nowhere, and one kind of token is not another.
async fn nowhere_else(pixel: &str, click: &str) {
    let altered = |url: &str| {
        let (head, last) = url.split_at(url.len() - 1);
        format!("{head}{}", if last == "A" { "B" } else { "A" })
    };
    for url in [
        altered(&pixel.replace("/o/", "/c/")),
        pixel.replace("/o/", "/c/"),
        pixel.replace("/o/", "/u/"),
        click.replace("/c/", "/o/"),
        click.replace("/c/", "/u/"),
        altered(&click.replace('A', "B")),
        format!("{click}AAAA"),
        click.split("/c/").next().unwrap().to_owned() + "/c/https:%2F%2Fevil.example",
    ] {
        let answer = get(&url, "Mozilla/5.0 (X11)").await;
        assert_eq!(answer.status(), 404, "{url}");
        assert!(!answer.headers().contains_key("location"), "{url}");
    }
}

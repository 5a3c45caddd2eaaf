//! Owns the tests of replies that stop and start a channel.

use drumbeat::domain::news::{News, Reply};
use drumbeat::domain::subscription::Consent;
use rstest::rstest;

use super::hearing::{OURS, rig};
use super::rig::Rig;
use super::written::policy;

const NUMBER: &str = "+491711234567";

fn reply(from: &str, text: &str, id: &str) -> News {
    News::Reply(Reply {
        from: from.to_owned(),
        to: "BANK".to_owned(),
        text: text.to_owned(),
        id: id.to_owned(),
    })
}

impl Rig {
    async fn writes(&self, from: &str, text: &str, id: &str) {
        self.hear(vec![reply(from, text, id)]).await;
    }

    async fn agreed(&self, customer: &str) -> Consent {
        let model = &self.engine().catalog().revision().data_model.clone();
        let customer = self.store.customer(customer, model).await;
        let customer = customer.unwrap().unwrap();
        customer.consents.sms
    }

    async fn changes(&self, customer: &str) -> Vec<String> {
        let lines = self.history(customer).await;
        let lines = lines.iter().filter(|line| line.kind == "consent-changed");
        let lines = lines.map(|line| {
            let detail = line.detail.as_ref().unwrap();
            let actor = line.actor.as_deref().unwrap();
            format!(
                "{} {actor} {}: {}",
                detail["is"], detail["source"], detail["note"]
            )
        });
        lines.map(|line| line.replace('"', "")).collect()
    }
}

/// Whoever stops is not written to, however their number is stored, and however the gateway writes it.
#[rstest]
#[case(NUMBER, NUMBER)]
#[case("491711234567", "+49 171 1234567")]
#[case("+49 (171) 123-4567", "491711234567")]
#[case("00491711234567", "491711234567")]
#[case("01711234567", "491711234567")]
#[case("0171 1234567", NUMBER)]
#[tokio::test]
async fn stop_withdraws_the_consent_of_everybody_with_the_number(
    #[case] stored: &str,
    #[case] from: &str,
) {
    let mut rig = rig(OURS).await;
    rig.settle().await;
    rig.customer("bob", "city=Paris").await;
    rig.customer("eva", "city=Paris").await;
    rig.set_all(&["ana"], &format!("phone={stored},country=DE"))
        .await;
    rig.set_all(&["bob"], &format!("phone={NUMBER}")).await;
    rig.set_all(&["eva"], "phone=+491711234568").await;
    for _ in 0..3 {
        rig.writes(from, " Stop! ", "MO1").await;
    }
    for (customer, consent, changes) in [
        ("ana", Consent::Unsubscribed, 1),
        ("bob", Consent::Unsubscribed, 1),
        ("eva", Consent::default(), 0),
    ] {
        assert_eq!(rig.agreed(customer).await, consent, "{customer}");
        let said = rig.changes(customer).await;
        assert_eq!(said.len(), changes, "{customer}");
        for line in said {
            assert_eq!(line, "unsubscribed customer gateway: replied stop");
        }
    }
    rig.sent();
    rig.advance("1d").await;
    assert_eq!(rig.sent(), Vec::<String>::new());
    let lines = rig.history("ana").await;
    let withheld = lines
        .iter()
        .find(|line| line.kind == "sms-withheld")
        .unwrap();
    assert_eq!(withheld.detail.as_ref().unwrap()["reason"], "no_consent");
}

#[tokio::test]
async fn start_gives_back_what_was_withdrawn_and_nothing_else() {
    let mut rig = rig(OURS).await;
    rig.settle().await;
    rig.set_all(&["ana"], &format!("phone={NUMBER}")).await;
    rig.writes(NUMBER, "yes", "MO1").await;
    assert_eq!(rig.agreed("ana").await, Consent::Subscribed);
    rig.writes(NUMBER, "STOP", "MO2").await;
    rig.writes(NUMBER, "HELP", "MO3").await;
    rig.writes(NUMBER, "stop it please", "MO4").await;
    assert_eq!(rig.agreed("ana").await, Consent::Unsubscribed);
    rig.writes(NUMBER, "Start", "MO5").await;
    // Told again, late.
    rig.writes(NUMBER, "STOP", "MO2").await;
    assert_eq!(rig.agreed("ana").await, Consent::OptedIn);
    rig.sent();
    rig.advance("1d").await;
    assert_eq!(rig.sent().len(), 1);
    let replied = rig.history("ana").await;
    let replied = replied.iter().filter(|line| line.kind == "replied");
    assert_eq!(replied.count(), 5);
}

#[tokio::test]
async fn words_of_the_channel_count_like_the_known_ones() {
    let channel = format!("{OURS}words: {{ stop: [enough] }}\n");
    let mut rig = rig(&channel).await;
    rig.settle().await;
    rig.set_all(&["ana"], &format!("phone={NUMBER}")).await;
    rig.writes(NUMBER, "Enough.", "MO1").await;
    assert_eq!(rig.agreed("ana").await, Consent::Unsubscribed);
}

#[tokio::test]
async fn the_telephone_is_answered_once_in_its_language_and_though_consent_is_withdrawn() {
    let answers = "replies:\n  stop: { en: \"No more texts.\", es: \"No más mensajes.\" }\n  help: Lakeside\n";
    let mut rig = rig(&format!("{OURS}{answers}")).await;
    rig.settle().await;
    rig.customer("bob", "city=Paris").await;
    rig.set_all(&["ana", "bob"], &format!("phone={NUMBER},language=es"))
        .await;
    rig.sent();
    for _ in 0..3 {
        rig.writes(NUMBER, "BAJA", "MO1").await;
        rig.settle().await;
    }
    let tries = rig.outbox.take();
    let texts: Vec<_> = tries.iter().map(|one| &one.message.frozen).collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0].to, NUMBER);
    let said = serde_json::to_string(&texts[0].rendered).unwrap();
    assert!(said.contains("No más mensajes."), "{said}");
    rig.writes(NUMBER, "help", "MO2").await;
    rig.writes(NUMBER, "start", "MO3").await;
    rig.settle().await;
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.agreed("ana").await, Consent::OptedIn);
}

#[tokio::test]
async fn who_asks_at_night_is_answered_at_night() {
    let channel = format!("{OURS}replies: {{ help: Lakeside }}\n");
    let night = policy("quiet-hours: { sms: \"06:00-05:00\" }");
    let files = [
        ("channels/sms.yaml", channel.as_str()),
        ("flows/policy.yaml", night.as_str()),
    ];
    let mut rig = Rig::start(&files).await;
    rig.customer("ana", &format!("city=Rome,phone={NUMBER}"))
        .await;
    rig.writes(NUMBER, "help", "MO1").await;
    rig.settle().await;
    assert_eq!(rig.sent().len(), 1);
}

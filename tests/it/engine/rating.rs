//! Owns the tests of flows over ratings: days pass, customers act, and each rating begins and ends on its day.

use drumbeat::domain::customer::Status;
use drumbeat::domain::interaction::Kind;
use rstest::rstest;

use super::rig::Rig;
use super::written::{email, flow};

fn over(rating: &str, steps: &[String]) -> String {
    flow("f", &format!("{{ rating: {rating} }}"), "", steps)
}

/// Somebody who logs in at ten in the morning of the fifth of January.
async fn active(rating: &str) -> Rig {
    let rig = Rig::with(&over(rating, &[email("hello", "")])).await;
    rig.customer("ana", "city=Lyon").await;
    rig.did("ana", Kind::Login).await;
    rig
}

#[rstest]
#[case::new("new", "0d", "01-05 10:00")]
#[case::frequent("frequent", "15d", "01-21 00:00")]
#[case::dormant("dormant", "45d", "02-20 00:00")]
#[case::expired("expired", "120d", "05-06 00:00")]
#[tokio::test]
async fn a_rating_begins_with_the_first_minute_of_its_day(
    #[case] rating: &str,
    #[case] before: &str,
    #[case] begins: &str,
) {
    let mut rig = active(rating).await;
    rig.sleep(before);
    rig.live("15h", "1h").await;
    assert_eq!(rig.sent(), [format!("{begins} ana email hello")]);
}

#[tokio::test]
async fn who_acts_again_is_new_from_that_moment_and_not_dormant_on_the_day_it_would_have_been() {
    let mut rig = active("dormant").await;
    rig.sleep("45d");
    rig.did("ana", Kind::PageVisited).await;
    rig.live("15h", "1h").await;
    assert!(rig.sent().is_empty());
    rig.sleep("45d");
    rig.live("15h", "1h").await;
    assert_eq!(rig.sent().len(), 1, "dormant again, so many days later");
}

#[tokio::test]
async fn a_contact_that_was_uploaded_and_never_did_anything_is_inactive_until_we_write_to_it() {
    let steps = [email("welcome", ""), email("more", "after: 3d")];
    let mut rig = Rig::with(&over("inactive", &steps)).await;
    rig.customer("ana", "city=Lyon").await;
    rig.customer("ben", "city=Lyon").await;
    rig.did("ben", Kind::Login).await;
    rig.advance("4d").await;
    let sent = [
        "01-05 10:00 ana email welcome",
        "01-08 10:00 ana email more",
    ];
    assert_eq!(rig.sent(), sent, "the flow's own message ends no run");
}

#[rstest]
#[case(Status::Suspended)]
#[case(Status::Discarded)]
#[tokio::test]
async fn who_is_discarded_has_no_other_rating_and_gets_nothing(#[case] status: Status) {
    let mut rig = active("new").await;
    rig.status("ana", status).await;
    rig.advance("1d").await;
    assert!(rig.sent().is_empty());
}

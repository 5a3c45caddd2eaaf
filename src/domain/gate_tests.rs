//! Owns the tests of the gate: every reason, and which one wins.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rstest::rstest;

use super::audit::{Actor, By, Source};
use super::channel::Channel;
use super::customer::{Status, Switch, Switches};
use super::dispatch::Reason;
use super::enrollment::ExitReason;
use super::gate::{Address, CapState, Facts, FlowGate, Verdict, decide};
use super::held::HeldBecause;
use super::subscription::{
    Belonging, Consent, ConsentRule, Scope, Subscription, SubscriptionState,
};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const SOON: Timestamp = Timestamp::constant(1_800_000_600, 0);

/// A fact that stands in the way.
type Obstacle = fn(&mut Facts<'_>);

fn place() -> [Belonging; 1] {
    [Belonging {
        campaign: "gold".to_owned(),
        category: Some("cards".to_owned()),
        group: Some("retail".to_owned()),
        channel: Channel::Sms,
    }]
}

fn record(scope: Scope, state: SubscriptionState) -> Subscription {
    Subscription {
        scope,
        state,
        by: By::new(Actor::customer(), Source::Link),
        at: Timestamp::UNIX_EPOCH,
    }
}

/// Facts that let the message go.
fn clear<'a>(belongs: &'a [Belonging], subscriptions: &'a [Subscription]) -> Facts<'a> {
    Facts {
        now: NOW,
        allowed_from: NOW,
        max_lateness: SignedDuration::from_hours(72),
        is_retry: false,
        skip_planned_before: None,
        flow: FlowGate::Running,
        channel: Channel::Sms,
        status: Some(Status::Active),
        identified: true,
        switches: Switches::default(),
        belongs,
        subscriptions,
        dismissed: false,
        is_service: false,
        consent: Consent::Subscribed,
        consent_rule: ConsentRule::OptOut,
        ends: None,
        send_condition_met: true,
        dateless: None,
        held_out: false,
        campaign_active: true,
        address: Address::Good,
        cap: CapState::Free,
        opens_at: Some(NOW),
        closed_by: HeldBecause::QuietHours,
    }
}

/// A standing record that names these dimensions of the message.
fn blocking(dimensions: &str) -> Subscription {
    let named = |dimension| dimensions.contains(dimension);
    let own = |dimension, name: &str| named(dimension).then(|| name.to_owned());
    let scope = Scope {
        campaign: own("campaign", "gold"),
        category: own("category", "cards"),
        group: own("group", "retail"),
        channel: named("channel").then_some(Channel::Sms),
    };
    record(scope, SubscriptionState::Unsubscribed)
}

/// Every obstacle but unsubscribing, in the order in which they are asked.
fn ladder() -> Vec<(Obstacle, Verdict)> {
    let mut ladder = about_the_customer();
    ladder.extend(about_the_message());
    ladder
}

fn about_the_customer() -> Vec<(Obstacle, Verdict)> {
    use Verdict::{Exit, Withhold};
    vec![
        (
            |f| f.flow = FlowGate::Stopped,
            Exit(Reason::FlowStopped, ExitReason::FlowStopped),
        ),
        (
            |f| f.status = None,
            Exit(Reason::CustomerDeleted, ExitReason::CustomerDeleted),
        ),
        (|f| f.identified = false, Withhold(Reason::Anonymous)),
        (
            |f| f.switches.outbound = false,
            Withhold(Reason::OutboundOff),
        ),
        (|f| f.switches.sms = false, Withhold(Reason::ChannelOff)),
        (
            |f| f.dismissed = true,
            Exit(Reason::Dismissed, ExitReason::Dismissed),
        ),
        (
            |f| f.consent = Consent::Unsubscribed,
            Withhold(Reason::NoConsent),
        ),
        (|f| f.held_out = true, Withhold(Reason::Holdout)),
    ]
}

fn about_the_message() -> Vec<(Obstacle, Verdict)> {
    use Verdict::{Exit, Withhold};
    let hold = |until, because| Verdict::Hold { until, because };
    vec![
        (
            |f| f.ends = Some(ExitReason::ExitCondition),
            Exit(Reason::ExitCondition, ExitReason::ExitCondition),
        ),
        (
            |f| f.ends = Some(ExitReason::LeftSegment),
            Exit(Reason::NoLongerInSegment, ExitReason::LeftSegment),
        ),
        (
            |f| f.campaign_active = false,
            Withhold(Reason::CampaignInactive),
        ),
        (
            |f| f.send_condition_met = false,
            Withhold(Reason::SendConditionFalse),
        ),
        (
            |f| f.dateless = Some(Reason::DateMissing),
            Withhold(Reason::DateMissing),
        ),
        (
            |f| f.address = Address::Missing,
            Withhold(Reason::AddressMissing),
        ),
        (
            |f| f.cap = CapState::Reached,
            Withhold(Reason::FrequencyCapped),
        ),
        (
            |f| f.opens_at = Some(SOON),
            hold(SOON, HeldBecause::QuietHours),
        ),
        (
            |f| f.allowed_from = NOW - SignedDuration::from_hours(73),
            Withhold(Reason::Late),
        ),
    ]
}

#[test]
fn a_message_without_an_obstacle_is_sent() {
    assert_eq!(decide(&clear(&place(), &[])), Verdict::Send);
}

#[test]
fn each_obstacle_alone_has_its_verdict() {
    for (obstacle, verdict) in ladder() {
        let place = place();
        let mut facts = clear(&place, &[]);
        obstacle(&mut facts);
        assert_eq!(decide(&facts), verdict);
    }
}

#[test]
fn of_two_obstacles_the_one_asked_first_wins() {
    let ladder = ladder();
    for (at, (first, verdict)) in ladder.iter().enumerate() {
        for (second, _) in &ladder[at + 1..] {
            let place = place();
            let mut facts = clear(&place, &[]);
            second(&mut facts);
            first(&mut facts);
            assert_eq!(decide(&facts), *verdict);
        }
    }
}

/// The report of a flow compares those who were drawn with those who passed the draw.
#[test]
fn what_precedes_the_draw_of_the_held_out_is_known() {
    let mut obstacles: Vec<Obstacle> = ladder().into_iter().map(|(obstacle, _)| obstacle).collect();
    obstacles.extend([(|f| f.status = Some(Status::Suspended)) as Obstacle, |f| {
        f.status = Some(Status::Discarded);
    }]);
    let place = place();
    for obstacle in obstacles {
        let mut facts = clear(&place, &[]);
        obstacle(&mut facts);
        compare_with_the_draw(facts);
    }
    for narrowest in ["campaign", "category", "group", "channel", ""] {
        let records = [blocking(narrowest)];
        compare_with_the_draw(clear(&place, &records));
    }
}

fn compare_with_the_draw(mut facts: Facts<'_>) {
    let (Verdict::Withhold(reason) | Verdict::Exit(reason, _)) = decide(&facts) else {
        return;
    };
    facts.held_out = true;
    let is_drawn = decide(&facts) == Verdict::Withhold(Reason::Holdout);
    assert_eq!(is_drawn, !reason.precedes_the_draw(), "{reason}");
}

#[rstest]
#[case(|f: &mut Facts<'_>| f.status = Some(Status::Suspended), Verdict::Exit(Reason::Suspended, ExitReason::Suspended))]
#[case(|f: &mut Facts<'_>| f.status = Some(Status::Discarded), Verdict::Exit(Reason::Discarded, ExitReason::Discarded))]
#[case(|f: &mut Facts<'_>| f.flow = FlowGate::Paused, Verdict::Hold { until: NOW + SignedDuration::from_mins(1), because: HeldBecause::Paused })]
#[case(|f: &mut Facts<'_>| f.consent_rule = ConsentRule::OptIn, Verdict::Withhold(Reason::NoConsent))]
#[case(|f: &mut Facts<'_>| f.address = Address::Invalid, Verdict::Withhold(Reason::AddressInvalid))]
#[case(|f: &mut Facts<'_>| f.address = Address::Suppressed, Verdict::Withhold(Reason::AddressSuppressed))]
#[case(|f: &mut Facts<'_>| f.cap = CapState::RetryAt(SOON), Verdict::Hold { until: SOON, because: HeldBecause::Cap })]
#[case(|f: &mut Facts<'_>| f.opens_at = None, Verdict::Withhold(Reason::WindowExpired))]
#[case(|f: &mut Facts<'_>| { f.opens_at = Some(SOON); f.closed_by = HeldBecause::Window; }, Verdict::Hold { until: SOON, because: HeldBecause::Window })]
#[case(|f: &mut Facts<'_>| f.skip_planned_before = Some(SOON), Verdict::Withhold(Reason::Late))]
#[case(|f: &mut Facts<'_>| f.allowed_from = NOW - SignedDuration::from_hours(72), Verdict::Send)]
#[case(|f: &mut Facts<'_>| f.skip_planned_before = Some(NOW), Verdict::Send)]
#[case(|f: &mut Facts<'_>| { f.is_retry = true; f.allowed_from = Timestamp::UNIX_EPOCH; f.cap = CapState::Reached; }, Verdict::Send)]
#[case(|f: &mut Facts<'_>| { f.is_retry = true; f.switches = f.switches.with(Switch::Outbound, false); }, Verdict::Withhold(Reason::OutboundOff))]
#[case(|f: &mut Facts<'_>| { f.consent_rule = ConsentRule::OptIn; f.consent = Consent::OptedIn; }, Verdict::Send)]
#[case(|f: &mut Facts<'_>| f.switches = f.switches.with(Switch::Channel(Channel::Email), false), Verdict::Send)]
fn the_other_verdicts(#[case] obstacle: Obstacle, #[case] expected: Verdict) {
    let place = place();
    let mut facts = clear(&place, &[]);
    obstacle(&mut facts);
    assert_eq!(decide(&facts), expected);
}

#[rstest]
#[case(&[blocking("campaign category group channel")], Reason::UnsubscribedCampaign)]
#[case(&[blocking("category group")], Reason::UnsubscribedCategory)]
#[case(&[blocking("group channel")], Reason::UnsubscribedGroup)]
#[case(&[blocking("channel")], Reason::UnsubscribedChannel)]
#[case(&[blocking("")], Reason::UnsubscribedEverything)]
#[case(&[blocking(""), blocking("campaign")], Reason::UnsubscribedCampaign)]
fn the_narrowest_record_names_the_reason(#[case] records: &[Subscription], #[case] reason: Reason) {
    let place = place();
    assert_eq!(decide(&clear(&place, records)), Verdict::Withhold(reason));
}

#[test]
fn unsubscribing_is_asked_between_the_switches_and_the_dismissal() {
    let (place, records) = (place(), [blocking("campaign")]);
    for (at, (obstacle, verdict)) in ladder().into_iter().enumerate() {
        let mut facts = clear(&place, &records);
        obstacle(&mut facts);
        let unsubscribed = Verdict::Withhold(Reason::UnsubscribedCampaign);
        let expected = if at < 5 { verdict } else { unsubscribed };
        assert_eq!(decide(&facts), expected);
    }
}

#[test]
fn opting_out_of_the_campaign_that_a_flow_reuses_counts_too() {
    let [flow] = place();
    let reused = Belonging {
        campaign: "silver".to_owned(),
        category: None,
        group: None,
        channel: Channel::Sms,
    };
    let silver = Scope {
        campaign: Some("silver".to_owned()),
        ..Scope::default()
    };
    let records = [record(silver, SubscriptionState::Unsubscribed)];
    let both = [flow, reused];
    let verdict = Verdict::Withhold(Reason::UnsubscribedCampaign);
    assert_eq!(decide(&clear(&both, &records)), verdict);
    assert_eq!(decide(&clear(&both[..1], &records)), Verdict::Send);
}

#[test]
fn a_service_message_asks_for_no_marketing_permission() {
    let (place, records) = (place(), [blocking("")]);
    let mut facts = clear(&place, &records);
    facts.is_service = true;
    facts.consent = Consent::Unsubscribed;
    facts.cap = CapState::Reached;
    assert_eq!(decide(&facts), Verdict::Send);
    facts.switches = facts.switches.with(Switch::Channel(Channel::Sms), false);
    assert_eq!(decide(&facts), Verdict::Withhold(Reason::ChannelOff));
}

fn name() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(vec!["a", "b"]).prop_map(str::to_owned))
}

fn scope() -> impl Strategy<Value = Scope> {
    let channel = prop::option::of(prop::sample::select(Channel::ALL.to_vec()));
    (name(), name(), name(), channel).prop_map(|(campaign, category, group, channel)| Scope {
        campaign,
        category,
        group,
        channel,
    })
}

fn belonging() -> impl Strategy<Value = Belonging> {
    let channel = prop::sample::select(Channel::ALL.to_vec());
    (
        prop::sample::select(vec!["a", "b"]),
        name(),
        name(),
        channel,
    )
        .prop_map(|(campaign, category, group, channel)| Belonging {
            campaign: campaign.to_owned(),
            category,
            group,
            channel,
        })
}

proptest! {
    #[test]
    fn what_a_standing_record_covers_is_never_sent(
        places in prop::collection::vec(belonging(), 1..3),
        scopes in prop::collection::vec((scope(), any::<bool>()), 0..4),
        is_retry in any::<bool>(),
    ) {
        let records: Vec<Subscription> = scopes.into_iter().map(|(scope, stands)| {
            let state = if stands { SubscriptionState::Unsubscribed } else { SubscriptionState::Resubscribed };
            record(scope, state)
        }).collect();
        // Spelled out again, dimension by dimension.
        let covered = records.iter().filter(|r| r.state == SubscriptionState::Unsubscribed).any(|r| {
            places.iter().any(|p| {
                (r.scope.campaign.is_none() || r.scope.campaign.as_deref() == Some(&p.campaign))
                    && (r.scope.category.is_none() || r.scope.category == p.category)
                    && (r.scope.group.is_none() || r.scope.group == p.group)
                    && (r.scope.channel.is_none() || r.scope.channel == Some(p.channel))
            })
        });
        let mut facts = clear(&places, &records);
        facts.is_retry = is_retry;
        prop_assert_eq!(decide(&facts) != Verdict::Send, covered);
    }

    #[test]
    fn resubscribing_by_everything_leaves_nothing_that_stands(
        scopes in prop::collection::vec(scope(), 0..6),
        wanted in scope(),
    ) {
        let records: Vec<Subscription> = scopes
            .into_iter()
            .map(|scope| record(scope, SubscriptionState::Unsubscribed))
            .collect();
        let all = super::subscription::resubscribe(&records, &Scope::EVERYTHING);
        prop_assert_eq!(all.flips.len(), records.len());
        prop_assert!(all.still_blocked_by.is_empty());
        let some = super::subscription::resubscribe(&records, &wanted);
        prop_assert!(some.flips.iter().all(|scope| scope.is_within(&wanted)));
        prop_assert!(some.still_blocked_by.iter().all(|scope| wanted.is_within(scope) && *scope != wanted));
    }
}

//! Devices: a token is one customer's at a time, there are never too many, and all that is done about
//! customers knows them.

use drumbeat::domain::device::{DeviceAddress, MOST};
use drumbeat::domain::ids::CustomerId;
use drumbeat::store::HistoryFilter;
use jiff::SignedDuration;

use super::life::by;
use super::rig::{Fresh, now, revision};

fn token(name: &str) -> DeviceAddress {
    DeviceAddress::FcmToken(name.to_owned())
}

impl Fresh {
    async fn registers(&self, customer: CustomerId, name: &str, minute: i64) -> (i64, bool) {
        let at = now() + SignedDuration::from_mins(minute);
        let (token, by) = (token(name), by());
        let registered = self.register_device(customer, &token, Some("bank"), &by, at);
        registered.await.unwrap()
    }

    /// Their tokens, those registered last first.
    async fn tokens(&self, customer: CustomerId) -> Vec<String> {
        let devices = self.devices_of(customer).await.unwrap();
        let tokens = devices.iter().map(|one| one.address.token().to_owned());
        tokens.collect()
    }

    /// What the history says about devices, newest first, with the reason.
    async fn told_of(&self, customer: CustomerId) -> Vec<String> {
        let lines = self.history(customer, &HistoryFilter::default(), 99).await;
        let lines = lines.unwrap().into_iter();
        let lines = lines.filter(|line| line.kind.starts_with("device-"));
        let told = lines.map(|line| {
            let detail = line.detail.unwrap_or_default();
            let why = detail["why"].as_str().unwrap_or_default();
            format!("{} {why}", line.kind).trim_end().to_owned()
        });
        told.collect()
    }
}

pub(super) async fn a_token_belongs_to_who_registered_it_last(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    let bob = store.person("bob", &[]).await;
    let (first, is_new) = store.registers(ana, "phone", 0).await;
    assert!(is_new);
    assert_eq!(store.registers(ana, "phone", 1).await, (first, false));
    assert_eq!(store.told_of(ana).await, ["device-registered"]);
    let (second, is_new) = store.registers(bob, "phone", 2).await;
    assert!(is_new && second != first);
    assert_eq!(store.tokens(ana).await, Vec::<String>::new());
    assert_eq!(store.tokens(bob).await, ["phone"]);
    let told = store.told_of(ana).await;
    assert_eq!(told, ["device-removed moved", "device-registered"]);
    // The same letters of another provider are another device.
    let other = DeviceAddress::FcmInstallation("phone".to_owned());
    let other = store.register_device(ana, &other, None, &by(), now()).await;
    assert!(other.unwrap().1);
    assert_eq!(store.tokens(bob).await, ["phone"]);
}

pub(super) async fn one_device_too_many_takes_the_place_of_the_oldest(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    for (minute, number) in (0..=MOST).enumerate() {
        let minute = i64::try_from(minute).unwrap();
        store.registers(ana, &format!("t{number}"), minute).await;
    }
    let tokens = store.tokens(ana).await;
    assert_eq!(tokens.len(), MOST);
    assert_eq!(
        (tokens[0].as_str(), tokens[MOST - 1].as_str()),
        ("t32", "t1")
    );
    let told = store.told_of(ana).await;
    let removed = told
        .iter()
        .filter(|line| line.starts_with("device-removed"));
    assert_eq!(removed.collect::<Vec<_>>(), ["device-removed one too many"]);
}

pub(super) async fn a_removed_device_is_gone_and_the_history_says_so(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    let (number, _) = store.registers(ana, "phone", 0).await;
    assert!(
        store
            .remove_device(ana, number, &by(), now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .remove_device(ana, number, &by(), now())
            .await
            .unwrap()
    );
    assert_eq!(store.tokens(ana).await, Vec::<String>::new());
    assert_eq!(store.told_of(ana).await.len(), 2);
}

pub(super) async fn devices_go_with_a_merge_and_with_a_deletion(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    let visitor = store.visitor("v-1", &[], &[]).await;
    store.registers(ana, "phone", 0).await;
    store.registers(visitor, "browser", 1).await;
    store.merge(visitor, ana).await.unwrap();
    assert_eq!(store.tokens(ana).await, ["browser", "phone"]);
    assert_eq!(store.number("SELECT count(*) FROM devices").await, 2);
    store.delete_customer(ana, &by(), now()).await.unwrap();
    assert_eq!(store.number("SELECT count(*) FROM devices").await, 0);
}

pub(super) async fn nobody_registers_a_device_of_who_is_not_there(store: Fresh) {
    store.published(&revision()).await;
    let ana = store.person("ana", &[]).await;
    store.registers(ana, "phone", 0).await;
    store.delete_customer(ana, &by(), now()).await.unwrap();
    let (token, by) = (token("phone"), by());
    let refused = store.register_device(ana, &token, None, &by, now());
    let refused = refused.await.unwrap_err();
    assert!(
        matches!(refused, drumbeat::store::Error::NotFound(_)),
        "{refused}"
    );
}

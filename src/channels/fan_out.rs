//! Owns the fan-out: one message goes to all devices of its customer, and their answers are one outcome.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::detail::clean;
use super::{Devices, HandOver};
use crate::domain::device::{Device, DeviceAddress};
use crate::domain::dispatch::{DeferCause, Fault, Outcome};
use crate::domain::ids::CustomerId;
use crate::domain::message::Message;

/// What a message came to at all devices.
#[derive(Debug, Clone, PartialEq)]
pub struct FannedOut {
    pub outcome: Outcome,
    /// Those that their provider does not know any more.
    pub gone: Vec<Device>,
}

impl FannedOut {
    /// Of a message that went to no device, but to an address.
    pub fn at_an_address(outcome: Outcome) -> Self {
        let gone = Vec::new();
        Self { outcome, gone }
    }
}

/// Sends a message to each of the devices that this gateway reaches, all at once. It is accepted once any
/// device is; the others are not tried again, so that nobody gets it twice.
pub async fn send(
    gateway: &dyn Devices,
    message: &Message,
    devices: &[Device],
    hand_over: &dyn HandOver,
) -> FannedOut {
    let own = devices
        .iter()
        .filter(|one| one.address.kind() == gateway.kind());
    let sent = own.map(|one| async move { (one, gateway.push(message, one, hand_over).await) });
    let answers: Vec<(&Device, Outcome)> = join_all(sent).await;
    let is_gone = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Refused {
                fault: Fault::Device,
                ..
            }
        )
    };
    let gone = answers.iter().filter(|(_, outcome)| is_gone(outcome));
    FannedOut {
        gone: gone.map(|(device, _)| (*device).clone()).collect(),
        outcome: together(answers),
    }
}

/// Sends a message to the one device that it is addressed to by its token.
pub async fn to_one(gateway: &dyn Devices, message: &Message, hand_over: &dyn HandOver) -> Outcome {
    let address = DeviceAddress::written(gateway.kind(), &message.frozen.to);
    match address.checked() {
        Ok(address) => {
            let device = Device {
                customer: CustomerId(0),
                number: 0,
                address,
                app: None,
                registered_at: Timestamp::MIN,
            };
            gateway.push(message, &device, hand_over).await
        }
        Err(bad) => Outcome::Refused {
            detail: clean(&format!("this is no device: {bad}")),
            fault: Fault::Message,
        },
    }
}

/// One outcome of many: the best that came of any device, and of failures the one that leaves most open.
fn together(answers: Vec<(&Device, Outcome)>) -> Outcome {
    let lines: Vec<String> = answers.iter().map(line).collect();
    let detail = clean(&lines.join("\n"));
    let mut sum = Sum::default();
    for (_, outcome) in answers {
        sum.add(outcome);
    }
    sum.outcome(detail)
}

fn line((device, outcome): &(&Device, Outcome)) -> String {
    let (word, detail) = match outcome {
        Outcome::Accepted { detail, .. } => ("accepted", detail),
        Outcome::Deferred { detail, .. } => ("deferred", detail),
        Outcome::Refused {
            detail,
            fault: Fault::Device,
        } => ("gone", detail),
        Outcome::Refused { detail, .. } => ("refused", detail),
        Outcome::Uncertain { detail } => ("uncertain", detail),
    };
    format!("device {}: {word}, {detail};", device.number)
}

/// What has been answered so far.
#[derive(Debug, Default)]
struct Sum {
    is_accepted: bool,
    gateway_id: Option<String>,
    is_uncertain: bool,
    deferred: Option<(DeferCause, Option<Duration>)>,
    refused: Option<Fault>,
}

impl Sum {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accepted { gateway_id, .. } => {
                self.is_accepted = true;
                self.gateway_id = self.gateway_id.take().or(gateway_id);
            }
            Outcome::Uncertain { .. } => self.is_uncertain = true,
            Outcome::Deferred {
                retry_after, cause, ..
            } => {
                let (known, wait) = self.deferred.unwrap_or((cause, None));
                self.deferred = Some((graver(known, cause), wait.max(retry_after)));
            }
            Outcome::Refused { fault, .. } => match self.refused {
                // Where one device only did not want this message, not all of them are gone.
                Some(known) if known != Fault::Device => {}
                _ => self.refused = Some(fault),
            },
        }
    }

    fn outcome(self, detail: String) -> Outcome {
        if self.is_accepted {
            let gateway_id = self.gateway_id;
            return Outcome::Accepted { gateway_id, detail };
        }
        if self.is_uncertain {
            return Outcome::Uncertain { detail };
        }
        match (self.deferred, self.refused) {
            (Some((cause, retry_after)), _) => Outcome::Deferred {
                detail,
                retry_after,
                cause,
            },
            (None, Some(fault)) => Outcome::Refused { detail, fault },
            // A reload brought another gateway between reading the devices and sending.
            (None, None) => Outcome::Deferred {
                detail: "no device of this gateway was read with the claim".to_owned(),
                retry_after: None,
                cause: DeferCause::Throttled,
            },
        }
    }
}

/// A gateway that is away is so for every device.
fn graver(one: DeferCause, other: DeferCause) -> DeferCause {
    let gravity = |cause: DeferCause| match cause {
        DeferCause::Message => 0,
        DeferCause::Throttled => 1,
        DeferCause::Gateway => 2,
    };
    if gravity(one) >= gravity(other) {
        one
    } else {
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn device(number: i64) -> Device {
        Device {
            customer: CustomerId(1),
            number,
            address: DeviceAddress::FcmToken(format!("token-{number}")),
            app: None,
            registered_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn answered(letter: char) -> Outcome {
        let detail = letter.to_string();
        let deferred = |cause, wait| Outcome::Deferred {
            detail: letter.to_string(),
            retry_after: Some(Duration::from_secs(wait)),
            cause,
        };
        match letter {
            'a' => Outcome::Accepted {
                gateway_id: Some("id".to_owned()),
                detail,
            },
            'u' => Outcome::Uncertain { detail },
            't' => deferred(DeferCause::Throttled, 60),
            'w' => deferred(DeferCause::Gateway, 10),
            'g' => Outcome::Refused {
                detail,
                fault: Fault::Device,
            },
            _ => Outcome::Refused {
                detail,
                fault: Fault::Message,
            },
        }
    }

    fn sum(letters: &str) -> Outcome {
        let devices: Vec<Device> = (1..).zip(letters.chars()).map(|(n, _)| device(n)).collect();
        together(devices.iter().zip(letters.chars().map(answered)).collect())
    }

    #[rstest]
    #[case("ga", "accepted")]
    #[case("utwgma", "accepted")]
    #[case("gutm", "uncertain")]
    #[case("gt", "deferred Throttled 60")]
    #[case("tw", "deferred Gateway 60")]
    #[case("gg", "refused Device")]
    #[case("gm", "refused Message")]
    #[case("mg", "refused Message")]
    fn the_best_answer_of_any_device_counts(#[case] letters: &str, #[case] expected: &str) {
        let told = match sum(letters) {
            Outcome::Accepted { .. } => "accepted".to_owned(),
            Outcome::Uncertain { .. } => "uncertain".to_owned(),
            Outcome::Deferred {
                retry_after, cause, ..
            } => {
                format!("deferred {cause:?} {}", retry_after.unwrap().as_secs())
            }
            Outcome::Refused { fault, .. } => format!("refused {fault:?}"),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn each_devices_answer_is_told() {
        let Outcome::Accepted { detail, .. } = sum("ga") else {
            panic!("not accepted");
        };
        assert_eq!(detail, "device 1: gone, g; device 2: accepted, a;");
    }
}

//! Membership leases in true time, as the messages on the wire make them.

use std::collections::BTreeMap;
use std::ops::Range;

use seedbed::machine::{Incarnation, NodeId, Span, Time};
use seedbed::proto::{Epoch, FromCentre, Message, ToCentre};

use crate::file_service::oracle::model::views::Views;

/// The lease that a life of a node was given last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The life that has it.
    pub life: Incarnation,
    /// The epoch that it is for.
    pub epoch: Epoch,
    /// The newest heartbeat that was answered: when it was sent by the node's clock, and in true
    /// time.
    pub asked: (Time, Time),
    /// How long it lasts.
    pub length: Span,
    /// The step in which the node heard of it.
    pub step: u64,
}

impl Lease {
    /// When it is over in true time, whatever the clocks say.
    pub fn ends(&self) -> Time {
        self.asked.1 + self.length
    }

    /// When the node stops believing, by its own clock: a clock that is slow by as much as it may
    /// be has reached that when the lease is over. Written out, and not asked of the protocol.
    pub fn believed_until(&self, drift_max_ppm: u32) -> Time {
        let parts = 1_000_000_u128.saturating_sub(drift_max_ppm.into());
        let nanos = u128::from(self.length.as_nanos()) * parts / 1_000_000;
        self.asked.0 + Span::from_nanos(nanos.try_into().unwrap_or(u64::MAX))
    }
}

/// All membership leases.
#[derive(Clone, Debug, Default)]
pub struct Leases {
    /// Heartbeats by their sender: in which life, when by its clock, and in true time.
    beats: BTreeMap<NodeId, BTreeMap<(Incarnation, Time), Time>>,
    held: BTreeMap<NodeId, Lease>,
    /// When the last lease that the centre gave in each epoch ends in true time, and the step.
    given: BTreeMap<NodeId, BTreeMap<Epoch, (Time, u64)>>,
}

/// So many heartbeats of one node may be on their way.
const BEATS: usize = 256;

impl Leases {
    pub(in crate::file_service::oracle) fn on_sent(
        &mut self,
        (step, now): (u64, Time),
        from: NodeId,
        to: NodeId,
        message: &Message,
        views: &Views,
    ) {
        match *message {
            Message::ToCentre(ToCentre::Heartbeat { incarnation, asked, .. }) => {
                let beats = self.beats.entry(from).or_default();
                beats.insert((incarnation, asked), now);
                if beats.len() > BEATS {
                    beats.pop_first();
                }
            }
            Message::FromCentre(FromCentre::Alive { incarnation, asked, epoch, .. }) => {
                let sent = self.beats.get(&to).and_then(|beats| beats.get(&(incarnation, asked)));
                if let (Some(&sent), Some(view)) = (sent, views.view(epoch)) {
                    let ends = sent + view.is.membership_lease;
                    let given = self.given.entry(to).or_default();
                    let last = given.entry(epoch).or_insert((ends, step));
                    *last = (*last).max((ends, step));
                    if given.len() > 4 {
                        given.pop_first();
                    }
                }
            }
            _ => {}
        }
    }

    pub(in crate::file_service::oracle) fn on_received(
        &mut self,
        step: u64,
        to: NodeId,
        life: Incarnation,
        message: &Message,
        views: &Views,
    ) {
        let &Message::FromCentre(FromCentre::Alive { incarnation, asked, epoch, .. }) = message
        else {
            return;
        };
        let sent = self.beats.get(&to).and_then(|beats| beats.get(&(incarnation, asked)));
        let (Some(&sent), Some(view)) = (sent, views.view(epoch)) else { return };
        if incarnation != life {
            return; // what another life asked for
        }
        let length = view.is.membership_lease;
        let lease = Lease { life, epoch, asked: (asked, sent), length, step };
        let is_newer = |held: &Lease| {
            (held.life, held.epoch, held.asked) < (lease.life, lease.epoch, lease.asked)
        };
        if self.held.get(&to).is_none_or(is_newer) {
            self.held.insert(to, lease);
        }
    }

    /// The lease that `life` of `node` has had last.
    pub fn held(&self, node: NodeId, life: Incarnation) -> Option<&Lease> {
        self.held.get(&node).filter(|lease| lease.life == life)
    }

    /// Of the leases that `node` was given for `epochs` the one that ends last: when it ends in
    /// true time, the step in which it was given, and its epoch.
    pub fn given_in(&self, node: NodeId, epochs: Range<Epoch>) -> Option<(Time, u64, Epoch)> {
        let given = self.given.get(&node)?.range(epochs);
        given.map(|(epoch, (ends, step))| (*ends, *step, *epoch)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{announced, n};
    use seedbed::proto::Config;

    const LIFE: Incarnation = Incarnation(1);

    fn ms(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    fn beat(asked: Time) -> Message {
        let (admission, known) = (Config::FIRST_ADMISSION, Epoch(1));
        let answered = Some(asked);
        Message::ToCentre(ToCentre::Heartbeat {
            admission,
            incarnation: LIFE,
            known,
            asked,
            answered,
        })
    }

    fn alive(asked: Time) -> Message {
        let (epoch, settled) = (Epoch(1), Epoch(0));
        let lost = [].into();
        Message::FromCentre(FromCentre::Alive { incarnation: LIFE, asked, epoch, settled, lost })
    }

    fn views() -> Views {
        let mut views = Views::default();
        views.on_durable(1, &announced(1, &[n(1)]));
        views
    }

    /// n1 has sent heartbeats at one second and at two, by true time, and its clock is right; the
    /// centre has answered the second.
    fn given() -> Leases {
        let mut leases = Leases::default();
        for asked in [ms(1000), ms(2000)] {
            leases.on_sent((2, asked), n(1), NodeId::CONTROL, &beat(asked), &views());
        }
        let answer = alive(ms(2000));
        leases.on_sent((3, ms(2500)), NodeId::CONTROL, n(1), &answer, &views());
        leases
    }

    #[test]
    fn a_lease_counts_from_the_heartbeat_and_not_from_its_answer() {
        let mut leases = given();
        leases.on_received(4, n(1), LIFE, &alive(ms(2000)), &views());
        let lease = leases.held(n(1), LIFE).expect("it was given");
        assert_eq!(lease.ends(), ms(2000) + lease.length);
        assert!(lease.believed_until(500) < lease.ends());
        assert_eq!(leases.given_in(n(1), Epoch(1)..Epoch(2)), Some((lease.ends(), 3, Epoch(1))));
        assert_eq!(leases.given_in(n(1), Epoch(2)..Epoch(3)), None);
    }

    #[test]
    fn an_older_answer_takes_nothing_away() {
        let mut leases = given();
        leases.on_received(4, n(1), LIFE, &alive(ms(2000)), &views());
        let before = leases.held(n(1), LIFE).copied();
        leases.on_received(5, n(1), LIFE, &alive(ms(1000)), &views());
        assert_eq!(leases.held(n(1), LIFE).copied(), before);
    }

    #[test]
    fn what_another_life_or_none_asked_for_is_no_lease() {
        let mut leases = given();
        leases.on_received(4, n(1), LIFE.next(), &alive(ms(2000)), &views());
        leases.on_received(5, n(1), LIFE, &alive(ms(1500)), &views());
        assert_eq!(leases.held(n(1), LIFE), None);
        assert_eq!(leases.held(n(1), LIFE.next()), None);
    }
}

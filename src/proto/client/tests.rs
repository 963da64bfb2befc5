//! What a client makes of news, step by step.

use super::*;
use crate::proto::{Action, AttemptEnd, Effect, Ended, FileRequest, LockAnswer, Retry, Settings};

/// A client that has made an attempt at a request in the first epoch and one in each of these.
fn attempts_in(epochs: &[u32]) -> (Client, RequestId) {
    let settings = Settings { membership: Membership::Managed, ..Settings::default() };
    let config = Config::new(settings).expect("sound settings");
    let first = config.first_layout().view().clone();
    let (id, incarnation) = (NodeId::client(1), Incarnation(1));
    let mut client = Client::start(config, id, incarnation);
    let request = RequestId { client: id, incarnation, number: 1 };
    let path = Path::new("/a").expect("a path");
    let action = Action::Write("x".into(), None);
    let operations = [Operation { path, action, token: None }].into();
    let wanted = Request::Files { operations, coordinator: None };
    take(&mut client, Input::Request(request, &wanted));
    for &epoch in epochs {
        let views = [View { epoch: Epoch(epoch), ..first.clone() }].into();
        let (settled, lost) = (Epoch::default(), [].into());
        let news = Message::Views(Views { asked: None, views, settled, lost });
        take(&mut client, Input::Message(NodeId::CONTROL, &news));
        let effects = take(&mut client, Input::Wake(Timer::Attempt(1)));
        let begin = effects.iter().find_map(|effect| match effect {
            Effect::Send(_, message) => match **message {
                Message::FileRequest(FileRequest::Begin { epoch, .. }) => Some(epoch),
                _ => None,
            },
            _ => None,
        });
        assert_eq!(begin, Some(Epoch(epoch)));
    }
    (client, request)
}

/// What the client does at the news that an owner has recorded the refusal of this attempt.
fn refuse(client: &mut Client, request: RequestId, attempt: u32) -> Vec<Effect> {
    let end = AttemptEnd::Refused { refusal: Refusal::Exists, recorded: true };
    let ended = Message::Ended(Ended { request, attempt, end });
    take(client, Input::Message(NodeId::node(1), &ended))
}

fn take(client: &mut Client, input: Input<'_>) -> Vec<Effect> {
    let mut out = Outbox::new(0);
    client.step(Time::ZERO, input, &mut out);
    std::iter::from_fn(|| out.pop(0)).collect()
}

#[test]
fn each_attempt_has_waited_longer_than_the_one_before_also_if_the_clock_was_set_back() {
    let (mut client, _) = attempts_in(&[]);
    let mut age_at = |nanos| {
        let pending = client.pending.get_mut(&1).expect("it is not answered");
        pending.age(Time::from_nanos(nanos))
    };
    let ages = [age_at(5), age_at(5), age_at(3), age_at(9)];
    assert_eq!(ages.map(|age| age.waited.as_nanos()), [5, 6, 7, 9]);
}

/// A client with one request for the lock of /a, which waits in line or holds the lock.
fn acquires(is_granted: bool) -> (Client, RequestId) {
    let config = Config::new(Settings::default()).expect("sound settings");
    let (id, incarnation) = (NodeId::client(1), Incarnation(2));
    let mut client = Client::start(config, id, incarnation);
    let request = RequestId { client: id, incarnation, number: 1 };
    let path = Path::new("/a").expect("a path");
    let wanted = Request::Acquire { path: path.clone(), wait: true };
    take(&mut client, Input::Request(request, &wanted));
    if is_granted {
        let (token, asked, lease) = (Token(1), Time::ZERO, Span::from_millis(1_000));
        let granted =
            Message::LockAnswer(LockAnswer::Granted { request, path, token, asked, lease });
        take(&mut client, Input::Message(NodeId::CONTROL, &granted));
    }
    (client, request)
}

#[test]
fn a_lock_is_not_held_in_the_moment_in_which_its_lease_ends() {
    let (client, _) = acquires(true);
    let path = Path::new("/a").expect("a path");
    let until = client.locks[&path].until;
    let write = Operation { path, action: Action::Write("x".into(), None), token: None };
    let before = Time::from_nanos(until.as_nanos() - 1);
    assert_eq!(client.with_token(before, &write).token, Some(Token(1)));
    assert_eq!(client.with_token(until, &write).token, None);
}

#[test]
fn a_refusal_of_a_lock_is_for_the_request_that_waits_for_it() {
    let refused = |request| {
        let path = Path::new("/a").expect("a path");
        Message::LockAnswer(LockAnswer::LockRefused { request, path, refusal: Refusal::Held })
    };
    let (mut client, request) = acquires(false);
    let told = Effect::Reply(request, Reply::Refused(Refusal::Held));
    assert!(take(&mut client, Input::Message(NodeId::CONTROL, &refused(request))).contains(&told));
    let (mut client, request) = acquires(false);
    let earlier = RequestId { incarnation: Incarnation(1), ..request };
    assert_eq!(take(&mut client, Input::Message(NodeId::CONTROL, &refused(earlier))), []);
    let (mut client, request) = acquires(true);
    assert_eq!(take(&mut client, Input::Message(NodeId::CONTROL, &refused(request))), []);
}

#[test]
fn a_copy_of_the_news_puts_the_next_attempt_off_no_further() {
    let (mut client, request) = attempts_in(&[]);
    let mut next_after_news_at = |millis| {
        let end = AttemptEnd::Retry(Retry::Conflict);
        let ended = Message::Ended(Ended { request, attempt: 1, end });
        let now = Time::ZERO + Span::from_millis(millis);
        let news = Input::Message(NodeId::node(1), &ended);
        client.step(now, news, &mut Outbox::new(0));
        client.next_deadline().map(|(at, _)| at)
    };
    let next = next_after_news_at(1);
    assert_eq!([2, 3].map(&mut next_after_news_at), [next; 2]);
}

#[test]
fn a_recorded_refusal_of_any_attempt_in_the_newest_epoch_is_believed() {
    for attempt in 2..=3 {
        let (mut client, request) = attempts_in(&[2, 2, 2]);
        let refused = Effect::Reply(request, Reply::Refused(Refusal::Exists));
        assert!(refuse(&mut client, request, attempt).contains(&refused));
    }
}

#[test]
fn the_news_of_another_session_sends_an_attempt_again_once_also_to_another_owner() {
    let (mut client, request) = attempts_in(&[]);
    let asked = client.owner_to_ask(&Path::new("/a").expect("a path"), 1);
    let mut view = client.layout.view().clone();
    view.epoch = Epoch(2);
    view.members = view.members.iter().copied().filter(|m| m.node != asked).collect();
    let (settled, lost) = (Epoch::default(), [].into());
    let news = Message::Views(Views { asked: None, views: [view].into(), settled, lost });
    take(&mut client, Input::Message(NodeId::CONTROL, &news));
    let mut begins = || {
        let end = AttemptEnd::Retry(Retry::Session(Incarnation(2)));
        let ended = Message::Ended(Ended { request, attempt: 1, end });
        let effects = take(&mut client, Input::Message(asked, &ended));
        let is_begin = |effect: &&Effect| match effect {
            Effect::Send(to, message) => {
                *to != asked && matches!(**message, Message::FileRequest(FileRequest::Begin { .. }))
            }
            _ => false,
        };
        effects.iter().filter(is_begin).count()
    };
    assert_eq!([begins(), begins()], [1, 0]);
}

#[test]
fn a_view_is_told_once() {
    let (mut client, _) = attempts_in(&[2]);
    let views = [client.layout.view().clone()].into();
    let (settled, lost) = (Epoch::default(), [].into());
    let news = Message::Views(Views { asked: None, views, settled, lost });
    assert_eq!(take(&mut client, Input::Message(NodeId::CONTROL, &news)), []);
}

#[test]
fn a_recorded_refusal_from_before_the_newest_epoch_is_not() {
    let (mut client, request) = attempts_in(&[2, 2, 3]);
    assert_eq!(refuse(&mut client, request, 2), []);
    assert_eq!(refuse(&mut client, request, 3), []);
    let refused = Effect::Reply(request, Reply::Refused(Refusal::Exists));
    assert!(refuse(&mut client, request, 4).contains(&refused));
}

//! Locks.

use seedbed::proto::{Keep, LockAnswer, LockRequest};

use super::Spelled;

pub(super) fn request(request: &LockRequest) -> Spelled {
    match request {
        LockRequest::Acquire { request, lowest, path, wait, asked } => {
            let wait = if *wait { "in line" } else { "at once or not at all" };
            Spelled::brief(format!("Acquire {path} for {request}"))
                .contents(format!("{wait}, asked {asked}, waits from #{lowest}"))
        }
        LockRequest::KeepAlive { path, keep, asked } => {
            Spelled::brief(format!("KeepAlive {path} {}", kept(*keep)))
                .contents(format!("asked {asked}"))
        }
        LockRequest::Release { request, path, token } => {
            Spelled::brief(format!("Release {path} under {token}"))
                .contents(format!("for {request}"))
        }
    }
}

pub(super) fn answer(answer: &LockAnswer) -> Spelled {
    match answer {
        LockAnswer::Granted { request, path, token, asked, lease: _ } => {
            Spelled::brief(format!("Granted {path} to {request} under {token}"))
                .contents(format!("asked {asked}"))
        }
        LockAnswer::KeptAlive { path, token, asked, lease: _ } => {
            Spelled::brief(format!("KeptAlive {path} under {token}"))
                .contents(format!("asked {asked}"))
        }
        LockAnswer::NotKept { path, keep } => {
            Spelled::brief(format!("NotKept {path} {}", kept(*keep)))
        }
        LockAnswer::LockRefused { request, path, refusal } => {
            Spelled::brief(format!("LockRefused {path} to {request}: {refusal}"))
        }
        LockAnswer::Released { request, path } => {
            Spelled::brief(format!("Released {path} for {request}"))
        }
    }
}

fn kept(keep: Keep) -> String {
    match keep {
        Keep::Waiting(request) => format!("place of {request}"),
        Keep::Holding(token) => format!("under {token}"),
    }
}

//! Requests, losses, copies, reordering and crashes as they are drawn, over the whole oracle.

use seedbed::machine::{NodeId, Span};
use seedbed::proto::{Defect, Operation, Settings};

use crate::file_service::oracle::tests::real_runs::Run;
use crate::file_service::oracle::tests::real_runs::commits::{
    MODES, settings, started, with_defect,
};
use crate::file_service::oracle::tests::{
    CONTROL, c, delete, lock, n, read, rename, unlock, write,
};
use crate::world::{DelayPolicy, Fate};

/// Numbers that look drawn (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % end
    }

    fn delay(&mut self) -> Span {
        Span::from_micros(match self.below(20) {
            0 => 1000 * (1 + self.below(3000)),
            _ => 100 + self.below(5000),
        })
    }
}

/// A bad network: one message of twenty is lost, one of ten copied, some are seconds late.
impl DelayPolicy for Draw {
    fn message(&mut self, _from: NodeId, _to: NodeId) -> Fate {
        let (fate, takes) = (self.below(100), self.delay());
        match fate {
            0..5 => Fate::IsLost(takes),
            5..15 => Fate::IsCopied(takes),
            _ => Fate::Arrives(takes),
        }
    }

    fn copy(&mut self) -> Span {
        self.delay()
    }

    fn sync(&mut self, _node: NodeId) -> Span {
        self.delay()
    }
}

/// Ten seconds of requests, losses, copies, reordering and crashes, then quiet.
fn storm(settings: Settings, seed: u64) -> Run {
    let mut run = started(settings);
    let mut draw = Draw(seed);
    run.policy = Some(Box::new(Draw(seed ^ 0xabcd)));
    let mut down: Vec<NodeId> = Vec::new();
    for _ in 0..150 {
        if run.watcher.violation.is_some() {
            return run;
        }
        let client = 1 + draw.below(2) as u16;
        match draw.below(40) {
            0..30 => {
                let (operations, coordinator) = (drawn(&mut draw), 1 + draw.below(3) as u16);
                run.ask_at(n(coordinator), client, &operations);
            }
            30..33 => {
                run.request(c(client), lock("/a"));
            }
            33..35 => {
                run.request(c(client), unlock("/a"));
            }
            35..=37 => {
                let victim = [CONTROL, n(1), n(2), n(3)][draw.below(4) as usize];
                if !down.contains(&victim) {
                    run.crash_keeping(victim, draw.below(4) as u32);
                    down.push(victim);
                }
            }
            38 => run.run(Span::from_secs(1)),
            _ => down.drain(..).for_each(|node| run.start(node)),
        }
        run.run(Span::from_micros(draw.below(140_000)));
    }
    run.policy = None;
    run.start_all();
    run
}

fn drawn(draw: &mut Draw) -> Vec<Operation> {
    let paths = ["/a", "/b", "/c", "/d"];
    let count = 1 + draw.below(3);
    let one = |_| {
        let at = paths[draw.below(4) as usize];
        match draw.below(10) {
            0..4 => read(at),
            4..8 => write(at, &draw.below(1000).to_string()),
            8 => delete(at),
            _ => rename(at, paths[draw.below(4) as usize]),
        }
    };
    (0..count).map(one).collect()
}

#[test]
fn a_storm_is_lawful() {
    let seeds = 20;
    let mut commits = 0;
    for mode in MODES {
        for seed in 0..seeds {
            let mut run = storm(settings(mode), seed);
            run.run(Span::from_secs(60));
            assert_eq!(run.watcher.violation, None, "{mode:?} {seed}");
            assert_eq!(run.ends().watcher.violation, None, "{mode:?} {seed}");
            commits += run.model().commits;
        }
    }
    assert!(commits > 60 * seeds, "{commits}");
}

/// The name that some storm under `defect` shows, and no storm another.
#[track_caller]
fn storms_violate(defect: Defect, names: &[&str]) {
    let mut caught = 0;
    for seed in 0..20 {
        let run = storm(with_defect(defect), seed);
        if let Some(violation) = &run.watcher.violation {
            assert!(names.contains(&violation.invariant.name()), "{violation:#?}");
            caught += 1;
        }
    }
    assert!(caught > 0, "{defect}");
}

#[test]
fn a_write_that_the_fence_should_stop_is_caught() {
    let write = "no_write_below_the_claimed_token";
    // The commit that writes a lost fence down is seen as well, where it comes first.
    storms_violate(Defect::FenceKeptInMemory, &[write, "commits_do_what_was_asked"]);
    storms_violate(Defect::ClaimSkipped, &[write]);
}

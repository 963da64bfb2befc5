//! The bench about what nodes store: verbs that make the world behind a play really do something.

use seedbed::machine::{NodeId, Span, Time};
use seedbed::proto::{Operation, Record, RecordKind, Version};

use crate::file_service::Fact;
use crate::file_service::oracle::Seen;
use crate::file_service::oracle::tests::bench::Play;
use crate::file_service::oracle::tests::bench::messages::{files, files_at, write};
use crate::file_service::oracle::tests::bench::records::{c, path};

impl Play {
    /// Starts `node` in the world behind the play too.
    pub fn really_starts(&mut self, node: NodeId) -> &mut Play {
        self.stage.start(node);
        let incarnation = self.stage.world.host(node).incarnation();
        self.sees(&Seen::Started { node, incarnation })
    }

    pub fn really_restarts(&mut self, node: NodeId) -> &mut Play {
        self.stage.crash_keeping(node, 0);
        self.crashes(node).really_starts(node)
    }

    /// Makes all nodes of the world behind the play, `node` among them, store a file.
    pub fn really_stores(&mut self, node: NodeId, at: &str, version: u64, contents: &str) {
        self.stage.start_all();
        self.stage.run(Span::from_secs(1)); // where membership is managed, there is no view before
        for _ in 0..version {
            self.stage.request(c(1), files(&[write(at, contents)]));
            self.stage.run(Span::from_secs(1));
        }
        let file = &self.stage.world.host(node).storage().expect("it is up").files()[&path(at)];
        assert_eq!((file.version, &file.contents), (Version(version), &Some(contents.into())));
    }

    /// Makes a node really decide to commit a write that is not acknowledged; the record.
    pub fn really_decides(&mut self, at: &str) -> (NodeId, Record) {
        self.stage.start_all();
        self.stage.request(c(1), files(&[write(at, "x")]));
        let mut found = None;
        let end = Time::ZERO + Span::from_secs(5);
        self.stage.run_until(end, |_, step| {
            found = step.facts.iter().find_map(|fact| match fact {
                Fact::Appended { node, record, .. } if record.kind() == RecordKind::Decided => {
                    Some((*node, record.clone()))
                }
                _ => None,
            });
            found.is_some()
        });
        found.expect("a decision")
    }

    /// Makes `node` begin a transaction for real and get no further: no other node is up.
    pub fn really_begins(&mut self, node: NodeId, operation: Operation) {
        let at = operation.path.clone();
        self.stage.start(c(1));
        self.stage.request(c(1), files_at(node, &[operation]));
        self.stage.run(Span::from_millis(10));
        assert!(self.stage.world.host(node).storage().expect("it is up").is_pinned(&at));
    }
}

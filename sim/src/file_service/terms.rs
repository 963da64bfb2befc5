//! What the names and words mean that only reports about the file service use.

use crate::terms::Term;

pub(super) const TERMS: &[Term] = &[
    Term::like(is_transaction, "a transaction: its coordinator, the coordinator's life, a count"),
    Term::like(numbered::<'e'>, "the epoch (number) of a view, which lists the members"),
    Term::like(numbered::<'t'>, "a lock's token; each later grant has a higher one"),
    Term::like(numbered::<'i'>, "a machine's life: a count of its starts"),
    Term::like(numbered::<'a'>, "the number under which the centre admits a node and its disk"),
    Term::word("control", "the central node: lock server, and centre of the membership"),
    Term::word("lease", "a lock, or membership, that ends at a time unless it is kept alive"),
    Term::phrase("voted yes", "it can carry the transaction out, and waits for the decision"),
    Term::phrase("in doubt", "voted yes, and does not know the decision"),
    Term::phrase("pin /", "keeps other requests off the file until the transaction is over"),
    Term::phrase("fenced", "closed to changes under a lower token, or none"),
    Term::phrase("claim /", "raises the file's fence to the token; a new holder does it first"),
    Term::word("Prepare", "pin this"),
    Term::word("Ready", "what Prepare names is pinned"),
    Term::word("Execute", "do this and vote"),
    Term::word("Executed", "the vote"),
    Term::word("Decline", "record this refusal for good"),
    Term::word("Inquire", "what was decided?"),
    Term::word("Told", "an answer to Inquire"),
    Term::word("Resolve", "the coordinator is gone: what was decided?"),
    Term::word("Resolved", "the centre says how a transaction has ended"),
    Term::word("NotKept", "the lease, or the place in line, is gone"),
    Term::word("Alive", "a heartbeat is answered with a lease as a member"),
    Term::word("Views", "the centre tells the newest views"),
    Term::word("Entered", "the node has left the view before, with these transactions open"),
    Term::word("Completed", "the node has all that it owns in the view"),
    Term::word("Noted", "the centre has recorded that the node has entered"),
    Term::word("Departed", "a node that is no member any more has left"),
    Term::word("activated", "in force: all have left the view before, or lost their lease"),
    Term::word("KeepAlive", "let my lease, or my place in line, go on"),
    Term::phrase("refused for good", "an owner has recorded it: no attempt can do it any more"),
    Term::word("Pull", "a new owner asks an earlier one for files"),
    Term::word("Chunk", "files that a pull has asked for"),
    Term::phrase("complete in", "claims to have all files of these parts of the ring"),
    Term::phrase("has settled", "all members have all that they own"),
    Term::phrase("begins again", "takes lost files for files that never were"),
];

/// Is it `e2`, where the letter is `e`?
fn numbered<const LETTER: char>(word: &str) -> bool {
    let number = word.strip_prefix(LETTER);
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Is it `n3.1/2`, or `n3.a4.1/2`?
fn is_transaction(word: &str) -> bool {
    let Some((coordinator, count)) = word.split_once('/') else { return false };
    coordinator.starts_with('n') && coordinator.contains('.') && count.parse::<u32>().is_ok()
}

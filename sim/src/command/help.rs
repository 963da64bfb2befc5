//! The texts behind `--help`, with the names of the system under test in them.

use crate::name::Name;
use crate::under_test::{Phase, UnderTest};

/// `text` with what the command is called, and files of the system to try it with.
pub(super) fn filled<S: UnderTest>(text: &str) -> String {
    let line = S::COMMAND;
    let values = [
        ("{command}", line.name),
        ("{folder}", line.folder),
        ("{file}", line.file),
        ("{defect}", S::Defect::ALL.first().map_or("NAME", |it| it.name())),
        ("{phase}", Phase::<S>::ALL.first().map_or("PHASE", |it| it.name())),
    ];
    values.into_iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
}

/// The same with what the system says below it, if it says anything.
pub(super) fn with_more<S: UnderTest>(text: &str, more: &str) -> String {
    let gap = if more.is_empty() { "" } else { "\n\n" };
    filled::<S>(&format!("{text}{gap}{more}"))
}

pub(super) const EXAMPLES: &str = "\
Examples:
  {command} run {file}               # one run, explained
  {command} run {file} --seed 17     # the run of seed 17, the same every time
  {command} sweep {folder}           # every file with its own seeds
  {command} sweep {file} --seeds 0..1000 -j 2
  {command} grammar fault            # what a scenario file may say
  {command} milestones | grep crash  # names that a scenario may use

Exit status: 0 as the files expect, 1 not as they expect, 2 the input is wrong or the output
cannot be written.";

pub(super) const MILESTONES: &str = "\
Each has a line, its name first. They are grouped by what they are about; the line of a group, which
begins with `#`, names the roles that its milestones bind, if any. What a milestone needs of a file
stands in brackets.

A fault that waits for a milestone strikes right after it, and may name a machine by its role:
  [[fault]]
  when = { milestone = \"request_done\", nth = 2 }
  crash = \"n1\"
What must be reached, or never may be, keeps a file honest:
  [expect]
  reached = [\"restarted\", { milestone = \"request_done\", at_least = 3 }]
  never = [\"request_refused\"]

Examples:
  {command} milestones
  {command} milestones | grep crash
  {command} milestones | grep '^#'";

pub(super) const RUN: &str = "\
Without --seed: the first seed that shows what the file expects (`violates`, `blocks`), else the
file's first seed. The status is 0 if this one run ends as the file expects.

How a run can end:
  pass        every invariant held and every wait ended; the headline says what got done
  violation   an invariant was broken
  starved     an invariant of progress was broken: nothing wrong was done, and too little
  blocked     machines wait for ever, or for each other in a circle
  spinning    more events in a second of simulated time than a cluster of this size may have
  unexpected  another answer, or another state at the end, than the file says
  ruled_out   a milestone was reached that the file says is never reached
  panic       the code under test, or the simulator, panicked
With --json `verdict` is one of these words, and `why` a line about it, null on a pass. Of every
other verdict `explained` has `about`, `defects`, `settings`, `before` (what machines hold when the
steps begin: step, machines: each machines, holds), `steps` (step, at_ns, machine, says, times,
last, is_fact, is_act) and `acts` (where a defect acts; else where the nearest run that passes, and
lacks what `left_out` says, parts from this one: step, event, with, without, before, later,
is_parting); of a violation also `facts` (two: step, is), `danger`, `harm` (with, invariant, at_ns,
facts), `rule` and `source`, of a run that is blocked `waits` (machine, waits_for, since_ns,
released_by).

A violation is explained by its two facts, by the steps in which a defect acts (the same machine
would do something else without it), and by a chart of what led from one fact to the other. The
chart has room for some lines: `+7` in its margin stands for steps about the same that are left out.
Under the step of a defect stands what its machine held before it, and as `later` when the run
without the defect sends the same. Where a fact is that something is missing, the run goes on as if
the invariant were none: `harm` says which other one breaks then, if need be with a crash of the
machine. Its time is of that other run.
Where no defect is on, a file without `[workload]`, `[chaos]` and `[swarm]` is run again with one
rule or one fault less each time, up to 12 times: the first of these runs that passes is told, and
`--compare` shows it beside this one.

Examples:
  {command} run {file}
  {command} run {file} --seed 17
  {command} run {file} --seed 17 --full          # nothing left out
  {command} run {file} --seed 17 --chart         # the steps of a run that passes
  {command} run {file} --seed 17 --defect {defect} --compare
  {command} run {file} --seed 17 --at 120 --show n1,c1
  {command} run {file} --seed 17 --trace | grep c1.1#4
  {command} run {file} --json | jq .digest";

pub(super) const REPLAY: &str = "\
A sweep and `cargo test` keep an artifact of each of the first 10 runs of a file that fail: the
scenario, the seed, every step and the verdict. The run of this scenario and seed is compared with
it step by step. If all steps and the verdict are the same, the run is explained as `run` does it.
Else it is said at which step the two part, what was recorded there and what happens now. Of a run
of more than 20,000 steps the last are kept in full, and one in 1,000 of those before; then it may
be said between which two steps.

An artifact is text, one JSON object in a line: first what it is and how the run ended, then the
scenario, the steps, and a checksum. One of another system, one in another format, and one that was
cut or changed are refused. Another build is named and compared.

With --json `same` says whether both are the same, `parting` where the steps differ (null if they
do not); `recorded` and `now` have the build and how the run ended.

Exit status: 0 the same, 1 not the same, 2 the input is wrong.

Examples:
  {command} sweep {folder}
  {command} replay target/seedbed/mixed-files-seed17-6c1d0a3e.jsonl
  jq -c 'select(.seedbed_artifact) | [.file, .seed, .why]' target/seedbed/*.jsonl
  jq -r 'select(.scenario).scenario' ARTIFACT > again.toml   # the scenario as it was";

pub(super) const SHRINK: &str = "\
What the seed has drawn is written out: requests as scripts, faults with their times or milestones,
settings. Then requests, faults, machines, settings and digits are taken away as long as the run
ends with the same verdict and the same kind of evidence, and passes without its defects if it did
so before. Messages take one time each and syncs another; those for which that matters get a
`[[message]]` or a `[[sync]]`. What a file cannot say stays drawn.

Candidates stand in an order and the first that fails in the same way is taken, so the file is the
same whatever -j.

The file says what it was shrunk from and what happens in it. With a defect that breaks an invariant
it expects that; otherwise it expects a pass, which it shows once the bug is mended: put it into a
folder that `cargo test` reads. Standard error says how small it is, whether any seed shows it, and
whether it passes without its defects.

Ctrl-C ends the search, and the smallest file so far is written. The second one ends it at once.

Exit status: 0 a file was written, 2 the run passes, or the input is wrong, 130 a file was written
after Ctrl-C.

Examples:
  {command} shrink {file} --seed 17
  {command} shrink {file} --seed 0 --defect {defect} -o small.toml
  {command} shrink target/seedbed/mixed-files-seed17-6c1d0a3e.jsonl   # with its seed";

pub(super) const SWEEP: &str = "\
Results come in the order of files and seeds, whatever -j. A file fails if one of its runs ends
otherwise than it expects; if of 100 requests or more a larger share is answered unknown than
`expect.unknown` allows (0.05); or if a client gets less than 1/8 done of what its equals get.

With --defect the defect is switched on in every file, in place of those that the file names, and
what the files expect does not count: the sweep stops at the first seed that violates an invariant,
starves, spins or panics, and the status is 0; if there is none, it is 1.

With --json: one object for each run, as `run --json` prints it, then one for each file; its
`verdict` is as_expected, failed, falls_short (no run fails, but the requests of all runs together
were served badly), vacuous (what the file is about did not come up) or interrupted, and `reason`
says why. Of a vacuous file `nearest` says what came nearest to it: a milestone, how many times of
how many that were wanted (null if it is only one that comes before), with which seed.

Ctrl-C ends a sweep when the runs under way are over; what it has shown so far is printed, and the
status is 130. The second Ctrl-C ends it at once.

Of each file the first 10 runs that fail are kept as artifacts, which `replay` runs again: in
--artifacts DIR; else in the folder that SEEDBED_ARTIFACTS names, in none if that is empty; else in
`seedbed` of Cargo's target folder, which is CARGO_TARGET_DIR, or the nearest `target` here or
above. A folder has at most 200 artifacts and 256 MiB of them, then the oldest go. With --json
`artifact` names the file of a run that is kept. With --defect runs are meant to fail, and none is
kept.

With --coverage matrices follow, of all files together. A number is in how many seeds a cell was
seen, `.` is none, a blank cannot be: a client has no disk, and no file has such a fault. The cells
that are empty stand below by row. A column is a kind of fault, and a row

  what a fault met            what the machine took part in that the fault struck
  what a fault struck while   a fault that was in effect: until it ended, a crash until the start,
                              a lost disk until its node has again what it should have
  messages, records           which were lost, delayed, doubled or torn
  reasons                     why users were refused

  {command} sweep {folder} --coverage
    what a fault met: 141 of 180 cells
                              crash  pause  isolate
      {phase}
                                 12      7        .
      empty: {phase}: isolate

So no seed isolated a machine in this phase. `{command} cells` lists the names,
and `covered` under `[expect]` demands some, such as
  covered = [\"isolate/{phase}\"]
With --json the last object has each cell with its count, null where it cannot be.

Examples:
  {command} sweep {folder}
  {command} sweep {file} --seeds 0..1000 -j 2
  {command} sweep {file} --defect {defect}
  {command} sweep {folder} --coverage
  {command} sweep {file} --json | jq -c 'select(.verdict != \"pass\")'";

pub(super) const CHECK: &str = "\
Examples:
  {command} check {file}
  {command} check {folder}
  {command} check - < draft.toml";

pub(super) const GRAMMAR: &str = "\
Without TABLE: how values are written, and every table with its keys.

Examples:
  {command} grammar
  {command} grammar fault
  {command} grammar when
  {command} grammar '[[network.link]]'";

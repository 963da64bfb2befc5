//! The world after one step of a run: what machines hold, and what is in flight.

use seedbed::machine::NodeId;

use super::layout::Layout;
use super::page::{Line, Page, Tone};
use crate::subject::Subjects;
use crate::text::Thousands;
use crate::trace::Detail;
use crate::under_test::UnderTest;
use crate::world::{Host, World};

/// What `machines` hold, all if none is named, and the messages in flight from and to them.
pub fn snapshot<S: UnderTest>(world: &World<S>, machines: &[NodeId], layout: Layout) -> Vec<Line> {
    let mut page = Page::new(Layout { is_full: true, ..layout });
    let known = S::known(world.config(), &Subjects::default());
    let detail = known.as_ref().map_or(Detail::Brief, Detail::Report);
    let step = Thousands(world.steps());
    page.put(Tone::Heading, format!("After step {step} ({})", world.now()));
    for node in world.machines().filter(|node| machines.is_empty() || machines.contains(node)) {
        page.gap();
        machine(&mut page, world, node, detail);
    }
    page.gap();
    page.put(Tone::Heading, "In flight");
    let is_shown = |node: &NodeId| machines.is_empty() || machines.contains(node);
    let mut count = 0;
    for (_, packet) in world.network().packets() {
        if is_shown(&packet.from) || is_shown(&packet.to) {
            let said = S::message_in_words(&packet.message, detail);
            page.paragraph(&format!("{} -> {} {said}", packet.from, packet.to), 2, 1);
            count += 1;
        }
    }
    if count == 0 {
        page.plain("  nothing");
    }
    page.lines
}

fn machine<S: UnderTest>(page: &mut Page, world: &World<S>, node: NodeId, detail: Detail<'_, S>) {
    let host = world.host(node);
    let state = match (host.process(), host.is_paused()) {
        (None, _) if host.incarnation().0 == 0 => "has not started".to_owned(),
        (None, _) => format!("down; its last life was {}", host.incarnation()),
        (Some(_), true) => format!("paused, in its life {}", host.incarnation()),
        (Some(_), false) => format!("up, in its life {}", host.incarnation()),
    };
    let clock = host.clock().reading(world.now());
    page.put(Tone::Heading, format!("{node} is {state}; its clock shows {clock}"));
    log(page, host, detail);
    let held = host.process().map_or_else(Vec::new, |machine| S::state(machine, detail));
    for (i, line) in held.iter().enumerate() {
        page.named(if i == 0 { "holds" } else { "" }, line, 1);
    }
    if let Some((at, timer)) = host.next_deadline() {
        page.named("wakes", &format!("at {at} by its clock: {}", S::timer_in_words(&timer)), 1);
    }
}

/// Up to where the log is durable, and the records that a crash may lose.
fn log<S: UnderTest>(page: &mut Page, host: &Host<S>, detail: Detail<'_, S>) {
    let disk = host.disk();
    if disk.end() == 0 {
        return;
    }
    page.named("log", &format!("{} records, {} of them durable", disk.end(), disk.durable()), 1);
    for position in disk.durable()..disk.end() {
        let record = S::record_in_words(disk.record(position), detail);
        page.named("", &format!("#{position} {record} is not durable"), 1);
    }
}

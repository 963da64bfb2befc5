//! The command.
use seedbed_sim::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let scenario = match scenario::Scenario::load(std::path::Path::new(&args[1])) {
        Ok(s) => s,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(2)
        }
    };
    let n: u64 = args[2].parse().unwrap();
    let from: u64 = args.get(3).map_or(0, |a| a.parse().unwrap());
    let t = std::time::Instant::now();
    let (mut steps, mut bad) = (0, 0);
    for seed in from..from + n {
        let trace = args.len() > 4;
        let r = run::run(&scenario, seed, &mut |_: &world::World, s: &world::Step| {
            if trace {
                println!("{} {} {:?}\n      {:?}", s.index, s.at, s.event, s.facts)
            }
        });
        steps += r.steps;
        if r.verdict != verdict::Verdict::Pass {
            bad += 1;
            if bad < 5 {
                println!("{seed} {:?} digest {:x}", r.verdict, r.digest);
            }
        }
        if n == 1 {
            println!("{r:?}")
        }
    }
    let e = t.elapsed().as_secs_f64();
    println!(
        "{n} seeds, {steps} steps, bad {bad}, {:.0} steps/s {:.0} seeds/s",
        steps as f64 / e,
        n as f64 / e
    );
}

//! The command of the example: `cargo run --example primary_backup -- --help`.

mod protocol;
mod testbed;

fn main() -> std::process::ExitCode {
    seedbed_sim::command::main::<protocol::Register>()
}

fn main() -> std::process::ExitCode {
    seedbed_sim::command::main::<counter::Counter>()
}

//! The command `seedbed`.

fn main() -> std::process::ExitCode {
    seedbed_sim::command::main::<seedbed::proto::FileService>()
}

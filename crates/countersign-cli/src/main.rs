//! The program `countersign`. Everything it does is in the library, where tests run it in process.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use countersign_cli::{Terminal, run};

fn main() -> ExitCode {
    let (mut stdin, mut stdout, mut stderr) = (io::stdin(), io::stdout(), io::stderr());
    let (out_is_terminal, err_is_terminal) = (stdout.is_terminal(), stderr.is_terminal());
    let mut terminal = Terminal::new(&mut stdin, &mut stdout, &mut stderr)
        .with_environment(|name| std::env::var_os(name))
        .with_terminals(out_is_terminal, err_is_terminal);
    run(std::env::args_os(), &mut terminal).into()
}

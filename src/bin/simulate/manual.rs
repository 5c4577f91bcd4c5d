//! `simulate completions` and `simulate man`: made from the arguments themselves.

use crate::args::Arguments;
use crate::failure::Failure;
use crate::output;
use clap::CommandFactory;
use clap_complete::Shell;
use std::fs;
use std::io::Write;
use std::path::Path;

/// Prints the completions of a shell.
pub fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "simulate", &mut text);
    output::stdout().write_all(&text)?;
    Ok(())
}

/// Prints the man page, or writes that of the program and of every command into a folder.
pub fn man(out: Option<&Path>) -> Result<(), Failure> {
    let Some(dir) = out else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Arguments::command()).render(&mut text)?;
        output::stdout().write_all(&text)?;
        return Ok(());
    };
    let failed = |error: std::io::Error| Failure::Usage(format!("{}: {error}", dir.display()));
    fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Arguments::command(), dir).map_err(failed)?;
    writeln!(output::stdout(), "{}", dir.join("simulate.1").display())?;
    Ok(())
}

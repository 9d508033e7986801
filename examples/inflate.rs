//! Inflates a file and drops what comes out: the floor of what reading a compressed dump can cost.
//! It uses the importer's own inflater, so that scripts/bench compares like with like.

use std::fs::File;
use std::process::ExitCode;

use ci_import::archive::{for_each_block, inflated};

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("usage: inflate FILE.gz");
        return ExitCode::from(2);
    };
    let inflate = || {
        let file = File::open(&name).map_err(|cause| cause.to_string())?;
        for_each_block(&name, &mut inflated(file), |block| Ok(Some(block)))
            .map_err(|error| error.to_string())
    };
    match inflate() {
        Ok(bytes) => println!("{bytes}"),
        Err(message) => {
            eprintln!("inflate: {message}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

//! Writes the program's IDL as JSON: `xtask idl PROGRAM_FOLDER FILE`.
//!
//! Anchor's own IDL builder does the work: it compiles the program with the feature `idl-build` and joins the parts
//! that the program's generated tests print. So the file is what `anchor idl build` writes.

use crate::Done;
use anchor_lang_idl::build::IdlBuilder;
use std::{fs, path::Path};

/// Builds and writes it.
///
/// # Errors
/// If it cannot be built or written, or lacks what a client needs.
pub fn run(program: &Path, file: &Path) -> Done {
    let idl = IdlBuilder::new()
        .program_path(program.canonicalize()?)
        .cargo_args(vec!["--lib".into()])
        .build()?;
    // The builder leaves out, without a word, an event or error enum whose field types its macros could not read
    // (for one, a type that came through a `$ty:ty` macro fragment).
    for (what, missing) in [
        ("accounts", idl.accounts.is_empty()),
        ("errors", idl.errors.is_empty()),
        ("events", idl.events.is_empty()),
    ] {
        if missing {
            return Err(format!("the IDL has no {what}").into());
        }
    }

    // Two types of one name get the path of their module for a name, which no client generator can use.
    if let Some(twice) = idl.types.iter().find(|ty| ty.name.contains("::")) {
        return Err(format!("the IDL has another type of the name of {}", twice.name).into());
    }

    fs::write(file, serde_json::to_string_pretty(&idl)? + "\n")?;
    println!(
        "{}: {} instructions, {} accounts, {} events, {} errors, {} types",
        file.display(),
        idl.instructions.len(),
        idl.accounts.len(),
        idl.events.len(),
        idl.errors.len(),
        idl.types.len()
    );
    Ok(true)
}

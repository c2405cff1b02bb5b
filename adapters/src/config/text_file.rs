use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Reads a file of no more than `most` bytes.
///
/// # Errors
/// What is wrong, to stand after the file's name and a colon.
pub(super) fn read(path: &Path, most: u64) -> Result<String, String> {
    let read = || {
        let mut text = String::new();
        // Of a pipe nothing says how long it is.
        File::open(path)?.take(most + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error: io::Error| error.to_string())?;
    if text.len() as u64 > most {
        return Err(format!("it is too long: such a file has {most} bytes at most"));
    }
    Ok(text)
}

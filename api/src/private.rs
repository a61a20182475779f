//! Files with secrets in them: for their owner's eyes alone, written whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes one in place of what is there.
pub fn write(file: &Path, text: &str) -> io::Result<()> {
    part(file, text)?.persist(file).map_err(|fault| fault.error)?;
    settle(file)
}

/// Writes one where there is none; `false`, somebody was first, and theirs stays.
pub fn write_new(file: &Path, text: &str) -> io::Result<bool> {
    match part(file, text)?.persist_noclobber(file) {
        Ok(_) => settle(file).map(|()| true),
        Err(fault) if fault.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(fault) => Err(fault.error),
    }
}

fn part(file: &Path, text: &str) -> io::Result<NamedTempFile> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".private");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    let mut part = builder.tempfile_in(folder)?;
    part.write_all(text.as_bytes())?;
    part.write_all(b"\n")?;
    part.as_file().sync_all()?;
    Ok(part)
}

/// That it is there survives the loss of power.
fn settle(file: &Path) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

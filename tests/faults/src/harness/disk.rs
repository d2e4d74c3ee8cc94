//! A disk of a row's own, which can be filled: a tmpfs, where mounting is permitted.

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

/// See the module.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one of so many MiB in this folder, which is made.
    ///
    /// # Errors
    ///
    /// When mounting is not permitted here; the text says why.
    pub(super) fn mount(path: PathBuf, mib: u64) -> Result<Self, String> {
        std::fs::create_dir(&path).map_err(|error| error.to_string())?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(&path).stdin(Stdio::null());
        let output = mount.output().map_err(|error| format!("`mount` cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(Self { path });
        }
        Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }

    /// Others take all of it, to the last byte.
    ///
    /// # Errors
    ///
    /// When it fails otherwise than by being full.
    pub(super) fn fill(&self) -> io::Result<()> {
        let mut filler = File::create(self.filler())?;
        for bytes in [1 << 20, 4 << 10, 1] {
            let zeros = vec![0; bytes];
            loop {
                match filler.write(&zeros) {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// They give it back.
    ///
    /// # Errors
    ///
    /// When the file cannot be removed.
    pub(super) fn empty(&self) -> io::Result<()> {
        std::fs::remove_file(self.filler())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Also when somebody still has a file open in it.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

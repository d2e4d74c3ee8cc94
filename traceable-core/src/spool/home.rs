//! Where the library keeps its files on this machine.

use std::{env, ffi::OsString, fmt, path::PathBuf};

/// There is no place for files: neither the variable nor the user's folder is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoHome;

impl fmt::Display for NoHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no place for files: set TRACEABLE_HOME to a folder (HOME is not set either)")
    }
}

impl std::error::Error for NoHome {}

/// The folder of the library's files: `TRACEABLE_HOME`, else `traceable` in the platform's folder for data.
///
/// That is `$XDG_DATA_HOME` or `~/.local/share` on Linux, `~/Library/Application Support` on macOS, and `%LOCALAPPDATA%`
/// on Windows. The folder may not be there yet.
///
/// # Errors
///
/// When neither the variable nor the user's folder is set.
pub fn data_home() -> Result<PathBuf, NoHome> {
    choose(|name| env::var_os(name))
}

/// An empty variable counts as not set; so does a relative one of XDG, whose standard says so.
fn choose(var: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, NoHome> {
    let folder = |name: &str| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(home) = folder("TRACEABLE_HOME") {
        return Ok(home);
    }
    let data = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        let xdg = folder("XDG_DATA_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| folder("HOME").map(|home| home.join(".local/share")))
    };
    data.map(|data| data.join("traceable")).ok_or(NoHome)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn with(vars: &[(&str, &str)]) -> Result<PathBuf, NoHome> {
        choose(|name| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_nearest_setting_wins() {
        let all = [("TRACEABLE_HOME", "/t"), ("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(with(&all), Ok("/t".into()));
        assert_eq!(with(&all[1..]), Ok("/x/traceable".into()));
        assert_eq!(with(&all[2..]), Ok("/h/.local/share/traceable".into()));
        assert_eq!(with(&[("XDG_DATA_HOME", "x"), ("HOME", "/h")]), Ok("/h/.local/share/traceable".into()));
        assert_eq!(with(&[("TRACEABLE_HOME", ""), ("HOME", "")]), Err(NoHome));
        assert!(NoHome.to_string().contains("TRACEABLE_HOME"));
    }
}

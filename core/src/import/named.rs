//! What the user calls a file or folder, as the one path that we know it by.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// `path` made absolute, without `.` and `..`. Links are kept, except where the way back out of one (`link/..`)
/// leads elsewhere than its name says.
pub fn plain(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                let is_link = fs::symlink_metadata(&plain)
                    .is_ok_and(|metadata| metadata.file_type().is_symlink());
                if is_link && let Ok(real) = fs::canonicalize(&plain) {
                    plain = real;
                }
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detours_are_left_out() {
        for (named, path) in [
            ("/a/b/../c", "/a/c"),
            ("/a/./b/", "/a/b"),
            ("/../../a", "/a"),
            ("/a/b/../../..", "/"),
        ] {
            assert_eq!(plain(Path::new(named)), Path::new(path), "{named}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(plain(Path::new("x")), here.join("x"));
        assert_eq!(plain(Path::new("..")), here.parent().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn the_way_back_out_of_a_link_leads_where_the_system_says() {
        let dir = tempfile::tempdir().unwrap();
        let place = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir_all(place.join("real/inner")).unwrap();
        std::os::unix::fs::symlink(place.join("real/inner"), place.join("link")).unwrap();
        assert_eq!(plain(&place.join("link/../x")), place.join("real/x"));
        assert_eq!(plain(&place.join("link/x")), place.join("link/x"));
    }
}

//! Directories that are removed with the test.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// An empty directory of this test's own.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Makes one.
    #[expect(clippy::new_without_default, reason = "it is made on the disk")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-test-{}-{number}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file where it is to be.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a file beside where it is to be and renames it.
    pub fn rename_in(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        let hidden = format!(".{}.new", path.file_name().unwrap().display());
        let beside = path.with_file_name(hidden);
        fs::write(&beside, text).unwrap();
        fs::rename(beside, &path).unwrap();
        path
    }

    /// Mounts these files as Kubernetes does: each is a link to `..data/name`, `..data` is a link
    /// to a directory that is never changed but swapped for another one, and the old one is
    /// removed.
    pub fn mount(&self, files: &[(&str, &str)]) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let stamp = format!("..{}", NEXT.fetch_add(1, Ordering::Relaxed));
        for (name, text) in files {
            self.write(&format!("{stamp}/{name}"), text);
        }
        let data = self.join("..data");
        let old = fs::read_link(&data).ok();
        symlink(&stamp, self.join("..data_tmp")).unwrap();
        fs::rename(self.join("..data_tmp"), &data).unwrap();
        for (name, _) in files {
            let link = self.join(name);
            if !link.is_symlink() {
                symlink(Path::new("..data").join(name), link).unwrap();
            }
        }
        for entry in fs::read_dir(&self.0).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !name.starts_with("..") && !files.iter().any(|(kept, _)| *kept == name) {
                fs::remove_file(self.join(&name)).unwrap();
            }
        }
        if let Some(old) = old {
            fs::remove_dir_all(self.join(old.to_str().unwrap())).unwrap();
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

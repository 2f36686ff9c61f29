use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::NamedTempFile;
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
    task::spawn_blocking,
};
use tower_countersign::VerifiedCaller;

use crate::file_name::FileName;

/// A directory of committed files, and of staged files that nobody can read.
#[derive(Clone, Debug)]
pub struct Files(Arc<Path>);

/// A file that is being written. It is removed unless it is [committed](Self::commit).
#[derive(Debug)]
pub struct Staged {
    named: NamedTempFile,
    writer: BufWriter<File>,
    target: PathBuf,
}

impl Files {
    /// Opens a directory that exists.
    ///
    /// # Errors
    ///
    /// If it is not a directory.
    pub fn in_directory(directory: &Path) -> io::Result<Self> {
        if directory.is_dir() {
            Ok(Self(directory.into()))
        } else {
            Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                "expected a directory that exists",
            ))
        }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// Begins a file, under another name until it is committed.
    ///
    /// # Errors
    ///
    /// If the file cannot be created.
    pub async fn stage(&self, name: &FileName) -> io::Result<Staged> {
        let target = self.0.join(name.as_str());
        let directory = Arc::clone(&self.0);
        let create = move || {
            let named = tempfile::Builder::new()
                .prefix(".staged-")
                .tempfile_in(directory)?;
            let file = named.reopen()?;
            Ok::<_, io::Error>((named, file))
        };
        let (named, file) = spawn_blocking(create).await??;
        Ok(Staged {
            named,
            writer: BufWriter::new(File::from_std(file)),
            target,
        })
    }

    /// Opens a committed file.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if no such file was committed.
    pub async fn open(&self, name: &FileName) -> io::Result<File> {
        File::open(self.0.join(name.as_str())).await
    }
}

impl Staged {
    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await
    }

    /// Gives the file its name, in place of any file that had it. Only the caller of a request that
    /// is verified to its last byte can commit.
    ///
    /// # Errors
    ///
    /// If the file cannot be written or renamed.
    pub async fn commit(mut self, caller: &VerifiedCaller) -> io::Result<()> {
        self.writer.flush().await?;
        self.writer.get_ref().sync_all().await?;
        let Self { named, target, .. } = self;
        tracing::info!(caller = %caller.id(), file = %target.display(), "committed");
        spawn_blocking(move || named.persist(target)).await??;
        Ok(())
    }
}

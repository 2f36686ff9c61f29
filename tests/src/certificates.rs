//! Certificates of a test's own, made by `openssl`.

use std::{fs, process::Command};

use crate::directory::Directory;

/// An authority in `ca.pem`, and a server's and a client's certificate and key by it, for
/// 127.0.0.1.
#[derive(Debug)]
pub struct Certificates(Directory);

impl Certificates {
    /// New ones.
    pub fn new() -> Self {
        let folder = Directory::new();
        folder.write("names", "subjectAltName=IP:127.0.0.1");
        openssl(
            &folder,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        );
        for name in ["server", "client"] {
            openssl(
                &folder,
                &format!(
                    "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
                ),
            );
            openssl(
                &folder,
                &format!(
                    "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.pem"
                ),
            );
        }
        Self(folder)
    }

    /// Where one of the files is.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The content of one of them.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

fn openssl(folder: &Directory, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder.path())
        .output()
        .expect("openssl runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

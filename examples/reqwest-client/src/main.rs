//! Calls two services. See the documentation of the library.

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use reqwest_client::{client, suspend, upload};
use tower_countersign::{BoxError, reload::Reload};

#[tokio::main]
async fn main() -> ExitCode {
    match call().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reqwest-client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn call() -> Result<(), BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [targets, accounts, files, file] = &*arguments else {
        return Err("expected TARGETS_FILE ACCOUNTS_URL FILES_URL FILE".into());
    };
    // In a long-running program, the next request is signed with the new keys of the file.
    let (signers, _reloading) = Reload::new().target_signers(targets)?;
    let client = client(signers)?;
    show("accounts", suspend(&client, accounts, 7).send().await?).await?;
    show("files", upload(&client, files, Path::new(file)).await?).await
}

async fn show(name: &str, response: reqwest::Response) -> Result<(), BoxError> {
    let status = response.status();
    let text = response.text().await?;
    Ok(writeln!(io::stdout(), "{name}: {status} {text}")?)
}

//! Calls the function with the event in the first argument. See the documentation of the library.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use countersign::ErrorChain;
use function_url_client::FunctionUrl;
use http::StatusCode;
use tower_countersign::BoxError;

#[tokio::main]
async fn main() -> ExitCode {
    match call().await {
        Ok(status) if status.is_success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("function-url-client: {}", ErrorChain::new(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn call() -> Result<StatusCode, BoxError> {
    let event = env::args().nth(1).unwrap_or_else(|| "{}".to_owned());
    let (status, answer) = FunctionUrl::from_env()?.call(event).await?;
    let answer = String::from_utf8_lossy(&answer);
    writeln!(io::stdout(), "{status}\n{answer}")?;
    Ok(status)
}

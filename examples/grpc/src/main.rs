//! Runs the service, or makes one call of each kind. See the documentation of the library.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use countersign::{Secret, Signer};
use grpc::{
    client::{LedgerClient, channel},
    key_of,
    layers::verified,
    messages::{Entry, Summary},
    service::Ledger,
};
use tokio::net::TcpListener;
use tonic::{
    Response, Status,
    codegen::tokio_stream,
    transport::{Endpoint, Server, server::TcpIncoming},
};
use tower_countersign::BoxError;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let ended = match &*arguments.iter().map(String::as_str).collect::<Vec<_>>() {
        ["serve"] => serve().await,
        ["call", url] => call(url).await,
        _ => Err("expected serve, or call URL".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grpc: {error}");
            ExitCode::FAILURE
        }
    }
}

fn secret() -> Result<Secret, BoxError> {
    // The error itself would show the value, so it is dropped.
    let key = env::var("KEY").map_err(|_| "KEY: not set, or not UTF-8")?;
    Ok(Secret::from_hex(&key)?)
}

async fn serve() -> Result<(), BoxError> {
    let addr = env::var("LISTEN_ADDR").unwrap_or_else(|_| "127.0.0.1:8085".to_owned());
    let listener = TcpListener::bind(&addr).await;
    let listener = listener.map_err(|error| format!("{addr}: {error}"))?;
    let addr = listener.local_addr()?;
    let (verify, authorize) = verified(&secret()?, &addr.to_string())?;
    writeln!(io::stdout(), "listening on http://{addr}")?;
    Server::builder()
        // In tonic, the first layer is the outermost.
        .layer(verify)
        .layer(authorize)
        .add_service(Ledger::default())
        .serve_with_incoming(TcpIncoming::from(listener))
        .await?;
    Ok(())
}

async fn call(url: &str) -> Result<(), BoxError> {
    let caller = env::var("CALLER").unwrap_or_else(|_| "billing".to_owned());
    let endpoint = Endpoint::from_shared(url.to_owned())?;
    let authority = endpoint.uri().authority().map(ToString::to_string);
    let signer = Signer::new(&caller, key_of(&caller, &secret()?)?, authority)?;
    let mut ledger = LedgerClient::new(channel(&endpoint, signer)?);

    show("Post", ledger.post(Entry { cents: 100 }).await.map(summary))?;
    let entries = [200, 300, 400].map(|cents| Entry { cents });
    show("Import", ledger.import(entries.to_vec()).await.map(summary))?;
    show("Entries", all(&mut ledger).await)?;
    // Waits for a response before it sends anything.
    let waiting = tokio_stream::pending();
    let refused = ledger.watch(waiting).await;
    show("Watch", refused.map(|_| "answered".to_owned()))?;
    Ok(())
}

fn summary(answer: Response<Summary>) -> String {
    let Summary { entries, posted_by } = answer.into_inner();
    format!("{entries} entries, posted by {posted_by}")
}

async fn all(ledger: &mut LedgerClient) -> Result<String, Status> {
    let mut entries = ledger.entries().await?.into_inner();
    let mut all = Vec::new();
    while let Some(entry) = entries.message().await? {
        all.push(entry.cents.to_string());
    }
    Ok(all.join(" "))
}

fn show(method: &str, answer: Result<String, Status>) -> io::Result<()> {
    let mut out = io::stdout();
    match answer {
        Ok(answer) => writeln!(out, "{method}: {answer}"),
        Err(status) => match std::error::Error::source(&status) {
            // The call was not sent, so this is no response of the service.
            Some(error) => writeln!(out, "{method}: not sent: {error}"),
            None => writeln!(out, "{method}: {:?} {}", status.code(), status.message()),
        },
    }
}

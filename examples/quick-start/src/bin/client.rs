//! The calling service, as shown in the README.

use std::{env, io::Write};

use bytes::Bytes;
use countersign::{ErrorChain, Signer};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{Layer, ServiceExt};
use tower_countersign::{BoxError, SignLayer};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let host = env::args().nth(1).ok_or("expected host:port")?;
    let signer = Signer::from_env("user-service", &host)?;
    let client = SignLayer::new(signer).layer(Client::builder(TokioExecutor::new()).build_http());
    let url = format!("http://{host}/api/account/7");
    let request = http::Request::get(url).body(Full::<Bytes>::default())?;
    let response = client.oneshot(request).await;
    let response = response.map_err(|error| ErrorChain::new(&*error).to_string())?;
    let body = response.into_body().collect().await?.to_bytes();
    Ok(std::io::stdout().write_all(&body)?)
}

//! The client.

use countersign::Signer;
use http::{Request, uri::PathAndQuery};
use tonic::{
    Response, Status, Streaming,
    body::Body,
    client::Grpc,
    codegen::tokio_stream::{self, Stream},
    transport::{Channel, Endpoint},
};
use tower::{ServiceBuilder, util::BoxCloneSyncService};
use tower_countersign::{BoxError, SignLayer, SignedBody};

use crate::{
    codec::Json,
    messages::{ENTRIES, Entry, IMPORT, POST, Query, Summary, WATCH},
};

/// A channel that signs its calls. Generated clients take it in place of a `Channel`.
pub type SignedChannel = BoxCloneSyncService<Request<Body>, http::Response<Body>, BoxError>;

/// Creates a signing channel. The signer must be bound to the authority of the endpoint.
///
/// # Errors
///
/// If the endpoint is not `http://host:port`.
pub fn channel(endpoint: &Endpoint, signer: Signer) -> Result<SignedChannel, BoxError> {
    let channel: Channel = endpoint.connect_lazy();
    // A channel adds the origin below the signer, so the signer needs it as a setting.
    let sign = SignLayer::new(signer)
        .with_origin(endpoint.uri())?
        .with_grpc_bidirectional([WATCH]);
    let service = ServiceBuilder::new()
        .layer(sign)
        .map_request(|request: Request<SignedBody<Body>>| request.map(Body::new))
        .service(channel);
    Ok(BoxCloneSyncService::new(service))
}

/// The counterpart of a generated client.
#[derive(Clone, Debug)]
pub struct LedgerClient {
    grpc: Grpc<SignedChannel>,
}

impl LedgerClient {
    /// Creates a client on this channel.
    pub fn new(channel: SignedChannel) -> Self {
        let grpc = Grpc::new(channel);
        Self { grpc }
    }

    /// Posts one entry.
    ///
    /// # Errors
    ///
    /// The error of the service, or `Unknown` with the signer's error as its source.
    pub async fn post(&mut self, entry: Entry) -> Result<Response<Summary>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(POST);
        let request = tonic::Request::new(entry);
        self.grpc.unary(request, path, Json::default()).await
    }

    /// Posts a stream of entries.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    pub async fn import(&mut self, entries: Vec<Entry>) -> Result<Response<Summary>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(IMPORT);
        let request = tonic::Request::new(tokio_stream::iter(entries));
        self.grpc
            .client_streaming(request, path, Json::default())
            .await
    }

    /// Streams all entries.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    pub async fn entries(&mut self) -> Result<Response<Streaming<Entry>>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(ENTRIES);
        let request = tonic::Request::new(Query {});
        self.grpc
            .server_streaming(request, path, Json::default())
            .await
    }

    /// Streams entries in both directions, which the signer refuses.
    ///
    /// # Errors
    ///
    /// `Unknown`, with the signer's error as its source.
    pub async fn watch<S>(&mut self, entries: S) -> Result<Response<Streaming<Entry>>, Status>
    where
        S: Stream<Item = Entry> + Send + 'static,
    {
        self.ready().await?;
        let path = PathAndQuery::from_static(WATCH);
        let request = tonic::Request::new(entries);
        self.grpc.streaming(request, path, Json::default()).await
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.grpc.ready().await.map_err(Status::from_error)
    }
}

//! The service.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{
    Status, Streaming,
    body::Body,
    codegen::{BoxFuture, BoxStream, tokio_stream},
    server::{ClientStreamingService, Grpc, NamedService, ServerStreamingService, UnaryService},
};
use tower_countersign::VerifiedCaller;

use crate::{
    codec::Json,
    messages::{ENTRIES, Entry, IMPORT, POST, Query, Summary},
};

/// The ledger, in memory.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Ledger {
    fn post<T>(
        &self,
        request: &tonic::Request<T>,
        new: impl IntoIterator<Item = Entry>,
    ) -> Result<tonic::Response<Summary>, Status> {
        let caller = request.extensions().get::<VerifiedCaller>();
        let caller =
            caller.ok_or_else(|| Status::internal("no VerifyLayer covers this service"))?;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.extend(new);
        Ok(tonic::Response::new(Summary {
            entries: entries.len(),
            posted_by: caller.id().to_string(),
        }))
    }
}

type Answer<T> = BoxFuture<tonic::Response<T>, Status>;

impl UnaryService<Entry> for Ledger {
    type Response = Summary;
    type Future = Answer<Summary>;

    fn call(&mut self, mut request: tonic::Request<Entry>) -> Self::Future {
        let ledger = self.clone();
        Box::pin(async move {
            let entry = request.get_mut().clone();
            ledger.post(&request, [entry])
        })
    }
}

impl ClientStreamingService<Entry> for Ledger {
    type Response = Summary;
    type Future = Answer<Summary>;

    fn call(&mut self, mut request: tonic::Request<Streaming<Entry>>) -> Self::Future {
        let ledger = self.clone();
        Box::pin(async move {
            let mut new = Vec::new();
            while let Some(entry) = request.get_mut().message().await? {
                new.push(entry);
            }
            ledger.post(&request, new)
        })
    }
}

impl ServerStreamingService<Query> for Ledger {
    type Response = Entry;
    type ResponseStream = BoxStream<Entry>;
    type Future = Answer<Self::ResponseStream>;

    fn call(&mut self, _request: tonic::Request<Query>) -> Self::Future {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries: Vec<_> = entries.iter().cloned().map(Ok).collect();
        let stream: Self::ResponseStream = Box::pin(tokio_stream::iter(entries));
        Box::pin(async { Ok(tonic::Response::new(stream)) })
    }
}

impl NamedService for Ledger {
    const NAME: &'static str = "ledger.Ledger";
}

impl tower::Service<Request<Body>> for Ledger {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let ledger = self.clone();
        Box::pin(async move {
            Ok(match request.uri().path() {
                POST => Grpc::new(Json::default()).unary(ledger, request).await,
                IMPORT => {
                    let mut grpc = Grpc::new(Json::default());
                    grpc.client_streaming(ledger, request).await
                }
                ENTRIES => {
                    let mut grpc = Grpc::new(Json::default());
                    grpc.server_streaming(ledger, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

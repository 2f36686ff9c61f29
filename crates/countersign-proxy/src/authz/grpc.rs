//! The decision server for Envoy's gRPC ext_authz.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tonic::{
    Status,
    server::{Grpc, UnaryService},
};
use tonic_prost::ProstCodec;

use super::{
    decision::{Bodies, Decider, Decision},
    description::Refused,
    envoy,
    forwarded::GATEWAY,
    messages::{CheckRequest, CheckResponse},
    secret::GatewaySecret,
};
use crate::{
    events,
    forward::{AnswerBody, boxed, error},
    listen::{Handler, Peer},
};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The service of a listener.
pub(crate) struct GrpcService {
    pub(crate) decider: Arc<Decider>,
    pub(crate) bodies: Bodies,
    /// The secret that the gateway must show, if there is one.
    pub(crate) secret: Option<GatewaySecret>,
    /// The longest message: a body and its head.
    pub(crate) message_bytes: usize,
}

impl Handler for GrpcService {
    async fn answer(&self, request: Request<Incoming>, _peer: Peer) -> Response<AnswerBody> {
        if request.uri().path() != CHECK {
            return error(StatusCode::NOT_FOUND, "not_found");
        }
        let check = Check {
            decider: Arc::clone(&self.decider),
            bodies: self.bodies,
            secret: self.secret.clone(),
        };
        let mut grpc = Grpc::new(ProstCodec::<CheckResponse, CheckRequest>::default())
            .max_decoding_message_size(self.message_bytes);
        grpc.unary(check, request).await.map(boxed)
    }
}

/// One call.
struct Check {
    decider: Arc<Decider>,
    bodies: Bodies,
    secret: Option<GatewaySecret>,
}

type Answer = Result<tonic::Response<CheckResponse>, Status>;

impl UnaryService<CheckRequest> for Check {
    type Response = CheckResponse;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let is_gateway = self.secret.as_ref().is_none_or(|secret| {
            let shown = request.metadata().get_all(GATEWAY.as_str());
            let mut shown = shown.iter();
            let (Some(one), None) = (shown.next(), shown.next()) else {
                return false;
            };
            secret.is(one.as_encoded_bytes())
        });
        let (decider, bodies) = (Arc::clone(&self.decider), self.bodies);
        Box::pin(async move {
            let decision = if is_gateway {
                let described = envoy::describe(request.into_inner(), bodies);
                decider.decide(described).await
            } else {
                decider.refuse(Refused(
                    "countersign-gateway: expected the gateway's secret",
                ))
            };
            if let Decision::Refuse(refusal) = &decision {
                events::denied(&decider.section, refusal.status());
            }
            Ok(tonic::Response::new(envoy::answer(decision)))
        })
    }
}

//! The decision server: a gateway describes a request, and gets the answer of the layers.

mod answer;
mod decision;
mod description;
mod envoy;
mod forwarded;
mod grpc;
mod http_service;
mod line;
mod messages;
mod secret;

pub(crate) use self::{
    decision::{Bodies, Decider, stack},
    description::DescriptionRules,
    grpc::GrpcService,
    http_service::{Gateway, HttpService},
    secret::GatewaySecret,
};

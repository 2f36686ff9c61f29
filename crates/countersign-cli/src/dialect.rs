//! The dialects of RFC 9421, as an argument.

use clap::ValueEnum;
use countersign::{MessageSignaturesSignSettings, MessageSignaturesVerifySettings};

/// A dialect of HTTP Message Signatures. Each constructor of the core has the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    /// The rules of this project.
    Strict,
    /// `curl --httpsig-algo`.
    Curl,
    /// Web Bot Auth, draft 01.
    WebBotAuth,
    /// Requests of `AdCP` 3.2.
    #[value(name = "adcp-request-3.2")]
    AdcpRequest32,
    /// Requests of `AdCP` 3.0 and 3.1.
    #[value(name = "adcp-request-3.1")]
    AdcpRequest31,
    /// Webhooks of `AdCP`.
    AdcpWebhook,
}

impl Dialect {
    pub(crate) fn verify_settings(self) -> MessageSignaturesVerifySettings {
        match self {
            Self::Strict => MessageSignaturesVerifySettings::strict(),
            Self::Curl => MessageSignaturesVerifySettings::curl(),
            Self::WebBotAuth => MessageSignaturesVerifySettings::web_bot_auth(),
            Self::AdcpRequest32 => MessageSignaturesVerifySettings::adcp_request_3_2(),
            Self::AdcpRequest31 => MessageSignaturesVerifySettings::adcp_request_3_1(),
            Self::AdcpWebhook => MessageSignaturesVerifySettings::adcp_webhook(),
        }
    }

    pub(crate) fn sign_settings(
        self,
        settings: MessageSignaturesSignSettings,
    ) -> MessageSignaturesSignSettings {
        match self {
            Self::Strict => settings,
            Self::Curl => settings.insecure_as_curl(),
            Self::WebBotAuth => settings.for_web_bot_auth(),
            Self::AdcpRequest32 => settings.for_adcp_request_3_2(),
            Self::AdcpRequest31 => settings.for_adcp_request_3_1(),
            Self::AdcpWebhook => settings.for_adcp_webhook(),
        }
    }
}

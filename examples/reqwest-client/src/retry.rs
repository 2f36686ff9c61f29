use std::time::Duration;

use http::{Extensions, StatusCode};
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};

/// Sends a request up to three times.
#[derive(Clone, Debug)]
pub struct Retry {
    attempts: u32,
    first_pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_millis(50),
        }
    }
}

impl Retry {
    /// Returns whether to send the request again: if the service could not be reached, or refused
    /// with 429 or 503. In these cases the service has not handled the request. A request that
    /// cannot be signed is not sent again.
    pub fn is_due(&self, attempt: u32, sent: &Result<Response>) -> bool {
        let unhandled = match sent {
            Ok(response) => matches!(
                response.status(),
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
            ),
            Err(Error::Reqwest(error)) => error.is_connect(),
            Err(Error::Middleware(_)) => false,
        };
        unhandled && attempt < self.attempts
    }

    /// Waits before the next attempt. Each wait is twice as long as the last.
    pub async fn pause(&self, attempt: u32) {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        tokio::time::sleep(self.first_pause.saturating_mul(doubled)).await;
    }
}

#[async_trait::async_trait]
impl Middleware for Retry {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let mut attempt = 1;
        // A request with a streamed body cannot be cloned and is sent once.
        while let Some(copy) = request.try_clone() {
            let sent = next.clone().run(copy, extensions).await;
            if !self.is_due(attempt, &sent) {
                return sent;
            }
            self.pause(attempt).await;
            attempt = attempt.saturating_add(1);
        }
        next.run(request, extensions).await
    }
}

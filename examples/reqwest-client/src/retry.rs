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
    /// Whether to send the request again. Only where the service has not handled it: it could not
    /// be reached, or refused with 429 or 503. A request that no signer signs is not sent again.
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

    /// Waits before the next attempt, twice as long each time.
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
        // A request with a streamed body has no copy, and is sent once.
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

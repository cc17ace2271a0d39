//! A small server of HTTP: `/metrics` and `/healthz`.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tracing::debug;

use crate::metrics::Metrics;

/// A keeper that has not looked at its market for so many seconds is not well.
const LONGEST_LOOK: u64 = 30;
/// Nor is one that for so many seconds could have liquidated nobody, for want of prices that the market believes.
const LONGEST_BLIND: u64 = 12;

/// Listens; what comes back serves until it is dropped.
///
/// # Errors
/// If the address cannot be listened on.
pub async fn listen(
    address: SocketAddr,
    metrics: Arc<Metrics>,
) -> io::Result<(SocketAddr, impl Future<Output = ()> + Send)> {
    let listener = TcpListener::bind(address).await?;
    let local = listener.local_addr()?;
    Ok((local, serve(listener, metrics)))
}

async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    serve_http(listener, move |request: &Request<Incoming>| {
        answer(request.method(), request.uri().path(), &metrics)
    })
    .await;
}

/// Serves answers that take no time, until it is dropped.
pub async fn serve_http<A>(listener: TcpListener, answer: A)
where
    A: Fn(&Request<Incoming>) -> Response<Full<Bytes>> + Clone + Send + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say: not a reason to spin.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let response = answer(&request);
            async { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            // Who connects and says nothing is dropped after a while.
            http.timer(TokioTimer::new())
                .header_read_timeout(std::time::Duration::from_secs(10));
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                debug!(%error, "a connection ended badly");
            }
        });
    }
}

fn answer(method: &Method, path: &str, metrics: &Metrics) -> Response<Full<Bytes>> {
    let (status, body) = match (method, path) {
        (&Method::GET, "/metrics") => (StatusCode::OK, metrics.render()),
        (&Method::GET, "/healthz") => health(metrics.since_look(), metrics.blind()),
        (&Method::GET, _) => (StatusCode::NOT_FOUND, "see /metrics and /healthz\n".to_owned()),
        _ => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
    };
    respond(status, "text/plain; version=0.0.4; charset=utf-8", body)
}

/// A response of this kind of body.
#[must_use]
pub fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static(kind));
    response
}

/// Well is who has looked at the market lately, and saw prices there.
fn health(since_look: Option<u64>, blind: Option<(u64, String)>) -> (StatusCode, String) {
    let why = match (since_look, blind) {
        (None, _) => "no look at the market yet\n".to_owned(),
        (Some(seconds), _) if seconds > LONGEST_LOOK => format!("the last look at the market was {seconds} s ago\n"),
        (_, Some((seconds, why))) if seconds >= LONGEST_BLIND => {
            format!("nobody can be liquidated for {seconds} s: no price is believed: {why}\n")
        }
        _ => return (StatusCode::OK, "ok\n".to_owned()),
    };
    (StatusCode::SERVICE_UNAVAILABLE, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_a_look_at_the_market_lately_with_prices() {
        assert_eq!(health(Some(30), None).0, StatusCode::OK);
        let blind = |seconds| Some((seconds, "too old".to_owned()));
        assert_eq!(health(Some(0), blind(11)).0, StatusCode::OK);
        assert_eq!(
            health(Some(0), blind(12)),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "nobody can be liquidated for 12 s: no price is believed: too old\n".to_owned()
            )
        );
        assert_eq!(
            health(Some(31), None),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the last look at the market was 31 s ago\n".to_owned()
            )
        );
        assert_eq!(health(None, None).0, StatusCode::SERVICE_UNAVAILABLE);
        let metrics = Metrics::default();
        assert_eq!(answer(&Method::GET, "/", &metrics).status(), StatusCode::NOT_FOUND);
        assert_eq!(
            answer(&Method::POST, "/metrics", &metrics).status(),
            StatusCode::METHOD_NOT_ALLOWED
        );
        assert_eq!(
            answer(&Method::GET, "/healthz", &metrics).status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(answer(&Method::GET, "/metrics", &metrics).status(), StatusCode::OK);
    }
}

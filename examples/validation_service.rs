//! A validation service that takes its time, as one that calls another service does: what `WOODY_VALIDATOR_URL` may lead
//! to, and what shows that more workers do more at once.
//!
//! ```text
//! cargo run --example validation_service -- 127.0.0.1:7000 200
//! WOODY_VALIDATION=none WOODY_VALIDATOR_URL=http://127.0.0.1:7000/ cargo run
//! ```

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode, body::Incoming, header::CONTENT_TYPE, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

/// What a worker asks.
#[derive(Deserialize)]
struct Question {
    product: String,
}

/// After a while it agrees to every product but one.
async fn answer(
    request: Request<Incoming>,
    takes: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(told(StatusCode::BAD_REQUEST, &json!({}))),
    };
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        return Ok(told(StatusCode::UNPROCESSABLE_ENTITY, &json!({})));
    };
    tokio::time::sleep(takes).await;
    Ok(told(
        StatusCode::OK,
        &if question.product == "Matches" {
            json!({ "verdict": "rejected", "reason": "not for children" })
        } else {
            json!({ "verdict": "success" })
        },
    ))
}

fn told(status: StatusCode, what: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(what.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}

#[tokio::main]
#[allow(clippy::print_stdout)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:7000").parse()?;
    let takes = Duration::from_millis(arguments.next().as_deref().unwrap_or("200").parse()?);
    let listener = TcpListener::bind(address).await?;
    println!("asked at http://{address}/, it responds after {takes:?}");
    loop {
        let (stream, _) = listener.accept().await?;
        let http =
            hyper::server::conn::http1::Builder::new().timer(TokioTimer::new()).serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| answer(request, takes)),
            );
        tokio::spawn(async move {
            // A client that disconnects in the middle is its own business.
            let _ = http.await;
        });
    }
}

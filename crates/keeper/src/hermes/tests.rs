use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use super::*;
use breakwater_client::pyth::{self, Message, Update};
use breakwater_testkit::pyth::{Routers, feed_id_for};
use http_body_util::Full;
use hyper::{Request, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const SOL: &str = "SOL/USD";
const USDC: &str = "USDC/USD";

fn update() -> Update {
    let message = |symbol: &str, price| Message {
        feed: feed_id_for(symbol),
        price,
        conf: 1,
        expo: -8,
        publish_time: 1_000,
        previous_publish_time: 999,
        ema_price: price,
        ema_conf: 1,
        rest: Vec::new(),
    };
    Routers::new(0).update(&[message(SOL, 15_000_000_000), message(USDC, 100_000_000)])
}

fn feeds() -> [FeedId; 2] {
    [SOL, USDC].map(feed_id_for)
}

fn answer(update: &Update) -> String {
    let data = BASE64_STANDARD.encode(update.bytes().unwrap());
    format!(r#"{{"binary":{{"encoding":"base64","data":["{data}"]}},"parsed":null}}"#)
}

/// An answer: status, header, body.
type Given = (u16, Option<(&'static str, &'static str)>, Vec<u8>);

/// A request: path with query, key.
type Asked = (String, Option<String>);

/// A server that gives one answer to everybody, and what it was asked.
struct Server {
    base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

async fn server(given: Given) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/hermes/", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<_>>> = Arc::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (given, log) = (given.clone(), Arc::clone(&log));
            let service = service_fn(move |request: Request<Incoming>| {
                let key = request
                    .headers()
                    .get("authorization")
                    .map(|key| key.to_str().unwrap().to_owned());
                log.lock().unwrap().push((request.uri().to_string(), key));
                let (status, header, body) = given.clone();
                let mut response = hyper::Response::builder().status(status);
                if let Some((name, value)) = header {
                    response = response.header(name, value);
                }
                async { Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body))).unwrap()) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Server { base, asked }
}

async fn asked_of(given: Given) -> Result<Update, Error> {
    let server = server(given).await;
    Hermes::new(&server.base, None).unwrap().latest(&feeds()).await
}

#[tokio::test]
async fn an_update_is_asked_for_by_feed_and_with_the_key() {
    let server = server((200, None, answer(&update()).into_bytes())).await;
    let hermes = Hermes::new(&server.base, Some(ApiKey::Text("sesame\n".to_owned()))).unwrap();
    assert_eq!(hermes.latest(&feeds()).await, Ok(update()));
    let ids = feeds().map(|feed| format!("ids%5B%5D={}", hex::encode(feed)));
    let path = format!(
        "/hermes/v2/updates/price/latest?{}&{}&encoding=base64&parsed=false",
        ids[0], ids[1]
    );
    let asked = server.asked.lock().unwrap().clone();
    assert_eq!(asked, [(path, Some("Bearer sesame".to_owned()))]);
    assert!(!format!("{hermes:?}").contains("sesame"));
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let seconds = |seconds| Error::RateLimited(Some(Duration::from_secs(seconds)));
    let cases = [
        (401, None, Error::Unauthorized),
        (403, None, Error::Forbidden),
        (404, None, Error::NotFound),
        (429, None, Error::RateLimited(None)),
        (429, Some(("retry-after", "7")), seconds(7)),
        // The form that says a date.
        (
            429,
            Some(("retry-after", "Tue, 01 Dec 2026 00:00:00 GMT")),
            Error::RateLimited(None),
        ),
        (500, None, Error::Status(500)),
        (503, Some(("retry-after", "7")), Error::Status(503)),
        (418, None, Error::Status(418)),
    ];
    for (status, header, error) in cases {
        // A body of the right form changes nothing.
        assert_eq!(
            asked_of((status, header, answer(&update()).into_bytes())).await,
            Err(error)
        );
    }
}

#[tokio::test]
async fn each_bad_body_has_its_name() {
    let good = answer(&update());
    let mut broken = update();
    broken.prices[1].proof[3][0] ^= 1;
    let mut fewer = update();
    fewer.prices.remove(1);
    let two = good.replace("\"]", "\",\"UE5BVQ==\"]");
    let cases = [
        ("no json".to_owned(), Error::NotAnAnswer),
        ("{}".to_owned(), Error::NotAnAnswer),
        (two, Error::NotAnAnswer),
        (good.replace("[\"", "[\"?"), Error::NotAnAnswer),
        (
            good.replace("[\"UE5BVQ", "[\"AAAAAA"),
            Error::Update(pyth::Error::NotAnUpdate),
        ),
        (answer(&broken), Error::Update(pyth::Error::Proof(feed_id_for(USDC)))),
        (
            answer(&fewer),
            Error::Update(pyth::Error::FeedMissing(feed_id_for(USDC))),
        ),
        (" ".repeat(LARGEST + 1), Error::TooLarge),
    ];
    for (body, error) in cases {
        assert_eq!(asked_of((200, None, body.into_bytes())).await, Err(error));
    }
    // More feeds than were asked for are no harm.
    let server = server((200, None, good.into_bytes())).await;
    let hermes = Hermes::new(&server.base, None).unwrap();
    assert_eq!(hermes.latest(&feeds()[..1]).await, Ok(update()));
}

#[tokio::test]
async fn nobody_there_is_told_without_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/secret-path", listener.local_addr().unwrap());
    drop(listener);
    let error = Hermes::new(&base, None).unwrap().latest(&feeds()).await.unwrap_err();
    assert_eq!(error.kind(), "unreachable");
    assert!(!error.to_string().contains("secret-path"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let hermes = Hermes::with_patience(&base, None, Duration::from_millis(20)).unwrap();
    assert_eq!(hermes.latest(&feeds()).await, Err(Error::TimedOut));
}

#[test]
fn a_key_is_never_sent_in_the_clear_to_another_machine() {
    let key = || Some(ApiKey::Text("sesame".to_owned()));
    assert_eq!(
        Hermes::new("http://hermes.example", key()).unwrap_err(),
        Error::KeyInTheClear
    );
    for base in ["ftp://hermes.example", "hermes.example", ""] {
        assert_eq!(Hermes::new(base, None).unwrap_err(), Error::BaseUrl, "{base}");
    }
    for base in [PYTH, "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
        assert!(Hermes::new(base, key()).is_ok(), "{base}");
    }
    assert!(Hermes::new("http://hermes.example", None).is_ok());
}

#[test]
fn a_key_is_one_word_and_read_anew_from_its_file() {
    let path = std::env::temp_dir().join(format!("breakwater-hermes-key-{}", std::process::id()));
    let key = ApiKey::File(path.clone());
    let _ = std::fs::remove_file(&path);
    assert_eq!(key.read().unwrap_err().kind(), "key");
    for text in ["one\n", "two"] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(key.read().as_deref(), Ok(text.trim()));
    }
    std::fs::remove_file(&path).unwrap();
    for text in ["", " \n", "two words", "sch\u{f6}n"] {
        let error = Error::Key("not one word of visible characters".to_owned());
        assert_eq!(ApiKey::Text(text.to_owned()).read(), Err(error), "{text:?}");
    }
}

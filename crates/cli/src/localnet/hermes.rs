//! Hermes' routes on loopback: the localnet's prices in updates that its own routers sign.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use breakwater_client::pyth::{FeedId, Update, routers::Routers};
use breakwater_keeper::{
    hermes::feed_id,
    server::{respond, serve_http},
};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue},
};
use serde_json::{Value, json};

use super::{
    book::{Book, Feed},
    net::Net,
};
use crate::price_account::Shown;

/// Where the routes begin, as at Pyth's own.
const BASE: &str = "/hermes";
/// Index of the set of signers.
pub const SET: u32 = 0;

/// A running server.
pub struct Server {
    net: Arc<Net>,
    book: Book,
    routers: Routers,
    key: Option<String>,
}

/// An answer, or a refusal in words.
type Answer = Result<Value, (StatusCode, String)>;

fn bad(why: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, why.to_owned())
}

impl Server {
    /// Serves on a port of this machine, 0 for a free one, and returns the base URL. With a key, only who shows it is
    /// told a price.
    pub fn start(net: Arc<Net>, book: Book, port: u16, key: Option<String>) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("port {port} cannot be used: {error}");
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let server = Arc::new(Self {
            net,
            book,
            routers: Routers::new(SET),
            key,
        });
        // The validator wants threads to wait on.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(failed)?;
        let serve = async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            serve_http(listener, move |request: &Request<Incoming>| server.answer(request)).await;
        };
        thread::Builder::new()
            .name("hermes".to_owned())
            .spawn(move || runtime.block_on(serve))
            .map_err(failed)?;
        Ok(format!("http://{address}{BASE}"))
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let given = request.headers().get("authorization").and_then(|key| key.to_str().ok());
        let known = self
            .key
            .as_ref()
            .is_none_or(|key| given.and_then(|given| given.strip_prefix("Bearer ")) == Some(key));
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let path = request.uri().path().strip_prefix(BASE).unwrap_or_default();
        let answer = match (request.method(), path) {
            // What a browser asks before it sends a key.
            (&Method::OPTIONS, _) => Ok(Value::Null),
            (&Method::GET, "/v2/price_feeds") => Ok(self.feeds(&query)),
            // As at Pyth's own, only the list of feeds is open.
            (_, "/v2/updates/price/latest" | "/localnet/price") if !known => {
                Err((StatusCode::UNAUTHORIZED, "no valid key".to_owned()))
            }
            (&Method::GET, "/v2/updates/price/latest") => self.latest(&query),
            (&Method::POST, "/localnet/price") => self.set(&query),
            (_, "/v2/price_feeds" | "/v2/updates/price/latest" | "/localnet/price") => {
                Err((StatusCode::METHOD_NOT_ALLOWED, String::new()))
            }
            _ => Err((StatusCode::NOT_FOUND, format!("see {BASE}/v2/price_feeds"))),
        };
        let mut response = match answer {
            Ok(value) => respond(StatusCode::OK, "application/json", value.to_string()),
            Err((status, why)) => respond(status, "text/plain; charset=utf-8", why),
        };
        // Pages of any origin may ask, as at Pyth's own, and show a key.
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization"));
        response
    }

    /// The newest update: all feeds are in its tree, those asked for in the answer.
    fn latest(&self, query: &Query) -> Answer {
        let ids: Vec<FeedId> = query
            .all("ids[]")
            .map(|id| feed_id(id).ok_or_else(|| bad(&format!("{id} is not 64 hexadecimal digits"))))
            .collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Err(bad("no ids[] given"));
        }
        let encoding = query.one("encoding").unwrap_or("hex");
        let encode: fn(Vec<u8>) -> String = match encoding {
            "hex" => |bytes| hex::encode(bytes),
            "base64" => |bytes| BASE64_STANDARD.encode(bytes),
            _ => return Err(bad("encoding is hex or base64")),
        };
        // What `breakwater price` wrote to an account a moment ago is the price.
        let refused = |error: String| (StatusCode::INTERNAL_SERVER_ERROR, error);
        self.book.take_in(&self.net).map_err(refused)?;
        let feeds = self.book.all(self.net.clock().unix);
        let unknown: Vec<String> = ids
            .iter()
            .filter(|id| feeds.iter().all(|feed| feed.id != Some(**id)))
            .map(hex::encode)
            .collect();
        if !unknown.is_empty() {
            return Err((
                StatusCode::NOT_FOUND,
                format!("price ids not found: {}", unknown.join(", ")),
            ));
        }
        let messages: Vec<_> = feeds.iter().filter_map(Feed::message).collect();
        let mut update = self.routers.update(&messages);
        update.prices.retain(|price| ids.contains(&price.message.feed));
        let bytes = update
            .bytes()
            .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        let mut answer = json!({ "binary": { "encoding": encoding, "data": [encode(bytes)] } });
        if query.one("parsed") != Some("false") {
            answer["parsed"] = parsed(&update);
        }
        Ok(answer)
    }

    /// The list of feeds, those whose label has the word asked for.
    fn feeds(&self, query: &Query) -> Value {
        let word = query.one("query").unwrap_or_default().to_lowercase();
        let feeds = self.book.all(self.net.clock().unix);
        let told = feeds.iter().filter(|feed| feed.label.to_lowercase().contains(&word));
        let one = |feed: &Feed| {
            let id = feed.id.as_ref().map(hex::encode)?;
            Some(
                json!({ "id": id, "attributes": { "asset_type": "Crypto", "description": feed.label, "symbol": feed.label } }),
            )
        };
        told.filter_map(one).collect()
    }

    /// Moves a price: what `breakwater price --hermes` asks for.
    fn set(&self, query: &Query) -> Answer {
        let id = query
            .one("id")
            .and_then(feed_id)
            .ok_or_else(|| bad("id is not 64 hexadecimal digits"))?;
        let number = |name: &str| -> Option<i64> { query.one(name)?.parse().ok() };
        let (price, conf, ema, expo) = (number("price"), number("conf"), number("ema"), number("expo"));
        let numbers = price.zip(conf).zip(ema).zip(expo);
        let Some((((price, conf), ema), expo)) = numbers else {
            return Err(bad("price, conf, ema and expo are numbers"));
        };
        let (Ok(conf), Ok(expo)) = (u64::try_from(conf), i32::try_from(expo)) else {
            return Err(bad("a number is out of range"));
        };
        let shown = Shown {
            price,
            conf,
            ema,
            expo,
            published: self.net.clock().unix,
        };
        if self.book.set(&id, shown) {
            Ok(json!({ "publish_time": shown.published }))
        } else {
            Err((
                StatusCode::NOT_FOUND,
                format!("price ids not found: {}", hex::encode(id)),
            ))
        }
    }
}

fn parsed(update: &Update) -> Value {
    let price = |price: i64, conf: u64, expo: i32, time: i64| json!({ "price": price.to_string(), "conf": conf.to_string(), "expo": expo, "publish_time": time });
    let one = |one: &breakwater_client::pyth::PriceUpdate| {
        let message = &one.message;
        json!({
            "id": hex::encode(message.feed),
            "price": price(message.price, message.conf, message.expo, message.publish_time),
            "ema_price": price(message.ema_price, message.ema_conf, message.expo, message.publish_time),
            "metadata": {
                "slot": update.vaa.body.slot,
                "proof_available_time": message.publish_time,
                "prev_publish_time": message.previous_publish_time,
            },
        })
    };
    update.prices.iter().map(one).collect()
}

/// A query's pairs, their percent signs undone.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(text: &str) -> Self {
        // Any base will do: only its query is read.
        let url = reqwest::Url::parse(&format!("http://localhost/?{text}"));
        Self(url.map_or_else(|_| Vec::new(), |url| url.query_pairs().into_owned().collect()))
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn one<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }
}

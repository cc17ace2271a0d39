//! Nodes that lie: each passes questions on to an honest one, and changes some of the answers.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// How a node lies.
#[derive(Clone)]
pub enum Lie {
    /// It is of another cluster.
    Genesis,
    /// It says the same for ever.
    Frozen,
    /// It says one thing in the place of another, and all else as it is.
    Forged(Arc<Mutex<Forgery>>),
}

/// A node's lie and the truth it replaces, and how often it was told.
#[derive(Default)]
pub struct Forgery {
    pub truth: String,
    pub lie: String,
    pub told: usize,
}

/// Starts a lying node in front of an honest one and returns its URL. It lies until the test's process ends.
pub fn lying(honest: &str, lie: Lie) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let honest = honest.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let remembered: Arc<Mutex<HashMap<String, String>>> = Arc::default();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (honest, lie, remembered) = (honest.clone(), lie.clone(), Arc::clone(&remembered));
            thread::spawn(move || {
                // Whoever hangs up has been answered enough.
                let _ = serve(stream, &honest, &lie, &remembered);
            });
        }
    });
    url
}

/// A node that is not there: its port was free a moment ago.
pub fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Headers, in lower case, and body.
fn read_message(reader: &mut impl BufRead) -> std::io::Result<(String, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |text| text.trim().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((head, String::from_utf8(body).unwrap()))
}

fn serve(
    mut stream: TcpStream,
    honest: &str,
    lie: &Lie,
    remembered: &Mutex<HashMap<String, String>>,
) -> std::io::Result<()> {
    let (_, question) = read_message(&mut BufReader::new(stream.try_clone()?))?;
    let method: String = serde_json::from_str::<serde_json::Value>(&question)?["method"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let reads = ["getMultipleAccounts", "getProgramAccounts"].contains(&method.as_str());
    let mut answer = ask(honest, &question)?;
    match lie {
        Lie::Genesis if method == "getGenesisHash" => {
            let mut value: serde_json::Value = serde_json::from_str(&answer)?;
            value["result"] = "11111111111111111111111111111111".into();
            answer = value.to_string();
        }
        Lie::Frozen if reads => {
            // But for the number of the question.
            let mut key: serde_json::Value = serde_json::from_str(&question)?;
            let id = key["id"].take();
            let mut remembered = remembered.lock().unwrap();
            let first = remembered.entry(key.to_string()).or_insert(answer);
            let mut value: serde_json::Value = serde_json::from_str(first)?;
            value["id"] = id;
            answer = value.to_string();
        }
        Lie::Forged(forgery) => {
            let mut forgery = forgery.lock().unwrap();
            if !forgery.truth.is_empty() && answer.contains(&forgery.truth) {
                forgery.told += 1;
                answer = answer.replace(&forgery.truth, &forgery.lie);
            }
        }
        Lie::Genesis | Lie::Frozen => {}
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(answer.as_bytes())
}

fn ask(honest: &str, question: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(honest)?;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {honest}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        question.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(question.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let (head, body) = read_message(&mut reader)?;
    if !head.contains("content-length: ") {
        let mut rest = String::new();
        reader.read_to_string(&mut rest)?;
        return Ok(rest);
    }
    Ok(body)
}

//! Where quotes come from: a command or an address on this machine, which the user gives. One question, one answer,
//! both JSON:
//!
//! ```text
//! question  {"sell": MINT, "for": MINT, "amount": "ATOMS"}
//! answer    {"received": "ATOMS"}      what selling so much would bring, after all fees
//!           {"received": null}         nobody would buy so much
//!           {"error": "WHY"}           it cannot be said now
//! ```
//!
//! A command gets the question on its standard input and prints the answer; it is started anew for each. An address
//! gets it as the body of a POST. Only addresses of this machine are asked: whoever wants quotes from elsewhere puts a
//! hook of his own between, and sees what leaves.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    process::{Command, Stdio},
    str::FromStr,
    time::Duration,
};

use serde_json::{Value, json};

use super::search::Answer;

/// The longest answer that is read, bytes.
const LONGEST: u64 = 1 << 20;
/// How long an address may take for each part of its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A command or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Program and arguments.
    Command(Vec<String>),
    /// Host, port and path.
    Http { address: SocketAddr, path: String },
}

impl FromStr for Hook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("http://") else {
            if text.contains("://") {
                return Err(format!("{text} is neither a command nor http:// on this machine"));
            }
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            return if words.is_empty() {
                Err("the command is empty".to_owned())
            } else {
                Ok(Self::Command(words))
            };
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.replace("localhost:", "127.0.0.1:");
        let address: SocketAddr = host.parse().map_err(|_| format!("{host} is no address with a port"))?;
        if !is_here(address.ip()) {
            return Err(format!(
                "{} is not this machine: only loopback addresses are asked",
                address.ip()
            ));
        }
        Ok(Self::Http {
            address,
            path: format!("/{path}"),
        })
    }
}

fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback()
}

impl Hook {
    /// Proceeds of selling `amount` atoms of one mint for another.
    pub fn quote(&self, mint: &str, for_mint: &str, amount: u64) -> Answer {
        let question = json!({ "sell": mint, "for": for_mint, "amount": amount.to_string() }).to_string();
        let answer = match self {
            Self::Command(words) => run(words, &question),
            Self::Http { address, path } => post(*address, path, &question),
        };
        read(&answer.map_err(|error| format!("the hook: {error}"))?)
    }
}

fn read(text: &str) -> Answer {
    let wrong = || format!("the hook answered {text:?}: see `breakwater depth --help`");
    let answer: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    if let Some(why) = answer["error"].as_str() {
        return Err(format!("the hook: {why}"));
    }
    match answer.get("received") {
        Some(Value::Null) => Ok(None),
        Some(Value::String(atoms)) => atoms.parse().map(Some).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn run(words: &[String], question: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", words[0]);
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not care for the question may have closed it.
        let _ = input.write_all(question.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", words[0], output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

fn post(address: SocketAddr, path: &str, question: &str) -> Result<String, String> {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // Of version 1.0, so that the answer ends with the connection.
        let head = format!(
            "POST {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            question.len()
        );
        stream.write_all((head + question).as_bytes())?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| format!("{address}: {error}"))?;
    let answer = String::from_utf8(answer).map_err(|error| format!("{address}: {error}"))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("{address} did not answer in HTTP"))?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("{address} answered with status {status}"));
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_a_command_or_an_address_of_this_machine() {
        let words = |text: &str| Hook::Command(text.split(' ').map(str::to_owned).collect());
        assert_eq!("sh quotes.sh".parse(), Ok(words("sh quotes.sh")));
        let address = |text: &str, path: &str| Hook::Http {
            address: text.parse().unwrap(),
            path: path.to_owned(),
        };
        assert_eq!(
            "http://127.0.0.1:80/a/b?c".parse(),
            Ok(address("127.0.0.1:80", "/a/b?c"))
        );
        assert_eq!("http://localhost:81".parse(), Ok(address("127.0.0.1:81", "/")));
        assert_eq!("http://[::1]:82/".parse(), Ok(address("[::1]:82", "/")));
        let refused = |text: &str| text.parse::<Hook>().unwrap_err();
        assert_eq!(
            refused("http://192.0.2.1:80/"),
            "192.0.2.1 is not this machine: only loopback addresses are asked"
        );
        assert_eq!(
            refused("http://quotes.example/"),
            "quotes.example is no address with a port"
        );
        assert_eq!(
            refused("https://127.0.0.1:80"),
            "https://127.0.0.1:80 is neither a command nor http:// on this machine"
        );
        assert_eq!(refused(" "), "the command is empty");
    }

    #[test]
    fn an_answer_is_an_amount_nothing_or_an_error() {
        assert_eq!(read(r#"{"received":"18446744073709551615"}"#), Ok(Some(u64::MAX)));
        assert_eq!(read(r#"{"received": null}"#), Ok(None));
        assert_eq!(read(r#"{"error":"closed"}"#), Err("the hook: closed".to_owned()));
        for wrong in [r#"{"received":1.5}"#, r#"{"received":"-1"}"#, "{}", "", "12"] {
            let refused = read(wrong).unwrap_err();
            assert!(refused.starts_with("the hook answered"), "{refused}");
        }
    }
}

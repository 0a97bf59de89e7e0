//! TLS by certificate files: a real client, a certificate read anew, and what is said of a wrong one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::running::{Answer, Running, command, read_answer};

/// The files of a certificate for localhost, and the certificate itself.
struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    own: CertificateDer<'static>,
}

/// Writes a new certificate over the one in `folder`.
fn certificate(folder: &TempDir) -> Certificate {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    Certificate { chain, key, own: cert.der().clone() }
}

fn started(certificate: &Certificate) -> Running {
    let (chain, key) = (certificate.chain.to_str().unwrap(), certificate.key.to_str().unwrap());
    Running::start(&["--tls-certificate", chain, "--tls-key", key])
}

/// A client that trusts this certificate and no other.
fn connected(to: &Running, trusted: &CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(to.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// One request; an error where the connection cannot be encrypted as the client asks.
fn ask(to: &Running, trusted: &CertificateDer<'static>, request: &str) -> std::io::Result<Answer> {
    let mut stream = connected(to, trusted);
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(read_answer(&bytes))
}

const QUERY: &str = "GET /query?name=m&window=5m&agg=count HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[test]
fn requests_and_the_live_feed_are_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = certificate(&folder);
    let gateway = started(&certificate);
    assert!(gateway.url.starts_with("https://127.0.0.1:"), "{}", gateway.url);
    let body = r#"{"name":"m","value":1}"#;
    let sample = format!(
        "POST /ingest HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(ask(&gateway, &certificate.own, &sample).unwrap().status, 204);
    let answer = ask(&gateway, &certificate.own, QUERY).unwrap();
    assert_eq!(answer.json()["result"], 1);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));

    let mut request = format!("wss://{}/ws", gateway.address()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "bellwether.v1".parse().unwrap());
    let stream = connected(&gateway, &certificate.own);
    let (mut socket, _) = tokio_tungstenite::tungstenite::client(request, stream).unwrap();
    assert!(socket.read().unwrap().to_text().unwrap().contains("\"hello\""));

    // Who does not encrypt gets nothing, and does not disturb the others.
    let mut plain = TcpStream::connect(gateway.address()).unwrap();
    plain.write_all(QUERY.as_bytes()).unwrap();
    let mut heard = Vec::new();
    let _reset = plain.read_to_end(&mut heard);
    assert!(!heard.starts_with(b"HTTP/"), "{heard:?}");
    assert_eq!(ask(&gateway, &certificate.own, QUERY).unwrap().status, 200);
    assert_eq!(gateway.terminate().0.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_new_certificate_is_taken_on_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let first = certificate(&folder);
    let (chain, key) = (first.chain.to_str().unwrap(), first.key.to_str().unwrap());
    let (gateway, mut log) = Running::start_heard(data.path(), &["--tls-certificate", chain, "--tls-key", key]);
    assert_eq!(ask(&gateway, &first.own, QUERY).unwrap().status, 200);
    // A file that is no certificate leaves the old one in place.
    std::fs::write(&first.chain, "no certificate").unwrap();
    gateway.signal("HUP");
    assert!(log.any(|line| line.contains("the certificate stays as it was") && line.contains("ERROR")));
    let second = certificate(&folder);
    assert_eq!(ask(&gateway, &first.own, QUERY).unwrap().status, 200);
    assert!(ask(&gateway, &second.own, QUERY).is_err(), "it is not read yet");
    gateway.signal("HUP");
    assert!(log.any(|line| line.contains("the certificate is read anew")));
    assert_eq!(ask(&gateway, &second.own, QUERY).unwrap().status, 200);
    assert!(ask(&gateway, &first.own, QUERY).is_err());
}

#[test]
fn a_wrong_certificate_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Certificate { chain, key, .. } = certificate(&folder);
    let other = tempfile::tempdir().unwrap();
    let other_key = certificate(&other).key;
    let none = folder.path().join("none.pem");
    let check = |chain: &PathBuf, key: &PathBuf, words: &[&str]| {
        let output = command(&data).arg("--tls-certificate").arg(chain).arg("--tls-key").arg(key).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        for word in words {
            assert!(said.contains(word), "{word} is not in {said}");
        }
    };
    check(&none, &key, &["the certificate", "none.pem", "No such file"]);
    check(&chain, &none, &["the key", "none.pem", "No such file"]);
    check(&key, &key, &["there is no certificate in", "key.pem"]);
    check(&chain, &chain, &["the key", "chain.pem", "no such PEM block"]);
    check(&chain, &other_key, &["cannot be used together"]);
    let output = command(&data).arg("--tls-key").arg(&key).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("go together"), "{output:?}");
    assert!(!data.exists(), "a start that fails leaves nothing behind");
}

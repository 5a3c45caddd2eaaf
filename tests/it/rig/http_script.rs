//! Owns an HTTP gateway that follows a script, and remembers what it was asked.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A status, headers, and the reply.
pub(crate) type Reply = (u16, Vec<(&'static str, &'static str)>, &'static str);

/// A running script; it ends when this is dropped.
pub(crate) struct HttpScript {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Part {
    reply: fn(&Request) -> Reply,
    heard: Arc<Mutex<Vec<Request>>>,
}

impl HttpScript {
    pub(crate) async fn start(reply: fn(&Request) -> Reply) -> Self {
        let (listener, port) = listen().await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let part = Part {
            reply,
            heard: Arc::clone(&heard),
        };
        let router = Router::new().fallback(answer).with_state(part);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, heard, task }
    }

    /// Reads a request, says the bytes, and closes with a TCP reset; with none, it never answers.
    pub(crate) async fn start_broken(says: Option<&'static [u8]>) -> Self {
        let (listener, port) = listen().await;
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = [0; 4096];
                assert_ne!(stream.read(&mut bytes).await.unwrap(), 0, "no request came");
                let Some(says) = says else {
                    open.push(stream);
                    continue;
                };
                stream.write_all(says).await.unwrap();
                stream.set_zero_linger().unwrap();
            }
        });
        let heard = Arc::default();
        Self { port, heard, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/send", self.port)
    }

    pub(crate) fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for HttpScript {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn answer(
    State(part): State<Part>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        method,
        uri,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let (status, headers, reply) = (part.reply)(&request);
    part.heard.lock().unwrap().push(request);
    let mut response = (StatusCode::from_u16(status).unwrap(), reply).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

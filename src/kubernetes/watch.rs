//! "Something changed, look again": watches turned into notifications. Network.
//!
//! Level-triggered: what changed is not passed on, so nothing is lost when a watch breaks or events are skipped.

use super::{Kubernetes, client::collection, object::Kind};
use futures::{AsyncBufRead, AsyncBufReadExt, Stream, StreamExt, stream};
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// How long until the next look when nothing can be watched.
const POLL: Duration = Duration::from_secs(1);

/// How long one watch lasts: shorter than what load balancers allow, and then it is opened anew.
const WATCH_SECONDS: u32 = 50;

impl Kubernetes {
    /// Yields when objects of that kind with these labels may have changed, at once for the first time; never ends. When
    /// watching fails or is forbidden it yields every second instead. The caller looks for itself.
    pub fn watch(&self, kind: Kind, namespace: &str, labels: &str) -> impl Stream<Item = ()> + Send + Unpin + use<> {
        let selector = utf8_percent_encode(labels, NON_ALPHANUMERIC);
        let path =
            format!("{}?watch=true&timeoutSeconds={WATCH_SECONDS}&labelSelector={selector}", collection(kind, Some(namespace)));
        let kubernetes = self.clone();
        let rounds = stream::unfold(true, move |first| {
            let (kubernetes, path) = (kubernetes.clone(), path.clone());
            async move {
                if !first {
                    tokio::time::sleep(POLL).await;
                }
                // Before each watch: the first look, or the poll where nothing can be watched.
                let events = stream::once(async {}).chain(stream::once(open(kubernetes, path)).flatten());
                Some((events, false))
            }
        });
        // Events that are there together are one reason to look.
        Box::pin(rounds.flatten().ready_chunks(256).map(|_| ()))
    }
}

/// The events of one watch as long as it lasts; none when it cannot be opened.
async fn open(kubernetes: Kubernetes, path: String) -> impl Stream<Item = ()> + Send {
    let Ok(request) = Request::get(path).body(Vec::new()) else { return stream::empty().left_stream() };
    let client = kubernetes.client();
    match tokio::time::timeout(kubernetes.deadline(), client.request_stream(request)).await {
        // Once it is open too: what changed between the last look and now is not among its lines.
        Ok(Ok(body)) => stream::once(async {}).chain(lines(body)).right_stream(),
        _ => stream::empty().left_stream(),
    }
}

fn lines(body: impl AsyncBufRead + Send) -> impl Stream<Item = ()> + Send {
    Box::pin(body)
        .lines()
        // Longer than the watch lasts: a connection that died without a word.
        .take_until(tokio::time::sleep(Duration::from_secs(u64::from(WATCH_SECONDS) + 15)))
        .take_while(|line| std::future::ready(line.as_ref().is_ok_and(|line| !line.starts_with(r#"{"type":"ERROR""#))))
        .map(|_| ())
}

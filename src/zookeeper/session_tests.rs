//! A session against members that share one tree, and can be killed and brought back.

use super::*;
use crate::dial::{DialError, Dialed};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::watch;

/// An ensemble: what it knows, and which members run.
#[derive(Clone)]
pub(crate) struct Ensemble {
    tree: Arc<Mutex<Tree>>,
    up: watch::Sender<[bool; 3]>,
}

#[derive(Default)]
struct Tree {
    nodes: BTreeMap<String, Vec<u8>>,
    sessions: Vec<i64>,
}

/// Where its members are.
pub(crate) fn members() -> Vec<(String, u16)> {
    (0..3).map(|i| (format!("zk-{i}"), 2181)).collect()
}

impl Ensemble {
    pub(crate) fn new() -> Self {
        Self { tree: Arc::default(), up: watch::Sender::new([true; 3]) }
    }

    pub(crate) fn set(&self, member: usize, up: bool) {
        self.up.send_modify(|all| all[member] = up);
    }

    pub(crate) async fn open(&self) -> Session {
        Session::open(Arc::new(self.clone()), members(), Duration::from_secs(10)).await.unwrap()
    }

    /// The sessions that are not at their end.
    pub(crate) fn sessions(&self) -> Vec<i64> {
        self.tree.lock().unwrap().sessions.clone()
    }
}

impl Dialer for Ensemble {
    fn dial<'a>(&'a self, host: &'a str, _port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
        let member: usize = host[3..].parse().unwrap();
        let (ours, theirs) = duplex(4096);
        let (tree, mut up) = (self.tree.clone(), self.up.subscribe());
        async move {
            if !up.borrow()[member] {
                return Err(DialError::Refused);
            }
            tokio::spawn(async move {
                tokio::select! {
                    biased;
                    _ = up.wait_for(|all| !all[member]) => {}
                    _ = serve(theirs, &tree) => {}
                }
            });
            Ok(Dialed::proven(ours))
        }
        .boxed()
    }
}

async fn serve(mut stream: DuplexStream, tree: &Mutex<Tree>) -> std::io::Result<()> {
    let hello = read(&mut stream).await?;
    let greeting = greet(&hello, tree);
    stream.write_all(&greeting).await?;
    loop {
        let request = read(&mut stream).await?;
        let reply = answer(&request, tree);
        stream.write_all(&reply).await?;
    }
}

async fn read(stream: &mut DuplexStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; stream.read_i32().await? as usize];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn greet(hello: &[u8], tree: &Mutex<Tree>) -> Vec<u8> {
    let mut reader = Reader::new(hello);
    let (_, _, timeout, id) = (reader.int(), reader.long(), reader.int().unwrap(), reader.long().unwrap());
    let mut tree = tree.lock().unwrap();
    let known = tree.sessions.contains(&id);
    let (timeout, id) = if id == 0 || known { (timeout, if known { id } else { 77 }) } else { (0, 0) };
    if !known && id != 0 {
        tree.sessions.push(id);
    }
    let mut answer = Writer::default();
    answer.int(0);
    answer.int(timeout);
    answer.long(id);
    answer.bytes(&[9; 16]);
    answer.framed()
}

fn answer(request: &[u8], tree: &Mutex<Tree>) -> Vec<u8> {
    let mut reader = Reader::new(request);
    let (xid, kind) = (reader.int().unwrap(), reader.int().unwrap());
    let mut tree = tree.lock().unwrap();
    let mut body = Writer::default();
    let path = String::from_utf8(reader.bytes().unwrap_or_default()).unwrap();
    let code = match kind {
        CREATE if tree.nodes.contains_key(&path) => NODE_EXISTS,
        CREATE => {
            tree.nodes.insert(path, reader.bytes().unwrap());
            0
        }
        DELETE => tree.nodes.remove(&path).map_or(NO_NODE, |_| 0),
        GET_DATA => tree.nodes.get(&path).map_or(NO_NODE, |data| {
            body.bytes(data);
            0
        }),
        GET_CHILDREN => {
            let of = |node: &String| node.strip_prefix(&path)?.strip_prefix('/')?.split('/').next().map(str::to_owned);
            let names: BTreeSet<String> = tree.nodes.keys().filter_map(of).collect();
            body.int(names.len() as i32);
            names.iter().for_each(|name| body.text(name));
            if names.is_empty() && !tree.nodes.contains_key(&path) { NO_NODE } else { 0 }
        }
        _ => {
            tree.sessions.clear();
            0
        }
    };
    let mut answer = Writer::default();
    answer.int(xid);
    answer.long(1);
    answer.int(code);
    answer.append(body);
    answer.framed()
}

#[tokio::test]
async fn a_znode_is_made_read_and_deleted() {
    let ensemble = Ensemble::new();
    let mut session = ensemble.open().await;
    assert_eq!(session.get("/foo").await, Ok(None));
    assert_eq!(session.create("/foo", b"bar").await, Ok(true));
    assert_eq!(session.create("/foo", b"other").await, Ok(false));
    assert_eq!(session.get("/foo").await, Ok(Some(b"bar".to_vec())));
    assert_eq!(session.create("/foo/a", b"").await, Ok(true));
    assert_eq!((session.children("/foo").await, session.children("/bar").await), (Ok(vec!["a".to_owned()]), Ok(vec![])));
    assert_eq!(session.delete("/foo").await, Ok(true));
    assert_eq!(session.delete("/foo").await, Ok(false));
    session.close().await;
    assert!(ensemble.sessions().is_empty(), "a closed session is gone at once");
}

#[tokio::test]
async fn a_session_outlives_the_member_that_it_is_attached_to() {
    let ensemble = Ensemble::new();
    let mut session = ensemble.open().await;
    session.create("/foo", b"bar").await.unwrap();
    assert_eq!(session.member(), Some("zk-0"));
    ensemble.set(0, false);
    assert!(matches!(session.get("/foo").await, Err(SessionError::Lost(_))));
    assert_eq!(session.get("/foo").await, Ok(Some(b"bar".to_vec())));
    assert_eq!(session.member(), Some("zk-1"));
    assert_eq!(ensemble.sessions(), [77], "it is the same session");
    (0..3).for_each(|member| ensemble.set(member, false));
    assert!(session.get("/foo").await.is_err());
    assert!(matches!(session.get("/foo").await, Err(SessionError::Unreachable(_))));
    ensemble.set(2, true);
    assert_eq!(session.get("/foo").await, Ok(Some(b"bar".to_vec())));
}

#[tokio::test]
async fn a_session_that_the_ensemble_gave_up_is_said_to_be_so_and_a_new_one_begins() {
    let ensemble = Ensemble::new();
    let mut session = ensemble.open().await;
    session.create("/foo", b"bar").await.unwrap();
    ensemble.tree.lock().unwrap().sessions.clear();
    ensemble.set(0, false);
    assert!(matches!(session.get("/foo").await, Err(SessionError::Lost(_))));
    assert_eq!(session.get("/foo").await, Err(SessionError::Expired));
    assert_eq!(session.get("/foo").await, Ok(Some(b"bar".to_vec())));
}

//! A way to the API server that can be cut: connections end, and new ones are refused, as while it restarts.

use super::cluster::Cluster;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// The way.
pub struct Gate {
    /// A kubeconfig that leads through it.
    pub kubeconfig: PathBuf,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    /// None while it is cut.
    open: bool,
    streams: Vec<TcpStream>,
}

impl Gate {
    /// An open one to the cluster's API server; its kubeconfig is written into `folder`.
    ///
    /// # Panics
    /// When the cluster's kubeconfig names no server on this machine.
    pub fn open(cluster: &Cluster, folder: &Path) -> Self {
        let text = fs::read_to_string(&cluster.kubeconfig).expect("the kubeconfig can be read");
        let server = text.split("https://").nth(1).and_then(|rest| rest.split(['"', ',', '\n', ' ']).next());
        let server = server.expect("it names a server").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let here = listener.local_addr().expect("it has an address").to_string();
        let kubeconfig = folder.join("gate.yaml");
        fs::write(&kubeconfig, text.replace(&server, &here)).expect("the kubeconfig can be written");
        let shared = Arc::new(Mutex::new(Shared { open: true, streams: Vec::new() }));
        let through = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                pass(stream, &server, &through);
            }
        });
        Self { kubeconfig, shared }
    }

    /// Ends every connection, and takes none until [`Gate::mend`].
    pub fn cut(&self) {
        let mut shared = self.shared.lock().expect("no thread panics with it");
        shared.open = false;
        shared.streams.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.shared.lock().expect("no thread panics with it").open = true;
    }
}

fn pass(near: TcpStream, server: &str, shared: &Mutex<Shared>) {
    let mut shared = shared.lock().expect("no thread panics with it");
    // Dropped at once: the other side sees a connection that ends before it began.
    if !shared.open {
        return;
    }
    let Ok(far) = TcpStream::connect(server) else { return };
    let both = |stream: &TcpStream| stream.try_clone().expect("a stream can be shared");
    for (from, to) in [(both(&near), both(&far)), (both(&far), both(&near))] {
        thread::spawn(move || copy(from, to));
    }
    shared.streams.extend([near, far]);
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

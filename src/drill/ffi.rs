//! The one module with `unsafe`: tells librdkafka to open its connections through [`Sockets`] and not through the network.
//!
//! The safe crate has no word for that. It is said to a client that exists already and has no broker yet: nothing reads the
//! callbacks before `rd_kafka_brokers_add`. That rests on how librdkafka 2.12.1 is made, so the version is pinned in Cargo.toml
//! and checked here.

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::types::RDKafka;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// The librdkafka that this was written against: 2.12.1, final.
const VERSION: c_int = 0x020c_01ff;

/// Where connections come from. Called by librdkafka's own threads.
pub trait Sockets: ClientContext + 'static {
    /// A new descriptor, non-blocking; it stays open until [`Sockets::close`].
    fn open(&self) -> Option<RawFd>;
    /// Connects a descriptor of [`Sockets::open`] to `broker`, `host:port`; false when that is not possible.
    fn connect(&self, descriptor: RawFd, broker: &str) -> bool;
    /// Closes a descriptor of [`Sockets::open`].
    fn close(&self, descriptor: RawFd);
}

// Exported by the library, and absent from the bindings.
unsafe extern "C" {
    fn rd_kafka_conf_set_resolve_cb(conf: *mut sys::rd_kafka_conf_t, resolve: Option<Resolve>);
}

type Resolve =
    unsafe extern "C" fn(*const c_char, *const c_char, *const libc::addrinfo, *mut *mut libc::addrinfo, *mut c_void) -> c_int;

/// Has the client, which must have been made without `bootstrap.servers`, reach these brokers through its context.
///
/// # Errors
/// When this is another librdkafka, or it takes none of the brokers.
pub fn connect_through<C: Sockets>(client: &Client<C>, brokers: &[(String, u16)]) -> Result<(), String> {
    // SAFETY: takes nothing, returns a number.
    let version = unsafe { sys::rd_kafka_version() };
    if version != VERSION {
        return Err(format!("librdkafka is version {version:#x}, and the drill was made for {VERSION:#x}"));
    }
    let list: Vec<String> = brokers.iter().map(|(host, port)| format!("{host}:{port}")).collect();
    let list = CString::new(list.join(",")).map_err(|_| "a broker's name has a zero byte".to_owned())?;
    let rk: *mut RDKafka = client.native_ptr();
    // SAFETY: `rk` lives as long as `client`. Its configuration is its own, and no thread reads the callbacks while it knows no
    // broker. Its opaque pointer is the client's context (`Client::new`), which outlives it: the client drops `rk` first.
    let added = unsafe {
        let conf = sys::rd_kafka_conf(rk).cast_mut();
        rd_kafka_conf_set_resolve_cb(conf, Some(resolve));
        sys::rd_kafka_conf_set_socket_cb(conf, Some(open::<C>));
        sys::rd_kafka_conf_set_connect_cb(conf, Some(connect::<C>));
        sys::rd_kafka_conf_set_closesocket_cb(conf, Some(close::<C>));
        sys::rd_kafka_brokers_add(rk, list.as_ptr())
    };
    if added > 0 { Ok(()) } else { Err(format!("librdkafka takes none of {list:?}")) }
}

/// Runs `call` on the context behind `opaque`. A panic must not reach C.
///
/// # Safety
/// `opaque` is a live `C`.
unsafe fn with<C: Sockets, T>(opaque: *mut c_void, otherwise: T, call: impl FnOnce(&C) -> T) -> T {
    // SAFETY: the caller's promise.
    let context = unsafe { &*opaque.cast::<C>() };
    catch_unwind(AssertUnwindSafe(|| call(context))).unwrap_or(otherwise)
}

unsafe extern "C" fn open<C: Sockets>(_domain: c_int, _kind: c_int, _protocol: c_int, opaque: *mut c_void) -> c_int {
    // SAFETY: librdkafka passes the opaque pointer of the client, see `connect_through`.
    unsafe { with(opaque, -1, |context: &C| context.open().unwrap_or(-1)) }
}

unsafe extern "C" fn connect<C: Sockets>(
    descriptor: c_int,
    _address: *const libc::sockaddr,
    _length: c_int,
    broker: *const c_char,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: librdkafka passes the broker's `host:port` as a C string.
    let broker = unsafe { CStr::from_ptr(broker) }.to_string_lossy();
    // SAFETY: as in `open`.
    let connected = unsafe { with(opaque, false, |context: &C| context.connect(descriptor, &broker)) };
    if connected { 0 } else { libc::ECONNREFUSED }
}

unsafe extern "C" fn close<C: Sockets>(descriptor: c_int, opaque: *mut c_void) -> c_int {
    // SAFETY: as in `open`.
    unsafe { with(opaque, (), |context: &C| context.close(descriptor)) };
    0
}

/// A list of addresses with its one address inside.
#[repr(C)]
struct Answer {
    list: libc::addrinfo,
    address: libc::sockaddr_in,
}

/// Every name has the address 127.0.0.1: librdkafka wants one before it connects, and nobody uses it. Called without a name, it
/// frees what it gave.
unsafe extern "C" fn resolve(
    node: *const c_char,
    _service: *const c_char,
    _hints: *const libc::addrinfo,
    answer: *mut *mut libc::addrinfo,
    _opaque: *mut c_void,
) -> c_int {
    if node.is_null() {
        // SAFETY: librdkafka gives back what it got below: the first field of an `Answer` in a box.
        unsafe { drop(Box::from_raw((*answer).cast::<Answer>())) };
        return 0;
    }
    // SAFETY: both are plain data, for which zeros are a value.
    let mut made: Box<Answer> = Box::new(unsafe { std::mem::zeroed() });
    made.address.sin_family = libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default();
    made.address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    made.list.ai_family = libc::AF_INET;
    made.list.ai_socktype = libc::SOCK_STREAM;
    made.list.ai_protocol = libc::IPPROTO_TCP;
    made.list.ai_addrlen = libc::socklen_t::try_from(size_of::<libc::sockaddr_in>()).unwrap_or_default();
    made.list.ai_next = ptr::null_mut();
    let made = Box::into_raw(made);
    // SAFETY: `made` is valid and nobody else's; `answer` is where librdkafka wants the list.
    unsafe {
        (*made).list.ai_addr = (&raw mut (*made).address).cast();
        *answer = made.cast();
    }
    0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }

    #[test]
    fn no_other_file_may_be_unsafe() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let lifts = |text: &str| text.contains("allow(unsafe_code") || text.contains("expect(unsafe_code");
        let lifting: Vec<_> = all.iter().filter(|(name, text)| !name.ends_with("drill/ffi.rs") && lifts(text)).collect();
        // The word that opens the one module stands where the module is declared.
        let names: Vec<_> = lifting.iter().map(|(name, _)| name.rsplit("src/").next().unwrap()).collect();
        assert_eq!(names, ["drill/mod.rs"]);
        let (_, declared) = all.iter().find(|(name, _)| name.ends_with("drill/mod.rs")).unwrap();
        assert!(declared.contains("#[allow(unsafe_code, reason = \"librdkafka is C\")]\nmod ffi;"));
        assert_eq!(declared.matches("unsafe_code").count(), 1);
    }
}

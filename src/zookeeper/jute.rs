//! Jute, ZooKeeper's encoding: integers big-endian, texts and bytes with their length before them. Pure.

use thiserror::Error;

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the answer is not one of ZooKeeper's")]
pub struct Malformed;

/// What a member granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Milliseconds; 0: the session is over.
    pub timeout: i32,
    /// The session.
    pub id: i64,
    /// Proves that the session is one's own.
    pub password: Vec<u8>,
}

/// Writes.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

#[allow(missing_docs, reason = "each writes a value of that type")]
impl Writer {
    pub fn int(&mut self, value: i32) {
        self.0.extend(value.to_be_bytes());
    }

    pub fn long(&mut self, value: i64) {
        self.0.extend(value.to_be_bytes());
    }

    pub fn bool(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.int(i32::try_from(value.len()).unwrap_or(i32::MAX));
        self.0.extend(value);
    }

    pub fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// With its length before it, as it is sent.
    pub fn framed(self) -> Vec<u8> {
        let mut frame = Self::default();
        frame.bytes(&self.0);
        frame.0
    }
}

/// Reads.
pub struct Reader<'a>(&'a [u8]);

#[allow(missing_docs, reason = "each reads a value of that type")]
impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn int(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_be_bytes(self.take(4)?.try_into().map_err(|_| Malformed)?))
    }

    pub fn long(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.take(8)?.try_into().map_err(|_| Malformed)?))
    }

    /// Bytes; a length of -1 stands for none.
    pub fn bytes(&mut self) -> Result<Vec<u8>, Malformed> {
        match self.int()? {
            -1 => Ok(Vec::new()),
            length => Ok(self.take(usize::try_from(length).map_err(|_| Malformed)?)?.to_vec()),
        }
    }

    /// A list of texts; a length of -1 stands for none.
    pub fn texts(&mut self) -> Result<Vec<String>, Malformed> {
        (0..self.int()?).map(|_| String::from_utf8(self.bytes()?).map_err(|_| Malformed)).collect()
    }

    fn rest(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// Reads the answer to a connect.
///
/// # Errors
/// When it is none.
pub fn connected(answer: &[u8]) -> Result<Granted, Malformed> {
    let mut reader = Reader::new(answer);
    reader.int()?; // protocol version
    Ok(Granted { timeout: reader.int()?, id: reader.long()?, password: reader.bytes()? })
}

/// Reads the answer to any other request: its body, or ZooKeeper's code.
///
/// # Errors
/// When it is none.
pub fn reply(answer: &[u8]) -> Result<Result<Vec<u8>, i32>, Malformed> {
    let mut reader = Reader::new(answer);
    reader.int()?; // xid
    reader.long()?; // zxid
    Ok(match reader.int()? {
        0 => Ok(reader.rest()),
        code => Err(code),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::default();
        writer.int(-7);
        writer.long(1 << 40);
        writer.text("/foo");
        writer.bytes(&[]);
        let frame = writer.framed();
        let mut reader = Reader::new(&frame);
        assert_eq!(reader.int(), Ok(24));
        assert_eq!((reader.int(), reader.long()), (Ok(-7), Ok(1 << 40)));
        assert_eq!((reader.bytes(), reader.bytes()), (Ok(b"/foo".to_vec()), Ok(vec![])));
        assert_eq!(reader.int(), Err(Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = (connected(&bytes), reply(&bytes), Reader::new(&bytes).bytes());
        }
    }
}

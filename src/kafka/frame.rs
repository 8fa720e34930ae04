//! Typed requests -> frames, frames -> typed answers. Pure: bytes in, bytes out.
//!
//! A frame is its length (4 bytes), a header with a correlation id, and a body; the versions of all three follow from the
//! API's version.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use thiserror::Error;

/// The longest answer that is read: 1,000 topics with all their settings and synonyms are 2.4 MB.
pub(super) const LONGEST: usize = 128 << 20;

/// Bytes that are no answer to what was asked.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum FrameError {
    #[error("a frame of {0} bytes")]
    Length(i32),
    #[error("an answer to request {got}, asked was {asked}")]
    Correlation { got: i32, asked: i32 },
    #[error("{0} bytes left over behind the answer")]
    LeftOver(usize),
    #[error("{0}")]
    Malformed(String),
}

/// Length, header and body in one piece, so that they leave in one write.
pub(super) fn encode<R: Request>(request: &R, version: i16, correlation: i32, client: &StrBytes) -> Result<Bytes, FrameError> {
    let malformed = |error: &dyn std::fmt::Display| FrameError::Malformed(error.to_string());
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(client.clone()));
    let mut content = BytesMut::new();
    header.encode(&mut content, R::header_version(version)).map_err(|e| malformed(&e))?;
    request.encode(&mut content, version).map_err(|e| malformed(&e))?;
    let mut frame = BytesMut::with_capacity(content.len() + 4);
    frame.put_i32(i32::try_from(content.len()).map_err(|e| malformed(&e))?);
    frame.put(content);
    Ok(frame.freeze())
}

/// How many bytes follow a frame's first four.
pub(super) fn length(first: [u8; 4]) -> Result<usize, FrameError> {
    let length = i32::from_be_bytes(first);
    usize::try_from(length).ok().filter(|n| (4..=LONGEST).contains(n)).ok_or(FrameError::Length(length))
}

/// The answer in a frame without its length.
pub(super) fn decode<R: Request>(mut frame: Bytes, version: i16, correlation: i32) -> Result<R::Response, FrameError> {
    let malformed = |error: &dyn std::fmt::Display| FrameError::Malformed(error.to_string().trim().to_owned());
    let header = ResponseHeader::decode(&mut frame, R::Response::header_version(version)).map_err(|e| malformed(&e))?;
    if header.correlation_id != correlation {
        return Err(FrameError::Correlation { got: header.correlation_id, asked: correlation });
    }
    let body = R::Response::decode(&mut frame, version).map_err(|e| malformed(&e))?;
    if frame.has_remaining() {
        return Err(FrameError::LeftOver(frame.remaining()));
    }
    Ok(body)
}

/// The error code that an answer to ApiVersions begins with, in every version: a broker that does not know the version
/// asked answers in version 0 with code 35.
pub(super) fn leading_code(frame: &Bytes) -> Option<i16> {
    frame.get(4..6).and_then(|two| two.try_into().ok()).map(i16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, MetadataRequest};
    use proptest::prelude::*;

    fn answer(version: i16, correlation: i32) -> BytesMut {
        let mut frame = BytesMut::new();
        let header = ApiVersionsResponse::header_version(version);
        ResponseHeader::default().with_correlation_id(correlation).encode(&mut frame, header).unwrap();
        ApiVersionsResponse::default().with_error_code(35).encode(&mut frame, version).unwrap();
        frame
    }

    #[test]
    fn a_request_is_one_frame_that_begins_with_length_key_version_and_correlation() {
        let frame = encode(&ApiVersionsRequest::default(), 3, 7, &StrBytes::from_static_str("me")).unwrap();
        assert_eq!(length(frame[..4].try_into().unwrap()).unwrap(), frame.len() - 4);
        assert_eq!(&frame[4..16], [0, 18, 0, 3, 0, 0, 0, 7, 0, 2, b'm', b'e']);
    }

    #[test]
    fn an_answer_must_be_ours_and_end_where_it_ends() {
        assert!(decode::<ApiVersionsRequest>(answer(3, 7).freeze(), 3, 7).is_ok());
        let stranger = decode::<ApiVersionsRequest>(answer(3, 6).freeze(), 3, 7);
        assert_eq!(stranger.unwrap_err(), FrameError::Correlation { got: 6, asked: 7 });
        let mut longer = answer(3, 7);
        longer.put_u8(0);
        assert_eq!(decode::<ApiVersionsRequest>(longer.freeze(), 3, 7).unwrap_err(), FrameError::LeftOver(1));
    }

    #[test]
    fn a_refused_version_is_seen_before_decoding() {
        assert_eq!(leading_code(&answer(0, 7).freeze()), Some(35));
        assert_eq!(leading_code(&Bytes::from_static(b"HTTP")), None);
    }

    #[test]
    fn another_protocols_first_bytes_are_no_length() {
        assert_eq!(length(*b"HTTP"), Err(FrameError::Length(0x4854_5450)));
        assert_eq!(length([0xff; 4]), Err(FrameError::Length(-1)));
        assert_eq!(length([0, 0, 0, 3]), Err(FrameError::Length(3)));
    }

    proptest! {
        #[test]
        fn short_garbage_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut frame = vec![0, 0, 0, 1, 0]; // correlation id 1, no tagged fields; a small array length follows
            frame.extend_from_slice(&[0, 0, 0, 0]);
            frame.extend(bytes.iter().map(|b| b & 0x0f));
            let _ = decode::<MetadataRequest>(Bytes::from(frame), 12, 1);
        }
    }
}

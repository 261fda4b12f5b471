//! The bytes of CBOR are the wire's and the stores': they stay as they are, and hostile ones cost nothing.

use super::{Bytes, append_cbor, from_cbor, from_stored_cbor, to_cbor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Newtype(u16),
    Tuple(u8, i64),
    Fields { yes: bool },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    number: u64,
    text: String,
    bytes: Bytes,
    list: Vec<u8>,
    map: BTreeMap<String, i32>,
    none: Option<u8>,
    some: Option<u8>,
    choices: Vec<Choice>,
}

fn everything() -> Everything {
    Everything {
        number: u64::MAX,
        text: "señal".into(),
        bytes: vec![1, 2].into(),
        list: vec![23, 24],
        map: [("a".into(), -1), ("b".into(), 300)].into(),
        none: None,
        some: Some(0),
        choices: vec![Choice::Unit, Choice::Newtype(0x0102), Choice::Tuple(1, -70_000), Choice::Fields { yes: true }],
    }
}

const BYTES: &str = "a8666e756d6265721bffffffffffffffff64746578746673 65c3b1616c65627974657342010264 6c6973748217 1818\
    636d6170a26161206162 19012c646e6f6e65f664736f6d6500 6763686f69636573 8464556e6974a1674e6577747970651901 02\
    a1655475706c6582013a0001116f a1664669656c6473a163796573f5";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn every_shape_has_the_bytes_it_always_had() {
    assert_eq!(to_cbor(&everything()), hex(BYTES));
    assert_eq!(append_cbor(b"key/".to_vec(), &7).unwrap(), b"key/\x07");
    assert_eq!(from_cbor::<Everything>(&hex(BYTES)).unwrap(), everything());
}

#[test]
fn a_piece_of_a_value_is_refused_and_so_is_more_than_one() {
    let bytes = hex(BYTES);
    for end in 0..bytes.len() {
        assert!(from_cbor::<Everything>(&bytes[..end]).is_err(), "the first {end} bytes were taken for all");
    }
    assert!(from_cbor::<Everything>(&[bytes.as_slice(), &[0]].concat()).is_err());
    assert!(from_stored_cbor::<Everything>(&[bytes.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn depth_is_bounded_where_values_are_read_and_where_they_are_skipped() {
    let nested = |levels: usize| [vec![0x81; levels], vec![0]].concat();
    assert!(from_cbor::<Value>(&nested(20)).is_ok());
    assert!(from_cbor::<Value>(&nested(100)).is_err());
    assert!(from_stored_cbor::<Value>(&nested(100)).is_ok());
    for levels in [1_000, 1_000_000] {
        assert!(from_cbor::<Value>(&nested(levels)).is_err());
        assert!(from_stored_cbor::<Value>(&nested(levels)).is_err());
        // A field that nobody knows: {"x": [[[...]]]}.
        assert!(from_cbor::<Skipping>(&[vec![0xa1, 0x61, b'x'], nested(levels)].concat()).is_err());
    }
    assert!(from_cbor::<Skipping>(&[vec![0xa1, 0x61, b'x'], nested(20)].concat()).is_ok());
}

#[derive(Debug, Deserialize)]
struct Skipping {}

#[test]
fn a_length_that_lies_reserves_nothing() {
    for first in [0x5b, 0x7b, 0x9b, 0xbb] {
        let huge = [&[first][..], &[0xff; 8]].concat();
        assert!(from_cbor::<Bytes>(&huge).is_err());
        assert!(from_cbor::<String>(&huge).is_err());
        assert!(from_cbor::<Vec<u64>>(&huge).is_err());
        assert!(from_cbor::<BTreeMap<u64, u64>>(&huge).is_err());
    }
    let billion = [0x9a, 0x3b, 0x9a, 0xca, 0x00, 0x01];
    assert!(from_cbor::<Vec<u64>>(&billion).is_err());
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    assert!(from_cbor::<Choice>(&hex("a1664669656c6473a163796573f5")).is_ok());
    assert!(from_cbor::<Choice>(&hex("a1664669656c6473a263796573f563796573f4")).is_err());
}

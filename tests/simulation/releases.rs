//! Messages and rows as bytes, of this release and of a later one, whose messages have fields that
//! this one doesn't know. An isolate is of either for its whole life; ledgers change at times,
//! forwards and back.

use tollgate::quota::{LedgerReply, LedgerRequest};
use tollgate::wire::{self, Field};

use crate::random::Random;
use crate::world::World;

/// The fields of a message that are messages themselves.
#[derive(Debug)]
pub(crate) struct Shape(&'static [(u64, Shape)]);

const FLAT: Shape = Shape(&[]);
/// A value by itself stands in field 1 of what the codec makes.
const REQUEST: Shape = Shape(&[(1, Shape(&[(4, FLAT), (5, FLAT), (6, FLAT)]))]);
const QUOTAS: Shape = Shape(&[(1, FLAT)]);
const GRANT: Shape = Shape(&[
    (1, Shape(&[(1, FLAT), (2, QUOTAS)])),
    (2, Shape(&[(3, FLAT), (4, FLAT)])),
    (3, FLAT),
    (4, FLAT),
    (5, FLAT),
]);
const REPLY: Shape = Shape(&[(1, Shape(&[(1, FLAT), (2, GRANT)]))]);
const HOLDER: Shape = Shape(&[(3, Shape(&[(5, FLAT), (6, FLAT)])), (4, FLAT)]);
pub(crate) const LIVE_ROW: Shape = Shape(&[(1, Shape(&[(1, Shape(&[(4, FLAT)])), (2, HOLDER)]))]);
pub(crate) const OWN_HOLDER: Shape = Shape(&[(1, HOLDER)]);

impl World<'_> {
    /// The request as its ledger reads it.
    pub(crate) fn carried_request(&self, isolate: usize, request: &LedgerRequest) -> LedgerRequest {
        if !self.has_bytes() {
            return request.clone();
        }
        carried(request, &REQUEST, self.is_isolate_later(isolate))
    }

    /// The reply as its isolate reads it.
    pub(crate) fn carried_reply(&self, reply: LedgerReply) -> LedgerReply {
        if !self.has_bytes() {
            return reply;
        }
        carried(&reply, &REPLY, self.is_ledger_later())
    }

    fn is_isolate_later(&self, isolate: usize) -> bool {
        let life = u64::from(self.isolates[isolate].life);
        let stream = ISOLATES + (life << 20) + isolate as u64;
        Random::new(self.schedule.seed, stream).happens(500)
    }

    /// True while the ledgers are of the later release.
    pub(crate) fn is_ledger_later(&self) -> bool {
        let stream = LEDGERS + self.now_ms / LEDGER_CHANGES_MS;
        self.has_bytes() && Random::new(self.schedule.seed, stream).happens(500)
    }

    fn has_bytes(&self) -> bool {
        !self.options.measures && self.schedule.seed % BYTES_ONE_IN == 1
    }
}

fn carried<T: Field>(message: &T, shape: &Shape, is_later: bool) -> T {
    let mut bytes = wire::encode(message);
    if is_later {
        bytes = later(&bytes, shape);
    }
    wire::decode(&bytes).unwrap()
}

/// The bytes with a number and a text more in each message that they consist of.
pub(crate) fn later(bytes: &[u8], shape: &Shape) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2 + 16);
    let mut rest = bytes;
    while !rest.is_empty() {
        let whole = rest;
        let key = varint(&mut rest);
        let content = varint(&mut rest);
        // The low three bits are the form: 0 is a number, anything else has a length.
        if key.is_multiple_of(8) {
            out.extend_from_slice(&whole[..whole.len() - rest.len()]);
            continue;
        }
        let (inner, behind) = rest.split_at(usize::try_from(content).unwrap());
        rest = behind;
        match shape.0.iter().find(|(number, _)| *number == key >> 3) {
            None => out.extend_from_slice(&whole[..whole.len() - rest.len()]),
            Some((_, shape)) => {
                let inner = later(inner, shape);
                put_varint(key, &mut out);
                put_varint(inner.len() as u64, &mut out);
                out.extend(inner);
            }
        }
    }
    put_varint(ADDED_NUMBER << 3, &mut out);
    put_varint(u64::MAX, &mut out);
    put_varint((ADDED_NUMBER + 1) << 3 | 2, &mut out);
    put_varint(5, &mut out);
    out.extend_from_slice(b"later");
    out
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[test]
fn a_later_message_is_longer_and_reads_the_same() {
    use tollgate::quota::{LeaseReport, Want};
    let leases = vec![LeaseReport { id: 1, spent: 300, returned: 5 }; 2];
    let wants = vec![Want { meter: "a".to_owned(), needed: 1, ..Want::default() }];
    let request = LedgerRequest { holder: "7".to_owned(), leases, wants, ..Default::default() };
    let bytes = wire::encode(&request);
    // Once in the request, in what holds it, and in its three inner messages.
    assert_eq!(later(&bytes, &REQUEST).len() - bytes.len(), 5 * 20);
    assert_eq!(carried(&request, &REQUEST, true), request);
    assert_eq!(carried(&request, &REQUEST, false), request);
}

/// The number of the field that the later release has added.
const ADDED_NUMBER: u64 = 900;
/// Bytes take a while to make and to read.
const BYTES_ONE_IN: u64 = 2;
const LEDGER_CHANGES_MS: u64 = 7_000;
/// Streams of chance.
const ISOLATES: u64 = 1 << 50;
const LEDGERS: u64 = 1 << 51;

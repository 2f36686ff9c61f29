use redis::{FromRedisValue, Value, from_redis_value};

use crate::node_address::NodeAddress;

/// The number of slots of a cluster. Source: Redis Cluster Specification, "Key distribution model".
pub(crate) const SLOTS: u16 = 16384;

/// Returns the slot of a key. Entry names contain no braces, so the whole key is hashed.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    crc16(key) % SLOTS
}

/// Computes CRC-16/XMODEM: polynomial 0x1021, initial value 0, most significant bit first.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc: u16, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

/// The master of each slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotMap(Vec<Range>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    master: NodeAddress,
}

impl SlotMap {
    /// Reads the answer of the node `asked` to `CLUSTER SLOTS`. A node that does not know its host
    /// name omits it; the host of `asked` is used then.
    pub(crate) fn read(answer: Value, asked: &NodeAddress) -> Option<Self> {
        let ranges: Vec<Vec<Value>> = from_redis_value(answer).ok()?;
        let ranges: Option<Vec<_>> = ranges
            .into_iter()
            .map(|range| Range::read(range, asked))
            .collect();
        ranges.filter(|ranges| !ranges.is_empty()).map(Self)
    }

    /// Returns the master of a slot, or `None` if the slot has none.
    pub(crate) fn master_of(&self, slot: u16) -> Option<&NodeAddress> {
        let range = self
            .0
            .iter()
            .find(|range| (range.first..=range.last).contains(&slot))?;
        Some(&range.master)
    }

    /// Returns all masters, each once.
    pub(crate) fn masters(&self) -> Vec<&NodeAddress> {
        let mut masters = Vec::new();
        for Range { master, .. } in &self.0 {
            if !masters.contains(&master) {
                masters.push(master);
            }
        }
        masters
    }
}

impl Range {
    fn read(range: Vec<Value>, asked: &NodeAddress) -> Option<Self> {
        let mut range = range.into_iter();
        let first = number(&mut range)?;
        let last = number(&mut range)?;
        // The master comes first, then its replicas. Each has the preferred endpoint and the port.
        let mut master = part::<Vec<Value>>(&mut range)?.into_iter();
        let host: Option<String> = part(&mut master)?;
        let port = number(&mut master)?;
        let host = host.filter(|host| !matches!(&**host, "" | "?"));
        Some(Self {
            first,
            last,
            master: NodeAddress {
                host: host.unwrap_or_else(|| asked.host.clone()),
                port,
            },
        })
    }
}

fn part<T: FromRedisValue>(parts: &mut impl Iterator<Item = Value>) -> Option<T> {
    from_redis_value(parts.next()?).ok()
}

/// Reads a number. A direct conversion by the crate `redis` would truncate a greater number.
fn number(parts: &mut impl Iterator<Item = Value>) -> Option<u16> {
    u16::try_from(part::<i64>(parts)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> NodeAddress {
        NodeAddress::parse("seed.internal:7000").unwrap()
    }

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        Value::Array(vec![
            Value::Int(first),
            Value::Int(last),
            Value::Array(vec![
                host,
                Value::Int(port),
                Value::BulkString(b"id".to_vec()),
                Value::Array(vec![]),
            ]),
        ])
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    /// Source: Redis Cluster Specification, appendix A: the CRC of "123456789" is 0x31C3.
    #[test]
    fn a_key_is_in_the_slot_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"123456789"), 12739);
        assert_eq!(slot_of(b""), 0);
        // Source: the answer of a server to CLUSTER KEYSLOT. The CRC is above the last slot.
        assert_eq!(crc16(b"foo"), 44950);
        assert_eq!(slot_of(b"foo"), 12182);
    }

    #[test]
    fn a_map_returns_the_master_of_a_slot() {
        let answer = Value::Array(vec![
            range(0, 5460, text("10.0.0.1"), 7001),
            range(5461, 10922, text("10.0.0.2"), 7002),
            range(10924, 16383, text("10.0.0.1"), 7001),
        ]);
        let map = SlotMap::read(answer, &asked()).unwrap();
        for (slot, master) in [
            (0, Some("10.0.0.1:7001")),
            (5460, Some("10.0.0.1:7001")),
            (5461, Some("10.0.0.2:7002")),
            (10922, Some("10.0.0.2:7002")),
            (10923, None),
            (16383, Some("10.0.0.1:7001")),
        ] {
            let found = map.master_of(slot).map(ToString::to_string);
            assert_eq!(found.as_deref(), master, "{slot}");
        }
        assert_eq!(map.masters().len(), 2);
    }

    #[test]
    fn a_node_without_a_host_name_gets_the_host_that_was_asked() {
        for host in [Value::Nil, text(""), text("?")] {
            let answer = Value::Array(vec![range(0, 16383, host, 7001)]);
            let map = SlotMap::read(answer, &asked()).unwrap();
            let master = map.master_of(7).unwrap();
            assert_eq!(master.to_string(), "seed.internal:7001");
        }
    }

    #[test]
    fn answers_that_are_no_map_are_refused() {
        for (name, answer) in [
            ("nil", Value::Nil),
            ("no slots", Value::Array(vec![])),
            ("no ranges", Value::Array(vec![Value::Int(1)])),
            (
                "no nodes",
                Value::Array(vec![Value::Array(vec![Value::Int(0), Value::Int(1)])]),
            ),
            (
                "a slot below 0",
                Value::Array(vec![range(-1, 5, text("h"), 1)]),
            ),
            (
                "a port above 65535",
                Value::Array(vec![range(0, 5, text("h"), 65536)]),
            ),
        ] {
            assert_eq!(SlotMap::read(answer, &asked()), None, "{name}");
        }
    }
}

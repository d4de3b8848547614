//! What the unit tests need.

use crate::{DeviceId, Dot};

pub fn device(n: u8) -> DeviceId {
    DeviceId::from_bits([n; 10])
}

pub fn dot(n: u8, seq: u64) -> Dot {
    Dot { device: device(n), seq }
}

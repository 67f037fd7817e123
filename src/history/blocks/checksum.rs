//! Checksum: CRC-32C, with Castagnoli's polynomial, which Prometheus has behind everything it writes.

use crc::{CRC_32_ISCSI, Crc};

static CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

pub fn checksum(bytes: &[u8]) -> u32 {
    CASTAGNOLI.checksum(bytes)
}

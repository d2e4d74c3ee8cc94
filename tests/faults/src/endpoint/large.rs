//! Answers that nobody should read to their end.

use std::{io, time::Duration};

use flate2::{Compress, Compression, Crc, FlushCompress};

use super::http::{Connection, head};

const MIB: usize = 1 << 20;

/// 200, and 512 MiB of blanks.
pub(super) fn huge(connection: &mut Connection) -> io::Result<()> {
    connection.raw(&head(200, &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", 512 * MIB)))?;
    let part = vec![b' '; MIB];
    (0..512).try_for_each(|_| connection.raw(&part))
}

/// 200, and about 1 MiB of gzip that becomes 1 GiB.
pub(super) fn bomb(connection: &mut Connection) -> io::Result<()> {
    let body = gzip_of_blanks(1_024)?;
    let headers = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    connection.raw(&head(200, &format!("{headers}Content-Length: {}\r\n", body.len())))?;
    connection.raw(&body)
}

/// 200, and a byte a second for as long as somebody reads.
pub(super) fn trickle(connection: &mut Connection) -> io::Result<()> {
    connection.raw(&head(200, "Content-Type: application/json\r\nContent-Length: 100000\r\n"))?;
    loop {
        connection.raw(b" ")?;
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// One gzip member of so many MiB of blanks, made of one MiB: a full flush lets its bytes be repeated.
fn gzip_of_blanks(mebibytes: u32) -> io::Result<Vec<u8>> {
    let part = vec![b' '; MIB];
    let mut deflate = Compress::new(Compression::best(), false);
    let mut once = Vec::with_capacity(64 << 10);
    deflate.compress_vec(&part, &mut once, FlushCompress::Full).map_err(io::Error::other)?;
    let mut crc_of_part = Crc::new();
    crc_of_part.update(&part);
    let mut crc = Crc::new();
    // No name, no time, an unknown system.
    let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    for _ in 0..mebibytes {
        body.extend_from_slice(&once);
        crc.combine(&crc_of_part);
    }
    // An empty last block.
    body.extend_from_slice(&[3, 0]);
    body.extend_from_slice(&crc.sum().to_le_bytes());
    body.extend_from_slice(&(mebibytes << 20).to_le_bytes());
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bomb_is_gzip() {
        let gzip = traceable_wire::encoding::Encoding::Gzip;
        let blanks = gzip.decompress(&gzip_of_blanks(3).unwrap(), 4 * MIB).unwrap();
        assert!(blanks.len() == 3 * MIB && blanks.iter().all(|byte| *byte == b' '));
        assert!(gzip_of_blanks(1_024).unwrap().len() < 2 * MIB);
    }
}

//! Files that are not as they were written.

use super::*;
use crate::spool::{Damage, Position, Reader, Reason};

/// The directory of a process that appended these and died.
fn left(changes: &[RunChange]) -> MemoryDisk {
    let disk = MemoryDisk::default();
    let process = disk.of_another();
    spool(&process, &settings()).append(changes);
    disk
}

/// Ends of runs 1 to 4.
fn left_four() -> MemoryDisk {
    left(&[end(1), end(2), end(3), end(4)])
}

fn edit(disk: &MemoryDisk, edit: impl FnOnce(&mut Vec<u8>)) {
    let path = segment(disk);
    let mut bytes = disk.get(&path).unwrap();
    edit(&mut bytes);
    disk.put(&path, bytes);
}

/// Where the records of a segment begin.
fn offsets(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&[0xf5, b't', b'r', 0xf6])).collect()
}

/// What the next process sends, and how many it says are lost.
fn sent_and_lost(disk: &MemoryDisk) -> (String, u64) {
    let spool = spool(&disk.of_another(), &settings());
    let sent = names(&drain(&mut *spool.source(&early(), Wants::Early).unwrap()));
    let lost = spool.losses();
    assert!(lost.iter().all(|loss| loss.reason == Reason::Damaged && loss.destination == Some(early())));
    (sent, lost.iter().map(|loss| loss.changes).sum())
}

fn read(disk: &MemoryDisk) -> (Vec<u64>, Damage) {
    let dir = segment(disk).parent().unwrap().to_owned();
    let mut reader = Reader::on(Arc::new(disk.of_another()), dir, Position::default());
    let mut sequences = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        sequences.push(record.sequence);
    }
    (sequences, reader.damage())
}

#[test]
fn a_scrambled_record_is_counted_and_kept_for_a_look() {
    let disk = left_four();
    edit(&disk, |bytes| {
        let second = offsets(bytes)[1];
        bytes[second + 60] ^= 1;
    });
    assert_eq!(sent_and_lost(&disk), ("E1 E3 E4".to_owned(), 1));
    assert_eq!(disk.paths("/bad/seg-").len(), 1);
    let (sequences, damage) = read(&disk);
    assert_eq!((sequences, damage.missing, damage.stretches, damage.torn), (vec![1, 3, 4], 1, 1, 0));
}

#[test]
fn every_single_changed_byte_costs_one_record() {
    let disk = left_four();
    let path = segment(&disk);
    let sound = disk.get(&path).unwrap();
    let starts = offsets(&sound);
    for at in 0..starts[3] {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x55;
        disk.put(&path, bytes);
        let hit = starts.partition_point(|start| *start <= at) as u64;
        let expected: Vec<u64> = (1..=4).filter(|sequence| *sequence != hit).collect();
        assert_eq!(read(&disk).0, expected, "byte {at}");
    }
}

#[test]
fn every_length_of_a_torn_tail_costs_what_is_torn() {
    let disk = left_four();
    let path = segment(&disk);
    let sound = disk.get(&path).unwrap();
    let starts = offsets(&sound);
    for len in 0..sound.len() {
        disk.put(&path, sound[..len].to_vec());
        let whole = starts.partition_point(|start| *start <= len).saturating_sub(1);
        let (sequences, damage) = read(&disk);
        assert_eq!(sequences.len(), whole, "{len} bytes");
        assert_eq!((damage.torn, damage.missing), (u64::from(!starts.contains(&len)), 0), "{len} bytes");
    }
    assert_eq!(sent_and_lost(&disk), ("E1 E2 E3".to_owned(), 0), "what was being written belonged to nobody");
    assert!(disk.paths("/bad/").is_empty());
}

#[test]
fn a_torn_tail_is_nothing_yet_while_its_writer_lives() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk.of_another(), &settings());
    spool.append(&[end(1), end(2)]);
    let path = segment(&disk);
    let sound = disk.get(&path).unwrap();
    let mut reader = Reader::on(Arc::new(disk.clone()), path.parent().unwrap(), Position::default());
    for len in offsets(&sound)[1]..sound.len() {
        disk.put(&path, sound[..len].to_vec());
        while reader.next().unwrap().is_some() {}
        assert_eq!((reader.damage(), reader.position().offset), (Damage::default(), offsets(&sound)[1] as u64));
    }
    disk.put(&path, sound);
    assert_eq!(reader.next().unwrap().unwrap().sequence, 2);
}

#[test]
fn damage_in_front_of_a_whole_record_is_damage_also_while_the_writer_lives() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk.of_another(), &settings());
    spool.append(&[end(1), end(2)]);
    edit(&disk, |bytes| bytes[10] ^= 1);
    assert_eq!(names(&drain(&mut *spool.source(&early(), Wants::Early).unwrap())), "E2");
    assert_eq!(spool.losses()[0].changes, 1);
}

#[test]
fn the_own_last_record_is_counted_when_it_cannot_be_read() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk.of_another(), &settings());
    spool.append(&[end(1), end(2)]);
    edit(&disk, |bytes| *bytes.last_mut().unwrap() ^= 1);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    assert_eq!(names(&drain(&mut *source)), "E1");
    assert_eq!((source.passed(), spool.losses()[0].changes), (2, 1));
}

#[test]
fn a_length_that_lies_costs_one_record() {
    for lie in [0_u32, 1, 500, 8 << 20, u32::MAX] {
        let disk = left_four();
        edit(&disk, |bytes| {
            let second = offsets(bytes)[1];
            bytes[second + 6..second + 10].copy_from_slice(&lie.to_le_bytes());
        });
        assert_eq!(sent_and_lost(&disk), ("E1 E3 E4".to_owned(), 1), "{lie}");
    }
}

#[test]
fn many_lengths_that_lie_end_in_time() {
    let disk = left_four();
    edit(&disk, |bytes| {
        let header = bytes[..38].to_vec();
        let lies = (0..60_000_u32).flat_map(|at| {
            let mut lie = header.clone();
            lie[6..10].copy_from_slice(&((60_000 - at) * 38 - 38).to_le_bytes());
            lie
        });
        bytes.splice(0..0, lies);
    });
    assert!(read(&disk).1.stretches > 0);
}

#[test]
fn zeros_behind_the_last_record_are_a_torn_tail() {
    let disk = left_four();
    edit(&disk, |bytes| bytes.extend([0; 5000]));
    assert_eq!(sent_and_lost(&disk), ("E1 E2 E3 E4".to_owned(), 0));
    assert_eq!(read(&disk).1.torn, 1);
}

#[test]
fn a_wrong_magic_costs_one_record() {
    let disk = left_four();
    edit(&disk, |bytes| bytes[0] = b'x');
    assert_eq!(sent_and_lost(&disk), ("E2 E3 E4".to_owned(), 1));
}

#[test]
fn a_record_of_a_later_version_is_passed_over() {
    let disk = left_four();
    edit(&disk, |bytes| bytes[4] = super::super::record::VERSION + 1);
    assert_eq!(sent_and_lost(&disk), ("E2 E3 E4".to_owned(), 1));
    assert!(disk.paths("/bad/").is_empty(), "it is not damaged");
    assert_eq!(read(&disk).1.newer, 1);
}

#[test]
fn an_unknown_change_is_counted() {
    let disk = left_four();
    edit(&disk, |bytes| {
        let starts = offsets(bytes);
        let payload = br#"{"surprise":{"id":"later"}}"#;
        let mut record = bytes[starts[1]..starts[1] + 34].to_vec();
        record[6..10].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&record), payload);
        record.extend(crc.to_le_bytes());
        record.extend(payload);
        bytes.splice(starts[1]..starts[2], record);
    });
    assert_eq!(sent_and_lost(&disk), ("E1 E3 E4".to_owned(), 1));
}

#[test]
fn an_empty_segment_is_passed_over() {
    let disk = left_four();
    edit(&disk, Vec::clear);
    let later = sibling(&segment(&disk), "seg-00000000000000000005");
    let other = left(&[end(1), end(2), end(3), end(4), end(5)]);
    let bytes = other.get(&segment(&other)).unwrap();
    disk.put(&later, bytes[offsets(&bytes)[4]..].to_vec());
    assert_eq!(sent_and_lost(&disk).0, "E5");
}

#[test]
fn a_segment_that_is_gone_is_passed_over() {
    let disk = MemoryDisk::default();
    let small = Settings { segment_bytes: 1, ..settings() };
    spool(&disk.of_another(), &small).append(&[end(1), end(2), end(3)]);
    disk.remove(&disk.paths("/seg-")[1]).unwrap();
    assert_eq!((read(&disk).0, read(&disk).1.missing), (vec![1, 3], 1));
    assert_eq!(sent_and_lost(&disk), ("E1 E3".to_owned(), 0), "whoever removed it has counted it");
}

#[test]
fn strange_files_are_left_alone() {
    let disk = left_four();
    for name in ["seg-x", "seg-1", "notes.txt", "seg-99999999999999999999"] {
        disk.put(&sibling(&segment(&disk), name), b"strange".to_vec());
    }
    disk.put(std::path::Path::new("/home/spool/file"), b"strange".to_vec());
    assert_eq!(sent_and_lost(&disk), ("E1 E2 E3 E4".to_owned(), 0));
}

/// What the next process sends when this stands in the file of acknowledgements.
fn sent_after(ack: impl FnOnce(&mut Vec<u8>)) -> String {
    let disk = left_four();
    let process = disk.of_another();
    let spool = spool(&process, &settings());
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    for _ in 0..3 {
        let mark = source.next(1, 1).unwrap()[0].mark;
        source.done(mark).unwrap();
    }
    drop((spool, source));
    let path = disk.paths("/ack-early").pop().unwrap();
    let mut bytes = disk.get(&path).unwrap();
    assert_eq!(bytes.len(), 3 * 32);
    ack(&mut bytes);
    disk.put(&path, bytes);
    sent(&disk, &early(), Wants::Early)
}

#[test]
fn a_sound_acknowledgement_is_believed() {
    assert_eq!(sent_after(|_| {}), "E4");
}

#[test]
fn a_damaged_acknowledgement_is_as_if_it_was_not_there() {
    assert_eq!(sent_after(|bytes| bytes[64 + 9] ^= 1), "E3 E4");
    assert_eq!(sent_after(|bytes| bytes.fill(0)), "E1 E2 E3 E4");
    assert_eq!(sent_after(|bytes| bytes[64 + 4] = 9), "E3 E4", "of a later version");
}

#[test]
fn a_torn_acknowledgement_is_as_if_it_was_not_there() {
    for torn in 1..32 {
        assert_eq!(sent_after(|bytes| bytes.truncate(96 - torn)), "E3 E4");
    }
    assert_eq!(sent_after(Vec::clear), "E1 E2 E3 E4");
}

#[test]
fn a_stale_acknowledgement_sends_again() {
    assert_eq!(sent_after(|bytes| bytes.truncate(32)), "E2 E3 E4");
}

#[test]
fn acknowledgements_go_on_behind_a_torn_one() {
    let disk = left_four();
    let path = sibling(&segment(&disk), &format!("ack-{}", crate::spool::layout::label(&early())));
    disk.put(&path, vec![7; 45]);
    assert_eq!(sent(&disk, &early(), Wants::Early), "E1 E2 E3 E4");
    assert_eq!(sent(&disk, &early(), Wants::Early), "");
    assert_eq!(disk.get(&path).unwrap().len() % 32, 0);
}

#[test]
fn an_acknowledgement_beyond_the_end_was_for_what_the_machine_lost() {
    let disk = left_four();
    let process = disk.of_another();
    let spool = spool(&process, &settings());
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    let mark = source.next(10, 10_000).unwrap()[3].mark;
    source.done(mark).unwrap();
    drop((spool, source));
    edit(&disk, |bytes| bytes.truncate(offsets(bytes)[2]));
    assert_eq!(sent_and_lost(&disk), (String::new(), 0));
    assert_eq!(sent(&disk, &whole(), Wants::Whole), "E1 E2");
}

#[test]
fn a_damaged_meta_lets_nobody_send() {
    for meta in [&b""[..], b"{", b"[]", br#"{"version":2,"pid":1,"start":1,"executable":"program","destinations":[]}"#]
    {
        let disk = left_four();
        disk.put(&sibling(&segment(&disk), "meta"), meta.to_vec());
        assert_eq!(sent_and_lost(&disk), (String::new(), 0));
        assert_eq!(read(&disk).0.len(), 4, "readers of this machine see it");
    }
}

#[test]
fn a_place_in_the_middle_of_a_record_finds_the_next() {
    let disk = left_four();
    let (number, dir) = (1, segment(&disk).parent().unwrap().to_owned());
    let bytes = disk.get(&segment(&disk)).unwrap();
    for offset in [1, offsets(&bytes)[1] as u64 + 3] {
        let mut reader = Reader::on(Arc::new(disk.clone()), &dir, Position { segment: number, offset });
        let next = reader.next().unwrap().unwrap().position.offset;
        assert!(next > offset && offsets(&bytes).contains(&(next as usize)));
    }
    for offset in [bytes.len() as u64, u64::MAX - 5] {
        let mut reader = Reader::on(Arc::new(disk.clone()), &dir, Position { segment: number, offset });
        assert!(reader.next().unwrap().is_none());
    }
}

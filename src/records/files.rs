//! The files of the own log: those that were published stay as they are as long as they can.

use shared_records::{
    DeviceId, Entry,
    log::KEPT,
    segment::{self, Segment},
};

use super::{File, Part, Text};

/// What compaction has kept, where it has kept anything.
pub(super) fn kept(device: DeviceId, kept: &[Entry], floor: u64, parts: &[Part]) -> Option<File> {
    if kept.is_empty() {
        return None;
    }
    let text = match parts.iter().find(|part| part.first == 0) {
        Some(part) => Text::Published(part.clone()),
        None => Text::New(segment::text(device, kept)),
    };
    Some(File {
        name: KEPT.into(),
        range: Some((0, floor)),
        text,
    })
}

/// The segments of the entries behind the floor: those that were published stay as they are unless there are too many small ones.
pub(super) fn segments(device: DeviceId, entries: &[Entry], parts: &[Part]) -> Vec<File> {
    let published: Vec<&Part> = parts.iter().filter(|part| part.first > 0).collect();
    let after = |seq: u64| &entries[entries.partition_point(|entry| entry.seq <= seq)..];
    let new = segment::write(device, after(published.last().map_or(0, |part| part.last)));
    let size = |first: u64, last: u64| (last - first + 1) as usize;
    let sizes: Vec<(usize, usize)> = (published.iter().map(|part| (size(part.first, part.last), part.bytes)))
        .chain(new.iter().map(|new| (size(new.first, new.last), new.text.len())))
        .collect();
    let (stays, new) = match segment::fold_from(&sizes) {
        Some(from) if from < published.len() => {
            let stays = &published[..from];
            (
                stays,
                segment::write(device, after(stays.last().map_or(0, |part| part.last))),
            )
        }
        _ => (published.as_slice(), new),
    };
    let stays = stays.iter().map(|part| File {
        name: segment::name(part.first),
        range: Some((part.first, part.last)),
        text: Text::Published((*part).clone()),
    });
    let new = new.into_iter().map(|new: Segment| File {
        name: new.name(),
        range: Some((new.first, new.last)),
        text: Text::New(new.text),
    });
    stays.chain(new).collect()
}

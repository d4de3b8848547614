use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::fs::RenameFlags;

use super::*;

fn temp_dir() -> (tempfile::TempDir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open_root(temp.path()).unwrap();
    (temp, dir)
}

#[test]
fn what_is_written_is_read_back_and_replaced_whole() {
    let (temp, dir) = temp_dir();
    dir.create_dir("a/b").unwrap();
    dir.write_atomic("a/b/c.md", b"one", FileMode::Plain).unwrap();
    dir.write_atomic("a/b/c.md", b"two and more", FileMode::Plain).unwrap();

    let (bytes, stat) = dir.read_file("a/b/c.md", 100).unwrap();
    assert_eq!(bytes, b"two and more");
    assert_eq!((stat.kind, stat.len, stat.mode), (Kind::File, 12, 0o644));
    assert_eq!(dir.read_head("a/b/c.md", 3).unwrap(), b"two");
    assert_eq!(
        dir.open_dir("a/b").unwrap().list().unwrap().len(),
        1,
        "no temporary file is left"
    );

    assert!(matches!(
        dir.read_file("a/b/c.md", 11),
        Err(DirError::TooLarge { limit: 11, .. })
    ));
    assert!(matches!(
        dir.write_atomic("a/b", b"", FileMode::Plain),
        Err(DirError::NotAFile { .. })
    ));
    assert!(matches!(dir.read_file("a/b", 11), Err(DirError::NotAFile { .. })));
    assert!(matches!(dir.remove_dir("a"), Err(DirError::NotEmpty { .. })));

    dir.rename("a/b/c.md", "d.md").unwrap();
    dir.remove_dir("a/b").unwrap();
    dir.remove_file("d.md").unwrap();
    assert!(dir.read_file("d.md", 11).unwrap_err().is_gone());
    dir.sync_all().unwrap();
    drop(temp);
}

#[test]
fn a_users_permissions_survive_when_asked_for() {
    let (temp, dir) = temp_dir();
    let file = temp.path().join("config.toml");
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o660)).unwrap();

    dir.write_atomic("config.toml", b"x", FileMode::Keep).unwrap();
    assert_eq!(mode(), 0o660);
    dir.write_atomic("config.toml", b"x", FileMode::Plain).unwrap();
    assert_eq!(mode(), 0o644);
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    let (_temp, dir) = temp_dir();
    for path in ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a\0b"] {
        assert!(
            matches!(dir.read_file(path, 9), Err(DirError::Escapes { .. })),
            "{path:?}"
        );
        assert!(
            matches!(dir.create_dir(path), Err(DirError::Escapes { .. })),
            "{path:?}"
        );
        assert!(
            matches!(dir.remove_file(path), Err(DirError::Escapes { .. })),
            "{path:?}"
        );
    }
}

#[test]
fn links_are_told_from_what_is_not_there() {
    let (temp, dir) = temp_dir();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.md"), "theirs").unwrap();
    symlink(outside.path(), temp.path().join("link")).unwrap();
    symlink("/nowhere", temp.path().join("dangling.md")).unwrap();
    fs::write(temp.path().join("file"), "").unwrap();

    type Open = fn(&Dir, &Path, OFlags) -> Result<(), Errno>;
    let by_names: Open = |dir, path, flags| open_by_names(dir.fd.as_fd(), &plain_names(path).unwrap(), flags).map(drop);
    let by_best: Open = |dir, path, flags| match dir.open_beneath(path, flags) {
        Ok(_) => Ok(()),
        Err(DirError::Symlink { .. }) => Err(Errno::LOOP),
        Err(DirError::NotADirectory { .. }) => Err(Errno::NOTDIR),
        Err(DirError::Missing { .. }) => Err(Errno::NOENT),
        Err(err) => panic!("{err}"),
    };
    for open in [by_names, by_best] {
        let open = |path: &str, flags| open(&dir, Path::new(path), flags);
        assert_eq!(open("link/x.md", OFlags::RDONLY), Err(Errno::LOOP));
        assert_eq!(open("link", OFlags::DIRECTORY), Err(Errno::LOOP));
        assert_eq!(open("dangling.md", OFlags::RDONLY), Err(Errno::LOOP));
        assert_eq!(open("file/x.md", OFlags::RDONLY), Err(Errno::NOTDIR));
        assert_eq!(open("none/x.md", OFlags::RDONLY), Err(Errno::NOENT));
        assert_eq!(open("file", OFlags::RDONLY), Ok(()));
    }

    assert!(matches!(dir.lstat("link/x.md"), Err(DirError::Symlink { .. })));
    assert_eq!(dir.lstat("dangling.md").unwrap().kind, Kind::Symlink);
    for path in ["link/x.md", "link/new.md", "dangling.md"] {
        let written = dir.write_atomic(path, b"ours", FileMode::Plain);
        assert!(matches!(written, Err(DirError::Symlink { .. })), "{path}");
    }
    assert!(matches!(dir.create_dir("link/sub"), Err(DirError::Symlink { .. })));
    assert!(matches!(dir.remove_file("link/x.md"), Err(DirError::Symlink { .. })));
    assert_eq!(fs::read(outside.path().join("x.md")).unwrap(), b"theirs");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn a_pipe_in_a_documents_place_does_not_hold_us_up() {
    let (_temp, dir) = temp_dir();
    rustix::fs::mknodat(&dir.fd, "x.md", FileType::Fifo, Mode::from(0o644), 0).unwrap();
    assert!(matches!(dir.read_file("x.md", 9), Err(DirError::NotAFile { .. })));
    assert_eq!(dir.lstat("x.md").unwrap().kind, Kind::Other);
}

#[test]
fn a_kept_file_is_never_overwritten() {
    let (_temp, dir) = temp_dir();
    dir.create_new("x.md", b"first").unwrap();
    assert!(matches!(
        dir.create_new("x.md", b"second"),
        Err(DirError::Exists { .. })
    ));
    assert!(matches!(
        dir.create_atomic("x.md", b"third", FileMode::ReadOnly),
        Err(DirError::Exists { .. })
    ));
    assert_eq!(dir.read_file("x.md", 99).unwrap().0, b"first");
    dir.create_atomic("y.md", b"fourth", FileMode::ReadOnly).unwrap();
    let (bytes, stat) = dir.read_file("y.md", 99).unwrap();
    assert_eq!((bytes.as_slice(), stat.mode & 0o777), (&b"fourth"[..], 0o444));
    assert_eq!(dir.list().unwrap().len(), 2, "no temporary file is left");
}

#[test]
fn a_removed_folder_is_known_by_its_links() {
    let (temp, dir) = temp_dir();
    let sub = dir.create_dir("sub").unwrap();
    assert_ne!(sub.stat().unwrap().links, 0);
    fs::remove_dir(temp.path().join("sub")).unwrap();
    assert_eq!(sub.stat().unwrap().links, 0);
    assert!(sub.write_atomic("x", b"", FileMode::Plain).unwrap_err().is_gone());
}

#[test]
fn a_folder_swapped_for_a_link_at_any_moment_lets_nothing_out() {
    let (temp, dir) = temp_dir();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("victim.md"), "theirs").unwrap();
    fs::create_dir(temp.path().join("api")).unwrap();
    symlink(outside.path(), temp.path().join("link")).unwrap();

    let done = AtomicBool::new(false);
    let (mut through, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(&dir.fd, "api", &dir.fd, "link", RenameFlags::EXCHANGE).unwrap();
            }
        });
        let by_names = |path: &str| {
            let names = plain_names(Path::new(path)).unwrap();
            open_by_names(dir.fd.as_fd(), &names, OFlags::RDONLY)
                .map(drop)
                .map_err(|errno| DirError::new("open", path.into(), errno))
        };
        let mut round = 0;
        // Both sides of the race must have been seen, or nothing was tried.
        while round < 12_000 || ((through == 0 || refused == 0) && round < 1_000_000) {
            round += 1;
            let results = [
                dir.write_atomic("api/new.md", b"ours", FileMode::Plain),
                dir.write_atomic("api/victim.md", b"ours", FileMode::Plain),
                by_names("api/new.md"),
                dir.read_file("api/victim.md", 99)
                    .map(|(bytes, _)| assert_eq!(bytes, b"ours")),
                dir.remove_file("api/victim.md"),
                dir.create_dir("api/sub").map(drop),
                dir.create_new("api/kept.md", b"ours"),
                dir.rename("api/kept.md", "api/kept-2.md"),
                dir.remove_file("api/kept-2.md"),
            ];
            for result in results {
                match result {
                    Ok(()) => through += 1,
                    Err(DirError::Symlink { .. }) => refused += 1,
                    Err(DirError::Missing { .. } | DirError::Exists { .. }) => {}
                    Err(err) => panic!("{err}"),
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });

    assert!(through > 0 && refused > 0, "{through} {refused}");
    assert_eq!(fs::read(outside.path().join("victim.md")).unwrap(), b"theirs");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing new outside");
}

#[test]
fn a_file_is_read_as_it_was_at_one_moment() {
    let (temp, dir) = temp_dir();
    let file = temp.path().join("x.md");
    let versions = [vec![b'a'; 200_000], vec![b'b'; 200_000]];
    fs::write(&file, &versions[0]).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for version in versions.iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                fs::write(temp.path().join("next"), version).unwrap();
                fs::rename(temp.path().join("next"), &file).unwrap();
            }
        });
        for _ in 0..500 {
            match dir.read_file("x.md", 1 << 20) {
                Ok((bytes, _)) => assert!(versions.contains(&bytes)),
                Err(DirError::Unstable { .. }) => {}
                Err(err) => panic!("{err}"),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

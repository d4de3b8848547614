use super::{super::fixture, *};

fn packs(sizes: impl IntoIterator<Item = u64>) -> Census {
    let packs = sizes.into_iter().enumerate();
    Census {
        packs: packs
            .map(|(n, size)| (PathBuf::from(format!("{n:03}")), size))
            .collect(),
        ..Census::default()
    }
}

fn git(folder: &Path, arguments: &[&str], stdin: &[u8]) -> String {
    String::from_utf8(fixture::git(folder, arguments, stdin)).unwrap()
}

#[test]
fn all_of_it_is_in_the_new_pack() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path();
    git(repository, &["init", "-q", "--bare", "."], b"");
    // A pack for each of sixty versions of a document, with differences among them, and 1,500 loose objects.
    for version in 0..60 {
        let text: String = (0..200)
            .map(|n| format!("line {n} {}\n", if n == version { "new" } else { "old" }))
            .collect();
        let from = if version == 0 { "" } else { "from refs/heads/main^0\n" };
        let commit = format!(
            "commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 0\n{from}M 100644 inline a.md\ndata {}\n{text}\n",
            text.len()
        );
        git(
            repository,
            &["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet"],
            commit.as_bytes(),
        );
    }
    let texts: String = (0..1500)
        .map(|n| format!("blob\ndata {}\n{n}\n", n.to_string().len()))
        .collect();
    git(
        repository,
        &["-c", "fastimport.unpackLimit=5000", "fast-import", "--quiet"],
        texts.as_bytes(),
    );
    let list = ["cat-file", "--batch-check", "--batch-all-objects"];
    let before = git(repository, &list, b"");

    let objects = repository.join("objects");
    let counted = census(&objects).unwrap();
    assert!(counted.packs.len() >= 60 && counted.loose > LOOSE, "{counted:?}");
    let area = repository.join("area");
    fs::create_dir_all(area.join("pack")).unwrap();
    let odb = objects::open(&objects, crate::names::ObjectFormat::Sha1).unwrap();
    let replaced = apply(&plan(counted).unwrap(), &objects, &area, &odb).unwrap();
    assert!(replaced.len() > 1600, "{}", replaced.len());
    for path in replaced {
        fs::remove_file(path).unwrap();
    }
    for entry in fs::read_dir(area.join("pack")).unwrap() {
        let entry = entry.unwrap();
        fs::rename(entry.path(), objects.join("pack").join(entry.file_name())).unwrap();
    }
    assert_eq!(git(repository, &list, b""), before);
    git(repository, &["fsck", "--strict"], b"");
    let counted = git(repository, &["count-objects", "-v"], b"");
    assert!(
        counted.contains("count: 0\n") && counted.contains("packs: 1\n"),
        "{counted}"
    );
    assert_eq!(plan(census(&objects).unwrap()), None);
}

#[test]
fn few_are_left_alone() {
    assert_eq!(plan(packs([20_000; PACKS])), None);
    let large = [20_000; PACKS].into_iter().chain([SMALL; 1000]);
    assert_eq!(plan(packs(large)), None);
}

#[test]
fn small_ones_go_together() {
    let many = [SMALL].into_iter().chain([20_000; PACKS + 1]);
    let plan = plan(packs(many)).unwrap();
    assert_eq!(plan.packs.len(), PACKS + 1);
    assert!(!plan.packs.contains(&PathBuf::from("000")), "the large one stays");
}

#[test]
fn no_pack_becomes_too_large() {
    let plan = plan(packs((1..=60).rev().map(|n| n * (SMALL / 61)))).unwrap();
    let total: u64 = plan
        .packs
        .iter()
        .map(|pack| 60 - pack.to_str().unwrap().parse::<u64>().unwrap())
        .sum();
    assert!(total * (SMALL / 61) <= LARGEST);
    assert!(plan.packs.len() > 10);
    assert_eq!(plan.packs[0], PathBuf::from("059"), "the smallest first");
}

#[test]
fn loose_objects_go_with_them() {
    let census = Census {
        loose: LOOSE + 1,
        ..packs([20_000])
    };
    let plan = plan(census).unwrap();
    assert!(plan.with_loose && plan.packs.len() == 1);
}

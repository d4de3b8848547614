use super::*;
use std::sync::atomic::AtomicBool;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn the_end_of_a_long_complaint_is_kept() {
    let program = spawn(
        shell("i=0; while [ $i -lt 4000 ]; do echo line$i; i=$((i+1)); done >&2"),
        true,
    );
    let Spawned { running, .. } = program.expect("sh runs");
    assert!(
        running
            .exit(Duration::from_secs(20))
            .is_some_and(|status| status.success())
    );
    let said = running.stderr(Duration::from_secs(5));
    assert!(said.len() == STDERR_KEPT && said.ends_with(b"line3999\n"));
}

#[test]
fn a_program_that_ignores_being_told_is_killed_with_its_children() {
    let program = spawn(shell("trap '' TERM; sleep 100 & echo up; wait"), true).expect("sh runs");
    let (mut stdout, mut said) = (program.stdout, [0; 3]);
    stdout.read_exact(&mut said).expect("it runs");
    program.running.end();
    assert_eq!(
        stdout.read(&mut said).expect("end of file"),
        0,
        "nobody holds the other end any more"
    );
}

#[test]
fn a_program_that_never_answers_ends_in_time() {
    let watch = Watch::new(Default::default(), Arc::new(AtomicBool::new(false)));
    let limit = Some(Duration::from_millis(50));
    let late = run(shell("exec sleep 100"), b"x", 10, true, limit, &watch);
    assert!(late.is_err_and(|err| err.kind() == io::ErrorKind::TimedOut));
    let (status, output) = run(shell("cat; exit 3"), b"hello", 10, true, None, &watch).expect("answers");
    assert_eq!((status.code(), output.as_slice()), (Some(3), b"hello".as_slice()));
}

#[test]
fn a_program_that_is_asked_ends_in_time_with_what_it_started() {
    let interrupt = Arc::new(AtomicBool::new(false));
    let ask = |script: &str, limit| output(shell(script), b"hello", 10, limit, &interrupt);
    let said = ask("cat; echo why >&2; exit 3", Duration::from_secs(60)).expect("answers");
    assert_eq!(said.status.code(), Some(3));
    assert_eq!(
        (said.stdout.as_slice(), said.stderr.as_slice()),
        (b"hello".as_slice(), b"why\n".as_slice())
    );
    let late = ask("exec sleep 100", Duration::from_millis(50));
    assert!(late.is_err_and(|err| err.kind() == io::ErrorKind::TimedOut));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pid");
    let told = || {
        std::fs::read_to_string(&file)
            .ok()?
            .strip_suffix('\n')?
            .parse::<i32>()
            .ok()
    };
    let started = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let script = format!("sleep 100 & echo $! > '{}'; wait", file.display());
            ask(&script, Duration::from_secs(60))
        });
        let started = loop {
            match told() {
                Some(pid) => break pid,
                None => std::thread::yield_now(),
            }
        };
        interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(asked.join().expect("no panic").is_err());
        started
    });
    let stat = std::fs::read_to_string(format!("/proc/{started}/stat")).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "it goes on: {stat}");
}

//! Programs that git has filter what it commits: central has what they make of it, and nothing where they do not do that.

use std::fs;

use crate::support::{
    process::{eventually, is_over, run},
    team::{Checkout, Team},
};

/// The user's own filter keeps a word out of what is committed, and so out of central.
#[test]
fn a_clean_filter() {
    is_filtered("sed s/secret/-----/");
}

/// git puts the file's name into it.
#[test]
fn a_clean_filter_that_is_told_a_name() {
    is_filtered("sh -c 'sed s/secret/-----/' %f");
}

fn is_filtered(clean: &str) {
    let team = Team::new();
    team.ann.put(".gitattributes", "*.md filter=hide\n");
    team.ann.write(1, "the word is -----");
    team.ann.commit("attributes");
    team.ann.git("push -q");
    team.ann.syncs();
    let carl = team.person("carl");
    let filter = format!("[filter \"hide\"]\nclean = {clean}\nsmudge = sed s/-----/secret/\n");
    let settings = carl.home.join(".gitconfig");
    let known = fs::read_to_string(&settings).expect("it has some");
    fs::write(&settings, known + &filter).expect("writable");
    let (origin, dir) = (team.origin.display(), carl.dir.display());
    carl.git(&format!("clone -q file://{origin} {dir}"));
    assert_eq!(carl.read(1), "the word is secret");
    carl.syncs();
    assert_eq!(team.plans(), "1=the word is ----- 2=v1 3=v1");
    carl.write(1, "the secret word");
    carl.syncs();
    assert_eq!(team.plans(), "1=the ----- word 2=v1 3=v1");
    team.edits_get_through(&carl);
}

/// A filter that is required and fails, one that leaves nothing, one without an end, and one that leaves a process behind which holds its
/// output: the document stays as it is in central, and is named. One that is not required changes nothing when it fails, as for git.
#[test]
fn filters_that_do_not_do_what_they_are_for() {
    let team = Team::new();
    let carl = team.clone("carl", "");
    carl.syncs();
    carl.git("config filter.odd.smudge cat");
    let set = |key: &str, value: &str| {
        let mut config = carl.program("git");
        config.args(["config", &format!("filter.odd.{key}"), value]);
        run(config).success();
    };
    carl.put(".git/info/attributes", "*0001.md filter=odd\n");
    let left = carl.home.join("left");
    let daemon = format!("sleep 100000 & echo $! > {}; cat", left.display());
    let silent = talking(&carl, "abort", "", "1");
    let taken_back = talking(&carl, "success", "\"status=error\\n\"", "1");
    for (clean, process, required, reason) in [
        ("exit 1", "", "true", "the filter odd is required and failed"),
        ("", "", "true", "the filter odd is required and failed"),
        ("no-such-program", "", "true", "the filter odd is required and failed"),
        ("cat; kill -9 $$", "", "true", "the filter odd is required and failed"),
        ("true", "", "false", "the filter odd left nothing of it"),
        ("yes", "", "false", "said more than 64 MiB"),
        (daemon.as_str(), "", "false", "did not end within 10 s"),
        ("cat", "exit 1", "true", "the filter odd is required and failed"),
        ("cat", "echo nonsense", "true", "the filter odd is required and failed"),
        ("cat", silent.as_str(), "true", "the filter odd is required and failed"),
        (
            "cat",
            taken_back.as_str(),
            "true",
            "the filter odd is required and failed",
        ),
        ("cat", "sleep 100000", "true", "did not end within 10 s"),
    ] {
        for (key, value) in [("clean", clean), ("process", process), ("required", required)] {
            set(key, value);
        }
        carl.write(1, "carl");
        let said = carl.syncs();
        assert!(
            said.contains(&carl.code(1)) && said.contains(reason),
            "{clean} {process}: {said}"
        );
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "{clean} {process}");
        carl.write(1, "v1");
    }
    let started = fs::read_to_string(left).expect("the filter ran");
    eventually("what it left behind ends", || is_over(started.trim()));

    for (key, value) in [("clean", "exit 1"), ("process", ""), ("required", "false")] {
        set(key, value);
    }
    carl.write(1, "carl");
    carl.syncs();
    assert_eq!(team.plans(), "1=carl 2=v1 3=v1");
}

/// A filter that is started once for all documents, as git-lfs is: what it makes of them is what git would commit.
#[test]
fn a_filter_that_runs_for_all_documents() {
    let team = Team::new();
    let carl = team.clone("carl", "");
    carl.syncs();
    carl.put(".git/info/attributes", "*.md filter=talks\n");
    let process = talking(&carl, "success", "", "s/carl/-----/");
    for (key, value) in [("process", process.as_str()), ("required", "true")] {
        let mut config = carl.program("git");
        config.args(["config", &format!("filter.talks.{key}"), value]);
        run(config).success();
    }
    for number in 1..=3 {
        carl.write(number, "carl");
    }
    let said = carl.syncs();
    assert_eq!(team.plans(), "1=----- 2=----- 3=-----", "{said}");
    let log = fs::read_to_string(carl.home.join("talking.log")).expect("it ran");
    // Once for each document, all in one process.
    assert_eq!((log.lines().count(), log.matches("start\n").count()), (4, 1), "{log}");
    carl.commit("edited");
    assert!(carl.git(&format!("show HEAD:{}", carl.path(1))).contains("-----"));
    carl.syncs();
    assert_eq!(team.plans(), "1=----- 2=----- 3=-----");
}

/// A command line for a filter that is started once. It answers with `status`, what `change`, which is perl, makes of the text, and
/// `after`.
fn talking(person: &Checkout, status: &str, after: &str, change: &str) -> String {
    let script = r#"
$| = 1; binmode STDIN; binmode STDOUT;
open my $log, ">>", "LOG"; print $log "start\n"; $log->autoflush(1);
sub packet { read(STDIN, my $h, 4) == 4 or exit; my $n = hex $h or return undef; read(STDIN, my $d, $n - 4); $d }
sub list { my @l; while (defined(my $p = packet())) { push @l, $p; print $log $p if $p =~ /^pathname=/ } @l }
sub say_ { printf "%04x%s", length($_) + 4, $_ for @_; print "0000" }
list(); say_("git-filter-server\n", "version=2\n");
list(); say_("capability=clean\n");
while (1) {
    list();
    $_ = join "", list();
    CHANGE;
    say_("status=STATUS\n");
    next if "STATUS" ne "success";
    say_($_ =~ /(.{1,65000})/gs); say_(AFTER);
}
"#;
    let log = person.home.join("talking.log");
    let script = script
        .replace("LOG", &log.display().to_string())
        .replace("CHANGE", change)
        .replace("STATUS", status)
        .replace("AFTER", after);
    let path = person.home.join(format!("{status}.pl"));
    fs::write(&path, script).expect("writable");
    format!("perl {}", path.display())
}

/// A filter that hangs holds up the documents that it is for, and no others; it is ended with whatever it has started.
#[test]
fn a_filter_that_never_ends() {
    let team = Team::new();
    let carl = team.clone("carl", "");
    carl.syncs();
    let started = carl.home.join("started");
    let clean = format!("echo $$ >> {}; sleep 100000; cat", started.display());
    carl.git("config filter.slow.smudge cat");
    let mut config = carl.program("git");
    config.args(["config", "filter.slow.clean", &clean]);
    run(config).success();
    carl.put(".git/info/attributes", "*0001.md filter=slow\n*0002.md filter=slow\n");
    for number in 1..=3 {
        carl.write(number, "carl");
    }
    let said = carl.syncs();
    for number in [1, 2] {
        assert!(said.contains(&carl.code(number)), "{said}");
    }
    assert!(
        said.contains("a program that git runs did not end within 10 s"),
        "{said}"
    );
    assert_eq!(team.plans(), "1=v1 2=v1 3=carl");
    let started = fs::read_to_string(started).expect("the filter ran");
    let processes: Vec<&str> = started.lines().collect();
    assert_eq!(processes.len(), 1, "it was not waited for twice");
    eventually("the filter's end", || is_over(processes[0]));
    carl.git("config filter.slow.clean cat");
    carl.syncs();
    assert_eq!(team.plans(), "1=carl 2=carl 3=carl");
}

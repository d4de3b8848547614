//! What cannot be right is not sent.

use gix_hash::Kind;
use send_pack::{PushError, PushOptions, RefUpdate};

use super::{empty, nobody};
use crate::push::client::{Draft, first, options, push, to_main, url};

#[test]
fn the_other_format_is_named_before_anything_is_sent() {
    let place = empty("sha256");
    let refused = push(&place.remote, &first());
    assert!(
        matches!(&refused, Err(PushError::ObjectFormat { server, .. }) if server == "sha256"),
        "{refused:?}"
    );
    let mut mixed = Draft::first(Kind::Sha256, &[("a.md", b"one\n")]);
    mixed.parent = Some(first().id);
    let refused = push(&place.remote, &mixed);
    assert!(
        matches!(refused, Err(PushError::ObjectFormat { ours: Kind::Sha1, .. })),
        "{refused:?}"
    );
}

#[test]
fn an_option_that_is_no_line_is_refused_without_connecting() {
    let at = url("git://127.0.0.1:1/r");
    for option in ["", "two\nlines", "nul\0", &"long".repeat(20_000)] {
        let update = to_main(None, Some(first().id));
        let mut pushed = PushOptions::new("test");
        pushed.hook_options = vec!["ci.skip".into(), option.into()];
        let objects = || Ok::<_, std::convert::Infallible>(first().objects.into_iter().map(Ok));
        let refused = send_pack::push(&at, &options(&nobody()), &pushed, &update, objects);
        assert!(matches!(refused, Err(PushError::PushOption(named)) if named == option));
    }
}

#[test]
fn a_name_that_is_none_is_refused_without_connecting() {
    let at = url("git://127.0.0.1:1/r");
    for name in [
        "main",
        "refs/heads/a b",
        "refs/heads/x\0 report-status",
        "refs/heads/../x",
        "",
    ] {
        let update = RefUpdate {
            name: name.into(),
            ..to_main(None, Some(first().id))
        };
        let objects = || Ok::<_, std::convert::Infallible>(Vec::new().into_iter());
        let refused = send_pack::push(&at, &Default::default(), &PushOptions::new("test"), &update, objects);
        assert!(matches!(refused, Err(PushError::RefName(_))), "{name:?}: {refused:?}");
    }
}

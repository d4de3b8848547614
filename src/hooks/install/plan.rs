//! What to do with one hook file, and doing it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{
    super::{
        hook_file::{self, Found},
        script::{self, Call, Order, Ours},
    },
    InstallError, Refusal,
};

/// What to do with a hook file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Create(Vec<u8>),
    Replace(Vec<u8>),
    /// With what other workspaces have there.
    Shorten(Vec<u8>),
    Remove,
    Nothing,
    ByHand,
    Refuse(Refusal),
}

/// For putting `call` in place.
pub(super) fn plan_install(found: &Found, call: &Call, order: Order) -> Plan {
    let (bytes, executable) = match found {
        Found::Missing => return Plan::Create(script::created(call)),
        Found::NoFile => return Plan::Refuse(Refusal::NoFile),
        Found::File { bytes, executable } => (bytes, *executable),
    };
    if !executable {
        return Plan::Refuse(Refusal::SwitchedOff);
    }
    let with_lines = match script::find(bytes, call) {
        Ok(Ours::ByHand) => return Plan::ByHand,
        Ok(Ours::No) => script::inserted(bytes, call, order),
        Ok(Ours::Lines(lines)) => lines.with(call, order),
        Err(unfit) => Err(unfit),
    };
    match with_lines {
        Ok(new) if new == *bytes => Plan::Nothing,
        Ok(new) => Plan::Replace(new),
        Err(unfit) => Plan::Refuse(unfit.into()),
    }
}

/// For taking it out, or all of our lines.
pub(super) fn plan_uninstall(found: &Found, call: &Call, all: bool) -> Plan {
    let Found::File { bytes, .. } = found else {
        return Plan::Nothing;
    };
    let lines = match script::find(bytes, call) {
        Ok(Ours::Lines(mut lines)) if all => {
            lines.targets = vec![call.target()];
            lines
        }
        Ok(Ours::Lines(lines)) if lines.has(call) => lines,
        Ok(Ours::No | Ours::Lines(_)) => return Plan::Nothing,
        Ok(Ours::ByHand) => return Plan::ByHand,
        Err(unfit) => return Plan::Refuse(unfit.into()),
    };
    match lines.without(call) {
        Ok(None) => Plan::Remove,
        Ok(Some(rest)) if lines.targets.len() == 1 => Plan::Replace(rest),
        Ok(Some(rest)) => Plan::Shorten(rest),
        Err(unfit) => Plan::Refuse(unfit.into()),
    }
}

/// Does it.
pub(super) fn apply(path: &Path, plan: Plan) -> Result<(), InstallError> {
    let fail = |action| {
        move |source| InstallError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    };
    match plan {
        Plan::Create(bytes) => {
            let dir = path.parent().unwrap_or(path);
            fs::create_dir_all(dir).map_err(fail("create the folder of"))?;
            hook_file::write(path, &bytes, 0o755).map_err(fail("write"))
        }
        Plan::Replace(bytes) | Plan::Shorten(bytes) => {
            let target = path.canonicalize().map_err(fail("find"))?;
            let mode = fs::metadata(&target).map_err(fail("read"))?.permissions().mode();
            hook_file::write(&target, &bytes, mode).map_err(fail("write"))
        }
        Plan::Remove => fs::remove_file(path).map_err(fail("remove")),
        Plan::Nothing | Plan::ByHand | Plan::Refuse(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::Event;

    fn call() -> Call {
        Call {
            event: Event::PrePush,
            folder: None,
        }
    }

    fn file(text: &str) -> Found {
        Found::File {
            bytes: text.into(),
            executable: true,
        }
    }

    fn installed(found: &Found, order: Order) -> Found {
        match plan_install(found, &call(), order) {
            Plan::Create(bytes) | Plan::Replace(bytes) => Found::File {
                bytes,
                executable: true,
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn twice_is_once() {
        for found in [Found::Missing, file("#!/bin/sh\nmake\n")] {
            let once = installed(&found, Order::Before);
            assert_eq!(plan_install(&once, &call(), Order::Before), Plan::Nothing);
        }
    }

    #[test]
    fn the_order_can_be_changed_afterwards() {
        let mine = file("#!/bin/sh\nmake\n");
        let after = installed(&installed(&mine, Order::Before), Order::After);
        assert_eq!(after, installed(&mine, Order::After));
        assert_eq!(
            plan_uninstall(&after, &call(), false),
            Plan::Replace(b"#!/bin/sh\nmake\n".to_vec())
        );
    }

    #[test]
    fn uninstalling_leaves_what_is_not_ours() {
        assert_eq!(plan_uninstall(&Found::Missing, &call(), false), Plan::Nothing);
        assert_eq!(plan_uninstall(&file("#!/bin/sh\n"), &call(), false), Plan::Nothing);
        assert_eq!(
            plan_uninstall(&installed(&Found::Missing, Order::After), &call(), false),
            Plan::Remove
        );
        assert_eq!(
            plan_uninstall(&file("git metis-sync hooks run pre-push\n"), &call(), false),
            Plan::ByHand
        );
    }

    #[test]
    fn uninstalling_leaves_other_workspaces_alone() {
        let in_folder = |folder: &str| Call {
            folder: Some(folder.into()),
            ..call()
        };
        let (api, web) = (in_folder("api"), in_folder("web"));
        let Plan::Create(bytes) = plan_install(&Found::Missing, &api, Order::Before) else {
            panic!("there was nothing");
        };
        let one = file(std::str::from_utf8(&bytes).unwrap());
        let Plan::Replace(both) = plan_install(&one, &web, Order::Before) else {
            panic!("one more");
        };
        let two = file(std::str::from_utf8(&both).unwrap());
        assert_eq!(plan_uninstall(&two, &web, false), Plan::Shorten(bytes));
        assert_eq!(plan_uninstall(&one, &web, false), Plan::Nothing);
        assert_eq!(plan_uninstall(&one, &api, false), Plan::Remove);
        assert_eq!(plan_uninstall(&two, &call(), true), Plan::Remove);
    }

    #[test]
    fn what_is_switched_off_stays_off() {
        let off = Found::File {
            bytes: b"#!/bin/sh\n".to_vec(),
            executable: false,
        };
        assert_eq!(
            plan_install(&off, &call(), Order::Before),
            Plan::Refuse(Refusal::SwitchedOff)
        );
        assert_eq!(
            plan_install(&Found::NoFile, &call(), Order::Before),
            Plan::Refuse(Refusal::NoFile)
        );
    }
}

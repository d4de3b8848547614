//! Errors of the stages and of the connection as reasons why a sync stopped.

use super::SyncErrorKind;
use crate::{
    central::CentralError,
    send_pack::connect::ConnectError,
    stage::{dehydrate, hydrate, own::ReadError},
};

impl From<hydrate::PlanError> for SyncErrorKind {
    fn from(err: hydrate::PlanError) -> Self {
        match err {
            hydrate::PlanError::Central(err) => err.into(),
            hydrate::PlanError::Dir(err) => err.into(),
        }
    }
}

impl From<ReadError> for SyncErrorKind {
    fn from(err: ReadError) -> Self {
        match err {
            ReadError::Changed { path } => SyncErrorKind::Restless { path: path.into() },
            ReadError::Dir(err) => err.into(),
            ReadError::Object(err) => err.into(),
        }
    }
}

impl From<dehydrate::PlanError> for SyncErrorKind {
    fn from(err: dehydrate::PlanError) -> Self {
        match err {
            dehydrate::PlanError::Central(err) => err.into(),
            dehydrate::PlanError::Own(err) => err.into(),
            dehydrate::PlanError::OtherProject(err) => err.into(),
            dehydrate::PlanError::Moved => SyncErrorKind::Restless { path: "HEAD".into() },
        }
    }
}

impl From<ConnectError> for SyncErrorKind {
    fn from(err: ConnectError) -> Self {
        SyncErrorKind::Central(CentralError::Connect(err))
    }
}

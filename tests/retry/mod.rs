//! Central moved meanwhile, or another clone pushed, or a push's outcome is unclear: nothing is lost, nothing undone.

mod contention;
mod decision;
mod divergence;
mod guards;
mod racing;
mod rewound;
mod unknown;

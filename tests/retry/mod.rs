mod contention;
mod decision;
mod divergence;
mod guards;
mod rewound;
mod unknown;

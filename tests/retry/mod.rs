mod contention;
mod divergence;
mod guards;
mod rewound;

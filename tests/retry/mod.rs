mod contention;
mod divergence;

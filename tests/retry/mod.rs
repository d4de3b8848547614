mod contention;
mod divergence;
mod guards;

# git metis-sync beside git and ssh:  docker build -t git-metis-sync .
#   docker run --rm -v "$PWD:/project" -v "$HOME/.ssh:/root/.ssh:ro" git-metis-sync
FROM rust:1-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bin git-metis-sync

FROM alpine:3
RUN apk add --no-cache git openssh-client ca-certificates \
    # The project is mounted and belongs to somebody else than root.
    && git config --system --add safe.directory /project
COPY --from=build /source/target/release/git-metis-sync /usr/local/bin/
WORKDIR /project
ENTRYPOINT ["git", "metis-sync"]

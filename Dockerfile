# ci-import with the server of PostgreSQL, for the private one. The shell of the image runs the jobs of a pipeline.
#
# docker build --build-arg CI_IMPORT_COMMIT="$(git rev-parse --short=12 HEAD)" --tag ci-import .

FROM rust:1.95-slim-trixie AS build
WORKDIR /ci-import
COPY . .
ARG CI_IMPORT_COMMIT="no commit known"
RUN cargo build --release --locked \
 && objcopy --strip-debug target/release/ci-import /usr/local/bin/ci-import

FROM debian:trixie-slim
# Versions are those of the suite, with its security updates. No cluster is made: the private server makes its own.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl postgresql-common \
 && sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
 && apt-get install -y --no-install-recommends postgresql \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home --shell /bin/bash ci-import
COPY --from=build /usr/local/bin/ci-import /usr/local/bin/
USER 1000:1000
WORKDIR /home/ci-import
CMD ["ci-import", "--help"]

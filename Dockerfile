# docker build -t bids_eeg2fmri .
# docker build -t bids_eeg2fmri:cuda12 --build-arg VARIANT=cuda12 .
ARG PYTHON_IMAGE=docker.io/library/python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS builder
ARG VARIANT=cpu
# Byte code that is never checked against its source: the final image is read-only.
ENV VIRTUAL_ENV=/opt/bids_eeg2fmri \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH
WORKDIR /src
COPY requirements/build.lock requirements/run.lock requirements/cuda12.lock requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/build.lock
RUN case "${VARIANT}" in \
        cpu) lock=requirements/run.lock ;; \
        cuda12) lock=requirements/cuda12.lock ;; \
        *) echo "VARIANT must be cpu or cuda12, not ${VARIANT}" >&2; exit 64 ;; \
    esac \
    && uv venv --python /usr/local/bin/python3 "${VIRTUAL_ENV}" \
    && uv pip install --require-hashes -r "${lock}"
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY bids_eeg2fmri bids_eeg2fmri
RUN python3 -m hatchling build -t wheel -d dist \
    && uv pip install --no-deps dist/*.whl \
    && cp LICENSE NOTICE "${VIRTUAL_ENV}" \
    && chmod -R a+rX,go-w "${VIRTUAL_ENV}"

FROM ${PYTHON_IMAGE}
ARG PYTHON_IMAGE
ARG VARIANT=cpu
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="bids_eeg2fmri" \
      org.opencontainers.image.description="BIDS App: synthetic BOLD, with its uncertainty, predicted from EEG. For research, not for clinical decisions." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
COPY --from=builder /opt/bids_eeg2fmri /opt/bids_eeg2fmri
# Any user id, a read-only root and no home: /tmp is all that has to be writable.
ENV PATH=/opt/bids_eeg2fmri/bin:${PATH} \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/cache \
    MPLCONFIGDIR=/tmp/mpl \
    _MNE_FAKE_HOME_DIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XLA_PYTHON_CLIENT_PREALLOCATE=false \
    BIDS_EEG2FMRI_DOCKER_TAG=bids_eeg2fmri:${VERSION}-${VARIANT}
WORKDIR /tmp
USER 1000:1000
ENTRYPOINT ["/opt/bids_eeg2fmri/bin/bids-eeg2fmri"]

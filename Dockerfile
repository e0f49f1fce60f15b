# The whole study in one image, with the locked packages:
#   docker build --tag tilesearch .
#   docker run --rm --volume "$PWD/results:/study/results" tilesearch snakemake --cores all
FROM python:3.11.9-slim-bookworm

# LightGBM's OpenMP runtime.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /study

# The packages change less often than the code: a layer of their own.
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock

COPY pyproject.toml README.md LICENSE Snakefile config.yaml ./
COPY envs envs
COPY resources resources
COPY scripts scripts
COPY workflow workflow
RUN ln -s workflow/profiles profiles \
 && pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && useradd --create-home study \
 && mkdir results \
 && chown --recursive study /study

USER study
ENV OMP_NUM_THREADS=1

CMD ["snakemake", "--cores", "all"]

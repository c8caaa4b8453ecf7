PYTHON ?= python3
BACKENDS := tensorflow jax torch
WORKERS := 2

# What a shell or a home folder has set for other projects must not reach this one.
unexport KERAS_BACKEND PYTHONPATH PYTEST_ADDOPTS
export KERAS_HOME := $(CURDIR)/.venv/keras
export TF_CPP_MIN_LOG_LEVEL := 3

DEMO := .venv/demo/bin
TEST := .venv/test/bin

.PHONY: demo test nightly soak docs dist alone lint clean

demo: export KERAS_BACKEND := tensorflow
demo: RECIPE := mfeat_modality_attention
demo: .venv/demo/installed
	$(DEMO)/keras-fusion train $(RECIPE) --seeds 0 --quiet
	$(DEMO)/keras-fusion evaluate $(RECIPE) --seeds 0
	$(DEMO)/keras-fusion export $(RECIPE)
	$(DEMO)/keras-fusion predict saved_models/$(RECIPE) zoo/$(RECIPE)/digits.json
	@echo "That was one seed. Published, over five:"
	$(DEMO)/keras-fusion list $(RECIPE)
	@ls -d runs/$(RECIPE)/model/seed-0/model.keras runs/$(RECIPE)/*.png \
	  runs/$(RECIPE)/results.json saved_models/$(RECIPE)/*

# One thread a worker: two workers share two cores without getting in each other's way.
# JAX keeps what it compiled, and compiles with its quicker emitters: most of its time
# goes there.
test: lint
	@for backend in $(BACKENDS); do \
	  echo "== pytest, KERAS_BACKEND=$$backend"; \
	  KERAS_BACKEND=$$backend OMP_NUM_THREADS=1 \
	  TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
	  JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.venv/jax \
	  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 \
	  JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 \
	  XLA_FLAGS=--xla_cpu_use_fusion_emitters=false \
	    $(TEST)/python -m pytest --numprocesses $(WORKERS) --dist worksteal || exit 1; \
	done

# The newest Keras, which may break what is here: layers, builders, published weights;
# and its torch trains on several devices.
nightly: .venv/nightly/installed
	@for backend in $(BACKENDS); do \
	  echo "== pytest, keras-nightly, KERAS_BACKEND=$$backend"; \
	  KERAS_BACKEND=$$backend OMP_NUM_THREADS=1 \
	    .venv/nightly/bin/python -m pytest --numprocesses $(WORKERS) --dist worksteal \
	    tests/layers tests/ops tests/zoo tests/experiments/test_published_scores.py \
	    tests/experiments/test_torchrun.py \
	    || exit 1; \
	done

soak: .venv/test/installed
	KERAS_BACKEND=tensorflow $(TEST)/python -m pytest -m soak

# The site, which opens from the disk: site/index.html.
docs: export KERAS_BACKEND := jax
docs: export NO_MKDOCS_2_WARNING := 1
docs: .venv/docs/installed
	.venv/docs/bin/mkdocs build --strict --quiet

# A wheel and a source archive, checked; nothing is uploaded.
dist: .venv/dist/installed
	rm -rf dist
	.venv/dist/bin/python -m build --quiet
	.venv/dist/bin/twine check --strict dist/*

# The wheel in an environment of its own for each backend, without the checkout.
alone: dist
	@for backend in $(BACKENDS); do \
	  echo "== the wheel alone, $$backend" && \
	  $(PYTHON) -m venv --clear .venv/alone && \
	  .venv/alone/bin/python -m pip install --quiet --constraint constraints.txt \
	    "$$(ls dist/*.whl)[$$backend]" && \
	  KERAS_BACKEND=$$backend .venv/alone/bin/python tests/wheel.py || exit 1; \
	done

lint: .venv/test/installed
	$(TEST)/ruff check .
	$(TEST)/ruff format --check .

clean:
	rm -rf .venv build dist site *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/dist/installed: EXTRAS := dist
.venv/docs/installed: EXTRAS := jax,datasets,tuning,serving,docs
.venv/demo/installed: EXTRAS := tensorflow,datasets,plots
.venv/test/installed .venv/nightly/installed: EXTRAS := tensorflow,jax,torch,datasets,plots,metrics,text,tuning,ray,serving,onnx,litert,dev

.venv/demo/installed .venv/dist/installed .venv/docs/installed .venv/nightly/installed .venv/test/installed: .venv/%/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "installing into .venv/$* ($(EXTRAS)); takes minutes, once"
	@$(PYTHON) -m venv .venv/$*
	@.venv/$*/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@[ $* != nightly ] || { .venv/$*/bin/python -m pip uninstall --quiet --yes keras && \
	  .venv/$*/bin/python -m pip install --quiet --pre --no-deps keras-nightly; }
	@touch $@

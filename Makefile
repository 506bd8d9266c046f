# The two commands that matter: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ASSIGNMENT ?= object_detection
DATASET ?= sample
VOC_ROOT ?=
PORT ?= 8000
WEIGHTS ?= imagenet
CELL_SECONDS ?= $(if $(filter voc,$(DATASET)),120,60)
READY := $(VENV)/.ready

.PHONY: demo serve test test-slow courses check release verify sandbox bench seeds lock clean

demo: $(READY) sandbox  ## release, grade a small class, show who got what and why
	$(BIN)/course demo $(ASSIGNMENT) --dataset $(DATASET) --weights $(WEIGHTS) \
	  $(if $(VOC_ROOT),--voc-root $(VOC_ROOT)) --cell-seconds $(CELL_SECONDS)

serve: $(READY) sandbox  ## the course as a service, for a small class of nobody's; prints the links to come in by
	$(BIN)/course serve --demo boxes_and_iou --port $(PORT)

test: $(READY) sandbox  ## lint, types and the tests that are not slow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -m "not slow" -n auto --dist loadfile

test-slow: $(READY) sandbox  ## the long tests: every planted submission, real photographs, Colab's versions
	$(BIN)/pytest -m "slow and not stock" -W default -n 2 --dist loadfile --durations=40

courses: $(READY) sandbox  ## our points of masters as in real courses beside those of stock nbgrader, which runs again
	PYTHONPATH=tests $(BIN)/python -m courses.compare
	$(BIN)/pytest -m stock

release: $(READY)  ## write release/$(ASSIGNMENT)/
	$(BIN)/course sync $(ASSIGNMENT)
	$(BIN)/course release $(ASSIGNMENT)

verify: $(READY) sandbox  ## every planted submission must get its expected points
	$(BIN)/course verify $(ASSIGNMENT)

bench: $(READY) sandbox  ## side by side with what a user would run instead; some need VOC_ROOT and WEIGHTS
	$(BIN)/python benchmarks/run.py $(if $(VOC_ROOT),--voc-root $(VOC_ROOT) --weights $(WEIGHTS))

seeds: $(READY)  ## test scores over five seeds on the real photographs that `make demo DATASET=voc` has prepared
	$(BIN)/python benchmarks/seeds.py --data .cache/voc --seeds 5

lock: $(READY)  ## choose the tested versions anew
	$(BIN)/uv pip compile pyproject.toml requirements/lock.in --extra dev --extra postgresql --extra similar --override requirements/overrides.txt \
	  --universal --python-version 3.11 --upgrade --no-header --no-annotate -o requirements/lock.txt

clean:  ## remove what grading and the demo wrote, not the data
	rm -rf .demo .cache/executed build

$(READY): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": say which with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check uv
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -r requirements/lock.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $@

sandbox:  # bubblewrap, where it can be installed without asking
	@sh tools/install_bubblewrap.sh

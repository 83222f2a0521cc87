# SPDX-License-Identifier: Apache-2.0
# Everything here needs nothing but Debian 12: what is missing is installed first, by builder/prepare.sh.
# Without root it prints the one line that installs it, and ends with 3 (which make itself reports as "Error 3").

PREPARE = @builder/prepare.sh
PYTHON = .venv/bin/python
PYTEST = PARCLOSE_REQUIRE_QEMU=1 $(PYTHON) -m pytest -rs -n auto --dist worksteal

.PHONY: help demo demo-web test test-all soak bench coverage hashes prepare clean

help:
	@echo 'make demo      build the example, boot it in QEMU and explain what happens'
	@echo 'make demo-web  two web servers: fetches their pages, crashes one, reads the log file'
	@echo 'make test      all tests but the slow ones, and the style checks'
	@echo 'make test-all  the slow ones too, and every image under the isolation oracle'
	@echo 'make soak      runs that go on for minutes'
	@echo 'make bench     the figures, into build/bench.json'
	@echo 'make coverage  which branches of the monitor the system tests take, and why not the others'
	@echo 'make hashes    what the examples build to: the same in any directory, on any day'

demo:
	$(PREPARE) run
	@$(PYTHON) examples/line/demo.py

demo-web:
	$(PREPARE) run
	@$(PYTHON) examples/web/demo.py

test:
	$(PREPARE) test
	@$(PYTEST) -m 'not slow and not soak'

test-all:
	$(PREPARE) all
	@PARCLOSE_ORACLE=1 PARCLOSE_REQUIRE_RUST=1 $(PYTEST) -m 'not soak'

soak:
	$(PREPARE) test
	@PARCLOSE_REQUIRE_QEMU=1 $(PYTHON) -m pytest -m soak

bench:
	$(PREPARE) test
	@$(PYTHON) -m bench

coverage:
	$(PREPARE) test
	@$(PYTHON) tests/branches

hashes:
	$(PREPARE) run
	@$(PYTHON) tests/build_hashes.py

prepare:
	$(PREPARE) test

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache

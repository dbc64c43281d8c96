# The calls people make every day. The runner (node dist/cli.js --help) does every step; where a Dagger engine answers,
# it does them in containers.  LOCKSTEP_BACKEND=dagger|embedded chooses by hand.
.DEFAULT_GOAL := help
SHELL := /bin/sh

LOCKSTEP := node dist/cli.js
# Where pnpm is not installed, npx brings the version that package.json pins.
PNPM := $(if $(shell command -v pnpm),pnpm,npx --yes $(shell node -p "require('./package.json').packageManager"))
# Where nobody watches a terminal, what the steps say is enough.
DAGGER_CALL = dagger $(shell test -t 2 || echo --progress=logs) call

answers = command -v dagger && echo '{ version }' | timeout 60 dagger query --silent --no-mod
backend = $(eval backend := $(or $(LOCKSTEP_BACKEND),$(shell { $(answers); } >/dev/null 2>&1 && echo dagger || echo embedded)))$(backend)
# $(call by,in containers,on this machine)
by = $(if $(filter dagger,$(backend)),$(1),$(2))
why = $(if $(LOCKSTEP_BACKEND),,no container engine answers; LOCKSTEP_BACKEND=dagger insists on one)

# On the database that DATABASE_URL names, or on the test database, whose port only this machine reaches.
on_database = if [ -n "$$DATABASE_URL" ]; then $(DAGGER_CALL) $(1) --database-url env://DATABASE_URL; else \
	DATABASE_URL="$$(dagger/test-db url)" $(DAGGER_CALL) $(1) --database-url env://DATABASE_URL --database tcp://localhost:$${LOCKSTEP_PORT:-15432}; fi

sources := $(shell find src -name '*.ts' -not -path 'src/generated/*') build.js package.json
schema := $(wildcard prisma/*.prisma)

node_modules/.modules.yaml: pnpm-lock.yaml package.json
	@$(PNPM) install --frozen-lockfile
	@touch $@

dist/cli.js: node_modules/.modules.yaml $(sources)
	@node build.js

src/generated/prisma/client.ts: dist/cli.js $(schema)
	@$(call by,$(DAGGER_CALL) -y generate,$(LOCKSTEP) generate)
	@touch $@

.PHONY: help build test-db test-db-migrate status deploy generate verify check image publish clean test test-attack test-matrix test-kubernetes test-dagger bench bench-dagger

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: dist/cli.js ## install what is missing, bundle src/ into dist/

test-db: dist/cli.js ## start a test PostgreSQL, apply every migration, generate the client
	@$(call by,dagger/test-db up >/dev/null && DATABASE_URL= $(MAKE) -s deploy,LOCKSTEP_EMBEDDED_BECAUSE='$(why)' $(LOCKSTEP) test-db up --deploy >/dev/null)
	@$(MAKE) -s src/generated/prisma/client.ts
	@echo '  use it:   export DATABASE_URL="$$($(call by,dagger/test-db,npx lockstep test-db) url)"'
	@echo '  stop it:  make clean'

test-db-migrate: dist/cli.js ## write the next migration from the schema's change: NAME=add_orders OPTIONS="--rename User.name=displayName"
	@$(call by,$(DAGGER_CALL) -y migrate $(OPTIONS) --name "$(or $(NAME),$(error name the migration: make test-db-migrate NAME=add_orders))",$(LOCKSTEP) test-db up --deploy >/dev/null)
	@$(call by,,DATABASE_URL="$$($(LOCKSTEP) test-db url)" $(LOCKSTEP) migrate $(if $(NAME),--name "$(NAME)") $(OPTIONS))

status: dist/cli.js ## show what is applied and what is pending in DATABASE_URL, or in the test database
	@$(call by,$(call on_database,status),$(LOCKSTEP) status)

deploy: dist/cli.js ## apply the pending migrations to DATABASE_URL, or to the test database
	@$(call by,$(call on_database,deploy),$(LOCKSTEP) deploy)

generate: dist/cli.js ## generate Prisma Client
	@$(call by,$(DAGGER_CALL) -y generate,$(LOCKSTEP) generate)

verify: ## the whole strategy on a fresh PostgreSQL, in containers (needs Dagger)
	@$(DAGGER_CALL) verify export --path .lockstep/verify

check: ## every check of the module, side by side (needs Dagger)
	@dagger check

image: ## build and try the migration image (needs Dagger)
	@$(DAGGER_CALL) image

publish: ## push the migration image: ADDRESS=registry/name:tag (needs Dagger)
	@$(DAGGER_CALL) publish --address "$(or $(ADDRESS),$(error say where to: make publish ADDRESS=registry/name:tag))"

clean: dist/cli.js ## stop the test PostgreSQL and remove its data
	@dagger/test-db down
	@$(LOCKSTEP) test-db down

test: src/generated/prisma/client.ts ## lint, type-check, and run every test on a real PostgreSQL
	@$(PNPM) run --silent lint
	@$(PNPM) run --silent typecheck
	@$(PNPM) run --silent test

test-attack: src/generated/prisma/client.ts ## attack, cut and kill deploys at random, 100 rounds, on the oldest and newest PostgreSQL: ROUNDS=100
	@LOCKSTEP_ATTACK_ROUNDS=$(or $(ROUNDS),100) $(PNPM) exec vitest run test/faults/attack test/faults/cut test/faults/kill

# What sends SQL of its own to the server that all tests share.
on_server := test/backfill test/change test/check test/commands test/deploy test/history test/plan test/postgres/catalog test/schema-engine test/scratch test/sql

test-matrix: src/generated/prisma/client.ts ## what touches the server, on PostgreSQL 13 to 18: POSTGRES="15 16"
	@$(PNPM) install --silent --dir test/matrix --ignore-workspace --frozen-lockfile
	@for major in $(or $(POSTGRES),13 14 15 16 17 18); do echo "PostgreSQL $$major"; \
		LOCKSTEP_TEST_POSTGRES=$$major $(PNPM) exec vitest run $(on_server) || exit 1; done

test-kubernetes: src/generated/prisma/client.ts ## render the charts with helm, against the OpenAPI of Kubernetes; play the pods with podman
	@$(PNPM) install --silent --dir test/kubernetes/tools --ignore-workspace --frozen-lockfile
	@python3 -m pip download --quiet --no-deps --require-hashes --only-binary :all: \
		--dest test/kubernetes/tools/node_modules/.schemas -r test/kubernetes/tools/requirements.txt
	@LOCKSTEP_TEST_PODMAN=1 $(PNPM) exec vitest run test/kubernetes

test-dagger: src/generated/prisma/client.ts ## drive the module on a real Dagger engine; DAGGER_REQUIRED=1 insists on one
	@$(PNPM) run --silent test:dagger

bench: dist/cli.js ## measure against psql, dbmate and Prisma's own CLI, side by side
	@node_modules/.bin/jiti bench/run.ts
	@node_modules/.bin/jiti bench/fleet.ts

bench-dagger: dist/cli.js ## measure the module's calls, cold and warm (needs Dagger)
	@node_modules/.bin/jiti bench/dagger.ts

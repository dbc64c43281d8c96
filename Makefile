# The calls people make every day. Every step is the runner's: node dist/cli.js --help
.DEFAULT_GOAL := help
SHELL := /bin/sh

LOCKSTEP := node dist/cli.js
# Where pnpm is not installed, npx brings the version that package.json pins.
PNPM := $(if $(shell command -v pnpm),pnpm,npx --yes $(shell node -p "require('./package.json').packageManager"))

sources := $(shell find src -name '*.ts' -not -path 'src/generated/*') build.js package.json
schema := $(wildcard prisma/*.prisma)

node_modules/.modules.yaml: pnpm-lock.yaml package.json
	@$(PNPM) install --frozen-lockfile
	@touch $@

dist/cli.js: node_modules/.modules.yaml $(sources)
	@node build.js

src/generated/prisma/client.ts: dist/cli.js $(schema)
	@$(LOCKSTEP) generate
	@touch $@

.PHONY: help build test-db test-db-migrate status deploy generate clean test lint bench

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: dist/cli.js ## install what is missing, bundle src/ into dist/

test-db: dist/cli.js ## start a test PostgreSQL, apply every migration, generate the client
	@$(LOCKSTEP) test-db up --deploy
	@$(MAKE) -s src/generated/prisma/client.ts
	@echo '  use it:   export DATABASE_URL="$$(npx lockstep test-db url)"'
	@echo '  stop it:  make clean'

test-db-migrate: dist/cli.js ## write the next migration from the schema's change: NAME=add_orders
	@$(LOCKSTEP) test-db up --deploy
	@DATABASE_URL="$$($(LOCKSTEP) test-db url)" $(LOCKSTEP) migrate $(if $(NAME),--name "$(NAME)")

status: dist/cli.js ## show what is applied and what is pending
	@$(LOCKSTEP) status

deploy: dist/cli.js ## apply the pending migrations
	@$(LOCKSTEP) deploy

generate: dist/cli.js ## generate Prisma Client
	@$(LOCKSTEP) generate

clean: dist/cli.js ## stop the test PostgreSQL and remove its data
	@$(LOCKSTEP) test-db down

test: src/generated/prisma/client.ts ## lint, type-check, and run every test on a real PostgreSQL
	@$(PNPM) run --silent lint
	@$(PNPM) run --silent typecheck
	@$(PNPM) run --silent test

bench: dist/cli.js ## measure against psql, dbmate and Prisma's own CLI, side by side
	@node_modules/.bin/jiti bench/run.ts

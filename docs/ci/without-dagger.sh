#!/bin/sh
# Where no container engine can run: the same runner, on the machine itself. sh without-dagger.sh verify|deploy
set -eu

pnpm install --frozen-lockfile

case "${1:-verify}" in
  verify)
    # a PostgreSQL from npm; a service container's URL in DATABASE_URL does as well
    if [ -z "${DATABASE_URL:-}" ]; then
      trap 'pnpm exec lockstep test-db down' EXIT
      pnpm exec lockstep test-db up
    fi
    pnpm db:deploy
    pnpm db:status
    pnpm db:generate
    ;;
  deploy)
    : "${DATABASE_URL:?the database to deploy to}"
    pnpm db:deploy
    pnpm db:status
    ;;
  *)
    echo "verify or deploy, not $1" >&2
    exit 2
    ;;
esac

#!/bin/sh
# Any machine with a container engine: sh pipeline.sh verify|publish|deploy
set -eu

if ! command -v dagger > /dev/null; then
  curl -fsSL https://dl.dagger.io/dagger/install.sh | DAGGER_VERSION=0.21.8 BIN_DIR="$HOME/.local/bin" sh
  PATH="$HOME/.local/bin:$PATH"
fi

case "${1:-verify}" in
  verify)
    dagger check --progress=plain
    dagger call --progress=plain lockstep verify -o reports
    ;;
  publish)
    # after docker login
    dagger call --progress=plain lockstep publish --address "${IMAGE:?the address with its tag}"
    ;;
  deploy)
    : "${DATABASE_URL:?the database to deploy to}"
    dagger call --progress=plain lockstep deploy --database-url env://DATABASE_URL
    dagger call --progress=plain lockstep status --database-url env://DATABASE_URL
    ;;
  *)
    echo "verify, publish or deploy, not $1" >&2
    exit 2
    ;;
esac

#!/bin/sh
# What `make demo` runs: each command is printed as a user would type it.
set -eu
BIN=${BIN:-.venv/bin} OUT=${OUT:-out}
mkdir -p "$OUT"

show() { printf '\n  $ %s\n\n' "$*"; "$@"; }

cat <<'SAY'

1. A real aircraft: a United States Navy C-2A off San Diego on 14 September 2020, 7,335 positions.
   When was it inside the air defence identification zone of the contiguous United States?
SAY
show "$BIN/adiz" stays src/adiz/data/c2a-san-diego-2020-09.parquet --zones US-CONUS-2 \
  --show-zone America/Los_Angeles --map "$OUT/c2a.html"
cat <<SAY

   "possible": unheard for more than two minutes, it could have been inside at 650 kt or less.
   The map is one file that needs no network: open $OUT/c2a.html in a browser.

2. The same for a program: one JSON object a line.
SAY
show "$BIN/adiz" stays src/adiz/data/c2a-san-diego-2020-09.parquet --zones US-CONUS-2 \
  --out "$OUT/c2a.jsonl"
cat <<'SAY'

3. The incident of 23 July 2019 near the Liancourt Rocks: what four governments said, which of it
   cannot all be true, and what physics allows. This takes up to a minute.
SAY
show "$BIN/adiz" incident dossier 2019-07-23 --out "$OUT/2019-07-23"
cat <<'SAY'

4. The same flight as a watch would have seen it live: warnings before the entries, then the entries.
SAY
rm -rf out/watch
show "$BIN/adiz" watch examples/watch-c2a.toml --view lines
cat <<SAY

Now open     $OUT/c2a.html  and  $OUT/2019-07-23/index.html
your own     $BIN/adiz stays YOUR-FILE --zones KADIZ,CHN-ECS-ADIZ
zones        $BIN/adiz zones list
all commands $BIN/adiz --help
live feeds   docs/how-to/watch.md
tutorial     docs/tutorial/first-stays.md
SAY

//! The script that puts a history where a Prometheus has its own: it makes blocks of text, and moves blocks.

use crate::calendar::Date;
use crate::history::increment::WINDOW_SECONDS;

pub const NAME: &str = "import.sh";

/// The directory of blocks, beside the script.
pub const BLOCKS: &str = "blocks";

/// The name of a window's file; in the order of time, as the blocks are made.
pub fn file_of(window: u64) -> String {
    let Date { year, month, day, hour, .. } = Date::of(window * WINDOW_SECONDS);
    format!("httpd-{year:04}-{month:02}-{day:02}T{hour:02}.om.gz")
}

/// Whether a file is one of a history.
pub fn is_ours(name: &str) -> bool {
    [NAME, BLOCKS].contains(&name) || name.starts_with("httpd-") && name.ends_with(".om.gz")
}

/// For a directory of text.
pub fn for_text() -> String {
    let said = "# Puts this history into a Prometheus: makes a block of each file here, and moves them into its directory of \
                data.\n# Run it once: a second time would only take room.\n";
    ["#!/bin/sh\n", said, BEGIN, MAKE, MOVE].concat()
}

/// For a directory of blocks.
pub fn for_blocks() -> String {
    let said = "# Puts this history into a Prometheus: moves the blocks here into its directory of data.\n";
    ["#!/bin/sh\n", said, BEGIN, FIND, MOVE].concat()
}

const BEGIN: &str = r#"# A running Prometheus shows them within a minute or two.
set -eu
if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "usage: sh $0 DIRECTORY, the --storage.tsdb.path of Prometheus (Debian's: /var/lib/prometheus/metrics2)" >&2
    exit 2
fi
data=$(cd "$1" && pwd)
cd "$(dirname "$0")"
"#;

const MAKE: &str = r#"# What an earlier run has left that did not come to its end.
rm -rf blocks unpacked
mkdir blocks unpacked
# promtool reads no compressed file, so each is unpacked while its block is made.
# One process takes 100 MB and makes 0.2 to 0.3 million samples a second.
cores=$(nproc 2>/dev/null || echo 1)
[ "$cores" -le 8 ] || cores=8
set -- httpd-*.om.gz
printf '%s\n' "$@" | files=$# GOMAXPROCS=1 xargs -P "$cores" -I FILE sh -euc '
    gzip -dc "$1" >"unpacked/$1"
    promtool tsdb create-blocks-from --quiet openmetrics "unpacked/$1" blocks
    rm "unpacked/$1"
    [ ! -t 2 ] || printf "\r%s of %s blocks " "$(ls blocks | wc -l)" "$files" >&2' sh FILE
[ ! -t 2 ] || echo >&2
rmdir unpacked
"#;

const FIND: &str = r#"if [ ! -d blocks ]; then
    echo "$0: there is no block here; they have been moved already" >&2
    exit 1
fi
"#;

const MOVE: &str = r#"# The blocks belong to whom the directory belongs to.
chown -R --reference="$data" blocks
# Between two disks a move is a copy. Under this name Prometheus takes a block for one that is still made.
for block in blocks/*; do
    to=$data/${block#blocks/}
    if [ -e "$to" ]; then
        echo "$0: $to is there already; it has the same samples" >&2
        exit 1
    fi
    rm -rf "$to.tmp-for-creation"
    mv "$block" "$to.tmp-for-creation"
    mv "$to.tmp-for-creation" "$to"
done
rmdir blocks
echo "The history is in $data. It is kept for as long as --storage.tsdb.retention.time says."
"#;

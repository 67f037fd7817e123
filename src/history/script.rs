//! The script that makes blocks of the files of a history, and puts them where a Prometheus has its own.

use crate::calendar::Date;
use crate::history::increment::WINDOW_SECONDS;

pub const NAME: &str = "import.sh";

/// The name of a window's file; in the order of time, as the blocks are made.
pub fn file_of(window: u64) -> String {
    let Date { year, month, day, hour, .. } = Date::of(window * WINDOW_SECONDS);
    format!("httpd-{year:04}-{month:02}-{day:02}T{hour:02}.om.gz")
}

/// Whether a file is one of a history.
pub fn is_ours(name: &str) -> bool {
    name == NAME || name.starts_with("httpd-") && name.ends_with(".om.gz")
}

pub const TEXT: &str = r#"#!/bin/sh
# Puts this history into a Prometheus: makes a block of each file here, and moves them into its directory of data.
# A running Prometheus shows them within a minute or two. Run it once: a second time would only take room.
# promtool reads no compressed file, so each is unpacked while its block is made.
set -eu
if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "usage: sh $0 DIRECTORY, the --storage.tsdb.path of Prometheus (Debian's: /var/lib/prometheus/metrics2)" >&2
    exit 2
fi
data=$(cd "$1" && pwd)
cd "$(dirname "$0")"
# What an earlier run has left that did not come to its end.
rm -rf blocks unpacked
mkdir blocks unpacked
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
# The blocks belong to whom the directory belongs to.
chown -R --reference="$data" blocks
mv blocks/* "$data"/
rmdir blocks unpacked
echo "The history is in $data. It is kept for as long as --storage.tsdb.retention.time says."
"#;

#!/bin/sh
# Writes a log to look at for as long as somebody reads it: every second some lines of the present time, as Apache
# logs them with vhost_combined and %D. The hosts, the load, the durations and the failures have a shape.
set -eu

second=0
while :; do
    now=$(LC_ALL=C date -u '+%d/%b/%Y:%H:%M:%S +0000')
    awk -v second="$second" -v now="$now" 'BEGIN {
        srand(second)
        split("www www www shop shop api", host)
        split("/ /static/app.js /users/1/orders /search?q=tea /cart", path)
        failing = second % 60 > 40 ? 0.1 : 0.01
        for (lines = 50 + 30 * sin(second / 10); lines > 0; lines--) {
            path[3] = "/users/" int(5000 * rand()) "/orders"
            status = rand() < failing ? 503 : rand() < 0.05 ? 404 : 200
            micros = 4000 * exp(4 * rand() * rand()) * (2 + sin(second / 15))
            printf "%s.example.org:443 192.0.2.%d - - [%s] \"GET %s HTTP/1.1\" %d %d \"-\" \"demo\" %d\n", \
                host[1 + int(6 * rand())], 200 * rand(), now, path[1 + int(5 * rand())], status, \
                500 + 20000 * rand(), micros
        }
    }'
    second=$((second + 1))
    sleep 1
done

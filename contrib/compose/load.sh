#!/bin/sh
# Asks the server at $1 for a little of everything, for ever. Waits between rounds, so that the curves have a shape.
set -eu
server=${1:?usage: load.sh URL}

# ab ends with an error when the server is away for a moment; the next round tries again.
ask() { # REQUESTS PATH [OPTION...]
    requests=$1 path=$2
    shift 2
    ab -q -n "$requests" -c 2 "$@" "$server$path" >/dev/null 2>&1 || true
}

round=0
while :; do
    round=$((round + 1))
    ask $((40 + round % 12 * 10)) /
    ask 20 / -H 'Host: shop.example.org'
    ask 10 /index.html -m HEAD
    for user in 1 2 3 4 5; do
        ask 2 "/users/$round$user/orders"
    done
    ask 4 /old
    ask 2 /secret
    ask 2 /gone
    if [ $((round % 5)) -eq 0 ]; then
        ask 4 /app/cart
    fi
    sleep 1
done

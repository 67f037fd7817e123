# What a program of a few lines costs: status and bytes of each line by one regular expression.
import collections, re, sys
LINE = re.compile(r'(\S+) (\S+) (\S+) \[([^]]+)\] "([A-Z]+) ([^" ]*)[^"]*" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"')
requests, sent = collections.Counter(), collections.Counter()
for line in sys.stdin:
    match = LINE.match(line)
    if match:
        key = match[5], match[7]
        requests[key] += 1
        sent[key] += 0 if match[8] == '-' else int(match[8])
for key in sorted(requests):
    print(*key, requests[key], sent[key])
